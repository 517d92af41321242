"""A lead's Monday morning: what to decide first, and the week in figures, against counts made otherwise."""

from collections import Counter
from datetime import date, datetime, time, timedelta
from decimal import Decimal

import pytest
from django.core.cache import cache

from apps.accounts import deputies
from apps.accounts.models import AuditEvent
from apps.campaigns.conflicts import agree, response
from apps.campaigns.models import Agreement, Conflict, Delivery, RefusedPermission, Resolution
from apps.core import clock
from apps.customers.models import Interaction
from apps.reporting import decisions, facts, week
from tests.campaigns.conflicts.conftest import planned, scene  # noqa: F401
from tests.factories import customers as people
from tests.factories.accounts import DepartmentFactory, UserFactory
from tests.factories.campaigns import CampaignFactory, MessageFactory
from tests.factories.reporting import NOW, delivery, event, purchase, run_of

pytestmark = pytest.mark.django_db
MONDAY = date(2026, 11, 16)
LAST_WEDNESDAY = NOW - timedelta(days=7)


def conflict(first, second, people_count, rule="overlap", severity=3, state="open", **fields):
    return Conflict.objects.create(
        rule=rule, identity=f"{rule}:{first.pk}:{second.pk if second else ''}", first_campaign=first, second_campaign=second,
        severity=severity, people_count=people_count, facts={}, digest="x", state=state, found_at=NOW, updated_at=NOW,
        decide_by=NOW + timedelta(days=1), **fields,
    )


@pytest.fixture(autouse=True)
def _nothing_remembered():
    cache.clear()


@pytest.fixture
def lead():
    return UserFactory(role="lead", language="en")


def pairs_of(lead, count):
    """So many conflicts of the lead's department, each with another campaign, of 10, 20, 30 … people."""
    mine = [CampaignFactory(department=lead.department, name=f"Mine {n}") for n in range(count)]
    return [conflict(one, CampaignFactory(), 10 * (n + 1)) for n, one in enumerate(mine)]


def test_a_pair_is_one_decision_and_the_heaviest_of_its_findings_speaks(lead):
    row = pairs_of(lead, 1)[0]
    conflict(row.first_campaign, row.second_campaign, 400, rule="offers", severity=2)
    conflict(row.first_campaign, row.second_campaign, None, rule="pressure")
    conflict(row.first_campaign, row.second_campaign, 900, rule="spacing", state="accepted")
    conflict(row.first_campaign, row.second_campaign, 900, rule="calendar", severity=1)
    found = decisions.ranked(lead, now=NOW)
    assert [(each.people, "offers" in Conflict.objects.get(pk=each.url.split("/")[2]).rule) for each in found] == [(400, True)]
    assert [(each.severity, each.more) for each in found] == [("3", 2)], "as severe as the worst, with what is decided along"


def test_ten_are_shown_by_people_and_the_rest_is_counted_with_a_link(client, lead):
    pairs_of(lead, 13)
    client.force_login(lead)
    page = client.get("/")
    assert [each.people for each in page.context["decisions"]] == [10 * n for n in range(13, 3, -1)]
    assert page.context["more"] == 3 and "3 more decisions" in page.content.decode()
    assert [each.people for each in client.get("/decisions/").context["decisions"]] == [10 * n for n in range(13, 0, -1)]


def test_money_goes_before_people_and_says_what_it_rests_on(lead, monkeypatch):
    few, many = pairs_of(lead, 2)
    MessageFactory(campaign=few.first_campaign, channel="call")
    MessageFactory(campaign=many.first_campaign, channel="email")
    for value in ("100.00", "300.00"):
        purchase(people.person(), NOW - timedelta(days=3), value)
    purchase(people.person(), NOW - timedelta(days=200), "9000.00")
    monkeypatch.setattr(response, "past", lambda now: response.Response({"call": (1000, 900), "email": (1000, 10)}))
    prior = 910 / 2000
    rates = {"call": (900 + prior * 500) / 1500, "email": (10 + prior * 500) / 1500}
    first, second = decisions.ranked(lead, now=NOW)
    assert (first.people, second.people) == (10, 20)
    assert first.money == round(Decimal(10 * rates["call"] * 200))
    assert second.money == round(Decimal(20 * rates["email"] * 200))
    assert (first.currency, first.by_orders) == ("NOK", True)
    purchases = Interaction.objects.filter(kind="purchase", at__gt=NOW - timedelta(days=90))
    assert decisions.average_order(now=NOW).purchases == purchases.count() == 2


