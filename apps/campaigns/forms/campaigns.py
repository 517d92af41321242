"""The brief of a campaign, a programme, and dates for a copy."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext as _t
from django.utils.translation import gettext_lazy as _

from apps.accounts.models import Role, User
from apps.core.fields import code_of
from apps.core.money import currency_code

from ..models import Campaign, Programme
from .widgets import DateInput, SeenForm, choose_from, day_in_reach, keep_in_reach, version_field


class CampaignForm(forms.ModelForm):
    """Everything a planner says about a campaign as a whole."""

    version = version_field()
    control_percent = forms.DecimalField(
        label=_("Control group, per cent"), min_value=0, max_value=90, decimal_places=1, required=False, initial=0,
        help_text=_("This part of the audience is kept out, to measure what the campaign really brings."),
    )

    class Meta:
        model = Campaign
        fields = ["name", "starts_on", "ends_on", "owner", "programme", "goal", "goal_metric", "goal_value", "product",
                  "budget", "currency", "priority", "brief"]  # fmt: skip
        widgets = {"starts_on": DateInput(), "ends_on": DateInput(), "brief": forms.Textarea(attrs={"rows": 5})}
        help_texts = {"priority": _("0 to 100. When people get too many messages, higher goes first.")}

    def __init__(self, *args: Any, department: Any = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        keep_in_reach(self, "starts_on", "ends_on")
        people = User.objects.filter(is_active=True).exclude(role=Role.AGENT)
        choose_from(self.fields["owner"], people.filter(department=department) if department else people)
        if self.instance.pk:
            self.fields["version"].initial = self.instance.version
            self.fields["control_percent"].initial = round(self.instance.control_share * 100, 1)

    def clean_currency(self) -> str:
        return code_of(currency_code, self, "currency")

    def clean(self) -> dict[str, Any]:
        return _in_order(self, super().clean() or {})

    def values(self) -> dict[str, Any]:
        """What planning takes."""
        chosen = {name: self.cleaned_data[name] for name in self.Meta.fields}
        return chosen | {"control_share": (self.cleaned_data.get("control_percent") or 0) / 100}


def _in_order(form: forms.BaseForm, values: dict[str, Any]) -> dict[str, Any]:
    if values.get("starts_on") and values.get("ends_on") and values["ends_on"] < values["starts_on"]:
        form.add_error("ends_on", _t("The end is before the beginning."))
    return values


class ProgrammeForm(SeenForm):
    class Meta:
        model = Programme
        fields = ["name", "key_message", "offer", "starts_on", "ends_on", "budget", "currency"]
        widgets = {"starts_on": DateInput(), "ends_on": DateInput(), "key_message": forms.Textarea(attrs={"rows": 3})}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        keep_in_reach(self, "starts_on", "ends_on")

    def clean_currency(self) -> str:
        return code_of(currency_code, self, "currency")

    def clean(self) -> dict[str, Any]:
        return _in_order(self, super().clean() or {})


class CopyForm(forms.Form):
    name = forms.CharField(label=_("Name"), max_length=120)
    starts_on = forms.DateField(label=_("First day"), widget=DateInput(), validators=[day_in_reach])
