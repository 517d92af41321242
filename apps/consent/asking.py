"""A person asks on their preference page what is held of them; they get a mail that says until when it is answered."""

from __future__ import annotations

from datetime import datetime

from django.core.mail import send_mail
from django.db import transaction
from django.utils.translation import gettext as _

from apps.core import formats
from apps.customers import data_requests
from apps.customers.models import Customer, DataRequest

from . import addresses


def ask(*, customer: Customer, language: str, now: datetime) -> DataRequest:
    """The open request of this person; a new one is confirmed to their mailbox, in the active language."""
    asked, made = data_requests.ask(customer=customer, language=language, now=now)
    address = next(iter(addresses.values_of([customer.pk], "email")), "") if made else ""
    if address:
        text = _("You asked what we hold about you. A colleague answers by %(day)s; it costs nothing.\n\n"
                 "If it was not you, answer this mail.") % {"day": formats.day(asked.due_on)}  # fmt: skip
        transaction.on_commit(lambda: send_mail(_("We received your question"), text, None, [address], fail_silently=True))
    return asked
