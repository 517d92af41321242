"""Contacts made elsewhere are rows of the ledger: every limit, strip and history counts them, each once."""

from collections import Counter
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pyroaring import BitMap

from apps.campaigns.calendar.history import sent_contacts
from apps.campaigns.elsewhere import contacts, files, told
from apps.campaigns.elsewhere.contacts import Contact
from apps.campaigns.models import Campaign, CatchAll, ContactPolicy, Delivery, Message, Run, ToldContact
from apps.campaigns.sending import proof
from apps.customers.imports.dialect import FileRefused
from tests.campaigns.elsewhere.test_permissions import elsewhere, policy
from tests.campaigns.sending.threads import in_parallel
from tests.factories.accounts import UserFactory
from tests.factories.sending import NOW, make_message, make_people, send_all

pytestmark = pytest.mark.django_db(transaction=True)
DAY = timedelta(days=1)


def tell(message, *items, now=NOW):
    contacts.prepare(item["at"] for item in items)
    return told.tell(department=message.campaign.department, items=items, now=now)


def item(key, person, message=None, at=NOW, **more):
    return {"id": key, "person": {"id": person}, "at": at, **({"message": message.pk} if message else {}), **more}


def reached():
    return Counter(Delivery.objects.filter(outcome="sent").values_list("customer_id", flat=True))


@given(st.lists(st.tuples(st.integers(0, 6), st.integers(0, 3), st.integers(0, 4), st.integers(0, 1)), max_size=25), st.data())
@settings(max_examples=20, deadline=None, suppress_health_check=list(HealthCheck))
def test_the_ledger_holds_each_told_contact_once_however_it_is_told(rows, data):
    """Against a plain dictionary: (key, person, day, message), told in any batches, some of them again."""
    people = list(make_people(4))
    messages = [elsewhere(), elsewhere()]
    department = messages[0].campaign.department
    messages[1].campaign.department = department
    messages[1].campaign.save()
    loaded = Message.objects.select_related("campaign", "purpose", "account")
    messages = list(loaded.filter(pk__in=[each.pk for each in messages]).order_by("pk"))
    expected: dict[str, tuple] = {}
    stamp = messages[0].pk
    for cut in [rows[:10], rows[10:], rows[: data.draw(st.integers(0, len(rows)))]]:
        batch = []
        for key, person, day, which in cut:
            name = f"{stamp}.{key}"
            expected.setdefault(name, (people[person], messages[which].pk, NOW - day * DAY))
            batch.append(Contact(name, people[person], messages[which], NOW - day * DAY))
        contacts.record(department=department, contacts=batch, now=NOW)
    found = Counter(
        Delivery.objects.filter(message_id__in=[each.pk for each in messages]).values_list("customer_id", "message_id", "at")
    )
    assert found == Counter(expected.values())
    for run in Run.objects.filter(message__in=messages):
        assert proof.adds_up(proof.run_proof(run))


def test_contacts_told_count_against_our_limits_whatever_their_rank(provider):
    policy(2)
    people = list(make_people(3))
    theirs = elsewhere(campaign__priority=1)
    tell(theirs, item("a", people[0], theirs, NOW - DAY), item("b", people[0], theirs, NOW - DAY), item("c", people[1], theirs))
    ours = make_message(BitMap(people), campaign__priority=99)
    send_all()
    assert proof.run_proof(Run.objects.get(message=ours))["refused"] == {"over_limit": 1}
    assert reached() == {people[0]: 2, people[1]: 2, people[2]: 1}


def test_what_another_tool_sent_by_its_plan_counts_until_it_tells_and_then_only_what_it_told(provider):
    policy(1)
    people = list(make_people(3))
    theirs = elsewhere(BitMap(people[:2]), send_at=NOW - timedelta(hours=2), campaign__priority=1)
    first = make_message(BitMap(people))
    send_all()
    assert proof.run_proof(Run.objects.get(message=first))["refused"] == {"over_limit": 2}
    tell(theirs, item("a", people[0], theirs, NOW - timedelta(hours=2)))
    ContactPolicy.objects.update(limit=2)
    second = make_message(BitMap(people[:1]))
    send_all()
    # told and planned are one contact, not two
    assert proof.run_proof(Run.objects.get(message=second))["sent"] == 1


