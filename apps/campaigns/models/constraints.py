"""What plans have to keep to beside the contact policy: pairs of offers, exclusive rights, capacities, and the rules' figures."""

from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from apps.accounts.models import Department
from apps.channels.kinds import Channel
from apps.channels.models import ChannelAccount
from apps.customers.models import Category, Product

from .offers import Offer
from .plan import Campaign


class PairingKind(models.TextChoices):
    NEVER_TOGETHER = "never_together", _("never both to one person")
    NEVER_AFTER = "never_after", _("the second never soon after the first")
    ONLY_WITH = "only_with", _("the second only to people who got the first")
    NO_DUPLICATE = "no_duplicate", _("never twice to one person")


class OfferPairing(models.Model):
    """What two offers (or everything in two categories) have to do with each other.

    Each side is one offer or one category. ``days``: how far apart still counts; 0 means the same day. For ``no_duplicate``
    the first side alone says which.
    """

    name = models.CharField(_("name"), max_length=80, unique=True)
    kind = models.CharField(_("kind"), max_length=16, choices=PairingKind.choices)
    first_offer = models.ForeignKey(Offer, models.CASCADE, null=True, blank=True, related_name="+", verbose_name=_("first offer"))
    first_category = models.ForeignKey(
        Category, models.CASCADE, null=True, blank=True, related_name="+", verbose_name=_("or first category")
    )
    second_offer = models.ForeignKey(
        Offer, models.CASCADE, null=True, blank=True, related_name="+", verbose_name=_("second offer")
    )
    second_category = models.ForeignKey(
        Category, models.CASCADE, null=True, blank=True, related_name="+", verbose_name=_("or second category")
    )
    days = models.PositiveSmallIntegerField(_("days"), default=14)
    is_active = models.BooleanField(_("in force"), default=True)

    class Meta:
        ordering = ["name"]
        verbose_name = _("pair of offers")
        verbose_name_plural = _("pairs of offers")

    def __str__(self) -> str:
        return self.name


class Exclusivity(models.Model):
    """A brand, product, category (with all below it) or surface that one department or campaign has to itself for some days.

    A surface is one channel account, such as the shop window of a store chain or the one sender number.
    """

    name = models.CharField(_("name"), max_length=80)
    starts_on = models.DateField(_("from"))
    ends_on = models.DateField(_("to"))
    brand = models.CharField(_("brand"), max_length=80, blank=True)
    product = models.ForeignKey(Product, models.CASCADE, null=True, blank=True, related_name="+", verbose_name=_("product"))
    category = models.ForeignKey(
        Category, models.CASCADE, null=True, blank=True, related_name="+", verbose_name=_("category")
    )
    surface = models.ForeignKey(
        ChannelAccount, models.CASCADE, null=True, blank=True, related_name="+", verbose_name=_("surface")
    )
    department = models.ForeignKey(
        Department, models.CASCADE, null=True, blank=True, related_name="+", verbose_name=_("belongs to the department")
    )
    campaign = models.ForeignKey(
        Campaign, models.CASCADE, null=True, blank=True, related_name="exclusivities", verbose_name=_("belongs to the campaign")
    )
    is_active = models.BooleanField(_("in force"), default=True)

    class Meta:
        ordering = ["starts_on", "name"]
        constraints = [models.CheckConstraint(condition=models.Q(ends_on__gte=models.F("starts_on")), name="exclusivity_days")]
        verbose_name = _("exclusive right")
        verbose_name_plural = _("exclusive rights")

    def __str__(self) -> str:
        return self.name


class Capacity(models.Model):
    """How many contacts a day a channel (or one account of it) can take from ``starts_on`` to ``ends_on`` (empty: no end).

    ``growth_percent`` is for the warm-up of a new sender: each day allows so many per cent more than the day before.
    ``weekdays`` are ISO numbers, Monday is 1; empty means every day. A day without any line is unlimited.
    """

    name = models.CharField(_("name"), max_length=80)
    channel = models.CharField(_("channel"), max_length=20, choices=Channel.choices)
    account = models.ForeignKey(
        ChannelAccount, models.CASCADE, null=True, blank=True, related_name="capacities", verbose_name=_("only this account")
    )
    starts_on = models.DateField(_("from"))
    ends_on = models.DateField(_("to"), null=True, blank=True)
    weekdays = models.JSONField(_("weekdays"), default=list, blank=True)
    per_day = models.PositiveIntegerField(_("contacts a day"))
    growth_percent = models.PositiveSmallIntegerField(
        _("grows a day by"), default=0, validators=[MinValueValidator(0)], help_text=_("Per cent; for the warm-up of a new sender.")
    )
    is_hard = models.BooleanField(_("cannot be exceeded"), default=True)
    is_active = models.BooleanField(_("in force"), default=True)

    class Meta:
        ordering = ["channel", "starts_on"]
        verbose_name = _("capacity")
        verbose_name_plural = _("capacities")

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        if self.starts_on and self.ends_on and self.ends_on < self.starts_on:
            raise ValidationError({"ends_on": _("The end is before the beginning.")})


class CapacityDay(models.Model):
    """How many contacts of a hard capacity are used up on one day of the company; counted when people are handed over."""

    capacity = models.ForeignKey(Capacity, models.CASCADE, related_name="days")
    day = models.DateField(_("day"))
    used = models.PositiveIntegerField(_("used"), default=0)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["capacity", "day"], name="capacity_day_once")]
        verbose_name = _("day of a capacity")
        verbose_name_plural = _("days of capacities")

    def __str__(self) -> str:
        return f"{self.capacity_id} {self.day}"


class RuleParameter(models.Model):
    """One figure of the conflict rules as an administrator set it, for everybody or for one department.

    ``code`` is a field of ``conflicts.parameters.Parameters``; a row of a department goes before the row for everybody.
    """

    code = models.CharField(_("figure"), max_length=40)
    department = models.ForeignKey(
        Department, models.CASCADE, null=True, blank=True, related_name="+", verbose_name=_("only this department")
    )
    value = models.DecimalField(_("value"), max_digits=10, decimal_places=3, validators=[MinValueValidator(0)])

    class Meta:
        ordering = ["code", "department"]
        constraints = [
            models.UniqueConstraint(fields=["code", "department"], nulls_distinct=False, name="rule_parameter_once"),
        ]
        verbose_name = _("figure of a rule")
        verbose_name_plural = _("figures of the rules")

    def __str__(self) -> str:
        return self.code


class LeadTime(models.Model):
    """How many days a message of a channel needs to be prepared before it goes out: nothing is re-planned to nearer than that.

    Without a channel it is for all channels that have no line; a line of a department goes before the one for everybody. What
    has no line at all is as shipped (see ``conflicts.lead_times``).
    """

    channel = models.CharField(_("channel"), max_length=20, choices=Channel.choices, blank=True)
    department = models.ForeignKey(
        Department, models.CASCADE, null=True, blank=True, related_name="+", verbose_name=_("only this department")
    )
    days = models.PositiveSmallIntegerField(_("days"), validators=[MaxValueValidator(180)])

    class Meta:
        ordering = ["channel", "department"]
        constraints = [
            models.UniqueConstraint(fields=["channel", "department"], nulls_distinct=False, name="lead_time_once"),
        ]
        verbose_name = _("lead time")
        verbose_name_plural = _("lead times")

    def __str__(self) -> str:
        return f"{self.get_channel_display() or _('other channels')}: {self.days}"
