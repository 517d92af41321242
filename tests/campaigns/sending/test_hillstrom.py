"""A campaign on real people: Hillstrom's 64,000 with their e-mail test, arms taken from the file."""

import csv
import gzip
from collections import Counter

import pytest

from apps.campaigns.models import Run
from apps.campaigns.sending import proof
from apps.consent.models import ConsentEvent
from apps.customers import segments
from tests.customers.importing import NOW as IMPORTED
from tests.customers.importing import imported
from tests.factories.campaigns import OffersPurposeFactory
from tests.factories.sending import LONG_AGO, make_message, send_all, sign
from tests.shared_data import shared

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(not shared("experiment").exists(), reason="shared data is absent"),
]
MAILED = ("Mens E-Mail", "Womens E-Mail")
TARGETS = {
    "source_id": "h{#}", "email": "h{#}@hillstrom.invalid", "country": "NO", "attribute:arm:text": "{segment}",
    "consent:email:offers": "yes", "consent:at": "2026-01-05", "consent:method": "declared test consent",
}  # fmt: skip


def test_the_three_arms_of_a_real_test_come_out_as_in_the_file(provider):
    content = gzip.decompress(shared("experiment/hillstrom.csv.gz").read_bytes()).decode()
    arms = Counter(row["segment"] for row in csv.DictReader(content.splitlines()))
    OffersPurposeFactory()
    assert imported(content, TARGETS).counts["consent_yes"] == sum(arms.values()) == 64_000
    everybody = segments.evaluate({"is": "everyone"}, now=IMPORTED)
    message = make_message(everybody, arms_attribute="arm")
    version = message.versions.get()
    version.variant = MAILED[0]
    version.save()
    version.pk, version.variant, version.is_fallback = None, MAILED[1], False
    version.updated_at = LONG_AGO
    version.save()
    sign(message.campaign)

    send_all(budget=120.0)

    run = Run.objects.get(message=message)
    drawn = {arm.code: arm.count for arm in run.arms.all() if arm.code}
    shown = proof.run_proof(run)
    assert drawn == dict(arms)
    assert shown["audience"] == 64_000
    assert (shown["sent"], shown["held_out"]) == (sum(arms[arm] for arm in MAILED), arms["No E-Mail"])
    assert len(provider.posted) == len(set(provider.posted)) == shown["sent"]
    assert ConsentEvent.objects.filter(method="declared test consent").count() == 64_000
