"""The list of conflicts: one row for a pair, filters and order in the address; people with their own calendars."""

import pytest
from django.http import QueryDict

from apps.campaigns.conflicts import listing, sample
from apps.campaigns.models import Conflict
from apps.campaigns.models.conflicts import Severity
from tests.factories.campaigns import NOW
from tests.factories.sending import make_people

from .conftest import count, planned
from .test_agree import LATER, both_sign

pytestmark = pytest.mark.django_db


def rows(query, user, now=NOW):
    return listing.of(listing.Filters.of(QueryDict(query)), user=user, now=now)


def test_the_findings_of_a_pair_are_one_row_and_another_pair_is_another(scene):
    third = planned(scene.retail.department, range(30, 70), days=3, name="Third")
    count()
    found = rows("", scene.retail_lead)
    assert len({(row.first_campaign_id, row.second_campaign_id) for row in Conflict.objects.all()}) == len(found)
    ours = next(group for group in found if group.first.second_campaign_id == scene.online.pk and group.first.first_campaign_id == scene.retail.pk)
    assert {row.rule for row in ours.findings} == {"offers", "overlap"}
    assert any(third.pk in (group.first.first_campaign_id, group.first.second_campaign_id) for group in found)


def test_the_row_is_ranked_by_what_is_asked_for(scene):
    big = planned(scene.online.department, range(1000, 1400), days=5, name="Big")
    planned(scene.online.department, range(1000, 1400), days=5, name="Big too")
    count()
    Conflict.objects.filter(first_campaign=big).update(severity=Severity.MEDIUM)
    Conflict.objects.exclude(first_campaign=big).update(severity=Severity.BLOCK)
    assert rows("sort=people", scene.retail_lead)[0].first.first_campaign == big
    assert rows("sort=severity", scene.retail_lead)[0].first.first_campaign != big


def test_severity_rule_and_department_narrow_the_list_and_nonsense_does_not(scene):
    Conflict.objects.filter(rule="overlap").update(severity=Severity.MEDIUM)
    Conflict.objects.filter(rule="offers").update(severity=Severity.BLOCK)
    user = scene.retail_lead
    assert [[row.rule for row in group.findings] for group in rows("severity=3", user)] == [["offers"]]
    assert [[row.rule for row in group.findings] for group in rows("rule=overlap", user)] == [["overlap"]]
    assert rows("department=online", user) and rows("department=nobody", user) == []
    assert len(rows("severity=x&sort=;&state=0", user)) == 1


def test_the_page_names_both_campaigns_once(client, scene, monkeypatch):
    monkeypatch.setattr("apps.core.clock.now", lambda: NOW)
    client.force_login(scene.retail_lead)
    page = client.get("/conflicts/?severity=2&sort=people").content.decode()
    assert page.count("Black Week in store · Black Week online</a>") == 1


def test_a_person_of_the_sample_has_only_what_is_left_after_the_agreement(scene):
    # whom the keeping side can contact: anybody else would stay with the yielding one
    people = make_people(1, first_id=41) | make_people(1, first_id=77)
    before = sample.draw(people, user=scene.retail_lead, around=scene.conflict.first_at, now=NOW)
    assert {len(person.contacts) for person in before} == {2}
    both_sign(scene, f"leave_out:{scene.online.pk}")
    after = sample.draw(people, user=scene.retail_lead, around=scene.conflict.first_at, now=LATER)
    assert {contact.message.campaign.name for person in after for contact in person.contacts} == {"Black Week in store"}
    marked = [day for day in after[0].days if day.contacts]
    assert len(after[0].days) == 15 and len(marked) == 1
