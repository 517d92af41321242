"""Who is to be served first: every way in and out, who may, who sees why."""

from datetime import timedelta

import pytest
from django.core.exceptions import PermissionDenied
from django.urls import reverse

from apps.accounts.models import AuditEvent
from apps.customers import care, erasure, ingest, merging, recording
from apps.customers.imports import undo
from apps.customers.models import CareFlag
from tests.factories.accounts import UserFactory
from tests.factories.customers import InteractionFactory, ProductFactory, SourceFactory, SourceRecordFactory, person

from .importing import NOW, imported

pytestmark = pytest.mark.django_db
LATER = NOW + timedelta(days=1)


@pytest.fixture
def agent(db):
    return UserFactory(role="agent")


def reasons(at=NOW):
    return sorted(CareFlag.objects.filter(closed_at=None).values_list("reason", flat=True))


def test_an_agent_opens_and_closes_it_once_each_with_a_trace_that_does_not_say_why(agent):
    kari = person()
    flag = care.open_flag(customer=kari, reason="bereavement", actor=agent, now=NOW)
    assert care.open_flag(customer=kari, reason="bereavement", actor=agent, now=LATER) == flag
    assert set(care.flagged([kari.pk], NOW)) == set(care.open_flags().at(NOW)) == {kari.pk}
    for _click in range(2):
        care.close_flag(flag=flag, actor=agent, now=LATER)
    assert not care.open_flags().at(LATER)
    trail = AuditEvent.objects.filter(action__startswith="care.").order_by("id")
    assert [event.action for event in trail] == ["care.opened", "care.closed"]
    assert "bereavement" not in str([(event.before, event.after) for event in trail])


def test_whoever_may_not_open_people_may_neither_open_nor_close_it():
    kari, marketer = person(), UserFactory(role="marketer")
    with pytest.raises(PermissionDenied):
        care.open_flag(customer=kari, reason="complaint", actor=marketer, now=NOW)
    flag = CareFlag.objects.create(customer=kari, reason="complaint", since=NOW)
    with pytest.raises(PermissionDenied):
        care.close_flag(flag=flag, actor=marketer, now=NOW)


def test_it_ends_by_itself_and_begins_only_then():
    kari = person()
    CareFlag.objects.create(customer=kari, reason="recall", since=NOW, until=LATER)
    assert kari.pk in care.flagged([kari.pk], NOW)
    assert not care.flagged([kari.pk], LATER)
    assert not care.flagged([kari.pk], NOW - timedelta(hours=1))
    assert not care.open_flags().at(LATER + timedelta(hours=1))


def test_a_merged_person_keeps_it_under_the_id_that_lives_on(agent):
    kari, twin = person(), person()
    care.open_flag(customer=twin, reason="complaint", actor=agent, now=NOW)
    merging.merge(survivor=kari.pk, absorbed=twin.pk, rule="by hand", actor=agent, now=NOW)
    assert set(care.open_flags().at(NOW)) == {kari.pk}
    assert care.open_of(kari, now=NOW).count() == 1


def test_a_complaint_at_the_counter_opens_one_and_another_does_not_open_a_second(agent):
    kari = person()
    for hour in (0, 1):
        recording.record(
            customer=kari, kind="complaint", channel="store", at=NOW + timedelta(hours=hour), actor=agent, now=NOW + timedelta(hours=2)
        )
    recording.record(customer=person(), kind="purchase", channel="store", at=NOW, actor=agent, now=NOW)
    assert reasons() == ["complaint"]
    assert not care.open_flags().at(NOW + care.COMPLAINT + timedelta(hours=3)), "what nobody closed is settled some day"


def test_another_program_tells_of_a_complaint_and_of_its_end():
    kari, source = person(email="kari@example.no", source="desk"), SourceFactory(code="desk")

    def told(number, days, **detail):
        at = NOW + timedelta(days=days)
        return ingest.record(source=source, items=[
            {"id": str(number), "person": {"email": "kari@example.no"}, "kind": "complaint", "at": at, "detail": detail}
        ], now=at)

    told(1, 0)
    told(1, 0)
    assert set(care.flagged([kari.pk], LATER)) == {kari.pk}
    told(2, 3, status="resolved")
    assert reasons() == []


def test_a_file_of_events_opens_recent_complaints_only_and_undoing_it_takes_them_back():
    content = (
        "id,email,kind,at\n1,kari@example.no,complaint,2026-11-10\n2,ola@example.no,complaint,2025-01-10\n"
        "3,siv@example.no,purchase,2026-11-10\n"
    )
    targets = {"interaction_id": "{id}", "email": "{email}", "kind": "{kind}", "at": "{at}"}
    job = imported(content, targets, kind="interactions")
    assert reasons() == ["complaint"]
    undo.undo(job_id=job.pk, actor=None, now=LATER)
    assert not CareFlag.objects.exists()


