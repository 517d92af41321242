"""The shared people on another channel: measured, signed, drafted, kept in the claim, and undone with the agreement."""

from datetime import timedelta

import pytest
from pyroaring import BitMap

from apps.campaigns import approval, audiences, launch, readiness
from apps.campaigns.conflicts import agree, loading, resolve, response
from apps.campaigns.content import versions
from apps.campaigns.models import Agreement, Campaign, Conflict, Delivery, Message, MinimumGap, RuleParameter, StandIn
from apps.campaigns.sending import work
from apps.consent.models import Purpose
from apps.customers.models import ContactPoint, Segment
from tests.factories.accounts import DepartmentFactory, UserFactory
from tests.factories.campaigns import NOW, BrandFactory, CampaignFactory, ContentVersionFactory, MessageFactory
from tests.factories.channels import ChannelAccountFactory
from tests.factories.customers import SegmentFactory, SourceRecordFactory
from tests.factories.sending import FakeAdapter, make_people, plain_drafts, send_all, sign
from tests.factories.sending import agree as consent

from .conftest import Scene, count

pytestmark = pytest.mark.django_db(transaction=True)
LATER = NOW + timedelta(minutes=5)
GOES_OUT = NOW + timedelta(days=2)
PAST = response.Response({"email": (4000, 80), "sms": (3000, 30)})


def listed(people):
    return SegmentFactory(kind="static", rule={}, people=BitMap(people), count=len(people), computed_at=NOW)


def side(department, people, name):
    """A campaign with one e-mail to a list of these people, in two days."""
    days = {"starts_on": (NOW + timedelta(days=1)).date(), "ends_on": (NOW + timedelta(days=9)).date()}
    campaign = CampaignFactory(name=name, department=department, status="approved", **days)
    message = MessageFactory(campaign=campaign, send_at=GOES_OUT, include=[listed(people)], name=f"{name} mail")
    ContentVersionFactory(message=message)
    audiences.refresh(message, now=NOW)
    BrandFactory(department=department)
    sign(campaign)
    return campaign


@pytest.fixture
def ids():
    return list(make_people(30))


@pytest.fixture
def met(ids, monkeypatch):
    """20 people of Retail and 20 of Online, 10 of them shared; 5 of these can be reached by SMS."""
    monkeypatch.setattr(response, "past", lambda *, now: PAST)
    retail, online = DepartmentFactory(name="Retail", slug="retail"), DepartmentFactory(name="Online", slug="online")
    MinimumGap.objects.create(name="Mail gap", hours=72, channels=["email"])
    RuleParameter.objects.create(code="overlap_people", value=5)
    ChannelAccountFactory(sms=True, name="Texts")
    ChannelAccountFactory(channel="whatsapp", name="Retired", is_active=False)
    ChannelAccountFactory(call=True, name="Theirs", is_elsewhere=True)
    for one in [*ids[10:16], *ids[25:27]]:
        record = SourceRecordFactory(customer_id=one)
        ContactPoint.objects.create(
            customer_id=one, source_record=record, kind="phone", value=f"+4790000{one:03d}", valid_from=NOW - timedelta(days=9)
        )
    consent(BitMap([*ids[10:14], ids[15], ids[18], ids[25]]), channel="sms")
    scene = Scene(
        side(retail, ids[:20], "Retail"), side(online, ids[10:], "Online"),
        UserFactory(role="lead", department=retail), UserFactory(role="lead", department=online),
    )
    count()
    return scene


def conflict():
    return Conflict.objects.get(rule="overlap")


def ways(now=NOW):
    return {way.key: way for way in resolve.ways_out(conflict(), now=now) if way.action == "channel"}


def key(scene):
    return f"channel:{scene.online.pk}:sms"


def both_sign(scene):
    proposed = agree.propose(actor=scene.online_lead, conflict=conflict(), way=key(scene), now=NOW)
    return agree.sign(actor=scene.retail_lead, resolution=proposed, agrees=True, now=LATER)


def stand_in():
    return Message.objects.select_related("campaign", "purpose", "account").get(channel="sms")


def test_only_channels_with_an_account_that_sends_an_address_and_consent_are_offered(met):
    assert set(ways()) == {f"channel:{met.online.pk}:sms", f"channel:{met.retail.pk}:sms"}


