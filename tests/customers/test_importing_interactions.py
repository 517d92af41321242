"""Order lines, calls and visits."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from apps.customers.imports import undo
from apps.customers.models import Customer, Interaction, Product, SourceRecord
from tests.customers.importing import NOW, errors, imported

pytestmark = pytest.mark.django_db
TARGETS = {
    "source_id": "{customer}", "kind": "purchase", "at": "{date}", "quantity": "{qty}", "unit_price": "{price}",
    "sku": "{sku}", "product_name": "{what}", "currency": "NOK", "channel": "web",
}  # fmt: skip
LINES = (
    "customer,date,qty,price,sku,what\n"
    "7,2026-10-25 02:30,2,149.50,C1,Winter coat\n"
    "7,2026-10-25 02:30,2,149.50,C1,Winter coat\n"
    "7,2026-11-01 10:00,-1,149.50,C1,Winter coat\n"
    ",2026-11-01 10:00,1,10,C2,Scarf\n"
    "8,2026-11-02,1,0,C2,Scarf\n"
)


def run(text=LINES, **how):
    return imported(text, TARGETS, kind="interactions", **how)


def test_order_lines_become_purchases_and_returns():
    job = run()
    assert Interaction.objects.filter(kind="purchase").count() == 3
    back = Interaction.objects.get(kind="return")
    assert (back.value, back.quantity, back.currency) == (Decimal("-149.50"), -1, "NOK")
    assert Product.objects.get(sku="C1").name == "Winter coat"
    assert job.rows_refused == 1
    assert "Nothing says who this is" in errors(job)


def test_equal_lines_are_counted_and_the_same_file_twice_changes_nothing():
    run()
    job = run()
    assert Interaction.objects.count() == 4
    assert (job.counts["known_events"], job.counts["new_events"]) == (4, 0)


def test_times_are_local_in_the_stated_zone():
    imported("customer,date\n7,2026-07-01 10:00\n", {"source_id": "{customer}", "at": "{date}", "kind": "visit"},
             kind="interactions", options={"time_zone": "Europe/London"})  # fmt: skip
    assert Interaction.objects.get().at == datetime(2026, 7, 1, 9, 0, tzinfo=UTC)


def test_buyers_are_matched_to_customers_known_by_address():
    imported("id,email,name\n1,a@example.no,Kari\n")
    imported(
        "mail,date\nA@example.no,2026-11-01\n",
        {"email": "{mail}", "at": "{date}", "kind": "visit"},
        kind="interactions",
        source="web",
    )
    assert Customer.objects.count() == 1
    assert Interaction.objects.get().customer.name == "Kari"


def test_an_order_line_does_not_overwrite_what_the_source_said_of_the_person():
    imported("id,email,name\n7,a@example.no,Kari\n")
    run()
    record = SourceRecord.objects.get(external_id="7")
    assert record.raw["email"] == "a@example.no"
    assert record.customer.contact_points.filter(valid_to=None).count() == 1


def test_undo_removes_events_and_people_who_came_with_them():
    job = run()
    undo.undo(job_id=job.pk, actor=None, now=NOW)
    assert not Interaction.objects.exists()
    assert not Customer.objects.exists()


def test_an_unknown_kind_or_date_is_told():
    job = imported(
        "c,d,k\n1,yesterday,visit\n1,2026-11-01,juggling\n",
        {"source_id": "{c}", "at": "{d}", "kind": "{k}"},
        kind="interactions",
    )
    assert job.rows_refused == 2
    assert "juggling" in errors(job)
