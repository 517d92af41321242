"""The contact policy: caps and blackouts."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from apps.accounts.models import Department


class ContactPolicy(models.Model):
    """At most ``limit`` contacts per person in any ``hours`` hours, on the listed channels (empty: all).

    Promotion is held back by it; service and safety are not, but safety and service contacts count when ``counts_service``.
    """

    name = models.CharField(_("name"), max_length=80, unique=True)
    limit = models.PositiveSmallIntegerField(_("contacts at most"))
    hours = models.PositiveIntegerField(_("in so many hours"))
    channels = models.JSONField(_("channels"), default=list, blank=True)
    department = models.ForeignKey(
        Department, models.PROTECT, null=True, blank=True, related_name="contact_policies",
        verbose_name=_("only this department's"),
    )
    counts_service = models.BooleanField(_("service contacts count too"), default=False)
    is_active = models.BooleanField(_("in force"), default=True)
    created_at = models.DateTimeField(_("made"))

    class Meta:
        ordering = ["name"]
        constraints = [models.CheckConstraint(condition=models.Q(hours__gt=0), name="contact_policy_hours")]
        verbose_name = _("contact policy")
        verbose_name_plural = _("contact policies")

    def __str__(self) -> str:
        return self.name


class Blackout(models.Model):
    """Days on which nothing may be sent, by the recipient's date. Empty lists mean all channels, all countries."""

    name = models.CharField(_("name"), max_length=80)
    starts_on = models.DateField(_("from"))
    ends_on = models.DateField(_("to"))
    channels = models.JSONField(_("channels"), default=list, blank=True)
    countries = models.JSONField(_("countries"), default=list, blank=True)
    department = models.ForeignKey(
        Department, models.PROTECT, null=True, blank=True, related_name="blackouts",
        verbose_name=_("only this department"),
    )
    includes_service = models.BooleanField(_("service messages too"), default=False)
    reason = models.CharField(_("why"), max_length=200, blank=True)
    is_active = models.BooleanField(_("in force"), default=True)

    class Meta:
        ordering = ["starts_on"]
        constraints = [models.CheckConstraint(condition=models.Q(ends_on__gte=models.F("starts_on")), name="blackout_days")]
        verbose_name = _("blackout")
        verbose_name_plural = _("blackouts")

    def __str__(self) -> str:
        return self.name
