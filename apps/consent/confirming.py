"""Double opt-in: a yes given at the counter or on the phone is confirmed from the mailbox it is for.

The mail that asks carries no advertising (BGH I ZR 164/09), and only the button on its page confirms.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from django.core.mail import send_mail
from django.utils import translation
from django.utils.translation import gettext as _

from apps.core import hashing
from apps.customers.models import Customer

from . import addresses, aliases, links, purposes, wishes
from .models import ConsentAction, Purpose, Wording

VALID = timedelta(days=30)


def request(*, customer: Customer, purpose: Purpose, now: datetime, language: str) -> str:
    """Sends the mail that asks. Returns the address it went to, empty when the person has none."""
    address = next(iter(addresses.values_of([customer.pk], "email")), "")
    if not address:
        return ""
    wording = purposes.current_wording(purpose, language)
    url = links.confirmation_url(
        customer.pk, "email", purpose.pk, wording.pk if wording else 0, now, hashing.address_hash(address)
    )
    with translation.override(language or "en"):
        text = _("You told us that you want: %(topic)s.\n\nPlease confirm it here:\n%(url)s\n\n"
                 "If it was not you, do nothing: you will not hear from us.")  # fmt: skip
        words = {"topic": purposes.name_of(purpose, language), "url": url}
        send_mail(_("Please confirm your choice"), text % words, None, [address])
    return address


def confirm(asked: links.Confirmation, purpose: Purpose, *, now: datetime) -> str:
    """Writes the confirmation down: "confirmed", or "expired" after thirty days. Twice is once."""
    at = datetime.fromtimestamp(asked.asked_at, UTC)
    if now - at > VALID:
        return "expired"
    address = _still_theirs(asked)
    if not address:
        return "expired"
    token = f"{asked.asked_at}"
    done = purpose.events.filter(customer_id=asked.customer_id, action=ConsentAction.CONFIRM, evidence__asked=token)
    if not done.exists():
        wishes.opt_in(
            customer=asked.customer_id, channel=asked.channel, purpose=purpose, at=now, source="confirmation page",
            method="double opt-in", action=ConsentAction.CONFIRM, wording_id=asked.wording_id or 0, address=address,
            evidence={"asked": token},
        )  # fmt: skip
    return "confirmed"


def wording_of(asked: links.Confirmation) -> Wording | None:
    return Wording.objects.filter(pk=asked.wording_id).first()


def _still_theirs(asked: links.Confirmation) -> str:
    """The address that the mail went to, if the person still has it: a new one was never confirmed."""
    members = aliases.groups([asked.customer_id])[asked.customer_id]
    values = addresses.values_of(members, addresses.kind_of(asked.channel))
    return next((value for value in values if hashing.address_hash(value) == asked.address_hash), "")
