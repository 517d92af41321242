"""A campaign that may send, with people who agreed to it: fast, many at once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from pyroaring import BitMap

from apps.campaigns import signing
from apps.campaigns.models import Approval, Campaign, Message, Run
from apps.campaigns.models.approval import ApprovalState
from apps.campaigns.sending import plan, sweep, work, writing
from apps.channels.adapters.base import CANNOT_TELL, AccountConfig, Adapter, Outcome, OutgoingMessage, Receipt, Request
from apps.channels.content import MimeTemplate
from apps.channels.models import ChannelAccount
from apps.consent.models import ConsentEvent, ConsentState, Purpose
from apps.customers.models import ContactPoint, Customer, SourceRecord
from tests.factories.campaigns import MailAccountFactory, MessageFactory, OffersPurposeFactory
from tests.factories.customers import SourceFactory

# a Wednesday afternoon in Oslo
NOW = datetime(2026, 11, 18, 13, 0, tzinfo=UTC)
LONG_AGO = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)


def make_people(count: int, *, first_id: int | None = None, agreed: bool = True, **fields: Any) -> BitMap:
    """Customers with an e-mail address each, who agreed to offers by e-mail (unless not `agreed`)."""
    ids = [first_id + number for number in range(count)] if first_id is not None else [None] * count
    defaults = {"country": "NO", "language": "nb", "time_zone": "Europe/Oslo", "given_name": "Kari"} | fields
    people = Customer.objects.bulk_create(
        Customer(id=pk, name=f"Kari {number}", created_at=LONG_AGO, updated_at=LONG_AGO, **defaults)
        for number, pk in enumerate(ids)
    )
    source = SourceFactory()
    records = SourceRecord.objects.bulk_create(
        SourceRecord(source=source, external_id=f"S{one.pk}", customer=one, first_seen=LONG_AGO, last_seen=LONG_AGO)
        for one in people
    )
    ContactPoint.objects.bulk_create(
        ContactPoint(customer=one, source_record=record, kind="email", value=f"person{one.pk}@example.no", valid_from=LONG_AGO)
        for one, record in zip(people, records, strict=True)
    )
    found = BitMap(one.pk for one in people)
    if agreed:
        agree(found)
    return found


def agree(people: BitMap, *, channel: str = "email", purpose: Purpose | None = None, granted: bool = True) -> None:
    """Consent (or its withdrawal), with one event each as evidence."""
    purpose = purpose or OffersPurposeFactory()
    events = ConsentEvent.objects.bulk_create(
        ConsentEvent(
            customer_id=one, channel=channel, purpose=purpose, action="grant" if granted else "withdraw", at=LONG_AGO,
            recorded_at=LONG_AGO, source="test", method="form", by_person=True,
        )
        for one in people
    )
    ConsentState.objects.filter(customer__in=list(people), channel=channel, purpose=purpose).delete()
    ConsentState.objects.bulk_create(
        ConsentState(customer_id=event.customer_id, channel=channel, purpose=purpose, granted=granted, at=LONG_AGO, event=event)
        for event in events
    )


def make_message(people: BitMap, *, send_at: datetime = NOW, status: str = "scheduled", **fields: Any) -> Message:
    """A scheduled, approved message to these people. `campaign__...` fields go to its campaign."""
    fields.setdefault("account", fast_account())
    fields.setdefault("campaign__starts_on", (send_at - timedelta(days=3)).date())
    fields.setdefault("campaign__ends_on", (send_at + timedelta(days=30)).date())
    message = MessageFactory(send_at=send_at, **fields)
    message.plan_audience, message.plan_count = people, len(people)
    message.save(update_fields=["plan_audience", "plan_count"])
    message.versions.get_or_create(
        language="nb", variant="A",
        defaults={"format": "text", "subject": "Hei", "body": "Hei", "is_fallback": True, "updated_at": LONG_AGO},
    )
    Campaign.objects.filter(pk=message.campaign_id).update(status=status)
    message.refresh_from_db()
    sign(message.campaign)
    return message


def sign(campaign: Campaign) -> Approval:
    """Signs the campaign as it stands."""
    signed = signing.snapshot(campaign)
    return Approval.objects.create(
        campaign=campaign, state=ApprovalState.GIVEN, asked_by=campaign.owner, asked_at=LONG_AGO, decided_at=LONG_AGO,
        signed=signed, digest=signing.digest(signed),
    )  # fmt: skip


def fast_account(**fields: Any) -> ChannelAccount:
    """An e-mail account without a felt limit of speed."""
    fields.setdefault("name", "Fast mail")
    return MailAccountFactory(rate=100_000, **fields)


def plan_one(message: Message, *, now: datetime = NOW) -> Run:
    """Plans what is due and returns the newest run of the message."""
    plan.plan_due_runs(now=now)
    return Run.objects.filter(message=message).order_by("-pk").get()


def send_all(now: datetime = NOW, *, budget: float = 20.0) -> work.Worked:
    """Plans, sends and sweeps."""
    plan.plan_due_runs(now=now)
    worked = work.work_runs(now=now, budget=budget)
    sweep.sweep(now=now)
    return worked


class FakeAdapter(Adapter):
    """A provider in memory. `answer(reference)` may be replaced; what was handed over stands in `posted`."""

    code = "fake"
    channel = "email"
    name = "fake"

    def __init__(self) -> None:
        super().__init__(AccountConfig(id=0, channel="email", adapter="fake"))
        self.posted: list[str] = []
        self.addresses: list[str] = []
        self.bursts: list[int] = []
        self.known: dict[str, Any] = {}
        self.answers: dict[int, Outcome] = {}
        self.before_post: Any = None

    def check(self, content: Any) -> list[Any]:
        return []

    def build(self, message: OutgoingMessage) -> Request:
        self.addresses.append(str(message.address))
        return Request(message.reference)

    def post(self, requests: Sequence[Request]) -> Iterator[Receipt]:
        self.bursts.append(len(requests))
        if self.before_post:
            self.before_post(requests)
        for request in requests:
            outcome = self.answers.get(int(request.reference.split(".")[1]), Outcome.ACCEPTED)
            if outcome in (Outcome.ACCEPTED, Outcome.UNKNOWN):
                self.posted.append(request.reference)
            yield Receipt(request.reference, outcome, provider_id=f"p{request.reference}", code="250")

    def parse(self, response: Any) -> Receipt:
        return response

    def find(self, reference: str) -> Any:
        return self.known.get(reference, CANNOT_TELL)


def plain_drafts(run: Run, people: BitMap, aliases: Any, *, now: datetime) -> tuple[dict[int, writing.Draft], Any]:
    """Stands in for rendering where a test is not about words."""
    variants = writing._variants(run)
    return {
        one: writing.Draft("Hei", {}, "nb", next((code for code, arm in variants if one in arm), "")) for one in people
    }, {}




def mail_drafts(run: Run, people: BitMap, aliases: Any, *, now: datetime) -> tuple[dict[int, writing.Draft], Any]:
    """As plain_drafts, as e-mail that a real adapter sends."""
    sender = {"from_email": "hello@nordlys.example", "from_name": "Nordlys", "message_id_domain": "nordlys.example"}
    content = MimeTemplate.compile(subject="Hei", html="<p>Hei</p>", text="Hei", sender=sender, slots=[])
    return {one: writing.Draft(content, {}, "nb", "A") for one in people}, {}
