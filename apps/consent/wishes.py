"""What people ask for themselves: by the preference page, one click, a reply, on the phone or at the counter.

A no holds for everybody who shares the address, for nobody can tell who of them clicked. A yes holds for its person only.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import Q

from apps.accounts.models import User
from apps.core import hashing
from apps.core.blocks import blocks_of, lock_blocks

from . import addresses, aliases, ledger, purposes, suppression
from .ledger import Entry
from .models import ConsentAction, ConsentState, Purpose, PurposeClass, Suppression

STOP = "reply STOP"
START = "reply START"


def stoppable() -> list[Purpose]:
    """Everything a person can refuse as a whole: all but safety; measuring is no message."""
    kept = Purpose.objects.filter(is_active=True, is_measurement=False)
    return list(kept.exclude(purpose_class=PurposeClass.SAFETY))


def opt_out(
    *,
    customers: Sequence[int],
    channel: str,
    purposes: Sequence[Purpose],
    at: datetime,
    source: str,
    method: str,
    address: str = "",
    run_id: int | None = None,
    actor: User | None = None,
    evidence: dict[str, Any] | None = None,
) -> int:
    """These people, and whoever shares an address with them on this channel, want it no more.

    Saying it again changes nothing. Returns how many lines were written. Holds from the next burst on: the blocks of all
    holders are locked first.
    """
    values = [address] if address else []
    kind = addresses.kind_of(channel)
    with transaction.atomic():
        everybody = {member for group in aliases.groups(customers).values() for member in group}
        values = values or addresses.values_of(everybody, kind)
        everybody |= {holder for value in values for holder in addresses.holders(kind, value)}
        lock_blocks(blocks_of(everybody))
        said = ConsentState.objects.filter(customer_id__in=everybody, channel=channel, granted=False)
        known = set(said.filter(opted_out_by_person=True).values_list("customer_id", "purpose_id"))
        lines = [
            Entry(
                customer_id, channel, purpose.pk, ConsentAction.WITHDRAW, at, source, method,
                address=values[0] if len(values) == 1 else "", by_person=True, run_id=run_id,
                actor_id=actor.pk if actor else None, evidence=evidence or {},
            )
            for purpose in purposes
            for customer_id in sorted(everybody)
            if (customer_id, purpose.pk) not in known
        ]  # fmt: skip
        return ledger.record_many(_once(lines), recorded_at=at)


def opt_in(
    *,
    customer: int,
    channel: str,
    purpose: Purpose,
    at: datetime,
    source: str,
    method: str,
    action: str = ConsentAction.GRANT,
    language: str = "",
    wording_id: int | None = None,
    address: str = "",
    actor: User | None = None,
    evidence: dict[str, Any] | None = None,
) -> int:
    """The person wants it. Lifts what they asked for earlier, also on the do-not-contact list for that channel.

    The wording is the current one in their language unless another is named. Returns how many lines were written.
    """
    wording = purposes.current_wording(purpose, language) if wording_id is None else None
    address = address or next(iter(addresses.values_of([customer], addresses.kind_of(channel))), "")
    entry = Entry(
        customer, channel, purpose.pk, action, at, source, method,
        wording_id=wording.pk if wording else wording_id or None, address=address, by_person=True,
        actor_id=actor.pk if actor else None, evidence=evidence or {},
    )  # fmt: skip
    with transaction.atomic():
        written = ledger.record_many([entry], recorded_at=at)
        _lift_own(customer, channel, address, at)
    return written


def stopped(*, kind: str, address: str, channel: str, at: datetime, source: str, text: str = "") -> int:
    """STOP from this address: nothing but safety on this channel any more, for all who hold it; known or not."""
    people = addresses.holders(kind, address)
    if not people:
        suppression.suppress(reason="person", address=address, channel=channel, note=STOP, now=at)
        return 0
    return opt_out(
        customers=people, channel=channel, purposes=stoppable(), at=at, source=source, method=STOP, address=address,
        evidence={"text": text} if text else {},
    )  # fmt: skip


def started(*, kind: str, address: str, channel: str, at: datetime, source: str, text: str = "") -> int:
    """START from this address: the topics that a STOP ended are wanted again. Nobody is given a topic they never had."""
    entries = Suppression.objects.filter(
        address_hash=hashing.address_hash(address), channel=channel, reason="person", lifted_at=None
    )
    for entry in entries:
        suppression.lift(suppression=entry, by_person=True, now=at)
    ended = ConsentState.objects.filter(
        customer_id__in=addresses.holders(kind, address), channel=channel, granted=False, at__lte=at
    )
    written = 0
    for state in ended.select_related("event", "purpose"):
        if state.event.method == STOP and _agreed_before(state):
            written += opt_in(
                customer=state.customer_id, channel=channel, purpose=state.purpose, at=at, source=source, method=START,
                address=address, evidence={"text": text} if text else {},
            )  # fmt: skip
    return written


def _agreed_before(state: ConsentState) -> bool:
    """Whether it was allowed just before the STOP: by a yes, or because service needs none."""
    if not state.purpose.needs_consent:
        return True
    before = ledger.grid([state.customer_id], state.at - (state.at.resolution))
    earlier = before.get((state.channel, state.purpose_id))
    return bool(earlier and earlier.granted)


def _lift_own(customer: int, channel: str, address: str, at: datetime) -> None:
    members = aliases.groups([customer])[customer]
    subject = Q(customer_id__in=members)
    if address:
        subject |= Q(address_hash=hashing.address_hash(address))
    entries = Suppression.objects.filter(subject, lifted_at=None, channel__in=["", channel])
    for entry in entries.filter(reason__in=suppression.OWN_WORDS):
        suppression.lift(suppression=entry, by_person=True, now=at)


def _once(lines: Iterable[Entry]) -> list[Entry]:
    """`record_many` writes a person's own words under all their ids: one id of each person is enough here."""
    given = list(lines)
    tops = aliases.survivors({line.customer_id for line in given})
    return list({(tops[line.customer_id], line.purpose_id): line for line in given}.values())
