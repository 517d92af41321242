"""The form of an account: its common fields, and those its provider asks for."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from apps.core import zones
from apps.core.fields import code_of
from apps.core.money import currency_code

from .adapters.base import Setting
from .administration import FIELDS, credential_names
from .models import ChannelAccount
from .registry import adapter_class

_OPTION, _SECRET = "option_", "secret_"


class AccountForm(forms.ModelForm):
    """One provider account. Fields of credentials are write-only: what is stored is never put into a page."""

    class Meta:
        model = ChannelAccount
        fields = FIELDS

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.adapter = adapter_class(self.instance.adapter)
        stored = credential_names(self.instance)
        for setting in self.adapter.option_fields:
            initial = self.instance.options.get(setting.name, setting.default)
            self.fields[_OPTION + setting.name] = _field(setting, initial)
        for setting in self.adapter.credential_fields:
            self.fields[_SECRET + setting.name] = _secret(setting, setting.name in stored)
        self.fields["rate"].min_value = 0  # type: ignore[attr-defined]

    def clean_rate(self) -> Any:
        """More than nothing: an account that may send nothing is taken out of use instead."""
        rate = self.cleaned_data["rate"]
        if rate is None or rate <= 0:
            raise forms.ValidationError(_("The rate has to be more than zero."))
        return rate

    def clean_time_zone(self) -> str:
        """A name of the IANA database, or nothing."""
        name = str(self.cleaned_data["time_zone"]).strip()
        if name and zones.zone(name) is None:
            raise forms.ValidationError(_("There is no such time zone. Write it as Europe/Oslo."))
        return name

    def clean_currency(self) -> str:
        """An ISO 4217 code."""
        return code_of(currency_code, self, "currency")

    @property
    def values(self) -> dict[str, Any]:
        """The common fields."""
        return {name: self.cleaned_data[name] for name in FIELDS}

    @property
    def options(self) -> dict[str, Any]:
        """What the provider's own fields say."""
        return {n.removeprefix(_OPTION): v for n, v in self.cleaned_data.items() if n.startswith(_OPTION)}

    @property
    def credentials(self) -> dict[str, str]:
        """The credentials that were typed."""
        return {n.removeprefix(_SECRET): v for n, v in self.cleaned_data.items() if n.startswith(_SECRET)}

    @property
    def provider_name(self) -> Any:
        """For the page: who is set up here."""
        return self.adapter.name

    @property
    def common(self) -> list[forms.BoundField]:
        """For the page: the fields that every account has."""
        return [self[name] for name in FIELDS]

    @property
    def of_provider(self) -> list[forms.BoundField]:
        """For the page: the fields of the provider, credentials last."""
        return [field for field in self if field.name.startswith((_OPTION, _SECRET))]


def _field(setting: Setting, initial: Any) -> forms.Field:
    common: dict[str, Any] = {"label": setting.label, "initial": initial, "help_text": setting.help}
    if setting.kind == "boolean":
        return forms.BooleanField(required=False, **common)
    common["required"] = setting.required
    if setting.kind == "number":
        return forms.IntegerField(min_value=1, max_value=65535, **common)
    if setting.kind == "choice":
        return forms.ChoiceField(choices=setting.choices, **common)
    if setting.kind == "email":
        return forms.EmailField(**common)
    if setting.kind == "url":
        return forms.URLField(assume_scheme="https", **common)
    return forms.CharField(max_length=300, **common)


def _secret(setting: Setting, stored: bool) -> forms.Field:
    text = _("Stored. Type a new one to replace it.") if stored else _("Kept encrypted and never shown again.")
    return forms.CharField(
        label=setting.label,
        required=setting.required and not stored,
        max_length=500,
        help_text=text,
        strip=False,
        widget=forms.PasswordInput(render_value=False, attrs={"autocomplete": "new-password"}),
    )
