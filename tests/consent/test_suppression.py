from datetime import timedelta

import pytest
from django.db import connection

from apps.accounts.models import AuditEvent
from apps.consent import suppression
from apps.consent.models import Suppression
from apps.core import hashing
from tests.factories.accounts import UserFactory
from tests.factories.consent import LONG_AGO

pytestmark = pytest.mark.django_db


def test_an_address_is_kept_as_a_hash_only_and_once():
    first = suppression.suppress(reason="bounced", address="a@example.no", channel="email", now=LONG_AGO)
    again = suppression.suppress(reason="bounced", address="a@example.no", channel="email", now=LONG_AGO)

    assert first.pk == again.pk
    assert Suppression.objects.count() == 1
    assert "example" not in first.address_hash


def test_a_colleague_may_lift_what_a_colleague_did_and_it_is_in_the_trail():
    lead = UserFactory()
    entry = suppression.suppress(reason="manual", address="a@example.no", now=LONG_AGO, actor=lead)

    suppression.lift(suppression=entry, actor=lead, now=LONG_AGO + timedelta(days=1))

    assert Suppression.objects.filter(lifted_at=None).count() == 0
    actions = set(AuditEvent.objects.values_list("action", flat=True))
    assert actions == {"suppression.added", "suppression.lifted"}


@pytest.mark.parametrize("reason", ["person", "complained", "erased"])
def test_nobody_but_the_person_lifts_what_the_person_asked_for(reason):
    entry = suppression.suppress(reason=reason, address="a@example.no", now=LONG_AGO)

    with pytest.raises(suppression.CannotLift):
        suppression.lift(suppression=entry, actor=UserFactory(), now=LONG_AGO)

    suppression.lift(suppression=entry, now=LONG_AGO, by_person=True)
    assert entry.lifted_at == LONG_AGO


@pytest.mark.parametrize("value", ["a@example.no", "+4722334455", "Żółta 3, 00-001 Łódź", "x" * 400])
@pytest.mark.parametrize("key", ["short", "k" * 64, "k" * 200])
def test_the_database_and_python_hash_alike(value, key, settings):
    settings.ADDRESS_HASH_KEY = key
    expression, keys = hashing.in_sql("v")
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {expression} FROM (VALUES (%s)) AS t(v)", [*keys, value])
        assert cursor.fetchone()[0] == hashing.address_hash(value)
