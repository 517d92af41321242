"""A mistyped year is refused beside its field."""

from datetime import date

import pytest

from apps.campaigns.forms.campaigns import CampaignForm, CopyForm
from apps.campaigns.forms.messages import ScheduleForm
from apps.campaigns.forms.offers import OfferForm
from apps.campaigns.models import Message
from tests.factories.campaigns import NOW

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("day", ["0001-01-01", "0206-11-22", "9999-12-31"])
def test_a_year_out_of_reach_is_refused_in_every_form_of_the_plan(day):
    forms = [
        (CampaignForm({"starts_on": day, "ends_on": day}), "starts_on"),
        (OfferForm({"first_day": day, "last_day": day}), "last_day"),
        (CopyForm({"name": "x", "starts_on": day}), "starts_on"),
        (ScheduleForm({"day": day, "clock": "00:00"}, instance=Message(send_at=NOW)), "day"),
        (ScheduleForm({"until_day": day, "until_clock": "00:00"}, instance=Message(send_at=NOW)), "until_day"),
    ]
    for form, field in forms:
        assert form.errors[field] == ["Choose a day between the years 2000 and 2100."]


def test_a_campaign_that_ends_before_it_begins_is_told_so_in_words():
    form = CampaignForm({"name": "x", "starts_on": date(2027, 4, 1), "ends_on": date(2027, 3, 1)})
    assert form.errors["ends_on"] == ["The end is before the beginning."]
    assert "__all__" not in form.errors


def test_a_price_larger_than_money_can_be_is_refused_with_its_line():
    form = OfferForm({"price_list": "NO 999 NOK\nSE 999999999999999999 SEK"})
    assert form.errors["price_list"] == ["Line 2: the amount is too large."]
