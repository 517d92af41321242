"""Customer, what each source said of them, their addresses and what they did.

Contact points and interactions hang on a source record; ``customer`` beside it repeats
``source_record.customer`` so that segments read one table. Only ``apps.customers.merging`` re-points both.
"""

from django.db import models
from django.utils.translation import gettext_lazy as _


class Source(models.Model):
    """A system that tells us about people: web shop, till, call centre, an imported list."""

    code = models.SlugField(_("code"), max_length=40, unique=True)
    name = models.CharField(_("name"), max_length=80)
    mapping = models.JSONField(_("saved column mapping"), default=dict, blank=True)
    default_country = models.CharField(_("country of numbers without prefix"), max_length=2, blank=True)

    class Meta:
        ordering = ["name"]
        verbose_name = _("source")
        verbose_name_plural = _("sources")

    def __str__(self) -> str:
        return self.name


class CustomerQuerySet(models.QuerySet["Customer"]):
    def living(self) -> "CustomerQuerySet":
        """People who can be in an audience: not merged into another, not erased, not undone."""
        return self.filter(merged_into=None, erased_at=None, undone_at=None)


class Customer(models.Model):
    """One real person or business contact. Ids are dense 32-bit numbers, drawn only for new rows, never reused."""

    id = models.AutoField(primary_key=True)
    name = models.CharField(_("name"), max_length=200, blank=True)
    given_name = models.CharField(_("given name"), max_length=100, blank=True)
    family_name = models.CharField(_("family name"), max_length=100, blank=True)
    sort_key = models.CharField(max_length=200, blank=True)
    is_business = models.BooleanField(_("business contact"), default=False)
    language = models.CharField(_("language"), max_length=8, blank=True)
    country = models.CharField(_("country"), max_length=2, blank=True)
    city = models.CharField(_("place"), max_length=100, blank=True)
    time_zone = models.CharField(_("time zone"), max_length=60, blank=True)
    attributes = models.JSONField(_("attributes"), default=dict, blank=True)
    customer_since = models.DateField(_("customer since"), null=True, blank=True)
    created_at = models.DateTimeField(_("first seen"))
    updated_at = models.DateTimeField(_("changed"))
    merged_into = models.ForeignKey("self", models.PROTECT, null=True, blank=True, related_name="merged")
    erased_at = models.DateTimeField(null=True, blank=True)
    undone_at = models.DateTimeField(null=True, blank=True)

    objects = CustomerQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["sort_key", "id"], name="customer_by_name"),
            models.Index(fields=["country", "id"], name="customer_by_country"),
            models.Index(fields=["merged_into"], condition=~models.Q(merged_into=None), name="customer_merged"),
        ]
        verbose_name = _("customer")
        verbose_name_plural = _("customers")

    def __str__(self) -> str:
        return self.name or f"#{self.pk}"


class SourceRecord(models.Model):
    """What one source said of one person, kept as it came."""

    source = models.ForeignKey(Source, models.PROTECT, related_name="records")
    external_id = models.CharField(_("id in the source"), max_length=120)
    customer = models.ForeignKey(Customer, models.PROTECT, related_name="source_records")
    raw = models.JSONField(_("as it came"), default=dict)
    match_rule = models.CharField(_("joined by"), max_length=40, blank=True)
    import_job = models.ForeignKey(
        "customers.ImportJob", models.SET_NULL, null=True, blank=True, related_name="records"
    )
    first_seen = models.DateTimeField()
    last_seen = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["source", "external_id"], name="source_record_once")]
        verbose_name = _("source record")
        verbose_name_plural = _("source records")

    def __str__(self) -> str:
        return f"{self.source_id}:{self.external_id}"


class ContactKind(models.TextChoices):
    EMAIL = "email", _("e-mail")
    PHONE = "phone", _("phone")
    POSTAL = "postal", _("postal address")
    PUSH = "push", _("push token")
    SOCIAL = "social", _("social handle")


