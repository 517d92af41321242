from collections import Counter
from datetime import timedelta
from random import Random

import pytest

from apps.campaigns.models import Delivery
from apps.channels.models import ContactEvent
from apps.core.formulas import is_formula
from apps.customers.models import Interaction
from apps.reporting import exports, funnel
from apps.reporting.funnel import Lift
from apps.reporting.scope import Scope, people
from tests.factories import customers as factory
from tests.factories.campaigns import MessageFactory
from tests.factories.reporting import DAY, HOUR, NOW, delivery, event, purchase, run_of
from tests.shared_data import shared


def test_the_interval_is_the_unpooled_one_of_the_worked_example():
    low, high = Lift(45000, 1200, 5000, 110).interval

    assert (round(low, 6), round(high, 6)) == (0.000337, 0.008996)
    assert Lift(45000, 1200, 5000, 110).is_certain


def a_campaign(seed=3):
    random, message = Random(seed), MessageFactory()
    runs = [run_of(message, at=NOW + number * DAY) for number in range(3)]
    persons = [factory.person() for _ in range(24)]
    for person in persons:
        held = random.random() < 0.3
        for run in runs:
            outcome = "held_out" if held else random.choice(["sent", "sent", "sent", "refused", "failed"])
            delivery(run, person, outcome, reason="no_consent" if outcome == "refused" else "",
                     variant=random.choice("AB") if outcome == "sent" else "")  # fmt: skip
            for kind in ("clicked", "opened", "bounced"):
                if random.random() < 0.4:
                    event(run, person, kind, machine=random.random() < 0.3)
        if random.random() < 0.5:
            purchase(person, NOW + random.randrange(-24, 800) * HOUR)
    return message.campaign


@pytest.mark.django_db
def test_lines_and_people_equal_a_count_by_hand():
    campaign = a_campaign()
    heard = {
        (e.run_id, e.customer_id, e.kind) for e in ContactEvent.objects.all() if not e.machine or e.kind == "bounced"
    }
    expected, clickers = Counter(), {}
    for row in Delivery.objects.filter(outcome="sent"):
        expected[row.variant, "sent"] += 1
        expected[row.variant, "arrived"] += (row.run_id, row.customer_id, "bounced") not in heard
        if (row.run_id, row.customer_id, "clicked") in heard:
            expected[row.variant, "clicked"] += 1
            clickers.setdefault(row.variant, set()).add(row.customer_id)

    for line in funnel.lines(Scope(campaign=campaign.pk)):
        for step in ("sent", "arrived", "clicked"):
            assert line[step] == expected[line.variant, step]
        assert line.clickers == len(clickers.get(line.variant, ()))
        assert set(people(Scope(campaign=campaign.pk, variant=line.variant), "clicked")) == clickers.get(
            line.variant, set()
        )


@pytest.mark.django_db
def test_the_control_group_is_compared_by_assignment():
    campaign = a_campaign()
    first = {}
    for row in Delivery.objects.exclude(outcome="refused").order_by("at"):
        first.setdefault(row.customer_id, row)
    groups = {True: [0, 0], False: [0, 0]}
    for person, row in first.items():
        bought = [i.at for i in Interaction.objects.filter(customer=person)]
        group = groups[row.outcome == "held_out"]
        group[0] += 1
        group[1] += any(row.at <= at <= row.at + timedelta(days=30) for at in bought)

    assert funnel.lift(campaign.pk, now=NOW + 99 * DAY) == Lift(*groups[False], *groups[True])


@pytest.mark.django_db
def test_without_a_control_group_there_is_no_lift():
    run = run_of()
    delivery(run, factory.person())

    assert funnel.lift(run.message.campaign_id, now=NOW) is None


def payloads():
    path = shared("edge/csv_injection_payloads.txt")
    return path.read_text().splitlines() if path.exists() else ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1"]


@pytest.mark.parametrize("text", payloads())
def test_no_cell_begins_a_formula(text):
    assert not is_formula(str(exports.safe(text)))


def test_numbers_stay_numbers():
    assert exports.safe(-5) == -5
