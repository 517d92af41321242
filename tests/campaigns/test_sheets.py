"""Month and agenda say what the timeline says: which pairs collide, on what day, and how many people get too much."""

from datetime import timedelta

import pytest
from django.core.cache import cache

from apps.core import clock
from tests.campaigns.conflicts.conftest import count, planned, scene  # noqa: F401
from tests.factories.campaigns import NOW, ContactPolicyFactory

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _at_now(monkeypatch):
    cache.clear()
    monkeypatch.setattr(clock, "now", lambda: NOW)


def page(client, address):
    return client.get(address).content.decode()


def test_a_month_shows_a_plate_for_each_pair_on_its_first_day_and_counts_pairs(client, scene):  # noqa: F811
    client.force_login(scene.online_lead)
    worst = scene.conflict
    words = page(client, f"/calendar/month/?month={worst.first_at:%Y-%m}")
    assert words.count('class="small found"') == 1
    assert f'href="/conflicts/{worst.pk}/" title="Contradictory offers"' in words
    assert "<b>1 open</b>" in words
    assert "<b>1 open</b>" in page(client, "/calendar/")


@pytest.mark.parametrize("address", ["/calendar/", "/calendar/agenda/", "/calendar/month/?month={month}"])
def test_every_view_says_how_many_people_are_over_the_limit_on_a_day(client, scene, address):  # noqa: F811
    ContactPolicyFactory(limit=1, hours=168)
    planned(scene.online.department, range(30), days=3, name="Third")
    count()
    client.force_login(scene.online_lead)
    day = clock.company_day(NOW + timedelta(days=3))
    words = page(client, address.format(month=f"{day:%Y-%m}"))
    agenda = words.split('<ul class="agenda">', 1)[1]
    assert f'href="/calendar/pressure/{day.isoformat()}/">90 over the limit</a>' in agenda


def test_a_move_and_its_undo_each_say_which_way_it_went(client, scene):  # noqa: F811
    client.force_login(scene.online_lead)
    days = {"days": 3, "version": scene.online.version}
    words = client.post(f"/calendar/move/{scene.online.pk}/", days, follow=True).content.decode()
    assert "moved 3 days later" in words
    scene.online.refresh_from_db()
    back = {"days": -3, "version": scene.online.version}
    words = client.post(f"/calendar/move/{scene.online.pk}/", back, follow=True).content.decode()
    assert "moved 3 days earlier" in words
    assert "moved 3 days later" not in words
