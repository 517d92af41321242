"""What sending keeps to, in a real browser: who waits why and till when, who was lost to whom, what other tools were told."""

from datetime import UTC, datetime, timedelta

import pytest
from django.urls import reverse
from pyroaring import BitMap

from apps.campaigns.elsewhere import permissions
from apps.campaigns.models import Capacity, QuietHours, RuleParameter, Run
from apps.campaigns.sending import plan, work
from tests.browser.test_understand import SIDEWAYS, look
from tests.campaigns.sending.test_agreements import agreement
from tests.factories.accounts import UserFactory
from tests.factories.sending import FakeAdapter, agree, make_message, make_people, plain_drafts, send_all

DAY = timedelta(days=1)


@pytest.fixture
def sent(monkeypatch, transactional_db):
    """Some got it, some sleep, for some there is no room, some were left to another campaign; another tool asked in vain."""
    monkeypatch.setattr("apps.channels.registry.adapter_for", lambda account: FakeAdapter())
    monkeypatch.setattr(work.writing, "prepare", plain_drafts)
    monkeypatch.setattr(plan.audiences, "compute", lambda message, *, now: type(message).objects.get(pk=message.pk).plan_audience)
    now = datetime.now(UTC).replace(microsecond=0)
    local = now.replace(tzinfo=None)
    begins, ends = (local - timedelta(hours=1)).time(), (local + timedelta(hours=6)).time()
    # on a public holiday nothing would leave
    RuleParameter.objects.create(code="holiday_check", value=0)
    QuietHours.objects.create(name="Night abroad", begins=begins, ends=ends, countries=["IS"])
    Capacity.objects.create(name="Warm-up of the new sender", channel="email", starts_on=now.date() - DAY, per_day=20)
    home, away = make_people(40), make_people(7, country="IS", time_zone="Atlantic/Reykjavik")
    keeping = make_message(BitMap(list(home)[:9]), send_at=now + 2 * DAY)
    message = make_message(home | away, send_at=now - timedelta(minutes=5), send_until=now + 5 * DAY)
    agreement(message, keeping)
    send_all(now)
    agree(BitMap(list(home)[30:34]), granted=False)
    theirs = make_message(BitMap(), kind="elsewhere", send_at=now + 9 * DAY)
    asked = BitMap(list(home)[28:34])
    permissions.ask(message=theirs, people=asked, at=now, until=now + timedelta(hours=1), now=now)
    return message, theirs, home


@pytest.mark.parametrize(("width", "dark"), [(1440, False), (390, True)])
def test_what_sending_keeps_to_is_told_and_fits(open_page, axe, sent, width, dark):
    message, theirs, home = sent
    page = open_page(UserFactory(role="lead", language="en"), width=width, dark=dark)
    run = Run.objects.get(message=message)
    places = {
        "live": (reverse("campaigns:live", args=[message.campaign_id]), "it is outside permitted hours where the person lives"),
        "report": (reverse("reporting:campaign", args=[message.campaign_id]), "Lost to whom, and why"),
        "told": (reverse("reporting:permissions", args=[theirs.campaign_id]), "Not allowed to another tool"),
        "waits": (reverse("campaigns:run-people", args=[message.campaign_id, run.pk, "waiting"]) + "?reason=quiet_hours", "7 people"),
        "person": (reverse("customers:customer", args=[list(home)[30]]), "Another tool asked and may not:"),
    }
    for name, (address, words) in places.items():
        page.goto(address)
        assert name != "live" or "left" not in page.locator(".progress").first.inner_text(), "they wait for another day"
        page.get_by_text(words).first.wait_for()
        look(page, f"enforced-{name}-{width}")
        assert axe(page) == []
        assert page.evaluate(SIDEWAYS) <= 0
