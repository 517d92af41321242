"""One person's data: taken out and erased."""

import json

import pytest
from django.urls import reverse

from apps.customers import erasure, merging, personal_data
from apps.customers.models import ContactPoint, Customer, ImportChange, Interaction, MergeRecord, SourceRecord
from tests.customers.importing import NOW, errors, imported
from tests.factories.accounts import UserFactory
from tests.factories.customers import InteractionFactory, SegmentFactory, person

pytestmark = pytest.mark.django_db


def everything_as_text():
    models = (Customer, ContactPoint, SourceRecord, Interaction, ImportChange, MergeRecord)
    return json.dumps([list(model.objects.values()) for model in models], default=str)


def test_erasing_leaves_nothing_but_the_number(django_capture_on_commit_callbacks):
    imported(
        "id,email,name,city\n1,kari@example.no,Kari Hansen,Oslo\n",
        {"source_id": "{id}", "email": "{email}", "name": "{name}", "city": "{city}"},
    )
    imported("id,email,name\n1,kari2@example.no,Kari Berg\n", now=NOW.replace(hour=14))
    customer = Customer.objects.get()
    InteractionFactory(source_record=customer.source_records.get(), detail={"note": "Kari called"})
    with django_capture_on_commit_callbacks(execute=True):
        erasure.erase(customer=customer, actor=None, now=NOW)
    left = everything_as_text()
    for trace in ("Kari", "Hansen", "kari@example.no", "kari2@example.no", "Oslo"):
        assert trace not in left, trace
    assert Customer.objects.get().erased_at == NOW
    assert Interaction.objects.get().kind == "purchase"


def test_erasing_takes_the_person_out_of_errors_files(django_capture_on_commit_callbacks):
    imported("id,email,name\n17,kari@example.no,Kari\n")
    job = imported(
        "id,email,phone\nA,kari@example.no,12\nB,ola@example.no,12\n",
        {"source_id": "{id}", "email": "{email}", "phone": "{phone}"},
        source="till",
    )
    assert "kari@example.no" in errors(job)
    with django_capture_on_commit_callbacks(execute=True):
        erasure.erase(customer=Customer.objects.get(), actor=None, now=NOW)
    assert "kari@example.no" not in errors(job)
    assert "ola@example.no" in errors(job)


def test_erasing_covers_everybody_merged_into_the_person():
    old, young = person(email="a@example.no"), person(email="b@example.no", name="Secret")
    merging.merge(survivor=old.pk, absorbed=young.pk, rule="by hand", actor=None, now=NOW)
    erasure.erase(customer=old, actor=None, now=NOW)
    assert "Secret" not in everything_as_text()
    assert not ContactPoint.objects.exists()


def test_fixed_lists_lose_the_person():
    customer = person()
    segment = SegmentFactory(kind="static", people=[customer.pk], count=1)
    erasure.erase(customer=customer, actor=None, now=NOW)
    segment.refresh_from_db()
    assert (len(segment.people), segment.count) == (0, 0)


def test_apps_above_erase_and_export_their_part(monkeypatch):
    asked = {}
    monkeypatch.setitem(
        personal_data.ERASERS,
        "above",
        lambda ids, addresses, now: asked.update(ids=ids, addresses=addresses) or {"rows": 3},
    )
    monkeypatch.setitem(personal_data.EXPORTERS, "above", lambda ids: {"seen": ids})
    customer = person(email="kari@example.no")
    data = erasure.export(customer=customer, actor=UserFactory(), now=NOW)
    assert data["above"] == {"seen": [customer.pk]}
    assert data["customers"]["addresses"][0]["value"] == "kari@example.no"
    assert erasure.erase(customer=customer, actor=None, now=NOW)["above_rows"] == 3
    assert asked == {"ids": [customer.pk], "addresses": [("email", "kari@example.no")]}


def test_only_the_privacy_role_exports_and_erases(client):
    customer = person(email="kari@example.no")
    client.force_login(UserFactory(role="lead"))
    assert client.post(reverse("customers:export", args=[customer.pk])).status_code == 403
    assert client.get(reverse("customers:erase", args=[customer.pk])).status_code == 403
    client.force_login(UserFactory(handles_personal_data=True))
    assert "kari@example.no" in client.post(reverse("customers:export", args=[customer.pk])).content.decode()


def test_erasing_says_what_will_happen_and_asks_for_the_number(client):
    customer = person(email="kari@example.no")
    client.force_login(UserFactory(handles_personal_data=True))
    url = reverse("customers:erase", args=[customer.pk])
    assert "addresses are deleted" in client.get(url).content.decode()
    client.post(url, {"confirm": "yes"})
    assert Customer.objects.living().exists()
    client.post(url, {"confirm": str(customer.pk)})
    assert not Customer.objects.living().exists()
