"""Another tool asks and reserves: the same verdict as our own claim, a place that counts, and no place for ever."""

import random
from datetime import timedelta

import pytest
from pyroaring import BitMap

from apps.campaigns.elsewhere import contacts, holds, overview, permissions
from apps.campaigns.elsewhere.contacts import Contact
from apps.campaigns.models import Blackout, Chunk, ContactPolicy, Delivery, Halt, Message, Run
from apps.campaigns.sending import plan, proof, sweep, work
from apps.customers.models import Customer
from tests.campaigns.sending.threads import in_parallel
from tests.factories.accounts import UserFactory
from tests.factories.sending import NOW, agree, make_message, make_people, send_all

pytestmark = pytest.mark.django_db(transaction=True)
HOUR = timedelta(hours=1)


def policy(limit: int, days: int = 7, **fields) -> ContactPolicy:
    return ContactPolicy.objects.create(name="Policy", limit=limit, hours=days * 24, created_at=NOW, **fields)


def elsewhere(people: BitMap | None = None, **fields) -> Message:
    """A scheduled message that another tool sends; without people its plan names nobody."""
    fields.setdefault("send_at", NOW + timedelta(days=20))
    return make_message(people or BitMap(), kind="elsewhere", **fields)


def ask(message: Message, people, *, at=NOW, hold=HOUR, now=NOW):
    return permissions.ask(message=message, people=BitMap(people), at=at, until=now + hold, now=now)


def confirm(message: Message, people, *, at=NOW, permission="", now=NOW, prefix="k"):
    found = [Contact(f"{prefix}{pk}", pk, message, at, permission) for pk in people]
    contacts.prepare([at])
    return contacts.record(department=message.campaign.department, contacts=found, now=now)


def test_each_person_gets_an_answer_with_its_reason(provider):
    people = list(make_people(5))
    agree(BitMap(people[:1]), granted=False)
    Customer.objects.filter(pk=people[1]).update(erased_at=NOW)
    answers = ask(elsewhere(), people)
    assert {pk: (answer.answer, answer.reason) for pk, answer in answers.items()} == {
        people[0]: ("refused", "withdrawn"), people[1]: ("refused", "erased"), people[2]: ("allowed", ""),
        people[3]: ("allowed", ""), people[4]: ("allowed", ""),
    }  # fmt: skip
    assert answers[people[0]].words == "said no to this kind of message on this channel"


def test_whoever_was_allowed_counts_against_the_limit_of_our_own_messages(provider):
    policy(1)
    people = make_people(3)
    theirs = elsewhere()
    answers = ask(theirs, list(people)[:1])
    assert [answer.answer for answer in answers.values()] == ["allowed"]
    ours = make_message(people)
    send_all()
    assert proof.run_proof(Run.objects.get(message=ours))["refused"] == {"over_limit": 1}


def test_a_second_question_about_the_same_person_finds_the_first_place_taken(provider):
    policy(1)
    people = make_people(1)
    theirs = elsewhere()
    assert ask(theirs, people)[people[0]].answer == "allowed"
    second = ask(theirs, people)[people[0]]
    assert (second.answer, second.reason) == ("refused", "over_limit")


def test_two_places_of_one_person_are_two_contacts_and_a_third_is_too_many(provider):
    policy(2)
    person = make_people(1)[0]
    theirs = elsewhere()
    first, second = (ask(theirs, [person])[person] for _ in range(2))
    assert first.permission and second.permission
    confirm(theirs, [person], permission=first.permission)
    assert ask(theirs, [person])[person].reason == "over_limit"
    confirm(theirs, [person], permission=second.permission, prefix="again")
    assert Delivery.objects.filter(customer_id=person, outcome="sent").count() == 2
    assert ask(theirs, [person])[person].reason == "over_limit"


def test_our_own_contacts_count_against_theirs(provider):
    policy(1)
    people = make_people(2)
    make_message(people)
    send_all()
    assert {each.reason for each in ask(elsewhere(), people, at=NOW + HOUR, hold=2 * HOUR).values()} == {"over_limit"}


def test_a_place_given_back_is_free_and_giving_it_back_twice_is_harmless(provider):
    policy(1)
    person = make_people(1)[0]
    theirs = elsewhere()
    given = ask(theirs, [person])[person].permission
    department = theirs.campaign.department_id
    assert not holds.release(given, department_id=department + 1, now=NOW)
    assert ask(theirs, [person])[person].answer == "refused"
    assert holds.release(given, department_id=department, now=NOW)
    assert not holds.release(given, department_id=department, now=NOW)
    assert ask(theirs, [person])[person].answer == "allowed"


def test_a_caller_who_is_never_heard_of_again_blocks_nobody_for_ever(provider):
    policy(1)
    person = make_people(1)[0]
    theirs = elsewhere()
    ask(theirs, [person], hold=HOUR)
    assert sweep.sweep(now=NOW + HOUR - timedelta(seconds=1)).places == 0
    assert sweep.sweep(now=NOW + HOUR).places == 1
    assert not Chunk.objects.exists()
    assert not Run.objects.exists()
    assert ask(theirs, [person], now=NOW + HOUR, at=NOW + HOUR)[person].answer == "allowed"


