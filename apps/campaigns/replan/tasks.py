"""Re-planning outside requests. The argument is an id; done twice, stopped or lost, the rows decide."""

from celery import shared_task

from apps.core import clock

from . import job


@shared_task(name="campaigns.lost_replans")
def lost_replans() -> int:
    """Takes up again what a killed worker left; how many jobs."""
    return job.resume_lost()


@shared_task(name="campaigns.replan")
def replan(scenario_id: int) -> str:
    """Works out the proposal that was asked for."""
    return job.run(scenario_id=scenario_id, now=clock.now())
