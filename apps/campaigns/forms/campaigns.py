"""The brief of a campaign, a programme, and dates for a copy."""

from __future__ import annotations

from typing import Any

from django import forms
from django.db import models
from django.utils.html import escape
from django.utils.translation import gettext as _t
from django.utils.translation import gettext_lazy as _

from apps.accounts.models import Role, User
from apps.core import formats
from apps.core.fields import code_of
from apps.core.money import currency_code

from .. import inheritance, locking
from ..models import Campaign, Offer, Programme
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
        fields = ["name", "starts_on", "ends_on", "takes_dates", "owner", "programme", "key_message", "offer", "goal", "goal_metric",
                  "goal_value", "product", "budget", "currency", "priority", "brief"]  # fmt: skip
        widgets = {"starts_on": DateInput(), "ends_on": DateInput(), "brief": forms.Textarea(attrs={"rows": 5}),
                   "key_message": forms.Textarea(attrs={"rows": 2})}  # fmt: skip
        help_texts = {"priority": _("0 to 100. When people get too many messages, higher goes first.")}

    def __init__(self, *args: Any, department: Any = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        keep_in_reach(self, "starts_on", "ends_on")
        people = User.objects.filter(is_active=True).exclude(role=Role.AGENT)
        choose_from(self.fields["owner"], people.filter(department=department) if department else people)
        current = models.Q(archived_at=None) | models.Q(pk=self.instance.offer_id)
        choose_from(self.fields["offer"], Offer.objects.filter(current))
        self._say_what_is_inherited()
        if words := locking.problem(self.instance):
            for name in inheritance.DAYS:
                self.fields[name].widget.attrs["readonly"] = True
                self.fields[name].help_text = escape(words)
        if self.instance.pk:
            self.fields["version"].initial = self.instance.version
            self.fields["control_percent"].initial = round(self.instance.control_share * 100, 1)

    def _say_what_is_inherited(self) -> None:
        """Beside each field that is empty or follows: what the programme says."""
        programme = self.instance.programme
        self.fields["takes_dates"].help_text = _t("The days above follow the programme's, also when they change.")
        self.fields["offer"].help_text = _t("Of all its promotions that name no other.")
        if programme is None:
            return
        self.fields["takes_dates"].help_text = formats.span(programme.starts_on, programme.ends_on)
        told = {
            "key_message": programme.key_message, "offer": str(programme.offer or ""),
            "budget": "" if programme.budget is None else formats.money(programme.budget, programme.currency),
        }
        for name, words in told.items():
            if words:
                self.fields[name].help_text = escape(_t("Empty: the programme's, %(what)s") % {"what": words})

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
        choose_from(self.fields["offer"], Offer.objects.filter(models.Q(archived_at=None) | models.Q(pk=self.instance.offer_id)))

    def clean_currency(self) -> str:
        return code_of(currency_code, self, "currency")

    def clean(self) -> dict[str, Any]:
        return _in_order(self, super().clean() or {})


    def values(self) -> dict[str, Any]:
        """What the domain takes."""
        return {name: self.cleaned_data[name] for name in self.Meta.fields}


class CopyForm(forms.Form):
    name = forms.CharField(label=_("Name"), max_length=120)
    starts_on = forms.DateField(label=_("First day"), widget=DateInput(), validators=[day_in_reach])