def test_it_is_measured_who_is_reached_who_is_lost_and_what_remains(met, ids):
    way = ways()[key(met)]
    # Of the ten shared, 14 has a phone and no consent, 16 and 17 have neither, 18 consent and no phone, 19 neither.
    assert (way.reached, way.people_lost, way.still_both) == (5, 5, 5)
    assert {effect.rule: (effect.before, effect.after) for effect in way.effects} == {"overlap": (10, 5), "spacing": (10, 0)}
    assert way.arising == ()
    mail, text = (80 + 500 * 110 / 7000) / 4500, (30 + 500 * 110 / 7000) / 3500
    # None of these people stands in that past, so each is believed to be like the channel.
    assert way.orders_lost == pytest.approx(10 * mail - 5 * text)


def test_a_conflict_that_the_other_channel_brings_is_told_with_its_people(met):
    MinimumGap.objects.create(name="Text gap", hours=72, channels=["sms", "letter"])
    other = CampaignFactory(
        name="Texts", department=met.retail.department, status="approved", starts_on=met.retail.starts_on, ends_on=met.retail.ends_on
    )
    shared = list(Message.objects.get(campaign=met.retail).plan_audience & Message.objects.get(campaign=met.online).plan_audience)
    third = MessageFactory(
        campaign=other, channel="sms", send_at=GOES_OUT + timedelta(hours=30), include=[listed([*shared[:2], shared[4], 999_999])]
    )
    audiences.refresh(third, now=NOW)
    count()
    found = next(row for row in ways().values() if row.campaign_id == met.online.pk).arising
    # Of the three whom it would text as well, shared[4] has no consent: two are texted twice within three days.
    assert ("spacing", 2) in found


def test_signed_it_drafts_a_message_of_the_other_channel_that_asks_for_its_text_and_approval(met, ids):
    assert both_sign(met).state == "applied"
    made, bound = stand_in(), Agreement.objects.get()
    assert (made.campaign, made.send_at, made.account.name, StandIn.objects.get().agreement) == (met.online, GOES_OUT, "Texts", bound)
    assert set(made.plan_audience) == set(ids[10:20])
    assert made.versions.get().body.startswith("Vinteren er her\n\nHei {{ customer.given_name }}, se hva vi har til deg.")
    assert Campaign.objects.get(pk=met.online.pk).status == "draft"
    assert approval.current(met.online) is None
    assert Campaign.objects.get(pk=met.retail.pk).status == "approved"
    assert [each.text for each in readiness.problems(met.online, now=LATER) if each.blocks and each.message == made]


def test_its_words_are_ready_once_somebody_has_saved_them(met):
    both_sign(met)
    version = stand_in().versions.get()
    saved = versions.save(
        actor=met.online_lead, version=version, values={"body": version.body}, expected_revision=version.revision, now=LATER
    )
    assert saved.updated_by == met.online_lead
    assert not [each.text for each in readiness.problems(met.online, now=LATER) if each.blocks]


def test_what_is_left_of_the_pair_stays_open_and_what_nobody_is_left_in_is_settled(met):
    resolution = both_sign(met)
    count(LATER)
    rows = {row.rule: row for row in Conflict.objects.filter(second_campaign=met.online)}
    assert (rows["spacing"].state, rows["spacing"].settled_by) == ("resolved", resolution)
    assert rows["overlap"].state == "open"


def test_what_was_promised_of_each_finding_is_what_is_found_once_it_holds(met, ids):
    promised = {effect.rule: effect.after for effect in ways()[key(met)].effects}
    both_sign(met)
    count(LATER)
    found = Conflict.objects.filter(second_campaign=met.online).exclude(state="resolved")
    assert {row.rule: row.people_count for row in found} == {rule: people for rule, people in promised.items() if people}


def test_a_mail_with_a_deadline_lasts_until_then_when_it_is_called_instead_and_not_when_it_is_texted(met):
    met.online.messages.update(send_until=GOES_OUT + timedelta(days=5))
    mail = loading.load(now=NOW).messages[met.online.messages.get().pk]
    assert mail.windows == mail.over("sms").windows == ((GOES_OUT, GOES_OUT),)
    assert mail.over("call").windows == ((GOES_OUT, GOES_OUT + timedelta(days=5)),)
    assert mail.over("call").over("sms").windows == mail.windows


def test_what_comes_of_having_to_approve_anew_is_promised_too(met, ids):
    third = side(met.retail.department, ids[10:13], "Third")
    third.messages.update(channel="sms", send_at=GOES_OUT - timedelta(hours=1), priority=10)
    MinimumGap.objects.create(name="Text gap", hours=72, channels=["sms", "letter"])
    RuleParameter.objects.create(code="inversion_people", value=1)
    count()
    promised = dict(ways()[key(met)].arising)
    both_sign(met)
    count(LATER)
    found = Conflict.objects.filter(second_campaign=third, first_campaign=met.online, state="open")
    assert "inversion" in promised
    assert {row.rule: row.people_count for row in found} == promised


