"""Pages of customers: they answer, mask, log, and work without JavaScript."""

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from apps.accounts.models import AuditEvent, Role
from apps.customers import merging, panels
from apps.customers.models import Customer, ImportJob, Interaction, Segment, Source
from apps.customers.panels import Panel, TimelineEntry
from tests.customers.importing import NOW, imported
from tests.factories.accounts import UserFactory
from tests.factories.customers import InteractionFactory, ProductFactory, SegmentFactory, person

pytestmark = pytest.mark.django_db


def signed_in(client, **fields):
    user = UserFactory(**fields)
    client.force_login(user)
    return user


def text(response):
    assert response.status_code == 200, response.status_code
    return response.content.decode()


def test_the_list_finds_by_name_email_phone_and_source_id(client):
    signed_in(client, handles_personal_data=True)
    imported("id,email,phone,name\nX-17,kari@example.no,90011222,Kari Ødegård\n2,ola@example.no,,Ola Berg\n")
    for words in ("ødeg", "kari@example.no", "900 11 222", "X-17", "kari ødegård"):
        page = text(client.get(reverse("customers:list"), {"q": words}))
        assert "Kari Ødegård" in page, words
        assert "Ola Berg" not in page, words


def test_the_list_is_read_a_page_at_a_time_without_gaps(client, monkeypatch):
    monkeypatch.setattr("apps.customers.directory.search.__kwdefaults__", {"after": "", "limit": 2})
    signed_in(client, handles_personal_data=True)
    for name in ("Berg", "Aas", "Dahl", "Cappelen", "Eide"):
        person(name=name, sort_key=name.lower())
    seen, after = [], ""
    for _page in range(3):
        response = client.get(reverse("customers:list"), {"after": after})
        seen += [one.name for one in response.context["people"]]
        after = response.context["next"]
    assert seen == ["Aas", "Berg", "Cappelen", "Dahl", "Eide"]


def test_names_are_masked_by_role_and_opening_is_logged(client):
    user = signed_in(client, role=Role.MARKETER)
    customer = person(name="Kari Hansen", email="kari@example.no")
    page = text(client.get(reverse("customers:customer", args=[customer.pk])))
    assert "Hansen" not in page
    assert "kari@example.no" not in page
    assert AuditEvent.objects.filter(action="people.opened", actor=user, subject_id=str(customer.pk)).exists()


def test_the_customer_page_shows_one_timeline_of_everything(client, monkeypatch):
    signed_in(client, handles_personal_data=True)
    customer = person(name="Kari Hansen")
    InteractionFactory(
        source_record=customer.source_records.get(),
        value=1499,
        currency="NOK",
        product=ProductFactory(name="Winter coat"),
    )
    monkeypatch.setattr(
        panels, "_entries", [lambda *a: [TimelineEntry(at=NOW, channel="email", title="Announcement", planned=True)]]
    )
    monkeypatch.setattr(
        panels, "_panels", {**panels._panels, "consent": [lambda r, c, n: Panel("What she allows", "<b>yes</b>")]}
    )
    page = text(client.get(reverse("customers:customer", args=[customer.pk])))
    for words in ("Bought in the store", "Winter coat", "1,499", "Announcement", "What she allows", "1 order"):
        assert words in page, words


def test_a_long_timeline_goes_on_on_the_next_page(client):
    signed_in(client, handles_personal_data=True)
    customer = person()
    for day in range(1, 40):
        InteractionFactory(
            source_record=customer.source_records.get(),
            kind="visit",
            at=NOW.replace(month=10, day=1 + day % 28, minute=day),
        )
    response = client.get(reverse("customers:customer", args=[customer.pk]))
    before = response.context["page"].before
    rest = client.get(reverse("customers:timeline", args=[customer.pk]), {"before": before.isoformat()})
    assert len(response.context["page"].entries) + len(rest.context["page"].entries) == 39


def test_a_merged_customer_leads_to_the_survivor_and_can_be_parted_there(client):
    signed_in(client, role=Role.LEAD)
    old, young = person(), person()
    made = merging.merge(survivor=old.pk, absorbed=young.pk, rule="by hand", actor=None, now=NOW)
    assert client.get(reverse("customers:customer", args=[young.pk])).url == reverse(
        "customers:customer", args=[old.pk]
    )
    client.post(reverse("customers:unmerge", args=[made.pk]))
    assert Customer.objects.living().count() == 2


def test_a_marketer_cannot_merge(client):
    signed_in(client, role=Role.MARKETER)
    old, young = person(), person()
    assert client.post(reverse("customers:merge", args=[old.pk]), {"other": young.pk}).status_code == 403
    assert Customer.objects.living().count() == 2


def test_store_staff_see_wishes_and_write_down_a_purchase_once(client):
    signed_in(client, role=Role.AGENT)
    customer = person(name="Kari Hansen")
    coat = ProductFactory(sku="C1", name="Winter coat, navy")
    InteractionFactory(source_record=customer.source_records.get(), kind="wish", channel="web", product=coat)
    url = reverse("customers:counter_customer", args=[customer.pk])
    assert "Winter coat, navy" in text(client.get(url))
    posted = {"do": "purchase", "product": "c1", "value": "1499", "currency": "nok", "receipt": "R-1", "key": "abc"}
    client.post(url, posted)
    client.post(url, posted)
    bought = Interaction.objects.get(kind="purchase")
    assert (bought.product, bought.currency, bought.channel) == (coat, "NOK", "store")
    assert "No open wishes" in text(client.get(url))


