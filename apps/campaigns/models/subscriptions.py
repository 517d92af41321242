"""Who is told outside Concord: calendar feeds by secret address, and webhooks to other programs."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from apps.accounts.models import Department, User
from apps.channels.kinds import Channel

from .plan import Programme


class CalendarFeed(models.Model):
    """A calendar (RFC 5545) to subscribe to under a secret address. Only the address's SHA-256 is kept; it can be revoked."""

    user = models.ForeignKey(User, models.CASCADE, related_name="calendar_feeds")
    department = models.ForeignKey(Department, models.CASCADE, null=True, blank=True, related_name="+")
    programme = models.ForeignKey(Programme, models.CASCADE, null=True, blank=True, related_name="+")
    channel = models.CharField(_("channel"), max_length=20, choices=Channel.choices, blank=True)
    is_mine = models.BooleanField(_("only my campaigns"), default=False)
    digest = models.CharField(max_length=64, unique=True)
    prefix = models.CharField(max_length=12)
    created_at = models.DateTimeField(_("made"))
    last_used_at = models.DateTimeField(_("last fetched"), null=True, blank=True)
    revoked_at = models.DateTimeField(_("revoked"), null=True, blank=True)

    class Meta:
        ordering = ["-created_at"]
        verbose_name = _("calendar feed")
        verbose_name_plural = _("calendar feeds")

    def __str__(self) -> str:
        return f"{self.prefix}…"


class WebhookEndpoint(models.Model):
    """An address of another program that is told about conflicts. ``secret`` is encrypted; every call is signed with it."""

    name = models.CharField(_("name"), max_length=80)
    url = models.URLField(_("address"), max_length=400)
    secret = models.BinaryField(editable=False)
    department = models.ForeignKey(
        Department, models.CASCADE, null=True, blank=True, related_name="+", verbose_name=_("only this department's")
    )
    is_active = models.BooleanField(_("in use"), default=True)
    created_at = models.DateTimeField(_("made"))

    class Meta:
        ordering = ["name"]
        verbose_name = _("webhook")
        verbose_name_plural = _("webhooks")

    def __str__(self) -> str:
        return self.name


class WebhookCall(models.Model):
    """One piece of news for one webhook, kept until it was taken or given up."""

    endpoint = models.ForeignKey(WebhookEndpoint, models.CASCADE, related_name="calls")
    event = models.CharField(_("event"), max_length=40)
    payload = models.JSONField()
    created_at = models.DateTimeField()
    attempts = models.PositiveSmallIntegerField(_("attempts"), default=0)
    next_at = models.DateTimeField(null=True, blank=True)
    status = models.PositiveSmallIntegerField(_("answered"), null=True, blank=True)
    problem = models.CharField(max_length=200, blank=True)
    done_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-created_at"]
        indexes = [models.Index(fields=["next_at"], condition=models.Q(done_at=None), name="webhook_call_due")]
        verbose_name = _("webhook call")
        verbose_name_plural = _("webhook calls")

    def __str__(self) -> str:
        return f"{self.event} {self.endpoint_id}"
