"""Taking an import back."""

import pytest

from apps.customers.imports import jobs, undo
from apps.customers.models import ContactPoint, Customer, Interaction, SourceRecord
from tests.customers.importing import NOW, imported
from tests.factories.customers import InteractionFactory

pytestmark = pytest.mark.django_db
FILE = "id,email,name\n1,a@example.no,Kari\n2,b@example.no,Ola\n"


def take_back(job):
    return undo.undo(job_id=job.pk, actor=None, now=NOW)


def test_people_who_came_only_with_the_file_are_removed():
    counts = take_back(imported(FILE))
    assert counts["customers"] == 2
    assert not (Customer.objects.exists() or SourceRecord.objects.exists() or ContactPoint.objects.exists())


def test_somebody_contacted_meanwhile_stays_as_a_tombstone(monkeypatch):
    job = imported(FILE)
    kari = Customer.objects.get(name="Kari")
    monkeypatch.setattr(undo, "_keepers", [lambda ids: {kari.pk}])
    assert take_back(job)["tombstones"] == 1
    kari.refresh_from_db()
    assert (kari.name, kari.undone_at) == ("", NOW)
    assert not kari.contact_points.exists()
    assert not Customer.objects.living().exists()


def test_a_tombstone_that_comes_again_is_the_same_person(monkeypatch):
    job = imported(FILE)
    kari = Customer.objects.get(name="Kari")
    monkeypatch.setattr(undo, "_keepers", [lambda ids: {kari.pk}])
    take_back(job)
    imported(FILE)
    again = Customer.objects.living().get(name="Kari")
    assert again.pk == kari.pk
    assert again.contact_points.get().value == "a@example.no"


def test_people_known_before_are_put_back_as_they_were():
    imported(FILE)
    before = list(Customer.objects.order_by("pk").values("name", "attributes", "city"))
    addresses = list(ContactPoint.objects.order_by("pk").values("value", "valid_to"))
    job = imported("id,email,name\n1,new@example.no,Kari Berg\n", now=NOW.replace(hour=14))
    take_back(job)
    assert list(Customer.objects.order_by("pk").values("name", "attributes", "city")) == before
    assert [
        one for one in ContactPoint.objects.order_by("pk").values("value", "valid_to") if one["valid_to"] is None
    ] == addresses


def test_a_later_import_is_not_undone_with_an_earlier_one():
    first = imported(FILE)
    imported("id,email,name\n1,a@example.no,Kari Berg\n", now=NOW.replace(hour=14))
    take_back(first)
    assert list(Customer.objects.values_list("name", flat=True)) == ["Kari Berg"]


def test_merges_of_the_import_are_undone():
    imported("id,email\n1,a@example.no\n2,b@example.no\n")
    job = imported(
        "id,email,more\nA,a@example.no,b@example.no\n",
        {"source_id": "{id}", "email": "{email}", "email_2": "{more}"},
        source="till",
    )
    assert Customer.objects.living().count() == 1
    take_back(job)
    assert Customer.objects.living().count() == 2
    assert SourceRecord.objects.count() == 2


def test_somebody_who_did_something_since_stays():
    job = imported(FILE)
    InteractionFactory(source_record=SourceRecord.objects.get(external_id="1"))
    take_back(job)
    assert Customer.objects.living().count() == 1
    assert Interaction.objects.count() == 1


def test_only_a_finished_import_can_be_undone():
    job = imported(FILE)
    take_back(job)
    with pytest.raises(jobs.NotNow):
        take_back(job)
