"""What forms of several apps ask alike."""

from collections.abc import Callable
from typing import Any

from django import forms


def code_of(read: Callable[[str], str], form: forms.BaseForm, name: str) -> str:
    """A form's cleaned text read by ``read``, whose ValueError is said beside the field; empty stays empty."""
    text: Any = form.cleaned_data.get(name) or ""
    try:
        return read(str(text)) if str(text).strip() else ""
    except ValueError as error:
        raise forms.ValidationError(str(error)) from error
