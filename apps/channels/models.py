"""Ways of reaching people: provider accounts, tracked links, what providers told us, call list and print files."""

from __future__ import annotations

import uuid

from django.db import models
from django.utils.translation import gettext_lazy as _

from apps.accounts.models import Department, User

from .kinds import Channel


class ChannelAccount(models.Model):
    """One configured provider of a channel. ``rate`` is messages per second, ``daily_capacity`` messages per day.

    ``day_count`` of them are handed over on the day that ends at ``day_ends_at``; until ``rests_until`` the provider asked
    for peace (Retry-After).
    """

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    name = models.CharField(_("name"), max_length=80, unique=True)
    channel = models.CharField(_("channel"), max_length=20, choices=Channel.choices)
    adapter = models.CharField(_("provider"), max_length=40, blank=True)
    department = models.ForeignKey(
        Department, models.PROTECT, null=True, blank=True, related_name="channel_accounts", verbose_name=_("department")
    )
    is_sandbox = models.BooleanField(_("sandbox"), default=False)
    is_elsewhere = models.BooleanField(
        _("sent elsewhere"),
        default=False,
        help_text=_("Another tool sends; its plan and contacts come by file or API."),
    )
    is_active = models.BooleanField(_("in use"), default=True)
    options = models.JSONField(_("settings"), default=dict, blank=True)
    credentials = models.BinaryField(_("credentials"), null=True, blank=True, editable=False)
    sender_name = models.CharField(_("sender name"), max_length=120, blank=True)
    sender_address = models.CharField(_("sender address or number"), max_length=200, blank=True)
    rate = models.DecimalField(_("messages per second"), max_digits=9, decimal_places=2, default=50)
    daily_capacity = models.PositiveIntegerField(_("messages per day at most"), null=True, blank=True)
    unit_cost = models.DecimalField(_("cost per message"), max_digits=10, decimal_places=4, default=0)
    currency = models.CharField(_("currency"), max_length=3, default="EUR")
    time_zone = models.CharField(
        _("time zone"), max_length=60, blank=True, help_text=_("Whose day the messages per day count; empty: the company's.")
    )
    tokens = models.FloatField(default=0)
    tokens_at = models.DateTimeField(null=True, blank=True)
    day_count = models.PositiveIntegerField(default=0)
    day_ends_at = models.DateTimeField(null=True, blank=True)
    rests_until = models.DateTimeField(null=True, blank=True)
    last_error = models.TextField(_("last error"), blank=True)
    last_error_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(_("made"))

    class Meta:
        ordering = ["channel", "name"]
        verbose_name = _("channel account")
        verbose_name_plural = _("channel accounts")

    def __str__(self) -> str:
        return self.name


class AccountHour(models.Model):
    """What an account's provider said in one hour: the material of its health."""

    account = models.ForeignKey(ChannelAccount, models.CASCADE, related_name="hours")
    hour = models.DateTimeField()
    accepted = models.PositiveIntegerField(default=0)
    rejected = models.PositiveIntegerField(default=0)
    retry = models.PositiveIntegerField(default=0)
    unknown = models.PositiveIntegerField(default=0)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["account", "hour"], name="account_hour_once")]
        verbose_name = _("hour of an account")
        verbose_name_plural = _("hours of accounts")

    def __str__(self) -> str:
        return f"{self.account_id} {self.hour:%Y-%m-%d %H}"


class Link(models.Model):
    """A target that tracked links may lead to. Only stored targets are ever redirected to."""

    url = models.TextField(_("target"))
    digest = models.CharField(max_length=64, unique=True)
    created_at = models.DateTimeField()

    class Meta:
        verbose_name = _("tracked link")
        verbose_name_plural = _("tracked links")

    def __str__(self) -> str:
        return self.url


class EventKind(models.TextChoices):
    ACCEPTED = "accepted", _("accepted by the provider")
    DELIVERED = "delivered", _("delivered")
    DEFERRED = "deferred", _("delayed")
    BOUNCED = "bounced", _("bounced")
    REJECTED = "rejected", _("rejected")
    FAILED = "failed", _("failed")
    OPENED = "opened", _("opened")
    CLICKED = "clicked", _("clicked")
    COMPLAINED = "complained", _("complained")
    UNSUBSCRIBED = "unsubscribed", _("unsubscribed")
    SUBSCRIBED = "subscribed", _("subscribed")
    REPLIED = "replied", _("replied")
    ANSWERED = "answered", _("call answered")
    NO_ANSWER = "no_answer", _("no answer")
    PRINTED = "printed", _("printed")


class RawEvent(models.Model):
    """What a provider posted, as it came, kept until its retention ends."""

    account = models.ForeignKey(ChannelAccount, models.PROTECT, related_name="raw_events")
    received_at = models.DateTimeField(db_index=True)
    headers = models.JSONField(default=dict)
    body = models.BinaryField()
    digest = models.CharField(max_length=64)
    processed_at = models.DateTimeField(null=True, blank=True)
    problem = models.TextField(blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["account", "digest"], name="raw_event_once")]
        verbose_name = _("raw provider event")
        verbose_name_plural = _("raw provider events")

    def __str__(self) -> str:
        return f"{self.account_id} {self.received_at}"


