"""A person asks what is held of them; a colleague who handles personal data answers within a month."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext_noop

from apps.accounts import access, audit, notifications
from apps.accounts.models import Role, User
from apps.core import clock

from .models import Customer, DataRequest

# GDPR art. 12(3): within one month of receipt; counted short, so that February keeps it too
DAYS = 28


class NotOpen(Exception):
    """The request was answered already."""


@transaction.atomic
def ask(*, customer: Customer, language: str, now: datetime) -> tuple[DataRequest, bool]:
    """The person's open request, and whether it is new: asking twice is one request."""
    due = clock.company_day(now) + timedelta(days=DAYS)
    request, made = DataRequest.objects.get_or_create(
        customer=customer, answered_at=None, defaults={"language": language, "asked_at": now, "due_on": due}
    )
    if made:
        audit.record(actor=None, action="customer.access_asked", subject=customer, after={"due_on": due}, now=now)
        for user in _who_answers():
            notifications.notify(
                user=user, code="data_request.asked",
                text=gettext_noop("A customer asks what is held of them; answer by %(day)s"), params={"day": due.isoformat()},
                url=reverse("customers:data_requests"), now=now,
            )  # fmt: skip
    return request, made


def _who_answers() -> list[User]:
    active = User.objects.filter(is_active=True)
    return list(active.filter(handles_personal_data=True)) or list(active.filter(role=Role.ADMINISTRATOR))


@transaction.atomic
def answer(*, request: DataRequest, actor: User, note: str, now: datetime) -> DataRequest:
    """Notes that the person got their answer, and how. Raises NotOpen on a second try, PermissionDenied for others."""
    access.require(access.can_export_people(actor))
    request = DataRequest.objects.select_for_update(of=("self",)).select_related("customer").get(pk=request.pk)
    if request.answered_at is not None:
        raise NotOpen
    request.answered_at, request.answered_by, request.note = now, actor, note.strip()[:200]
    request.save(update_fields=["answered_at", "answered_by", "note"])
    audit.record(actor=actor, action="customer.access_answered", subject=request.customer, now=now)
    return request


def open_for(request: HttpRequest) -> int:
    """How many wait, for those who answer them: the number beside the entry of the navigation."""
    user: Any = request.user
    return DataRequest.objects.filter(answered_at=None).count() if user.handles_personal_data else 0
