"""What the company sells, in a category tree, with prices per country."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class Category(models.Model):
    """A node of the product tree. ``path`` is the slash-joined ids from the root, with slashes at both ends."""

    code = models.CharField(_("code"), max_length=60, unique=True)
    name = models.CharField(_("name"), max_length=120)
    parent = models.ForeignKey("self", models.PROTECT, null=True, blank=True, related_name="children")
    path = models.CharField(max_length=400, blank=True, db_index=True)

    class Meta:
        ordering = ["name"]
        verbose_name = _("category")
        verbose_name_plural = _("categories")

    def __str__(self) -> str:
        return self.name


class Product(models.Model):
    """A thing on sale."""

    sku = models.CharField(_("article number"), max_length=60, unique=True)
    name = models.CharField(_("name"), max_length=200)
    names = models.JSONField(_("names per language"), default=dict, blank=True)
    brand = models.CharField(_("brand"), max_length=80, blank=True)
    category = models.ForeignKey(Category, models.PROTECT, null=True, blank=True, related_name="products")
    url = models.URLField(_("page"), blank=True)
    image_url = models.CharField(_("picture"), max_length=400, blank=True)
    is_active = models.BooleanField(_("on sale"), default=True)

    class Meta:
        ordering = ["name"]
        verbose_name = _("product")
        verbose_name_plural = _("products")

    def __str__(self) -> str:
        return self.name


class ProductPrice(models.Model):
    """The ordinary price of a product in one country from a day on."""

    product = models.ForeignKey(Product, models.CASCADE, related_name="prices")
    country = models.CharField(_("country"), max_length=2)
    currency = models.CharField(_("currency"), max_length=3)
    amount = models.DecimalField(_("price"), max_digits=12, decimal_places=2)
    valid_from = models.DateField(_("from"))

    class Meta:
        ordering = ["product", "country", "-valid_from"]
        constraints = [
            models.UniqueConstraint(fields=["product", "country", "valid_from"], name="product_price_once"),
        ]
        verbose_name = _("price")
        verbose_name_plural = _("prices")

    def __str__(self) -> str:
        return f"{self.amount} {self.currency}"
