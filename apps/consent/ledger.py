"""The evidence ledger: who said yes or no to what, appended for ever, and the present state derived from it.

A yes counts where nobody ever said no. After a no only a later yes of the person counts: no import and no undo of an
import ever lifts an opt-out. What a person says under one of several merged ids is written under all of them, so that
it stays true when the merge is undone; what was said before a merge counts for the whole person, most restrictive first.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from django.db import connection, transaction
from pyroaring import BitMap

from apps.accounts.models import User
from apps.core import bitmaps, hashing
from apps.core.blocks import blocks_of, lock_blocks
from apps.customers.models import Customer

from . import aliases
from .models import ConsentAction, ConsentEvent, ConsentState, Purpose, Wording


@dataclass(frozen=True)
class Entry:
    """One line for the ledger. ``at`` is when it was said; ``source`` where, ``method`` how (form, reply, spoken...)."""

    customer_id: int
    channel: str
    purpose_id: int
    action: str
    at: datetime
    source: str
    method: str
    wording_id: int | None = None
    wording_text: str = ""
    address: str = ""
    by_person: bool = False
    run_id: int | None = None
    actor_id: int | None = None
    import_job_id: int | None = None
    evidence: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class State:
    """What holds for one person, channel and purpose, and the ledger line that decides it."""

    granted: bool
    at: datetime
    opted_out_by_person: bool
    event_id: int


class NotTheirs(ValueError):
    """An import was said to be the person's own act."""


COLUMNS = (
    "customer_id", "channel", "purpose_id", "action", "at", "recorded_at", "source", "method", "wording_id",
    "wording_text", "address", "address_hash", "by_person", "run_id", "actor_id", "import_job_id", "evidence",
)  # fmt: skip


def record(
    *,
    customer: Customer | int,
    channel: str,
    purpose: Purpose,
    action: str,
    at: datetime,
    recorded_at: datetime,
    source: str,
    method: str,
    wording: Wording | None = None,
    address: str = "",
    by_person: bool = False,
    evidence: dict[str, Any] | None = None,
    actor: User | None = None,
    run_id: int | None = None,
) -> ConsentEvent:
    """Appends one line and brings the state up to date in the same transaction. Returns the line."""
    customer_id = customer if isinstance(customer, int) else customer.pk
    entry = Entry(
        customer_id, channel, purpose.pk, action, at, source, method,
        wording_id=wording.pk if wording else None, address=address, by_person=by_person, run_id=run_id,
        actor_id=actor.pk if actor else None, evidence=evidence or {},
    )  # fmt: skip
    with transaction.atomic():
        record_many([entry], recorded_at=recorded_at)
        lines = ConsentEvent.objects.filter(customer_id=customer_id, channel=channel, purpose=purpose)
        return lines.latest("id")


def record_many(entries: Iterable[Entry], *, recorded_at: datetime) -> int:
    """Appends many lines by COPY and brings the states up to date in the same transaction. Returns how many lines.

    The blocks of all these people are locked first, so an opt-out committed before a burst begins holds for it.
    """
    given = list(entries)
    if any(entry.by_person and entry.import_job_id for entry in given):
        raise NotTheirs("an import is never the person's own act")
    if not given:
        return 0
    with transaction.atomic():
        lines = _under_all_ids(given)
        people = sorted({line.customer_id for line in lines})
        lock_blocks(blocks_of(people))
        _copy(lines, recorded_at)
        settle(people)
    return len(lines)


