"""Administration of contact policies, blackouts and programmes; approvals, runs and stops to look at."""

from functools import partial
from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from apps.accounts.access import current_user
from apps.accounts.administration import Audited, Lines, ReadOnly, Ticks
from apps.channels.kinds import Channel
from apps.core.clock import now

from . import hours_admin, programmes, subscriptions_admin  # noqa: F401  registers their pages
from .constraints_admin import WeightInline
from .models import Approval, Blackout, Conflict, ConflictSettings, ContactPolicy, Halt, Programme, Run


class PolicyForm(forms.ModelForm):
    channels = Ticks(label=_("Channels"), choices=Channel.choices, help_text=_("None ticked: all channels together."))

    class Meta:
        model = ContactPolicy
        fields = ("name", "limit", "hours", "channels", "department", "counts_service", "grouping", "is_active")


@admin.register(ContactPolicy)
class ContactPolicyAdmin(Audited):
    form = PolicyForm
    inlines = (WeightInline,)
    list_display = ("name", "limit", "hours", "grouping", "department", "counts_service", "is_active")
    list_filter = ("is_active", "department")

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        obj.created_at = obj.created_at or now()
        super().save_model(request, obj, form, change)


@admin.register(ConflictSettings)
class ConflictSettingsAdmin(Audited):
    """One row: there is nothing to add once it is there, and nothing to delete."""

    list_display = ("undecided",)
    list_display_links = ("undecided",)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return super().has_add_permission(request) and not ConflictSettings.objects.exists()

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class BlackoutForm(forms.ModelForm):
    channels = Ticks(label=_("Channels"), choices=Channel.choices, help_text=_("None ticked: all channels."))
    countries = Lines(label=_("Countries"), help_text=_("Two letters each, one per line; empty: all countries."))

    class Meta:
        model = Blackout
        fields = (
            "name",
            "starts_on",
            "ends_on",
            "channels",
            "countries",
            "department",
            "includes_service",
            "reason",
            "is_active",
        )

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if data.get("starts_on") and data.get("ends_on") and data["ends_on"] < data["starts_on"]:
            self.add_error("ends_on", _("The last day is before the first."))
        return data


@admin.register(Blackout)
class BlackoutAdmin(Audited):
    form = BlackoutForm
    list_display = ("name", "starts_on", "ends_on", "department", "includes_service", "is_active")
    list_filter = ("is_active", "department")
    date_hierarchy = "starts_on"


@admin.register(Programme)
class ProgrammeAdmin(Audited):
    list_display = ("name", "starts_on", "ends_on", "budget", "currency")
    search_fields = ("name",)
    autocomplete_fields = ()
    fields = programmes.FIELDS

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """By the same calls as on the programme's page, so that campaigns that inherit follow."""
        act = partial(programmes.change, programme=obj) if change else programmes.create
        stored = act(actor=current_user(request), values={name: form.cleaned_data[name] for name in programmes.FIELDS}, now=now())
        obj.pk, obj.version, obj.created_at = stored.pk, stored.version, stored.created_at


@admin.register(Approval)
class ApprovalAdmin(ReadOnly):
    list_display = ("campaign", "state", "asked_by", "asked_at", "decided_by", "decided_at", "valid_until")
    list_filter = ("state", "campaign__department")
    search_fields = ("campaign__name",)
    exclude = ("signed",)
    list_select_related = ("campaign", "asked_by", "decided_by")


@admin.register(Conflict)
class ConflictAdmin(ReadOnly):
    list_display = ("rule", "first_campaign", "second_campaign", "severity", "people_count", "state", "found_at")
    list_filter = ("state", "severity", "rule")
    search_fields = ("first_campaign__name", "second_campaign__name")
    list_select_related = ("first_campaign", "second_campaign")
    exclude = ("people_both", "facts", "agreed_facts", "digest", "identity")


@admin.register(Run)
class RunAdmin(ReadOnly):
    list_display = ("message", "run_day", "scheduled_at", "state", "audience_count", "started_at", "finished_at")
    list_filter = ("state", "message__channel", "message__campaign__department")
    date_hierarchy = "scheduled_at"
    search_fields = ("message__name", "message__campaign__name")
    list_select_related = ("message",)
    exclude = ("audience",)


@admin.register(Halt)
class HaltAdmin(ReadOnly):
    list_display = (
        "scope",
        "message",
        "campaign",
        "department",
        "stopped_by",
        "stopped_at",
        "already_sent",
        "lifted_by",
        "lifted_at",
    )
    list_filter = ("scope",)
    list_select_related = ("message", "campaign", "department", "stopped_by", "lifted_by")
