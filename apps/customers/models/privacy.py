"""What people ask about their own data."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from apps.accounts.models import User

from .people import Customer


class DataRequest(models.Model):
    """A person asked what is held of them (GDPR art. 15). It is answered within a month of asking (art. 12(3))."""

    customer = models.ForeignKey(Customer, models.CASCADE, related_name="data_requests", verbose_name=_("customer"))
    language = models.CharField(_("language"), max_length=8, blank=True)
    asked_at = models.DateTimeField(_("asked"))
    due_on = models.DateField(_("to be answered by"))
    answered_at = models.DateTimeField(_("answered"), null=True, blank=True)
    answered_by = models.ForeignKey(
        User, models.SET_NULL, null=True, blank=True, related_name="+", verbose_name=_("answered by")
    )
    note = models.CharField(_("how"), max_length=200, blank=True)

    class Meta:
        ordering = ["due_on", "id"]
        constraints = [
            models.UniqueConstraint(fields=["customer"], condition=models.Q(answered_at=None), name="data_request_once_open"),
        ]
        verbose_name = _("data request")
        verbose_name_plural = _("data requests")

    def __str__(self) -> str:
        return f"{self.customer_id} {self.due_on}"
