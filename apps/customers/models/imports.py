"""An import: one file of one source, from dry run to undo."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from apps.accounts.models import User


class ImportKind(models.TextChoices):
    CUSTOMERS = "customers", _("customers")
    INTERACTIONS = "interactions", _("interactions and orders")
    PRODUCTS = "products", _("products")


class ImportStatus(models.TextChoices):
    UPLOADED = "uploaded", _("uploaded")
    CHECKING = "checking", _("dry run under way")
    CHECKED = "checked", _("dry run finished")
    WAITING = "waiting", _("waiting to start")
    RUNNING = "running", _("running")
    DONE = "done", _("done")
    FAILED = "failed", _("failed")
    CANCELLED = "cancelled", _("cancelled")
    UNDONE = "undone", _("undone")


class ImportJob(models.Model):
    """One file on its way into the database. Counts are of data rows (header excluded)."""

    source = models.ForeignKey("customers.Source", models.PROTECT, related_name="imports", verbose_name=_("source"))
    kind = models.CharField(_("kind"), max_length=20, choices=ImportKind.choices)
    filename = models.CharField(_("file"), max_length=255)
    path = models.CharField(max_length=400, blank=True)
    size = models.BigIntegerField(_("bytes"), default=0)
    digest = models.CharField(_("SHA-256"), max_length=64, blank=True)
    encoding = models.CharField(_("encoding"), max_length=20, blank=True)
    delimiter = models.CharField(_("delimiter"), max_length=4, blank=True)
    columns = models.JSONField(default=list, blank=True)
    mapping = models.JSONField(_("column mapping"), default=dict, blank=True)
    status = models.CharField(_("status"), max_length=12, choices=ImportStatus.choices, default=ImportStatus.UPLOADED)
    message = models.TextField(_("what happened"), blank=True)
    rows_total = models.BigIntegerField(null=True, blank=True)
    rows_done = models.BigIntegerField(default=0)
    rows_refused = models.BigIntegerField(default=0)
    counts = models.JSONField(default=dict, blank=True)
    error_path = models.CharField(max_length=400, blank=True)
    cancel_requested = models.BooleanField(default=False)
    created_by = models.ForeignKey(User, models.SET_NULL, null=True, related_name="+", verbose_name=_("who"))
    created_at = models.DateTimeField(_("uploaded"))
    started_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)
    undone_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-created_at", "-id"]
        verbose_name = _("import")
        verbose_name_plural = _("imports")

    def __str__(self) -> str:
        return self.filename


class ImportChange(models.Model):
    """What an import overwrote, so that it can be undone. Created rows need none: they carry ``import_job``."""

    job = models.ForeignKey(ImportJob, models.CASCADE, related_name="changes")
    kind = models.CharField(max_length=20)
    object_id = models.BigIntegerField()
    before = models.JSONField(default=dict)

    class Meta:
        indexes = [models.Index(fields=["kind", "object_id"], name="import_change_object")]
        verbose_name = _("overwritten value")
        verbose_name_plural = _("overwritten values")

    def __str__(self) -> str:
        return f"{self.job_id} {self.kind} {self.object_id}"
