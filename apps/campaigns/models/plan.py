"""The plan: programmes, campaigns and their messages."""

from __future__ import annotations

from datetime import date

from django.db import models
from django.utils.translation import gettext_lazy as _

from apps.accounts.models import Department, User
from apps.channels.kinds import Channel
from apps.channels.models import ChannelAccount
from apps.consent.models import Purpose
from apps.core.bitmaps import BitMapField
from apps.customers.models import Product, Segment

from .offers import Offer


class Programme(models.Model):
    """An umbrella over departments (Black Week): shared key message, offer, dates and budget, which its campaigns inherit.

    ``budget`` is one sum for all campaigns that have none of their own. ``version`` counts changes, for two people at once.
    """

    name = models.CharField(_("name"), max_length=120)
    key_message = models.TextField(_("key message"), blank=True)
    offer = models.ForeignKey(Offer, models.SET_NULL, null=True, blank=True, related_name="programmes")
    starts_on = models.DateField(_("from"))
    ends_on = models.DateField(_("to"))
    budget = models.DecimalField(_("budget"), max_digits=12, decimal_places=2, null=True, blank=True)
    currency = models.CharField(_("currency"), max_length=3, default="EUR")
    version = models.PositiveIntegerField(default=1)
    created_at = models.DateTimeField(_("made"))

    class Meta:
        ordering = ["starts_on", "name"]
        verbose_name = _("programme")
        verbose_name_plural = _("programmes")

    def __str__(self) -> str:
        return self.name


class CampaignStatus(models.TextChoices):
    DRAFT = "draft", _("Draft")
    IN_REVIEW = "in_review", _("In review")
    APPROVED = "approved", _("Approved")
    SCHEDULED = "scheduled", _("Scheduled")
    LIVE = "live", _("Live")
    PAUSED = "paused", _("Paused")
    DONE = "done", _("Done")
    CANCELLED = "cancelled", _("Cancelled")


PLANNED_STATUSES = (
    CampaignStatus.DRAFT, CampaignStatus.IN_REVIEW, CampaignStatus.APPROVED,
    CampaignStatus.SCHEDULED, CampaignStatus.LIVE, CampaignStatus.PAUSED,
)
BINDING_STATUSES = (CampaignStatus.APPROVED, CampaignStatus.SCHEDULED, CampaignStatus.LIVE, CampaignStatus.PAUSED)


class Lock(models.TextChoices):
    AGREED = "agreed", _("agreed with others")
    PRINTED = "printed", _("printed")
    BOOKED = "booked", _("booked")


class GoalMetric(models.TextChoices):
    ORDERS = "orders", _("orders")
    REVENUE = "revenue", _("revenue")
    VISITS = "visits", _("visits")
    REPLIES = "replies", _("replies")
    REACH = "reach", _("people reached")


class CampaignQuerySet(models.QuerySet["Campaign"]):
    def between(self, first: date, last: date) -> CampaignQuerySet:
        """Campaigns with at least one day from ``first`` to ``last``, both included."""
        return self.filter(starts_on__lte=last, ends_on__gte=first)

    def planned(self) -> CampaignQuerySet:
        """Campaigns that take part in the conflict passes: everything not done and not cancelled."""
        return self.filter(status__in=PLANNED_STATUSES)

    def binding(self) -> CampaignQuerySet:
        """Campaigns that are agreed and can still send: they bind others."""
        return self.filter(status__in=BINDING_STATUSES)


class Campaign(models.Model):
    """One department's plan with a goal, dates, product, budget, owner, approval state and messages.

    ``version`` counts every change, for two people editing at once. ``priority`` 0 to 100, higher goes first.
    ``control_share`` is the part of the audience kept out to measure the effect, 0 to 1. ``lock`` says why its days
    and its people stay as they are, whatever else is planned; empty: they may be changed.

    An empty ``key_message``, ``offer`` or ``budget`` is the programme's; ``starts_on`` and ``ends_on`` are copies of the
    programme's days while ``takes_dates`` (inheritance.py). ``partners`` are departments that plan a joint campaign together with
    ``department``, which leads it; ``merged_into`` is the joint campaign that took this one's messages over.
    """

    name = models.CharField(_("name"), max_length=120)
    brief = models.TextField(_("brief"), blank=True)
    goal = models.CharField(_("goal in words"), max_length=200, blank=True)
    goal_metric = models.CharField(_("goal counts"), max_length=10, choices=GoalMetric.choices, blank=True)
    goal_value = models.DecimalField(_("goal"), max_digits=14, decimal_places=2, null=True, blank=True)
    product = models.ForeignKey(Product, models.PROTECT, null=True, blank=True, related_name="campaigns")
    programme = models.ForeignKey(Programme, models.SET_NULL, null=True, blank=True, related_name="campaigns")
    key_message = models.TextField(_("key message"), blank=True)
    offer = models.ForeignKey(
        Offer, models.PROTECT, null=True, blank=True, related_name="campaigns", verbose_name=_("offer")
    )
    takes_dates = models.BooleanField(_("the programme's days"), default=False)
    department = models.ForeignKey(Department, models.PROTECT, related_name="campaigns", verbose_name=_("department"))
    partners = models.ManyToManyField(
        Department, related_name="joint_campaigns", blank=True, verbose_name=_("planned together with")
    )
    owner = models.ForeignKey(User, models.PROTECT, related_name="campaigns", verbose_name=_("owner"))
    starts_on = models.DateField(_("from"))
    ends_on = models.DateField(_("to"))
    budget = models.DecimalField(_("budget"), max_digits=12, decimal_places=2, null=True, blank=True)
    currency = models.CharField(_("currency"), max_length=3, default="EUR")
    priority = models.PositiveSmallIntegerField(_("priority"), default=50)
    control_share = models.DecimalField(_("control group"), max_digits=4, decimal_places=3, default=0)
    status = models.CharField(_("status"), max_length=12, choices=CampaignStatus.choices, default=CampaignStatus.DRAFT)
    paused_from = models.CharField(max_length=12, blank=True)
    lock = models.CharField(_("locked because"), max_length=8, choices=Lock.choices, blank=True)
    lock_reason = models.CharField(_("reason of the lock"), max_length=200, blank=True)
    version = models.PositiveIntegerField(default=1)
    copied_from = models.ForeignKey("self", models.SET_NULL, null=True, blank=True, related_name="copies")
    merged_into = models.ForeignKey("self", models.SET_NULL, null=True, blank=True, related_name="merged_from")
    created_at = models.DateTimeField(_("made"))
    updated_at = models.DateTimeField(_("changed"))

    objects = CampaignQuerySet.as_manager()

    class Meta:
        ordering = ["starts_on", "name"]
        indexes = [models.Index(fields=["status", "starts_on", "ends_on"], name="campaign_calendar")]
        constraints = [
            models.CheckConstraint(condition=models.Q(ends_on__gte=models.F("starts_on")), name="campaign_dates"),
            models.CheckConstraint(
                condition=models.Q(control_share__gte=0, control_share__lt=1), name="campaign_control_share"
            ),
        ]
        verbose_name = _("campaign")
        verbose_name_plural = _("campaigns")

    def __str__(self) -> str:
        return self.name


