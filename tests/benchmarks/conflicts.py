"""How fast conflicts are found, as ratios against SQL on the same data in one run.

    uv run python -m tests.benchmarks.conflicts [--customers N] [--campaigns M] [--quick]

Empties a database cluster of its own (``.concord/benchmarks``). The last line is one JSON object. ``preview_ms`` and ``page_ms`` are
measured with at most a million customers, everything else with all of them. Times are the best of some rounds, of the preview
the median over seven moves; the pairs are counted before and after SQL has its turn, because a shared machine has moods.

``pairs_vs_sql``: the plan is read, all audiences are read, and all pairs near in time are counted, by the people of the product;
SQL gets one self-join (shown in ``SELF_JOIN``) that counts the same pairs, only those near in time, over a table with just the
members, an index that begins with the customer, fresh statistics and both cores. It gets so many of the customers, in all campaigns,
as hold 24 million members; what it takes for them is extrapolated by the number of customers, in which a join on the customer is
linear at best. ``identical_to_sql`` compares every count of that join with ours for the same customers, and the number of people
under pressure.

``edit_ms``: a campaign was moved by an hour; the plan is read anew and all rules look for what touches it. ``edit_limited_ms``
and ``preview_limited_ms`` are the same with a contact limit of three a week in force (``preview_ms`` without): then everybody in
the campaign has to be followed through everything planned, as the claim would.

What grows with what: pair counts with the pairs near in time times the size of their audiences (a byte and a half a member when
they are drawn by chance, which is the worst case); the pressure count with messages times planes; an edit and a preview with the
campaigns that are near in time, under a limit with all messages times the campaign's own people; the page with campaigns and
conflicts shown. The line "growth" shows it for the pairs: the same work over all campaigns, a half and a quarter of them.
"""

from __future__ import annotations

import argparse
import io
import json
import random
import resource
import sys
from array import array
from datetime import timedelta
from math import log, log1p
from time import perf_counter

from tests.benchmarks import prepare_django

prepare_django()

from django.core.cache import cache
from django.core.management import call_command
from django.db import connection
from django.db.models import F, Max, Min
from django.test import Client
from pyroaring import BitMap

from apps.accounts.models import Department, User
from apps.campaigns.conflicts import loading, pressure
from apps.campaigns.conflicts.circumstances import PlannedPolicy
from apps.campaigns.conflicts.passes import count_people, find
from apps.campaigns.conflicts.rules.overlap import OverlapRule
from apps.campaigns.models import Campaign, Conflict, ContactPolicy, Message, PlanVersion
from apps.consent.models import Purpose
from apps.core import clock

PERIOD_DAYS = 60
NEAR = timedelta(days=3)
# What SQL is asked to join at most; its time for all pairs is extrapolated by the members of the pairs, and said so.
PAIR_MEMBERS, PRESSURE_MEMBERS = 24_000_000, 8_000_000
PAGE_CUSTOMERS = 1_000_000
SELF_JOIN = """
    SELECT a.campaign, b.campaign, count(*) FROM benchmark_member a JOIN benchmark_member b
    ON a.customer = b.customer AND a.campaign < b.campaign AND b.at BETWEEN a.at - %s AND a.at + %s GROUP BY 1, 2
"""


def timed(work, rounds=3):
    """The best of some rounds in seconds, and what the work gave."""
    best, result = float("inf"), None
    for _round in range(rounds):
        start = perf_counter()
        result = work()
        best = min(best, perf_counter() - start)
    return best, result


def audience(customers, rng):
    """A random audience as campaigns have them: from a thousandth to a fifth of everybody, log-uniform.

    Everybody is in it by the same chance, drawn by the gaps between members (geometric), which needs no list of all.
    """
    share = 0.001 * 200 ** rng.random()
    scale, place, members = 1 / log1p(-share), 0, array("I")
    while True:
        place += 1 + int(log(1 - rng.random()) * scale)
        if place > customers:
            return BitMap(members)
        members.append(place)


def prepare(customers, campaigns):
    """Departments, campaigns and messages in the real tables, each with a planned audience."""
    call_command("reset", stdout=io.StringIO())
    rng, now = random.Random(1), clock.now()
    departments = [Department.objects.get_or_create(slug=f"d{n}", defaults={"name": f"Department {n}"})[0] for n in range(4)]
    owner = User.objects.filter(email="bench@example.com").first() or User.objects.create_user(
        "bench@example.com", None, name="Bench", role="lead", department=departments[0]
    )
    purpose = Purpose.objects.get_or_create(code="offers", defaults={"name": "Offers", "purpose_class": "promotion"})[0]
    for number in range(campaigns):
        first = now + timedelta(days=1 + rng.random() * PERIOD_DAYS)
        plan = Campaign.objects.create(
            name=f"Campaign {number}", department=departments[number % 4], owner=owner, starts_on=first.date(),
            ends_on=first.date() + timedelta(days=7), created_at=now, updated_at=now,
        )
        people = audience(customers, rng)
        Message.objects.create(
            campaign=plan, name="Message", channel="email", purpose=purpose, send_at=first, created_at=now,
            plan_audience=people, plan_count=len(people), plan_computed_at=now,
        )
    return owner, now


