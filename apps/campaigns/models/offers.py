"""Offers: what can contradict another."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from apps.accounts.models import Department
from apps.customers.models import Category, Product


class OfferKind(models.TextChoices):
    PERCENT = "percent", _("per cent off")
    AMOUNT = "amount", _("amount off")
    PRICE = "price", _("special price")
    FULL_PRICE = "full_price", _("full price, no discount")
    POINTS = "points", _("points")
    GIFT = "gift", _("gift")
    FREE_DELIVERY = "free_delivery", _("free delivery")
    CLAIM = "claim", _("claim without price")


class Offer(models.Model):
    """A price, discount, points, gift or claim on one product or one category, with its validity.

    ``value`` is per cent for ``percent``, points for ``points``, money in ``currency`` for ``amount`` and ``price``;
    ``OfferPrice`` states money per country where it differs.
    """

    name = models.CharField(_("name"), max_length=120)
    department = models.ForeignKey(Department, models.PROTECT, related_name="offers", verbose_name=_("department"))
    kind = models.CharField(_("kind"), max_length=20, choices=OfferKind.choices)
    product = models.ForeignKey(Product, models.PROTECT, null=True, blank=True, related_name="offers")
    category = models.ForeignKey(Category, models.PROTECT, null=True, blank=True, related_name="offers")
    value = models.DecimalField(_("value"), max_digits=12, decimal_places=2, null=True, blank=True)
    currency = models.CharField(_("currency"), max_length=3, blank=True)
    code = models.CharField(_("code"), max_length=40, blank=True)
    claim = models.CharField(_("in words"), max_length=200, blank=True)
    terms = models.TextField(_("terms"), blank=True)
    valid_from = models.DateTimeField(_("valid from"))
    valid_until = models.DateTimeField(_("valid until"))
    version = models.PositiveIntegerField(default=1)
    created_at = models.DateTimeField(_("made"))
    archived_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-valid_from", "name"]
        constraints = [
            models.CheckConstraint(condition=models.Q(valid_until__gt=models.F("valid_from")), name="offer_validity"),
        ]
        verbose_name = _("offer")
        verbose_name_plural = _("offers")

    def __str__(self) -> str:
        return self.name


class OfferPrice(models.Model):
    """The money of an offer in one country."""

    offer = models.ForeignKey(Offer, models.CASCADE, related_name="prices")
    country = models.CharField(_("country"), max_length=2)
    currency = models.CharField(_("currency"), max_length=3)
    amount = models.DecimalField(_("amount"), max_digits=12, decimal_places=2)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["offer", "country"], name="offer_price_once")]
        verbose_name = _("offer price")
        verbose_name_plural = _("offer prices")

    def __str__(self) -> str:
        return f"{self.amount} {self.currency}"