def settle(people: Sequence[int] | None) -> None:
    """Derives the states of these people (None: of everybody) from the ledger anew. Their blocks must be locked."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT consent_settle(%s::int[])", [None if people is None else list(people)])


def rebuild() -> None:
    """Derives every state from the ledger anew, e.g. after rows were loaded into the ledger directly."""
    with transaction.atomic():
        ConsentState.objects.all().delete()
        settle(None)


def state(
    customer_ids: Iterable[int], channel: str, purpose: Purpose, members: dict[int, list[int]] | None = None
) -> dict[int, State]:
    """id -> what holds now for the person, counting all their ids; people who never said anything are left out.

    ``members`` is ``aliases.groups(customer_ids)`` where the caller knows it.
    """
    wanted = list(customer_ids)
    members = aliases.groups(wanted) if members is None else members
    everybody = {customer_id for group in members.values() for customer_id in group}
    rows = ConsentState.objects.filter(customer_id__in=everybody, channel=channel, purpose=purpose)
    columns = rows.values_list("customer_id", "granted", "at", "opted_out_by_person", "event_id")
    known = {row[0]: State(*row[1:]) for row in columns}
    found = {}
    for customer_id in wanted:
        if said := [known[member] for member in members[customer_id] if member in known]:
            found[customer_id] = strictest(said)
    return found


def strictest(said: Iterable[State]) -> State:
    """Of what was said under the ids of one person: a no before any yes, then the later."""
    return max(said, key=lambda each: (not each.granted, each.at, each.event_id))


def grid(customer_ids: Iterable[int], moment: datetime | None = None) -> dict[tuple[str, int], State]:
    """(channel, purpose id) -> what held for one person at a past moment (None: now), counting all their ids."""
    members = {member for group in aliases.groups(customer_ids).values() for member in group}
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT channel, purpose_id, granted, at, opted_out_by_person, event_id"
            " FROM consent_fold(%s::int[], %s::timestamptz)",
            [sorted(members), moment],
        )
        said: dict[tuple[str, int], list[State]] = {}
        for channel, purpose_id, *rest in cursor.fetchall():
            said.setdefault((channel, purpose_id), []).append(State(*rest))
    return {key: strictest(states) for key, states in said.items()}


def said(people: BitMap, channel: str, purpose: Purpose, merged: dict[int, int]) -> tuple[BitMap, BitMap]:
    """Those of the people who hold a yes and those who hold a no; ``merged`` is ``aliases.absorbed_into(people)``."""
    yes = _with_state(people, channel, purpose, True, merged)
    no = _with_state(people, channel, purpose, False, merged)
    return yes - no, no


def measurement_allowed(people: BitMap, channel: str = "") -> BitMap:
    """Those whose opens and clicks may be kept per person, on this channel (without one: on any, and never refused)."""
    purpose = Purpose.objects.filter(is_measurement=True, is_active=True).order_by("position").first()
    if purpose is None or not people:
        return BitMap()
    merged = aliases.absorbed_into(people)
    if channel:
        return said(people, channel, purpose, merged)[0]
    return _with_state(people, "", purpose, True, merged) - _with_state(people, "", purpose, False, merged)


def _with_state(people: BitMap, channel: str, purpose: Purpose, granted: bool, merged: dict[int, int]) -> BitMap:
    sql = "SELECT customer_id FROM consent_consentstate WHERE purpose_id = %s AND granted = %s"
    params: list[Any] = [purpose.pk, granted]
    if channel:
        sql, params = sql + " AND channel = %s", [*params, channel]
    if len(people) <= aliases.MANY:
        sql, params = sql + " AND customer_id = ANY(%s::int[])", [*params, [*people, *merged]]
    found = bitmaps.from_sql(sql, params)
    others = found & BitMap(merged)
    return (found | BitMap(merged[customer_id] for customer_id in others)) & people


def _under_all_ids(entries: list[Entry]) -> list[Entry]:
    """A person's own words stand under every id they are known by, so that un-merging keeps them."""
    own = {entry.customer_id for entry in entries if entry.by_person}
    if not own:
        return entries
    members = aliases.groups(own)
    lines = []
    for entry in entries:
        others = members[entry.customer_id] if entry.by_person else []
        lines += [replace(entry, customer_id=other) for other in others if other != entry.customer_id]
        lines.append(entry)
    return lines


def _copy(lines: list[Entry], recorded_at: datetime) -> None:
    sql = f"COPY consent_consentevent ({', '.join(COLUMNS)}) FROM STDIN"
    with connection.cursor() as cursor, cursor.copy(sql) as copy:
        for line in lines:
            action = ConsentAction(line.action).value
            copy.write_row((
                line.customer_id, str(line.channel), line.purpose_id, action, line.at, recorded_at,
                line.source[:80], line.method[:40], line.wording_id, line.wording_text, line.address[:400],
                hashing.address_hash(line.address), line.by_person, line.run_id, line.actor_id, line.import_job_id,
                json.dumps(line.evidence),
            ))  # fmt: skip
