"""Changes of one plan at the same moment: each takes messages before campaigns, so that none is torn down by a deadlock."""

import threading
import time
from datetime import timedelta

import pytest
from django.db import connection, transaction

from apps.accounts.models import AuditEvent
from apps.campaigns import planning, programmes
from apps.campaigns.models import Campaign, Message
from tests.factories.accounts import DepartmentFactory, UserFactory
from tests.factories.campaigns import NOW, CampaignFactory, MessageFactory, OfferFactory, ProgrammeFactory

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def lead():
    return UserFactory(role="lead", department=DepartmentFactory(name="Online", slug="online"))


@pytest.fixture
def message(lead):
    days = {"starts_on": NOW.date(), "ends_on": (NOW + timedelta(days=9)).date()}
    programme = ProgrammeFactory(offer=OfferFactory(name="−30 %"), **days)
    campaign = CampaignFactory(department=lead.department, programme=programme, **days)
    message = MessageFactory(campaign=campaign, send_at=NOW + timedelta(days=3))
    message.purpose.purpose_class = "promotion"
    message.purpose.save()
    return message


def another_offer(lead, message):
    planning.change_campaign(
        actor=lead, campaign=message.campaign, values={"offer": OfferFactory(name="−40 %")}, expected_version=1, now=NOW
    )


def another_offer_of_the_programme(lead, message):
    programmes.change(actor=lead, programme=message.campaign.programme, values={"offer": OfferFactory(name="−50 %")}, now=NOW)


def no_message_any_more(lead, message):
    planning.remove_message(actor=lead, message=message, now=NOW)


def until_somebody_waits():
    for _attempt in range(100):
        with connection.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'")
            if cursor.fetchone()[0]:
                return
        time.sleep(0.05)


def side_by_side(*deeds):
    problems = []

    def run(deed):
        try:
            deed()
        except Exception as error:
            problems.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=[deed]) for deed in deeds]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    return problems


@pytest.mark.parametrize("change", [another_offer, another_offer_of_the_programme, no_message_any_more])
def test_a_message_and_its_campaign_are_changed_at_the_same_moment_and_both_hold(lead, message, change):
    begun = threading.Event()

    def edits_the_message():
        with transaction.atomic():
            Message.objects.select_for_update().get(pk=message.pk)
            begun.set()
            until_somebody_waits()
            Campaign.objects.filter(pk=message.campaign_id).update(brief="Edited")

    def changes():
        begun.wait(10)
        change(lead, message)

    assert side_by_side(edits_the_message, changes) == []
    assert Campaign.objects.get(pk=message.campaign_id).brief == "Edited"


def test_the_second_click_on_removing_a_message_leaves_no_second_trace(lead, message):
    for _click in range(2):
        planning.remove_message(actor=lead, message=Message(pk=message.pk, campaign_id=message.campaign_id), now=NOW)
    assert AuditEvent.objects.filter(action="message.removed").count() == 1
