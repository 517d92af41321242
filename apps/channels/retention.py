"""What channels lets go of, and when; the days stand in config/retention.toml."""

from datetime import datetime

from apps.accounts import retention

from .models import CallState, CallTask


def register() -> None:
    """The rules of channels."""
    retention.register("channels.rawevent", retention.older("channels_rawevent", "received_at < %s"))
    retention.register("channels.inboundmessage", retention.older("channels_inboundmessage", "received_at < %s"))
    retention.register("channels.contactevent", retention.older("channels_contactevent", "recorded_at < %s"))
    retention.register("channels.accounthour", retention.older("channels_accounthour", "hour < %s"))
    retention.register("channels.calltask", _people_of_calls)


def _people_of_calls(before: datetime, limit: int) -> int:
    """Name, number, script and note of calls that are over; the outcome stays."""
    closed = CallTask.objects.filter(state__in=[CallState.DONE, CallState.WITHDRAWN], closed_at__lt=before)
    some = closed.exclude(phone="").values_list("pk", flat=True)[:limit]
    return CallTask.objects.filter(pk__in=list(some)).update(phone="", name="", note="", script="")
