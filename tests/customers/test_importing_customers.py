"""Customer files that are in order."""

import pytest

from apps.customers.imports import columns, jobs
from apps.customers.imports.mapping import Mapping
from apps.customers.models import AttributeDefinition, ContactPoint, Customer, ImportChange, SourceRecord
from tests.customers.importing import NOW, errors, imported, upload

pytestmark = pytest.mark.django_db

FILE = "id,email,phone,name\n1,a@example.no,90011222,Kari Hansen\n2,b@example.no,,Ødegård Łukasz\n"


def everything():
    """All that an import can change, in comparable form."""
    return [
        list(model.objects.order_by("pk").values())
        for model in (Customer, SourceRecord, ContactPoint, AttributeDefinition)
    ]


def test_the_same_file_twice_changes_nothing():
    imported(FILE)
    before = everything()
    job = imported(FILE, now=NOW.replace(hour=15))
    assert everything() == before
    assert (job.counts["unchanged_records"], job.counts["new_records"], job.counts["changed_records"]) == (2, 0, 0)
    assert not ImportChange.objects.exists()


def test_a_dry_run_tells_and_writes_nothing():
    job = imported(FILE, dry=True)
    assert job.status == "checked"
    assert job.counts["new_customers"] == 2
    assert not Customer.objects.exists()
    assert jobs.begin(job_id=job.pk, dry=False, actor=None, now=NOW).status == "waiting"


def test_a_packed_file_is_read_like_a_plain_one():
    assert imported(FILE, packed=True).counts["new_customers"] == 2


def test_a_changed_row_updates_and_keeps_the_old_address_as_ended():
    imported(FILE)
    imported("id,email,phone,name\n1,new@example.no,90011222,Kari Berg\n")
    customer = SourceRecord.objects.get(external_id="1").customer
    assert customer.name == "Kari Berg"
    assert set(customer.contact_points.filter(valid_to=None).values_list("value", flat=True)) == {
        "new@example.no",
        "+4790011222",
    }


def test_a_file_without_phones_does_not_end_phones():
    imported(FILE)
    imported("id,email,name\n1,a@example.no,Kari Berg\n", {"source_id": "{id}", "email": "{email}", "name": "{name}"})
    assert ContactPoint.objects.filter(kind="phone", valid_to=None).count() == 1


def test_a_blank_cell_does_not_erase_what_is_known():
    imported(
        "id,email,name,city\n1,a@example.no,Kari,Oslo\n",
        {"source_id": "{id}", "email": "{email}", "name": "{name}", "city": "{city}"},
    )
    imported("id,email\nA,a@example.no\n", source="till")
    assert (Customer.objects.get().name, Customer.objects.get().city) == ("Kari", "Oslo")


def test_extra_attributes_are_typed_and_defined():
    imported(
        'id,points,gold,since\n1,"1 284,5",ja,03.11.2021\n',
        {
            "source_id": "{id}",
            "attribute:points:number": "{points}",
            "attribute:gold:boolean": "{gold}",
            "attribute:since:date": "{since}",
        },
    )
    assert Customer.objects.get().attributes == {"points": 1284.5, "gold": True, "since": "2021-11-03"}
    assert AttributeDefinition.objects.get(key="points").kind == "number"


def test_a_mapping_may_put_an_id_and_an_address_together_from_the_row_number():
    imported("recency\n10\n6\n", {"source_id": "h{#}", "email": "h{#}@hillstrom.invalid", "country": "US"})
    assert set(ContactPoint.objects.values_list("value", flat=True)) == {"h1@hillstrom.invalid", "h2@hillstrom.invalid"}
    assert set(Customer.objects.values_list("country", flat=True)) == {"US"}


def test_the_mapping_is_kept_for_the_source():
    imported("Nr,Post\n1,a@example.no\n", {"source_id": "{Nr}", "email": "{Post}"})
    assert Mapping.from_json(upload("Nr,Post\n2,b@example.no\n").mapping).targets == {
        "source_id": "{Nr}",
        "email": "{Post}",
    }


def test_usual_column_names_are_understood_at_once():
    job = upload(
        "Customer ID;E-mail;Mobile;First name;Last name;Country\n1;a@b.no;90011222;Kari;Hansen;Norge\n", source="new"
    )
    targets = job.mapping["targets"]
    assert targets["source_id"] == "{Customer ID}"
    assert {"email", "phone", "given_name", "family_name", "country"} <= set(targets)
    assert job.delimiter == ";"


def test_a_repeated_id_counts_once_and_the_last_row_wins():
    job = imported("id,name\n1,Kari\n1,Kari Berg\n", {"source_id": "{id}", "name": "{name}"})
    assert job.counts["repeated_in_file"] == 1
    assert Customer.objects.get().name == "Kari Berg"


def test_rows_that_cannot_be_taken_are_told_one_by_one_and_the_others_come_in():
    job = imported(
        "id,email,phone\n1,a@example.no,\n2,not an address,\n3,,12\n,,\n",
        {"source_id": "{id}", "email": "{email}", "phone": "{phone}"},
    )
    assert (job.counts["new_customers"], job.rows_refused) == (1, 3)
    told = errors(job)
    assert "not an address" in told
    assert told.count("\n") == 4


def test_postal_addresses_are_kept_in_parts():
    imported(
        "id,street,zip,town,land\n1,Storgata 1,0155,Oslo,Norge\n",
        {"source_id": "{id}", "street": "{street}", "postcode": "{zip}", "city": "{town}", "country": "{land}"},
    )
    point = ContactPoint.objects.get(kind="postal")
    assert point.value == "Storgata 1, 0155 Oslo, NO"
    assert point.detail["postcode"] == "0155"


class Colours:
    """A handler of another app that takes one column."""

    code = "colour"

    def __init__(self):
        self.seen = []

    def targets(self):
        return [columns.Target("colour:favourite", "favourite colour")]

    def parse(self, target, text):
        if text == "loud":
            raise ValueError("There is no such colour.")
        return text

    def apply(self, *, job, staging, now):
        from django.db import connection

        with connection.cursor() as cursor:
            cursor.execute(
                f"SELECT customer_id, source_record_id, extra->>'colour:favourite' FROM {staging} ORDER BY row_no"
            )
            self.seen = cursor.fetchall()
        return {"colours": len(self.seen)}

    def undo(self, *, job, customers, now):
        return {}


def test_another_app_takes_its_own_columns(monkeypatch):
    handler = Colours()
    monkeypatch.setitem(columns.HANDLERS, "colour", handler)
    job = imported("id,c\n1,teal\n2,loud\n", {"source_id": "{id}", "colour:favourite": "{c}"})
    record = SourceRecord.objects.get()
    assert handler.seen == [(record.customer_id, record.pk, "teal")]
    assert job.counts["colours"] == 1
    assert "There is no such colour." in errors(job)