class ContactEvent(models.Model):
    """Something that happened to one delivery, named by (run, customer): it may be told before the ledger row exists.

    ``told_at`` is null until every listener above has heard of it. ``machine`` marks scanners and prefetchers, which never count as people.
    """

    run_id = models.IntegerField(null=True, blank=True)
    customer_id = models.IntegerField(null=True, blank=True)
    account = models.ForeignKey(ChannelAccount, models.PROTECT, null=True, blank=True, related_name="events")
    channel = models.CharField(max_length=20, choices=Channel.choices)
    kind = models.CharField(_("what"), max_length=20, choices=EventKind.choices)
    at = models.DateTimeField(_("when"))
    recorded_at = models.DateTimeField()
    machine = models.BooleanField(_("by a machine"), default=False)
    permanent = models.BooleanField(null=True, blank=True)
    link = models.ForeignKey(Link, models.PROTECT, null=True, blank=True, related_name="+")
    code = models.CharField(max_length=60, blank=True)
    dedupe_key = models.CharField(max_length=120)
    told_at = models.DateTimeField(null=True, blank=True)

    # carried to listeners of `provider_event`, never stored: events hold ids and codes only
    address: str = ""
    text: str = ""

    class Meta:
        constraints = [models.UniqueConstraint(fields=["channel", "dedupe_key"], name="contact_event_once")]
        indexes = [
            models.Index(fields=["run_id", "customer_id"], name="contact_event_delivery"),
            models.Index(fields=["customer_id", "-at"], name="contact_event_customer"),
            models.Index(fields=["recorded_at"], name="contact_event_recorded"),
            models.Index(fields=["recorded_at"], condition=models.Q(told_at=None), name="contact_event_untold"),
        ]
        verbose_name = _("contact event")
        verbose_name_plural = _("contact events")

    def __str__(self) -> str:
        return f"{self.kind} {self.run_id}.{self.customer_id}"


class InboundMessage(models.Model):
    """A message a person sent to us, e.g. an SMS reply."""

    account = models.ForeignKey(ChannelAccount, models.PROTECT, related_name="inbound")
    address = models.CharField(max_length=200)
    text = models.TextField()
    keyword = models.CharField(max_length=20, blank=True)
    received_at = models.DateTimeField()
    provider_id = models.CharField(max_length=120)

    class Meta:
        ordering = ["-received_at"]
        constraints = [models.UniqueConstraint(fields=["account", "provider_id"], name="inbound_once")]
        verbose_name = _("inbound message")
        verbose_name_plural = _("inbound messages")

    def __str__(self) -> str:
        return f"{self.account_id} {self.received_at}"


class CallState(models.TextChoices):
    WAITING = "waiting", _("waiting")
    OPEN = "open", _("with an agent")
    DONE = "done", _("done")
    WITHDRAWN = "withdrawn", _("withdrawn")


class CallTask(models.Model):
    """One call to make: the hand-over happens when an agent opens it."""

    account = models.ForeignKey(ChannelAccount, models.PROTECT, related_name="calls")
    run_id = models.IntegerField()
    customer_id = models.IntegerField(db_index=True)
    phone = models.CharField(max_length=40)
    name = models.CharField(max_length=200, blank=True)
    script = models.TextField()
    language = models.CharField(max_length=8, blank=True)
    state = models.CharField(max_length=10, choices=CallState.choices, default=CallState.WAITING)
    reason = models.CharField(max_length=40, blank=True)
    not_before = models.DateTimeField(null=True, blank=True)
    agent = models.ForeignKey(User, models.SET_NULL, null=True, blank=True, related_name="calls")
    opened_at = models.DateTimeField(null=True, blank=True)
    outcome = models.CharField(max_length=20, blank=True)
    note = models.TextField(blank=True)
    closed_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["run_id", "customer_id"], name="call_once")]
        indexes = [
            models.Index(fields=["created_at", "id"], condition=models.Q(state="waiting"), name="call_waiting"),
        ]
        verbose_name = _("call")
        verbose_name_plural = _("calls")

    def __str__(self) -> str:
        return f"{self.run_id}.{self.customer_id}"


class PrintBatch(models.Model):
    """A print file of letters: collects until it is closed, which is the hand-over to the printer."""

    account = models.ForeignKey(ChannelAccount, models.PROTECT, related_name="print_batches")
    run_id = models.IntegerField()
    created_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True, blank=True)
    closed_by = models.ForeignKey(User, models.SET_NULL, null=True, blank=True, related_name="+")
    in_home_on = models.DateField(_("planned in-home date"), null=True, blank=True)
    letters = models.PositiveIntegerField(default=0)
    csv_path = models.CharField(max_length=400, blank=True)
    pdf_path = models.CharField(max_length=400, blank=True)

    class Meta:
        ordering = ["-created_at"]
        verbose_name = _("print file")
        verbose_name_plural = _("print files")

    def __str__(self) -> str:
        return f"{self.run_id} {self.created_at:%Y-%m-%d}"


class Letter(models.Model):
    """One letter waiting in a print batch: address and finished text."""

    batch = models.ForeignKey(PrintBatch, models.CASCADE, related_name="waiting_letters")
    run_id = models.IntegerField()
    customer_id = models.IntegerField()
    address = models.JSONField()
    content = models.JSONField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["run_id", "customer_id"], name="letter_once")]
        verbose_name = _("letter")
        verbose_name_plural = _("letters")

    def __str__(self) -> str:
        return f"{self.run_id}.{self.customer_id}"
