"""Programmes: what their campaigns inherit, what a change of one does, and what its page says of all of them together."""

from datetime import date, timedelta
from decimal import Decimal

import pytest
from django.core.exceptions import PermissionDenied
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from pyroaring import BitMap

from apps.accounts.models import Notification
from apps.campaigns import approval, copying, inheritance, moving, planning, programmes, readiness, together
from apps.campaigns.models import Campaign, Conflict, Message, Programme
from apps.channels.models import ChannelAccount
from apps.consent.models import Purpose
from apps.reporting.models import DailyFact
from tests.campaigns.conflicts.conftest import count
from tests.factories.accounts import DepartmentFactory, UserFactory
from tests.factories.campaigns import (
    NOW,
    CampaignFactory,
    ContentVersionFactory,
    MessageFactory,
    OfferFactory,
    ProgrammeFactory,
)
from tests.factories.customers import CategoryFactory
from tests.factories.sending import sign

pytestmark = pytest.mark.django_db
DAYS = {"starts_on": date(2026, 11, 23), "ends_on": date(2026, 11, 30)}


@pytest.fixture
def umbrella():
    """Black Week: −30 %, 9,000 euros, a week; two departments."""
    return ProgrammeFactory(
        key_message="Warm all winter", offer=OfferFactory(name="−30 %", value=30), budget=9000, currency="EUR", **DAYS
    )


@pytest.fixture
def lead():
    return UserFactory(role="lead", department=DepartmentFactory(name="Online", slug="online"))


def made(lead, programme, **values):
    given = {"name": "Online", "programme": programme, "takes_dates": True, **DAYS} | values
    return planning.create_campaign(actor=lead, department=lead.department, values=given, now=NOW)


def message(lead, campaign, **values):
    purpose = Purpose.objects.get_or_create(code="offers", defaults={"name": "Offers", "purpose_class": "promotion"})[0]
    given = {"name": "Mail", "channel": "email", "purpose": purpose, "send_at": NOW + timedelta(days=6)} | values
    return planning.add_message(actor=lead, campaign=campaign, values=given, now=NOW)


def change(lead, programme, **values):
    whole = {name: getattr(programme, name) for name in programmes.FIELDS} | values
    return programmes.change(actor=lead, programme=programme, values=whole, now=NOW)


def test_a_campaign_inherits_key_message_offer_days_and_budget(lead, umbrella):
    campaign = made(lead, umbrella, starts_on=date(2026, 12, 1), ends_on=date(2026, 12, 2))
    has = inheritance.of(campaign)
    assert (has.key_message.value, has.offer.value, has.days.value, has.budget.value) == (
        "Warm all winter", umbrella.offer, (DAYS["starts_on"], DAYS["ends_on"]), 9000,
    )
    assert all((has.key_message.is_inherited, has.offer.is_inherited, has.days.is_inherited, has.budget.is_inherited))
    assert (campaign.starts_on, campaign.ends_on) == (DAYS["starts_on"], DAYS["ends_on"])


def test_an_own_value_goes_before_the_programmes(lead, umbrella):
    own = OfferFactory(name="−10 %", value=10, department=lead.department)
    campaign = made(
        lead, umbrella, key_message="Only here", offer=own, budget=Decimal(500), takes_dates=False, starts_on=date(2026, 11, 24)
    )
    has = inheritance.of(campaign)
    assert (has.key_message.value, has.offer.value, has.budget.value, has.days.value[0]) == ("Only here", own, 500, date(2026, 11, 24))
    assert not any((has.key_message.is_inherited, has.offer.is_inherited, has.days.is_inherited, has.budget.is_inherited))


def test_promotions_take_the_offer_and_their_own_or_none_when_they_say_so(lead, umbrella):
    service = Purpose.objects.get(code="service")
    own = OfferFactory(name="−10 %", value=10)
    campaign = made(lead, umbrella)
    offers = {
        "inherits": message(lead, campaign, name="a"), "own": message(lead, campaign, name="b", offer=own),
        "none": message(lead, campaign, name="c", without_offer=True), "service": message(lead, campaign, name="d", purpose=service),
    }
    assert {name: (each.offer, each.offer_inherited) for name, each in offers.items()} == {
        "inherits": (umbrella.offer, True), "own": (own, False), "none": (None, False), "service": (None, False),
    }
    back = planning.change_message(
        actor=lead, message=offers["own"], values={"offer": None}, expected_version=offers["own"].version, now=NOW
    )
    assert (back.offer, back.offer_inherited) == (umbrella.offer, True)
    same = planning.change_message(actor=lead, message=back, values={"offer": None}, expected_version=back.version, now=NOW)
    assert same.version == back.version, "an empty field is what the form shows of an inherited offer: no change"


