"""People who are to be served first: while something is open, promotion is out of place."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from .people import Customer


class CareReason(models.TextChoices):
    COMPLAINT = "complaint", _("open complaint")
    RECALL = "recall", _("has a recalled product")
    BEREAVEMENT = "bereavement", _("bereavement")
    ERASURE = "erasure", _("asked to be erased")


class CareFlag(models.Model):
    """Why somebody is to be served and not advertised to, from ``since`` until it is closed or ``until`` has passed."""

    customer = models.ForeignKey(Customer, models.CASCADE, related_name="care_flags")
    reason = models.CharField(_("why"), max_length=12, choices=CareReason.choices)
    since = models.DateTimeField(_("since"))
    until = models.DateTimeField(_("until"), null=True, blank=True)
    closed_at = models.DateTimeField(_("closed"), null=True, blank=True)
    source = models.CharField(_("told by"), max_length=40, blank=True)

    class Meta:
        ordering = ["-since"]
        indexes = [models.Index(fields=["customer"], condition=models.Q(closed_at=None), name="care_flag_open")]
        verbose_name = _("serve first")
        verbose_name_plural = _("serve first")

    def __str__(self) -> str:
        return f"{self.reason} {self.customer_id}"
