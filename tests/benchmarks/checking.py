"""How long a campaign's Check tab takes: `python -m tests.benchmarks.checking [--people N]`.

The page through the whole of Django for a campaign with two e-mail messages to N people (50,000 unless told otherwise), with a
contact limit, a control group, a needed merge field, everybody's consent looked up, a twentieth without it. The last line is one
JSON object: `check_ms` is the median of seven openings, `first_ms` the first of the process, `half_ms` the same with half of the
people. It grows with the people of the messages; its queries do not. Empties the database of its own cluster first
(CONCORD_CLUSTER, "benchmarks" unless told otherwise).
"""

from __future__ import annotations

import argparse
import json
import statistics
from datetime import timedelta
from time import perf_counter
from typing import Any

from tests.benchmarks import prepare_django


def campaign_for(people: Any, now: Any) -> Any:
    """A draft with two messages to exactly these people, by a list of them."""
    from apps.campaigns.models import Campaign
    from tests.factories import sending
    from tests.factories.customers import SegmentFactory

    listed = SegmentFactory(kind="static", rule={}, people=people, count=len(people), computed_at=now)
    first = sending.make_message(people, send_at=now + timedelta(days=3), status="draft", include=[listed])
    second = sending.make_message(
        people, send_at=now + timedelta(days=6), status="draft", include=[listed], campaign=first.campaign,
        needs_fields=True,
    )
    second.versions.update(body="Hei {{ customer.given_name }}")
    Campaign.objects.filter(pk=first.campaign_id).update(control_share="0.050")
    return first.campaign


def opening(client: Any, campaign: Any) -> float:
    """Seconds until the page is there."""
    start = perf_counter()
    answer = client.get(f"/campaigns/{campaign.pk}/check/")
    assert answer.status_code == 200, answer.status_code
    return perf_counter() - start


def main() -> None:
    """Prepares, measures, prints."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--people", type=int, default=50_000)
    given = parser.parse_args()
    prepare_django()
    from django.core.cache import cache
    from django.core.management import call_command
    from django.db import connection
    from django.test import Client
    from django.test.utils import CaptureQueriesContext
    from pyroaring import BitMap

    from apps.core import clock
    from tests.factories import sending
    from tests.factories.accounts import UserFactory
    from tests.factories.campaigns import ContactPolicyFactory

    call_command("migrate", verbosity=0)
    call_command("flush", interactive=False, verbosity=0)
    cache.clear()
    now = clock.now()
    people = sending.make_people(given.people * 19 // 20) | sending.make_people(given.people // 20, agreed=False)
    ContactPolicyFactory(limit=3, hours=7 * 24)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    campaign, half = campaign_for(people, now), campaign_for(BitMap(list(people)[::2]), now)
    client = Client()
    client.force_login(UserFactory(department=campaign.department))
    first = opening(client, campaign)
    times = [opening(client, campaign) for _round in range(7)]
    halves = [opening(client, half) for _round in range(7)]
    with CaptureQueriesContext(connection) as asked:
        opening(client, campaign)
    print(json.dumps({
        "people": len(people), "check_ms": round(1000 * statistics.median(times), 1), "first_ms": round(1000 * first, 1),
        "half_ms": round(1000 * statistics.median(halves), 1), "queries": len(asked),
    }))


if __name__ == "__main__":
    main()