def pairs(now, among=None):
    """Every pair of campaigns with its exact number of people, read from the tables: (first, second) -> people."""
    plan = loading.load(now=now)
    rule = OverlapRule()
    plan.people.fetch(plan.messages.values())
    if among is not None:
        plan.people.put({pk: plan.people.whole(message) & among for pk, message in plan.messages.items()})
    near = plan.meetings(NEAR, rule._takes_part)
    return {pair: plan.people.meeting([(m.first, m.second) for m in meetings]).count for pair, meetings in near.items()}


def members_table(chosen):
    """The members of some audiences as rows, as an SQL product would keep them."""
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE IF EXISTS benchmark_member")
        cursor.execute("CREATE UNLOGGED TABLE benchmark_member (campaign int, customer int, at timestamptz)")
        with cursor.copy("COPY benchmark_member FROM STDIN") as copy:
            for campaign, people, at in chosen:
                head, tail = f"{campaign}\t", f"\t{at.isoformat()}\n"
                copy.write("".join([f"{head}{person}{tail}" for person in people]))
        cursor.execute("CREATE INDEX ON benchmark_member (customer, campaign)")
        cursor.execute("ANALYZE benchmark_member")


def sql_pairs(wanted):
    """One self-join over the slice; only the pairs that are near in time."""
    with connection.cursor() as cursor:
        cursor.execute(SELF_JOIN, [NEAR, NEAR])
        return {(a, b): n for a, b, n in cursor.fetchall() if (a, b) in wanted}


