"""How fast conflicts are found, as ratios against SQL on the same data in one run.

    uv run python -m tests.benchmarks.conflicts [--customers N] [--campaigns M] [--quick]

Uses a database cluster of its own (``.concord/benchmarks``). The last line is one JSON object. What grows with what: pair counts with
the number of overlapping pairs times the size of their audiences (a byte a member or less); the pressure count with messages times
planes; an edit and a preview with the campaigns that are near in time, not with all; SQL with the members of all pairs.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import resource
import sys
from datetime import timedelta
from time import perf_counter

os.environ["CONCORD_CLUSTER"] = "benchmarks"
os.environ["CONCORD_MODE"] = "development"
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

import django

django.setup()

from django.core.management import call_command
from django.db import connection
from django.test import Client
from pyroaring import BitMap

from apps.accounts.models import Department, User
from apps.campaigns.conflicts import loading, pressure, resolve
from apps.campaigns.conflicts.passes import find
from apps.campaigns.conflicts.rules.overlap import OverlapRule
from apps.campaigns.models import Campaign, Message, Run
from apps.consent.models import Purpose
from apps.core import clock

PERIOD_DAYS = 60
# what SQL is asked to join at most; its time for all pairs is extrapolated by members and said so
SQL_MEMBERS = 6_000_000


def timed(work, rounds=3):
    """The best of some rounds in seconds, and what the work gave."""
    best, result = float("inf"), None
    for _round in range(rounds):
        start = perf_counter()
        result = work()
        best = min(best, perf_counter() - start)
    return best, result


def audience(customers, rng):
    """A random audience as campaigns have them: most are small, some are a fifth of everybody."""
    size = int(customers * min(0.2, 0.001 * 10 ** (rng.random() * 2.3)))
    return BitMap(rng.sample(range(1, customers + 1), size))


def prepare(customers, campaigns):
    """Departments, campaigns and messages in the real tables, each with a planned audience."""
    call_command("migrate", verbosity=0)
    Run.objects.all().delete()
    Message.objects.all().delete()
    Campaign.objects.all().delete()
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


def pairs(now):
    """Every pair of campaigns with its exact number of people, read from the tables: (first, second) -> people."""
    plan = loading.load(now=now)
    rule = OverlapRule()
    plan.people.fetch(plan.messages.values())
    near = plan.meetings(timedelta(days=3), rule._takes_part)
    return {pair: max(len(plan.people.shared(m.first, m.second)) for m in meetings) for pair, meetings in near.items()}


def members_table(chosen):
    """The members of some audiences as rows, as an SQL product would keep them."""
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE IF EXISTS benchmark_member")
        cursor.execute("CREATE UNLOGGED TABLE benchmark_member (campaign int, customer int, at timestamptz)")
        with cursor.copy("COPY benchmark_member FROM STDIN") as copy:
            for campaign, people, at in chosen:
                for person in people:
                    copy.write_row((campaign, person, at))
        cursor.execute("CREATE INDEX ON benchmark_member (customer, campaign)")
        cursor.execute("ANALYZE benchmark_member")


def sql_pairs(wanted):
    """One self-join over the slice; only the pairs that are near in time."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT a.campaign, b.campaign, count(*) FROM benchmark_member a JOIN benchmark_member b "
            "ON a.customer = b.customer AND a.campaign < b.campaign GROUP BY 1, 2"
        )
        return {(a, b): n for a, b, n in cursor.fetchall() if (a, b) in wanted}


def compare_pairs(now, found):
    """Roaring against SQL on a slice of campaigns that SQL can finish."""
    chosen, total = [], 0
    rows = Message.objects.order_by("send_at").values_list("campaign_id", "plan_audience", "send_at")
    for campaign, people, at in rows.iterator(chunk_size=20):
        if total + len(people) > SQL_MEMBERS and len(chosen) > 4:
            break
        chosen.append((campaign, people, at))
        total += len(people)
    members_table(chosen)
    ids = {campaign for campaign, _people, _at in chosen}
    wanted = {pair: people for pair, people in found.items() if set(pair) <= ids}
    seconds, counted = timed(lambda: sql_pairs(wanted), rounds=1)
    same = counted == {pair: people for pair, people in wanted.items() if people}
    return seconds, same, len(wanted)


def compare_pressure(now):
    """People over three contacts in seven days over up to sixty messages: planes against a window function."""
    rows = list(Message.objects.order_by("send_at").values_list("campaign_id", "plan_audience", "send_at")[:60])
    chosen, total = [], 0
    for row in rows:
        if total + len(row[1]) <= SQL_MEMBERS:
            chosen.append(row)
            total += len(row[1])
    members_table(chosen)
    contacts = [pressure.Contact(at, people, "email", "promotion", 1, pk) for pk, people, at in chosen]
    days = [now.date() + timedelta(days=place) for place in range(PERIOD_DAYS + 9)]

    def ours():
        over = pressure.over_by_day(contacts, limit=3, window=timedelta(days=7), days=days, zone=clock.company_zone())
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


def requests(owner, now):
    """An edited campaign against its neighbours, and the preview of a drag through the whole of Django, in milliseconds."""
    pks = list(Campaign.objects.order_by("starts_on").values_list("pk", flat=True))
    middle = pks[len(pks) // 2]
    edit, _found = timed(lambda: find(loading.load(now=now, focus=[middle])))
    mine = Campaign.objects.filter(department=owner.department).order_by("starts_on").values_list("pk", flat=True)
    client, own = Client(), list(mine)[len(pks) // 8]
    client.force_login(owner)
    client.get(f"/calendar/move/{own}/?days=1")
    previews = [timed(lambda days=days: client.get(f"/calendar/move/{own}/?days={days}"), rounds=1)[0] for days in range(2, 9)]
    plan = loading.load(now=now, focus=[own])
    assert resolve.shifted(plan, plan.campaigns[own], 1)
    return 1000 * edit, 1000 * sorted(previews)[len(previews) // 2]


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
    seconds, found = timed(lambda: pairs(now))
    print(f"{len(found)} pairs near in time, all counted exactly in {1000 * seconds:.0f} ms, loading included")
    sql_seconds, same_pairs, sliced = compare_pairs(now, found)
    per_pair = sql_seconds / max(1, sliced)
    print(f"SQL self-join: {sql_seconds:.1f} s for {sliced} of these pairs; extrapolated by pairs: {per_pair * len(found):.1f} s")
    ratio, same_pressure = compare_pressure(now)
    edit_ms, preview_ms = requests(owner, now)
    print(json.dumps({
        "customers": options.customers, "campaigns": options.campaigns, "pairs": len(found),
        "pairs_vs_sql": round(per_pair * len(found) / seconds), "pressure_vs_sql": round(ratio),
        "identical_to_sql": same_pairs and same_pressure, "edit_ms": round(edit_ms, 1), "preview_ms": round(preview_ms, 1),
        "worker_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
    }))


if __name__ == "__main__":
    main(sys.argv[1:])
