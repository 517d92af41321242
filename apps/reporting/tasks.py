"""Work of reporting that runs by itself."""

from celery import shared_task

from apps.core import clock

from . import facts


@shared_task(name="reporting.rebuild_stale")
def rebuild_stale() -> int:
    """Today and every day with late news."""
    return facts.rebuild_stale(now=clock.now())


@shared_task(name="reporting.rebuild_nightly")
def rebuild_nightly() -> int:
    """Yesterday, and what was recorded lately."""
    return facts.rebuild_nightly(now=clock.now())
