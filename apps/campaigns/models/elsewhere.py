"""What other tools tell us: contacts they made, and where those go that no plan names."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from apps.accounts.models import ApiToken, Department
from apps.channels.kinds import Channel
from apps.consent.models import Purpose

from .plan import Message


class ToldContact(models.Model):
    """A contact that another tool made and told us of, once: ``key`` is that tool's own id of it, unique in the department.

    The contact itself stands in the ledger as (run, customer); the run's day is the day of the contact.
    """

    department = models.ForeignKey(Department, models.PROTECT, related_name="+", verbose_name=_("department"))
    key = models.CharField(_("id in the other tool"), max_length=120)
    message = models.ForeignKey(Message, models.PROTECT, related_name="told", verbose_name=_("message"))
    run_id = models.IntegerField()
    customer_id = models.IntegerField()
    at = models.DateTimeField(_("when"))
    recorded_at = models.DateTimeField(_("told"))

    class Meta:
        constraints = [models.UniqueConstraint(fields=["department", "key"], name="told_contact_once")]
        indexes = [
            models.Index(fields=["recorded_at"], name="told_contact_recorded"),
            models.Index(fields=["customer_id"], name="told_contact_customer"),
        ]
        verbose_name = _("contact told by another tool")
        verbose_name_plural = _("contacts told by other tools")

    def __str__(self) -> str:
        return f"{self.department_id} {self.key}"


class CatchAll(models.Model):
    """The message that takes a department's contacts which no planned message names, one per channel and purpose."""

    message = models.OneToOneField(Message, models.CASCADE, related_name="catch_all")
    department = models.ForeignKey(Department, models.PROTECT, related_name="+", verbose_name=_("department"))
    channel = models.CharField(_("channel"), max_length=20, choices=Channel.choices)
    purpose = models.ForeignKey(Purpose, models.PROTECT, related_name="+", verbose_name=_("purpose"))

    class Meta:
        constraints = [models.UniqueConstraint(fields=["department", "channel", "purpose"], name="catch_all_once")]
        verbose_name = _("catch-all for contacts sent elsewhere")
        verbose_name_plural = _("catch-alls for contacts sent elsewhere")

    def __str__(self) -> str:
        return f"{self.department_id} {self.channel}"


class RefusedPermission(models.Model):
    """Another tool asked for somebody and was told no, or not yet: who asked, for whom, for what, when, and why.

    ``at`` is when the contact was to be, ``until`` (empty for a plain no) from when on they may ask again.
    """

    department = models.ForeignKey(Department, models.PROTECT, related_name="+", verbose_name=_("department"))
    token = models.ForeignKey(ApiToken, models.SET_NULL, null=True, blank=True, related_name="+", verbose_name=_("asked by"))
    message = models.ForeignKey(Message, models.PROTECT, related_name="refused_permissions", verbose_name=_("message"))
    customer_id = models.IntegerField()
    channel = models.CharField(_("channel"), max_length=20, choices=Channel.choices)
    purpose = models.ForeignKey(Purpose, models.PROTECT, related_name="+", verbose_name=_("purpose"))
    at = models.DateTimeField(_("contact planned for"))
    asked_at = models.DateTimeField(_("asked"))
    reason = models.CharField(_("reason"), max_length=30)
    rule = models.CharField(_("rule"), max_length=40, blank=True)
    until = models.DateTimeField(_("not before"), null=True, blank=True)

    class Meta:
        ordering = ["-asked_at", "-id"]
        indexes = [
            models.Index(fields=["customer_id", "asked_at"], name="refused_permission_customer"),
            models.Index(fields=["asked_at"], name="refused_permission_asked"),
        ]
        verbose_name = _("refused permission")
        verbose_name_plural = _("refused permissions")

    def __str__(self) -> str:
        return f"{self.message_id} {self.customer_id} {self.reason}"
