"""The three panels of a conflict: under the calendar they lead on, on the conflict's own page they hold everything."""

import pytest

from tests.campaigns.conflicts.conftest import scene  # noqa: F401

pytestmark = pytest.mark.django_db
ALL_WAYS = "All ways out, and what each changes"


def panels(client, pk, seen_on):
    headers = {"HX-Request": "true", "HX-Current-URL": f"http://testserver{seen_on}"}
    return client.get(f"/conflicts/{pk}/panels/", headers=headers).content.decode()


def test_a_conflict_chosen_in_the_calendar_leads_to_its_own_page(client, scene):  # noqa: F811
    client.force_login(scene.online_lead)
    pk = scene.conflict.pk
    words = panels(client, pk, "/calendar/?weeks=5")
    assert "Open this conflict" in words
    assert ALL_WAYS in words


def test_its_own_page_keeps_all_ways_out_once_people_are_counted(client, scene):  # noqa: F811
    client.force_login(scene.online_lead)
    pk = scene.conflict.pk
    words = panels(client, pk, f"/conflicts/{pk}/")
    assert "Open this conflict" not in words
    assert ALL_WAYS not in words
