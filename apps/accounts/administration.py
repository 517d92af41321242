"""What every page of the administration shares: changes stand on the audit trail, ledgers cannot be changed."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import Model
from django.http import HttpRequest

from apps.core.clock import now

from . import audit
from .access import current_user


class Audited(admin.ModelAdmin):
    """Additions, changes and deletions made in the administration are recorded with their field names."""

    list_per_page = 50
    show_full_result_count = False

    def log_addition(self, request: HttpRequest, obj: Model, message: Any) -> Any:
        self._record(request, obj, "added", message)
        return super().log_addition(request, obj, message)

    def log_change(self, request: HttpRequest, obj: Model, message: Any) -> Any:
        self._record(request, obj, "changed", message)
        return super().log_change(request, obj, message)

    def log_deletions(self, request: HttpRequest, queryset: Any) -> Any:
        for obj in queryset:
            self._record(request, obj, "deleted", [])
        return super().log_deletions(request, queryset)

    def _record(self, request: HttpRequest, obj: Model, what: str, message: Any) -> None:
        audit.record(
            actor=current_user(request), action=f"administration.{what}", subject=obj,
            department=getattr(obj, "department", None), after={"fields": message}, now=now(),
        )


class ReadOnly(admin.ModelAdmin):
    """A ledger or a record of what happened: to look at, to search, never to change."""

    list_per_page = 50
    show_full_result_count = False

    def has_add_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


class Ticks(forms.MultipleChoiceField):
    """A list kept as JSON, shown as boxes to tick, so that nobody types JSON. Nothing ticked means all."""

    widget = forms.CheckboxSelectMultiple

    def __init__(self, **options: Any) -> None:
        super().__init__(required=options.pop("required", False), **options)

    def has_changed(self, initial: Any, data: Any) -> bool:
        return sorted(initial or []) != sorted(data or [])


class Lines(forms.CharField):
    """A list of texts kept as JSON, shown as one line each."""

    def __init__(self, **options: Any) -> None:
        options.setdefault("widget", forms.Textarea(attrs={"rows": 4}))
        super().__init__(required=options.pop("required", False), **options)

    def prepare_value(self, value: Any) -> Any:
        return "\n".join(value) if isinstance(value, list) else value

    def to_python(self, value: Any) -> Any:
        return [line.strip() for line in (value or "").splitlines() if line.strip()]

    def has_changed(self, initial: Any, data: Any) -> bool:
        return bool((initial or []) != self.to_python(data))


class PerLanguage(admin.ModelAdmin):
    """Mixin for JSON columns that hold a text per language: each language gets a field of its own.

    ``per_language`` names the columns; the form fields are ``<column>_<language>``.
    """

    per_language: tuple[str, ...] = ()
    languages = (("en", "English"), ("nb", "Norsk"), ("pl", "Polski"), ("de", "Deutsch"))

    def get_form(self, request: HttpRequest, obj: Model | None = None, change: bool = False, **kwargs: Any) -> Any:
        texts = {
            f"{column}_{code}": forms.CharField(
                label=f"{self.model._meta.get_field(column).verbose_name} · {name}", required=False,
                initial=(getattr(obj, column) or {}).get(code, "") if obj else "",
            )
            for column in self.per_language
            for code, name in self.languages
        }
        form = type("PerLanguageForm", (self.form,), texts)
        return super().get_form(request, obj, change, **{**kwargs, "form": form, "fields": self._columns()})

    def _columns(self) -> list[str]:
        fields = self.model._meta.fields
        return [f.name for f in fields if f.editable and not f.primary_key and f.name not in self.per_language]

    def get_fieldsets(self, request: HttpRequest, obj: Model | None = None) -> Any:
        texts = [f"{column}_{code}" for column in self.per_language for code, _name in self.languages]
        return [(None, {"fields": [*self._columns(), *texts]})]

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        for column in self.per_language:
            texts = {code: form.cleaned_data.get(f"{column}_{code}", "") for code, _name in self.languages}
            setattr(obj, column, {code: text for code, text in texts.items() if text})
        super().save_model(request, obj, form, change)
