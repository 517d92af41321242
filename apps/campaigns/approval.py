"""From draft to done: four eyes over a signed snapshot, and the states of a campaign.

draft -> in review -> approved -> scheduled -> live -> done; scheduled and live can be paused; everything but done can
be cancelled. Each step takes a row lock, so a second click finds the step done and changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime, timedelta
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from apps.accounts import access, audit, deputies, notifications
from apps.accounts.models import AuditEvent, Role, User
from apps.core import clock

from . import partners, signing
from .models import Approval, Campaign, CampaignStatus
from .models.approval import ApprovalState

# how long an approval of a repeating message covers when nobody says otherwise
RECURRING_DAYS = 90
CHANGED_IN_REVIEW = "campaign.changed_in_review"
SIGNED_STATES = (CampaignStatus.APPROVED, CampaignStatus.SCHEDULED, CampaignStatus.LIVE, CampaignStatus.PAUSED)


class NotReady(Exception):
    """The step cannot be taken yet; ``problems`` says why, one sentence each."""

    def __init__(self, problems: Iterable[str]) -> None:
        self.problems = list(problems)
        super().__init__(" ".join(self.problems))


class ChangedSinceSeen(NotReady):
    """The plan is no longer the one the approver looked at; ``differences`` says where."""

    def __init__(self, differences: list[signing.Difference]) -> None:
        self.differences = differences
        super().__init__([_("The plan was changed after you opened it. Look at it again before you sign.")])


def _locked(campaign: Campaign) -> Campaign:
    return Campaign.objects.select_for_update().get(pk=campaign.pk)


def _move(campaign: Campaign, status: str, *, actor: User | None, action: str, now: datetime, **extra: object) -> Campaign:
    before, campaign.status = campaign.status, status
    campaign.updated_at = now
    campaign.version += 1
    campaign.save(update_fields=["status", "paused_from", "version", "updated_at"])
    audit.record(
        actor=actor, action=f"campaign.{action}", subject=campaign, department=campaign.department,
        before={"status": before}, after={"status": status, **extra}, now=now,
    )
    return campaign


def _refuse(campaign: Campaign, wanted: str) -> None:
    raise NotReady([
        _("The campaign is “%(state)s”; that cannot be done from there: %(wanted)s.")
        % {"state": campaign.get_status_display(), "wanted": wanted}
    ])


def open_request(campaign: Campaign) -> Approval | None:
    """The approval that waits for an answer."""
    return campaign.approvals.filter(state=ApprovalState.ASKED).first()


def current(campaign: Campaign) -> Approval | None:
    """The approval that is in force."""
    return campaign.approvals.filter(state=ApprovalState.GIVEN).first()


def last_void(campaign: Campaign) -> Approval | None:
    """The newest approval when it lost its force, so that the page can show what changed since."""
    newest = campaign.approvals.first()
    return newest if newest and newest.state == ApprovalState.VOID and newest.decided_by_id else None


def changes_since(approval: Approval) -> list[signing.Difference]:
    """What is different now from what that approval signed."""
    return signing.differences(approval.signed, signing.snapshot(approval.campaign))


@transaction.atomic
def submit(*, actor: User, campaign: Campaign, note: str = "", now: datetime) -> Approval:
    """Ask for approval. Asking twice is harmless. Raises NotReady for a campaign without messages."""
    campaign = _locked(campaign)
    access.require(partners.may_edit(actor, campaign))
    if waiting := open_request(campaign):
        return waiting
    paused_void = campaign.status == CampaignStatus.PAUSED and current(campaign) is None
    if campaign.status != CampaignStatus.DRAFT and not paused_void:
        _refuse(campaign, _("ask for approval"))
    if not campaign.messages.exists():
        raise NotReady([_("There is nothing to approve yet: the campaign has no message.")])
    signed = signing.snapshot(campaign)
    request = Approval.objects.create(
        campaign=campaign, asked_by=actor, asked_at=now, asked_note=note, signed=signed, digest=signing.digest(signed)
    )
    _move(campaign, CampaignStatus.IN_REVIEW, actor=actor, action="submitted", now=now)
    _tell_approvers(campaign, actor=actor, now=now)
    return request


def _tell_approvers(campaign: Campaign, *, actor: User, now: datetime) -> None:
    leads = User.objects.filter(is_active=True, role=Role.LEAD, department=campaign.department).exclude(pk=actor.pk)
    standing_in = [each for each in deputies.of_departments([campaign.department_id], now=now) if each.pk != actor.pk]
    people = list({*leads, *standing_in}) or list(User.objects.filter(is_active=True, role=Role.ADMINISTRATOR).exclude(pk=actor.pk))
    for user in people:
        notifications.notify(
            user=user, code="approval.asked",
            text=gettext_noop("%(who)s asks you to approve %(campaign)s"), params={"who": actor, "campaign": campaign},
            url=reverse("campaigns:approve", args=[campaign.pk]), now=now,
        )


def can_sign(actor: User, campaign: Campaign, *, now: datetime | None = None) -> bool:
    """Whether this person may approve for the campaign's department: its lead, the lead's deputy, or an administrator."""
    return access.can_approve(actor, campaign.department_id, now=now) or access.is_administrator(actor)


def _as_deputy(actor: User, campaign: Campaign, now: datetime) -> dict[str, Any]:
    return deputies.signed_as(actor, campaign.department_id, now=now)


def may_decide(actor: User, campaign: Campaign) -> bool:
    """Whether this person may answer the open request: their department's plan, and not their own request."""
    request = open_request(campaign)
    return bool(request and request.asked_by_id != actor.pk and can_sign(actor, campaign))


