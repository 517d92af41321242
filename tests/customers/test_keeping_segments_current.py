"""A changed customer is asked for again, not everybody; what comes out is what a count from scratch gives."""

import random
from datetime import timedelta

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from apps.customers import merging, segments
from apps.customers.models import Customer, Interaction, SegmentLeaf
from apps.customers.segments import leaves
from tests.customers.importing import NOW
from tests.factories.consent import no, yes
from tests.factories.customers import InteractionFactory, person

pytestmark = pytest.mark.django_db
BOUGHT = {"is": "interaction", "kind": "purchase", "days": "30"}
NEVER = {"is": "interaction", "kind": "purchase", "op": "le", "times": "0"}
NORWAY = {"is": "attribute", "field": "country", "op": "is", "value": "NO"}
RULE = {"any": [{"all": [NORWAY, BOUGHT]}, {"all": [{"not": NORWAY}, NEVER]}]}


def bought(customer, days):
    return InteractionFactory(source_record=customer.source_records.get(), kind="purchase", at=NOW - timedelta(days=days))


def from_scratch(rule):
    SegmentLeaf.objects.all().delete()
    return segments.evaluate(rule, now=NOW)


def asked(rule):
    """The queries over customers' tables that an evaluation made, without those for everybody living."""
    with CaptureQueriesContext(connection) as queries:
        segments.evaluate(rule, now=NOW)
    return [query["sql"] for query in queries if "leaf(one)" in query["sql"] or "customers_interaction i" in query["sql"]]


def change(rng, people):
    one = rng.choice(people)
    what = rng.randrange(5)
    if what == 0:
        bought(one, rng.choice([1, 10, 40]))
    elif what == 1:
        Customer.objects.filter(pk=one.pk).update(country=rng.choice(["NO", "PL"]))
    elif what == 2:
        Interaction.objects.filter(customer=one.pk).delete()
    elif what == 3:
        Interaction.objects.filter(customer=one.pk).update(at=NOW - timedelta(days=rng.choice([5, 45])))
    else:
        people.append(person(country=rng.choice(["NO", "PL"])))


@pytest.mark.parametrize("seed", range(6))
def test_after_any_changes_the_people_are_those_of_a_count_from_scratch(seed):
    rng = random.Random(seed)
    people = [person(country=rng.choice(["NO", "PL"])) for _ in range(12)]
    for _round in range(8):
        for _change in range(rng.randrange(4)):
            change(rng, people)
        kept = segments.evaluate(RULE, now=NOW)
        assert kept == from_scratch(RULE)
        segments.evaluate(RULE, now=NOW)


def test_only_the_customers_whose_rows_changed_are_asked_for_again():
    people = [person(country="NO") for _ in range(5)]
    segments.evaluate(BOUGHT, now=NOW)
    assert asked(BOUGHT) == []
    bought(people[2], 1)
    [query] = asked(BOUGHT)
    assert f"ANY('{{{people[2].pk}" in query.replace("ARRAY[", "{") or str(people[2].pk) in query.split("ANY(")[-1]
    assert str(people[1].pk) not in query.split("ANY(")[-1]
    assert set(segments.evaluate(BOUGHT, now=NOW)) == {people[2].pk}


def test_a_change_of_more_people_than_it_is_worth_knowing_counts_everybody_anew():
    person(country="NO")
    segments.evaluate(NORWAY, now=NOW)
    before = leaves.seen_changes(("customers_customer",))
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO customers_customer (name, given_name, family_name, sort_key, language, country, city, time_zone, "
            "attributes, is_business, created_at, updated_at) SELECT '', '', '', '', 'nb', 'NO', '', '', '{}', false, now(), now() "
            "FROM generate_series(1, 5001)"
        )
    assert leaves._touched(leaves.seen_changes(("customers_customer",)) - before) is None
    assert segments.evaluate(NORWAY, now=NOW) == from_scratch(NORWAY)


def test_a_merge_moves_its_purchases_to_the_survivor_at_once():
    kept, gone = person(country="NO"), person(country="NO")
    bought(gone, 2)
    assert set(segments.evaluate(BOUGHT, now=NOW)) == {gone.pk}
    merging.merge(survivor=kept.pk, absorbed=gone.pk, rule="test", actor=None, now=NOW)
    assert set(segments.evaluate(BOUGHT, now=NOW)) == {kept.pk}


def test_an_opt_out_under_an_absorbed_id_takes_its_survivor_out():
    kept, gone = person(country="NO"), person(country="NO")
    merging.merge(survivor=kept.pk, absorbed=gone.pk, rule="test", actor=None, now=NOW)
    rule = {"is": "consent", "channel": "email", "purpose": "offers", "state": "granted"}
    yes(gone, channel="email")
    assert set(segments.evaluate(rule, now=NOW)) == {kept.pk}
    no(gone, channel="email", at=NOW)
    assert set(segments.evaluate(rule, now=NOW)) == set()


@pytest.mark.django_db(transaction=True)
def test_a_change_that_commits_late_is_not_overlooked():
    kari, jan = person(country="PL"), person(country="PL")
    other = connection.copy()
    try:
        other.set_autocommit(False)
        with other.cursor() as cursor:
            cursor.execute("UPDATE customers_customer SET country = 'NO' WHERE id = %s", [kari.pk])
            with transaction.atomic():
                Customer.objects.filter(pk=jan.pk).update(country="NO")
            assert set(segments.evaluate(NORWAY, now=NOW)) == {jan.pk}
            other.commit()
    finally:
        other.close()
    assert set(segments.evaluate(NORWAY, now=NOW)) == {kari.pk, jan.pk}
