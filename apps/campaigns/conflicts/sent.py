"""What has been sent with an offer, as people by offer and moment, from the ledger."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from django.db import connection
from pyroaring import BitMap

from ..calendar.history import sent_contacts
from ..models import Message
from .sources import Sent


def offers_sent(*, since: datetime, now: datetime) -> Iterator[Sent]:
    """Every run since then whose message has an offer, with the people it reached, each under the id that lives on."""
    from .loading import planned_offers

    contacts = [contact for contact in sent_contacts(first=since, now=now) if contact.people]
    rows = Message.objects.filter(pk__in={contact.message_id for contact in contacts}).exclude(offer=None)
    messages = {pk: (campaign_id, offer_id) for pk, campaign_id, offer_id in rows.values_list("pk", "campaign_id", "offer_id")}
    offers = planned_offers(offer_id for _campaign, offer_id in messages.values())
    merged = _merged() if messages else {}
    gone = BitMap(merged)
    for contact in contacts:
        if contact.message_id in messages:
            campaign_id, offer_id = messages[contact.message_id]
            living = (contact.people - gone) | BitMap(merged[pk] for pk in contact.people & gone)
            yield Sent(contact.message_id, campaign_id, offers[offer_id], contact.at, living)


def _merged() -> dict[int, int]:
    """Every merged id with the id that lives on, along chains."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT id, merged_into_id FROM customers_customer WHERE merged_into_id IS NOT NULL")
        into: dict[int, int] = dict(cursor.fetchall())

    def living(pk: int) -> int:
        while pk in into:
            pk = into[pk]
        return pk

    return {pk: living(pk) for pk in into}