class MessageKind(models.TextChoices):
    ADDRESSED = "addressed", _("to people we know")
    UNADDRESSED = "unaddressed", _("unaddressed: press, search, radio")
    ELSEWHERE = "elsewhere", _("sent elsewhere, by another tool")


class Timing(models.TextChoices):
    FIXED = "fixed", _("at one moment for everybody")
    LOCAL = "local", _("at the recipient's local time")


class Message(models.Model):
    """One planned contact of a campaign on one channel.

    ``send_at`` is the first moment (UTC; for local timing the wall clock of the company's zone is taken over into each
    recipient's zone), ``send_until`` the deadline. ``recurrence`` is an RFC 5545 RRULE or empty; each occurrence is a run.
    ``follows`` names the message this one reminds of or builds on. ``offer`` is a copy of its campaign's or programme's while
    ``offer_inherited``; ``without_offer`` says that it makes none of its own accord. ``variants_share`` maps variant letter to
    weight for the A/B split. ``plan_audience`` is the audience as last computed for planning; a run freezes its own. ``version``
    counts changes, for two people editing at once.
    """

    campaign = models.ForeignKey(Campaign, models.CASCADE, related_name="messages")
    name = models.CharField(_("name"), max_length=120)
    position = models.PositiveSmallIntegerField(default=0)
    kind = models.CharField(_("kind"), max_length=12, choices=MessageKind.choices, default=MessageKind.ADDRESSED)
    channel = models.CharField(_("channel"), max_length=20, choices=Channel.choices)
    account = models.ForeignKey(
        ChannelAccount, models.PROTECT, null=True, blank=True, related_name="messages", verbose_name=_("account")
    )
    purpose = models.ForeignKey(
        Purpose, models.PROTECT, null=True, blank=True, related_name="messages", verbose_name=_("purpose")
    )
    offer = models.ForeignKey(
        Offer, models.PROTECT, null=True, blank=True, related_name="messages", verbose_name=_("offer")
    )
    offer_inherited = models.BooleanField(default=False)
    without_offer = models.BooleanField(_("makes no offer"), default=False)
    include = models.ManyToManyField(Segment, related_name="included_in", blank=True, verbose_name=_("audience"))
    exclude = models.ManyToManyField(Segment, related_name="excluded_from", blank=True, verbose_name=_("leave out"))
    audience_rule = models.JSONField(_("further rule"), default=dict, blank=True)
    timing = models.CharField(_("timing"), max_length=8, choices=Timing.choices, default=Timing.FIXED)
    send_at = models.DateTimeField(_("send at"))
    send_until = models.DateTimeField(_("not after"), null=True, blank=True)
    recurrence = models.CharField(_("repeats"), max_length=200, blank=True)
    recurs_until = models.DateField(_("repeats until"), null=True, blank=True)
    follows = models.ForeignKey(
        "self", models.SET_NULL, null=True, blank=True, related_name="followers", verbose_name=_("comes after"),
    )
    variants_share = models.JSONField(_("version split"), default=dict, blank=True)
    arms_attribute = models.CharField(_("arms from attribute"), max_length=60, blank=True)
    needs_fields = models.BooleanField(
        _("leave out people for whom a merge field is empty"),
        default=False,
        help_text=_("Otherwise they get the message with the field's fallback, or a gap."),
    )
    priority = models.PositiveSmallIntegerField(_("priority"), null=True, blank=True)
    region = models.CharField(_("region"), max_length=80, blank=True)
    estimated_reach = models.PositiveIntegerField(_("estimated reach"), null=True, blank=True)
    planned_cost = models.DecimalField(_("planned cost"), max_digits=12, decimal_places=2, null=True, blank=True)
    is_stopped = models.BooleanField(default=False)
    version = models.PositiveIntegerField(default=1)
    plan_audience = BitMapField(null=True, blank=True)
    plan_count = models.PositiveIntegerField(null=True, blank=True)
    plan_computed_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(_("made"))

    class Meta:
        ordering = ["campaign", "send_at", "position", "id"]
        indexes = [models.Index(fields=["send_at"], name="message_send_at")]
        verbose_name = _("message")
        verbose_name_plural = _("messages")

    def __str__(self) -> str:
        return self.name
