"""The do-not-contact list: addresses by keyed hash, or whole people, on one channel or on all.

A bounced address is dead, its owner may be reached at another. Every other entry about an address holds for its owner.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db import connection, transaction
from django.utils.translation import gettext as _
from pyroaring import BitMap

from apps.accounts import audit
from apps.accounts.models import User
from apps.core import bitmaps, hashing
from apps.core.blocks import blocks_of, lock_blocks
from apps.core.reasons import Reason

from . import addresses, aliases
from .models import Suppression, SuppressionReason

REASONS: dict[str, Reason] = {
    SuppressionReason.ERASED: Reason.ERASED,
    SuppressionReason.COMPLAINED: Reason.COMPLAINED,
    SuppressionReason.PERSON: Reason.SUPPRESSED,
    SuppressionReason.MANUAL: Reason.SUPPRESSED,
    SuppressionReason.BOUNCED: Reason.BOUNCED,
}
OWN_WORDS = (SuppressionReason.PERSON, SuppressionReason.COMPLAINED, SuppressionReason.ERASED)


class CannotLift(Exception):
    """The person asked for it, so no colleague may take it back; the message says so in words."""


@dataclass
class Blocked:
    """Who of some people is on the list: by reason, each person once; and the hashes of dead addresses."""

    people: dict[Reason, BitMap] = field(default_factory=dict)
    dead: set[str] = field(default_factory=set)


def suppress(
    *,
    reason: str,
    now: datetime,
    customer: int | None = None,
    address: str = "",
    address_hash: str = "",
    channel: str = "",
    note: str = "",
    actor: User | None = None,
) -> Suppression:
    """Puts an address or a person on the list; what is on it already for this reason stays as it is.

    Locks the blocks of everybody concerned, so that it holds from the next burst on.
    """
    hashed = address_hash or hashing.address_hash(address)
    subject = {"customer_id": customer, "address_hash": hashed, "channel": channel, "reason": reason}
    with transaction.atomic():
        lock_blocks(blocks_of(_concerned(customer, address, channel)))
        entry = Suppression.objects.filter(**subject, lifted_at=None).first()
        if entry is None:
            entry = Suppression.objects.create(**subject, note=note, created_at=now, created_by=actor)
            after = {"reason": reason, "channel": channel}
            audit.record(actor=actor, action="suppression.added", subject=entry, after=after, now=now)
    return entry


def lift(*, suppression: Suppression, now: datetime, actor: User | None = None, by_person: bool = False) -> None:
    """Takes an entry off the list; it stays to be read. Raises CannotLift where only the person may do so."""
    if suppression.lifted_at is not None:
        return
    if suppression.reason in OWN_WORDS and not by_person:
        raise CannotLift(_("The person asked for this; only they can take it back."))
    with transaction.atomic():
        suppression.lifted_at = now
        suppression.save(update_fields=["lifted_at"])
        audit.record(actor=actor, action="suppression.lifted", subject=suppression, now=now)


def blocked(people: BitMap, channel: str, at: datetime, merged: dict[int, int]) -> Blocked:
    """Who of the people is on the list for this channel; ``merged`` is ``aliases.absorbed_into(people)``."""
    found = Blocked()
    by_code = _by_customer(people, channel, merged)
    kind = addresses.kind_of(channel)
    if kind:
        for code, members in _by_address(people, channel, kind, at, found).items():
            by_code[code] = by_code.get(code, BitMap()) | members
    taken = BitMap()
    for code, reason in REASONS.items():
        members = by_code.get(code, BitMap()) - taken
        if members:
            found.people[reason] = found.people.get(reason, BitMap()) | members
            taken |= members
    return found


def _concerned(customer: int | None, address: str, channel: str) -> list[int]:
    people = aliases.groups([customer])[customer] if customer else []
    kinds = [addresses.kind_of(channel)] if channel else ["email", "phone", "postal", "push"]
    return [*people, *(holder for kind in kinds for holder in addresses.holders(kind, address))]


def _by_customer(people: BitMap, channel: str, merged: dict[int, int]) -> dict[str, BitMap]:
    sql = (
        "SELECT customer_id, reason FROM consent_suppression"
        " WHERE lifted_at IS NULL AND customer_id IS NOT NULL AND channel IN ('', %s)"
    )
    params: list[Any] = [channel]
    if len(people) <= aliases.MANY:
        sql, params = sql + " AND customer_id = ANY(%s::int[])", [channel, [*people, *merged]]
    found: dict[str, BitMap] = {}
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        for customer_id, reason in cursor.fetchall():
            top = merged.get(customer_id, customer_id)
            if top in people:
                found.setdefault(reason, BitMap()).add(top)
    return found


def _by_address(people: BitMap, channel: str, kind: str, at: datetime, found: Blocked) -> dict[str, BitMap]:
    """reason -> people with such an address; a bounce counts only where no other address is left."""
    expression, keys = hashing.in_sql("value")
    few = len(people) <= aliases.MANY
    which = addresses.VALID + (" AND p.customer_id = ANY(%s::int[])" if few else "")
    listed = "s.lifted_at IS NULL AND s.address_hash <> '' AND s.channel IN ('', %s)"
    # An address that came in without its hash is hashed here.
    sql = f"""
        WITH bare AS MATERIALIZED (
            SELECT p.customer_id, {expression} AS hash FROM customers_contactpoint p WHERE p.hash = '' AND {which})
        SELECT b.customer_id, s.reason, s.address_hash FROM bare b
        JOIN consent_suppression s ON s.address_hash = b.hash WHERE {listed}
        UNION ALL
        SELECT p.customer_id, s.reason, s.address_hash FROM consent_suppression s
        JOIN customers_contactpoint p ON p.hash = s.address_hash AND p.hash <> '' AND {which} WHERE {listed}"""
    points: list[Any] = [kind, at, at, *([list(people)] if few else [])]
    params: list[Any] = [*keys, *points, channel, *points, channel]
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        rows = [row for row in cursor.fetchall() if row[0] in people]
    hit: dict[str, BitMap] = {}
    for customer_id, reason, hashed in rows:
        hit.setdefault(reason, BitMap()).add(customer_id)
        if reason == SuppressionReason.BOUNCED:
            found.dead.add(hashed)
    if bounced := hit.get(SuppressionReason.BOUNCED):
        hit[SuppressionReason.BOUNCED] = bounced - BitMap(addresses.chosen(bounced, channel, at, dead=found.dead))
    return hit


def people_on_list(people: BitMap | None = None) -> BitMap:
    """Everybody who stands on the list as a person (not by address), for the overview."""
    on_list = bitmaps.from_sql(
        "SELECT customer_id FROM consent_suppression WHERE lifted_at IS NULL AND customer_id IS NOT NULL"
    )
    return on_list if people is None else on_list & people
