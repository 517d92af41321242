"""Making, changing and copying the plan."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.core.exceptions import PermissionDenied, ValidationError

from apps.accounts.models import AuditEvent
from apps.campaigns import copying, planning, schedule
from apps.campaigns.models import Approval, Campaign, CampaignStatus, ContentVersion, Message
from tests.factories import campaigns as make
from tests.factories.accounts import DepartmentFactory, UserFactory
from tests.factories.customers import SegmentFactory

NOW = make.NOW
OSLO = ZoneInfo("Europe/Oslo")
VALUES = {"name": "Black Week", "starts_on": date(2026, 11, 18), "ends_on": date(2026, 11, 26)}


@pytest.fixture
def marketer(db):
    return UserFactory()


def message_values(**changes):
    return {
        "name": "Announcement", "channel": "email", "account": make.MailAccountFactory(),
        "purpose": make.OffersPurposeFactory(), "send_at": NOW + timedelta(days=1),
    } | changes  # fmt: skip


def test_a_second_click_makes_no_second_campaign(marketer):
    made = [
        planning.create_campaign(actor=marketer, department=marketer.department, values=VALUES, now=NOW + timedelta(seconds=s))
        for s in (0, 1)
    ]
    assert made[0] == made[1]
    assert Campaign.objects.count() == 1


def test_people_of_another_department_cannot_change_a_plan(marketer):
    campaign = make.CampaignFactory()
    with pytest.raises(PermissionDenied):
        planning.change_campaign(actor=marketer, campaign=campaign, values={"name": "x"}, expected_version=1, now=NOW)


def test_an_end_before_the_beginning_is_refused_and_nothing_is_made(marketer):
    with pytest.raises(ValidationError) as problem:
        planning.create_campaign(
            actor=marketer, department=marketer.department, values=VALUES | {"ends_on": date(2026, 11, 1)}, now=NOW
        )
    assert "ends_on" in problem.value.message_dict
    assert not Campaign.objects.exists()


def test_two_people_editing_one_campaign_see_both_versions_and_lose_nothing(marketer):
    campaign = make.CampaignFactory(department=marketer.department, name="Before")
    planning.change_campaign(actor=marketer, campaign=campaign, values={"name": "First"}, expected_version=1, now=NOW)
    with pytest.raises(planning.EditedMeanwhile) as both:
        planning.change_campaign(
            actor=marketer, campaign=campaign, values={"name": "Second", "goal": "x"}, expected_version=1, now=NOW
        )
    assert both.value.differing == {"name": ("First", "Second"), "goal": ("", "x")}
    campaign.refresh_from_db()
    assert (campaign.name, campaign.version, both.value.version) == ("First", 2, 2)


def test_a_change_is_written_down_with_before_and_after(marketer):
    campaign = make.CampaignFactory(department=marketer.department, name="Before")
    planning.change_campaign(actor=marketer, campaign=campaign, values={"name": "After"}, expected_version=1, now=NOW)
    line = AuditEvent.objects.get(action="campaign.changed")
    assert (line.actor, line.before, line.after) == (marketer, {"name": "Before"}, {"name": "After"})


def test_a_time_in_the_past_is_refused(marketer):
    campaign = make.CampaignFactory(department=marketer.department)
    with pytest.raises(ValidationError) as problem:
        planning.add_message(
            actor=marketer, campaign=campaign, values=message_values(send_at=NOW - timedelta(minutes=1)), now=NOW
        )
    assert "gone by" in str(problem.value.message_dict["send_at"])
    assert not campaign.messages.exists()


def test_an_end_of_sending_before_its_beginning_is_refused(marketer):
    campaign = make.CampaignFactory(department=marketer.department)
    with pytest.raises(ValidationError) as problem:
        planning.add_message(actor=marketer, campaign=campaign, values=message_values(send_until=NOW), now=NOW)
    assert "send_until" in problem.value.message_dict


def test_an_hour_that_the_clock_jumps_over_is_explained_with_its_zone():
    with pytest.raises(ValidationError) as problem:
        schedule.local_moment(date(2027, 3, 28), time(2, 30), OSLO)
    assert "Europe/Oslo" in problem.value.messages[0]
    assert "03:30" in problem.value.messages[0]


def test_an_hour_that_comes_twice_means_the_first_one():
    assert schedule.is_ambiguous(date(2026, 10, 25), time(2, 30), OSLO)
    assert schedule.local_moment(date(2026, 10, 25), time(2, 30), OSLO) == datetime(2026, 10, 25, 0, 30, tzinfo=UTC)


def test_a_repeated_message_keeps_its_clock_time_over_the_clock_change():
    campaign = Campaign(starts_on=date(2026, 10, 20), ends_on=date(2026, 11, 5))
    message = Message(campaign=campaign, send_at=datetime(2026, 10, 22, 7, 0, tzinfo=UTC), recurrence="FREQ=WEEKLY")
    first, last = datetime(2026, 10, 1, tzinfo=UTC), datetime(2026, 12, 1, tzinfo=UTC)
    times = list(schedule.occurrences(message, first=first, last=last, zone=OSLO))
    assert [moment.astimezone(OSLO).hour for moment in times] == [9, 9, 9]
    assert times[1] == datetime(2026, 10, 29, 8, 0, tzinfo=UTC)


def test_a_copy_moves_every_date_carries_no_approval_and_is_made_once(marketer):
    original = make.CampaignFactory(department=marketer.department, status=CampaignStatus.DONE)
    message = make.MessageFactory(campaign=original, include=[SegmentFactory()], recurs_until=date(2026, 11, 25))
    make.ContentVersionFactory(message=message, subject="Words")
    Approval.objects.create(campaign=original, state="given", asked_by=marketer, asked_at=NOW, digest="x")
    copies = [
        copying.copy_campaign(actor=marketer, campaign=original, starts_on=date(2026, 12, 18), now=NOW) for _ in range(2)
    ]
    copy = copies[0]
    assert copies[0] == copies[1]
    assert (copy.status, copy.ends_on, copy.approvals.count()) == ("draft", date(2026, 12, 30), 0)
    twin = copy.messages.get()
    assert twin.send_at == message.send_at + timedelta(days=30)
    assert twin.recurs_until == date(2026, 12, 25)
    assert (twin.include.count(), twin.versions.get().subject) == (1, "Words")


def test_a_copied_offer_belongs_to_the_copier_and_keeps_its_prices(marketer):
    offer = make.OfferFactory(department=DepartmentFactory())
    make.OfferPriceFactory(offer=offer)
    copy = copying.copy_offer(actor=marketer, offer=offer, now=NOW)
    assert (copy.department, copy.prices.count()) == (marketer.department, 1)


def test_a_message_that_was_changed_meanwhile_is_not_overwritten(marketer):
    message = make.MessageFactory(campaign__department=marketer.department)
    planning.change_message(actor=marketer, message=message, values={"name": "First"}, expected_version=1, now=NOW)
    with pytest.raises(planning.EditedMeanwhile):
        planning.change_message(actor=marketer, message=message, values={"name": "Second"}, expected_version=1, now=NOW)


def test_a_finished_campaign_is_not_changed_any_more(marketer):
    campaign = make.CampaignFactory(department=marketer.department, status=CampaignStatus.DONE)
    with pytest.raises(ValidationError):
        planning.add_message(actor=marketer, campaign=campaign, values=message_values(), now=NOW)


def test_versions_without_words_are_copied_with_their_message(marketer):
    message = make.MessageFactory(campaign__department=marketer.department)
    make.ContentVersionFactory(message=message)
    copy = copying.copy_message(actor=marketer, message=message, now=NOW)
    assert ContentVersion.objects.filter(message=copy).count() == 1