def test_days_of_its_own_end_the_inheritance_of_days_however_they_come(lead, umbrella):
    campaign = made(lead, umbrella)
    moved = moving.move_campaign(actor=lead, campaign=campaign, days=1, expected_version=campaign.version, now=NOW)
    assert (moved.takes_dates, moved.starts_on) == (False, date(2026, 11, 24))
    again = planning.change_campaign(
        actor=lead, campaign=moved, values={"takes_dates": True}, expected_version=moved.version, now=NOW
    )
    assert again.starts_on == DAYS["starts_on"]
    own = planning.change_campaign(
        actor=lead, campaign=again, values={"ends_on": date(2026, 12, 5)}, expected_version=again.version, now=NOW
    )
    assert (own.takes_dates, own.ends_on) == (False, date(2026, 12, 5))
    copy = copying.copy_campaign(actor=lead, campaign=again, starts_on=date(2027, 1, 4), now=NOW)
    assert (copy.takes_dates, copy.programme) == (False, umbrella)


def test_a_change_names_the_campaigns_that_it_changes_and_no_others(lead, umbrella):
    inheriting, half, own, live = (made(lead, umbrella, name=name) for name in ("all", "half", "own", "live"))
    for campaign in (inheriting, half, live):
        message(lead, campaign)
    Campaign.objects.filter(pk=half.pk).update(takes_dates=False, key_message="Own words", budget=1)
    Campaign.objects.filter(pk=own.pk).update(takes_dates=False, key_message="Own", budget=2, offer=OfferFactory())
    Campaign.objects.filter(pk=live.pk).update(status="live")
    sign(inheriting)
    Campaign.objects.filter(pk=inheriting.pk).update(status="approved")
    values = {name: getattr(umbrella, name) for name in programmes.FIELDS} | {
        "starts_on": date(2026, 11, 25), "offer": OfferFactory(name="−50 %", value=50), "key_message": "New words",
    }
    found = {each.campaign.name: each for each in programmes.effects(umbrella, values)}
    assert {name: [row[0] for row in each.rows] for name, each in found.items()} == {
        "all": ["days", "offer", "key message"], "half": ["offer"], "live": ["key message"],
    }
    assert (found["live"].keeps, found["all"].asks_again, found["half"].asks_again) == (True, True, False)
    assert Campaign.objects.get(pk=inheriting.pk).starts_on == DAYS["starts_on"], "nothing is written by looking"


def test_locked_days_stay_when_the_programme_moves(lead, umbrella):
    locked = made(lead, umbrella)
    Campaign.objects.filter(pk=locked.pk).update(lock="booked")
    values = {name: getattr(umbrella, name) for name in programmes.FIELDS} | {"starts_on": date(2026, 11, 25)}
    assert [(each.campaign, each.rows, each.is_locked) for each in programmes.effects(umbrella, values)] == [(locked, (), True)]
    change(lead, umbrella, starts_on=date(2026, 11, 25))
    locked.refresh_from_db()
    assert (locked.starts_on, locked.takes_dates) == (DAYS["starts_on"], False)


def test_a_change_goes_down_to_all_that_inherit_and_asks_for_their_approval_again(lead, umbrella):
    other = UserFactory(role="lead", department=DepartmentFactory(name="Retail", slug="retail"))
    campaign, live = made(other, umbrella, name="Retail"), made(lead, umbrella, name="Live")
    mails = {each.pk: message(who, each) for who, each in ((other, campaign), (lead, live))}
    for each in (campaign, live):
        sign(each)
    Campaign.objects.filter(pk=campaign.pk).update(status="approved")
    Campaign.objects.filter(pk=live.pk).update(status="live")
    new = OfferFactory(name="−50 %", value=50)
    changed = change(lead, umbrella, starts_on=date(2026, 11, 25), offer=new)
    campaign.refresh_from_db()
    live.refresh_from_db()
    assert (changed.version, campaign.starts_on, campaign.status) == (umbrella.version + 1, date(2026, 11, 25), "draft")
    assert approval.current(campaign) is None
    assert Message.objects.get(pk=mails[campaign.pk].pk).offer == new
    assert (live.starts_on, live.status, live.takes_dates) == (DAYS["starts_on"], "live", False)
    kept = Message.objects.get(pk=mails[live.pk].pk)
    assert (kept.offer, kept.offer_inherited) == (umbrella.offer, False)
    assert approval.is_covered(live, NOW)
    assert Notification.objects.filter(user=other, code="programme.changed").count() == 1


