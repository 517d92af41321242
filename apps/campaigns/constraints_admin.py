"""Administration of what plans have to keep to: gaps, pairs of offers, exclusive rights, capacities, the rules' figures."""

from typing import Any

from django import forms
from django.contrib import admin
from django.utils.translation import gettext_lazy as _

from apps.accounts.administration import Audited, Ticks
from apps.channels.kinds import Channel

from .conflicts import lead_times, parameters
from .models import Capacity, ChannelWeight, Exclusivity, LeadTime, MinimumGap, OfferPairing, RuleParameter
from .models.constraints import PairingKind

WEEKDAYS = [
    (1, _("Monday")), (2, _("Tuesday")), (3, _("Wednesday")), (4, _("Thursday")), (5, _("Friday")), (6, _("Saturday")),
    (7, _("Sunday")),
]


class WeightInline(admin.TabularInline):
    template = "admin/inline_table.html"
    model = ChannelWeight
    extra = 0


class GapForm(forms.ModelForm):
    channels = Ticks(label=_("Channels"), choices=Channel.choices, help_text=_("None ticked: all channels together."))

    class Meta:
        model = MinimumGap
        fields = ("name", "hours", "channels", "department", "is_active")


@admin.register(MinimumGap)
class MinimumGapAdmin(Audited):
    form = GapForm
    list_display = ("name", "hours", "department", "is_active")
    list_filter = ("is_active", "department")


class PairingForm(forms.ModelForm):
    class Meta:
        model = OfferPairing
        fields = ("name", "kind", "first_offer", "first_category", "second_offer", "second_category", "days", "is_active")

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        sides = ["first"] if data.get("kind") == PairingKind.NO_DUPLICATE else ["first", "second"]
        for side in sides:
            if bool(data.get(f"{side}_offer")) == bool(data.get(f"{side}_category")):
                self.add_error(f"{side}_offer", _("Choose either an offer or a category."))
        return data


@admin.register(OfferPairing)
class OfferPairingAdmin(Audited):
    form = PairingForm
    list_display = ("name", "kind", "days", "is_active")
    list_filter = ("kind", "is_active")


class ExclusivityForm(forms.ModelForm):
    class Meta:
        model = Exclusivity
        fields = (
            "name", "starts_on", "ends_on", "brand", "product", "category", "surface", "department", "campaign", "is_active",
        )

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if data.get("starts_on") and data.get("ends_on") and data["ends_on"] < data["starts_on"]:
            self.add_error("ends_on", _("The last day is before the first."))
        if not any(data.get(name) for name in ("brand", "product", "category", "surface")):
            self.add_error("brand", _("Say what is exclusive: a brand, a product, a category or a surface."))
        if not any(data.get(name) for name in ("department", "campaign")):
            self.add_error("department", _("Say whose it is: a department or a campaign."))
        return data


@admin.register(Exclusivity)
class ExclusivityAdmin(Audited):
    form = ExclusivityForm
    list_display = ("name", "starts_on", "ends_on", "brand", "product", "category", "surface", "department", "is_active")
    list_filter = ("is_active", "department")
    list_select_related = ("product", "category", "surface", "department")
    autocomplete_fields = ("product",)


class CapacityForm(forms.ModelForm):
    weekdays = forms.TypedMultipleChoiceField(
        label=_("Weekdays"), choices=WEEKDAYS, coerce=int, required=False, widget=forms.CheckboxSelectMultiple,
        help_text=_("None ticked: every day."),
    )

    class Meta:
        model = Capacity
        fields = (
            "name", "channel", "account", "starts_on", "ends_on", "weekdays", "per_day", "growth_percent", "is_hard",
            "is_active",
        )


@admin.register(Capacity)
class CapacityAdmin(Audited):
    form = CapacityForm
    list_display = ("name", "channel", "account", "starts_on", "ends_on", "per_day", "growth_percent", "is_active")
    list_filter = ("channel", "is_active")
    list_select_related = ("account",)


class ParameterForm(forms.ModelForm):
    code = forms.ChoiceField(label=_("Figure"), choices=[(code, code.replace("_", " ")) for code in parameters.CODES])

    class Meta:
        model = RuleParameter
        fields = ("code", "department", "value")

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if data.get("department") and data.get("code") in parameters.COMPANY_WIDE:
            self.add_error("department", _("This figure is the same for the whole company."))
        if str(data.get("code", "")).endswith("_share") and (data.get("value") or 0) > 1:
            self.add_error("value", _("A share lies between 0 and 1."))
        return data


@admin.register(RuleParameter)
class RuleParameterAdmin(Audited):
    form = ParameterForm
    list_display = ("code", "department", "value", "shipped")
    list_filter = ("department",)
    list_select_related = ("department",)

    @admin.display(description=_("as shipped"))
    def shipped(self, row: RuleParameter) -> str:
        return str(getattr(parameters.current(), row.code, ""))


class LeadTimeForm(forms.ModelForm):
    class Meta:
        model = LeadTime
        fields = ("channel", "department", "days")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["channel"].help_text = _("Without one: all channels that have no line of their own.")


@admin.register(LeadTime)
class LeadTimeAdmin(Audited):
    form = LeadTimeForm
    list_display = ("channel_name", "department", "days", "shipped")
    list_filter = ("department",)
    list_select_related = ("department",)

    @admin.display(description=_("channel"), ordering="channel")
    def channel_name(self, row: LeadTime) -> str:
        return row.get_channel_display() or str(_("other channels"))

    @admin.display(description=_("as shipped"))
    def shipped(self, row: LeadTime) -> int:
        return lead_times.LeadTimes().of(row.channel, None)
