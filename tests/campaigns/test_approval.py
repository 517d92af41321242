"""Four eyes, the signed snapshot, and the states of a campaign."""

from datetime import timedelta

import pytest
from django.core.exceptions import PermissionDenied, ValidationError

from apps.accounts.models import Notification, Role
from apps.campaigns import approval, launch, planning, signing
from apps.campaigns.content import versions
from apps.campaigns.models import CampaignStatus
from tests.factories import campaigns as make
from tests.factories.accounts import UserFactory
from tests.factories.customers import SegmentFactory

NOW = make.NOW
pytestmark = pytest.mark.django_db


@pytest.fixture
def campaign():
    made = make.CampaignFactory()
    make.BrandFactory(department=made.department, logo=None)
    message = make.MessageFactory(campaign=made, include=[SegmentFactory()])
    make.ContentVersionFactory(message=message)
    return made


@pytest.fixture
def lead(campaign):
    return make.lead(campaign.department)


def digest(campaign):
    return signing.digest(signing.snapshot(campaign))


def approved(campaign, lead):
    approval.submit(actor=campaign.owner, campaign=campaign, now=NOW)
    approval.approve(actor=lead, campaign=campaign, seen_digest=digest(campaign), now=NOW)
    campaign.refresh_from_db()
    return campaign


def test_whoever_asks_cannot_approve(campaign, lead):
    approval.submit(actor=lead, campaign=campaign, now=NOW)
    with pytest.raises(approval.NotReady, match="Four eyes"):
        approval.approve(actor=lead, campaign=campaign, seen_digest=digest(campaign), now=NOW)


def test_whoever_changed_the_plan_in_review_cannot_approve_it(campaign, lead):
    approval.submit(actor=campaign.owner, campaign=campaign, now=NOW)
    [message] = campaign.messages.all()
    planning.change_message(
        actor=lead, message=message, values={"send_at": message.send_at + timedelta(days=1)}, expected_version=message.version,
        now=NOW + timedelta(hours=1),
    )
    campaign.refresh_from_db()
    with pytest.raises(approval.NotReady, match="you changed this plan"):
        approval.approve(actor=lead, campaign=campaign, seen_digest=digest(campaign), now=NOW + timedelta(hours=2))
    other = UserFactory(role=Role.ADMINISTRATOR)
    approval.approve(actor=other, campaign=campaign, seen_digest=digest(campaign), now=NOW + timedelta(hours=2))
    campaign.refresh_from_db()
    assert campaign.status == CampaignStatus.APPROVED


def test_a_marketer_cannot_approve(campaign):
    approval.submit(actor=campaign.owner, campaign=campaign, now=NOW)
    with pytest.raises(PermissionDenied):
        approval.approve(
            actor=UserFactory(department=campaign.department), campaign=campaign, seen_digest=digest(campaign), now=NOW
        )


def test_an_administrator_may_approve_where_the_lead_asked(campaign, lead):
    approval.submit(actor=lead, campaign=campaign, now=NOW)
    administrator = UserFactory(role=Role.ADMINISTRATOR)
    given = approval.approve(actor=administrator, campaign=campaign, seen_digest=digest(campaign), now=NOW)
    assert given.state == "given"


def test_asking_tells_the_lead_and_asking_twice_asks_once(campaign, lead):
    first = approval.submit(actor=campaign.owner, campaign=campaign, now=NOW)
    assert approval.submit(actor=campaign.owner, campaign=campaign, now=NOW) == first
    assert Notification.objects.filter(user=lead, code="approval.asked").count() == 1


def test_an_empty_campaign_cannot_be_submitted():
    empty = make.CampaignFactory()
    with pytest.raises(approval.NotReady, match="no message"):
        approval.submit(actor=empty.owner, campaign=empty, now=NOW)


