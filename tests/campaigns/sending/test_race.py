"""Eight workers, three departments, the same people: no limit is ever passed, and it is as if they had gone one by one."""

from collections import defaultdict
from datetime import datetime, timedelta
from itertools import pairwise, permutations

import pytest
from pyroaring import BitMap

from apps.campaigns.models import ChannelWeight, ContactPolicy, Delivery, MinimumGap, Run
from apps.campaigns.sending import plan, proof, work
from apps.core.blocks import block_of
from tests.campaigns.sending.threads import in_parallel
from tests.factories.accounts import DepartmentFactory
from tests.factories.sending import NOW, make_message, make_people

pytestmark = pytest.mark.django_db(transaction=True)

FIRST = 5000


@pytest.fixture
def people() -> BitMap:
    return make_people(2600, first_id=FIRST)


def race(audiences: list[BitMap], *, at: datetime = NOW, **fields) -> list[Run]:
    """Three departments send to overlapping audiences, eight workers at once."""
    departments = [DepartmentFactory() for _ in range(3)]
    for place, audience in enumerate(audiences):
        make_message(audience, send_at=at, campaign__department=departments[place % 3], **fields)
    before = set(Run.objects.values_list("pk", flat=True))
    plan.plan_due_runs(now=at)
    in_parallel([lambda: work.work_runs(now=at, budget=60)] * 8)
    work.work_runs(now=at, budget=60)
    runs = list(Run.objects.exclude(pk__in=before).order_by("pk"))
    for run in runs:
        shown = proof.run_proof(run)
        assert proof.adds_up(shown)
        assert shown["waiting"] == shown["unknown"] == 0
    return runs


def reached(runs: list[Run]) -> dict[int, BitMap]:
    found: dict[int, BitMap] = {run.pk: BitMap() for run in runs}
    for run_id, one in Delivery.objects.filter(run_id__in=found, outcome="sent").values_list("run_id", "customer_id"):
        found[run_id].add(one)
    return found


def in_order(runs, block: BitMap, limit: int, before: dict[int, int]) -> tuple[BitMap, ...]:
    """Oracle: the same claims about these people, one run after the other; whoever has room gets it."""
    had, got = dict(before), {}
    for run in runs:
        got[run.pk] = BitMap(one for one in run.audience & block if had.get(one, 0) < limit)
        for one in got[run.pk]:
            had[one] = had.get(one, 0) + 1
    return tuple(got[run.pk] for run in sorted(runs, key=lambda run: run.pk))


def audiences(people: BitMap) -> list[BitMap]:
    """Of every department two campaigns, each to other people, many of them the same."""
    everybody = list(people)
    return [
        people, BitMap(everybody[::2]), BitMap(everybody[500:]), BitMap(everybody[:2000]), BitMap(everybody[::3]), people,
    ]


def test_nobody_gets_more_than_two_in_seven_days_and_it_equals_some_order_of_the_same_claims(provider, people):
    ContactPolicy.objects.create(name="Two a week", limit=2, hours=7 * 24, created_at=NOW)
    first = race([BitMap(list(people)[:900])], at=NOW - timedelta(days=2))
    had = dict.fromkeys(reached(first)[first[0].pk], 1)
    runs = race(audiences(people))
    got = reached(runs)

    blocks: dict[int, list[int]] = defaultdict(list)
    for one in people:
        blocks[block_of(one)].append(one)
        assert sum(one in who for who in got.values()) + had.get(one, 0) <= 2
    assert len(blocks) >= 3
    for members in blocks.values():
        block = BitMap(members)
        seen = tuple(got[run.pk] & block for run in runs)
        assert any(in_order(order, block, 2, had) == seen for order in permutations(runs)), "no order of the claims explains this"


def test_weights_and_the_minimum_gap_hold_in_the_race_too(provider, people):
    policy = ContactPolicy.objects.create(name="Weighted", limit=4, hours=7 * 24, created_at=NOW)
    ChannelWeight.objects.create(policy=policy, channel="email", weight=2)
    MinimumGap.objects.create(name="An hour of peace", hours=1)
    for hours in (0, 2, 4):
        race(audiences(people)[:3], at=NOW + timedelta(hours=hours))
    contacts: dict[int, list[datetime]] = defaultdict(list)
    for one, at in Delivery.objects.filter(outcome="sent").order_by("at").values_list("customer_id", "at"):
        contacts[one].append(at)
    assert max(len(moments) for moments in contacts.values()) == 2
    assert all(later - earlier >= timedelta(hours=1) for moments in contacts.values() for earlier, later in pairwise(moments))
