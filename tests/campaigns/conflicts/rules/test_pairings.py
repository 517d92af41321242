"""Offers that have to do with each other, with what was already sent; against a naive oracle."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyroaring import BitMap

from apps.campaigns.conflicts.circumstances import Circumstances, OfferSide, PlannedPairing
from apps.campaigns.conflicts.rules.pairings import PairingsRule
from apps.campaigns.conflicts.sources import Sent

from ..plans import OSLO, at, campaign, message, offer, plan
from ..plans import given as known

RULE = PairingsRule()
A, B = offer(1, path="/1/", name="A"), offer(2, path="/2/5/", name="B")


def pairing(kind, days=7, first=1, second=2):
    sides = [OfferSide(side) if isinstance(side, int) else OfferSide(path=side) for side in (first, second)]
    return PlannedPairing(1, "Not so", kind, *sides, days)


def found(rule, *sides, people, sent=(), focus=None):
    rows = plan(*sides, people=people, sources=known(sent=sent), circumstances=Circumstances(pairings=(rule,)), focus=focus)
    return list(RULE.find(rows))


def both(first_day=20, second_day=21):
    return campaign(1, message(10, sent=at(first_day), offer=A)), campaign(2, message(20, sent=at(second_day), offer=B))


SHARED = {10: range(100), 20: range(60, 160)}


def test_never_both_finds_the_people_who_get_both_in_either_order():
    findings = found(pairing("never_together"), *both(), people=SHARED)
    assert [(f.identity, f.count, f.severity) for f in findings] == [("pairings:1-1-2", 40, 3)]
    assert found(pairing("never_together"), *both(21, 20), people=SHARED)
    assert not found(pairing("never_together"), *both(), people={10: range(50), 20: range(50, 100)})


@pytest.mark.parametrize(("apart", "is_found"), [(0, True), (7, True), (8, False)])
def test_the_distance_is_in_days_and_zero_is_the_same_day(apart, is_found):
    assert bool(found(pairing("never_together"), *both(13, 13 + apart), people=SHARED)) is is_found
    assert bool(found(pairing("never_together", days=0), *both(13, 13 + apart), people=SHARED)) is (apart == 0)


def test_never_after_asks_for_the_order():
    assert found(pairing("never_after"), *both(20, 21), people=SHARED)
    assert not found(pairing("never_after"), *both(21, 20), people=SHARED)


def test_a_category_is_all_below_it_and_an_offer_above_is_not_of_it():
    assert found(pairing("never_together", first="/1/", second="/2/"), *both(), people=SHARED)
    assert not found(pairing("never_together", first="/1/", second="/2/5/6/"), *both(), people=SHARED)


def test_only_with_finds_the_people_who_did_not_get_the_first():
    findings = found(pairing("only_with"), *both(), people=SHARED)
    assert [(f.identity, set(f.people)) for f in findings] == [("pairings:1-2", set(range(100, 160)))]
    assert not found(pairing("only_with"), *both(), people={10: range(100), 20: range(50)})
    assert [f.count for f in found(pairing("only_with"), *both(22, 21), people=SHARED)] == [100], "the first comes too late"


def test_the_same_offer_twice_from_different_campaigns_and_a_reminder_of_ones_own_is_none():
    other = campaign(2, message(20, sent=at(21), offer=A))
    own = campaign(1, message(10, sent=at(20), offer=A), message(11, sent=at(21), offer=A))
    findings = found(pairing("no_duplicate"), own, other, people={10: range(10), 11: range(10), 20: range(5, 30)})
    assert [(f.identity, f.count) for f in findings] == [("pairings:1-1-2", 5)]
    assert not found(pairing("no_duplicate"), own, people={10: range(10), 11: range(10)})
    assert not found(pairing("no_duplicate", first="/1/"), *both(), people=SHARED)


def test_what_was_sent_counts_with_those_whom_it_really_reached():
    past = Sent(10, 1, A, at(8), BitMap(range(70, 80)))
    done, ahead = campaign(1, message(10, sent=at(8), offer=A)), campaign(2, message(20, sent=at(14), offer=B))
    findings = found(pairing("never_after"), done, ahead, people=SHARED, sent=[past])
    assert [(f.identity, set(f.people)) for f in findings] == [("pairings:1-1-2", set(range(70, 80)))]
    gone = found(pairing("never_after"), ahead, people=SHARED, sent=[past])
    assert [(f.identity, f.count) for f in gone] == [("pairings:1-2", 10)]
    assert [f.count for f in found(pairing("only_with"), ahead, people=SHARED, sent=[past])] == [90]


def test_what_other_tools_have_sent_counts_by_their_audience():
    elsewhere = campaign(1, message(10, sent=at(8), offer=A, kind="elsewhere"))
    findings = found(pairing("never_after"), elsewhere, campaign(2, message(20, sent=at(14), offer=B)), people=SHARED)
    assert [f.count for f in findings] == [40]


def test_nothing_is_found_where_everything_is_past_or_public_or_a_safety_notice():
    assert not found(pairing("never_together"), *both(8, 9), people=SHARED, sent=[
        Sent(10, 1, A, at(8), BitMap(range(100))), Sent(20, 2, B, at(9), BitMap(range(100)))
    ])
    for values in ({"kind": "unaddressed", "channel": "unaddressed"}, {"purpose_class": "safety"}):
        sides = campaign(1, message(10, offer=A, **values)), campaign(2, message(20, offer=B))
        assert not found(pairing("never_together"), *sides, people=SHARED)


def test_before_people_are_counted_all_that_may_be_found_stays():
    rows = plan(*both(), circumstances=Circumstances(pairings=(pairing("never_together"),)))
    assert {f.identity for f in RULE.find(rows)} == {"pairings:1-1", "pairings:1-2", "pairings:1-1-2"}
    assert not list(RULE.find(plan(*both())))


def test_other_terms_reopen():
    agreed = {"terms": ["never_after", 7], "offers": [1, 2], "people": 10}
    assert not RULE.materially_worse(agreed, {**agreed, "people": 12})
    assert RULE.materially_worse(agreed, {**agreed, "terms": ["never_after", 9]})
    assert RULE.materially_worse(agreed, {**agreed, "offers": [1, 3]})


OFFERS = {pk: offer(pk, path=f"/{1 + pk % 2}/{pk}/", name=str(pk)) for pk in (1, 2, 3)}
messages = st.tuples(st.sampled_from(sorted(OFFERS)), st.lists(st.integers(-3 * 24, 12 * 24), min_size=1, max_size=2, unique=True),
                     st.sets(st.integers(0, 8)))
kinds = st.sampled_from(["never_together", "never_after", "only_with", "no_duplicate"])
sides_of = st.one_of(st.sampled_from([1, 2, 3]), st.sampled_from(["/1/", "/2/"]))


def _naive(rule, contacts, now):
    """Every pair of contacts of every person, one by one: campaigns -> people."""
    def is_of(side, pk):
        return side.offer_id == pk if side.offer_id else OFFERS[pk].path.startswith(side.path)

    expected = {}
    for person in range(9):
        mine = [each for each in contacts if person in each[4]]
        for camp_b, msg_b, off_b, at_b, _who in mine:
            day_b = at_b.astimezone(OSLO).date()
            if rule.kind == "only_with":
                had = any(is_of(rule.first, o) and 0 <= (day_b - t.astimezone(OSLO).date()).days <= rule.days for _c, _m, o, t, _w in mine)
                if is_of(rule.second, off_b) and at_b >= now and not had:
                    expected.setdefault((camp_b,), set()).add(person)
                continue
            for camp_a, msg_a, off_a, at_a, _who2 in mine:
                if msg_a == msg_b or max(at_a, at_b) < now:
                    continue
                if abs((day_b - at_a.astimezone(OSLO).date()).days) > rule.days:
                    continue
                bad = {
                    "never_together": is_of(rule.first, off_a) and is_of(rule.second, off_b),
                    "never_after": is_of(rule.first, off_a) and is_of(rule.second, off_b) and at_a <= at_b,
                    "no_duplicate": is_of(rule.first, off_a) and off_a == off_b and camp_a != camp_b,
                }[rule.kind]
                if bad:
                    pair = tuple(sorted({camp_a, camp_b}))
                    expected.setdefault(pair, set()).add(person)
    return expected


@given(st.lists(st.lists(messages, min_size=1, max_size=2), min_size=1, max_size=3), kinds, sides_of, sides_of, st.integers(0, 6))
def test_it_finds_exactly_the_people_a_naive_reading_finds(drawn, kind, first, second, days):
    """Oracle: what is past is in the ledger with exactly its people, what is to come in the plan."""
    now = at(15, 12)
    rule = pairing(kind, days, first, second)
    sides, people, contacts, sent = [], {}, [], []
    for pk, rows in enumerate(drawn, start=1):
        made = []
        for place, (offer_id, hours, who) in enumerate(rows):
            number = pk * 10 + place
            moments = sorted(now + timedelta(hours=hour) for hour in hours)
            made.append(message(number, sent=moments, offer=OFFERS[offer_id]))
            people[number] = who
            contacts += [(pk, number, offer_id, moment, who) for moment in moments]
            sent += [Sent(number, pk, OFFERS[offer_id], moment, BitMap(who)) for moment in moments if moment < now]
        sides.append(campaign(pk, *made))
    rows = plan(*sides, people=people, sources=known(sent=sent), circumstances=Circumstances(pairings=(rule,)), now=now)
    assert {f.subjects[1:]: set(f.people) for f in RULE.find(rows)} == _naive(rule, contacts, now)
