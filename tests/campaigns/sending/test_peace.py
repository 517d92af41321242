"""Quiet hours, public holidays and blackouts hold when sending, by the clock where each person lives, as the calendar finds them."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.urls import reverse
from hypothesis import given
from hypothesis import strategies as st
from pyroaring import BitMap

from apps.campaigns.conflicts import days_off
from apps.campaigns.conflicts.circumstances import Circumstances, PlannedQuiet
from apps.campaigns.conflicts.rules.quiet import QuietRule
from apps.campaigns.models import Blackout, Chunk, Conflict, Delivery, Message, QuietHours, RuleParameter, Run
from apps.campaigns.sending import attempt, claim, explain, peace, proof
from apps.consent.models import Purpose
from apps.core.zones import plausible_zones
from tests.campaigns.conflicts.plans import campaign, plan
from tests.campaigns.conflicts.plans import given as known
from tests.campaigns.conflicts.plans import message as planned
from tests.factories.accounts import UserFactory
from tests.factories.sending import NOW, agree, make_message, make_people, plan_one, send_all

OSLO = ZoneInfo("Europe/Oslo")
DAY = timedelta(days=1)
# The fixture of the field: all Saturday and Sunday, and Monday to Friday from 21 to 9.
WEEK = [
    {"name": "Weekend", "begins": time(0), "ends": time(0), "weekdays": [6, 7]},
    {"name": "Weeknights", "begins": time(21), "ends": time(9), "weekdays": [1, 2, 3, 4, 5]},
]
db = pytest.mark.django_db(transaction=True)


def oslo(day: int, hour: int, minute: int = 0) -> datetime:
    """A moment of November 2026 by the clock in Oslo; the 16th is a Monday."""
    return datetime(2026, 11, day, hour, minute, tzinfo=OSLO).astimezone(UTC)


def night(**fields) -> QuietHours:
    return QuietHours.objects.create(**({"name": "Night", "begins": time(21), "ends": time(8)} | fields))


def shown(message: Message) -> tuple[int, int, dict[str, int]]:
    found = proof.run_proof(Run.objects.get(message=message))
    assert proof.adds_up(found)
    return found["sent"], found["waiting"], found["refused"]


def waits(message: Message) -> list[tuple[str, datetime, int]]:
    return [(each.reason, each.until, len(each.people)) for each in proof.deferred(Run.objects.get(message=message))]


def accept(message: Message, rule: str) -> Conflict:
    return Conflict.objects.create(
        rule=rule, identity=f"{rule}:{message.pk}", first_campaign=message.campaign, first_message=message, severity=2, digest="x",
        state="accepted", found_at=NOW, updated_at=NOW,
    )  # fmt: skip


@db
@pytest.mark.parametrize(
    ("sent", "goes"),
    [
        (oslo(14, 12), oslo(16, 0)), (oslo(15, 23, 59), oslo(16, 0)), (oslo(16, 3), None), (oslo(16, 20, 59), None),
        (oslo(16, 21), oslo(17, 9)), (oslo(17, 2), oslo(17, 9)), (oslo(17, 9), None), (oslo(20, 22), oslo(23, 0)),
    ],
)  # fmt: skip
def test_the_quiet_week_leaves_monday_morning_open_in_sending_too(provider, sent, goes):
    for rule in WEEK:
        QuietHours.objects.create(**rule)
    message = make_message(make_people(3), send_at=sent, send_until=sent + 7 * DAY)
    send_all(sent)
    if goes is None:
        assert shown(message) == (3, 0, {})
        return
    assert waits(message) == [("quiet_hours", goes, 3)]
    send_all(goes - timedelta(minutes=1))
    assert shown(message) == (0, 3, {})
    send_all(goes)
    assert shown(message) == (3, 0, {})


def test_the_calendar_finds_exactly_the_hours_that_sending_keeps():
    rules = tuple(
        PlannedQuiet(place, rule["name"], rule["begins"], rule["ends"], tuple(rule["weekdays"])) for place, rule in enumerate(WEEK)
    )
    kept = peace.Rules(quiet=rules)
    for hour in range(7 * 24):
        moment = oslo(16, 0) + timedelta(hours=hour)
        on_calendar = QuietRule().find(plan(
            campaign(1, planned(10, sent=moment)), people={10: range(5)}, sources=known(places={("NO", "Europe/Oslo"): range(5)}),
            circumstances=Circumstances(quiet=rules), now=oslo(15, 0),
        ))  # fmt: skip
        assert bool(list(on_calendar)) == bool(kept.hold("NO", (OSLO,), moment)), moment


ZONES = st.sampled_from([("NO", "Europe/Oslo"), ("US", ""), ("IN", ""), ("AU", ""), ("", ""), ("CL", "")])
HOURS = st.times().map(lambda clock: clock.replace(minute=clock.minute // 15 * 15, second=0, microsecond=0))


@given(ZONES, st.integers(0, 4 * 200), HOURS, HOURS, st.sets(st.integers(1, 7), max_size=4), st.booleans())
def test_they_go_at_the_first_quarter_of_an_hour_at_which_every_zone_is_open(home, quarter, begins, ends, weekdays, holidays):
    """Oracle: walked forward by quarters of an hour, over the change of clocks in November and Thanksgiving and Christmas."""
    country, zone = home
    rules = peace.Rules(quiet=(PlannedQuiet(1, "x", begins, ends, tuple(sorted(weekdays))),), holidays=holidays)
    zones = plausible_zones(country, zone)
    at = datetime(2026, 10, 24, tzinfo=UTC) + timedelta(hours=2 * quarter)
    before = at + 3 * DAY
    expected = at
    while expected < before and rules.hold(country, zones, expected):
        expected += timedelta(minutes=15)
    assert rules.opens(country, zones, at, before) == expected


@db
def test_each_goes_when_it_is_allowed_where_they_live(provider):
    night()
    home, away = make_people(2), make_people(3, country="NZ", time_zone="Pacific/Auckland")
    unknown = make_people(1, country="US", time_zone="")
    message = make_message(home | away | unknown, send_until=NOW + 3 * DAY)
    send_all()
    # 14:00 in Oslo: 02:00 in Auckland; of America the last zone, Hawaii and the Aleutians, wakes at 18:00 UTC
    auckland, america = datetime(2026, 11, 18, 19, tzinfo=UTC), datetime(2026, 11, 18, 18, tzinfo=UTC)
    assert shown(message) == (2, 4, {})
    assert waits(message) == [("quiet_hours", america, 1), ("quiet_hours", auckland, 3)]
    assert proof.run_proof(Run.objects.get(message=message))["deferred"] == {"quiet_hours": 4}
    send_all(america)
    assert shown(message) == (3, 3, {})
    send_all(auckland)
    assert shown(message) == (6, 0, {})


@db
def test_whoever_would_come_after_the_deadline_gets_nothing_and_the_ledger_says_why(provider):
    rule = night()
    people = make_people(2, country="NZ", time_zone="Pacific/Auckland")
    message = make_message(people, send_until=NOW + timedelta(hours=4))
    send_all()
    assert shown(message) == (0, 0, {"quiet_hours": 2})
    assert {row.rule for row in Delivery.objects.all()} == {f"quiet.{rule.pk}"}
    assert explain.of_customer(people.min())[0].rule == "Night"


@db
def test_a_deferral_that_nobody_worked_in_time_has_expired(provider):
    night()
    message = make_message(make_people(2, country="NZ", time_zone="Pacific/Auckland"), send_until=NOW + timedelta(hours=8))
    send_all()
    assert shown(message) == (0, 2, {})
    send_all(NOW + timedelta(hours=9))
    assert shown(message) == (0, 0, {"expired": 2})


@db
def test_blackout_holiday_and_quiet_hours_in_a_row_are_one_wait(provider):
    """Thursday is a day without messages in Oslo; Friday begins at eight."""
    night()
    Blackout.objects.create(name="Silence", starts_on=date(2026, 11, 18), ends_on=date(2026, 11, 19))
    message = make_message(make_people(1), send_until=NOW + 4 * DAY)
    send_all()
    assert waits(message) == [("blackout", oslo(20, 8), 1)]


CHRISTMAS = datetime(2026, 12, 25, 12, tzinfo=UTC)


@db
def test_promotion_waits_for_the_end_of_a_public_holiday_and_service_does_not(provider):
    home, abroad = make_people(2), make_people(1, country="JP", time_zone="Asia/Tokyo")
    service = Purpose.objects.create(code="delivery", name="Delivery", purpose_class="service", needs_consent=False)
    promotion = make_message(home | abroad, send_at=CHRISTMAS, send_until=CHRISTMAS + 5 * DAY)
    other = make_message(home, send_at=CHRISTMAS, purpose=service)
    send_all(CHRISTMAS)
    assert shown(other) == (2, 0, {})
    assert shown(promotion) == (1, 2, {}), "the second day of Christmas is a holiday in Norway too, and there is none in Japan"
    assert waits(promotion) == [("holiday", datetime(2026, 12, 26, 23, tzinfo=UTC), 2)]
    short = make_message(home, send_at=CHRISTMAS, send_until=CHRISTMAS + timedelta(hours=3))
    send_all(CHRISTMAS)
    assert shown(short) == (0, 0, {"holiday": 2})
    told = next(each for each in explain.of_customer(home.min()) if each.delivery.reason == "holiday")
    assert (told.delivery.rule, told.rule) == ("holiday.NO.2026-12-25", days_off.name("NO", CHRISTMAS.date()))
    assert told.rule


@db
def test_a_department_that_switched_the_checks_off_sends(provider):
    night()
    people = make_people(1, country="NZ", time_zone="Pacific/Auckland")
    message = make_message(people)
    RuleParameter.objects.create(code="quiet_check", department=message.campaign.department, value=0)
    send_all()
    assert shown(message) == (1, 0, {})


@db
def test_what_was_accepted_is_sent_and_the_law_is_kept_all_the_same(provider):
    night()
    people = make_people(1, country="NZ", time_zone="Pacific/Auckland")
    accepted = make_message(people, send_until=NOW + DAY)
    accept(accepted, "quiet_hours")
    send_all()
    assert shown(accepted) == (1, 0, {})
    night(name="The law of New Zealand", countries=["NZ"], is_law=True)
    lawful = make_message(people, send_until=NOW + DAY)
    accept(lawful, "quiet_hours")
    send_all()
    assert shown(lawful) == (0, 1, {})
    holiday = make_message(make_people(1), send_at=CHRISTMAS)
    accept(holiday, "holiday")
    send_all(CHRISTMAS)
    assert shown(holiday) == (1, 0, {})


@db
def test_a_claim_that_drags_on_into_the_night_begins_no_burst(provider):
    night()
    people = make_people(2)
    message = make_message(people, send_at=oslo(18, 20), send_until=oslo(20, 12))
    plan_one(message, now=oslo(18, 20))
    found = claim.claim(worker="slow", now=oslo(18, 20, 59))
    assert found is not None
    chunk = found.chunks[0]
    begun = attempt.begin(chunk, people, judged_as=found.aliases, now=oslo(18, 21))
    assert begun.burst is None
    assert waits(message) == [("quiet_hours", oslo(19, 8), 2)]


@db
def test_late_joiners_and_merged_people_keep_the_hours_too(provider):
    """A weekly message: who joins for the second week is asked like the others."""
    night(channels=["email"], countries=["nz"])
    people, late = make_people(1), make_people(1, country="NZ", time_zone="Pacific/Auckland")
    message = make_message(people, recurrence="FREQ=WEEKLY")
    send_all()
    Message.objects.filter(pk=message.pk).update(plan_audience=people | late)
    send_all(NOW + 7 * DAY)
    run = Run.objects.filter(message=message).latest("pk")
    assert [(each.reason, each.people) for each in proof.deferred(run)] == [("quiet_hours", late)]


@db
def test_another_tool_is_told_from_when_on_it_may(provider):
    from apps.campaigns.elsewhere import permissions

    night()
    people = make_people(1, country="NZ", time_zone="Pacific/Auckland")
    theirs = make_message(BitMap(), kind="elsewhere", send_at=NOW + 20 * DAY)
    answer = permissions.ask(message=theirs, people=people, at=NOW, until=NOW + timedelta(hours=1), now=NOW)[people.min()]
    assert (answer.answer, answer.reason, answer.until) == ("deferred", "quiet_hours", datetime(2026, 11, 18, 19, tzinfo=UTC))


@db
def test_the_live_tab_and_the_persons_page_say_why_they_wait_and_till_when(provider, client):
    night()
    people = make_people(2, country="NZ", time_zone="Pacific/Auckland")
    message = make_message(people, send_until=NOW + 2 * DAY)
    send_all()
    client.force_login(UserFactory(language="en"))
    page = client.get(reverse("campaigns:live", args=[message.campaign_id])).content.decode()
    assert "it is outside permitted hours where the person lives" in page
    assert "2026-11-18T19:00" in page
    run = Run.objects.get(message=message)
    behind = client.get(reverse("campaigns:run-people", args=[message.campaign_id, run.pk, "waiting"]) + "?reason=quiet_hours")
    assert behind.context["total"] == 2
    one = client.get(reverse("campaigns:delivery", args=[run.pk, people.min()])).content.decode()
    assert "It is outside permitted hours where the person lives." in one


@db
def test_nothing_is_asked_of_people_where_no_rule_holds(provider, django_assert_max_num_queries):
    message = make_message(make_people(1), purpose=Purpose.objects.create(
        code="recall", name="Recall", purpose_class="safety", needs_consent=False))  # fmt: skip
    assert message.purpose.purpose_class == "safety"
    with django_assert_max_num_queries(0):
        assert peace.closed(message, BitMap([1]), NOW, NOW + DAY) == []
    assert not Chunk.objects.exists()


@db
def test_a_call_in_the_night_is_offered_to_nobody(monkeypatch):
    from apps.campaigns.sending import hand_over, work
    from apps.channels.content import CallContent
    from apps.channels.models import CallTask, ChannelAccount
    from apps.customers.models import ContactPoint, SourceRecord
    from tests.factories.sending import LONG_AGO

    people = make_people(1)
    agree(people, channel="call")
    night(channels=["call"])
    account = ChannelAccount.objects.create(name="calls", channel="call", adapter="sandbox_call", rate=100, created_at=NOW)
    record = SourceRecord.objects.get(customer=people.min())
    ContactPoint.objects.create(
        customer_id=people.min(), source_record=record, kind="phone", value="+4740000001", valid_from=LONG_AGO
    )
    monkeypatch.setattr(work.writing, "prepare", lambda run, people, aliases, *, now: (
        {one: work.writing.Draft(CallContent(script="Hei", goal=""), {}, "nb", "A") for one in people}, {}
    ))  # fmt: skip
    make_message(people, channel="call", account=account, is_mail=False, send_until=NOW + 9 * DAY)
    send_all()
    agent = UserFactory(role="agent")
    assert hand_over.next_call(agent, now=oslo(18, 21)) is None
    assert CallTask.objects.get().not_before == oslo(19, 8)
    assert hand_over.next_call(agent, now=oslo(19, 8)) is not None
