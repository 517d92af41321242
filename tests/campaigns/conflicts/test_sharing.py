"""What the page of a conflict draws of its people: contacts in the fullest week before and after, and who shares them."""

from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyroaring import BitMap

from apps.campaigns.conflicts import loading, resolve, sharing
from apps.campaigns.models import Conflict
from apps.core import charts
from tests.factories.campaigns import NOW

from .conftest import count, planned


@given(st.lists(st.frozensets(st.integers(0, 12)), min_size=1, max_size=5))
@settings(deadline=None, max_examples=40)
def test_everybody_of_a_set_is_in_exactly_one_group_with_the_right_members(sets):
    found = sharing.parted(BitMap(range(13)), [BitMap(each) for each in sets])
    naive = {}
    for person in range(13):
        inside = frozenset(place for place, each in enumerate(sets) if person in each)
        if inside:
            naive[inside] = naive.get(inside, 0) + 1
    assert dict(found) == naive
    assert [n for _inside, n in found] == sorted(naive.values(), reverse=True)


@pytest.mark.django_db
def test_the_fullest_week_is_counted_over_every_seven_days_before_and_after_each_way_out(scene):
    planned(scene.retail.department, range(40, 50), days=4, name="Third")
    planned(scene.retail.department, range(40, 45), days=9, name="A week after the first")
    count()
    ways = {way.key: way for way in resolve.ways_out(scene.conflict, now=NOW)}
    # Days 2, 3, 4 and 9: the fullest seven days hold three of them for the first ten people, two for the other fifty.
    assert ways["accept"].spread[:4] == (0, 0, 50, 10)
    # Retail on day 2 stays theirs; Online leaves out whoever it shares with Retail.
    assert ways[f"leave_out:{scene.online.pk}"].spread[:4] == (0, 50, 10, 0)
    assert sum(ways["accept"].spread) == scene.conflict.people_count == 60


@pytest.mark.django_db
def test_contacts_seven_days_apart_are_not_in_the_same_week(scene):
    plan = loading.load(now=NOW)
    moments = [NOW + timedelta(days=2), NOW + timedelta(days=3)]
    assert sharing.spread(plan, BitMap(range(40, 100)), around=moments)[:3] == (0, 0, 60)
    apart = plan.with_campaign(loading.moved(plan.campaigns[scene.online.pk], 6, plan.zone))
    assert sharing.spread(apart, BitMap(range(40, 100)), around=[*moments, NOW + timedelta(days=9)])[:3] == (0, 60, 0)


@pytest.mark.django_db
def test_three_campaigns_that_share_the_people_are_drawn_and_two_are_not(client, scene, monkeypatch):
    assert sharing.shared(scene.conflict, now=NOW) is None
    planned(scene.retail.department, range(40, 50), days=4, name="Third")
    count()
    found = sharing.shared(Conflict.objects.get(rule="offers"), now=NOW)
    assert dict(found.sets) == {"Black Week in store": 60, "Black Week online": 60, "Third": 10}
    assert sorted(n for _inside, n in found.groups) == [10, 50]
    assert charts.upset("t", found.sets, found.groups).count("<circle") == 6
    monkeypatch.setattr("apps.core.clock.now", lambda: NOW)
    client.force_login(scene.retail_lead)
    page = client.get(f"/conflicts/{scene.conflict.pk}/").content.decode()
    assert 'class="upset"' in page and 'id="spread"' in page
