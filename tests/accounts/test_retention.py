"""What was kept long enough is let go of, night by night, and what is needed as proof stays."""

import tomllib
from datetime import UTC, date, datetime, timedelta

import pytest
from django.urls import reverse
from pyroaring import BitMap

from apps.accounts import retention
from apps.accounts.models import AuditEvent, Notification, RetentionRun
from apps.campaigns.models import (
    Approval,
    Capacity,
    CapacityDay,
    Delivery,
    RefusedPermission,
    Run,
    RunArm,
    WebhookCall,
    WebhookEndpoint,
)
from apps.consent.models import ConsentEvent
from apps.customers.models import ContactPoint, Customer, DataRequest, Interaction
from tests.architecture.source import ROOT
from tests.factories.accounts import UserFactory
from tests.factories.campaigns import MessageFactory
from tests.factories.consent import no, purpose, yes
from tests.factories.customers import InteractionFactory, person
from tests.factories.reporting import run_of
from tests.factories.sending import sign

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 11, 22, 3, tzinfo=UTC)


def years(n):
    return NOW - timedelta(days=366 * n)


def counts(now=NOW):
    return {line.table: line.count for line in retention.run(now=now)}


def test_every_period_that_is_declared_in_days_has_a_rule_and_every_rule_a_period():
    declared = tomllib.loads((ROOT / "config" / "retention.toml").read_text())
    assert {label for label, entry in declared.items() if "days" in entry} == set(retention.RULES)


def test_proof_has_no_rule():
    assert not {"consent.consentevent", "consent.suppression", "campaigns.signature"} & set(retention.RULES)


def test_old_notifications_and_audit_lines_go_and_young_ones_stay():
    user = UserFactory()
    for at in (years(2), NOW):
        Notification.objects.create(user=user, code="x", text="x", created_at=at)
    for at in (years(6), NOW):
        AuditEvent.objects.create(at=at, action="x", subject_type="x")
    done = counts()
    assert (done["accounts.notification"], done["accounts.auditevent"]) == (1, 1)
    assert Notification.objects.count() == 1
    trail = AuditEvent.objects.get(action="retention.ran")
    assert trail.after["accounts.notification"] == 1


def test_more_than_a_batch_goes_in_one_night(monkeypatch):
    monkeypatch.setitem(
        retention.RULES, "accounts.notification",
        retention.Rule("n", "accounts.notification", 365, retention.older("accounts_notification", "created_at < %s"), 2),
    )  # fmt: skip
    user = UserFactory()
    for _ in range(5):
        Notification.objects.create(user=user, code="x", text="x", created_at=years(2))
    assert counts()["accounts.notification"] == 5


def test_one_rule_that_fails_does_not_keep_the_others_from_their_work(monkeypatch):
    def broken(before, limit):
        raise ValueError("no")

    monkeypatch.setitem(retention.RULES, "accounts.apitoken", retention.Rule("a", "accounts.apitoken", 1, broken))
    Notification.objects.create(user=UserFactory(), code="x", text="x", created_at=years(2))
    assert counts()["accounts.notification"] == 1
    assert "ValueError" in RetentionRun.objects.get(table="accounts.apitoken").problem


def test_old_purchases_keep_their_amount_and_lose_their_details():
    old = InteractionFactory(at=years(4), value=100, detail={"note": "blue"})
    InteractionFactory(at=NOW, detail={"note": "red"})
    assert counts()["customers.interaction"] == 1
    old.refresh_from_db()
    assert (old.detail, old.value) == ({}, 100)
    assert Interaction.objects.exclude(detail={}).count() == 1


def silent(**more):
    made = person(**more)
    Customer.objects.filter(pk=made.pk).update(created_at=years(9))
    made.source_records.update(first_seen=years(9), last_seen=years(9))
    return made


