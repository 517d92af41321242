"""What-if copies of the calendar: made by a person who tries things, or proposed by the optimiser."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from apps.accounts.models import User

from .plan import Campaign, Message


class ScenarioOrigin(models.TextChoices):
    PERSON = "person", _("tried by a person")
    REPLAN = "replan", _("proposed by re-planning")


class Scenario(models.Model):
    """A private what-if copy of the calendar: the real plan with some changes. Nothing of it holds until it is applied.

    ``plan_number`` is the plan it was last measured against, ``measured`` its figures beside those of the real plan
    (conflicts left, people over the limit, reach and expected orders lost). ``settings`` holds what a re-plan was asked for.
    """

    name = models.CharField(_("name"), max_length=120)
    owner = models.ForeignKey(User, models.CASCADE, related_name="scenarios")
    origin = models.CharField(_("made"), max_length=8, choices=ScenarioOrigin.choices, default=ScenarioOrigin.PERSON)
    starts_on = models.DateField(_("from"))
    ends_on = models.DateField(_("to"))
    plan_number = models.BigIntegerField(default=0)
    settings = models.JSONField(default=dict, blank=True)
    measured = models.JSONField(default=dict, blank=True)
    created_at = models.DateTimeField(_("made at"))
    updated_at = models.DateTimeField(_("changed"))
    closed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-updated_at"]
        verbose_name = _("what-if")
        verbose_name_plural = _("what-ifs")

    def __str__(self) -> str:
        return self.name


class ChangeKind(models.TextChoices):
    MOVE = "move", _("move")
    LEAVE_OUT = "leave_out", _("leave people out")
    CHANNEL = "channel", _("other channel")
    PRIORITY = "priority", _("other priority")
    CAP = "cap", _("hold to the limit")
    RETIME = "retime", _("move single messages")
    STOP = "stop", _("give a message up")
    ACCEPT = "accept", _("accept with a reason")
    CANCEL = "cancel", _("cancel")


class ChangeState(models.TextChoices):
    TRIED = "tried", _("tried")
    REFUSED = "refused", _("refused")
    PROPOSED = "proposed", _("proposed to the other department")
    DECLINED = "declined", _("declined by the other department")
    APPLIED = "applied", _("applied")
    OUTDATED = "outdated", _("the plan has changed")


class ScenarioChange(models.Model):
    """One change of a what-if. ``parameters`` are plain ids and figures by kind; ``why`` says what it is good for, as a code
    with figures, and ``measured`` what it does on its own.
    """

    scenario = models.ForeignKey(Scenario, models.CASCADE, related_name="changes")
    position = models.PositiveSmallIntegerField(default=0)
    kind = models.CharField(_("what"), max_length=10, choices=ChangeKind.choices)
    campaign = models.ForeignKey(Campaign, models.CASCADE, related_name="+")
    message = models.ForeignKey(Message, models.CASCADE, null=True, blank=True, related_name="+")
    parameters = models.JSONField(default=dict)
    why = models.JSONField(default=dict, blank=True)
    measured = models.JSONField(default=dict, blank=True)
    state = models.CharField(_("state"), max_length=10, choices=ChangeState.choices, default=ChangeState.TRIED)
    resolution = models.ForeignKey(
        "campaigns.Resolution", models.SET_NULL, null=True, blank=True, related_name="scenario_changes"
    )

    class Meta:
        ordering = ["position", "id"]
        verbose_name = _("change of a what-if")
        verbose_name_plural = _("changes of a what-if")

    def __str__(self) -> str:
        return f"{self.kind} {self.campaign_id}"