def _open_for(actor: User, campaign: Campaign, now: datetime) -> Approval | None:
    access.require(can_sign(actor, campaign, now=now))
    request = open_request(campaign)
    if request and request.asked_by_id == actor.pk:
        raise NotReady([_("Four eyes: whoever asked for approval cannot give it. Another lead or administrator must.")])
    if request and _has_changed(actor, request):
        raise NotReady([
            _("Four eyes: you changed this plan after approval was asked for. Another lead or administrator must approve it.")
        ])
    return request


def _has_changed(actor: User, request: Approval) -> bool:
    """Whether the plan in review is partly the actor's own work."""
    return AuditEvent.objects.filter(
        actor=actor, action=CHANGED_IN_REVIEW, subject_type=Campaign._meta.label_lower, subject_id=str(request.campaign_id),
        at__gte=request.asked_at,
    ).exists()


@transaction.atomic
def approve(
    *, actor: User, campaign: Campaign, seen_digest: str, note: str = "", valid_until: date | None = None, now: datetime
) -> Approval:
    """Sign the plan as the approver saw it (``seen_digest``).

    Raises NotReady for the asker, ChangedSinceSeen when the plan is not what was seen. Approving twice is harmless.
    """
    campaign = _locked(campaign)
    request = _open_for(actor, campaign, now)
    if request is None:
        given = current(campaign)
        if given is None:
            _refuse(campaign, _("approve"))
        assert given is not None
        return given
    signed = signing.snapshot(campaign)
    if signing.digest(signed) != seen_digest:
        raise ChangedSinceSeen(signing.differences(request.signed, signed))
    campaign.approvals.filter(state=ApprovalState.GIVEN).update(state=ApprovalState.VOID)
    request.state, request.decided_by, request.decided_at = ApprovalState.GIVEN, actor, now
    request.decision_note, request.signed, request.digest = note, signed, seen_digest
    request.valid_until = valid_until or _usual_end(campaign, now)
    request.save()
    _move(
        campaign, CampaignStatus.APPROVED, actor=actor, action="approved", now=now, digest=seen_digest,
        **_as_deputy(actor, campaign, now),
    )
    _tell_asker(request, gettext_noop("%(who)s approved %(campaign)s"), actor=actor, now=now)
    return request