def test_the_approver_signs_what_was_seen_and_nothing_else(campaign, lead):
    approval.submit(actor=campaign.owner, campaign=campaign, now=NOW)
    seen = digest(campaign)
    version = campaign.messages.get().versions.get()
    versions.save(actor=campaign.owner, version=version, values={"subject": "New"}, expected_revision=1, now=NOW)
    with pytest.raises(approval.ChangedSinceSeen):
        approval.approve(actor=lead, campaign=campaign, seen_digest=seen, now=NOW)


@pytest.mark.parametrize("what", ["content", "time", "audience", "offer", "split"])
def test_a_change_of_what_was_signed_voids_the_approval_and_shows_the_field(campaign, lead, what):
    message = campaign.messages.get()
    given = approved(campaign, lead).approvals.get()
    if what == "content":
        version = message.versions.get()
        versions.save(actor=campaign.owner, version=version, values={"subject": "New"}, expected_revision=1, now=NOW)
    else:
        values = {
            "time": {"send_at": message.send_at + timedelta(hours=1)}, "audience": {"exclude": [SegmentFactory()]},
            "offer": {"offer": make.OfferFactory()}, "split": {"variants_share": {"A": 80, "B": 20}},
        }[what]  # fmt: skip
        planning.change_message(actor=campaign.owner, message=message, values=values, expected_version=1, now=NOW)
    campaign.refresh_from_db()
    given.refresh_from_db()
    assert (campaign.status, given.state) == (CampaignStatus.DRAFT, "void")
    assert {d.where for d in approval.changes_since(given)} == {message.name}


def test_a_change_of_what_was_not_signed_leaves_the_approval(campaign, lead):
    campaign = approved(campaign, lead)
    planning.change_campaign(
        actor=campaign.owner, campaign=campaign, values={"brief": "More words"}, expected_version=campaign.version, now=NOW
    )
    campaign.refresh_from_db()
    assert campaign.status == CampaignStatus.APPROVED


def test_a_changed_rule_of_a_segment_is_noticed_at_launch(campaign, lead):
    campaign = approved(campaign, lead)
    segment = campaign.messages.get().include.get()
    segment.rule = {"is": "attribute", "field": "country", "op": "is", "value": "NO"}
    segment.save()
    assert not approval.is_covered(campaign, NOW)


def test_a_live_campaign_that_is_changed_is_paused_until_it_is_signed_anew(campaign, lead):
    campaign = approved(campaign, lead)
    type(campaign).objects.filter(pk=campaign.pk).update(status=CampaignStatus.LIVE)
    message = campaign.messages.get()
    planning.change_message(actor=campaign.owner, message=message, values={"name": "New"}, expected_version=1, now=NOW)
    campaign.refresh_from_db()
    assert campaign.status == CampaignStatus.PAUSED
    with pytest.raises(approval.NotReady):
        launch.resume(actor=campaign.owner, campaign=campaign, now=NOW)
    approval.submit(actor=campaign.owner, campaign=campaign, now=NOW)
    campaign.refresh_from_db()
    assert campaign.status == CampaignStatus.IN_REVIEW


def test_an_approval_of_a_repeating_message_covers_a_stated_period(campaign, lead):
    campaign.messages.update(recurrence="FREQ=WEEKLY")
    campaign = approved(campaign, lead)
    given = approval.current(campaign)
    assert given.valid_until == NOW.date() + timedelta(days=approval.RECURRING_DAYS)
    assert approval.is_covered(campaign, NOW + timedelta(days=30))
    assert not approval.is_covered(campaign, NOW + timedelta(days=200))


def test_sending_back_needs_a_word_why(campaign, lead):
    approval.submit(actor=campaign.owner, campaign=campaign, now=NOW)
    with pytest.raises(ValidationError):
        approval.reject(actor=lead, campaign=campaign, note=" ", now=NOW)
    assert approval.reject(actor=lead, campaign=campaign, note="Too early", now=NOW).status == CampaignStatus.DRAFT


def test_an_unapproved_campaign_cannot_be_scheduled(campaign):
    with pytest.raises(approval.NotReady):
        launch.schedule(actor=campaign.owner, campaign=campaign, now=NOW)