class ContactPoint(models.Model):
    """An address of one kind. ``value`` is normalised (e-mail, E.164, one-line post); ``detail`` holds postal parts.

    ``hash`` is ``core.hashing.address_hash(value)``, kept so that the do-not-contact list is matched by index; empty where
    a writer did not give it, and emptied by the database when the value changes.
    """

    customer = models.ForeignKey(Customer, models.PROTECT, related_name="contact_points")
    source_record = models.ForeignKey(SourceRecord, models.PROTECT, related_name="contact_points")
    kind = models.CharField(_("kind"), max_length=10, choices=ContactKind.choices)
    value = models.CharField(_("address"), max_length=400)
    hash = models.CharField(max_length=64, blank=True, default="", db_default="", editable=False)
    detail = models.JSONField(default=dict, blank=True)
    time_zone = models.CharField(_("time zone"), max_length=60, blank=True)
    valid_from = models.DateTimeField()
    valid_to = models.DateTimeField(null=True, blank=True)
    is_preferred = models.BooleanField(_("preferred"), default=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["source_record", "kind", "value"], name="contact_point_once"),
        ]
        indexes = [
            models.Index(fields=["kind", "value"], name="contact_point_value"),
            models.Index(fields=["customer", "kind"], name="contact_point_customer"),
            models.Index(fields=["hash"], condition=~models.Q(hash=""), name="contact_point_hash"),
            models.Index(fields=["kind"], condition=models.Q(hash=""), name="contact_point_bare"),
        ]
        verbose_name = _("contact point")
        verbose_name_plural = _("contact points")

    def __str__(self) -> str:
        return f"{self.kind} of {self.customer_id}"


class InteractionKind(models.TextChoices):
    VISIT = "visit", _("visit")
    CART = "cart", _("put in the basket")
    WISH = "wish", _("saved wish")
    CALL = "call", _("call")
    STORE_VISIT = "store_visit", _("store visit")
    PURCHASE = "purchase", _("purchase")
    RETURN = "return", _("return")
    AD_CLICK = "ad_click", _("ad click")
    COMPLAINT = "complaint", _("complaint")
    OTHER = "other", _("other")


class Interaction(models.Model):
    """Anything a customer did or had done, on any channel. ``value`` in ``currency``, negative for returns."""

    customer = models.ForeignKey(Customer, models.PROTECT, related_name="interactions", db_index=False)
    source_record = models.ForeignKey(SourceRecord, models.PROTECT, related_name="interactions")
    kind = models.CharField(_("kind"), max_length=20, choices=InteractionKind.choices)
    channel = models.CharField(_("where"), max_length=20, blank=True)
    at = models.DateTimeField(_("when"))
    value = models.DecimalField(_("value"), max_digits=14, decimal_places=2, null=True, blank=True)
    currency = models.CharField(_("currency"), max_length=3, blank=True)
    product = models.ForeignKey("customers.Product", models.PROTECT, null=True, blank=True, related_name="interactions")
    quantity = models.IntegerField(_("quantity"), null=True, blank=True)
    external_id = models.CharField(_("id in the source"), max_length=120, blank=True)
    # The database checks the person, the record and the product of each row. Where a row came from it need not: sources and
    # jobs are deleted through Django only, and checking half a million rows against one source costs seconds.
    source = models.ForeignKey(Source, models.PROTECT, related_name="+", db_index=False, db_constraint=False)
    detail = models.JSONField(default=dict, blank=True)
    import_job = models.ForeignKey(
        "customers.ImportJob", models.SET_NULL, null=True, blank=True, related_name="interactions", db_constraint=False
    )
    recorded_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["source", "external_id"], condition=~models.Q(external_id=""), name="interaction_once"
            ),
        ]
        indexes = [
            models.Index(fields=["customer", "-at"], name="interaction_customer"),
            models.Index(fields=["kind", "at", "customer"], name="interaction_kind"),
        ]
        verbose_name = _("interaction")
        verbose_name_plural = _("interactions")

    def __str__(self) -> str:
        return f"{self.kind} of {self.customer_id}"


class MergeRecord(models.Model):
    """Who absorbed whom and what was re-pointed, so that it can be undone exactly.

    ``source_records`` are the ids that moved; ``before`` the survivor's fields that the merge filled in.
    """

    survivor = models.ForeignKey(Customer, models.PROTECT, related_name="absorbed")
    absorbed = models.ForeignKey(Customer, models.PROTECT, related_name="absorptions")
    rule = models.CharField(max_length=40)
    source_records = models.JSONField(default=list)
    before = models.JSONField(default=dict, blank=True)
    import_job = models.ForeignKey("customers.ImportJob", models.SET_NULL, null=True, blank=True, related_name="merges")
    merged_at = models.DateTimeField()
    merged_by = models.ForeignKey("accounts.User", models.SET_NULL, null=True, blank=True, related_name="+")
    undone_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-merged_at"]
        verbose_name = _("merge")
        verbose_name_plural = _("merges")

    def __str__(self) -> str:
        return f"{self.absorbed_id} -> {self.survivor_id}"
