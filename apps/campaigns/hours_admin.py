"""Administration of quiet hours and embargoes."""

from typing import Any

from django import forms
from django.contrib import admin
from django.utils.translation import gettext_lazy as _

from apps.accounts.administration import Audited, Lines, Ticks
from apps.channels.kinds import Channel

from .constraints_admin import WEEKDAYS
from .models import Embargo, QuietHours


class QuietForm(forms.ModelForm):
    weekdays = forms.TypedMultipleChoiceField(
        label=_("Begins on"), choices=WEEKDAYS, coerce=int, required=False, widget=forms.CheckboxSelectMultiple,
        help_text=_("None ticked: every day. A period over midnight belongs to the day on which it begins."),
    )
    channels = Ticks(label=_("Channels"), choices=Channel.choices, help_text=_("None ticked: all channels."))
    countries = Lines(label=_("Countries"), help_text=_("Two letters each, one per line; empty: all countries."))

    class Meta:
        model = QuietHours
        fields = (
            "name", "weekdays", "begins", "ends", "channels", "countries", "department", "includes_service", "is_law", "source",
            "is_active",
        )
        help_texts = {"ends": _("The same time as the beginning makes a whole day.")}


@admin.register(QuietHours)
class QuietHoursAdmin(Audited):
    form = QuietForm
    list_display = ("name", "begins", "ends", "department", "is_law", "is_active")
    list_filter = ("is_active", "is_law", "department")


class EmbargoForm(forms.ModelForm):
    class Meta:
        model = Embargo
        fields = ("name", "lifts_at", "brand", "product", "category", "reason", "is_active")

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if not any(data.get(name) for name in ("brand", "product", "category")):
            self.add_error("brand", _("Say what must not be told: a brand, a product or a category."))
        return data


@admin.register(Embargo)
class EmbargoAdmin(Audited):
    form = EmbargoForm
    list_display = ("name", "lifts_at", "brand", "product", "category", "is_active")
    list_filter = ("is_active",)
    list_select_related = ("product", "category")
    autocomplete_fields = ("product",)
