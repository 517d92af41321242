"""Counting the people of the plan, outside requests. Arguments are numbers; a lost or doubled task harms nothing."""

from celery import shared_task

from apps.core import clock

from ..models import PlanVersion
from . import passes


@shared_task(name="campaigns.people_pass")
def people_pass(number: int) -> bool:
    """The people pass for one number of the plan; does nothing when the plan has moved on."""
    return passes.count_people(number=number, now=clock.now())


@shared_task(name="campaigns.recount")
def recount() -> bool:
    """Repairs and refreshes: counts again when a pass was lost, a day has begun, or an agreement has run out."""
    version = PlanVersion.objects.first()
    if version is None or not passes.is_due(version, now=clock.now()):
        return False
    return passes.count_people(number=version.number, now=clock.now())