def test_people_silent_for_three_years_are_erased_and_their_no_is_still_kept():
    gone, bought, spoke = silent(email="a@example.no"), silent(email="b@example.no"), silent(email="c@example.no")
    asks = silent(email="d@example.no")
    no(gone, at=years(5), address="a@example.no")
    yes(spoke, at=NOW - timedelta(days=30))
    InteractionFactory(source_record=bought.source_records.get(), customer=bought, at=NOW - timedelta(days=30))
    DataRequest.objects.create(customer=asks, asked_at=NOW, due_on=date(2026, 12, 1))
    evidence = ConsentEvent.objects.filter(customer=gone).count()
    assert counts()["customers.customer"] == 1
    erased = Customer.objects.exclude(erased_at=None)
    assert list(erased) == [gone]
    assert not ContactPoint.objects.filter(customer=gone).exists()
    kept = ConsentEvent.objects.filter(customer=gone, purpose=purpose("offers"))
    assert kept.count() == evidence
    assert kept.first().address_hash


def test_deliveries_of_two_years_ago_go_out_of_the_append_only_ledger():
    for day in (date(2024, 1, 5), date(2026, 11, 1)):
        Delivery.objects.create(
            run_day=day, run_id=1, customer_id=1, outcome="sent", at=NOW, message_id=1, campaign_id=1, department_id=1,
            channel="email", purpose_class="promotion",
        )  # fmt: skip
    assert counts()["campaigns.delivery"] == 1
    assert Delivery.objects.get().run_day == date(2026, 11, 1)


def test_runs_and_arms_of_two_years_ago_forget_whom_and_keep_how_many():
    old, young, going = (run_of(MessageFactory(), at=at) for at in (years(3), NOW, years(3)))
    for run, finished in ((old, years(3)), (young, NOW), (going, None)):
        Run.objects.filter(pk=run.pk).update(audience=BitMap([1, 2]), audience_count=2, finished_at=finished)
        RunArm.objects.create(run=run, kind="variant", code="A", people=BitMap([1]), count=1)
    done = counts()
    assert (done["campaigns.run"], done["campaigns.runarm"]) == (1, 1)
    kept = {run.pk: (set(run.audience), run.audience_count) for run in Run.objects.all()}
    assert kept == {old.pk: (set(), 2), young.pk: ({1, 2}, 2), going.pk: ({1, 2}, 2)}
    assert {arm.run_id: (len(arm.people), arm.count) for arm in RunArm.objects.all()}[old.pk] == (0, 1)
    assert counts()["campaigns.run"] == 0, "nothing is forgotten twice"


def test_approvals_stay_for_five_years_after_their_campaign():
    for ends in (years(6), years(4)):
        message = MessageFactory(campaign__starts_on=ends.date(), campaign__ends_on=ends.date())
        sign(message.campaign)
    assert counts()["campaigns.approval"] == 1
    assert Approval.objects.get().campaign.ends_on == years(4).date()


def test_calls_of_other_programs_refused_permissions_and_days_of_capacities_go_in_time():
    endpoint = WebhookEndpoint.objects.create(name="x", url="https://x.example", secret=b"", created_at=NOW)
    message = MessageFactory()
    for days in (100, 10):
        at = NOW - timedelta(days=days)
        WebhookCall.objects.create(endpoint=endpoint, event="test", payload={}, created_at=at, done_at=at)
    WebhookCall.objects.create(endpoint=endpoint, event="test", payload={}, created_at=NOW, next_at=NOW)
    for at in (years(3), years(1)):
        RefusedPermission.objects.create(
            department=message.campaign.department, message=message, customer_id=1, channel="email", purpose=message.purpose, at=at,
            asked_at=at, reason="over_limit",
        )  # fmt: skip
    line = Capacity.objects.create(name="x", channel="sms", starts_on=NOW.date(), per_day=1)
    for day in (years(1).date(), NOW.date()):
        CapacityDay.objects.create(capacity=line, day=day, used=1)
    done = counts()
    assert [done[f"campaigns.{what}"] for what in ("webhookcall", "refusedpermission", "capacityday")] == [1, 1, 1]
    assert (WebhookCall.objects.count(), RefusedPermission.objects.get().asked_at) == (2, years(1))


def test_administrators_see_what_was_deleted_when(client):
    Notification.objects.create(user=UserFactory(), code="x", text="x", created_at=years(2))
    retention.run(now=NOW)
    client.force_login(UserFactory(role="administrator", is_staff=True, is_superuser=True))
    page = client.get(reverse("admin:accounts_retentionrun_changelist"), {"went": "some"}).content.decode()
    assert "accounts.notification" in page
    assert "accounts.apitoken</td>" not in page
