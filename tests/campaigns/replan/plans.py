"""Small plans whose best re-plan can be found by trying everything."""

from dataclasses import replace
from datetime import date, timedelta
from itertools import product

from hypothesis import strategies as st

from apps.campaigns.conflicts import response
from apps.campaigns.conflicts.circumstances import Circumstances, PlannedPolicy
from apps.campaigns.replan import problem
from apps.campaigns.replan.propose import _Search
from apps.campaigns.replan.terms import Terms
from apps.campaigns.scenarios.measuring import Ground
from tests.campaigns.conflicts.plans import at, campaign, message, offer, plan

FIRST, LAST = date(2026, 11, 16), date(2026, 12, 5)
PAST = response.Response({"email": (5000, 50), "sms": (5000, 100)})


def grounds(**values):
    """Nothing sent, nothing accepted; e-mail brings an order in 100, a text message two."""
    days = [FIRST + timedelta(days=place) for place in range((LAST - FIRST).days + 1)]
    return Ground(days, past=PAST, **values)


def terms(**values):
    """A week of room around each campaign, drafts only."""
    return Terms(FIRST, LAST, **({"move_days": 5} | values))


def crowd(size, start=0):
    return range(start, start + size)


@st.composite
def small_plans(draw, most=4, policies=False):
    """Up to four drafts of two departments on few days, to overlapping crowds, some with contradicting offers."""
    count = draw(st.integers(2, most))
    made, people = [], {}
    for place in range(count):
        pk = place + 1
        deal = draw(st.sampled_from([None, offer(1, value=10, product=1), offer(2, value=30, product=1)]))
        made.append(campaign(
            pk, message(pk, sent=at(draw(st.integers(18, 24)), draw(st.sampled_from([9, 15]))), offer=deal,
                        channel=draw(st.sampled_from(["email", "sms"]))),
            department=1 + place % 2, status=draw(st.sampled_from(["draft", "draft", "scheduled"])),
        ))
        people[pk] = crowd(draw(st.integers(5, 60)), draw(st.integers(0, 50)))
    found = plan(*made, people=people)
    if policies:
        limit = PlannedPolicy(1, "one", draw(st.integers(1, 2)), timedelta(days=draw(st.integers(2, 6))))
        found = replace(found, circumstances=Circumstances(policies=(limit,)))
    return found


def every_choice(asked):
    """All choices of days of a problem."""
    campaigns = sorted(asked.alone)
    for days in product(*(sorted(asked.alone[pk]) for pk in campaigns)):
        yield dict(zip(campaigns, days, strict=True))


def true_cost(found, ground, asked_terms, days):
    """What these days cost, from scratch, by the rules on the whole plan (moves and conflicts, nobody left out)."""
    search = _Search(found, ground, asked_terms)
    return search.cost(search.moved(days), days)


__all__ = ["at", "campaign", "every_choice", "grounds", "message", "offer", "plan", "problem", "small_plans", "terms", "true_cost"]
