"""The demo company's calendar: every kind of conflict is there once to be seen, and few enough to be read."""

from collections import Counter
from datetime import UTC, datetime

import pytest
from django.test import RequestFactory

from apps.accounts.models import Notification, User
from apps.campaigns.conflicts import badge
from apps.campaigns.conflicts.passes import UNDECIDED
from apps.campaigns.conflicts.registry import RULES
from apps.campaigns.models import Conflict
from apps.campaigns.models.conflicts import Severity
from apps.reporting.demo.load import load

AFTERNOON = datetime(2026, 11, 18, 13, 30, tzinfo=UTC)
SATURDAY = datetime(2026, 11, 21, 9, 30, tzinfo=UTC)
MOST = 14


def open_of_weight():
    return Conflict.objects.filter(state__in=UNDECIDED, severity__gte=Severity.MEDIUM)


def badge_of(email: str) -> int:
    request = RequestFactory().get("/")
    request.user = User.objects.get(email=f"{email}@fjellfjord.example")
    return badge.open_conflicts(request)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(("customers", "now"), [(300, AFTERNOON), (600, SATURDAY)])
def test_every_rule_finds_something_and_yet_it_stays_calm(customers, now):
    load(customers_wanted=customers, seed=1, now=now, progress=lambda *_: None)
    assert not Notification.objects.filter(code__startswith="approval", created_at__gt=now).exists(), "nothing is told from the future"
    found = Counter(Conflict.objects.values_list("rule", flat=True))
    assert set(found) == {rule.code for rule in RULES}
    decisions = set(open_of_weight().values_list("first_campaign", "second_campaign"))
    assert 6 <= len(decisions) <= MOST
    assert open_of_weight().count() <= 22
    assert badge_of("admin") == len(decisions)
    assert 0 < badge_of("loyalty.lead") < len(decisions), "what touches other departments only is not theirs to decide"
