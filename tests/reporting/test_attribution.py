import csv
import gzip
from collections import defaultdict
from datetime import timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.channels.models import PrintBatch
from apps.reporting import attribution
from apps.reporting.attribution import Purchase, Touch, weights
from apps.reporting.models import Credit, CreditModel
from tests.factories import customers as people
from tests.factories.campaigns import MessageFactory
from tests.factories.reporting import DAY, HOUR, NOW, delivery, event, purchase, run_of
from tests.shared_data import shared

DATA = shared("attribution")


@given(
    st.decimals(min_value="-5000", max_value="100000", places=2),
    st.integers(1, 40),
    st.sampled_from(CreditModel.values),
)
def test_credits_sum_to_the_purchase_exactly(value, count, model):
    touches = tuple(Touch(number, 1, NOW) for number in range(count))

    found = attribution.credits(Purchase(1, NOW.date(), value, "NOK", touches), model)

    assert sum(amount for _touch, _share, amount in found) == value
    assert sum(share for _touch, share, _amount in found) == 1


@pytest.mark.skipif(not DATA.exists(), reason="shared data is absent")
def test_the_models_agree_with_the_reference_on_ten_thousand_real_paths():
    expected = {
        row["channel_name"]: row for row in csv.DictReader((DATA / "ChannelAttribution_heuristic_result.csv").open())
    }
    totals = defaultdict(lambda: defaultdict(float))
    with gzip.open(DATA / "ChannelAttribution_Data.csv.gz", "rt") as file:
        for row in csv.DictReader(file, delimiter=";"):
            path = row["path"].split(" > ")
            for model in CreditModel.values:
                parts = weights(model, len(path))
                for channel, part in zip(path, parts, strict=True):
                    totals[channel][model] += float(row["total_conversions"]) * part / sum(parts)

    for channel, row in expected.items():
        assert totals[channel]["first"] == pytest.approx(float(row["first_touch_conversions"]))
        assert totals[channel]["last"] == pytest.approx(float(row["last_touch_conversions"]))
        assert totals[channel]["linear"] == pytest.approx(float(row["linear_touch_conversions"]))


def rebuilt(day=NOW):
    attribution.rebuild(first=day.date(), last=(day + 40 * DAY).date())
    found = defaultdict(dict)
    for credit in Credit.objects.all():
        found[credit.model][credit.run_id] = credit.amount
    return found


@pytest.mark.django_db
def test_a_purchase_after_three_messages_is_credited_by_each_model():
    person = people.person()
    runs = [run_of(at=NOW + number * DAY) for number in range(3)]
    for run in runs:
        delivery(run, person)
    purchase(person, NOW + 3 * DAY, "100.00")

    first, second, third = (run.pk for run in runs)
    assert rebuilt() == {
        "first": {first: Decimal(100)},
        "last": {third: Decimal(100)},
        "linear": {first: Decimal("33.34"), second: Decimal("33.33"), third: Decimal("33.33")},
    }


@pytest.mark.django_db
def test_what_did_not_arrive_and_what_was_only_opened_is_no_touch():
    person = people.person()
    bounced, refused, held, late, opened = (run_of(at=NOW + number * HOUR) for number in range(5))
    delivery(bounced, person)
    event(bounced, person, "bounced")
    delivery(refused, person, "refused")
    delivery(held, person, "held_out")
    delivery(late, person, at=NOW + 9 * DAY)
    event(opened, person, "opened")
    purchase(person, NOW + 3 * DAY)

    assert rebuilt() == {}


@pytest.mark.django_db
def test_a_contact_before_the_look_back_gets_nothing(settings):
    settings.ATTRIBUTION_DAYS = 7
    person = people.person()
    old, new = run_of(at=NOW), run_of(at=NOW + 5 * DAY)
    delivery(old, person)
    delivery(new, person)
    purchase(person, NOW + 8 * DAY)

    assert list(rebuilt()["first"]) == [new.pk]


@pytest.mark.django_db
def test_a_letter_touches_on_its_in_home_date():
    person = people.person()
    message = MessageFactory(channel="letter")
    letter, mail = run_of(message), run_of(at=NOW + DAY)
    account = mail.message.account
    PrintBatch.objects.create(account=account, run_id=letter.pk, created_at=NOW, in_home_on=(NOW + 4 * DAY).date())
    delivery(letter, person)
    delivery(mail, person)
    purchase(person, NOW + 3 * DAY, "10.00")
    purchase(person, NOW + 6 * DAY, "70.00")

    amounts = rebuilt()

    assert amounts["last"] == {mail.pk: Decimal("10.00"), letter.pk: Decimal("70.00")}


@pytest.mark.django_db
def test_a_merged_person_is_one_person_with_all_their_messages():
    kept, absorbed = people.person(), people.person()
    run = run_of()
    delivery(run, absorbed)
    absorbed.merged_into = kept
    absorbed.save()
    purchase(kept, NOW + DAY)

    assert rebuilt()["linear"] == {run.pk: Decimal(100)}
    assert Credit.objects.first().customer_id == absorbed.pk


@pytest.mark.django_db
def test_crediting_again_changes_nothing():
    person = people.person()
    delivery(run_of(), person)
    purchase(person, NOW + timedelta(hours=2))

    assert rebuilt() == rebuilt()
