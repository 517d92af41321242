"""Serving first in a real browser: the card on a person's page and at the counter, and the recall of a product."""

import os

import pytest

from apps.customers.models import CareFlag
from tests.factories.accounts import UserFactory
from tests.factories.customers import InteractionFactory, ProductFactory, person

SIDEWAYS = "document.documentElement.scrollWidth - window.innerWidth"


def look(page, name):
    """A picture for whoever asked for one."""
    if folder := os.environ.get("CONCORD_PICTURES"):
        page.screenshot(path=f"{folder}/{name}.png")


def test_an_agent_opens_and_closes_it_on_the_persons_page(open_page):
    kari = person()
    page = open_page(UserFactory(role="agent"))
    page.goto(f"/customers/{kari.pk}/")
    card = page.locator("#care")
    card.get_by_label("Why this person is served first").select_option("bereavement")
    card.get_by_role("button", name="Open").click()
    page.get_by_text("no promotion reaches them until it is closed").first.wait_for()
    assert CareFlag.objects.get().closed_at is None
    look(page, "care-open")
    card.get_by_role("button", name="Close bereavement").click()
    card.get_by_text("Nothing is open.").wait_for()
    assert CareFlag.objects.get().closed_at is not None


@pytest.mark.parametrize(("width", "dark"), [(1440, False), (390, True)])
def test_the_cards_and_the_recall_are_accessible_and_fit(open_page, axe, width, dark):
    kari, parka = person(), ProductFactory(name="Parka")
    InteractionFactory(kind="purchase", product=parka)
    CareFlag.objects.create(customer=kari, reason="complaint", since="2026-11-01T10:00:00Z")
    page = open_page(UserFactory(role="administrator", handles_personal_data=True), width=width, dark=dark)
    for name, path in (
        ("person", f"/customers/{kari.pk}/"), ("counter", f"/counter/{kari.pk}/"), ("recall", f"/products/{parka.pk}/recall/?since=2026-01-01"),
        ("products", "/products/"), ("rules", "/conflicts/rules/"),
    ):
        page.goto(path)
        look(page, f"{name}-{width}")
        assert axe(page) == []
        assert page.evaluate(SIDEWAYS) <= 0
