"""Typed extra attributes that a company keeps about its customers."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class AttributeKind(models.TextChoices):
    TEXT = "text", _("text")
    NUMBER = "number", _("number")
    DATE = "date", _("date")
    BOOLEAN = "boolean", _("yes or no")
    CHOICE = "choice", _("one of a list")


class AttributeDefinition(models.Model):
    """One extra attribute: its key in ``Customer.attributes``, its type and its name for people."""

    key = models.SlugField(_("key"), max_length=60, unique=True)
    label = models.CharField(_("name"), max_length=120)
    kind = models.CharField(_("type"), max_length=10, choices=AttributeKind.choices, default=AttributeKind.TEXT)
    choices = models.JSONField(_("choices"), default=list, blank=True)
    is_personal = models.BooleanField(_("personal data"), default=True)
    created_at = models.DateTimeField(_("made"))

    class Meta:
        ordering = ["label"]
        verbose_name = _("attribute")
        verbose_name_plural = _("attributes")

    def __str__(self) -> str:
        return self.label
