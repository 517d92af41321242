"""Administration of departments, colleagues, tokens, and the audit trail to look at."""

from __future__ import annotations

from typing import Any

import allauth.account.admin  # noqa: F401 - registers first what is taken off below
from allauth.account.models import EmailAddress, EmailConfirmation
from django import forms
from django.contrib import admin, messages
from django.contrib.auth.forms import AdminPasswordChangeForm
from django.contrib.auth.models import Group
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from apps.core.clock import now

from . import api_tokens
from .access import current_user
from .administration import Audited, ReadOnly, Ticks
from .models import ApiToken, AuditEvent, Department, RetentionRun, User

admin.site.unregister(Group)
admin.site.site_header = _("Concord administration")
admin.site.site_title = _("Concord")
admin.site.index_title = _("Set up and look after Concord")


@admin.register(Department)
class DepartmentAdmin(Audited):
    list_display = ("name", "slug", "colour", "position")
    search_fields = ("name",)
    prepopulated_fields = {"slug": ("name",)}


class UserForm(forms.ModelForm):
    """A colleague; a new one gets a first password, to be changed by themselves."""

    first_password = forms.CharField(
        label=_("First password"),
        required=False,
        widget=forms.PasswordInput(render_value=False),
        help_text=_(
            "Only to set or replace the password. Leave empty to keep it; a new colleague may also use “Forgot password”."
        ),
    )

    class Meta:
        model = User
        fields = (
            "name",
            "email",
            "department",
            "role",
            "handles_personal_data",
            "language",
            "time_zone",
            "is_active",
            "is_staff",
        )

    def clean_email(self) -> str:
        return self.cleaned_data["email"].strip().lower()

    def clean_first_password(self) -> str:
        password = self.cleaned_data["first_password"]
        if password:
            AdminPasswordChangeForm(self.instance, {"password1": password, "password2": password}).full_clean()
        return password


@admin.register(User)
class UserAdmin(Audited):
    form = UserForm
    list_display = ("name", "email", "department", "role", "handles_personal_data", "is_active", "last_login")
    list_filter = ("department", "role", "handles_personal_data", "is_active")
    search_fields = ("name", "email")
    actions = ("sign_out_and_block",)

    def save_model(self, request: HttpRequest, obj: User, form: Any, change: bool) -> None:
        if password := form.cleaned_data.get("first_password"):
            obj.set_password(password)
        elif not change:
            obj.set_unusable_password()
        obj.is_superuser = obj.is_staff and obj.role == "administrator"
        super().save_model(request, obj, form, change)

    @admin.action(description=_("Block: no more sign-in, sessions end"))
    def sign_out_and_block(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        for user in queryset.exclude(pk=current_user(request).pk):
            user.is_active = False
            user.save(update_fields=["is_active"])
            self.log_change(request, user, "blocked")
        self.message_user(request, _("Blocked. Yourself you cannot block."), messages.SUCCESS)


class ApiTokenForm(forms.ModelForm):
    actions = Ticks(label=_("Allowed actions"), choices=list(api_tokens.ACTIONS.items()), required=True)

    class Meta:
        model = ApiToken
        fields = ("name", "department", "actions", "expires_at")


@admin.register(ApiToken)
class ApiTokenAdmin(Audited):
    form = ApiTokenForm
    list_display = (
        "name",
        "prefix",
        "department",
        "created_by",
        "created_at",
        "expires_at",
        "revoked_at",
        "last_used_at",
    )
    list_filter = ("department",)
    search_fields = ("name", "prefix")
    actions = ("revoke",)

    def has_change_permission(self, request: HttpRequest, obj: ApiToken | None = None) -> bool:
        return super().has_change_permission(request) and obj is None

    def has_delete_permission(self, request: HttpRequest, obj: ApiToken | None = None) -> bool:
        return False

    def save_model(self, request: HttpRequest, obj: ApiToken, form: Any, change: bool) -> None:
        token, secret = api_tokens.issue(
            name=obj.name,
            actions=form.cleaned_data["actions"],
            department=obj.department,
            by=current_user(request),
            now=now(),
            expires_at=obj.expires_at,
        )
        obj.pk = token.pk
        self.message_user(request, _("The token, shown this once: %s") % secret, messages.WARNING)

    @admin.action(description=_("Revoke at once"))
    def revoke(self, request: HttpRequest, queryset: QuerySet[ApiToken]) -> None:
        for token in queryset:
            api_tokens.revoke(token, by=current_user(request), now=now())


@admin.register(AuditEvent)
class AuditEventAdmin(ReadOnly):
    list_display = ("at", "actor", "action", "subject_type", "subject_id", "department")
    list_filter = ("department", "action", "subject_type")
    search_fields = ("action", "subject_type", "subject_id", "actor__name")
    date_hierarchy = "at"
    list_select_related = ("actor", "department")


class SomethingWent(admin.SimpleListFilter):
    """Nights on which nothing was old enough are hidden until asked for."""

    title = _("what")
    parameter_name = "went"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("some", _("something was deleted")), ("problem", _("something went wrong"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[RetentionRun]) -> QuerySet[RetentionRun]:
        if self.value() == "problem":
            return queryset.exclude(problem="")
        return queryset.filter(count__gt=0) if self.value() == "some" else queryset


@admin.register(RetentionRun)
class RetentionRunAdmin(ReadOnly):
    list_display = ("at", "table", "before", "count", "seconds", "problem")
    list_filter = (SomethingWent, "table")
    date_hierarchy = "at"


# allauth keeps a line per address beside the user; people change theirs under "Profile and signing in"
for model in (EmailAddress, EmailConfirmation):
    if admin.site.is_registered(model):
        admin.site.unregister(model)
