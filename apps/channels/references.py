"""The name under which one delivery is known to a provider: the run and the customer, never a row id.

Events may come before the ledger row exists, so a reference must be computable without it.
"""

import re

from apps.core import tokens

_SIGNED = re.compile(r"([0-9]{1,18}\.[0-9]{1,18})\.([a-z2-7]{10})", re.IGNORECASE)
_REFERENCE = re.compile(r"([0-9]{1,18})\.([0-9]{1,18})")


def delivery_reference(run_id: int, customer_id: int) -> str:
    """The reference, and idempotency key, of run `run_id` to customer `customer_id`."""
    return f"{run_id}.{customer_id}"


def parse_reference(reference: str) -> tuple[int, int] | None:
    """(run id, customer id), or None when this is not a reference of ours."""
    found = _REFERENCE.fullmatch(reference)
    return (int(found[1]), int(found[2])) if found else None


def signed(reference: str) -> str:
    """The reference with a proof that we wrote it, for places that anybody can write to (a return path)."""
    return f"{reference}.{tokens.tag('delivery', reference)}"


def parse_signed(text: str) -> str:
    """The reference in a signed one, "" when we did not sign it."""
    found = _SIGNED.fullmatch(text)
    return found[1] if found and tokens.is_tag("delivery", found[1], found[2]) else ""
