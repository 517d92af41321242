"""Looking at a message as one customer, and really sending it to oneself."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db.models import Q
from django.utils.translation import gettext as _

from apps.accounts import audit, masking
from apps.accounts.models import User
from apps.channels import registry
from apps.channels.adapters.base import AdapterError, Outcome, OutgoingMessage
from apps.channels.kinds import Channel
from apps.core.text import sort_key
from apps.customers.models import Customer

from ..models import Brand, ContentVersion, Message
from . import addresses, facts, liquid, locating, rendering

TESTABLE = (Channel.EMAIL, Channel.SMS)
FOUND = 8


class NotSent(Exception):
    """A test that did not go out, in words."""


def person_for(message: Message, version: ContentVersion, wanted: str) -> Customer | None:
    """The customer to look as: the one wanted, otherwise somebody of the audience who reads this language."""
    living = Customer.objects.living()
    if wanted.isascii() and wanted.isdigit() and len(wanted) < 10:
        return living.filter(pk=int(wanted)).first()
    audience = Message.objects.filter(pk=message.pk).values_list("plan_audience", flat=True).first()
    some = list(audience[:500]) if audience else []
    reader = living.filter(pk__in=some, language=version.language).first() or living.filter(pk__in=some).first()
    return reader or living.filter(language=version.language).first() or living.first()


def search(user: User, text: str) -> list[tuple[int, str]]:
    """Customers by name or number, named as far as the user's role allows."""
    if not text.strip():
        return []
    found = Customer.objects.living().filter(Q(sort_key__contains=sort_key(text.strip())) | Q(name__istartswith=text.strip()))
    if text.strip().isascii() and text.strip().isdigit() and len(text.strip()) < 10:
        found = Customer.objects.living().filter(pk=int(text))
    rows = found.order_by("sort_key", "pk")[:FOUND]
    return [(row.pk, f"{masking.mask_name(user, row.name)} · {row.city} {row.country} · {row.language}") for row in rows]


def facts_of(
    user: User, message: Message, person: Customer | None, *, now: datetime, looked: bool = True
) -> facts.Facts:
    """The merge fields of the person looked as; names masked for those who may not open people.

    The look is logged, unless it is none (``looked`` false): when only a length leaves the server.
    """
    merge = facts.Merge(message, now=now)
    known = merge.for_person(person or Customer(name=_("Kari Example"), given_name="Kari", language="en", attributes={}))
    if person is None:
        return known
    if looked:
        audit.opened_people(actor=user, subject=person, count=1, where="message.preview", now=now)
    named = {name: masking.mask_name(user, known["customer"][name] or "") or None for name in ("name", "given_name", "family_name")}
    return known | {"customer": known["customer"] | named}


def preview(
    user: User, message: Message, version: ContentVersion, person: Customer | None, *, now: datetime
) -> rendering.Preview:
    """The finished message as that person would get it. Raises TemplateProblem."""
    known: facts.Facts | None = None
    try:
        compiled = rendering.compile(version, _brand(message), now=now)
        known = facts_of(user, message, person, now=now)
        return compiled.preview(known, addresses.PreviewAddresses())
    except liquid.TemplateProblem as problem:
        raise locating.located(version, problem, known) from problem


def _brand(message: Message) -> Brand | None:
    return Brand.objects.filter(department=message.campaign.department_id).first()


def send(
    *, actor: User, message: Message, version: ContentVersion, person: Customer | None, number: str = "", now: datetime
) -> str:
    """Really hand the message over to its account, to the author's own address; returns that address.

    Raises NotSent in words, TemplateProblem when the message cannot be made.
    """
    if message.account is None or message.channel not in TESTABLE:
        raise NotSent(_("Choose an account first; only e-mail and text messages can be tried out."))
    to = actor.email if message.channel == Channel.EMAIL else number.strip()
    if not to:
        raise NotSent(_("Give the number that the test shall go to."))
    compiled = rendering.compile(version, _brand(message), now=now)
    slots = compiled.slots_for(facts_of(actor, message, person, now=now), addresses.PreviewAddresses())
    outgoing = OutgoingMessage(
        reference=f"test-{version.pk}-{int(now.timestamp())}", address=to, language=version.language,
        content=compiled.content, slots=slots,
    )  # fmt: skip
    try:
        adapter = registry.adapter_for(message.account)
        receipts: list[Any] = list(adapter.post([adapter.build(outgoing)]))
    except (AdapterError, registry.UnknownAdapter) as error:
        raise NotSent(_("The provider did not take it: %(why)s") % {"why": error}) from error
    if receipts and receipts[0].outcome == Outcome.ACCEPTED:
        audit.record(actor=actor, action="message.tried", subject=message, department=message.campaign.department, now=now)
        return to
    why = receipts[0].detail or receipts[0].outcome if receipts else "?"
    raise NotSent(_("The provider did not take it: %(why)s") % {"why": why})