def test_nobody_counts_twice_who_keeps_the_original_because_the_other_side_cannot_write_to_them(met, ids):
    events = Purpose.objects.create(code="events", name="Events", purpose_class="promotion")
    consent(BitMap(set(ids[:20]) - {ids[11]}), purpose=events)
    met.retail.messages.update(purpose=events)
    both_sign(met)
    plan = loading.load(now=LATER)
    mail, text = (plan.messages[met.online.messages.get(channel=channel).pk] for channel in ("email", "sms"))
    assert set(plan.people.of(mail)) == {*ids[20:], ids[11]}
    assert set(plan.people.of(text)) == {ids[10], ids[12], ids[13], ids[15]}


@pytest.fixture
def provider(monkeypatch):
    adapter = FakeAdapter()
    monkeypatch.setattr("apps.channels.registry.adapter_for", lambda account: adapter)
    monkeypatch.setattr(work.writing, "prepare", plain_drafts)
    return adapter


def ready(scene):
    """Everybody has approved and scheduled."""
    for campaign in (scene.retail, scene.online):
        campaign.approvals.update(state="void")
        Campaign.objects.filter(pk=campaign.pk).update(status="scheduled")
        sign(campaign)


def sent(message):
    rows = Delivery.objects.filter(message_id=message.pk, outcome="sent")
    return set(rows.values_list("customer_id", flat=True))


def test_the_claim_gives_each_person_one_of_the_two_also_who_joined_late(met, ids, provider):
    both_sign(met)
    Segment.objects.filter(included_in__campaign=met.retail).update(people=BitMap([*ids[:20], ids[25], ids[26]]), count=22)
    ready(met)
    send_all(GOES_OUT)
    mail, text = met.online.messages.get(channel="email"), stand_in()
    assert sent(met.retail.messages.get()) == {*ids[:20], ids[25], ids[26]}
    assert sent(mail) == set(ids[20:]) - {ids[25], ids[26]}
    assert sent(text) == {*ids[10:14], ids[15], ids[25]}
    assert dict(Delivery.objects.filter(message_id=text.pk, outcome="refused").values_list("customer_id", "reason")) == {
        ids[14]: "no_consent", ids[16]: "no_address", ids[17]: "no_address", ids[18]: "no_address", ids[19]: "no_address",
        ids[26]: "no_consent",
    }


def test_whom_the_keeping_side_cannot_contact_gets_the_original_and_not_the_text(met, ids, provider):
    events = Purpose.objects.create(code="events", name="Events", purpose_class="promotion")
    consent(BitMap(set(ids[:20]) - {ids[11]}), purpose=events)
    met.retail.messages.update(purpose=events)
    both_sign(met)
    ready(met)
    send_all(GOES_OUT)
    mail, text = met.online.messages.get(channel="email"), stand_in()
    assert sent(mail) == {*ids[20:], ids[11]}
    assert sent(text) == {ids[10], ids[12], ids[13], ids[15]}
    assert Delivery.objects.get(message_id=text.pk, customer_id=ids[11]).reason == "other_channel"


def test_without_a_text_nothing_goes_out(met, provider, monkeypatch):
    monkeypatch.undo()
    both_sign(met)
    stand_in().versions.all().delete()
    assert any("no text" in words for words in launch.obstacles(met.online, now=LATER))


def test_everything_is_undone_when_the_agreement_ends(met, ids):
    resolution = both_sign(met)
    agree.end(actor=met.retail_lead, resolution=resolution, reason="The texts are too dear", now=LATER)
    assert not Message.objects.filter(channel="sms").exists()
    count(LATER)
    assert {row.rule: row.state for row in Conflict.objects.filter(second_campaign=met.online)} == {"overlap": "open", "spacing": "open"}


def test_who_was_reached_by_the_text_is_not_mailed_after_the_agreement_has_ended(met, ids, provider):
    resolution = both_sign(met)
    met.online.messages.filter(channel="email").update(send_at=GOES_OUT + timedelta(days=1))
    ready(met)
    send_all(GOES_OUT)
    texted = sent(stand_in())
    assert texted == {*ids[10:14], ids[15]}
    agree.end(actor=met.retail_lead, resolution=resolution, reason="Enough", now=GOES_OUT + timedelta(hours=1))
    assert stand_in().is_stopped
    MinimumGap.objects.all().delete()
    Campaign.objects.filter(pk=met.online.pk).update(status="live")
    met.online.approvals.update(state="void")
    sign(met.online)
    send_all(GOES_OUT + timedelta(days=1))
    assert sent(met.online.messages.get(channel="email")) == set(ids[10:]) - texted
