"""Native pickers of date and time."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from datetime import date
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.db import models
from django.utils.translation import gettext as _t
from django.utils.translation import gettext_lazy as _


class DateInput(forms.DateInput):
    input_type = "date"

    def __init__(self, **attrs: Any) -> None:
        super().__init__(attrs=attrs, format="%Y-%m-%d")


class TimeInput(forms.TimeInput):
    input_type = "time"

    def __init__(self, **attrs: Any) -> None:
        super().__init__(attrs=attrs, format="%H:%M")


def choose_from(field: forms.Field, rows: models.QuerySet[Any], label: Callable[[Any], str] | None = None) -> None:
    """Offer these rows in a field of a model form."""
    assert isinstance(field, forms.ModelChoiceField)
    field.queryset = rows
    if label:
        field.label_from_instance = label  # type: ignore[method-assign,assignment]


def tick_from(field: forms.Field, rows: models.QuerySet[Any], label: Callable[[Any], str] | None = None) -> None:
    """Offer these rows as boxes to tick: nobody has to know which key chooses a second line."""
    assert isinstance(field, forms.ModelMultipleChoiceField)
    field.widget = forms.CheckboxSelectMultiple()
    choose_from(field, rows, label)


def day_in_reach(day: date) -> None:
    """Refuses a mistyped year: days at the ends of time cannot be moved, shown in a zone or counted on from."""
    if not 2000 <= day.year <= 2100:
        raise ValidationError(_("Choose a day between the years 2000 and 2100."))


def keep_in_reach(form: forms.BaseForm, *names: str) -> None:
    """Refuses days out of reach in these fields."""
    for name in names:
        form.fields[name].validators.append(day_in_reach)


def version_field() -> forms.IntegerField:
    """The hidden number of the state that the form was opened on."""
    return forms.IntegerField(widget=forms.HiddenInput, required=False)


def state_of(row: models.Model) -> str:
    """A short mark of everything that a stored row holds: another mark, another state."""
    values = [(field.attname, getattr(row, field.attname)) for field in row._meta.concrete_fields]
    told = [(name, bytes(value) if isinstance(value, memoryview) else value) for name, value in values]
    return hashlib.sha256(repr(told).encode()).hexdigest()[:24]


class SeenForm(forms.ModelForm):
    """A form of a row that knows on which state it was opened: of two people's saves none gets lost without a word.

    The view gives it the row as it is stored now, locked while it is saved.
    """

    seen = forms.CharField(widget=forms.HiddenInput, required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.state = state_of(self.instance) if self.instance.pk else ""
        self.fields["seen"].initial = self.state

    def clean(self) -> dict[str, Any]:
        values = super().clean() or {}
        if values.get("seen", "") != self.state:
            given: Any = self.data
            self.data = given = given.copy()
            given[self.add_prefix("seen")] = self.state
            raise ValidationError(
                _t("Somebody changed this while you were editing. Nothing of yours is lost.")
                + " "
                + _t("Your input stands in the form below. Save again to put it in place of theirs, or take over what you need.")
            )
        return values


REPEATS = {
    "": _("once"),
    "FREQ=DAILY": _("every day"),
    "FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR": _("every working day"),
    "FREQ=WEEKLY": _("every week"),
    "FREQ=WEEKLY;INTERVAL=2": _("every second week"),
    "FREQ=MONTHLY": _("every month"),
}
