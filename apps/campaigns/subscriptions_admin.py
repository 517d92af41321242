"""Administration of webhooks: addresses that are told of conflicts, a test, the calls made and those given up."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from apps.accounts.administration import Audited, ReadOnly
from apps.core import crypto
from apps.core.clock import now

from . import webhooks
from .models import CalendarFeed, WebhookCall, WebhookEndpoint


class EndpointForm(forms.ModelForm):
    """Where to call. The secret is made by Concord and shown once."""

    url = forms.URLField(label=_("Address"), max_length=400, assume_scheme="https")

    class Meta:
        model = WebhookEndpoint
        fields = ("name", "url", "department", "is_active")

    def clean_url(self) -> str:
        url = self.cleaned_data["url"]
        try:
            webhooks.resolved(url)
        except webhooks.Refused as error:
            raise forms.ValidationError(str(error)) from error
        except (OSError, ValueError) as error:
            raise forms.ValidationError(_("This name is not known.")) from error
        return url


@admin.register(WebhookEndpoint)
class WebhookEndpointAdmin(Audited):
    form = EndpointForm
    list_display = ("name", "url", "department", "is_active", "created_at", "waiting")
    list_filter = ("is_active", "department")
    search_fields = ("name", "url")
    actions = ("send_test", "new_secret")

    @admin.display(description=_("waiting calls"))
    def waiting(self, obj: WebhookEndpoint) -> int:
        return obj.calls.filter(done_at=None).count()

    def save_model(self, request: HttpRequest, obj: WebhookEndpoint, form: Any, change: bool) -> None:
        if change:
            super().save_model(request, obj, form, change)
            return
        obj.created_at = now()
        self._give_secret(request, obj)

    def _give_secret(self, request: HttpRequest, obj: WebhookEndpoint) -> None:
        secret = webhooks.make_secret()
        obj.secret = crypto.encrypt({"secret": secret})
        obj.save()
        self.message_user(
            request, _("The secret of %(name)s, shown this once: %(secret)s") % {"name": obj, "secret": secret}, messages.WARNING
        )

    @admin.action(description=_("Send a test"))
    def send_test(self, request: HttpRequest, queryset: QuerySet[WebhookEndpoint]) -> None:
        for endpoint in queryset:
            call = webhooks.test(endpoint, now=now())
            if call.problem:
                self.message_user(request, f"{endpoint}: {call.problem}", messages.ERROR)
            else:
                self.message_user(request, _("%(name)s took it.") % {"name": endpoint}, messages.SUCCESS)

    @admin.action(description=_("Make a new secret; the old one signs no more"))
    def new_secret(self, request: HttpRequest, queryset: QuerySet[WebhookEndpoint]) -> None:
        for endpoint in queryset:
            self._give_secret(request, endpoint)
            self.log_change(request, endpoint, "secret")


class Outcome(admin.SimpleListFilter):
    """Taken, waiting, given up."""

    title = _("outcome")
    parameter_name = "outcome"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("waiting", _("waiting")), ("taken", _("taken")), ("given_up", _("given up"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[WebhookCall]) -> QuerySet[WebhookCall]:
        taken = queryset.filter(status__gte=200, status__lt=300)
        if self.value() == "waiting":
            return queryset.filter(done_at=None)
        if self.value() == "taken":
            return taken.exclude(done_at=None)
        return queryset.exclude(done_at=None).exclude(pk__in=taken.values("pk")) if self.value() else queryset


@admin.register(WebhookCall)
class WebhookCallAdmin(ReadOnly):
    list_display = ("created_at", "endpoint", "event", "attempts", "status", "problem", "next_at", "done_at")
    list_filter = (Outcome, "event", "endpoint")
    list_select_related = ("endpoint",)
    actions = ("redeliver",)

    @admin.action(description=_("Send again"), permissions=["view"])
    def redeliver(self, request: HttpRequest, queryset: QuerySet[WebhookCall]) -> None:
        calls = [webhooks.again(call, now=now()) for call in queryset.select_related("endpoint")]
        self.message_user(request, _("Will be sent again: %(n)s") % {"n": len(calls)}, messages.SUCCESS)


@admin.register(CalendarFeed)
class CalendarFeedAdmin(ReadOnly):
    list_display = ("prefix", "user", "department", "channel", "is_mine", "created_at", "last_used_at", "revoked_at")
    list_filter = ("department",)
    list_select_related = ("user", "department")
    actions = ("revoke",)

    @admin.action(description=_("Revoke at once"), permissions=["view"])
    def revoke(self, request: HttpRequest, queryset: QuerySet[CalendarFeed]) -> None:
        from apps.accounts.access import current_user

        from . import feeds

        for feed in queryset:
            feeds.revoke(feed, actor=current_user(request), now=now())
