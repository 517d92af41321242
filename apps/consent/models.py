"""Why we may contact somebody: purposes, wordings, the evidence ledger, its derived state, the do-not-contact list."""

from django.db import models
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from apps.accounts.models import User
from apps.channels.kinds import Channel
from apps.customers.models import Customer, ImportJob

from . import told


class PurposeClass(models.TextChoices):
    PROMOTION = "promotion", _("promotion")
    SERVICE = "service", _("service")
    SAFETY = "safety", _("safety")


class Purpose(models.Model):
    """A reason to contact. Safety ignores caps, control groups and blackouts, but counts against promotion's caps.

    ``needs_consent`` is False only for service and safety, which rest on the contract or the law.
    ``is_topic`` purposes are offered on the preference page.
    """

    code = models.SlugField(_("code"), max_length=40, unique=True)
    name = models.CharField(_("name"), max_length=80)
    names = models.JSONField(_("names per language"), default=dict, blank=True)
    description = models.TextField(_("description"), blank=True)
    descriptions = models.JSONField(_("descriptions per language"), default=dict, blank=True)
    purpose_class = models.CharField(_("class"), max_length=10, choices=PurposeClass.choices)
    needs_consent = models.BooleanField(_("needs consent"), default=True)
    is_topic = models.BooleanField(_("on the preference page"), default=True)
    is_measurement = models.BooleanField(_("allows opens and clicks per person"), default=False)
    position = models.PositiveSmallIntegerField(default=0)
    is_active = models.BooleanField(_("in use"), default=True)

    class Meta:
        ordering = ["position", "name"]
        verbose_name = _("purpose")
        verbose_name_plural = _("purposes")

    def __str__(self) -> str:
        """Its name in the reader's language where colleagues gave one."""
        return self.name_in((get_language() or "en").split("-")[0])

    def name_in(self, language: str) -> str:
        """Its name in a language, else the name that colleagues gave it."""
        return str(self.names.get(language) or self.name)


class Wording(models.Model):
    """The exact text somebody agreed to, in one language and version. Never changed once used."""

    purpose = models.ForeignKey(Purpose, models.PROTECT, related_name="wordings", verbose_name=_("purpose"))
    language = models.CharField(_("language"), max_length=8)
    version = models.PositiveIntegerField(_("version"))
    text = models.TextField(_("text"))
    created_at = models.DateTimeField(_("made"))

    class Meta:
        ordering = ["purpose", "language", "-version"]
        constraints = [models.UniqueConstraint(fields=["purpose", "language", "version"], name="wording_once")]
        verbose_name = _("wording")
        verbose_name_plural = _("wordings")

    def __str__(self) -> str:
        return f"{self.purpose_id} {self.language} v{self.version}"


class ConsentAction(models.TextChoices):
    GRANT = "grant", _("yes")
    WITHDRAW = "withdraw", _("no")
    CONFIRM = "confirm", _("confirmed")
    VOID = "void", _("taken back with its import")


