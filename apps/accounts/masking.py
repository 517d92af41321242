"""People shown to colleagues who may count them but not open them: enough to recognise a pattern, not a person."""

from typing import Any

from apps.accounts.access import can_open_people

HIDDEN = "…"


def mask_name(user: Any, value: str) -> str:
    """`Ola Nordmann` becomes `O… N…`."""
    if can_open_people(user):
        return value
    return " ".join(part[0] + HIDDEN for part in value.split())


def mask_email(user: Any, value: str) -> str:
    """`ola@example.com` becomes `o…@example.com`; a domain that is a person's own is rare enough to stay."""
    if can_open_people(user) or not value:
        return value
    local, at, domain = value.rpartition("@")
    return f"{local[:1]}{HIDDEN}{at}{domain}"


def mask_phone(user: Any, value: str) -> str:
    """`+4722334455` becomes `+47…55`."""
    if can_open_people(user) or not value:
        return value
    return f"{value[:3]}{HIDDEN}{value[-2:]}" if len(value) > 6 else HIDDEN


def mask_text(user: Any, value: str) -> str:
    """Any other personal text (a street, a birth date): its first sign, if it has one."""
    return value if can_open_people(user) or not value else value[0] + HIDDEN
