"""The two passes over the plan, and how their findings become rows without losing what people decided.

The metadata pass runs inside the request that changed the plan; the people pass runs as a task, over the whole plan, and
writes only if the plan is still the one it read.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, time, timedelta

from django.db import models, transaction
from pyroaring import BitMap

from apps.core import clock
from apps.customers import care

from .. import audiences
from ..models import Campaign, Conflict, Message, PlanVersion, ToldContact
from ..models.conflicts import Severity
from ..models.plan import BINDING_STATUSES, MessageKind
from . import ending, loading, news, writing
from .findings import Finding
from .registry import RULES
from .sentences import sentence
from .snapshot import Plan
from .writing import UNDECIDED

__all__ = ["UNDECIDED", "blocking", "count_people", "find", "hold", "is_due", "look_again", "plan_changed", "sentence", "warnings"]

# Another tool may tell of its contacts all day long: they are counted together, not one by one.
BREATH = timedelta(minutes=1)


@transaction.atomic
def plan_changed(*, campaign_ids: Iterable[int], now: datetime) -> int:
    """Tells the engine that these campaigns changed: counts the plan up, looks at dates and offers at once, and asks for
    the people to be counted after the commit. Returns the new number of the plan.
    """
    from .tasks import people_pass

    version = hold(now)
    version.number += 1
    version.changed_at = now
    version.save(update_fields=["number", "changed_at"])
    ids = list(campaign_ids)
    if ids:
        plan = loading.load(now=now, focus=ids, with_people=False)
        writing.write(plan, find(plan), now=now)
    people_pass.delay_on_commit(version.number)
    return version.number


def find(plan: Plan) -> list[Finding]:
    """Everything the rules find in the plan, rule by rule."""
    return [finding for rule in RULES for finding in rule.find(plan)]


def count_people(*, number: int, now: datetime) -> bool:
    """The people pass for that number of the plan. False, and nothing written, when the plan has changed since.

    Always over the whole plan: a pass that was overtaken loses nothing, because the newer one covers its campaigns too.
    """
    if _number() != number:
        return False
    ending.end_over(now=now)
    fresh = _stale_audiences(now)
    plan = loading.load(now=now)
    assert plan.people is not None
    plan.people.put(fresh)
    findings = find(plan)
    with transaction.atomic():
        version = hold(now)
        if version.number != number or plan.number != number:
            return False
        _keep(fresh, now)
        written = writing.write(plan, findings, now=now)
        version.people_pass_number = number
        version.people_pass_at = now
        version.save(update_fields=["people_pass_number", "people_pass_at"])
        news.tell(written, now=now)
    return True


def look_again(campaign_ids: Iterable[int], *, now: datetime) -> None:
    """The people pass for these campaigns alone and at once, on the audiences as last counted, so that what was decided
    about them shows. The caller holds the plan's number. Leaves it to the task where an audience never was counted, and what
    others have: of their people it sees only those of these campaigns.
    """
    ids = list(campaign_ids)
    uncounted = Message.objects.filter(campaign__in=ids, plan_computed_at=None).exclude(kind=MessageKind.UNADDRESSED)
    if uncounted.exists():
        return
    plan = loading.load(now=now, focus=ids)
    own = [finding for finding in find(plan) if plan.in_focus(*(pk for pk in finding.campaigns if pk))]
    news.tell(writing.write(plan, own, now=now), now=now)


def _number() -> int:
    return PlanVersion.objects.values_list("number", flat=True).first() or 0


def hold(now: datetime) -> PlanVersion:
    """Keeps every pass from writing until the transaction ends. Taken after campaigns and before conflicts."""
    PlanVersion.objects.get_or_create(pk=1, defaults={"changed_at": now})
    return PlanVersion.objects.select_for_update().get(pk=1)


def _stale_audiences(now: datetime) -> dict[int, BitMap]:
    """Fresh audiences of messages that never were counted, changed since, or were counted on an earlier day."""
    rows = _stale(now).defer("plan_audience").select_related("campaign")
    return {row.pk: audiences.compute(row, now=now) for row in rows}


def _stale(now: datetime) -> models.QuerySet[Message]:
    """Messages whose planned people may be others by now."""
    today = datetime.combine(clock.company_day(now), time.min, clock.company_zone())
    return Message.objects.filter(campaign__in=Campaign.objects.planned()).filter(
        models.Q(plan_computed_at=None) | models.Q(plan_computed_at__lt=today)
        | models.Q(plan_computed_at__lt=models.F("campaign__updated_at"))
        | models.Q(include__computed_at__gt=models.F("plan_computed_at"))
        | models.Q(exclude__computed_at__gt=models.F("plan_computed_at"))
    ).distinct()


def is_due(version: PlanVersion, *, now: datetime) -> bool:
    """Whether the people have to be counted again though nobody changed the plan since the last pass."""
    if version.people_pass_number != version.number or version.people_pass_at is None:
        return True
    if ending.is_due(now=now):
        return True
    if care.changed_since(version.people_pass_at):
        return True
    if version.people_pass_at < now - BREATH and ToldContact.objects.filter(recorded_at__gt=version.people_pass_at).exists():
        return True
    is_new_day = clock.company_day(version.people_pass_at) != clock.company_day(now)
    return is_new_day or _stale(now).exists()


def _keep(fresh: dict[int, BitMap], now: datetime) -> None:
    """Stores the audiences. A message that somebody is changing right now is left out: a newer pass will count it."""
    free = Message.objects.filter(pk__in=fresh).select_for_update(skip_locked=True).values_list("pk", flat=True)
    rows = [Message(pk=pk, plan_audience=fresh[pk], plan_count=len(fresh[pk]), plan_computed_at=now) for pk in free]
    Message.objects.bulk_update(rows, ["plan_audience", "plan_count", "plan_computed_at"], batch_size=50)


def blocking(campaign: Campaign) -> models.QuerySet[Conflict]:
    """Undecided conflicts that keep this campaign from being scheduled: high or blocking, against an agreed campaign or a
    rule of the calendar. Drafts and plans under review never hold up others, nor do limits that sending keeps by itself.
    """
    other_is_agreed = (
        models.Q(first_campaign=campaign, second_campaign=None)
        | models.Q(first_campaign=campaign, second_campaign__status__in=BINDING_STATUSES)
        | models.Q(second_campaign=campaign, first_campaign__status__in=BINDING_STATUSES)
    )
    rules = [rule.code for rule in RULES if rule.holds_up]
    found = Conflict.objects.filter(other_is_agreed, state__in=UNDECIDED, severity__gte=Severity.HIGH, rule__in=rules)
    return found.defer("people_both")


def warnings(campaign: Campaign) -> models.QuerySet[Conflict]:
    """Undecided conflicts of this campaign that do not keep it from being scheduled."""
    touching = models.Q(first_campaign=campaign) | models.Q(second_campaign=campaign)
    found = Conflict.objects.filter(touching, state__in=UNDECIDED).exclude(pk__in=blocking(campaign).values("pk"))
    return found.defer("people_both")
