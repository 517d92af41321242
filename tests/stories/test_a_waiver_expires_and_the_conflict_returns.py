"""Retail's lead is away: the deputy signs a waiver with reason and last day. The day after, the conflict is back on the desk."""

from datetime import timedelta

from apps.accounts import deputies
from apps.accounts.models import AuditEvent
from apps.campaigns.conflicts import passes
from apps.campaigns.models import Campaign, Conflict, PlanVersion
from apps.core.clock import company_day


def test_a_waiver_expires_and_the_conflict_returns(company, open_page):
    sides = list(Campaign.objects.filter(name__in=["Black Week in store", "Black Week online −30 %"]))
    conflict = Conflict.objects.get(rule="offers", first_campaign__in=sides, second_campaign__in=sides)
    today = company_day(company.now)
    until = today + timedelta(days=2)
    deputy, lead = company.colleague("retail"), company.colleague("retail.lead")
    deputies.name_deputy(actor=lead, deputy=deputy, starts_on=today, ends_on=today + timedelta(days=1), now=company.now)

    ola = open_page(company.colleague("online.lead"))
    ola.goto(f"/conflicts/{conflict.pk}/#accept")
    ola.fill("#reason", "Both prices were announced in print")
    ola.fill("#expires_on", until.isoformat())
    ola.get_by_role("button", name="Propose to accept").click()
    ola.get_by_text("has not signed yet").wait_for()
    ola.fill("#remark", f"@{deputy.name} please look at this")
    ola.get_by_role("button", name="Write", exact=True).click()
    ola.locator("#talk .chip", has_text=deputy.name).wait_for()

    company.later(minutes=5)
    stand_in = open_page(deputy)
    stand_in.goto("/")
    stand_in.get_by_role("row").filter(has_text="your signature is missing").first.get_by_role("link").last.click()
    stand_in.get_by_text("You sign for Retail").wait_for()
    stand_in.get_by_role("button", name="Agree and sign").click()
    stand_in.get_by_text("Agreed and applied.").wait_for()
    assert Conflict.objects.get(pk=conflict.pk).state == "accepted"
    assert AuditEvent.objects.get(action="resolution.signed", actor=deputy).after["for"] == lead.pk

    company.later(days=2)
    _count(company.now)
    assert Conflict.objects.get(pk=conflict.pk).state == "accepted", "the last day is included"
    company.later(days=1)
    _count(company.now)
    assert Conflict.objects.get(pk=conflict.pk).state == "open"

    ola.goto(f"/conflicts/{conflict.pk}/")
    history = ola.locator(".card", has=ola.get_by_role("heading", name="History")).text_content() or ""
    assert "Agreement ended" in history and "Open again" in history and "announced in print" in history
    ola.goto("/decisions/")
    assert ola.locator(f'a[href="/conflicts/{conflict.pk}/"]').count() == 1
    stand_in.goto("/")
    assert stand_in.get_by_role("heading", name="Decide first").count() == 0, "the days of the deputy are over"


def _count(now):
    """What beat does every minute: agreements that have run out end, and people are counted again."""
    from apps.campaigns.conflicts import ending

    ending.end_over(now=now)
    assert passes.count_people(number=PlanVersion.objects.get().number, now=now)
