"""Copy whose price or claim differs from its offer is flagged; innocent numbers are not."""

from decimal import Decimal

import pytest

from apps.campaigns import readiness
from apps.campaigns.content import claims
from apps.campaigns.models.offers import OfferPrice
from tests.factories.campaigns import NOW, CampaignFactory, ContentVersionFactory, MessageFactory, OfferFactory

pytestmark = pytest.mark.django_db


def said(text, **offer):
    """What is flagged of a message with that text and that offer."""
    message = MessageFactory(campaign=CampaignFactory(), offer=OfferFactory(**offer))
    return claims.problems(ContentVersionFactory(message=message, format="html", subject="", preheader="", body=text))


@pytest.mark.parametrize("text", [
    "Save 30 % on all coats", "−30 % denne uken", "Taniej o 30%", "100 % cotton, 30 % off", "Ull: 80 % ull, 20 % polyamid",
    "<p style='width:50%'>30 % rabatt</p>", "<style>.a{width:20%}</style>now 30% off", "We gave 95 % of our customers an answer",
])
def test_a_text_that_says_what_the_offer_gives_is_left_alone(text):
    assert said(text, kind="percent", value=30) == []


@pytest.mark.parametrize("text", ["Save 40 % on all coats", "−25 % denne uken", "Taniej o 20%", "30 % rabatt! Ja, 35 % avslag"])
def test_another_discount_than_the_offers_is_flagged_once(text):
    assert len(said(text, kind="percent", value=30)) == 1


def test_a_discount_in_words_for_an_offer_at_full_price_is_flagged():
    assert "full price" in said("Now 20 % off", kind="full_price", value=None)[0]
    assert said("100 % wool", kind="full_price", value=None) == []


PRICE = {"kind": "price", "value": Decimal("1299"), "currency": "NOK"}


@pytest.mark.parametrize("text", [
    "Nå 1 299 kr", "Nå kr 1.299,00", "NOK 1,299.00 only", "Now 1299 kr", "Free delivery over 500 kr", "Model 2000, size 42",
    "Fri frakt over kr 990", "Was 1799 kr, now 1299 kr", "About € 115", "{{ product.price }} 999", "Call 22 33 44 55",
])
def test_the_offers_own_price_and_other_numbers_are_left_alone(text):
    assert said(text, **PRICE) == []


@pytest.mark.parametrize("text", ["Nå 999 kr", "Kun kr 1 199,-", "NOK 1,399.00 only", "bare 1299,50 kr"])
def test_another_price_than_the_offers_is_flagged(text):
    assert len(said(text, **PRICE)) == 1


def test_a_price_of_another_country_is_the_offers_too():
    offer = OfferFactory(**PRICE)
    OfferPrice.objects.create(offer=offer, country="PL", currency="PLN", amount=Decimal("499.99"))
    message = MessageFactory(campaign=CampaignFactory(), offer=offer)
    good = ContentVersionFactory(message=message, language="pl", format="html", subject="Teraz 499,99 zł", body="x")
    assert claims.problems(good) == []
    good.subject = "Teraz 449,99 zł"
    assert "499.99 PLN" in claims.problems(good)[0]


def test_the_check_warns_of_it_and_does_not_stop_the_campaign():
    offer = OfferFactory(kind="percent", value=30)
    message = MessageFactory(campaign=CampaignFactory(), offer=offer)
    ContentVersionFactory(message=message, format="html", subject="Hei", body="Spar 40 %")
    flagged = [each for each in readiness.problems(message.campaign, now=NOW) if "40 %" in each.text]
    assert [each.blocks for each in flagged] == [False]
