"""Periodic work of accounts: what every app has kept long enough is let go of."""

from celery import shared_task

from apps.core import clock

from . import retention


@shared_task
def let_go() -> dict[str, int]:
    """Every retention rule once; how much of what."""
    return {line.rule: line.count for line in retention.run(now=clock.now())}
