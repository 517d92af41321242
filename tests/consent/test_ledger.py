from datetime import timedelta

import pytest
from django.db import DatabaseError, transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pyroaring import BitMap

from apps.consent import ledger
from apps.consent.ledger import Entry
from apps.consent.models import ConsentEvent, ConsentState
from apps.customers.models import ImportJob
from tests.factories import customers as people
from tests.factories.consent import LONG_AGO, no, purpose, yes

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)


def entry(customer, action, at=LONG_AGO, **fields):
    return Entry(customer.pk, "email", purpose().pk, action, at, "shop", "form", **fields)


def import_job():
    return ImportJob.objects.create(
        source=people.SourceFactory(), kind="customers", filename="a.csv", created_at=LONG_AGO
    )


def granted(customer):
    return ledger.state([customer.pk], "email", purpose())[customer.pk].granted


def test_a_yes_becomes_the_state_with_its_evidence():
    person = people.person(email="kari@example.no")

    event = yes(person, address="kari@example.no")

    state = ledger.state([person.pk], "email", purpose())[person.pk]
    assert state.granted
    assert state.event_id == event.pk
    assert event.address_hash
    assert event.address_hash != "kari@example.no"


def test_an_import_never_lifts_an_opt_out():
    person = people.person()
    no(person)

    ledger.record_many(
        [entry(person, "grant", LONG_AGO + DAY, import_job_id=import_job().pk)], recorded_at=LONG_AGO + DAY
    )

    assert not granted(person)


def test_an_import_never_lifts_an_opt_out_that_an_import_brought():
    person = people.person()
    job = import_job()
    ledger.record_many([entry(person, "withdraw", import_job_id=job.pk)], recorded_at=LONG_AGO)
    ledger.record_many([entry(person, "grant", LONG_AGO + DAY, import_job_id=job.pk)], recorded_at=LONG_AGO)

    assert not granted(person)


def test_only_a_persons_own_later_yes_lifts_an_opt_out():
    person = people.person()
    no(person, at=LONG_AGO)

    yes(person, at=LONG_AGO - DAY)
    assert not granted(person)
    yes(person, at=LONG_AGO + DAY, by_person=False)
    assert not granted(person)
    yes(person, at=LONG_AGO + DAY)
    assert granted(person)


def test_an_import_cannot_claim_to_be_the_person():
    person = people.person()

    with pytest.raises(ledger.NotTheirs):
        ledger.record_many([entry(person, "grant", by_person=True, import_job_id=1)], recorded_at=LONG_AGO)

    assert not ConsentEvent.objects.exists()


def test_a_void_takes_back_the_yes_of_its_import_but_not_its_no():
    agreed, refused = people.person(), people.person()
    job = import_job()
    lines = [entry(agreed, "grant", import_job_id=job.pk), entry(refused, "withdraw", import_job_id=job.pk)]
    ledger.record_many(lines, recorded_at=LONG_AGO)

    voids = [entry(person, "void", LONG_AGO + DAY, import_job_id=job.pk) for person in (agreed, refused)]
    ledger.record_many(voids, recorded_at=LONG_AGO + DAY)

    assert ledger.state([agreed.pk], "email", purpose()) == {}
    assert not granted(refused)


def test_the_ledger_cannot_be_changed():
    event = yes(people.person())

    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
        ConsentEvent.objects.filter(pk=event.pk).update(action="withdraw")


def test_the_state_of_a_past_day_is_what_held_then():
    person = people.person()
    yes(person, at=LONG_AGO)
    no(person, at=LONG_AGO + 10 * DAY)
    key = ("email", purpose().pk)

    assert ledger.grid([person.pk], LONG_AGO - DAY) == {}
    assert ledger.grid([person.pk], LONG_AGO + DAY)[key].granted
    assert not ledger.grid([person.pk])[key].granted


def test_of_a_merged_person_the_most_restrictive_counts_and_unmerging_gives_back():
    kept, absorbed = people.person(), people.person()
    yes(kept)
    no(absorbed)

    absorbed.merged_into = kept
    absorbed.save()
    assert not granted(kept)

    absorbed.merged_into = None
    absorbed.save()
    assert granted(kept)
    assert not granted(absorbed)


def test_what_a_merged_person_says_holds_under_all_their_ids():
    kept, absorbed = people.person(), people.person()
    no(absorbed)
    absorbed.merged_into = kept
    absorbed.save()

    yes(kept, at=LONG_AGO + DAY)

    assert granted(kept)
    absorbed.merged_into = None
    absorbed.save()
    assert granted(absorbed)


def test_a_rebuild_gives_the_same_states():
    for number in range(4):
        person = people.person()
        yes(person)
        if number % 2:
            no(person, at=LONG_AGO + DAY)
    fields = ("customer_id", "channel", "purpose_id", "granted", "at", "opted_out_by_person", "event_id")
    before = set(ConsentState.objects.values_list(*fields))

    ledger.rebuild()

    assert set(ConsentState.objects.values_list(*fields)) == before


def test_measurement_needs_its_own_yes():
    allowed, silent, refused = people.person(), people.person(), people.person()
    yes(allowed, purpose="measurement")
    yes(silent, purpose="offers")
    yes(refused, purpose="measurement")
    no(refused, purpose="measurement", at=LONG_AGO + DAY)

    everybody = BitMap([allowed.pk, silent.pk, refused.pk])

    assert ledger.measurement_allowed(everybody) == BitMap([allowed.pk])
    assert ledger.measurement_allowed(everybody, "email") == BitMap([allowed.pk])
    assert ledger.measurement_allowed(everybody, "sms") == BitMap()


LINES = st.lists(
    st.tuples(st.sampled_from(["grant", "withdraw", "confirm"]), st.integers(0, 5), st.booleans(), st.booleans()),
    max_size=12,
)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(LINES)
def test_the_state_equals_a_naive_replay_of_the_ledger(lines):
    person, job = people.person(), import_job()
    for action, day, by_person, imported in lines:
        line = entry(
            person, action, LONG_AGO + day * DAY, by_person=by_person and not imported,
            import_job_id=job.pk if imported else None,
        )  # fmt: skip
        ledger.record_many([line], recorded_at=LONG_AGO)

    found = ledger.state([person.pk], "email", purpose()).get(person.pk)

    assert (found.granted if found else None) == replay(person)


def replay(person):
    """Reads the ledger by hand in the order in which things happened; nothing of the product's SQL."""
    state, lines = None, ConsentEvent.objects.filter(customer=person)
    for line in sorted(lines, key=lambda each: (each.at, each.pk)):
        if line.action == "withdraw":
            state = False
        elif state is not False or line.by_person:
            state = True
    return state
