"""Counting the people of the plan, outside requests. Arguments are numbers; a lost or doubled task harms nothing."""

from celery import shared_task

from apps.core import clock

from .. import webhooks
from ..calendar import figures, period
from ..models import PlanVersion
from . import defaults, escalation, passes


@shared_task(name="campaigns.people_pass")
def people_pass(number: int) -> bool:
    """The people pass for one number of the plan; does nothing when the plan has moved on."""
    return _count(number)


@shared_task(name="campaigns.recount")
def recount() -> bool:
    """Lets the policy decide what nobody did in time; counts again when a pass was lost, a day began or an agreement ran out."""
    defaults.decide_overdue(now=clock.now())
    version = PlanVersion.objects.first()
    if version is None or not passes.is_due(version, now=clock.now()):
        return False
    return _count(version.number)


@shared_task(name="campaigns.webhooks")
def deliver_webhooks() -> int:
    """Makes the webhook calls whose time has come; how many were taken."""
    return webhooks.deliver_due(now=clock.now())


@shared_task(name="campaigns.escalate")
def escalate() -> int:
    """Tells deputies and administrators of conflicts that nobody has answered; of how many pairs."""
    return escalation.escalate(now=clock.now())


def _count(number: int) -> bool:
    """Counts, and then the figures of the usual calendar page, so that nobody who opens it has to wait for them."""
    now = clock.now()
    if not passes.count_people(number=number, now=now):
        return False
    usual = period.chosen(None, None, today=clock.company_day(now), zone=clock.company_zone())
    figures.of(usual.days, now=now)
    return True
