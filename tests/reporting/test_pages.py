from datetime import timedelta

import pytest

from apps.accounts.models import AuditEvent
from apps.campaigns.models import Approval
from apps.core import clock
from apps.reporting import facts
from tests.factories import customers as people
from tests.factories.accounts import DepartmentFactory, UserFactory
from tests.factories.campaigns import CampaignFactory, MessageFactory
from tests.factories.reporting import HOUR, delivery, event, purchase, run_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def campaign(lead):
    """Yesterday: three got it, one clicked and bought, one was refused, one held out."""
    now = clock.now()
    message = MessageFactory(campaign=CampaignFactory(department=lead.department, name="=Winter coats"))
    run = run_of(message, at=now - timedelta(days=1))
    persons = [people.person() for _ in range(5)]
    for person in persons[:3]:
        delivery(run, person)
    delivery(run, persons[3], "refused", reason="no_consent")
    delivery(run, persons[4], "held_out")
    event(run, persons[0], "clicked")
    event(run, persons[1], "opened", machine=True)
    purchase(persons[0], run.scheduled_at + 2 * HOUR, "250.00", "NOK")
    facts.rebuild(first=run.run_day, last=clock.company_day(now), now=now)
    return message.campaign


def test_the_desk_shows_what_waits_for_a_lead(client, lead):
    asker = UserFactory(department=lead.department)
    plan = CampaignFactory(department=lead.department, owner=asker, status="in_review")
    Approval.objects.create(campaign=plan, asked_by=asker, asked_at=clock.now(), digest="x")

    page = client.get("/").content.decode()

    assert "asks for your approval" in page
    assert plan.name in page


def test_the_desk_of_another_department_does_not_ask_for_it(client):
    client.force_login(UserFactory(role="lead", language="en"))
    asker = UserFactory(department=DepartmentFactory())
    plan = CampaignFactory(department=asker.department, owner=asker, status="in_review")
    Approval.objects.create(campaign=plan, asked_by=asker, asked_at=clock.now(), digest="x")

    assert "asks for your approval" not in client.get("/").content.decode()


def test_an_agent_goes_to_the_calls(client):
    client.force_login(UserFactory(role="agent"))

    assert client.get("/").url == "/calls/"


def test_the_desk_shows_yesterday_and_what_leaves_next(client, lead, campaign):
    coming = MessageFactory(
        campaign=CampaignFactory(department=lead.department, status="scheduled"),
        send_at=clock.now() + timedelta(days=1),
    )

    page = client.get("/").content.decode()

    assert "=Winter coats" in page
    assert coming.name in page


def test_the_desk_needs_few_queries(client, lead, campaign, django_assert_max_num_queries):
    for _ in range(6):
        MessageFactory(campaign=CampaignFactory(department=lead.department, status="scheduled"))
    with django_assert_max_num_queries(40):
        client.get("/")


def test_a_campaigns_results_name_every_denominator(client, campaign):
    page = client.get(f"/campaigns/{campaign.pk}/results/")

    assert page.context["whole"]["sent"] == 3
    assert page.context["whole"]["opened"] == 0
    assert page.context["whole"].click_rate == pytest.approx(1 / 3)
    text = page.content.decode()
    assert "of the arrived" in text
    assert "never agreed to this kind of message" in text


def test_every_number_opens_to_exactly_these_people_and_the_look_is_logged(client, campaign):
    page = client.get(f"/campaigns/{campaign.pk}/results/")
    for step, number in {"sent": 3, "clicked": 1, "refused": 1, "held_out": 1}.items():
        opened = client.get(page.context["step_urls"][step])
        assert opened.context["count"] == number
    assert AuditEvent.objects.filter(action="people.opened").count() == 4
    assert "Hansen" not in opened.content.decode()


def test_the_overview_adds_up_over_departments_and_channels(client, campaign):
    page = client.get("/reports/?days=7")

    assert page.context["whole"]["row"]["sent"] == 3
    assert sum(shown["row"]["sent"] for _dep, shown in page.context["by_department"]) == 3
    assert sum(shown["row"]["sent"] for _code, shown in page.context["by_channel"]) == 3
    opened = client.get(page.context["by_channel"][0][1]["urls"]["sent"])
    assert opened.context["count"] == 3


def test_the_overview_filters_by_department_and_bears_nonsense(client, campaign):
    other = DepartmentFactory()

    assert client.get(f"/reports/?department={other.pk}").context["whole"] is None
    assert client.get("/reports/?days=abc&first=31.12.&channel=pigeon&department=-1").status_code == 200


def test_the_models_stand_side_by_side(client, campaign):
    page = client.get("/reports/attribution/?days=7")

    assert [str(cell) for cell in page.context["by_campaign"][0][2:]] == ["250.00"] * 3


def test_a_saved_file_runs_nothing_in_a_spreadsheet(client, campaign):
    for url in ("/reports/?days=7&format=csv", "/reports/attribution/?days=7&format=csv"):
        text = client.get(url).content.decode("utf-8-sig")
        assert "'=Winter coats" in text
        assert "\n=Winter" not in text


def test_reports_need_few_queries(client, campaign, django_assert_max_num_queries):
    for url in ("/reports/", "/reports/attribution/", f"/campaigns/{campaign.pk}/results/"):
        with django_assert_max_num_queries(40):
            client.get(url)
