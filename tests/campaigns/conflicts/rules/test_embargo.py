"""Nothing is told before its embargo is lifted."""

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from apps.campaigns.conflicts.circumstances import Circumstances, PlannedEmbargo
from apps.campaigns.conflicts.rules.embargo import EmbargoRule

from ..plans import at, campaign, message, offer, plan

RULE = EmbargoRule()
PARKA = offer(1, product=5, path="/1/2/", brand="Nordlys")


def embargo(lifts=None, **values):
    fields = {} if values else {"brand": "Nordlys"}
    return PlannedEmbargo(id=1, name="Parka 27", lifts_at=lifts or at(20, 12), **(fields | values))


def found(planned, rule=None, people=range(10)):
    return list(RULE.find(plan(campaign(1, planned), people={planned.id: people}, circumstances=Circumstances(embargoes=(rule or embargo(),)))))


def test_a_minute_before_is_found_and_blocks_and_the_moment_itself_is_not():
    early = message(10, offer=PARKA, sent=at(20, 12) - timedelta(minutes=1))
    assert [(f.identity, f.count, f.severity) for f in found(early)] == [("embargo:1-10", 10, 4)]
    assert not found(message(10, offer=PARKA, sent=at(20, 12)))
    assert RULE.speaks_early


def test_press_and_other_tools_count_service_and_safety_do_not():
    assert found(message(10, offer=PARKA, sent=at(19), kind="unaddressed", channel="unaddressed"), people=())
    assert found(message(10, offer=PARKA, sent=at(19), kind="elsewhere"))
    for kind in ("service", "safety"):
        assert not found(message(10, offer=PARKA, sent=at(19), purpose_class=kind))


def test_a_category_around_the_product_tells_of_it_and_a_sister_product_does_not():
    rule = embargo(product_id=5, product_path="/1/2/")
    assert found(message(10, offer=offer(2, category=1, path="/1/"), sent=at(19)), rule)
    assert not found(message(10, offer=offer(2, product=6, path="/1/2/"), sent=at(19)), rule)
    assert not found(message(10, sent=at(19)), rule)


def test_an_earlier_day_or_a_later_end_reopens():
    agreed = {"lifts_at": "x", "days": ["2026-11-19"], "people": 10}
    assert not RULE.materially_worse(agreed, agreed)
    assert RULE.materially_worse(agreed, {**agreed, "days": ["2026-11-18"]})
    assert RULE.materially_worse(agreed, {**agreed, "lifts_at": "y"})


@given(st.lists(st.integers(-50, 400), min_size=1, max_size=6, unique=True), st.integers(1, 400))
def test_it_finds_exactly_the_messages_with_a_moment_before_it(hours, lifts):
    """Oracle: each moment of each message, one by one; what is past is history."""
    now = at(11, 12)
    planned = message(10, offer=PARKA, sent=[now + timedelta(hours=hour) for hour in sorted(hours)])
    expected = any(0 <= hour < lifts for hour in hours)
    assert bool(found(planned, embargo(now + timedelta(hours=lifts)))) is expected
