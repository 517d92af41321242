"""Who works here: users, departments, the audit trail, notifications and API tokens."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import AbstractBaseUser, BaseUserManager, PermissionsMixin
from django.db import models
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from apps.core import formats


class Department(models.Model):
    """A part of the company that plans on its own. Everybody sees its plans, only its people edit them."""

    name = models.CharField(_("name"), max_length=80, unique=True)
    slug = models.SlugField(_("short name"), unique=True)
    colour = models.PositiveSmallIntegerField(
        _("colour"), default=1, help_text=_("Place in the palette, 1 to 8.")
    )
    position = models.PositiveSmallIntegerField(_("order in the calendar"), default=0)

    class Meta:
        ordering = ["position", "name"]
        verbose_name = _("department")
        verbose_name_plural = _("departments")

    def __str__(self) -> str:
        return self.name


class Role(models.TextChoices):
    MARKETER = "marketer", _("marketer")
    LEAD = "lead", _("department lead")
    AGENT = "agent", _("call-centre or store staff")
    ADMINISTRATOR = "administrator", _("administrator")


class UserManager(BaseUserManager["User"]):
    def create_user(self, email: str, password: str | None = None, **fields: Any) -> User:
        user = self.model(email=email.strip().lower(), **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_superuser(self, email: str, password: str | None = None, **fields: Any) -> User:
        fields.setdefault("role", Role.ADMINISTRATOR)
        return self.create_user(email, password, is_staff=True, is_superuser=True, **fields)


class User(AbstractBaseUser, PermissionsMixin):
    """A colleague. ``role`` says what they may do, ``department`` for whom; ``handles_personal_data`` is the privacy role."""

    email = models.EmailField(_("e-mail"), unique=True)
    name = models.CharField(_("name"), max_length=120)
    role = models.CharField(_("role"), max_length=20, choices=Role.choices, default=Role.MARKETER)
    department = models.ForeignKey(
        Department, models.PROTECT, null=True, blank=True, related_name="people", verbose_name=_("department")
    )
    handles_personal_data = models.BooleanField(
        _("may export and erase personal data"), default=False, help_text=_("The privacy role.")
    )
    language = models.CharField(_("language"), max_length=8, blank=True)
    time_zone = models.CharField(_("time zone"), max_length=60, blank=True)
    is_active = models.BooleanField(_("active"), default=True)
    is_staff = models.BooleanField(_("may use the administration"), default=False)
    date_joined = models.DateTimeField(_("joined"), auto_now_add=True)

    objects = UserManager()

    USERNAME_FIELD = "email"
    REQUIRED_FIELDS = ["name"]

    class Meta:
        ordering = ["name"]
        verbose_name = _("user")
        verbose_name_plural = _("users")

    def __str__(self) -> str:
        return self.name or self.email

    def get_full_name(self) -> str:
        return self.name

    def get_short_name(self) -> str:
        return self.name.split(" ")[0] if self.name else self.email


class AuditEvent(models.Model):
    """One line of the append-only trail: who did what to what, when, before and after. Ids and codes only."""

    at = models.DateTimeField(_("at"), db_index=True)
    actor = models.ForeignKey(
        User, models.SET_NULL, null=True, blank=True, related_name="+", db_constraint=False, verbose_name=_("who")
    )
    action = models.CharField(_("what"), max_length=60)
    subject_type = models.CharField(_("kind of thing"), max_length=60)
    subject_id = models.CharField(_("which"), max_length=60, blank=True)
    department = models.ForeignKey(
        Department, models.SET_NULL, null=True, blank=True, related_name="+", db_constraint=False,
        verbose_name=_("department"),
    )
    before = models.JSONField(_("before"), null=True, blank=True)
    after = models.JSONField(_("after"), null=True, blank=True)

    class Meta:
        ordering = ["-at", "-id"]
        indexes = [models.Index(fields=["subject_type", "subject_id", "-at"], name="audit_subject")]
        verbose_name = _("audit event")
        verbose_name_plural = _("audit trail")

    def __str__(self) -> str:
        return f"{self.action} {self.subject_type} {self.subject_id}"


class Notification(models.Model):
    """A line for one user: something waits for them or has happened.

    ``text`` is an English sentence of the catalogues with places for ``params``; it is said in the reader's language.
    """

    user = models.ForeignKey(User, models.CASCADE, related_name="notifications")
    code = models.CharField(max_length=60)
    text = models.CharField(max_length=300)
    params = models.JSONField(default=dict, blank=True)
    url = models.CharField(max_length=300, blank=True)
    created_at = models.DateTimeField()
    read_at = models.DateTimeField(null=True, blank=True)
    mailed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-created_at", "-id"]
        indexes = [
            models.Index(fields=["user"], condition=models.Q(read_at=None), name="notification_unread"),
        ]
        verbose_name = _("notification")
        verbose_name_plural = _("notifications")

    def __str__(self) -> str:
        return self.words

    @property
    def words(self) -> str:
        """The sentence in the active language; names stay as they are, numbers and lists as the language writes them."""
        if not self.params:
            return gettext(self.text) if self.text else ""
        return gettext(self.text) % {name: _said(value) for name, value in self.params.items()}


def _said(value: Any) -> str:
    if isinstance(value, list):
        return gettext(" and ").join(str(each) for each in value)
    return formats.number(value) if isinstance(value, int) else str(value)


class RetentionRun(models.Model):
    """One night's work of one retention rule: how many rows it let go of. Counts only, nobody's data."""

    rule = models.CharField(_("rule"), max_length=60)
    table = models.CharField(_("table"), max_length=60)
    before = models.DateTimeField(_("older than"))
    at = models.DateTimeField(_("when"), db_index=True)
    seconds = models.FloatField(_("seconds"), default=0)
    count = models.PositiveIntegerField(_("deleted or emptied"), default=0)
    problem = models.CharField(_("what went wrong"), max_length=300, blank=True)

    class Meta:
        ordering = ["-at", "-id"]
        verbose_name = _("retention run")
        verbose_name_plural = _("what was deleted when")

    def __str__(self) -> str:
        return f"{self.table}: {self.count}"


class Mailing(models.TextChoices):
    NONE = "none", _("not by e-mail")
    AT_ONCE = "at_once", _("an e-mail at once")
    DAILY = "daily", _("in the daily e-mail")


class NotificationChoice(models.Model):
    """How one user wants to hear of one kind of news. Without a row: in the app, and in the daily e-mail."""

    user = models.ForeignKey(User, models.CASCADE, related_name="notification_choices")
    code = models.CharField(max_length=60)
    in_app = models.BooleanField(_("in the app"), default=True)
    by_email = models.CharField(_("by e-mail"), max_length=8, choices=Mailing.choices, default=Mailing.DAILY)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user", "code"], name="notification_choice_once")]
        verbose_name = _("choice of news")
        verbose_name_plural = _("choices of news")

    def __str__(self) -> str:
        return f"{self.user_id} {self.code}"


class Deputy(models.Model):
    """``deputy`` may decide and sign for ``user`` from ``starts_on`` to ``ends_on``, both included."""

    user = models.ForeignKey(User, models.CASCADE, related_name="deputies", verbose_name=_("stands in for"))
    deputy = models.ForeignKey(User, models.CASCADE, related_name="deputises", verbose_name=_("deputy"))
    starts_on = models.DateField(_("from"))
    ends_on = models.DateField(_("to"))
    created_at = models.DateTimeField(_("made"))

    class Meta:
        ordering = ["starts_on"]
        constraints = [
            models.CheckConstraint(condition=models.Q(ends_on__gte=models.F("starts_on")), name="deputy_days"),
            models.CheckConstraint(condition=~models.Q(user=models.F("deputy")), name="deputy_is_another"),
        ]
        verbose_name = _("deputy")
        verbose_name_plural = _("deputies")

    def __str__(self) -> str:
        return f"{self.deputy_id} for {self.user_id}"


class ApiToken(models.Model):
    """A key for programs, scoped to a department (or all) and to actions. Only its SHA-256 is kept."""

    name = models.CharField(_("name"), max_length=80)
    prefix = models.CharField(_("starts with"), max_length=12, db_index=True)
    digest = models.CharField(max_length=64, unique=True)
    department = models.ForeignKey(
        Department, models.CASCADE, null=True, blank=True, related_name="api_tokens", verbose_name=_("department")
    )
    actions = models.JSONField(_("allowed actions"), default=list)
    created_by = models.ForeignKey(User, models.SET_NULL, null=True, related_name="+", verbose_name=_("made by"))
    created_at = models.DateTimeField(_("made"))
    expires_at = models.DateTimeField(_("valid until"), null=True, blank=True)
    revoked_at = models.DateTimeField(_("revoked"), null=True, blank=True)
    last_used_at = models.DateTimeField(_("last used"), null=True, blank=True)

    class Meta:
        ordering = ["name"]
        verbose_name = _("API token")
        verbose_name_plural = _("API tokens")

    def __str__(self) -> str:
        return f"{self.name} ({self.prefix}…)"


class ApiAnswer(models.Model):
    """What a program got for an ``Idempotency-Key``: the same request again gets the same answer and does nothing."""

    token = models.ForeignKey(ApiToken, models.CASCADE, related_name="answers")
    key = models.CharField(max_length=200)
    digest = models.CharField(max_length=64)
    status = models.PositiveSmallIntegerField()
    body = models.JSONField(null=True)
    answered_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["token", "key"], name="api_answer_once")]
        verbose_name = _("answer to a program")
        verbose_name_plural = _("answers to programs")

    def __str__(self) -> str:
        return f"{self.token_id} {self.key}"
