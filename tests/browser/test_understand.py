"""The list and the page of a conflict in a real browser: grouped, drawn, opened to people, accessible, and it fits."""

import os

import pytest
from pyroaring import BitMap

from apps.campaigns.conflicts import response
from apps.campaigns.models import Message
from tests.campaigns.conflicts.conftest import count, planned, scene  # noqa: F401
from tests.factories.campaigns import NOW
from tests.factories.customers import CustomerFactory

SIDEWAYS = "document.documentElement.scrollWidth - window.innerWidth"
BUYERS = BitMap(range(40, 60))
PAST = response.Response(
    {"email": (4000, 80), "sms": (3000, 30)},
    {"email": ((BitMap(range(40, 4040)),), (BitMap(range(100, 180)),)), "sms": ((BitMap(range(40, 3040)),), (BUYERS,))},
)


def look(page, name):
    """A picture for whoever asked for one."""
    if folder := os.environ.get("CONCORD_PICTURES"):
        page.screenshot(path=f"{folder}/{name}.png", full_page=True)


@pytest.mark.parametrize(("width", "dark"), [(1440, False), (390, True)])
def test_a_conflict_is_listed_drawn_and_opened_to_people(open_page, axe, monkeypatch, scene, width, dark):  # noqa: F811
    monkeypatch.setattr("apps.core.clock.now", lambda: NOW)
    monkeypatch.setattr(response, "past", lambda *, now: PAST)
    Message.objects.filter(campaign=scene.online).update(channel="sms")
    planned(scene.retail.department, range(40, 50), days=4, name="Third")
    for pk in range(40, 100):
        CustomerFactory(pk=pk)
    count()
    page = open_page(scene.retail_lead, width=width, dark=dark)
    for name, path in (("list", "/conflicts/?sort=orders"), ("conflict", f"/conflicts/{scene.conflict.pk}/"), ("calendar", "/calendar/?severity=3")):
        page.goto(path)
        if name == "conflict":
            page.get_by_text("Each gets the one more likely to bring an order").first.wait_for()
            page.get_by_role("link", name="See people with their planned contacts").click()
            page.locator(".mini").first.wait_for()
        look(page, f"understand-{name}-{width}")
        assert axe(page) == []
        assert page.evaluate(SIDEWAYS) <= 0
