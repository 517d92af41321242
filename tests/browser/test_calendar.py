"""Moving a campaign in a real browser: the effect is shown before it holds, by mouse and by keys, and can be undone."""

from datetime import timedelta

import pytest
from django.core.cache import cache

from apps.campaigns.models import Campaign, Conflict, Message
from apps.core import clock
from tests.browser.dragging import drag
from tests.campaigns.conflicts.conftest import count, planned, scene  # noqa: F401
from tests.factories.campaigns import NOW

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _at_now(monkeypatch):
    cache.clear()
    monkeypatch.setattr(clock, "now", lambda: NOW)


def calendar(open_page, user, **options):
    page = open_page(user, **options)
    page.goto("/calendar/")
    return page


def starts(campaign):
    return Campaign.objects.get(pk=campaign.pk).starts_on


def test_a_bar_is_dragged_previewed_confirmed_and_undone(open_page, scene):  # noqa: F811
    Message.objects.filter(campaign=scene.online).update(plan_computed_at=NOW + timedelta(minutes=1))
    page = calendar(open_page, scene.online_lead)
    bar = page.locator(f'.bar[data-campaign="{scene.online.pk}"]')
    drag(page, bar, days=9)
    page.get_by_text("After the move: 0 conflicts").wait_for()
    assert starts(scene.online) == scene.online.starts_on
    page.mouse.up()
    page.locator('#move-panel[data-days="9"]').wait_for()
    assert starts(scene.online) == scene.online.starts_on
    page.locator("[data-confirm-move]").click()
    page.get_by_role("button", name="Undo").wait_for()
    assert starts(scene.online) == scene.online.starts_on + timedelta(days=9)
    page.get_by_role("button", name="Undo").click()
    page.wait_for_load_state("networkidle")
    assert starts(scene.online) == scene.online.starts_on


def test_arrow_keys_preview_escape_leaves_and_enter_goes_to_the_button(open_page, scene):  # noqa: F811
    page = calendar(open_page, scene.online_lead)
    name = page.locator(f'.bar[data-campaign="{scene.online.pk}"] .bar-name')
    name.focus()
    page.keyboard.press("ArrowRight")
    page.locator('#move-panel[data-days="1"]').wait_for()
    page.get_by_text("After the move: 2 conflicts").wait_for()
    page.keyboard.press("Shift+ArrowRight")
    page.locator('#move-panel[data-days="8"]').wait_for()
    page.keyboard.press("Escape")
    page.locator('#move-panel[data-days="0"]').wait_for()
    name.focus()
    page.keyboard.press("Shift+ArrowRight")
    page.locator('#move-panel[data-days="7"]').wait_for()
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.hasAttribute('data-confirm-move')")
    page.keyboard.press("Enter")
    undo = page.get_by_role("button", name="Undo")
    undo.wait_for()
    assert starts(scene.online) == scene.online.starts_on + timedelta(days=7)
    undo.focus()
    page.keyboard.press("Enter")
    page.wait_for_load_state("networkidle")
    assert starts(scene.online) == scene.online.starts_on


def test_another_departments_bar_does_not_move_and_its_conflict_opens_below(open_page, scene):  # noqa: F811
    page = calendar(open_page, scene.retail_lead)
    assert page.locator(f'.bar[data-campaign="{scene.online.pk}"][data-move]').count() == 0
    with page.expect_response("**/panels/"):
        page.locator("a.plate").first.click()
    page.get_by_text("Ways out, measured").wait_for()
    page.wait_for_url("**/calendar/?*conflict=*")
    assert page.locator("a.plate.chosen").count() == 1
    page.locator(f'.bar[data-campaign="{scene.online.pk}"] .bar-name').click()
    page.get_by_text("Only Online moves it").wait_for()


def test_an_arrow_key_on_another_departments_bar_says_who_moves_it_and_scrolls_nothing_away(open_page, scene):  # noqa: F811
    planned(scene.online.department, range(900, 950), days=26, name="A campaign with a long name that ends with the sheet", status="draft")
    count()
    page = calendar(open_page, scene.retail_lead)
    page.locator(f'.bar[data-campaign="{scene.online.pk}"] .bar-name').focus()
    page.keyboard.press("ArrowRight")
    page.get_by_text("Only Online moves it").wait_for()
    page.get_by_role("link", name="Try a move in a what-if").wait_for()
    room = page.evaluate("(({ scrollWidth, clientWidth }) => [scrollWidth, clientWidth])(document.querySelector('.calendar'))")
    assert room[0] == room[1]


@pytest.mark.parametrize(("width", "dark"), [(1440, False), (1440, True), (390, False), (390, True)])
def test_calendar_and_conflict_pages_are_open_to_everybody(open_page, axe, scene, width, dark):  # noqa: F811
    page = open_page(scene.retail_lead, width=width, dark=dark)
    conflict = Conflict.objects.get(rule="offers")
    for address in (
        "/calendar/",
        "/calendar/month/",
        "/calendar/agenda/",
        f"/calendar/move/{scene.retail.pk}/?days=3",
        "/conflicts/",
        f"/conflicts/{conflict.pk}/",
        f"/conflicts/{conflict.pk}/people/",
        "/conflicts/rules/",
    ):
        page.goto(address)
        assert axe(page) == [], address
        assert page.evaluate("document.documentElement.scrollWidth") <= width, address


def test_without_javascript_the_same_move_is_made_by_buttons(open_page, scene):  # noqa: F811
    page = open_page(scene.online_lead, java_script_enabled=False)
    page.goto("/calendar/")
    page.locator(f'.bar[data-campaign="{scene.online.pk}"] .bar-name').click()
    page.get_by_role("link", name="1 week later").click()
    page.get_by_role("button", name="Move it to").click()
    assert starts(scene.online) == scene.online.starts_on + timedelta(days=7)
    assert page.get_by_role("button", name="Undo").is_visible()