def test_a_place_whose_time_is_over_is_not_shown_as_held_before_it_is_swept(provider):
    theirs = elsewhere()
    ask(theirs, make_people(3), hold=HOUR)
    held = [overview.of(theirs, now=moment).held for moment in (NOW, NOW + HOUR - timedelta(seconds=1), NOW + HOUR)]
    assert held == [3, 3, 0]


def test_a_confirmed_place_is_not_swept_and_the_run_adds_up(provider):
    people = make_people(3)
    theirs = elsewhere()
    answers = ask(theirs, people)
    first = people[0]
    assert confirm(theirs, [first], permission=answers[first].permission) == {f"k{first}"}
    run = Run.objects.get()
    shown = proof.run_proof(run)
    assert (shown["sent"], shown["waiting"], proof.adds_up(shown)) == (1, 2, True)
    sweep.sweep(now=NOW + 2 * HOUR)
    shown = proof.run_proof(Run.objects.get())
    assert (shown["audience"], shown["sent"], shown["waiting"], proof.adds_up(shown)) == (1, 1, 0, True)
    assert Run.objects.get().state == "done"


def test_a_contact_that_comes_after_its_place_fell_back_counts_all_the_same(provider):
    person = make_people(1)[0]
    theirs = elsewhere()
    given = ask(theirs, [person])[person].permission
    sweep.sweep(now=NOW + 2 * HOUR)
    confirm(theirs, [person], permission=given, now=NOW + 3 * HOUR)
    assert Delivery.objects.get().outcome == "sent"


def test_a_blackout_defers_and_a_control_group_refuses(provider, settings):
    people = make_people(40)
    theirs = elsewhere(campaign__control_share="0.5")
    told = ask(theirs, people)
    held = {pk for pk, answer in told.items() if answer.reason == "control_group"}
    assert 5 < len(held) < 35
    assert {told[pk].answer for pk in people if pk not in held} == {"allowed"}
    Blackout.objects.create(name="Day", starts_on=NOW.date(), ends_on=NOW.date())
    later = ask(elsewhere(), people)
    assert {(each.answer, each.reason) for each in later.values()} == {("deferred", "blackout")}
    assert all(each.until > NOW and not each.permission for each in later.values())


def test_a_stop_and_a_campaign_nobody_approved_hold_other_tools_too(provider):
    people = make_people(1)
    with pytest.raises(permissions.NotApproved, match="draft"):
        ask(elsewhere(status="draft"), people)
    theirs = elsewhere()
    Halt.objects.create(scope="everything", stopped_by=UserFactory(), stopped_at=NOW)
    assert ask(theirs, people)[people[0]].reason == "halted"


def test_a_merged_person_has_one_place_under_all_their_ids(provider):
    policy(1)
    first, second = make_people(2)
    theirs = elsewhere()
    ask(theirs, [second])
    Customer.objects.filter(pk=second).update(merged_into=first)
    assert ask(theirs, [first])[first].reason == "over_limit"


def test_other_tools_and_our_own_workers_side_by_side_never_go_over_the_limit(provider):
    """Cap 2 in 7 days; three own messages by four workers, and four callers who ask, confirm, give back or vanish."""
    policy(2)
    people = make_people(700, first_id=9000)
    theirs = elsewhere()
    for _ in range(3):
        make_message(people)
    plan.plan_due_runs(now=NOW)
    ids = list(people)

    def caller(number: int) -> None:
        chance = random.Random(number)
        for turn in range(6):
            asked = chance.sample(ids, 150)
            for pk, answer in ask(theirs, asked).items():
                fate = chance.random()
                if answer.permission and fate < 0.5:
                    confirm(theirs, [pk], permission=answer.permission, prefix=f"c{number}.{turn}.")
                elif answer.permission and fate < 0.7:
                    holds.release(answer.permission, department_id=theirs.campaign.department_id, now=NOW)

    in_parallel([lambda: work.work_runs(now=NOW, budget=60)] * 4 + [lambda n=n: caller(n) for n in range(4)])
    work.work_runs(now=NOW, budget=60)

    counted: dict[int, int] = {}
    rows = Delivery.objects.filter(outcome__in=["sent", "unknown"]).values_list("customer_id", "message_id")
    for pk, _message in rows:
        counted[pk] = counted.get(pk, 0) + 1
    for chunk in Chunk.objects.filter(run__message=theirs):
        for pk in chunk.approved:
            counted[pk] = counted.get(pk, 0) + 1
    assert rows.filter(message_id=theirs.pk).count() > 50
    assert max(counted.values()) == 2
    for run in Run.objects.filter(message=theirs):
        assert proof.adds_up(proof.run_proof(run))