class ConsentEvent(models.Model):
    """One append-only piece of evidence. ``by_person``: the person did it themselves (form, reply, call), not an import.

    ``at`` is when it happened, ``recorded_at`` when we learnt it. ``address`` is the address it was given for,
    ``address_hash`` its keyed hash, which outlives erasure. A void makes the yeses of its import job count no more.
    """

    customer = models.ForeignKey(Customer, models.DO_NOTHING, related_name="consent_events", db_index=False)
    channel = models.CharField(_("channel"), max_length=20, choices=Channel.choices)
    purpose = models.ForeignKey(Purpose, models.PROTECT, related_name="events", db_index=False)
    action = models.CharField(_("what"), max_length=10, choices=ConsentAction.choices)
    at = models.DateTimeField(_("when"))
    recorded_at = models.DateTimeField(_("recorded"))
    source = models.CharField(_("where"), max_length=80)
    method = models.CharField(_("how"), max_length=40)
    wording = models.ForeignKey(Wording, models.PROTECT, null=True, blank=True, related_name="events")
    wording_text = models.TextField(_("wording as imported"), blank=True)
    address = models.CharField(_("address"), max_length=400, blank=True)
    address_hash = models.CharField(max_length=64, blank=True, db_index=True)
    by_person = models.BooleanField(_("by the person"), default=False)
    run_id = models.IntegerField(null=True, blank=True)
    actor = models.ForeignKey(
        User, models.DO_NOTHING, null=True, blank=True, related_name="+", db_constraint=False, db_index=False
    )
    import_job = models.ForeignKey(
        ImportJob, models.DO_NOTHING, null=True, blank=True, related_name="+", db_constraint=False
    )
    evidence = models.JSONField(default=dict, blank=True)

    class Meta:
        ordering = ["-at", "-id"]
        indexes = [
            models.Index(fields=["customer", "channel", "purpose", "-at"], name="consent_event_customer"),
            models.Index(fields=["recorded_at"], name="consent_event_recorded"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(by_person=False) | models.Q(import_job=None), name="consent_import_is_not_the_person"
            ),
        ]
        verbose_name = _("consent event")
        verbose_name_plural = _("consent ledger")

    def __str__(self) -> str:
        return f"{self.action} {self.channel} {self.customer_id}"

    @property
    def where_and_how(self) -> str:
        """Where and how it was said, in the reader's language."""
        return told.where_and_how(self)


class ConsentState(models.Model):
    """What the ledger says now for one person, channel and purpose. Derived: it can be rebuilt from the ledger."""

    customer = models.ForeignKey(Customer, models.DO_NOTHING, related_name="consent_states", db_index=False)
    channel = models.CharField(max_length=20, choices=Channel.choices)
    purpose = models.ForeignKey(Purpose, models.PROTECT, related_name="+", db_index=False)
    granted = models.BooleanField()
    at = models.DateTimeField()
    opted_out_by_person = models.BooleanField(default=False)
    event = models.ForeignKey(ConsentEvent, models.DO_NOTHING, related_name="+", db_constraint=False, db_index=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["customer", "channel", "purpose"], name="consent_state_once"),
        ]
        indexes = [
            models.Index(fields=["purpose", "channel", "granted", "customer"], name="consent_state_granted"),
        ]
        verbose_name = _("consent")
        verbose_name_plural = _("consents")

    def __str__(self) -> str:
        return f"{self.customer_id} {self.channel} {self.granted}"


class SuppressionReason(models.TextChoices):
    BOUNCED = "bounced", _("address bounced")
    COMPLAINED = "complained", _("complained")
    MANUAL = "manual", _("put on the list by hand")
    PERSON = "person", _("asked never to be contacted")
    ERASED = "erased", _("erased")


class Suppression(models.Model):
    """A never-contact entry. Applies to an address (by keyed hash) or a whole customer, on one channel or all ('')."""

    customer = models.ForeignKey(Customer, models.DO_NOTHING, null=True, blank=True, related_name="suppressions")
    address_hash = models.CharField(max_length=64, blank=True, db_index=True)
    channel = models.CharField(_("channel"), max_length=20, blank=True)
    reason = models.CharField(_("why"), max_length=20, choices=SuppressionReason.choices)
    note = models.CharField(_("note"), max_length=200, blank=True)
    created_at = models.DateTimeField(_("since"))
    created_by = models.ForeignKey(User, models.SET_NULL, null=True, blank=True, related_name="+")
    lifted_at = models.DateTimeField(_("lifted"), null=True, blank=True)

    class Meta:
        ordering = ["-created_at"]
        constraints = [
            models.CheckConstraint(
                condition=~models.Q(address_hash="") | ~models.Q(customer=None), name="suppression_has_subject"
            ),
        ]
        verbose_name = _("do-not-contact entry")
        verbose_name_plural = _("do-not-contact list")

    def __str__(self) -> str:
        return f"{self.reason} {self.channel or 'all'}"
