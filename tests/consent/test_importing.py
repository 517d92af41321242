import json
from datetime import timedelta

import pytest
from django.db import connection

from apps.consent import ledger
from apps.consent.importing import ConsentColumns
from apps.consent.models import ConsentEvent, Suppression
from apps.customers.models import ImportJob
from tests.factories import customers as people
from tests.factories.consent import LONG_AGO, no, purpose, yes

pytestmark = pytest.mark.django_db
NOW = LONG_AGO + timedelta(days=40)
COLUMNS = ConsentColumns()


def job(at=NOW):
    source = people.SourceFactory(code="crm")
    return ImportJob.objects.create(source=source, kind="customers", filename="crm.csv", created_at=at)


def stage(*rows):
    """Rows of (customer, {target: cell}) as an import stages them."""
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE IF EXISTS staged")
        cursor.execute(
            "CREATE TEMP TABLE staged (row_no bigint, source_record_id bigint, customer_id int, extra jsonb) ON COMMIT DROP"
        )
        for number, (person, cells) in enumerate(rows, 1):
            extra = {target: COLUMNS.parse(target, text) for target, text in cells.items()}
            record = person.source_records.get()
            cursor.execute(
                "INSERT INTO staged VALUES (%s, %s, %s, %s)", [number, record.pk, person.pk, json.dumps(extra)]
            )


def imported(*rows, at=NOW):
    stage(*rows)
    task = job(at)
    return task, COLUMNS.apply(job=task, staging='"staged"', now=at)


def state(person, channel="email"):
    found = ledger.state([person.pk], channel, purpose()).get(person.pk)
    return found and found.granted


def test_columns_become_evidence_with_words_and_address():
    person = people.person(email="a@example.no")

    _job, counts = imported(
        (
            person,
            {
                "consent:email:offers": "ja",
                "consent:at": "2024-05-01",
                "consent:wording": "I agree",
                "consent:method": "web form",
            },
        )
    )

    line = ConsentEvent.objects.get()
    assert (line.wording_text, line.method, line.source) == ("I agree", "web form", "Crm")
    assert line.at.date().isoformat() == "2024-04-30"  # midnight in Oslo, in UTC
    assert line.address == "a@example.no"
    assert not line.by_person
    assert state(person)
    assert counts == {"consent_yes": 1, "consent_no": 0}


def test_the_same_file_twice_writes_nothing_new():
    person, other = people.person(), people.person()
    rows = [
        (person, {"consent:email:offers": "yes"}),
        (other, {"consent:email:offers": "no", "consent:at": "2024-05-01"}),
    ]
    imported(*rows)

    _job, counts = imported(*rows, at=NOW + timedelta(days=1))

    assert counts == {}
    assert ConsentEvent.objects.count() == 2


def test_a_file_never_revives_who_said_no():
    person = people.person()
    no(person, at=LONG_AGO)

    imported((person, {"consent:email:offers": "yes"}))

    assert state(person) is False


def test_an_import_cannot_revive_even_with_a_later_date():
    person = people.person()
    no(person, at=LONG_AGO)

    imported((person, {"consent:email:offers": "yes", "consent:at": "2027-01-01"}))

    assert state(person) is False


def test_undoing_takes_back_yeses_and_keeps_noes():
    agreed, refused, both = people.person(), people.person(email="no@example.no"), people.person()
    yes(both)
    task, _counts = imported(
        (agreed, {"consent:email:offers": "yes"}),
        (refused, {"consent:email:offers": "no"}),
        (both, {"consent:email:offers": "yes"}),
    )

    COLUMNS.undo(job=task, customers=[], now=NOW)

    assert state(agreed) is None
    assert state(refused) is False
    assert state(both) is True


def test_undoing_a_file_keeps_the_no_of_somebody_who_goes_with_it():
    refused = people.person(email="no@example.no")
    task, _counts = imported((refused, {"consent:email:offers": "no"}))
    refused.source_records.update(import_job=task)

    COLUMNS.undo(job=task, customers=[refused.pk], now=NOW)

    assert Suppression.objects.get().channel == "email"


def test_after_an_undo_the_file_can_be_imported_again():
    person = people.person()
    row = (person, {"consent:email:offers": "yes", "consent:at": "2024-05-01"})
    task, _counts = imported(row)
    COLUMNS.undo(job=task, customers=[], now=NOW)

    imported(row)

    assert state(person) is True


def test_a_cell_that_is_neither_yes_nor_no_is_told_in_words():
    with pytest.raises(ValueError, match="neither yes nor no"):
        COLUMNS.parse("consent:email:offers", "perhaps")