def test_a_column_of_a_customer_file_opens_and_closes_what_the_same_source_opened(agent):
    targets = {"source_id": "{id}", "email": "{email}", "care:bereavement": "{grief}"}

    def file(answer):
        return imported(f"id,email,grief\n1,kari@example.no,{answer}\n2,ola@example.no,no\n", targets)

    first = file("yes")
    assert reasons() == ["bereavement"]
    file("yes")
    assert CareFlag.objects.count() == 1
    file("no")
    assert reasons() == []
    kari = CareFlag.objects.get().customer
    care.open_flag(customer=kari, reason="bereavement", actor=agent, now=LATER)
    file("no")
    assert reasons() == ["bereavement"], "a file does not close what a colleague opened"
    undo.undo(job_id=first.pk, actor=None, now=LATER)
    assert reasons() == ["bereavement"]


def test_a_recall_reaches_everybody_who_bought_it_since_and_kept_it():
    parka, other = ProductFactory(), ProductFactory()
    buyers = [SourceRecordFactory() for _each in range(5)]
    bought = [(0, parka, 0), (1, parka, -10), (2, other, 0), (3, parka, 0), (4, parka, 0)]
    for place, product, days in bought:
        InteractionFactory(source_record=buyers[place], kind="purchase", product=product, at=NOW + timedelta(days=days))
    InteractionFactory(source_record=buyers[3], kind="return", product=parka, at=LATER)
    privacy = UserFactory(role="marketer", handles_personal_data=True)
    since = NOW.date() - timedelta(days=1)
    assert care.recall(product=parka, since=since, actor=privacy, now=LATER) == 2
    assert care.recall(product=parka, since=since, actor=privacy, now=LATER) == 0
    assert set(care.open_flags().at(LATER)) == {buyers[0].customer_id, buyers[4].customer_id}
    with pytest.raises(PermissionDenied):
        care.end_recall(product=parka, actor=UserFactory(role="lead"), now=LATER)
    assert care.end_recall(product=parka, actor=UserFactory(role="administrator"), now=LATER) == 2
    assert reasons() == []


def test_erasing_deletes_it_and_the_persons_file_holds_it(agent):
    kari = person()
    care.open_flag(customer=kari, reason="bereavement", actor=agent, now=NOW)
    assert erasure.export(customer=kari, actor=agent, now=NOW)["customers"]["served_first"][0]["reason"] == "bereavement"
    erasure.erase(customer=kari, actor=None, now=LATER)
    assert not CareFlag.objects.exists()


def test_the_page_says_why_only_to_those_who_may_open_people(client, agent):
    kari = person()
    care.open_flag(customer=kari, reason="bereavement", actor=agent, now=NOW)
    url = reverse("customers:customer", args=[kari.pk])
    client.force_login(UserFactory(role="marketer"))
    page = client.get(url).content.decode()
    assert "Something is open with this person" in page
    assert "bereavement" not in page
    assert client.post(reverse("customers:care", args=[kari.pk]), {"reason": "complaint"}).status_code == 403
    client.force_login(agent)
    assert "bereavement" in client.get(url).content.decode()


def test_the_buttons_work_at_the_counter_and_lead_back_there(client, agent):
    kari = person()
    client.force_login(agent)
    counter = reverse("customers:counter_customer", args=[kari.pk])
    assert "Serve first" in client.get(counter).content.decode()
    answer = client.post(reverse("customers:care", args=[kari.pk]), {"reason": "complaint", "next": counter})
    assert answer.url == counter
    flag = CareFlag.objects.get()
    answer = client.post(reverse("customers:care", args=[kari.pk]), {"close": flag.pk, "next": "https://elsewhere.example/"})
    assert answer.url == reverse("customers:customer", args=[kari.pk])
    flag.refresh_from_db()
    assert flag.closed_at is not None


def test_the_recall_page_counts_before_anything_happens(client):
    parka = ProductFactory(name="Parka")
    record = InteractionFactory(kind="purchase", product=parka, at=NOW).source_record
    url = reverse("customers:recall", args=[parka.pk])
    client.force_login(UserFactory(role="lead"))
    assert client.get(url).status_code == 403
    client.force_login(UserFactory(role="administrator"))
    assert "<strong>1</strong> person bought it" in client.get(url, {"since": "2026-11-01"}).content.decode()
    assert not CareFlag.objects.exists()
    client.post(url, {"since": "2026-11-01"})
    assert CareFlag.objects.get().customer_id == record.customer_id
    assert "The recall is running" in client.get(url).content.decode()
    client.post(url, {"end": "1"})
    assert reasons() == []
