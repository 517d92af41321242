"""Codes that people type are codes of the list."""

import pytest

from apps.campaigns.forms.campaigns import CampaignForm
from apps.core.money import currencies, currency_code
from apps.customers.imports.dialect import FileRefused
from apps.customers.imports.mapping import getter
from apps.customers.views.imports import UploadForm


def test_the_list_holds_money_of_today():
    assert {"EUR", "NOK", "PLN", "USD", "GBP"} <= currencies()
    assert currency_code(" nok ") == "NOK"


@pytest.mark.parametrize("text", ["<>'", "XYZ", "EURO", "12", "€"])
def test_what_is_no_currency_is_refused_in_words(text):
    with pytest.raises(ValueError, match="is not a currency"):
        currency_code(text)


@pytest.mark.django_db
def test_forms_say_it_beside_the_field():
    assert "is not a currency" in str(CampaignForm({"currency": "<>'"}).errors["currency"])
    assert "is not a country" in str(UploadForm({"country": "<>"}).errors["country"])


@pytest.mark.parametrize("template", ["{email", "email}", "{a} and {b", "{{email}}"])
def test_a_brace_without_its_pair_is_refused_in_words(template):
    with pytest.raises(FileRefused, match="brace without its pair"):
        getter(template, ["email", "a", "b"])
