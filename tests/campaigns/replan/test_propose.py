"""A whole proposal: better than the plan, explained, fair, the same for the same seed."""

import pytest
from hypothesis import given, settings

from apps.campaigns.replan.propose import _Search, propose
from apps.campaigns.scenarios import measuring
from apps.campaigns.scenarios.trial import tried

from .plans import at, campaign, grounds, message, offer, plan, small_plans, terms


def two_prices(**values):
    """Two departments promise the same people different discounts on neighbouring days; the first is agreed and stays."""
    deals = [offer(1, value=10, product=1), offer(2, value=30, product=1)]
    return plan(
        campaign(1, message(1, sent=at(20), offer=deals[0]), status="scheduled"),
        campaign(2, message(2, sent=at(21), offer=deals[1]), status="draft"), people={1: range(100), 2: range(50, 200)}, **values,
    )


def test_a_draft_moves_away_and_says_what_that_settles():
    proposal = propose(two_prices(), grounds(), terms(move_days=10))
    (change,) = proposal.changes
    assert (change.step.kind, change.step.campaign_id, abs(change.step.parameters["days"])) == ("move", 2, 7)
    assert {each["rule"] for each in change.why["settles"]} == {"offers", "overlap"}
    assert change.why["settles"][0]["people"] == 50
    assert (change.why["contacts"], proposal.after.of_weight(), proposal.left) == (0, 0, ())
    assert (proposal.gap_days, proposal.gap_people) == (0.0, 0.0)
    assert proposal.staying == {1: "agreed"}


def test_where_no_day_is_free_the_side_that_expects_fewer_orders_leaves_the_shared_people_out():
    proposal = propose(two_prices(), grounds(), terms(move_days=0, fair_share=0.5))
    (change,) = proposal.changes
    assert change.step.kind == "leave_out"
    assert (change.step.parameters["yielding"], change.step.parameters["keeping"]) == (2, 1)
    assert (change.why["contacts"], change.why["orders"]) == (50, pytest.approx(0.5, abs=0.05))
    assert proposal.given_up == {2: 50}


def test_what_would_ask_too_much_of_one_department_stays_and_is_said_to():
    proposal = propose(two_prices(), grounds(), terms(move_days=0, fair_share=0.1))
    assert not proposal.changes
    assert {each.rule for each in proposal.left} == {"offers", "overlap"}


@settings(max_examples=20, deadline=None)
@given(small_plans(policies=True))
def test_a_proposal_is_never_worse_than_the_plan_and_the_same_for_the_same_seed(found):
    asked = terms(move_days=4)
    proposal = propose(found, grounds(), asked)
    search = _Search(found, grounds(), asked)
    steps = [each.step for each in proposal.changes]
    days = {step.campaign_id: step.parameters["days"] for step in steps if step.kind == "move"}
    after = tried(found, steps)
    assert search.cost(after, days) <= search.cost(found, {}) + 1e-6
    assert proposal.after == measuring.measure(after, grounds().holding(steps))
    assert [each.step for each in propose(found, grounds(), asked).changes] == steps
    assert not any(found.campaigns[step.campaign_id].status == "scheduled" for step in steps if step.kind not in ("cap", "accept"))


def test_it_stops_when_told_to():
    class Stop(Exception):
        pass

    def tick(percent):
        raise Stop

    with pytest.raises(Stop):
        propose(two_prices(), grounds(), terms(), tick)
