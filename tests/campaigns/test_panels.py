"""The three panels of a conflict: under the calendar they lead on, on the conflict's own page they hold everything."""

import re
from datetime import timedelta
from types import SimpleNamespace

import pytest
from django.core.cache import cache
from django.utils.translation import override
from pyroaring import BitMap

from apps.accounts import notifications
from apps.campaigns.conflicts import agree, panels, response, talk
from apps.campaigns.models import Conflict
from apps.campaigns.scenarios import applying, drafting, table
from apps.core import charts, clock
from tests.campaigns.conflicts.conftest import count, planned, scene  # noqa: F401
from tests.factories.accounts import UserFactory
from tests.factories.campaigns import NOW

pytestmark = pytest.mark.django_db
ALL_WAYS = "All ways out, and what each changes"


@pytest.fixture(autouse=True)
def _at_now(monkeypatch):
    cache.clear()
    monkeypatch.setattr(clock, "now", lambda: NOW)


def shown_on(client, pk, seen_on):
    headers = {"HX-Request": "true", "HX-Current-URL": f"http://testserver{seen_on}"}
    return client.get(f"/conflicts/{pk}/panels/", headers=headers).content.decode()


def test_a_conflict_chosen_in_the_calendar_leads_to_its_own_page(client, scene):  # noqa: F811
    client.force_login(scene.online_lead)
    pk = scene.conflict.pk
    words = shown_on(client, pk, "/calendar/?weeks=5")
    assert "Open this conflict" in words
    assert ALL_WAYS in words


def test_its_own_page_keeps_all_ways_out_once_people_are_counted(client, scene):  # noqa: F811
    client.force_login(scene.online_lead)
    pk = scene.conflict.pk
    words = shown_on(client, pk, f"/conflicts/{pk}/")
    assert "Open this conflict" not in words
    assert ALL_WAYS not in words


def test_what_waits_for_the_readers_signature_stands_before_everything_else(client, scene):  # noqa: F811
    pk = scene.conflict.pk
    client.force_login(scene.online_lead)
    way = client.get(f"/conflicts/{pk}/").content.decode().split('name="way" value="')[1].split('"')[0]
    client.post(f"/conflicts/{pk}/propose/", {"way": way})
    own = client.get(f"/conflicts/{pk}/").content.decode()
    client.force_login(scene.retail_lead)
    asked = client.get(f"/conflicts/{pk}/").content.decode()
    assert own.index('id="conflict-panels"') < own.index('id="resolution-')
    assert asked.index('id="resolution-') < asked.index('id="conflict-panels"')
    assert asked.count('id="resolution-') == 1


def test_a_finding_is_due_with_the_first_of_its_pair(client, scene):  # noqa: F811
    findings = list(Conflict.objects.filter(first_campaign=scene.conflict.first_campaign_id).exclude(second_campaign=None))
    assert len(findings) > 1
    early = NOW + timedelta(hours=5)
    other = next(row for row in findings if row.rule != "offers")
    Conflict.objects.filter(pk=other.pk).update(decide_by=early)
    shown = panels.of(scene.conflict.pk, user=scene.online_lead, now=NOW)
    assert shown.decide_by == early
    assert shown.conflict.decide_by != early


def test_nobody_is_offered_a_new_campaign_that_they_may_not_make(client, scene):  # noqa: F811
    client.force_login(UserFactory(role="agent", department=scene.online.department))
    for address in ("/calendar/", "/calendar/?from=2031-01-06"):
        assert "/campaigns/new/" not in client.get(address).content.decode()
    client.force_login(scene.online_lead)
    assert "/campaigns/new/" in client.get("/calendar/").content.decode()


def test_numbers_of_what_expected_orders_rest_on_follow_the_language(scene, monkeypatch):  # noqa: F811
    past = SimpleNamespace(contacts=36541, prior=0.068)
    monkeypatch.setattr(response, "past", lambda **_values: past)
    with override("nb"):
        assert "6,8 per 100" in panels.of(scene.conflict.pk, user=scene.online_lead, now=NOW).basis
        assert "6,8 per 100" in table._basis(NOW)


def test_an_upset_keeps_names_and_numbers_apart():
    drawn = charts.upset("t", [("A campaign with a name that is far too long", 1234)], [(frozenset({0}), 1234)])
    assert "A campaign with a name that is far too long</text></svg>" in drawn
    assert ">1,234</text>" in drawn


def test_news_of_a_proposal_and_of_a_remark_name_the_campaigns(scene):  # noqa: F811
    way = f"leave_out:{scene.online.pk}"
    agree.propose(actor=scene.online_lead, conflict=scene.conflict, way=way, now=NOW)
    talk.comment(actor=scene.online_lead, conflict=scene.conflict, text=f"@{scene.retail_lead.email} please look", now=NOW)
    told = [str(line) for line in notifications.unread(scene.retail_lead)]
    both = "Black Week in store and Black Week online"
    assert any("proposes a way out of a conflict: " in words and both in words for words in told), told
    assert any("names you in a remark about a conflict: " in words and both in words for words in told), told


def test_the_day_to_decide_by_names_its_time_zone(client, scene):  # noqa: F811
    client.force_login(scene.online_lead)
    words = client.get(f"/conflicts/{scene.conflict.pk}/").content.decode()
    assert re.search(r"Decide by \w{3} \d+ \w{3}, \d\d:\d\d\s(CET|CEST)\.", words)


@pytest.mark.parametrize("headers", [{}, {"HX-Request": "true"}])
def test_the_number_behind_a_sample_of_people_has_its_digits_grouped(client, scene, headers):  # noqa: F811
    Conflict.objects.update(people_both=BitMap(range(1, 2513)), people_count=2512)
    client.force_login(scene.online_lead)
    words = client.get(f"/conflicts/{scene.conflict.pk}/people/", headers=headers).content.decode()
    assert "of 2,512 people" in words


def test_a_proposed_change_says_whose_signature_it_waits_for(client, scene):  # noqa: F811
    alone = planned(scene.retail.department, range(900, 950), days=20, name="Alone")
    count()
    scenario = drafting.create(
        actor=scene.online_lead, name="Try", first=NOW.date(), last=(NOW + timedelta(days=40)).date(), now=NOW
    )
    change = drafting.put(
        actor=scene.online_lead, scenario=scenario, kind="move", campaign=alone, parameters={"days": 3}, now=NOW
    )
    applying.apply(actor=scene.online_lead, scenario=scenario, change_ids=[change.pk], now=NOW)
    client.force_login(scene.online_lead)
    assert "not signed yet: Retail" in client.get("/calendar/proposed/").content.decode()
