"""Programs tell what customers did: many at once, the same again is harmless, nobody is made up."""

from datetime import UTC, datetime

import pytest

from apps.accounts import api_tokens
from apps.customers.models import Interaction
from tests.factories.accounts import UserFactory
from tests.factories.customers import ContactPointFactory, SourceRecordFactory

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 11, 18, 14, tzinfo=UTC)


@pytest.fixture
def tell(client):
    secret = api_tokens.issue(name="till", actions=["interactions.write"], department=None, by=UserFactory(), now=NOW)[1]

    def told(*items, source="shop"):
        return client.post(
            "/api/v1/interactions/batch/", {"source": source, "interactions": list(items)}, "application/json",
            headers={"authorization": f"Bearer {secret}"},
        )

    return told


def bought(number, **person):
    return {"id": f"o{number}", "person": person, "kind": "purchase", "at": "2026-11-17T10:00:00Z", "value": "19.90", "currency": "EUR"}


def test_the_same_batch_twice_records_once(tell):
    record = SourceRecordFactory(external_id="W1")
    point = ContactPointFactory(source_record=record, kind="email", value="kari@post.example")
    batch = [bought(1, source_id="W1"), bought(2, email=" KARI@post.example ")]
    assert [row["outcome"] for row in tell(*batch).json()["results"]] == ["recorded", "recorded"]
    assert [row["outcome"] for row in tell(*batch).json()["results"]] == ["known", "known"]
    assert Interaction.objects.filter(customer=point.customer).count() == 2


def test_somebody_unknown_is_refused_and_the_others_are_kept(tell):
    SourceRecordFactory(external_id="W1")
    results = tell(bought(1, source_id="W1"), bought(2, source_id="W9"), bought(3, email="not an address")).json()["results"]
    assert [row["outcome"] for row in results] == ["recorded", "refused", "refused"]
    assert results[1]["problem"]
    assert Interaction.objects.count() == 1


def test_an_address_of_two_people_names_nobody(tell):
    ContactPointFactory(kind="email", value="shared@post.example")
    ContactPointFactory(kind="email", value="shared@post.example")
    assert tell(bought(1, email="shared@post.example")).json()["results"][0]["outcome"] == "refused"


def test_a_batch_that_cannot_be_read_is_refused_as_a_whole_with_the_place(tell):
    SourceRecordFactory(external_id="W1")
    answer = tell(bought(1, source_id="W1"), {**bought(2, source_id="W1"), "kind": "dance"})
    assert answer.status_code == 400
    assert "kind" in str(answer.json()["errors"]["interactions"])
    assert not Interaction.objects.exists()