def test_the_conflict_passes_look_again_at_all_that_changed(lead, umbrella):
    coats = CategoryFactory(name="Coats")
    umbrella.offer = OfferFactory(name="full", kind="full_price", value=None, category=coats)
    umbrella.save()
    other = UserFactory(role="lead", department=DepartmentFactory(name="Retail", slug="retail"))
    less = OfferFactory(name="−30 % coats", kind="percent", value=30, category=coats)
    first, second = made(lead, umbrella), made(other, umbrella, name="Retail", offer=less)
    for who, campaign, offer in ((lead, first, None), (other, second, OfferFactory(kind="full_price", value=None, category=coats))):
        message(who, campaign, offer=offer)
    Message.objects.update(plan_audience=BitMap(range(50)), plan_count=50, plan_computed_at=NOW + timedelta(days=1))
    count()
    assert not Conflict.objects.filter(rule="offers").exists()
    change(lead, umbrella, offer=less)
    count(NOW)
    assert Conflict.objects.get(rule="offers").people_count == 50


def test_copy_that_promises_more_than_the_inherited_offer_is_flagged(lead, umbrella):
    mail = message(lead, made(lead, umbrella))
    ContentVersionFactory(message=mail, subject="50 % rabatt på alt", language="nb")
    assert any("50" in text and "30" in text for text in readiness.promises(Message.objects.get(pk=mail.pk)))
    change(lead, umbrella, offer=OfferFactory(name="−50 %", value=50))
    assert not list(readiness.promises(Message.objects.get(pk=mail.pk)))


def test_only_leads_change_a_programme_and_a_second_click_makes_no_second_one(lead):
    values = {"name": "Spring", "key_message": "", "offer": None, "budget": None, "currency": "EUR", **DAYS}
    first, second = (programmes.create(actor=lead, values=values, now=NOW) for _click in range(2))
    assert first == second
    with pytest.raises(PermissionDenied):
        programmes.create(actor=UserFactory(role="marketer", department=lead.department), values=values, now=NOW)
    with pytest.raises(planning.EditedMeanwhile):
        programmes.change(actor=lead, programme=first, values={"name": "X"}, expected_version=first.version - 1, now=NOW)


def test_a_lead_makes_a_programme_and_others_do_not(client, lead):
    client.force_login(lead)
    address = reverse("campaigns:programme-new")
    posted = {"name": "Spring", "starts_on": "2027-03-01", "ends_on": "2027-03-20", "currency": "nok", "seen": ""}
    assert client.get(address).status_code == 200
    assert client.post(address, posted).status_code == 302
    assert Programme.objects.get(name="Spring").currency == "NOK"
    client.force_login(UserFactory(role="marketer", department=lead.department))
    assert client.post(address, posted | {"name": "Summer"}).status_code == 403


def several(umbrella, number):
    """Campaigns of 100 people each, of whom each shares 40 with the one before, an e-mail that costs a hundredth each."""
    account = ChannelAccount.objects.create(name="Priced", channel="email", adapter="smtp", unit_cost="0.01", created_at=NOW)
    for place in range(number):
        campaign = CampaignFactory(programme=umbrella, name=f"C{place}", budget=100 if place else None, **DAYS)
        people = BitMap(range(60 * place, 60 * place + 100))
        for hours in (0, 30):
            MessageFactory(
                campaign=campaign, account=account, send_at=NOW + timedelta(days=6, hours=hours), plan_audience=people, plan_count=100,
                plan_computed_at=NOW,
            )


def test_the_sums_count_each_person_once_and_every_contact(umbrella):
    several(umbrella, 3)
    CampaignFactory(programme=umbrella, name="Given up", status="cancelled", budget=777, **DAYS)
    Message.objects.filter(campaign__name="C0").update(offer=umbrella.offer, offer_inherited=True)
    Message.objects.filter(campaign__name="C1").update(offer=OfferFactory(name="Own"))
    count()
    whole = together.of(umbrella, now=NOW)
    # 0..99, 60..159, 120..219: 220 people, 300 in all audiences, each mailed twice.
    assert (whole.people, whole.contacts) == (220, 600)
    assert whole.budget == {"EUR": Decimal(9200)}
    assert whole.cost == {"EUR": Decimal("6.00")}
    assert [(line.campaign.name, line.people, line.contacts) for line in whole.lines] == [("C0", 100, 200), ("C1", 100, 200), ("C2", 100, 200)]
    assert [campaign.name for campaign in whole.closed] == ["Given up"]
    assert [line.offers for line in whole.lines] == [(("−30 %", True),), (("Own", False),), ()]
    pairs = {(row.first_campaign_id, row.second_campaign_id) for row in Conflict.objects.filter(state="open")}
    assert len(whole.pairs) == len(pairs) == 2


