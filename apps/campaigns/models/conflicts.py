"""Findings of the rules over the plan, and what people decided about them."""

from __future__ import annotations

from datetime import date

from django.db import models
from django.utils.translation import gettext_lazy as _

from apps.accounts.models import Department, User
from apps.core.bitmaps import BitMapField

from .plan import Campaign, Message


class PlanVersion(models.Model):
    """The one counter of the whole plan: a pass writes only if the plan is still the one it read."""

    number = models.BigIntegerField(default=0)
    changed_at = models.DateTimeField()
    people_pass_number = models.BigIntegerField(default=0)
    people_pass_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return str(self.number)


class Severity(models.IntegerChoices):
    INFO = 1, _("for information")
    MEDIUM = 2, _("medium")
    HIGH = 3, _("high")
    BLOCK = 4, _("blocks")


class ConflictState(models.TextChoices):
    OPEN = "open", _("open")
    ACKNOWLEDGED = "acknowledged", _("seen")
    ACCEPTED = "accepted", _("accepted")
    RESOLVED = "resolved", _("resolved")
    OBSOLETE = "obsolete", _("no longer there")


class Conflict(models.Model):
    """One finding. Its identity is the rule and its stable subjects; figures and facts beside it may change.

    ``people_both`` are the people it touches. ``facts`` are plain figures and dates for the sentence on the page,
    ``agreed_facts`` those that stood when people decided. ``settled_by`` is what people (or, after ``decide_by``, the
    installation's policy: ``defaulted_at``) decided about it.
    """

    rule = models.CharField(_("rule"), max_length=40)
    identity = models.CharField(max_length=200, unique=True)
    first_campaign = models.ForeignKey(Campaign, models.CASCADE, related_name="conflicts_first")
    second_campaign = models.ForeignKey(
        Campaign, models.CASCADE, null=True, blank=True, related_name="conflicts_second"
    )
    first_message = models.ForeignKey(Message, models.CASCADE, null=True, blank=True, related_name="+")
    second_message = models.ForeignKey(Message, models.CASCADE, null=True, blank=True, related_name="+")
    severity = models.PositiveSmallIntegerField(_("severity"), choices=Severity.choices)
    people_both = BitMapField(null=True, blank=True)
    people_count = models.PositiveIntegerField(_("people"), null=True, blank=True)
    first_at = models.DateTimeField(_("when"), null=True, blank=True)
    facts = models.JSONField(default=dict)
    digest = models.CharField(max_length=64)
    state = models.CharField(_("state"), max_length=12, choices=ConflictState.choices, default=ConflictState.OPEN)
    agreed_facts = models.JSONField(null=True, blank=True)
    decide_by = models.DateTimeField(_("decide by"), null=True, blank=True)
    owner = models.ForeignKey(
        User, models.SET_NULL, null=True, blank=True, related_name="owned_conflicts", verbose_name=_("owner")
    )
    escalated_at = models.DateTimeField(_("escalated"), null=True, blank=True)
    defaulted_at = models.DateTimeField(null=True, blank=True)
    settled_by = models.ForeignKey("Resolution", models.SET_NULL, null=True, blank=True, related_name="settles")
    plan_number = models.BigIntegerField(default=0)
    found_at = models.DateTimeField(_("found"))
    updated_at = models.DateTimeField(_("changed"))

    class Meta:
        ordering = ["-severity", "-people_count", "id"]
        indexes = [models.Index(fields=["state", "-severity"], name="conflict_state")]
        verbose_name = _("conflict")
        verbose_name_plural = _("conflicts")

    def __str__(self) -> str:
        return f"{self.rule} {self.identity}"


class ResolutionAction(models.TextChoices):
    LEAVE_OUT = "leave_out", _("leave the overlap out")
    MOVE = "move", _("move")
    SPLIT = "split", _("each person gets the more valuable one")
    CHANNEL = "channel", _("other channel for the shared people")
    MERGE = "merge", _("make it one joint campaign")
    CAP = "cap", _("hold to the limit")
    RETIME = "retime", _("move single messages")
    STOP = "stop", _("give the message up")
    PRIORITY = "priority", _("other priority")
    CANCEL = "cancel", _("cancel")
    ACCEPT = "accept", _("accept with a reason")


class ResolutionState(models.TextChoices):
    PROPOSED = "proposed", _("proposed")
    APPLIED = "applied", _("agreed and applied")
    DECLINED = "declined", _("declined")
    WITHDRAWN = "withdrawn", _("withdrawn")
    OUTDATED = "outdated", _("outdated")
    ENDED = "ended", _("ended")


class EndCause(models.TextChoices):
    EXPIRED = "expired", _("its day has passed")
    OVER = "over", _("the campaigns are over")
    CANCELLED = "cancelled", _("a campaign was cancelled")
    WITHDRAWN = "withdrawn", _("a lead withdrew from it")
    REPLACED = "replaced", _("another agreement took its place")


