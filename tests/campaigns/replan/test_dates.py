"""The dates of a re-plan against trying every choice, and what it must not touch."""

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given, settings

from apps.campaigns.conflicts import loading
from apps.campaigns.conflicts.lead_times import LeadTimes
from apps.campaigns.replan import dates, problem

from .plans import at, campaign, every_choice, grounds, message, plan, small_plans, terms, true_cost


@settings(max_examples=25, deadline=None)
@given(small_plans(most=3))
def test_the_chosen_days_are_the_best_of_all_and_the_bound_is_their_cost(found):
    asked = problem.build(found, grounds(), terms(move_days=3))
    best = min(true_cost(found, grounds(), terms(), days) for days in every_choice(asked))
    chosen = dates.choose(asked)
    assert chosen.cost == pytest.approx(best)
    assert chosen.bound == pytest.approx(best, abs=1e-4)
    assert true_cost(found, grounds(), terms(), chosen.days) == pytest.approx(best)


@settings(max_examples=15, deadline=None)
@given(small_plans(most=3, policies=True))
def test_no_choice_of_days_costs_less_than_the_bound_also_where_limits_count(found):
    asked = problem.build(found, grounds(), terms(move_days=2))
    bound = dates.choose(asked).bound
    assert all(true_cost(found, grounds(), terms(), days) >= bound - 1e-4 for days in every_choice(asked))


def test_equal_seeds_choose_equal_days():
    found = small([20, 20, 21, 21, 22])
    asked = problem.build(found, grounds(), terms())
    assert dates.choose(asked, seed=3) == dates.choose(asked, seed=3)


def small(days, status="draft", **values):
    """One e-mail campaign on each of the days, all to the same hundred people, each of its own department."""
    made = [campaign(place, message(place, sent=at(day), **values), status=status) for place, day in enumerate(days, 1)]
    return plan(*made, people={place: range(100) for place in range(1, len(days) + 1)})


def test_what_is_locked_live_agreed_or_too_near_keeps_its_days_with_the_reason():
    found = small([20, 20, 20, 20, 12])
    changed = {2: "scheduled", 3: "live"}
    found = replace(found, campaigns={
        pk: replace(each, status=changed.get(pk, "draft")) for pk, each in found.campaigns.items()
    })
    asked = problem.build(found, grounds(), terms(locked=frozenset({1})))
    assert asked.staying == {1: "chosen", 2: "agreed", 3: "begun", 5: "outside"}
    assert set(asked.alone) == {4}
    assert set(problem.build(found, grounds(), terms(moves_agreed=True)).alone) == {1, 2, 4}


def test_lead_times_of_the_channel_are_kept():
    found = plan(campaign(1, message(1, sent=at(24), channel="letter"), status="draft"), people={1: range(50)})
    days = problem.offsets(found, found.campaigns[1], terms(move_days=10, lead=LeadTimes({("letter", None): 9})))
    for offset in days:
        moved = loading.moved(found.campaigns[1], offset, found.zone)
        assert moved.messages[0].windows[0][0] >= found.now + timedelta(days=9)
    assert min(days) == -3
    too_near = plan(campaign(1, message(1, sent=at(18), channel="letter"), status="draft"), people={1: range(50)})
    assert problem.build(too_near, grounds(), terms(lead=LeadTimes({("letter", None): 9}))).staying == {1: "lead"}


def test_nothing_is_moved_for_nothing():
    found = small([17, 23])
    assert not any(dates.choose(problem.build(found, grounds(), terms())).days.values())
