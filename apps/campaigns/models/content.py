"""What a message says: versions per language and variant, their history, and the department's brand."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from apps.accounts.models import Department, User

from .plan import Message


class Brand(models.Model):
    """How one department looks and signs: logo, colours, sender and footer."""

    department = models.OneToOneField(Department, models.CASCADE, related_name="brand", verbose_name=_("department"))
    company_name = models.CharField(_("company name"), max_length=120)
    logo = models.BinaryField(null=True, blank=True, editable=False)
    logo_type = models.CharField(max_length=40, blank=True)
    logo_alt = models.CharField(_("logo in words"), max_length=120, blank=True)
    colour = models.CharField(_("colour"), max_length=7, default="#0f5e5c")
    text_colour = models.CharField(_("text colour"), max_length=7, default="#1b2b2b")
    sender_name = models.CharField(_("sender name"), max_length=120)
    sender_email = models.EmailField(_("sender e-mail"))
    reply_to = models.EmailField(_("reply to"), blank=True)
    postal_address = models.CharField(_("postal address"), max_length=200, blank=True)
    footers = models.JSONField(_("footer per language"), default=dict, blank=True)

    class Meta:
        verbose_name = _("brand")
        verbose_name_plural = _("brands")

    def __str__(self) -> str:
        return self.company_name


class ContentFormat(models.TextChoices):
    BLOCKS = "blocks", _("blocks")
    HTML = "html", _("own HTML")
    TEXT = "text", _("text")


class ContentVersion(models.Model):
    """The words of a message in one language for one variant (A, B, ...). Bodies are Liquid.

    ``blocks`` is the ordered list of blocks for ``blocks`` format; ``body`` the pasted HTML or the plain text (SMS, call
    script, letter). ``is_fallback`` marks the language that people get who have no version in their own.
    """

    message = models.ForeignKey(Message, models.CASCADE, related_name="versions")
    language = models.CharField(_("language"), max_length=8)
    variant = models.CharField(_("variant"), max_length=40, default="A")
    format = models.CharField(_("made as"), max_length=8, choices=ContentFormat.choices, default=ContentFormat.BLOCKS)
    template = models.CharField(_("template"), max_length=40, default="classic")
    subject = models.CharField(_("subject"), max_length=300, blank=True)
    preheader = models.CharField(_("preview line"), max_length=300, blank=True)
    blocks = models.JSONField(_("blocks"), default=list, blank=True)
    body = models.TextField(_("text"), blank=True)
    is_fallback = models.BooleanField(_("used when a language is missing"), default=False)
    revision = models.PositiveIntegerField(default=1)
    updated_at = models.DateTimeField(_("changed"))
    updated_by = models.ForeignKey(User, models.SET_NULL, null=True, blank=True, related_name="+")

    class Meta:
        ordering = ["message", "variant", "language"]
        constraints = [
            models.UniqueConstraint(fields=["message", "language", "variant"], name="content_version_once"),
        ]
        verbose_name = _("content version")
        verbose_name_plural = _("content versions")

    def __str__(self) -> str:
        return f"{self.message_id} {self.language} {self.variant}"


class ContentRevision(models.Model):
    """An earlier state of a content version, to look at and go back to."""

    version = models.ForeignKey(ContentVersion, models.CASCADE, related_name="revisions")
    number = models.PositiveIntegerField()
    content = models.JSONField()
    saved_at = models.DateTimeField()
    saved_by = models.ForeignKey(User, models.SET_NULL, null=True, blank=True, related_name="+")

    class Meta:
        ordering = ["version", "-number"]
        constraints = [models.UniqueConstraint(fields=["version", "number"], name="content_revision_once")]
        verbose_name = _("earlier content")
        verbose_name_plural = _("earlier contents")

    def __str__(self) -> str:
        return f"{self.version_id} r{self.number}"
