"""A message that comes after another: chosen in the editor, copied with its campaign, and people who answered one."""

from datetime import timedelta

import pytest
from django.core.exceptions import ValidationError

from apps.campaigns import copying, planning
from apps.campaigns.conflicts import loading
from apps.campaigns.conflicts.rules.sequence import SequenceRule
from apps.campaigns.models import Conflict, Delivery, Message, Run
from apps.channels.models import ContactEvent
from apps.customers import segments
from tests.factories.accounts import DepartmentFactory, UserFactory
from tests.factories.campaigns import NOW, CampaignFactory, MailAccountFactory, MessageFactory
from tests.factories.customers import CustomerFactory, SegmentFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def two(db):
    department = DepartmentFactory()
    campaign = CampaignFactory(department=department)
    first = MessageFactory(campaign=campaign, name="Announcement", send_at=NOW + timedelta(days=3))
    second = MessageFactory(campaign=campaign, name="Reminder", send_at=NOW + timedelta(days=5))
    return UserFactory(department=department), first, second


def change(actor, message, now=NOW, **values):
    return planning.change_message(actor=actor, message=message, values=values, expected_version=message.version, now=now)


def test_the_editor_offers_the_other_messages_of_the_campaign(client, two):
    actor, first, second = two
    stranger = MessageFactory(name="Stranger")
    client.force_login(actor)
    page = client.get(f"/campaigns/{first.campaign_id}/messages/{second.pk}/settings/").content.decode()
    field = page.partition('name="follows"')[2].partition("</select>")[0]
    assert first.name in field
    assert second.name not in field
    assert stranger.name not in field


def test_neither_another_campaigns_message_nor_a_ring_can_be_chosen(two):
    actor, first, second = two
    change(actor, second, follows=first)
    first.refresh_from_db()
    with pytest.raises(ValidationError):
        change(actor, first, follows=Message.objects.get(pk=second.pk))
    with pytest.raises(ValidationError):
        change(actor, first, follows=MessageFactory())


def test_a_change_of_order_shows_at_once_and_the_copy_keeps_the_relation(two):
    actor, first, second = two
    second = change(actor, second, follows=first)
    assert not Conflict.objects.filter(rule="sequence", state="open").exists()
    first.refresh_from_db()
    change(actor, first, send_at=NOW + timedelta(days=6))
    assert Conflict.objects.get(rule="sequence").state == "open"
    copy = copying.copy_campaign(actor=actor, campaign=first.campaign, starts_on=first.campaign.starts_on + timedelta(days=30), now=NOW)
    reminder = copy.messages.get(name="Reminder")
    assert reminder.follows == copy.messages.get(name="Announcement")


def test_a_stopped_announcement_is_known_though_it_is_not_in_the_plan(two):
    actor, first, second = two
    change(actor, second, follows=first)
    Message.objects.filter(pk=first.pk).update(is_stopped=True)
    found = list(SequenceRule().find(loading.load(now=NOW, with_people=False)))
    assert [finding.facts["wrong"] for finding in found] == ["stopped"]


def test_a_condition_inside_a_segment_names_its_trigger_too(two):
    _actor, first, second = two
    second.include.set([SegmentFactory(rule={"all": [{"is": "message", "message": first.pk, "event": "clicked"}]})])
    Message.objects.filter(pk=second.pk).update(send_at=NOW + timedelta(days=2))
    found = list(SequenceRule().find(loading.load(now=NOW, with_people=False)))
    assert [finding.subjects for finding in found] == [(2, second.pk, first.pk)]


def test_people_who_got_or_answered_a_message_can_be_chosen(two):
    _actor, first, _second = two
    people = [CustomerFactory() for _each in range(3)]
    run = Run.objects.create(
        message=first, occurrence="1", run_day=NOW.date(), scheduled_at=NOW, deadline=NOW, audience=[], audience_count=3, planned_at=NOW
    )
    account = MailAccountFactory()
    for place, outcome in enumerate(["sent", "refused", "sent"]):
        Delivery.objects.create(
            run_day=NOW.date(), run_id=run.pk, customer_id=people[place].pk, outcome=outcome, at=NOW, message_id=first.pk,
            campaign_id=first.campaign_id, department_id=1, channel="email", purpose_class="promotion",
        )
    for place, is_machine in ((0, False), (2, True)):
        ContactEvent.objects.create(
            account=account, channel="email", run_id=run.pk, customer_id=people[place].pk, kind="opened", at=NOW, recorded_at=NOW,
            machine=is_machine, dedupe_key=f"k{place}",
        )

    def chosen(event):
        return set(segments.evaluate({"is": "message", "message": first.pk, "event": event}, now=NOW))

    assert chosen("sent") == {people[0].pk, people[2].pk}
    assert chosen("opened") == {people[0].pk}, "what a machine opened nobody read"
    assert segments.problems({"is": "message", "message": 999999, "event": "opened"})
    assert segments.problems({"is": "message", "message": first.pk, "event": "eaten"})