class Resolution(models.Model):
    """A way out of everything that one pair of campaigns has against each other, proposed at one of its findings.

    Applied once every touched department's lead has signed. Without ``proposed_by`` nobody decided in time and the
    installation's policy did. Without ``conflict`` it is a change of ``campaign`` out of a what-if that no finding speaks of yet.
    """

    conflict = models.ForeignKey(Conflict, models.CASCADE, null=True, blank=True, related_name="resolutions")
    campaign = models.ForeignKey(
        Campaign, models.CASCADE, null=True, blank=True, related_name="proposed_changes", verbose_name=_("campaign to be changed")
    )
    action = models.CharField(_("what"), max_length=12, choices=ResolutionAction.choices)
    parameters = models.JSONField(default=dict)
    measured = models.JSONField(_("measured effect"), default=dict)
    reason = models.TextField(_("reason"), blank=True)
    state = models.CharField(_("state"), max_length=10, choices=ResolutionState.choices, default=ResolutionState.PROPOSED)
    needs_departments = models.ManyToManyField(Department, related_name="+")
    proposed_by = models.ForeignKey(
        User, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("proposed by")
    )
    proposed_at = models.DateTimeField(_("proposed"))
    decided_at = models.DateTimeField(_("decided"), null=True, blank=True)
    expires_on = models.DateField(_("holds until"), null=True, blank=True)
    ended_at = models.DateTimeField(_("ended"), null=True, blank=True)
    ended_by = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+")
    end_cause = models.CharField(_("why it ended"), max_length=10, choices=EndCause.choices, blank=True)
    end_note = models.TextField(blank=True)

    class Meta:
        ordering = ["-proposed_at", "-id"]
        verbose_name = _("resolution")
        verbose_name_plural = _("resolutions")

    def __str__(self) -> str:
        return f"{self.action} {self.conflict_id or self.campaign_id}"


class Signature(models.Model):
    """A lead's yes or no to a resolution for one department."""

    resolution = models.ForeignKey(Resolution, models.CASCADE, related_name="signatures")
    department = models.ForeignKey(Department, models.PROTECT, related_name="+")
    user = models.ForeignKey(User, models.PROTECT, related_name="+")
    agrees = models.BooleanField()
    note = models.TextField(blank=True)
    at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["resolution", "department"], name="signature_once")]
        verbose_name = _("signature")
        verbose_name_plural = _("signatures")

    def __str__(self) -> str:
        return f"{self.resolution_id} {self.department_id}"


class ConflictComment(models.Model):
    """A remark in the talk about a conflict."""

    conflict = models.ForeignKey(Conflict, models.CASCADE, related_name="comments")
    user = models.ForeignKey(User, models.PROTECT, related_name="+")
    text = models.TextField()
    mentions = models.ManyToManyField(User, related_name="mentioned_in", blank=True)
    at = models.DateTimeField()

    class Meta:
        ordering = ["at", "id"]
        verbose_name = _("comment")
        verbose_name_plural = _("comments")

    def __str__(self) -> str:
        return self.text[:40]


class AgreementQuerySet(models.QuerySet["Agreement"]):
    def in_force(self, day: date) -> AgreementQuerySet:
        """Those that bind on that day of the company."""
        return self.filter(ended_at=None).filter(
            models.Q(resolution__expires_on=None) | models.Q(resolution__expires_on__gte=day)
        )


class Agreement(models.Model):
    """What binds at send time: nobody receives both sides; the yielding side gives way.

    Sides are whole campaigns, or single messages where given. Holds while ``ended_at`` is empty and, if set, until
    ``expires_on``. It binds the relation, also for people who join either audience late. Where people were split, ``swapped``
    are those who stay with the yielding side, so that for them the keeping side gives way. ``settled`` are all who were split
    then; whoever joins later is split by ``rates``, what was decided for people of the same history (``valued.Rates``).
    """

    resolution = models.ForeignKey(Resolution, models.CASCADE, related_name="agreements")
    yielding_campaign = models.ForeignKey(Campaign, models.CASCADE, related_name="agreements_yielding")
    keeping_campaign = models.ForeignKey(Campaign, models.CASCADE, related_name="agreements_keeping")
    yielding_message = models.ForeignKey(Message, models.CASCADE, null=True, blank=True, related_name="+")
    keeping_message = models.ForeignKey(Message, models.CASCADE, null=True, blank=True, related_name="+")
    swapped = BitMapField(null=True, blank=True)
    settled = BitMapField(null=True, blank=True)
    rates = models.JSONField(null=True, blank=True)
    since = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)

    objects = AgreementQuerySet.as_manager()

    class Meta:
        verbose_name = _("agreement")
        verbose_name_plural = _("agreements")

    def __str__(self) -> str:
        return f"{self.yielding_campaign_id} yields to {self.keeping_campaign_id}"


class StandIn(models.Model):
    """A message on another channel, for those whom an agreement takes out of the ``original`` of the same campaign."""

    agreement = models.ForeignKey(Agreement, models.CASCADE, related_name="stand_ins")
    original = models.ForeignKey(Message, models.CASCADE, related_name="stand_ins")
    message = models.OneToOneField(Message, models.CASCADE, related_name="stands_in")

    class Meta:
        verbose_name = _("message on another channel")
        verbose_name_plural = _("messages on another channel")

    def __str__(self) -> str:
        return f"{self.message_id} for {self.original_id}"