def test_a_file_goes_from_upload_to_undo_in_the_browser(client, django_capture_on_commit_callbacks):
    signed_in(client, role=Role.MARKETER)
    file = SimpleUploadedFile("people.csv", b"id,email,name\n1,a@example.no,Kari\n2,broken,Ola\n")
    response = client.post(
        reverse("customers:import_upload"), {"file": file, "kind": "customers", "new_source": "Web shop"}
    )
    job = ImportJob.objects.get()
    assert response.url == reverse("customers:import_mapping", args=[job.pk])
    assert "a@example.no" in text(client.get(response.url))
    with django_capture_on_commit_callbacks(execute=True):
        client.post(response.url, {"t-source_id": "id", "t-email": "email", "t-name": "name", "do": "check"})
    assert "What would happen" in text(client.get(reverse("customers:import", args=[job.pk])))
    assert not Customer.objects.exists()
    with django_capture_on_commit_callbacks(execute=True):
        client.post(reverse("customers:import_act", args=[job.pk, "start"]))
    assert Customer.objects.count() == 1
    errors = b"".join(client.get(reverse("customers:import_act", args=[job.pk, "errors"])).streaming_content)
    assert b"broken" in errors
    client.post(reverse("customers:import_act", args=[job.pk, "undo"]))
    assert not Customer.objects.exists()


def test_a_file_that_is_no_table_is_told_on_the_upload_page(client):
    signed_in(client)
    file = SimpleUploadedFile("people.xlsx", b"PK\x03\x04" + b"\x00" * 99)
    page = text(
        client.post(reverse("customers:import_upload"), {"file": file, "kind": "customers", "new_source": "Shop"})
    )
    assert "Excel workbook" in page
    assert not Source.objects.filter(code="shop").exists()


def test_errors_of_others_are_not_opened(client):
    job = imported("id,email\n1,broken\n2,a@example.no\n")
    signed_in(client, role=Role.MARKETER)
    assert client.get(reverse("customers:import_act", args=[job.pk, "errors"])).status_code == 403


def test_the_rule_editor_works_by_posting_the_form(client):
    signed_in(client)
    person(country="NO")
    url = reverse("customers:segment_new")
    rule = {"n-group": "all", "n0-is": "attribute", "n0-field": "country", "n0-op": "is", "n0-value": "NO"}
    response = client.post(url, {**rule, "do": "add:"})
    assert len(response.context["root"].children) == 2
    response = client.post(url, {**rule, "do": "count"})
    assert response.context["root"].count == 1
    assert "Give the audience a name" in text(client.post(url, {**rule, "do": "save"}))
    client.post(url, {**rule, "do": "save", "name": "Norway"})
    assert Segment.objects.get().rule == {"all": [{"is": "attribute", "field": "country", "op": "is", "value": "NO"}]}
    assert Segment.objects.get().count == 1


def test_another_department_copies_instead_of_changing(client):
    segment = SegmentFactory(department=UserFactory().department)
    user = signed_in(client)
    assert client.post(reverse("customers:segment_edit", args=[segment.pk]), {"do": "save"}).status_code == 403
    client.post(reverse("customers:segment_act", args=[segment.pk, "copy"]))
    assert Segment.objects.exclude(pk=segment.pk).get().department == user.department


def test_a_segment_page_shows_who_is_in_and_the_people(client):
    signed_in(client, handles_personal_data=True)
    person(name="Kari Hansen")
    segment = SegmentFactory()
    assert "Kari Hansen" in text(client.get(reverse("customers:segment", args=[segment.pk])))
    assert "Kari Hansen" in text(client.get(reverse("customers:segment_people", args=[segment.pk])))


def test_a_broken_segment_says_what_is_wrong(client):
    signed_in(client)
    segment = SegmentFactory(rule={"is": "attribute", "field": "shoe", "op": "is", "value": "1"})
    assert "There is no field called" in text(client.get(reverse("customers:segment", args=[segment.pk])))


def test_a_fixed_list_names_the_lines_nobody_fits(client):
    signed_in(client)
    customer = person(email="kari@example.no")
    url = reverse("customers:segment_new_list")
    lines = {"name": "VIP", "lines": "kari@example.no\nnobody@example.no"}
    assert "nobody@example.no" in text(client.post(url, lines))
    client.post(url, {**lines, "anyway": "1"})
    assert set(Segment.objects.get().people) == {customer.pk}


@pytest.mark.parametrize(
    "name", ["list", "segments", "imports", "products", "counter", "segment_new", "segment_new_list", "import_upload"]
)
def test_empty_pages_teach(client, name):
    signed_in(client, role=Role.LEAD)
    assert "<h1" in text(client.get(reverse(f"customers:{name}")))
