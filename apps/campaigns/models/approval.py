"""Approvals: what was signed, by whom, for how long."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from apps.accounts.models import User

from .plan import Campaign


class ApprovalState(models.TextChoices):
    ASKED = "asked", _("asked for")
    GIVEN = "given", _("given")
    REFUSED = "refused", _("sent back")
    VOID = "void", _("no longer valid")


class Approval(models.Model):
    """One round of four eyes. ``signed`` is the plan as it was signed, ``digest`` its SHA-256."""

    campaign = models.ForeignKey(Campaign, models.CASCADE, related_name="approvals")
    state = models.CharField(_("state"), max_length=8, choices=ApprovalState.choices, default=ApprovalState.ASKED)
    asked_by = models.ForeignKey(User, models.PROTECT, related_name="+", verbose_name=_("asked by"))
    asked_at = models.DateTimeField(_("asked"))
    asked_note = models.TextField(_("note"), blank=True)
    decided_by = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+")
    decided_at = models.DateTimeField(_("decided"), null=True, blank=True)
    decision_note = models.TextField(_("answer"), blank=True)
    digest = models.CharField(max_length=64)
    signed = models.JSONField(default=dict)
    valid_until = models.DateField(_("covers occurrences until"), null=True, blank=True)

    class Meta:
        ordering = ["-asked_at", "-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["campaign"], condition=models.Q(state="asked"), name="one_open_approval"
            ),
        ]
        verbose_name = _("approval")
        verbose_name_plural = _("approvals")

    def __str__(self) -> str:
        return f"{self.campaign_id} {self.state}"
