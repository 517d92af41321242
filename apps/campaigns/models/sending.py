"""Runs and the ledger of every person.

A planned recipient is a bit in a chunk's bitmap; a settled recipient is one appended ledger row. Nothing has a
foreign key to the ledger; events and tokens name (run, customer).
"""

from django.db import models
from django.utils.translation import gettext_lazy as _

from apps.accounts.models import Department, User
from apps.channels.kinds import Channel
from apps.channels.models import ChannelAccount
from apps.core.bitmaps import BitMapField

from .plan import Message


class RunState(models.TextChoices):
    PLANNED = "planned", _("planned")
    RUNNING = "running", _("sending")
    DONE = "done", _("done")
    CANCELLED = "cancelled", _("cancelled")


class Run(models.Model):
    """One freezing of a message's audience. ``occurrence`` is unique per message: planning twice is harmless.

    ``run_day`` is the day in the company's zone on which the run starts; it is constant and partitions the ledger.
    """

    id = models.AutoField(primary_key=True)
    message = models.ForeignKey(Message, models.PROTECT, related_name="runs")
    occurrence = models.CharField(max_length=40)
    run_day = models.DateField(_("day"))
    scheduled_at = models.DateTimeField(_("planned for"))
    deadline = models.DateTimeField(_("not after"))
    state = models.CharField(_("state"), max_length=10, choices=RunState.choices, default=RunState.PLANNED)
    audience = BitMapField()
    audience_count = models.PositiveIntegerField(_("audience"))
    content_digest = models.CharField(max_length=64, blank=True)
    planned_at = models.DateTimeField()
    started_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-scheduled_at", "-id"]
        constraints = [models.UniqueConstraint(fields=["message", "occurrence"], name="run_once")]
        indexes = [models.Index(fields=["state", "scheduled_at"], name="run_state")]
        verbose_name = _("run")
        verbose_name_plural = _("runs")

    def __str__(self) -> str:
        return f"{self.message_id} {self.occurrence}"


class ArmKind(models.TextChoices):
    CAMPAIGN_CONTROL = "campaign_control", _("control group of the campaign")
    UNIVERSAL_CONTROL = "universal_control", _("universal control group")
    VARIANT = "variant", _("version")


class RunArm(models.Model):
    """The people of one arm of a run, drawn when the run was planned."""

    run = models.ForeignKey(Run, models.CASCADE, related_name="arms")
    kind = models.CharField(max_length=20, choices=ArmKind.choices)
    code = models.CharField(max_length=40, blank=True)
    people = BitMapField()
    count = models.PositiveIntegerField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["run", "kind", "code"], name="run_arm_once")]
        verbose_name = _("arm")
        verbose_name_plural = _("arms")

    def __str__(self) -> str:
        return f"{self.run_id} {self.kind} {self.code}"


class ChunkState(models.TextChoices):
    WAITING = "waiting", _("waiting")
    LEASED = "leased", _("being worked")
    OPEN = "open", _("handed over, outcome awaited")
    DONE = "done", _("done")


class Chunk(models.Model):
    """People of one run inside one aligned block of customer ids.

    ``approved`` is the reservation: judged allowed, not yet in the ledger. A deferral is a new generation with
    ``not_before``. ``lease_epoch`` rises with every claim; a worker with an older epoch may not begin a burst.
    An ``open`` chunk is nobody's to work: its people are on a call list, in a print file, or in a burst whose outcome is
    asked for; they stay reserved until they stand in the ledger. ``reason`` and ``rule`` say what makes them wait, where it is
    not just their turn.
    """

    run = models.ForeignKey(Run, models.CASCADE, related_name="chunks")
    block = models.IntegerField()
    generation = models.PositiveIntegerField(default=0)
    people = BitMapField()
    count = models.PositiveIntegerField()
    approved = BitMapField(null=True, blank=True)
    not_before = models.DateTimeField(null=True, blank=True)
    reason = models.CharField(max_length=30, blank=True)
    rule = models.CharField(max_length=40, blank=True)
    attempt = models.PositiveSmallIntegerField(default=0)
    state = models.CharField(max_length=8, choices=ChunkState.choices, default=ChunkState.WAITING)
    lease_epoch = models.PositiveIntegerField(default=0)
    leased_by = models.CharField(max_length=80, blank=True)
    leased_until = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["run", "block", "generation"], name="chunk_once")]
        indexes = [
            models.Index(fields=["run", "block"], condition=~models.Q(state="done"), name="chunk_open"),
            models.Index(fields=["block"], condition=~models.Q(state="done"), name="chunk_block_open"),
            models.Index(fields=["leased_until"], condition=models.Q(state="leased"), name="chunk_lease"),
        ]
        verbose_name = _("chunk")
        verbose_name_plural = _("chunks")

    def __str__(self) -> str:
        return f"{self.run_id}/{self.block}/{self.generation}"


