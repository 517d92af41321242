"""Periodic work of channels."""

from celery import shared_task

from apps.core import clock

from . import events


@shared_task
def tell_again() -> int:
    """Tells the apps above what they have not heard of yet."""
    return events.tell_again(now=clock.now())
