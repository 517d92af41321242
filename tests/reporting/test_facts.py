from collections import Counter
from datetime import timedelta
from random import Random

import pytest
from django.core.management import CommandError, call_command
from django.db.models import Sum

from apps.campaigns.models import Delivery, Run
from apps.campaigns.sending import proof
from apps.channels.events import News, record
from apps.channels.models import ContactEvent
from apps.core.clock import company_day
from apps.reporting import facts
from apps.reporting.models import Credit, DailyFact, StaleDay
from tests.factories import customers as people
from tests.factories.campaigns import MessageFactory
from tests.factories.reporting import DAY, HOUR, NOW, delivery, event, purchase, run_of

pytestmark = pytest.mark.django_db
PEOPLE = ("sent", "refused", "held_out", "failed", "unknown", "bounced", "opened", "clicked", "replied", "complained")


def rebuild():
    facts.rebuild(first=(NOW - DAY).date(), last=(NOW + 20 * DAY).date(), now=NOW)


def sums():
    return DailyFact.objects.aggregate(**{name: Sum(name) for name in PEOPLE})


def a_lot(seed=7):
    """A few runs with everything that can happen, drawn at random."""
    random, persons = Random(seed), [people.person(country=country) for country in ("NO", "PL", "") for _ in range(8)]
    message = MessageFactory()
    for number in range(4):
        run = run_of(message if number % 2 else None, at=NOW + number * DAY)
        for person in persons:
            outcome = random.choice(["sent", "sent", "sent", "refused", "held_out", "failed", "unknown"])
            delivery(run, person, outcome, variant=random.choice("AB") if outcome == "sent" else "", cost="0.01")
            for kind in ("delivered", "bounced", "opened", "clicked", "replied", "complained", "rejected"):
                for _ in range(random.choice([0, 0, 0, 1, 2])):
                    event(run, person, kind, machine=random.random() < 0.4)
    for person in persons[:9]:
        purchase(person, NOW + random.randrange(1, 100) * HOUR, f"{random.randrange(1, 90000) / 100:.2f}")


def by_hand():
    """The same numbers counted row by row in Python, with nothing of the product's SQL."""
    heard = {}
    for each in ContactEvent.objects.all():
        heard.setdefault((each.run_id, each.customer_id), []).append(each)
    found = Counter(dict.fromkeys(PEOPLE, 0))
    for row in Delivery.objects.all():
        events = heard.get((row.run_id, row.customer_id), [])
        kinds = {each.kind for each in events}
        outcome = row.outcome
        if outcome == "unknown" and kinds - {"rejected", "failed"}:
            outcome = "sent"
        elif outcome == "unknown" and kinds:
            outcome = "failed"
        found[outcome] += 1
        human = {each.kind for each in events if not each.machine}
        for kind in ("bounced", "complained"):
            found[kind] += outcome == "sent" and kind in kinds
        for kind in ("opened", "clicked", "replied"):
            found[kind] += outcome == "sent" and kind in human
    return dict(found)


def test_every_number_equals_a_count_by_hand():
    a_lot()

    rebuild()

    assert sums() == by_hand()


def test_revenue_and_orders_equal_the_credits():
    a_lot()

    rebuild()

    total = Credit.objects.filter(model="linear").aggregate(amount=Sum("amount"), share=Sum("share"))
    facts_total = DailyFact.objects.aggregate(revenue=Sum("revenue"), orders=Sum("orders"), cost=Sum("cost"))
    assert facts_total["revenue"] == total["amount"]
    assert float(facts_total["orders"]) == pytest.approx(float(total["share"]), abs=0.01)
    assert facts_total["cost"] == Delivery.objects.aggregate(cost=Sum("cost"))["cost"]


def test_the_facts_of_a_run_agree_with_its_proof():
    a_lot()
    rebuild()

    for run in {row.run_id: row for row in DailyFact.objects.all()}:
        proved = proof.run_proof(Run.objects.get(pk=run))
        counted = DailyFact.objects.filter(run_id=run).aggregate(
            **{name: Sum(name) for name in ("sent", "held_out", "failed", "unknown", "refused")}
        )
        assert counted["refused"] == sum(proved["refused"].values())
        assert all(counted[name] == proved[name] for name in ("sent", "held_out", "failed", "unknown"))


def test_counting_a_day_twice_changes_nothing():
    a_lot()
    rebuild()
    fields = [field.name for field in DailyFact._meta.concrete_fields if field.name != "id"]
    before = sorted(DailyFact.objects.values_list(*fields))

    rebuild()

    assert sorted(DailyFact.objects.values_list(*fields)) == before


def test_a_late_event_marks_its_days_and_the_next_count_has_it():
    person = people.person()
    run = run_of()
    delivery(run, person)
    rebuild()
    late = NOW + 3 * DAY

    told = News(channel="email", kind="clicked", at=late, dedupe_key="x", run_id=run.pk, customer_id=person.pk)
    facts.mark_late(None, record(account=run.message.account, news=[told], now=late))

    assert set(StaleDay.objects.values_list("day", flat=True)) == {run.run_day, company_day(late)}
    facts.rebuild_stale(now=late)
    assert sums()["clicked"] == 1
    assert not StaleDay.objects.exists()


def test_the_nightly_count_finds_days_of_purchases_that_came_late():
    person = people.person()
    delivery(run_of(), person)
    bought = purchase(person, NOW + 2 * HOUR)
    bought.recorded_at = NOW + 10 * DAY
    bought.save()

    facts.rebuild_nightly(now=NOW + 10 * DAY)

    assert DailyFact.objects.get(orders__gt=0).day == company_day(NOW)


def test_days_are_the_companys_days():
    person = people.person()
    evening = NOW.replace(hour=23, minute=30)
    run = run_of(at=NOW)
    delivery(run, person)
    purchase(person, evening)

    facts.rebuild(first=NOW.date(), last=NOW.date() + timedelta(days=1), now=NOW)

    assert DailyFact.objects.get(orders__gt=0).day == NOW.date() + timedelta(days=1)


def test_money_of_two_currencies_is_never_added():
    person = people.person()
    delivery(run_of(), person)
    purchase(person, NOW + HOUR, "100.00", "NOK")
    purchase(person, NOW + HOUR, "10.00", "EUR")

    rebuild()

    found = dict(DailyFact.objects.filter(revenue__gt=0).values_list("currency", "revenue"))
    assert {currency: str(value) for currency, value in found.items()} == {"NOK": "100.00", "EUR": "10.00"}


def test_the_command_counts_days_and_refuses_a_wrong_order():
    call_command("rebuild_facts", "--from", "2026-11-01", "--to", "2026-11-20")
    with pytest.raises(CommandError):
        call_command("rebuild_facts", "--from", "2026-11-20", "--to", "2026-11-01")