def test_a_contact_without_a_plan_goes_to_the_departments_catch_all_made_once():
    people = list(make_people(2))
    theirs = elsewhere()
    department = theirs.campaign.department
    UserFactory(department=department, role="lead")
    more = {"channel": "email", "purpose": theirs.purpose.code}
    answers = in_parallel(
        [lambda n=n: told.tell(department=department, items=[item(f"x{n}", people[n % 2], at=NOW - n * DAY, **more)], now=NOW)
         for n in range(4)]
    )  # fmt: skip
    assert {answer.outcome for told_ in answers for answer in told_} == {"recorded"}
    message = CatchAll.objects.get().message
    assert message.campaign.name.startswith("Sent elsewhere by ")
    assert (message.campaign.starts_on, message.campaign.ends_on) == ((NOW - 3 * DAY).date(), NOW.date())
    assert reached() == {people[0]: 2, people[1]: 2}
    assert Campaign.objects.filter(department=department).count() == 2


def test_bad_items_are_refused_in_words_and_the_others_kept():
    person = make_people(1)[0]
    theirs, foreign, ours = elsewhere(), elsewhere(), make_message(BitMap())
    answers = tell(
        theirs, item("ok", person, theirs), item("nobody", 99999, theirs), item("late", person, theirs, NOW + DAY),
        item("foreign", person, foreign), item("own", person, ours), item("plain", person), item("ok", person, theirs),
    )  # fmt: skip
    assert [(answer.id, answer.outcome) for answer in answers] == [
        ("ok", "recorded"), ("nobody", "refused"), ("late", "refused"), ("foreign", "refused"), ("own", "refused"),
        ("plain", "refused"), ("ok", "known"),
    ]  # fmt: skip
    assert all(answer.problem for answer in answers if answer.outcome == "refused")
    assert ToldContact.objects.count() == 1


def test_the_same_key_told_twice_at_once_is_one_contact():
    people = list(make_people(8, first_id=5000))
    theirs = elsewhere()
    department = theirs.campaign.department
    # the key names another person each time, in other blocks of people: still one contact
    in_parallel([
        lambda pk=pk: told.tell(department=department, items=[item("one", pk, theirs)], now=NOW) for pk in people
    ])  # fmt: skip
    assert Delivery.objects.count() == ToldContact.objects.count() == 1


def test_a_file_twice_changes_nothing_and_each_bad_row_is_told_with_its_line(tmp_path):
    people = list(make_people(3))
    theirs = elsewhere(send_at=NOW - DAY)
    file = tmp_path / "sent.csv"
    file.write_text(
        "E-mail;at;note\n"
        f"person{people[0]}@example.no;2026-11-17 09:30;x\n"
        f"PERSON{people[1]}@example.no;;\n"
        "nobody@example.no;2026-11-17;\n"
        f"person{people[2]}@example.no;soon;\n"
    )
    report = files.read_contacts(file, department=theirs.campaign.department, now=NOW, message=theirs)
    assert (report.recorded, report.known, report.refused) == (2, 0, 2)
    assert sorted(line for line, _words in report.problems) == [4, 5]
    again = files.read_contacts(file, department=theirs.campaign.department, now=NOW, message=theirs)
    assert (again.recorded, again.known, again.refused) == (0, 2, 2)
    assert reached() == {people[0]: 1, people[1]: 1}
    rows = dict(Delivery.objects.values_list("customer_id", "at"))
    assert rows[people[0]].isoformat() == "2026-11-17T08:30:00+00:00"
    assert rows[people[1]] == theirs.send_at


def test_a_number_of_thousands_of_digits_is_one_bad_row_and_no_end_of_the_file(tmp_path):
    [person] = make_people(1)
    theirs, endless, file = elsewhere(send_at=NOW - DAY), "9" * 5000, tmp_path / "sent.csv"
    file.write_text(f"customer;message\n{endless};\n{person};{endless}\n{person};\n")
    report = files.read_contacts(file, department=theirs.campaign.department, now=NOW, message=theirs)
    assert (report.recorded, report.refused) == (1, 2)
    assert all(len(words) < 60 for _line, words in report.problems)


def test_a_file_that_names_nobody_is_refused_in_words(tmp_path):
    file = tmp_path / "sent.csv"
    file.write_text("colour,size\nred,4\n")
    with pytest.raises(FileRefused, match="who was contacted"):
        files.read_contacts(file, department=elsewhere().campaign.department, now=NOW)


def test_the_pressure_strip_sees_a_contact_told_after_its_run_was_looked_at():
    people = list(make_people(2))
    theirs = elsewhere()
    for number, pk in enumerate(people):
        tell(theirs, item(f"k{number}", pk, theirs, NOW - DAY))
        seen = BitMap.union(*[each.people for each in sent_contacts(first=NOW - 7 * DAY, now=NOW)])
        assert seen == BitMap(people[: number + 1])
