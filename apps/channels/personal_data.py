"""What channels holds of one person, to hand out and to erase: calls, letters, replies, raw news, sandbox copies."""

from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote

from django.conf import settings
from django.db import connection

from .counterparts import inbox
from .models import CallState, CallTask, ContactEvent, InboundMessage, Letter, PrintBatch
from .references import delivery_reference


def export(customer_ids: list[int]) -> dict[str, Any]:
    """Calls and events, as the person may see them."""
    calls = CallTask.objects.filter(customer_id__in=customer_ids).order_by("created_at")
    events = ContactEvent.objects.filter(customer_id__in=customer_ids, machine=False).order_by("at")
    return {
        "calls": [
            {"on_list_since": c.created_at.isoformat(), "number": c.phone, "outcome": c.outcome, "note": c.note}
            for c in calls
        ],
        "events": [{"at": e.at.isoformat(), "channel": e.channel, "what": e.kind} for e in events],
    }


def erase(customer_ids: list[int], addresses: list[tuple[str, str]], now: datetime) -> dict[str, int]:
    """Empties what channels holds of these customers and addresses; events keep ids and codes only."""
    values = [value for _kind, value in addresses]
    calls = CallTask.objects.filter(customer_id__in=customer_ids)
    calls.filter(state=CallState.WAITING).update(state=CallState.WITHDRAWN, reason="erased", closed_at=now)
    emptied = calls.update(phone="", name="", note="", script="")
    letters, _by_model = Letter.objects.filter(customer_id__in=customer_ids).delete()
    replies, _by_model = InboundMessage.objects.filter(address__in=values).delete()
    copies = inbox.forget(values, customer_ids)
    for got in copies:
        if got.channel == "letter":
            _remove_pair(Path(settings.SANDBOX_DIR) / "letters" / got.body.decode().split()[0])
    return {
        "calls": emptied,
        "letters": letters,
        "replies": replies,
        "provider_news": _forget_raw(values),
        "sandbox_copies": len(copies),
        "print_files": _forget_print_files(customer_ids),
    }


def _forget_raw(values: list[str]) -> int:
    gone = 0
    with connection.cursor() as cursor:
        for value in values:
            for written in {value, quote(value, safe="")}:
                sql = "delete from channels_rawevent where position(%s::bytea in body) > 0"
                cursor.execute(sql, [written.encode()])
                gone += cursor.rowcount
    return gone


def _forget_print_files(customer_ids: list[int]) -> int:
    # what was printed is at the printer's; our copy of a file with this person in it goes as a whole
    gone = 0
    for batch in PrintBatch.objects.exclude(csv_path=""):
        table = Path(batch.csv_path)
        if table.is_file():
            text = table.read_text("utf-8-sig")
            if any(f'"{delivery_reference(batch.run_id, person)}"' in text for person in customer_ids):
                _remove_pair(table)
                gone += 1
    return gone


def _remove_pair(path: Path) -> None:
    for suffix in (".pdf", ".csv"):
        path.with_suffix(suffix).unlink(missing_ok=True)
