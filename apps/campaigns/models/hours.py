"""When nothing may be sent or told yet: quiet hours of the week, and embargoes."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from apps.accounts.models import Department
from apps.customers.models import Category, Product


class QuietHours(models.Model):
    """Hours of the week in which people are left in peace, by the clock where they live. Empty lists mean all.

    A period begins on each of ``weekdays`` (ISO numbers, Monday is 1) at ``begins`` and ends at ``ends``: the same day when
    that is later, else the day after. So a period over midnight belongs to the day on which it begins, and equal times
    are a whole day. ``source`` says where the hours come from; ``is_law`` makes a finding block.
    """

    name = models.CharField(_("name"), max_length=80, unique=True)
    weekdays = models.JSONField(_("begins on"), default=list, blank=True)
    begins = models.TimeField(_("from"))
    ends = models.TimeField(_("to"))
    channels = models.JSONField(_("channels"), default=list, blank=True)
    countries = models.JSONField(_("countries"), default=list, blank=True)
    department = models.ForeignKey(
        Department, models.PROTECT, null=True, blank=True, related_name="quiet_hours", verbose_name=_("only this department"),
    )
    includes_service = models.BooleanField(_("service messages too"), default=False)
    is_law = models.BooleanField(_("required by law"), default=False)
    source = models.CharField(_("source"), max_length=200, blank=True)
    is_active = models.BooleanField(_("in force"), default=True)

    class Meta:
        ordering = ["name"]
        verbose_name = _("quiet hours")
        verbose_name_plural = _("quiet hours")

    def __str__(self) -> str:
        return self.name


class Embargo(models.Model):
    """A brand, product or category (with all below it) of which nothing may be told before ``lifts_at``.

    What is filled in must all fit. Service and safety messages to people who own it already are not held back.
    """

    name = models.CharField(_("name"), max_length=80)
    lifts_at = models.DateTimeField(_("lifted at"))
    brand = models.CharField(_("brand"), max_length=80, blank=True)
    product = models.ForeignKey(Product, models.CASCADE, null=True, blank=True, related_name="+", verbose_name=_("product"))
    category = models.ForeignKey(
        Category, models.CASCADE, null=True, blank=True, related_name="+", verbose_name=_("category")
    )
    reason = models.CharField(_("why"), max_length=200, blank=True)
    is_active = models.BooleanField(_("in force"), default=True)

    class Meta:
        ordering = ["lifts_at", "name"]
        verbose_name = _("embargo")
        verbose_name_plural = _("embargoes")

    def __str__(self) -> str:
        return self.name