def test_the_page_shows_them_in_a_number_of_queries_that_does_not_grow(client, lead, umbrella):
    client.force_login(lead)
    address = reverse("campaigns:programme", args=[umbrella.pk])
    asked = []
    for number in (2, 7):
        Campaign.objects.all().delete()
        ChannelAccount.objects.filter(name="Priced").delete()
        several(umbrella, number)
        client.get(address)
        with CaptureQueriesContext(connection) as found:
            page = client.get(address).content.decode()
        asked.append(len(found))
        assert f"{60 * (number - 1) + 100}</dd>" in page
        assert page.count("dep-fill") == number
    assert asked[0] == asked[1]


def test_a_change_is_shown_first_and_saved_when_confirmed(client, lead, umbrella):
    client.force_login(lead)
    campaign = made(lead, umbrella)
    address = reverse("campaigns:programme", args=[umbrella.pk])
    form = client.get(address).context["form"]
    posted = {name: form[name].value() for name in form.fields if form[name].value() is not None} | {"starts_on": "2026-11-24"}
    posted = {name: value.isoformat() if hasattr(value, "isoformat") else value for name, value in posted.items()}
    shown = client.post(address, posted)
    assert [effect.campaign for effect in shown.context["effects"]] == [campaign]
    umbrella.refresh_from_db()
    assert umbrella.starts_on == DAYS["starts_on"]
    assert client.post(address, dict(shown.context["posted"]) | {"confirmed": "1"}).status_code == 302
    campaign.refresh_from_db()
    assert campaign.starts_on == date(2026, 11, 24)


def test_what_its_campaigns_spent_and_brought_is_summed_from_the_daily_facts(client, lead, umbrella):
    client.force_login(lead)
    campaigns = [made(lead, umbrella, name=name) for name in ("One", "Two")]
    stranger = CampaignFactory()
    for place, (campaign, day) in enumerate([(campaigns[0], 1), (campaigns[0], 2), (campaigns[1], 1), (stranger, 1)]):
        DailyFact.objects.create(
            day=date(2026, 11, day), department_id=1, campaign_id=campaign.pk, message_id=1, run_id=place, channel="email",
            currency="EUR", sent=100, orders=Decimal("2.5"), cost=Decimal(10), revenue=Decimal(50),
        )
    page = client.get(reverse("reporting:programme", args=[umbrella.pk]))
    assert (page.context["sent"], page.context["orders"], page.context["lines"][0][1]) == (300, Decimal("7.5"), 200)
    assert page.context["spent"] == "30 EUR"
    part = client.get(reverse("reporting:programme", args=[umbrella.pk]), headers={"HX-Request": "true"}).content.decode()
    assert "<html" not in part


def test_programs_read_programmes_and_put_drafts_under_them(client, lead, umbrella):
    client.force_login(lead)
    campaign = made(lead, umbrella)
    found = client.get("/api/v1/programmes/").json()["results"]
    assert [(row["name"], row["campaigns"], row["budget"]) for row in found] == [("Black Week", [campaign.pk], "9000.00")]
    assert client.post("/api/v1/programmes/", {"name": "x"}).status_code in (403, 405)


def test_a_change_in_the_administration_goes_down_too(client, umbrella):
    admin = UserFactory(role="administrator", is_staff=True, is_superuser=True)
    client.force_login(admin)
    campaign = made(UserFactory(role="lead", department=DepartmentFactory()), umbrella)
    address = reverse("admin:campaigns_programme_change", args=[umbrella.pk])
    values = {"name": "Black Week", "key_message": "Warm", "offer": umbrella.offer_id, "starts_on": "2026-11-24",
              "ends_on": "2026-11-30", "budget": "9000", "currency": "EUR"}  # fmt: skip
    assert client.post(address, values).status_code == 302
    campaign.refresh_from_db()
    assert campaign.starts_on == date(2026, 11, 24)
