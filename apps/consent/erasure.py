"""What an erasure does to consent: addresses go, keyed hashes stay, so that nobody erased is ever written to again."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db import connection
from django.utils.translation import gettext as _

from apps.customers.personal_data import Holding

from . import suppression
from .models import ConsentEvent, ConsentState, Suppression, SuppressionReason


def export(customer_ids: list[int]) -> dict[str, Any]:
    """Every piece of evidence and every entry on the do-not-contact list, as the person may see it."""
    events = ConsentEvent.objects.filter(customer_id__in=customer_ids).select_related("purpose", "wording")
    entries = Suppression.objects.filter(customer_id__in=customer_ids)
    return {
        "events": [
            {
                "at": event.at.isoformat(),
                "recorded_at": event.recorded_at.isoformat(),
                "channel": event.channel,
                "topic": event.purpose.code,
                "said": event.action,
                "where": event.source,
                "how": event.method,
                "wording": event.wording.text if event.wording else event.wording_text,
                "address": event.address,
                "by_yourself": event.by_person,
            }
            for event in events.order_by("at", "id")
        ],
        "do_not_contact": [
            {"since": entry.created_at.isoformat(), "channel": entry.channel or "all", "why": entry.reason}
            for entry in entries.order_by("created_at")
        ],
    }


def erase(customer_ids: list[int], addresses: list[tuple[str, str]], now: datetime) -> dict[str, int]:
    """Empties addresses and free text of the evidence, drops the states, keeps hashes on the do-not-contact list."""
    for _kind, value in addresses:
        suppression.suppress(reason=SuppressionReason.ERASED, address=value, now=now)
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('concord.allow_erasure', 'on', true)")
        cursor.execute(
            "UPDATE consent_consentevent SET address = '', evidence = '{}' WHERE customer_id = ANY(%s::int[])",
            [customer_ids],
        )
        emptied = cursor.rowcount
        cursor.execute("SELECT set_config('concord.allow_erasure', 'off', true)")
    states, _by_model = ConsentState.objects.filter(customer_id__in=customer_ids).delete()
    Suppression.objects.filter(customer_id__in=customer_ids).update(note="")
    return {"consent_events": emptied, "consents": states, "do_not_contact": len(addresses)}


def tell(customer_ids: list[int]) -> list[Holding]:
    """What the erasure would do here, before anybody asks for it."""
    count = ConsentEvent.objects.filter(customer_id__in=customer_ids).count()
    return [Holding(_("The evidence of consent stays as proof, without address."), count)]
