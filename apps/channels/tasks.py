"""Periodic work of channels."""

from celery import shared_task

from apps.core import clock

from . import events, retention


@shared_task
def tell_again() -> int:
    """Tells the apps above what they have not heard of yet."""
    return events.tell_again(now=clock.now())


@shared_task
def forget_old() -> dict[str, int]:
    """Lets go of what channels has kept long enough."""
    return retention.forget_old(now=clock.now())
