"""Dated deputies: they sign for a lead from a day to a day, on the record, and never what they asked for themselves."""

from datetime import UTC, date, datetime, timedelta

import pytest
from django.core.exceptions import ValidationError

from apps.accounts import access, deputies
from apps.accounts.models import AuditEvent, Deputy, Notification
from apps.core import clock
from tests.factories.accounts import UserFactory

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 11, 18, 9, tzinfo=UTC)
TODAY = date(2026, 11, 18)


@pytest.fixture
def pair():
    lead, colleague = UserFactory(role="lead"), UserFactory()
    row = deputies.name_deputy(
        actor=lead, deputy=colleague, starts_on=TODAY, ends_on=TODAY + timedelta(days=2), now=NOW
    )
    return lead, colleague, row


def test_a_deputy_signs_on_the_named_days_and_on_no_other(pair):
    lead, colleague, _row = pair
    for days, may in ((-1, False), (0, True), (2, True), (3, False)):
        assert access.can_approve(colleague, lead.department_id, now=NOW + timedelta(days=days)) is may
    assert not access.can_approve(colleague, colleague.department_id, now=NOW)
    assert access.can_approve(lead, lead.department_id, now=NOW)
    assert access.departments_led(colleague, now=NOW) == {lead.department_id}
    assert access.departments_led(UserFactory(), now=NOW) == set()


def test_the_day_is_the_companys_not_greenwichs(pair):
    lead, colleague, _row = pair
    last_minute = datetime(2026, 11, 20, 22, 59, tzinfo=UTC)  # 23:59 in Oslo
    assert access.can_approve(colleague, lead.department_id, now=last_minute)
    assert not access.can_approve(colleague, lead.department_id, now=last_minute + timedelta(minutes=1))


@pytest.mark.parametrize("change", [{"is_active": False}, {"role": "marketer"}])
def test_whoever_is_no_lead_any_more_has_no_deputy(pair, change):
    lead, colleague, _row = pair
    type(lead).objects.filter(pk=lead.pk).update(**change)
    assert not access.can_approve(colleague, lead.department_id, now=NOW)


def test_a_deputys_deed_says_for_whom(pair):
    lead, colleague, row = pair
    assert deputies.signed_as(colleague, lead.department_id, now=NOW) == {"for": lead.pk}
    assert deputies.signed_as(lead, lead.department_id, now=NOW) == {}
    assert Notification.objects.get(user=colleague).code == "deputy.named"
    assert AuditEvent.objects.get(action="deputy.named").subject_id == str(row.pk)


def test_only_planning_colleagues_on_sensible_days_can_be_named():
    lead = UserFactory(role="lead")
    bad = [
        (lead, TODAY, TODAY), (UserFactory(role="agent"), TODAY, TODAY), (UserFactory(is_active=False), TODAY, TODAY),
        (UserFactory(), TODAY, TODAY - timedelta(days=1)), (UserFactory(), TODAY, TODAY + timedelta(days=400)),
    ]
    for deputy, first, last in bad:
        with pytest.raises(ValidationError):
            deputies.name_deputy(actor=lead, deputy=deputy, starts_on=first, ends_on=last, now=NOW)
    assert not Deputy.objects.exists()


def test_ending_it_holds_at_once_and_what_has_been_stays_on_record(pair):
    lead, colleague, row = pair
    later = NOW + timedelta(days=1)
    deputies.end(actor=lead, row=row, now=later)
    row.refresh_from_db()
    assert row.ends_on == TODAY
    assert not access.can_approve(colleague, lead.department_id, now=later)


def test_a_lead_names_a_deputy_on_the_profile_page(client):
    lead, colleague = UserFactory(role="lead"), UserFactory()
    client.force_login(lead)
    day = clock.company_day(clock.now())
    answer = client.post("/profile/deputies/", {"deputy": colleague.pk, "starts_on": day, "ends_on": day}, follow=True)
    assert str(colleague) in answer.content.decode()
    wrong = client.post("/profile/deputies/", {"deputy": colleague.pk, "starts_on": day, "ends_on": "2020-01-01"})
    assert (wrong.status_code, Deputy.objects.count()) == (200, 1)
    client.post(f"/profile/deputies/{Deputy.objects.get().pk}/end/")
    assert not Deputy.objects.exists()
    client.force_login(colleague)
    assert client.post("/profile/deputies/").status_code == 403
    assert client.get("/profile/").status_code == 200
