"""Lets go of what channels has kept long enough; the times stand in config/retention.toml."""

from datetime import datetime, timedelta

from .models import CallState, CallTask, ContactEvent, InboundMessage, RawEvent

RAW_NEWS = timedelta(days=30)
REPLIES = timedelta(days=365)
PERSON_OF_A_CALL = timedelta(days=30)
EVENTS = timedelta(days=730)


def forget_old(*, now: datetime) -> dict[str, int]:
    """Deletes or empties what is older than its time; how much of what."""
    raw, _by_model = RawEvent.objects.filter(received_at__lt=now - RAW_NEWS).delete()
    replies, _by_model = InboundMessage.objects.filter(received_at__lt=now - REPLIES).delete()
    closed = CallTask.objects.filter(
        state__in=[CallState.DONE, CallState.WITHDRAWN], closed_at__lt=now - PERSON_OF_A_CALL
    )
    calls = closed.exclude(phone="").update(phone="", name="", note="", script="")
    events, _by_model = ContactEvent.objects.filter(recorded_at__lt=now - EVENTS).delete()
    return {"raw_news": raw, "replies": replies, "calls": calls, "events": events}
