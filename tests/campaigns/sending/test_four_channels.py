"""The whole path with nothing replaced: real segments, real rendering, all four channels over their sandbox adapters."""

from datetime import timedelta

import pytest
from django.urls import reverse
from pyroaring import BitMap

from apps.campaigns.models import Campaign, Delivery, Message, Run
from apps.campaigns.sending import hand_over, proof
from apps.channels.counterparts import inbox
from apps.channels.counterparts.process import running
from apps.channels.models import CallTask, ChannelAccount, PrintBatch
from apps.customers.models import ContactPoint, Segment, SourceRecord
from tests.factories.accounts import UserFactory
from tests.factories.campaigns import CampaignFactory, MessageFactory
from tests.factories.sending import LONG_AGO, NOW, agree, make_people, send_all, sign

pytestmark = pytest.mark.django_db(transaction=True)

SUBJECT = "Hei {{ customer.given_name }}"
BODY = "Hei {{ customer.given_name }}, se https://nordlys.example/tepper"
HTML = f"<p>{BODY} <a href='https://nordlys.example/x'>x</a></p>"


@pytest.fixture(autouse=True)
def given_audience():
    """Overrides the folder's fixture: here audiences are computed."""


@pytest.fixture
def sandbox(settings, tmp_path):
    settings.SANDBOX_DIR = tmp_path / "sandbox"
    with running(settings.SANDBOX_DIR):
        yield settings.SANDBOX_DIR


def addresses(people: BitMap) -> None:
    for record in SourceRecord.objects.filter(customer__in=list(people)):
        one = record.customer_id
        ContactPoint.objects.create(customer_id=one, source_record=record, kind="phone", value=f"+4740{one:06d}", valid_from=LONG_AGO)
        ContactPoint.objects.create(
            customer_id=one, source_record=record, kind="postal", value=f"Storgata {one}, 0155 Oslo", valid_from=LONG_AGO,
            detail={"name": "Kari Nordmann", "street": f"Storgata {one}", "postcode": "0155", "city": "Oslo", "country": "NO"},
        )  # fmt: skip


@pytest.fixture
def campaign(sandbox) -> Campaign:
    people = make_people(5)
    addresses(people)
    everyone = Segment.objects.create(name="Everyone", rule={"is": "everyone"}, created_at=LONG_AGO)
    campaign = CampaignFactory(starts_on=NOW.date(), ends_on=(NOW + timedelta(days=20)).date())
    for channel in ("email", "sms", "call", "letter"):
        agree(people, channel=channel)
        account = ChannelAccount.objects.create(
            name=channel, channel=channel, adapter=f"sandbox_{channel}", rate=1000, sender_name="Nordlys",
            sender_address="hello@nordlys.example" if channel == "email" else "+4722000000", created_at=NOW,
        )  # fmt: skip
        message = MessageFactory(campaign=campaign, channel=channel, account=account, send_at=NOW, is_mail=channel == "email",
                                 name=channel)  # fmt: skip
        message.include.add(everyone)
        message.versions.all().delete()
        message.versions.create(language="nb", variant="A", is_fallback=True, updated_at=LONG_AGO, subject=SUBJECT,
                                format="html" if channel == "email" else "text",
                                body=HTML if channel == "email" else BODY)  # fmt: skip
    Campaign.objects.filter(pk=campaign.pk).update(status="scheduled")
    campaign.refresh_from_db()
    sign(campaign)
    return campaign


def run_of(channel: str) -> Run:
    return Run.objects.select_related("message__campaign").get(message__channel=channel)


def test_mail_and_texts_arrive_once_each_in_words_of_the_person(campaign, sandbox):
    send_all()
    for channel in ("email", "sms"):
        shown = proof.run_proof(run_of(channel))
        got = inbox.references(channel)
        assert shown["sent"] == 5, (shown, Message.objects.get(channel=channel).account.last_error)
        assert set(got.values()) == {1}
        assert len(got) == 5
    first = inbox.messages("email").messages[0]
    assert first.subject == "Hei Kari"
    row = Delivery.objects.filter(channel="email").first()
    assert (row.language, row.variant, bool(row.evidence_id)) == ("nb", "A", True)
    body = inbox.message(first.id).body.decode()
    assert "List-Unsubscribe-Post: List-Unsubscribe=One-Click" in body


def test_a_call_is_a_contact_when_an_agent_opens_it(campaign, client):
    send_all()
    run = run_of("call")
    assert proof.run_proof(run)["waiting"] == 5
    assert CallTask.objects.count() == 5
    agent = UserFactory(role="agent")
    client.force_login(agent)
    client.post(reverse("campaigns:call-next"))
    page = client.get(reverse("campaigns:calls")).content.decode()
    call = CallTask.objects.get(state="open")
    assert "Hei Kari" in page
    assert Delivery.objects.get(run_id=run.pk).customer_id == call.customer_id
    client.post(reverse("campaigns:call-next"))
    assert CallTask.objects.filter(state="open").count() == 1, "an agent has one call at a time"
    client.post(reverse("campaigns:call-close", args=[call.pk]), {"outcome": "interested", "note": "wants a rug"})
    call.refresh_from_db()
    assert (call.state, call.outcome, call.note) == ("done", "interested", "wants a rug")


def test_whoever_opted_out_while_on_the_call_list_is_not_called(campaign):
    send_all()
    run, agent = run_of("call"), UserFactory(role="agent")
    agree(run.audience, channel="call", granted=False)
    assert hand_over.next_call(agent, now=NOW) is None
    shown = proof.run_proof(run)
    assert (shown["refused"], shown["waiting"]) == ({"withdrawn": 5}, 0)
    assert not CallTask.objects.exclude(state="withdrawn").exists()


def test_letters_are_handed_over_when_the_print_file_closes(campaign, client, sandbox):
    send_all()
    run = run_of("letter")
    assert proof.run_proof(run)["waiting"] == 5
    batch = PrintBatch.objects.get(run_id=run.pk)
    assert batch.waiting_letters.count() == 5
    agree(BitMap([run.audience.min()]), channel="letter", granted=False)
    home = (NOW + timedelta(days=4)).date()
    client.force_login(UserFactory(department=campaign.department, handles_personal_data=True))
    result = hand_over.close_print_file(batch, by=None, in_home_on=home, now=NOW)
    assert (result.sent, result.left_out) == (4, 1)
    assert proof.run_proof(run)["refused"] == {"withdrawn": 1}
    assert {row.at.date() for row in Delivery.objects.filter(run_id=run.pk, outcome="sent")} == {home}
    assert len(inbox.references("letter")) == 4
    assert client.get(reverse("campaigns:print-file", args=[batch.pk, "pdf"])).status_code == 200
    page = client.post(reverse("campaigns:print-file-close", args=[batch.pk]), follow=True).content.decode()
    assert "closed already" in page


def test_calls_and_letters_that_nobody_handed_over_expire(campaign):
    from apps.campaigns.sending import sweep

    send_all()
    sweep.sweep(now=NOW + timedelta(days=30))
    for channel in ("call", "letter"):
        assert proof.run_proof(run_of(channel))["refused"] == {"expired": 5}
    assert Campaign.objects.get(pk=campaign.pk).status == "done"
