"""What-ifs in a real browser: simulate and apply half; a re-plan proposed, one part refused, the rest applied."""

from datetime import timedelta

import pytest
from django.core.cache import cache

from apps.campaigns.models import Campaign, Scenario
from apps.campaigns.replan import job
from apps.core import clock
from tests.browser.dragging import drag
from tests.campaigns.conflicts.conftest import count, planned, scene  # noqa: F401
from tests.factories.campaigns import NOW

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _at_now(monkeypatch):
    cache.clear()
    monkeypatch.setattr(clock, "now", lambda: NOW)


def starts(campaign):
    return Campaign.objects.get(pk=campaign.pk).starts_on


def test_simulate_and_apply_half(open_page, scene):  # noqa: F811
    alone = planned(scene.online.department, range(900, 950), days=12, name="Alone", status="draft")
    count()
    page = open_page(scene.online_lead)
    page.goto("/calendar/")
    page.get_by_role("link", name="What if").click()
    page.get_by_label("Name").fill("Black Week later")
    page.get_by_role("button", name="Start a what-if").click()
    page.get_by_text("This is a what-if, not the plan.").wait_for()
    bar = page.locator(f'.bar[data-campaign="{scene.online.pk}"]')
    drag(page, bar, days=9)
    page.mouse.up()
    page.get_by_text("After the move: 0 conflicts").wait_for()
    page.locator("[data-confirm-move]").click()
    page.get_by_text("Move Black Week online from 21 Nov to 30 Nov").first.wait_for()
    name = page.locator(f'.bar[data-campaign="{alone.pk}"] .bar-name')
    name.focus()
    page.keyboard.press("ArrowRight")
    page.locator('#move-panel[data-days="1"]').wait_for()
    page.locator("[data-confirm-move]").click()
    page.get_by_text("Move Alone from").first.wait_for()
    assert (starts(alone), starts(scene.online)) == (alone.starts_on, scene.online.starts_on)
    page.get_by_label("Move Black Week online from").uncheck()
    page.get_by_role("button", name="Apply what is ticked").click()
    page.get_by_text("1 change is applied.").wait_for()
    assert (starts(alone), starts(scene.online)) == (alone.starts_on + timedelta(days=1), scene.online.starts_on)
    page.get_by_role("button", name="Discard").click()
    page.get_by_text("The plan is as it was").wait_for()
    assert starts(scene.online) == scene.online.starts_on


def test_a_re_plan_is_proposed_one_part_refused_and_the_rest_applied(open_page, scene, settings):  # noqa: F811
    settings.CELERY_TASK_ALWAYS_EAGER = True
    Campaign.objects.filter(pk=scene.online.pk).update(status="draft")
    other = planned(scene.online.department, range(400, 460), days=15, name="Members", status="draft")
    partner = planned(scene.retail.department, range(400, 460), days=15, name="Store evening")
    count()
    page = open_page(scene.online_lead)
    page.goto("/calendar/what-if/")
    page.get_by_role("button", name="Re-plan", exact=True).click()
    page.wait_for_url("**/calendar/what-if/*/")
    page.get_by_text("This is a proposal, not the plan.").wait_for()
    scenario = Scenario.objects.get()
    assert scenario.settings["state"] == job.DONE
    page.get_by_text("Proven: among the days and ways considered").wait_for()
    page.get_by_text("Settles “Contradictory offers” with Black Week in store (60 people).").wait_for()
    page.get_by_role("button", name="Refuse Move Black Week online").click()
    page.get_by_role("button", name="Take it up again").wait_for()
    page.get_by_role("button", name="Apply what is ticked").click()
    page.get_by_text("1 change is proposed to the lead of the other department.").wait_for()
    assert dict(scenario.changes.values_list("campaign__name", "state")) == {"Black Week online": "refused", "Members": "proposed"}
    assert starts(other) == other.starts_on
    assert partner.starts_on == starts(partner)


@pytest.mark.parametrize(("width", "dark"), [(1440, False), (390, True)])
def test_what_if_pages_are_open_to_everybody(open_page, axe, scene, width, dark):  # noqa: F811
    from tests.campaigns.scenarios.conftest import move, what_if

    scenario = what_if(scene.online_lead)
    move(scene.online_lead, scenario, scene.online, 9)
    asked = job.start(
        actor=scene.online_lead, first=NOW.date(), last=NOW.date() + timedelta(days=30), locked=[], moves_agreed=True, fair_percent=25, now=NOW
    )
    page = open_page(scene.online_lead, width=width, dark=dark)
    for address in (
        "/calendar/what-if/", f"/calendar/what-if/{scenario.pk}/", f"/calendar/what-if/{asked.pk}/",
        f"/calendar/what-if/{scenario.pk}/move/{scene.online.pk}/?days=-2",
    ):
        page.goto(address)
        assert axe(page) == [], address
        assert page.evaluate("document.documentElement.scrollWidth") <= width, address


@pytest.mark.parametrize(("width", "dark"), [(1440, False), (390, True)])
def test_the_other_lead_finds_a_proposed_change_on_the_desk_reads_it_and_signs(open_page, axe, scene, width, dark):  # noqa: F811
    from apps.campaigns.scenarios import applying
    from tests.campaigns.scenarios.conftest import move, what_if

    alone = planned(scene.retail.department, range(900, 950), days=20, name="Alone")
    count()
    scenario = what_if(scene.online_lead)
    change = move(scene.online_lead, scenario, alone, 3)
    applying.apply(actor=scene.online_lead, scenario=scenario, change_ids=[change.pk], now=NOW)
    page = open_page(scene.retail_lead, width=width, dark=dark)
    page.goto("/calendar/proposed/")
    assert axe(page) == []
    page.goto("/")
    page.locator("a", has_text="Read and sign").filter(has_text="Move Alone from").click(timeout=8000)
    page.get_by_role("heading", name="Move Alone from").wait_for()
    assert axe(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.get_by_role("button", name="Agree and sign").click()
    page.get_by_text("Agreed and applied.").wait_for()
    assert starts(alone) == alone.starts_on + timedelta(days=3)