def slice_of(customers, members, most):
    """The first customers, as many as hold about ``most`` of all these memberships; and which share of all customers they are."""
    last = min(customers, customers * most // members)
    return BitMap(range(1, last + 1)), last / customers


def compare_pairs(now, found, customers):
    """Roaring against SQL on a slice of the customers that SQL can finish, in all campaigns."""
    rows = Message.objects.order_by("send_at").values_list("campaign_id", "plan_audience", "send_at")
    members = sum(Message.objects.values_list("plan_count", flat=True))
    some, part = slice_of(customers, members, PAIR_MEMBERS)
    members_table([(campaign, people & some, at) for campaign, people, at in rows.iterator(chunk_size=20)])
    seconds, counted = timed(lambda: sql_pairs(found), rounds=1)
    same = counted == {pair: people for pair, people in pairs(now, among=some).items() if people}
    print(f"SQL self-join over the {members * part:,.0f} members of {part:.1%} of the customers: {seconds:.1f} s; for all of them "
          f"that makes {seconds / part:.0f} s")
    return seconds / part, same


def compare_pressure(now, customers):
    """People over three contacts in seven days over sixty messages: planes against a window function, on the same slice."""
    rows = list(Message.objects.order_by("send_at").values_list("pk", "plan_audience", "send_at")[:60])
    some, _part = slice_of(customers, sum(len(people) for _pk, people, _at in rows), PRESSURE_MEMBERS)
    chosen = [(pk, people & some, at) for pk, people, at in rows]
    members_table(chosen)
    contacts = [pressure.Contact(at, people, "email", "promotion", 1, pk) for pk, people, at in chosen]
    days = [now.date() + timedelta(days=place) for place in range(PERIOD_DAYS + 9)]

    def ours():
        over = pressure.over_by_day(contacts, PlannedPolicy(1, "", 3, timedelta(days=7)), days=days, zone=clock.company_zone())
        return len(BitMap.union(BitMap(), *over.values()))

    def theirs():
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT count(DISTINCT customer) FROM (SELECT customer, count(*) OVER (PARTITION BY customer ORDER BY at "
                "RANGE BETWEEN interval '7 days' PRECEDING AND CURRENT ROW) n FROM benchmark_member) w WHERE n > 3"
            )
            return cursor.fetchone()[0]

    (fast, mine), (slow, sql) = timed(ours), timed(theirs, rounds=1)
    return slow / fast, mine == sql


def edit(now):
    """An edited campaign against its neighbours, read from the tables, in milliseconds; and how many neighbours it has."""
    pks = list(Campaign.objects.order_by("starts_on").values_list("pk", flat=True))
    middle, best, found = pks[len(pks) // 2], float("inf"), []
    for _round in range(9):
        Message.objects.filter(campaign=middle).update(send_at=F("send_at") + timedelta(hours=1))
        seconds, found = timed(lambda: find(loading.load(now=now, focus=[middle])), rounds=1)
        best = min(best, seconds)
    return 1000 * best, len(found)


def limit(is_on, now):
    """The contact limit of the product's own example, in force or not."""
    values = {"limit": 3, "hours": 7 * 24, "is_active": is_on, "created_at": now}
    ContactPolicy.objects.update_or_create(name="Three a week", defaults=values)


def people_pass(now):
    """The whole people pass as the worker does it, every finding written with its people, in seconds."""
    started = perf_counter()
    Conflict.objects.all().delete()
    assert count_people(number=PlanVersion.objects.values_list("number", flat=True).first() or 0, now=now)
    return perf_counter() - started


def requests(owner):
    """The preview of a drag, the calendar opened again and opened first, through the whole of Django, in milliseconds."""
    client = Client()
    client.force_login(owner)
    mine = list(Campaign.objects.filter(department=owner.department).order_by("starts_on"))
    own = mine[len(mine) // 2]
    client.get(f"/calendar/move/{own.pk}/?days=1")
    previews = []
    for days in (2, 3, 4, 5, 6, 7, 8):
        seconds, answer = timed(lambda days=days: client.get(f"/calendar/move/{own.pk}/?days={days}"), rounds=1)
        assert answer.status_code == 200, answer.status_code
        previews.append(seconds)
    first, last = Campaign.objects.aggregate(a=Min("starts_on"), b=Max("ends_on")).values()
    address = f"/calendar/?from={first}&weeks={(last - first).days // 7 + 1}"
    cache.clear()
    client.force_login(owner)
    cold, _answer = timed(lambda: client.get(address), rounds=1)
    page, _answer = timed(lambda: client.get(address))
    return 1000 * sorted(previews)[len(previews) // 2], 1000 * page, 1000 * cold


def growth(now, total):
    """The pair counts over a part of the campaigns, to see how the time grows."""
    print(f"growth: all campaigns {total * 1000:.0f} ms", end="")
    for part in (2, 4):
        kept = [pk for place, pk in enumerate(Campaign.objects.order_by("pk").values_list("pk", flat=True)) if place % part]
        Campaign.objects.filter(pk__in=kept).update(status="cancelled")
        seconds, found = timed(lambda: pairs(now))
        print(f"; one in {part}: {seconds * 1000:.0f} ms for {len(found)} pairs", end="")
        Campaign.objects.update(status="draft")
    print(flush=True)


def main(arguments):
    """Measures and prints; the last line is the JSON object."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--customers", type=int, default=10_000_000)
    parser.add_argument("--campaigns", type=int, default=200)
    parser.add_argument("--quick", action="store_true", help="500,000 customers and 60 campaigns")
    options = parser.parse_args(arguments)
    if options.quick:
        options.customers, options.campaigns = 500_000, 60
    owner, now = prepare(options.customers, options.campaigns)
    seconds, found = timed(lambda: pairs(now), rounds=8)
    print(f"{len(found)} pairs near in time, all counted exactly in {1000 * seconds:.0f} ms, loading included", flush=True)
    growth(now, seconds)
    figures = {"customers": options.customers, "campaigns": options.campaigns, "pairs": len(found)}
    edits = edits_of(now)
    print(f"people pass, every finding written with its people: {people_pass(now):.1f} s", flush=True)
    worker_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    sql_seconds, same_pairs = compare_pairs(now, found, options.customers)
    seconds = min(seconds, timed(lambda: pairs(now), rounds=8)[0])
    pressure_ratio, same_pressure = compare_pressure(now, options.customers)
    if options.customers > PAGE_CUSTOMERS:
        owner, now = prepare(PAGE_CUSTOMERS, options.campaigns)
    pages = pages_of(owner, now)
    print(json.dumps(figures | {
        "pairs_vs_sql": round(sql_seconds / seconds), "pressure_vs_sql": round(pressure_ratio),
        "identical_to_sql": same_pairs and same_pressure, **edits, **pages, "worker_mb": worker_mb,
    }))


def edits_of(now):
    """An edit without and with a limit in force."""
    plain, neighbours = edit(now)
    limit(True, now)
    limited, _found = edit(now)
    limit(False, now)
    print(f"an edited campaign with {neighbours} findings: {plain:.0f} ms, under a limit {limited:.0f} ms", flush=True)
    return {"edit_ms": round(plain, 1), "edit_limited_ms": round(limited, 1)}


def pages_of(owner, now):
    """A drag's preview without and with a limit in force, and the calendar: opened again, and first after the plan has changed."""
    preview_ms, page_ms, _cold = requests(owner)
    limit(True, now)
    limited_ms, _page, cold_ms = requests(owner)
    limit(False, now)
    print(f"the calendar's first opening after a change, with a limit in force: {cold_ms:.0f} ms", flush=True)
    return {"preview_ms": round(preview_ms, 1), "preview_limited_ms": round(limited_ms, 1), "page_ms": round(page_ms, 1)}


if __name__ == "__main__":
    main(sys.argv[1:])
