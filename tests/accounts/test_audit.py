from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from django.db import DatabaseError, connection, transaction

from apps.accounts import audit
from apps.accounts.models import AuditEvent
from tests.factories.accounts import UserFactory

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 3, 4, 12, tzinfo=UTC)


@pytest.fixture
def event():
    lead = UserFactory(role="lead")
    return audit.record(
        actor=lead, action="campaign.approved", subject=lead.department, department=lead.department,
        before={"start": date(2026, 3, 1), "budget": Decimal("1.50")}, after={"start": None}, now=NOW,
    )  # fmt: skip


def test_a_line_says_who_did_what_to_what_with_before_and_after(event):
    event.refresh_from_db()
    assert (event.subject_type, event.subject_id) == ("accounts.department", str(event.department_id))
    assert event.before == {"start": "2026-03-01", "budget": "1.50"}
    assert event.at == NOW
    assert list(audit.history(event.department)) == [event]


def test_the_trail_can_be_added_to_but_neither_changed_nor_shortened(event):
    for change in (lambda: AuditEvent.objects.update(action="nothing"), lambda: AuditEvent.objects.all().delete()):
        with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
            change()
    assert AuditEvent.objects.get().action == "campaign.approved"


def test_retention_may_shorten_it_when_it_says_so(event):
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL concord.allow_erasure = 'on'")
        AuditEvent.objects.all().delete()
    assert not AuditEvent.objects.exists()


def test_opening_people_leaves_a_line():
    user = UserFactory()
    line = audit.opened_people(actor=user, subject=user.department, count=12, where="calendar", now=NOW)
    assert (line.action, line.after) == ("people.opened", {"count": 12, "where": "calendar"})


def test_a_change_holds_only_what_differs():
    assert audit.changes({"a": 1, "b": 2}, {"a": 1, "b": 3, "c": 4}) == ({"b": 2, "c": None}, {"b": 3, "c": 4})