def test_without_enough_past_the_planned_cost_stands_in(lead):
    few, _many = pairs_of(lead, 2)
    MessageFactory(campaign=few.first_campaign, planned_cost=Decimal("700"))
    MessageFactory(campaign=few.second_campaign, planned_cost=Decimal("50"))
    first, second = decisions.ranked(lead, now=NOW)
    assert (first.people, first.money, first.by_orders) == (10, Decimal("750"), False)
    assert (second.people, second.money) == (20, None)


def test_a_missing_signature_is_said_and_a_deputy_and_an_administrator_see_theirs(scene):  # noqa: F811
    agree.propose(actor=scene.online_lead, conflict=scene.conflict, way=f"leave_out:{scene.online.pk}", now=NOW)
    assert [row.label for row in decisions.ranked(scene.retail_lead, now=NOW)] == ["Read and sign"]
    assert [row.label for row in decisions.ranked(scene.online_lead, now=NOW)] == ["Solve"]
    colleague, boss = UserFactory(), UserFactory(role="administrator")
    assert decisions.ranked(colleague, now=NOW) == decisions.ranked(boss, now=NOW) == []
    deputies.name_deputy(actor=scene.retail_lead, deputy=colleague, starts_on=NOW.date(), ends_on=NOW.date(), now=NOW)
    Conflict.objects.update(escalated_at=NOW)
    assert [row.label for row in decisions.ranked(colleague, now=NOW)] == ["Read and sign"]
    assert [row.label for row in decisions.ranked(boss, now=NOW)] == ["Read and sign"]


def test_the_people_of_a_decision_are_those_that_its_number_opens_to(scene, client):  # noqa: F811
    decision = decisions.ranked(scene.online_lead, now=NOW)[0]
    client.force_login(scene.online_lead)
    assert client.get(decision.people_url).context["total"] == decision.people == 60
    assert AuditEvent.objects.filter(action="people.opened").exists()


def test_this_weeks_sends_are_those_of_the_agenda_it_opens_to(lead, client):
    zone = clock.company_zone()
    agreed = CampaignFactory(department=lead.department, status="scheduled", starts_on=MONDAY, ends_on=MONDAY + timedelta(days=13))
    at = datetime.combine(MONDAY, time(9), zone)
    MessageFactory(campaign=agreed, send_at=at, recurrence="FREQ=DAILY")
    MessageFactory(campaign=agreed, send_at=datetime.combine(MONDAY + timedelta(days=6), time(23, 59), zone))
    MessageFactory(campaign=agreed, send_at=datetime.combine(MONDAY + timedelta(days=7), time(0, 0, 1), zone))
    MessageFactory(campaign=CampaignFactory(department=lead.department, status="draft"), send_at=at)
    MessageFactory(campaign=CampaignFactory(status="scheduled"), send_at=at)
    found = week.sends([lead.department], MONDAY)
    assert (found.sends, found.campaigns) == (8, 1)
    client.force_login(lead)
    agenda = client.get(found.url).context["agenda"]
    assert sum(len(rows) for rows in agenda.values()) == 8


