"""The live tab, the stop page, the agent's page, print files and the explanation of one delivery."""

import pytest
from django.urls import reverse

from apps.accounts.models import AuditEvent
from apps.campaigns.models import Campaign, Halt, Run
from tests.factories.accounts import UserFactory
from tests.factories.sending import agree, make_message, make_people, plan_one, send_all

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def sent(provider):
    people = make_people(12)
    stranger = make_people(2, agreed=False)
    message = make_message(people | stranger)
    send_all()
    return Run.objects.select_related("message__campaign").get(message=message)


def sign_in(client, **fields):
    user = UserFactory(**fields)
    client.force_login(user)
    return user


def test_the_live_tab_shows_the_proof_with_reasons_in_words(client, sent):
    sign_in(client)
    page = client.get(reverse("campaigns:live", args=[sent.message.campaign_id])).content.decode()
    assert "never agreed to this kind of message on this channel" in page
    assert reverse("campaigns:run-people", args=[sent.message.campaign_id, sent.pk, "sent"]) in page


def test_htmx_gets_only_the_runs(client, sent):
    sign_in(client)
    page = client.get(reverse("campaigns:live", args=[sent.message.campaign_id]), headers={"HX-Request": "true"})
    assert page.content.decode().lstrip().startswith('<div id="runs"')


def test_every_number_opens_to_its_people_masked_and_logged(client, sent):
    sign_in(client)
    url = reverse("campaigns:run-people", args=[sent.message.campaign_id, sent.pk, "refused"])
    page = client.get(url + "?reason=no_consent").content.decode()
    assert page.count("K…") == 4  # twice per person: the name, and for screen readers beside "Why?"
    assert AuditEvent.objects.filter(action="people.opened").count() == 1
    assert client.get(url.replace("refused", "nonsense")).status_code == 404


def test_the_stop_button_stops_and_says_what_already_left(client):
    message = make_message(make_people(3))
    plan_one(message)
    url = reverse("campaigns:live-act", args=[message.campaign_id])
    sign_in(client)
    assert client.post(url, {"act": "stop"}).status_code == 403
    sign_in(client, department=message.campaign.department)
    page = client.post(url, {"act": "stop", "reason": "wrong price"}, follow=True).content.decode()
    assert "0 people had already been contacted" in page
    halt = Halt.objects.get()
    client.post(url, {"act": "lift", "halt": halt.pk})
    halt.refresh_from_db()
    assert halt.lifted_at is not None
    client.post(url, {"act": "pause"})
    assert Campaign.objects.get().status == "paused"
    client.post(url, {"act": "resume"})
    assert Campaign.objects.get().status == "live"


def test_only_leads_and_administrators_see_the_stop_page_each_with_their_own_buttons(client):
    message = make_message(make_people(3))
    plan_one(message)
    sign_in(client)
    assert client.get(reverse("campaigns:sending")).status_code == 403
    sign_in(client, role="lead", department=message.campaign.department)
    page = client.get(reverse("campaigns:sending")).content.decode()
    assert str(message.campaign.department) in page
    assert "Everything, all departments" not in page
    assert client.post(reverse("campaigns:sending-act"), {"act": "stop"}).status_code == 403
    sign_in(client, role="administrator")
    assert "Everything, all departments" in client.get(reverse("campaigns:sending")).content.decode()
    client.post(reverse("campaigns:sending-act"), {"act": "stop", "reason": "fire"})
    assert Halt.objects.get().scope == "everything"


def test_one_persons_delivery_is_explained(client, sent):
    sign_in(client)
    one = sent.audience.min()
    page = client.get(reverse("campaigns:delivery", args=[sent.pk, one])).content.decode()
    assert "Contacted." in page
    assert client.get(reverse("campaigns:delivery", args=[sent.pk, 10**8])).status_code == 404


def test_waiting_people_are_explained_too(client):
    run = plan_one(make_message(make_people(1)))
    sign_in(client)
    page = client.get(reverse("campaigns:delivery", args=[run.pk, run.audience.min()])).content.decode()
    assert "Waiting." in page


def test_pages_of_calls_and_print_files_teach_when_empty(client):
    sign_in(client, role="agent")
    assert "Nobody waits for a call" in client.get(reverse("campaigns:calls")).content.decode()
    assert client.get(reverse("campaigns:print-files")).status_code == 403
    sign_in(client)
    assert "No letters yet" in client.get(reverse("campaigns:print-files")).content.decode()
    agree(make_people(1))