class Burst(models.Model):
    """People handed to a provider in one go. Committed before the network is touched; settled afterwards."""

    chunk = models.ForeignKey(Chunk, models.CASCADE, related_name="bursts")
    run = models.ForeignKey(Run, models.CASCADE, related_name="bursts")
    lease_epoch = models.PositiveIntegerField()
    account = models.ForeignKey(ChannelAccount, models.PROTECT, related_name="+")
    people = BitMapField()
    count = models.PositiveIntegerField()
    begun_at = models.DateTimeField()
    settled_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        indexes = [
            models.Index(fields=["begun_at"], condition=models.Q(settled_at=None), name="burst_unsettled"),
        ]
        verbose_name = _("burst")
        verbose_name_plural = _("bursts")

    def __str__(self) -> str:
        return f"{self.run_id} {self.count}"


class Outcome(models.TextChoices):
    SENT = "sent", _("sent")
    REFUSED = "refused", _("not sent")
    HELD_OUT = "held_out", _("control group")
    FAILED = "failed", _("failed")
    UNKNOWN = "unknown", _("unknown")


class Delivery(models.Model):
    """One run to one customer: the ledger row, appended once, with its outcome and its reason.

    Partitioned by ``run_day`` (see migration 0002). ``at`` is the moment of hand-over or of the decision.
    """

    pk = models.CompositePrimaryKey("run_day", "run_id", "customer_id")
    run_day = models.DateField()
    run_id = models.IntegerField()
    customer_id = models.IntegerField()
    outcome = models.CharField(max_length=10, choices=Outcome.choices)
    reason = models.CharField(max_length=30, blank=True)
    rule = models.CharField(max_length=40, blank=True)
    at = models.DateTimeField()
    message_id = models.IntegerField()
    campaign_id = models.IntegerField()
    department_id = models.IntegerField()
    channel = models.CharField(max_length=20, choices=Channel.choices)
    purpose_class = models.CharField(max_length=10)
    account_id = models.IntegerField(null=True, blank=True)
    variant = models.CharField(max_length=40, blank=True)
    language = models.CharField(max_length=8, blank=True)
    address_hash = models.CharField(max_length=64, blank=True)
    provider_id = models.CharField(max_length=120, blank=True)
    code = models.CharField(max_length=60, blank=True)
    evidence_id = models.BigIntegerField(null=True, blank=True)
    cost = models.DecimalField(max_digits=10, decimal_places=4, default=0)

    class Meta:
        indexes = [
            models.Index(fields=["customer_id", "at"], name="delivery_customer"),
            models.Index(fields=["run_id", "outcome"], name="delivery_run"),
        ]
        verbose_name = _("delivery")
        verbose_name_plural = _("deliveries")

    def __str__(self) -> str:
        return f"{self.run_id}.{self.customer_id} {self.outcome}"


class HaltScope(models.TextChoices):
    MESSAGE = "message", _("one message")
    CAMPAIGN = "campaign", _("one campaign")
    DEPARTMENT = "department", _("one department")
    EVERYTHING = "everything", _("everything")


class Halt(models.Model):
    """A stop that holds from the next burst on, until it is lifted."""

    scope = models.CharField(_("what"), max_length=12, choices=HaltScope.choices)
    message = models.ForeignKey(Message, models.CASCADE, null=True, blank=True, related_name="halts")
    campaign = models.ForeignKey("campaigns.Campaign", models.CASCADE, null=True, blank=True, related_name="halts")
    department = models.ForeignKey(Department, models.CASCADE, null=True, blank=True, related_name="halts")
    reason = models.CharField(_("why"), max_length=200, blank=True)
    stopped_by = models.ForeignKey(User, models.PROTECT, related_name="+")
    stopped_at = models.DateTimeField(_("since"))
    already_sent = models.PositiveIntegerField(_("had already left"), default=0)
    lifted_by = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+")
    lifted_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-stopped_at"]
        verbose_name = _("stop")
        verbose_name_plural = _("stops")

    def __str__(self) -> str:
        return f"{self.scope} {self.stopped_at}"