def test_spend_goals_and_losses_are_what_rows_say(lead, client):
    other, third = DepartmentFactory(name="Other"), DepartmentFactory(name="Third")
    mine = CampaignFactory(
        department=lead.department, status="live", starts_on=MONDAY - timedelta(days=7), ends_on=MONDAY + timedelta(days=7),
        budget=Decimal("100"), currency="EUR", goal_metric="reach", goal_value=10,
    )
    run = run_of(MessageFactory(campaign=mine), at=LAST_WEDNESDAY)
    persons = [people.person() for _ in range(6)]
    for one in persons[:2]:
        delivery(run, one, cost=Decimal("2.5"))
    event(run, persons[0], "clicked")
    rules = [_agreement(mine, CampaignFactory(department=kept_by)) for kept_by in (other, other, third)]
    _refuse(run, [(persons[2], rules[0]), (persons[3], rules[1]), (persons[4], rules[2])])
    delivery(run, persons[5], "refused", reason="no_consent")
    again = run_of(MessageFactory(campaign=mine), at=LAST_WEDNESDAY + timedelta(hours=2))
    _refuse(again, [(persons[2], rules[1])])
    _refuse(run_of(MessageFactory(campaign=mine), at=NOW), [(persons[5], rules[0])])  # this week
    _told(mine, [(persons[2], rules[0]), (persons[5], rules[0])], LAST_WEDNESDAY)  # one of them our own sending refused too
    _told(mine, [(persons[0], rules[2])], NOW)  # this week
    _told(mine, [(persons[1], "policy.1")], LAST_WEDNESDAY, reason="over_limit")  # nobody else got them
    _told(CampaignFactory(), [(persons[1], rules[0])], LAST_WEDNESDAY)  # another department's
    facts.rebuild(first=run.run_day, last=run.run_day, now=NOW)

    found = week.of([lead.department], now=NOW)
    assert [(each.campaign, each.last_week, each.so_far, each.share) for each in found.goals] == [(mine, 2, 2, Decimal("0.2"))]
    sent, asked = Delivery.objects.filter(reason="agreed_elsewhere", run_day=run.run_day), RefusedPermission.objects.all()
    asked = [row for row in asked if row.reason == "agreed_elsewhere" and row.department == lead.department and row.at == LAST_WEDNESDAY]
    naive = Counter(kept_by for _one, kept_by in {(row.customer_id, _keeper(row)) for row in [*sent, *asked]})
    assert {each.department.name: each.people for each in found.lost} == dict(naive) == {"Other": 3, "Third": 1}
    client.force_login(lead)
    for number, url in [(each.people, each.url) for each in found.lost] + [(2, found.goals[0].url), (2, found.goals[0].whole_url)]:
        assert client.get(url).context["count"] == number
    assert [(each.spent, each.share) for each in found.spend] == [(Delivery.objects.filter(outcome="sent").count() * Decimal("2.5"), Decimal("0.05"))]


def _agreement(yields, keeps):
    resolution = Resolution.objects.create(
        conflict=conflict(yields, keeps, 1), action="leave_out", state="applied", proposed_at=NOW, proposed_by=yields.owner
    )
    made = Agreement.objects.create(resolution=resolution, yielding_campaign=yields, keeping_campaign=keeps, since=NOW)
    return f"agreement.{made.pk}"


def _refuse(run, rows):
    for one, rule in rows:
        delivery(run, one, "refused", reason="agreed_elsewhere", rule=rule)


def _told(campaign, rows, at, reason="agreed_elsewhere"):
    message = MessageFactory(campaign=campaign, kind="elsewhere")
    for one, rule in rows:
        RefusedPermission.objects.create(
            department=campaign.department, message=message, customer_id=one.pk, channel=message.channel, purpose=message.purpose, at=at,
            asked_at=at, reason=reason, rule=rule,
        )


def _keeper(row):
    return Agreement.objects.get(pk=row.rule.split(".")[1]).keeping_campaign.department.name


def test_the_desk_of_a_lead_asks_a_number_of_queries_that_does_not_grow(client, lead, django_assert_max_num_queries):
    pairs_of(lead, 3)
    client.force_login(lead)
    client.get("/")
    pairs_of(lead, 9)
    with django_assert_max_num_queries(45):
        client.get("/")
