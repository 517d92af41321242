"""Whose conflict it is, remarks that name colleagues, and the history in words."""

from datetime import timedelta

import pytest
from django.core.exceptions import PermissionDenied, ValidationError

from apps.accounts.models import Notification
from apps.campaigns.conflicts import agree, history, panels, talk
from apps.campaigns.models import Conflict
from tests.factories.accounts import UserFactory
from tests.factories.campaigns import NOW

pytestmark = pytest.mark.django_db


def told(code):
    return set(Notification.objects.filter(code=code).values_list("user", flat=True))


def test_the_owner_of_a_pair_owns_all_of_its_findings_and_is_told(scene):
    marketer = UserFactory(department=scene.online.department)
    talk.assign(actor=scene.retail_lead, conflict=scene.conflict, owner=marketer, now=NOW)
    owners = Conflict.objects.filter(second_campaign__isnull=False).values_list("owner", flat=True)
    assert set(owners) == {marketer.pk} and len(owners) > 1
    assert told("conflict.owner") == {marketer.pk}


def test_taking_it_oneself_tells_nobody_and_strangers_neither_give_nor_take(scene):
    talk.assign(actor=scene.online_lead, conflict=scene.conflict, owner=scene.online_lead, now=NOW)
    assert told("conflict.owner") == set()
    stranger = UserFactory()
    with pytest.raises(PermissionDenied):
        talk.assign(actor=stranger, conflict=scene.conflict, owner=stranger, now=NOW)
    with pytest.raises(ValidationError):
        talk.assign(actor=scene.online_lead, conflict=scene.conflict, owner=stranger, now=NOW)
    talk.assign(actor=scene.online_lead, conflict=scene.conflict, owner=None, now=NOW)
    assert scene.conflict.owner is None


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("@Kari Nordmann can you?", {"Kari Nordmann"}),
        ("ask @kari nordmann, and @ola@firm.example.", {"Kari Nordmann", "Ola Berg"}),
        ("@ola!", {"Ola Berg"}),
        ("@Kari", set()),  # two of them
        ("@Kari Nord", set()),
        ("@Kari Nordmannsen", set()),
        ("write to kari@firm.example", set()),
        ("(@Kari Nordlys)", {"Kari Nordlys"}),
        ("@gone", set()),
        ("@", set()),
    ],
)
def test_a_mention_names_exactly_one_colleague(text, names):
    UserFactory(name="Kari Nordmann", email="kari.n@firm.example")
    UserFactory(name="Kari Nordlys", email="kari.l@firm.example")
    UserFactory(name="Ola Berg", email="ola@firm.example")
    UserFactory(name="Gone", email="gone@firm.example", is_active=False)
    assert {user.name for user in talk.mentioned(text)} == names


def test_whoever_is_named_hears_once_and_the_owners_hear_of_the_remark(scene):
    named = UserFactory(name="Kari Nordmann", department=scene.retail.department)
    remark = talk.comment(actor=scene.retail_lead, conflict=scene.conflict, text="What do you say, @Kari Nordmann?", now=NOW)
    assert list(remark.mentions.all()) == [named]
    assert told("conflict.mentioned") == {named.pk}
    assert told("conflict.comment") == {scene.retail.owner_id, scene.online.owner_id}


def test_the_page_shows_chips_owner_and_the_whole_history_in_words(scene, client):
    UserFactory(name="Kari Nordmann")
    talk.comment(actor=scene.retail_lead, conflict=scene.conflict, text="Well, @Kari Nordmann?", now=NOW)
    client.force_login(scene.online_lead)
    answer = client.post(f"/conflicts/{scene.conflict.pk}/owner/", {"owner": scene.online_lead.pk}, follow=True)
    page = answer.content.decode()
    assert "Kari Nordmann" in page and f"Looked after by <strong>{scene.online_lead}" in page
    proposal = agree.propose(actor=scene.online_lead, conflict=scene.conflict, way=f"leave_out:{scene.online.pk}", now=NOW)
    agree.sign(actor=scene.retail_lead, resolution=proposal, agrees=True, note="Fine by us", now=NOW + timedelta(hours=1))
    lines = history.of(panels.of(scene.conflict.pk, user=scene.online_lead, now=NOW))
    deeds = [line.deed for line in lines]
    assert {"Found", "Owner", "Remark", "Way out proposed", "Signed", "Applied"} <= set(deeds)
    assert any("Fine by us" in line.detail for line in lines)
    assert not any("." in deed and " " not in deed for deed in deeds)  # no code without words
