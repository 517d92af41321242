"""Segments as people keep them: create, change, copy, freeze to a fixed list, archive. Each leaves an audit line."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db import connection, transaction
from django.utils.translation import gettext as _
from pyroaring import BitMap

from apps.accounts import audit
from apps.accounts.models import User
from apps.customers import directory, segments
from apps.customers.models import Customer, Segment
from apps.customers.models.segments import SegmentKind


class EditedMeanwhile(Exception):
    """Somebody else saved the segment after it was opened; the message says so."""


@transaction.atomic
def save(
    *,
    segment: Segment,
    name: str,
    description: str,
    rule: dict[str, Any],
    expected_version: int,
    actor: User,
    now: datetime,
) -> Segment:
    """Creates (without pk) or changes a segment and counts it. Raises BrokenRule, EditedMeanwhile."""
    _one_rule_at_a_time()
    if segment.pk:
        segment = Segment.objects.select_for_update().get(pk=segment.pk)
        if segment.version != expected_version:
            raise EditedMeanwhile(
                _("Somebody else changed this segment while you had it open. Nothing was lost: see below.")
            )
    if found := segments.problems(rule, segment.pk):
        raise segments.BrokenRule(found)
    before = {"name": segment.name, "rule": segment.rule} if segment.pk else None
    segment.name, segment.description, segment.rule = name[:120], description, rule
    if segment.pk:
        segment.version += 1
    else:
        segment.created_at = now
        segment.owner, segment.department = actor, actor.department
    segment.save()
    segments.refresh(segment, now=now)
    audit.record(
        actor=actor, action="segment.changed" if before else "segment.created", subject=segment,
        department=segment.department_id, before=before, after={"name": segment.name, "rule": rule}, now=now,
    )  # fmt: skip
    return segment


def _one_rule_at_a_time() -> None:
    """Two rules saved at the same moment, each naming the other's audience, would close a circle that neither could see."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended('segment rules', 0))")


@transaction.atomic
def copy(*, segment: Segment, actor: User, now: datetime) -> Segment:
    """A copy for the actor's own department."""
    made = Segment.objects.create(
        name=(_("Copy of %(name)s") % {"name": segment.name})[:100], description=segment.description, kind=segment.kind,
        rule=segment.rule, people=segment.people, count=segment.count, computed_at=segment.computed_at,
        owner=actor, department=actor.department, created_at=now,
    )  # fmt: skip
    audit.record(actor=actor, action="segment.copied", subject=made, before={"from": segment.pk}, now=now)
    return made


@transaction.atomic
def make_list(*, name: str, people: BitMap, actor: User, now: datetime, description: str = "") -> Segment:
    """A fixed list of people."""
    made = Segment.objects.create(
        name=name[:120], description=description, kind=SegmentKind.STATIC, people=people, count=len(people),
        computed_at=now, owner=actor, department=actor.department, created_at=now,
    )  # fmt: skip
    audit.record(actor=actor, action="segment.listed", subject=made, after={"count": len(people)}, now=now)
    return made


def resolve(lines: list[str]) -> tuple[BitMap, list[str]]:
    """The people named by lines of e-mail addresses, phone numbers, ids or customer numbers, and lines nobody fits."""
    people, unknown = BitMap(), []
    living = Customer.objects.living()
    for line in lines:
        ids = list(living.filter(pk__in=directory.named(line)).values_list("pk", flat=True)) if line.strip() else []
        if ids:
            people |= BitMap(ids)
        elif line.strip():
            unknown.append(line.strip()[:80])
    return people, unknown


@transaction.atomic
def archive(*, segment: Segment, actor: User, now: datetime) -> None:
    """Takes a segment out of lists; campaigns that use it keep it."""
    segment.archived_at = now
    segment.save(update_fields=["archived_at"])
    audit.record(actor=actor, action="segment.archived", subject=segment, department=segment.department_id, now=now)
