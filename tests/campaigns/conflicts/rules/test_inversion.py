"""Who takes whose place, against a person-by-person oracle."""

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from apps.campaigns.conflicts.circumstances import Circumstances, PlannedGap
from apps.campaigns.conflicts.rules.inversion import InversionRule

from ..plans import NOW, at, campaign, message, plan, policy, sent

RULE = InversionRule()


def found(*campaigns, limit=1, gaps=(), **kwargs):
    circumstances = Circumstances(policies=(policy(limit, 7),) if limit else (), gaps=gaps)
    return list(RULE.find(plan(*campaigns, circumstances=circumstances, **kwargs)))


def small(pk=1, day=14, status="scheduled", **values):
    return campaign(pk, message(pk * 10, sent=at(day), priority=10, **values), status=status)


def great(pk=2, day=16, status="approved", **values):
    return campaign(pk, message(pk * 10, sent=at(day), priority=90, **values), status=status)


PEOPLE = {10: range(50), 20: range(40, 100)}


def test_a_scheduled_message_of_low_priority_takes_the_place_of_a_great_one_that_is_only_approved():
    [finding] = found(small(), great(), people=PEOPLE)
    assert (finding.identity, finding.campaigns, set(finding.people)) == ("inversion:0-1-1-2", (1, 2), set(range(40, 50)))
    assert "%(first)s (%(first_department)s, %(first_day)s, priority %(low_priority)d) takes" in RULE.pattern(finding.facts, 10)
    [other] = found(small(pk=2), great(pk=1), people={20: range(50), 10: range(40, 100)})
    assert (other.campaigns, other.facts["low_is_first"]) == ((1, 2), False)
    assert "%(second)s (%(second_department)s, %(second_day)s, priority %(low_priority)d) takes" in RULE.pattern(other.facts, 10)


def test_where_both_are_equally_far_along_the_higher_priority_keeps_its_place():
    assert not found(small(), great(status="scheduled"), people=PEOPLE)
    assert not found(small(status="draft"), great(status="draft"), people=PEOPLE)
    assert found(small(status="approved"), great(status="draft"), people=PEOPLE)


def test_whoever_comes_later_takes_nothing_away():
    assert not found(small(day=18), great(), people=PEOPLE)


def test_what_another_tool_sends_takes_the_place_whenever_it_comes():
    assert found(small(day=18, kind="elsewhere"), great(status="scheduled"), people=PEOPLE)


def test_what_was_sent_by_a_campaign_of_the_plan_has_taken_the_place_and_what_others_sent_is_history():
    sending = campaign(1, message(10, sent=NOW - timedelta(days=1), priority=10), status="live")
    past = [sent(10, range(50), NOW - timedelta(days=1), campaign=1, priority=10)]
    assert found(sending, great(day=12, status="scheduled"), past=past, people={20: range(40, 100)})
    gone = [sent(99, range(50), NOW - timedelta(days=1), campaign=77, priority=10)]
    assert not found(great(day=12), past=gone, people={20: range(40, 100)})


def test_no_place_is_taken_where_there_is_room_for_both_or_none_anyway():
    assert not found(small(), great(), limit=2, people=PEOPLE)
    other = campaign(3, message(30, sent=at(13), priority=95))
    assert not found(small(), great(), other, people=PEOPLE | {30: range(100)})


def test_the_minimum_gap_has_places_too():
    gaps = (PlannedGap(1, "Two days", timedelta(hours=49)),)
    [finding] = found(small(), great(), limit=0, gaps=gaps, people=PEOPLE)
    assert (finding.identity, finding.facts["cap"]) == ("inversion:1-1-1-2", "gap.1")


def test_safety_takes_places_by_right():
    assert not found(small(purpose_class="safety"), great(), people=PEOPLE)


def test_without_people_nothing_is_said_and_it_is_worse_with_more_of_them():
    assert not found(small(), great())
    agreed = {"people": 100, "low_priority": 10, "high_priority": 90}
    assert not RULE.materially_worse(agreed, agreed | {"people": 110})
    assert RULE.materially_worse(agreed, agreed | {"people": 130})
    assert RULE.materially_worse(agreed, agreed | {"high_priority": 95})


rows = st.lists(st.tuples(st.integers(0, 14), st.integers(1, 3), st.sampled_from(["draft", "approved", "scheduled"]),
                          st.sets(st.integers(0, 6), max_size=6)), max_size=7, unique_by=lambda row: row[0])
STAGE = {"draft": 0, "approved": 2, "scheduled": 3}


@given(rows, st.integers(1, 2), st.integers(2, 8))
def test_it_finds_exactly_whose_place_a_clerk_sees_taken(drawn, limit, days):
    """Oracle: contacts let through as they stand today; a refusal that would not be without earlier, less important ones."""
    campaigns, people = [], {}
    for pk, (day, priority, status, who) in enumerate(drawn, start=1):
        campaigns.append(campaign(pk, message(pk, sent=at(12 + day), priority=priority), status=status))
        people[pk] = who

    def full(one, others):
        ends = [one[0], *[other[0] for other in others if one[0] < other[0] < one[0] + days]]
        return any(sum(end - days < other[0] <= end for other in others) + 1 > limit for end in ends)

    expected: dict[tuple[int, int], set[int]] = {}
    numbered = [(day, priority, STAGE[status], who, pk) for pk, (day, priority, status, who) in enumerate(drawn, start=1)]
    for person in range(7):
        let: list = []
        for one in sorted((row for row in numbered if person in row[3]), key=lambda row: (-row[2], -row[1], row[0])):
            if not full(one, let):
                let.append(one)
                continue
            near = [other for other in let if abs(other[0] - one[0]) < days]
            lower = [other for other in near if other[1] < one[1] and other[0] <= one[0]]
            if lower and not full(one, [other for other in near if other not in lower]):
                for other in lower:
                    expected.setdefault((other[4], one[4]), set()).add(person)
    rule = policy(limit, days)
    findings = RULE.find(plan(*campaigns, people=people, circumstances=Circumstances(policies=(rule,))))
    assert {finding.subjects[2:]: set(finding.people) for finding in findings} == expected
