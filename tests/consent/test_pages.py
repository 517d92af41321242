import pytest
from django.utils import translation

from apps.accounts.models import AuditEvent
from apps.consent import ledger, overview, suppression
from apps.consent.models import ConsentEvent, Suppression
from apps.core.clock import now
from apps.customers import merging
from tests.factories import customers as people
from tests.factories.accounts import UserFactory
from tests.factories.consent import no, purpose, yes

pytestmark = pytest.mark.django_db


def test_the_overview_counts_people_and_opens_to_exactly_these(client, lead):
    agreed = [people.person() for _ in range(3)]
    refused = people.person()
    for person in agreed:
        yes(person, at=now())
    no(refused)

    page = client.get("/consent/").content.decode()
    assert "3 yes" in page
    assert "1 no" in page

    opened = client.get("/consent/people?purpose=offers&channel=email&said=yes")
    assert opened.context["page"].paginator.count == 3
    assert agreed[0].family_name not in opened.content.decode()
    assert AuditEvent.objects.get(action="people.opened").after["count"] == 3


def test_the_overview_needs_few_queries_however_much_there_is(client, lead, django_assert_max_num_queries):
    for _ in range(20):
        person = people.person()
        yes(person, at=now())
        suppression.suppress(reason="manual", customer=person.pk, now=now())
    with django_assert_max_num_queries(25):
        client.get("/consent/")


def test_an_address_is_put_on_the_list_and_taken_off_again(client, lead):
    client.post("/consent/list/", {"address": "Stop@Example.NO", "channel": "email", "note": "asked by letter"})
    entry = Suppression.objects.get()
    assert entry.created_by == lead

    client.post(f"/consent/list/{entry.pk}/lift")
    entry.refresh_from_db()
    assert entry.lifted_at


def test_a_wrong_address_is_told_and_nothing_is_listed(client, lead):
    answer = client.post("/consent/list/", {"address": "nonsense", "channel": "email", "note": "x"}, follow=True)

    assert not Suppression.objects.exists()
    assert answer.status_code == 200


def test_what_the_person_asked_for_is_not_lifted_by_a_colleague(client, lead):
    entry = suppression.suppress(reason="person", address="a@example.no", now=now())

    page = client.post(f"/consent/list/{entry.pk}/lift", follow=True).content.decode()

    entry.refresh_from_db()
    assert entry.lifted_at is None
    assert "only they can take it back" in page


def test_a_marketer_without_the_privacy_role_may_not_touch_the_list(client):
    client.force_login(UserFactory())

    assert client.post("/consent/list/", {"address": "a@example.no", "note": "x"}).status_code == 403


def test_a_wish_told_at_the_counter_goes_to_the_ledger_with_its_wording(client):
    client.force_login(UserFactory(role="agent"))
    person = people.person(phone="+4722334455")

    client.post(
        f"/consent/wish/{person.pk}/",
        {"channel": "sms", "purpose": purpose().pk, "granted": "yes", "method": "spoken at the counter"},
    )

    line = ConsentEvent.objects.get()
    assert (line.method, line.wording.language, line.by_person) == ("spoken at the counter", "nb", True)
    assert ledger.state([person.pk], "sms", purpose())[person.pk].granted


def test_a_yes_to_mail_can_wait_for_its_confirmation(client, mailoutbox):
    client.force_login(UserFactory(role="agent"))
    person = people.person(email="a@example.no")

    client.post(
        f"/consent/wish/{person.pk}/",
        {"channel": "email", "purpose": purpose().pk, "granted": "yes", "method": "spoken at the counter", "ask": "on"},
    )

    assert mailoutbox[0].to == ["a@example.no"]
    assert not ConsentEvent.objects.exists()


def test_the_overview_counts_people_not_ids_and_a_no_under_any_id_holds():
    old, young, other = people.person(), people.person(), people.person()
    yes(old)
    yes(other)
    merging.merge(survivor=young.pk, absorbed=old.pk, rule="by hand", actor=None, now=now())
    grid = {row.purpose.code: row.cells[0] for row in overview.grid()}
    assert (grid["offers"].yes, grid["offers"].no) == (2, 0)
    assert young in overview.people_who(purpose("offers"), "email", True)
    no(old, by_person=False)
    grid = {row.purpose.code: row.cells[0] for row in overview.grid()}
    assert (grid["offers"].yes, grid["offers"].no) == (1, 1)
    assert list(overview.people_who(purpose("offers"), "email", False)) == [young]


def test_evidence_and_topics_are_said_in_the_readers_language_and_once():
    line = no(people.person(), source="preference page", method="preference page")
    with translation.override("nb"):
        assert line.where_and_how == "preferanseside"
        assert str(line.purpose) == "Tilbud"
    assert no(people.person(), source="Loyalty system", method="import").where_and_how == "Loyalty system, import"
