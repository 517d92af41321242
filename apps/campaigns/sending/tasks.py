"""The engine's tasks. Each may run twice, late, or never: the rows in PostgreSQL decide. No argument but ids, no result."""

from __future__ import annotations

from celery import shared_task

from apps.channels.kinds import FAMILIES
from apps.core import clock

from . import partitions, plan, sweep, work

# A task never runs as long as any broker's visibility timeout: it stops and queues itself again.
BUDGET = 10.0


@shared_task(name="campaigns.plan_due_runs")
def plan_due_runs() -> int:
    """Plans what is due and wakes the workers."""
    planned = len(plan.plan_due_runs(now=clock.now()))
    if planned:
        wake(*FAMILIES)
    return planned


@shared_task(name="campaigns.work_runs")
def work_runs(family: str) -> int:
    """Hands over what is due on a family of channels for some seconds; queues itself again when there was something."""
    worked = work.work_runs(now=clock.now(), budget=BUDGET, channels=FAMILIES[family])
    if worked.bursts or worked.listed:
        wake(family)
    return worked.sent


def wake(*families: str) -> None:
    """Asks the workers to look after these families of channels, each in its own queue."""
    for family in families:
        work_runs.apply_async(args=[family], queue=family)


@shared_task(name="campaigns.sweep")
def sweep_all() -> int:
    """Repairs what crashes and outages left behind."""
    swept = sweep.sweep(now=clock.now())
    if swept.leases or swept.recovered:
        wake(*FAMILIES)
    return swept.leases + swept.bursts + swept.ended


@shared_task(name="campaigns.partitions")
def make_partitions() -> int:
    """Makes the ledger's partitions of the coming months."""
    return partitions.ensure_ahead(clock.company_day(clock.now()))
