"""Who gets what, against trying every set of ways out."""

from itertools import combinations

import pytest
from hypothesis import given, settings

from apps.campaigns.replan import sharing
from apps.campaigns.scenarios import measuring
from apps.campaigns.scenarios.trial import tried

from .plans import grounds, small_plans, terms

RULES = terms(fair_share=1.0, moves_agreed=True)


def cost(found, ways, asked):
    """People still in the conflicts that were found, at their weight, and what is given up: from scratch on the plan."""
    after = tried(found, [way.step for way in ways])
    left = {each.identity: each.people for each in measuring.undecided(after, grounds())}
    price = 0.0
    for each in measuring.undecided(found, grounds()):
        if each.severity >= 2 and each.people:
            one, two = each.campaigns
            both = after.audience(one) & after.audience(two) & each.people
            assert each.identity not in left or left[each.identity] <= both
            price += asked.weights.finding(each) * len(both) / len(each.people)
    for message in measuring.upcoming(found):
        gone = len(found.people.of(message)) - len(after.people.of(after.messages[message.id]))
        price += gone * sharing.price_of(found, message, grounds(), asked)
    return price


@settings(max_examples=25, deadline=None)
@given(small_plans(most=4))
def test_the_ways_taken_are_the_cheapest_of_all_and_no_set_of_ways_beats_the_bound(found):
    shares = sharing.share(found, grounds(), RULES)
    findings = [each for each in measuring.undecided(found, grounds()) if each.severity >= 2 and each.people]
    ways = list(sharing._ways(found, findings, grounds(), RULES))
    prices = [
        cost(found, chosen, RULES)
        for size in range(len(ways) + 1) for chosen in combinations(ways, size)
        if len({frozenset(way.sides) for way in chosen}) == size
    ]
    assert cost(found, shares.ways, RULES) == pytest.approx(min(prices), abs=1e-4)
    assert min(prices) >= shares.bound - 1e-4


@settings(max_examples=25, deadline=None)
@given(small_plans(most=4))
def test_no_department_gives_up_more_than_its_share(found):
    asked = terms(fair_share=0.3, moves_agreed=True)
    shares = sharing.share(found, grounds(), asked)
    after = tried(found, [way.step for way in shares.ways])
    for department, lost in sharing.given_up(found, after).items():
        assert lost <= sharing.allowance(found, department, asked)