def _usual_end(campaign: Campaign, now: datetime) -> date | None:
    repeating = campaign.messages.exclude(recurrence="").exists()
    return clock.company_day(now) + timedelta(days=RECURRING_DAYS) if repeating else None


def _tell_asker(request: Approval, sentence: str, *, actor: User, now: datetime) -> None:
    notifications.notify(
        user=request.asked_by, code=f"approval.{request.state}",
        text=sentence, params={"who": actor, "campaign": request.campaign},
        url=reverse("campaigns:approve", args=[request.campaign_id]), now=now,
    )


@transaction.atomic
def reject(*, actor: User, campaign: Campaign, note: str, now: datetime) -> Campaign:
    """Send the plan back to draft with a note that says why."""
    campaign = _locked(campaign)
    request = _open_for(actor, campaign, now)
    if request is None:
        return campaign
    if not note.strip():
        raise ValidationError({"note": _("Say what should be changed, so that it can be.")})
    request.state, request.decided_by, request.decided_at = ApprovalState.REFUSED, actor, now
    request.decision_note = note
    request.save()
    _move(campaign, CampaignStatus.DRAFT, actor=actor, action="sent_back", now=now, **_as_deputy(actor, campaign, now))
    _tell_asker(request, gettext_noop("%(who)s sent %(campaign)s back"), actor=actor, now=now)
    return campaign


@transaction.atomic
def withdraw(*, actor: User, campaign: Campaign, now: datetime) -> Campaign:
    """Take the question back: the campaign is a draft again."""
    campaign = _locked(campaign)
    access.require(partners.may_edit(actor, campaign))
    request = open_request(campaign)
    if request is None:
        return campaign
    request.state = ApprovalState.VOID
    request.save(update_fields=["state"])
    return _move(campaign, CampaignStatus.DRAFT, actor=actor, action="withdrawn", now=now)


def compare_with_signed(campaign: Campaign, *, actor: User, now: datetime) -> bool:
    """After a change: void the approval when the change touches what was signed. True when it did.

    An approved or scheduled campaign becomes a draft again; a live or paused one is paused until it is signed anew.
    """
    request = open_request(campaign)
    given = current(campaign)
    if request is None and given is None:
        return False
    signed = signing.snapshot(campaign)
    digest = signing.digest(signed)
    if request is not None and request.digest != digest:
        Approval.objects.filter(pk=request.pk).update(signed=signed, digest=digest)
        audit.record(actor=actor, action=CHANGED_IN_REVIEW, subject=campaign, department=campaign.department_id, now=now)
    if given is None or given.digest == digest:
        return False
    campaign.approvals.filter(pk=given.pk).update(state=ApprovalState.VOID)
    if campaign.status in (CampaignStatus.LIVE, CampaignStatus.PAUSED):
        campaign.paused_from = campaign.paused_from or campaign.status
        _move(campaign, CampaignStatus.PAUSED, actor=actor, action="approval_void", now=now)
    elif campaign.status in SIGNED_STATES:
        _move(campaign, CampaignStatus.DRAFT, actor=actor, action="approval_void", now=now)
    return True


@transaction.atomic
def sign_again(*, campaign: Campaign, actor: User | None, now: datetime) -> None:
    """Carry a given approval over a change that both leads signed as a resolution of a conflict."""
    campaign = _locked(campaign)
    given = current(campaign)
    if given is None:
        return
    signed = signing.snapshot(campaign)
    given.signed, given.digest = signed, signing.digest(signed)
    given.save(update_fields=["signed", "digest"])
    audit.record(
        actor=actor, action="campaign.signed_again", subject=campaign, department=campaign.department,
        after={"digest": given.digest}, now=now,
    )


def is_covered(campaign: Campaign, moment: datetime) -> bool:
    """Whether what would be sent at ``moment`` is exactly what was approved, and the approval still covers that day."""
    given = current(campaign)
    if given is None or (given.valid_until and clock.company_day(moment) > given.valid_until):
        return False
    return given.digest == signing.digest(signing.snapshot(campaign))
