"""Offers with their prices, and a department's brand."""

from __future__ import annotations

import io
import re
from decimal import Decimal, InvalidOperation
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _t
from django.utils.translation import gettext_lazy as _
from PIL import Image, UnidentifiedImageError

from apps.core.fields import code_of
from apps.core.money import currency_code

from ..models import Brand, Offer
from ..offers import contradictions
from .widgets import DateInput, SeenForm, day_in_reach

# what the column of an offer's price holds
MOST_MONEY = Decimal(10) ** 9
LOGO_BYTES = 300_000
LOGO_SIDE = 2000
LOGO_TYPES = {"PNG": "image/png", "JPEG": "image/jpeg", "GIF": "image/gif", "WEBP": "image/webp"}
FOOTER_LANGUAGES = {"en": _("English"), "nb": _("Norwegian"), "pl": _("Polish"), "de": _("German")}


class OfferForm(SeenForm):
    """An offer; days are whole days of the company's zone."""

    first_day = forms.DateField(label=_("Valid from"), widget=DateInput(), validators=[day_in_reach])
    last_day = forms.DateField(
        label=_("Valid until, that day included"), widget=DateInput(), validators=[day_in_reach]
    )
    price_list = forms.CharField(
        label=_("Prices per country"), required=False, widget=forms.Textarea(attrs={"rows": 4, "class": "mono"}),
        help_text=_("One country a line: its code, the amount, the currency. For instance: NO 999 NOK"),
    )

    class Meta:
        model = Offer
        fields = ["name", "kind", "product", "category", "value", "currency", "code", "claim", "terms"]
        widgets = {"terms": forms.Textarea(attrs={"rows": 3})}

    def clean_price_list(self) -> dict[str, tuple[Decimal, str]]:
        prices: dict[str, tuple[Decimal, str]] = {}
        for number, line in enumerate(self.cleaned_data["price_list"].splitlines(), 1):
            if line.strip():
                country, amount, currency = _price(line, number)
                prices[country] = (amount, currency)
        return prices

    def clean_currency(self) -> str:
        return code_of(currency_code, self, "currency")

    def clean(self) -> dict[str, Any]:
        values = super().clean() or {}
        for name, words in contradictions(values | {"prices": values.get("price_list")}).items():
            self.add_error("price_list" if name == "prices" else name, words)
        return values


def _price(line: str, number: int) -> tuple[str, Decimal, str]:
    found = re.fullmatch(r"\s*([A-Za-z]{2})[\s:;,]+([\d\s.,]+?)[\s;]*([A-Za-z]{3})\s*", line)
    if not found:
        raise ValidationError(_t("Line %(line)s is not understood. Write for instance: NO 999 NOK") % {"line": number})
    amount = re.sub(r"\s", "", found[2])
    amount = amount.replace(".", "").replace(",", ".") if "," in amount else amount
    try:
        money = Decimal(amount)
    except InvalidOperation as error:
        raise ValidationError(_t("Line %(line)s: the amount is not a number.") % {"line": number}) from error
    if money >= MOST_MONEY:
        raise ValidationError(_t("Line %(line)s: the amount is too large.") % {"line": number})
    try:
        return found[1].upper(), money, currency_code(found[3])
    except ValueError as error:
        raise ValidationError(f"{_t('Line %(line)s:') % {'line': number}} {error}") from error


class BrandForm(SeenForm):
    """How a department's messages look and who signs them."""

    logo_file = forms.FileField(
        label=_("Logo"), required=False, help_text=_("PNG, JPEG, GIF or WebP, at most 300 KB. Best twice as large as shown.")
    )

    class Meta:
        model = Brand
        fields = ["company_name", "sender_name", "sender_email", "reply_to", "postal_address", "colour", "text_colour", "logo_alt"]
        widgets = {"colour": forms.TextInput(attrs={"type": "color"}), "text_colour": forms.TextInput(attrs={"type": "color"})}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for code, name in FOOTER_LANGUAGES.items():
            self.fields[f"footer_{code}"] = forms.CharField(
                label=_t("Footer in %(language)s") % {"language": name}, required=False, max_length=1000,
                widget=forms.Textarea(attrs={"rows": 2}), initial=(self.instance.footers or {}).get(code, ""),
            )

    def clean_logo_file(self) -> tuple[bytes, str] | None:
        """The picture's bytes and type. Pillow decides what it is, not its name."""
        file = self.cleaned_data.get("logo_file")
        if not file:
            return None
        if file.size > LOGO_BYTES:
            raise ValidationError(_t("The picture is too large: at most 300 KB."))
        data: bytes = file.read()
        try:
            with Image.open(io.BytesIO(data), formats=list(LOGO_TYPES)) as picture:
                kind, size = str(picture.format), picture.size
                picture.verify()
        except (UnidentifiedImageError, OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
            raise ValidationError(_t("This file is not a picture that mail programs show.")) from error
        if max(size) > LOGO_SIDE:
            raise ValidationError(_t("The picture is too large: at most %(side)s pixels a side.") % {"side": LOGO_SIDE})
        return data, LOGO_TYPES[kind]

    def footers(self) -> dict[str, str]:
        """Footers per language that hold anything."""
        texts = {code: self.cleaned_data[f"footer_{code}"].strip() for code in FOOTER_LANGUAGES}
        return {code: text for code, text in texts.items() if text}
