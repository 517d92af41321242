"""The contact policy: caps, blackouts, and who keeps the people of a conflict that nobody decides."""

from __future__ import annotations

from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from apps.accounts.models import Department
from apps.channels.kinds import Channel

# Further back than two years no contact is counted, and no date can be told from times beyond all measure.
LONGEST_HOURS = 2 * 366 * 24


def check_hours(hours: int | None) -> None:
    """Raises ValidationError at ``hours`` that reach back too far."""
    try:
        MaxValueValidator(LONGEST_HOURS)(hours or 0)
    except ValidationError as error:
        raise ValidationError({"hours": error}) from error


class Grouping(models.TextChoices):
    NONE = "none", _("exactly the hours, sliding")
    WEEK = "week", _("widened to whole weeks")
    MONTH = "month", _("widened to whole months")
    QUARTER = "quarter", _("widened to whole quarters")


class ContactPolicy(models.Model):
    """At most ``limit`` contacts per person in any ``hours`` hours, on the listed channels (empty: all).

    Promotion is held back by it; service and safety are not, but safety and service contacts count when ``counts_service``.
    ``grouping`` widens the window to whole calendar periods of the company's zone. A contact counts once, or as often as its
    channel's ``ChannelWeight`` says.
    """

    name = models.CharField(_("name"), max_length=80, unique=True)
    limit = models.PositiveSmallIntegerField(_("contacts at most"))
    hours = models.PositiveIntegerField(_("in so many hours"))
    channels = models.JSONField(_("channels"), default=list, blank=True)
    department = models.ForeignKey(
        Department, models.PROTECT, null=True, blank=True, related_name="contact_policies",
        verbose_name=_("only this department's"),
    )
    counts_service = models.BooleanField(_("service contacts count too"), default=False)
    grouping = models.CharField(_("window"), max_length=8, choices=Grouping.choices, default=Grouping.NONE)
    is_active = models.BooleanField(_("in force"), default=True)
    created_at = models.DateTimeField(_("made"))

    class Meta:
        ordering = ["name"]
        constraints = [models.CheckConstraint(condition=models.Q(hours__gt=0), name="contact_policy_hours")]
        verbose_name = _("contact policy")
        verbose_name_plural = _("contact policies")

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        check_hours(self.hours)


class ChannelWeight(models.Model):
    """How much a contact on one channel weighs under a policy: a call may count as three e-mails."""

    policy = models.ForeignKey(ContactPolicy, models.CASCADE, related_name="weights")
    channel = models.CharField(_("channel"), max_length=20, choices=Channel.choices)
    weight = models.PositiveSmallIntegerField(
        _("counts as"), default=1, validators=[MinValueValidator(1), MaxValueValidator(20)]
    )

    class Meta:
        ordering = ["policy", "channel"]
        constraints = [models.UniqueConstraint(fields=["policy", "channel"], name="channel_weight_once")]
        verbose_name = _("weight of a channel")
        verbose_name_plural = _("weights of channels")

    def __str__(self) -> str:
        return f"{self.channel} x {self.weight}"


class MinimumGap(models.Model):
    """A person is left in peace for at least ``hours`` hours between two contacts on the listed channels (empty: all)."""

    name = models.CharField(_("name"), max_length=80, unique=True)
    hours = models.PositiveIntegerField(_("hours between two contacts"), validators=[MinValueValidator(1)])
    channels = models.JSONField(_("channels"), default=list, blank=True)
    department = models.ForeignKey(
        Department, models.PROTECT, null=True, blank=True, related_name="minimum_gaps",
        verbose_name=_("only this department's"),
    )
    is_active = models.BooleanField(_("in force"), default=True)

    class Meta:
        ordering = ["name"]
        verbose_name = _("minimum gap")
        verbose_name_plural = _("minimum gaps")

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        check_hours(self.hours)


class Blackout(models.Model):
    """Days on which nothing may be sent, by the recipient's date. Empty lists mean all channels, all countries."""

    name = models.CharField(_("name"), max_length=80)
    starts_on = models.DateField(_("from"))
    ends_on = models.DateField(_("to"))
    channels = models.JSONField(_("channels"), default=list, blank=True)
    countries = models.JSONField(_("countries"), default=list, blank=True)
    department = models.ForeignKey(
        Department, models.PROTECT, null=True, blank=True, related_name="blackouts",
        verbose_name=_("only this department"),
    )
    includes_service = models.BooleanField(_("service messages too"), default=False)
    reason = models.CharField(_("why"), max_length=200, blank=True)
    is_active = models.BooleanField(_("in force"), default=True)

    class Meta:
        ordering = ["starts_on"]
        constraints = [models.CheckConstraint(condition=models.Q(ends_on__gte=models.F("starts_on")), name="blackout_days")]
        verbose_name = _("blackout")
        verbose_name_plural = _("blackouts")

    def __str__(self) -> str:
        return self.name


class Undecided(models.TextChoices):
    PRIORITY = "priority", _("the higher priority keeps them; of equal ones whoever writes first")
    EARLIER = "earlier", _("whoever writes first keeps them")
    NOBODY = "nobody", _("nobody is protected: both send")


class ConflictSettings(models.Model):
    """How this installation treats conflicts: one row. ``undecided``: who keeps the shared people if nobody decides in time."""

    undecided = models.CharField(
        _("if nobody decides in time"), max_length=10, choices=Undecided.choices, default=Undecided.PRIORITY
    )

    class Meta:
        verbose_name = _("treatment of conflicts")
        verbose_name_plural = _("treatment of conflicts")

    def __str__(self) -> str:
        return str(self._meta.verbose_name)

    @classmethod
    def current(cls) -> ConflictSettings:
        """The row, or what holds while nobody has changed it."""
        return cls.objects.first() or cls(pk=1)
