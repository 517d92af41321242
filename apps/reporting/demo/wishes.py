"""What demo customers allowed and when they changed their minds, with the evidence of each."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from random import Random
from zoneinfo import ZoneInfo

from apps.consent import ledger, purposes
from apps.consent.models import ConsentAction

from .people import Person

CHANCES = (
    ("email", "offers", 0.64), ("email", "newsletter", 0.42), ("email", "measurement", 0.52),
    ("sms", "offers", 0.4), ("call", "offers", 0.2), ("letter", "offers", 0.5), ("sms", "measurement", 0.35),
)


@dataclass(frozen=True)
class Wish:
    """One yes or no: for which channel and purpose, when, where and how it was given."""

    channel: str
    purpose: str
    grants: bool
    at: datetime
    source: str
    method: str
    address: str


def wishes(person: Person, now: datetime, random: Random) -> Iterator[Wish]:
    """The wishes of one person in the order they were given."""
    start = datetime.combine(person.since, time(9, 0), ZoneInfo(person.zone)).astimezone(UTC)
    yesterday = now - timedelta(days=1)
    for channel, purpose, chance in CHANCES:
        address = _address(person, channel)
        if not address or random.random() > chance:
            continue
        given = min(start + timedelta(minutes=int(random.random() * 600)), yesterday)
        source, method = ("web shop", "checkout form") if person.in_web else ("till", "spoken, noted at the till")
        yield Wish(channel, purpose, True, given, source, method, address)
        if random.random() < 0.07:
            later = given + (now - given) * random.random()
            yield Wish(channel, purpose, False, later, "preference page", "preference page", address)


def _address(person: Person, channel: str) -> str:
    if channel == "email":
        return person.email
    if channel == "letter":
        return ", ".join(person.postal.values()) if person.postal else ""
    return person.phone


def record(rows: Iterable[tuple[int, Wish]], languages: dict[int, str], now: datetime) -> int:
    """Append the wishes of many customers to the ledger, each with the wording of their language."""
    by_code = purposes.of_codes({purpose for _channel, purpose, _chance in CHANCES})
    wordings = {
        (code, language): purposes.current_wording(purpose, language)
        for code, purpose in by_code.items() for language in set(languages.values())
    }
    return ledger.record_many(
        (
            ledger.Entry(
                customer_id=customer, channel=wish.channel, purpose_id=by_code[wish.purpose].pk,
                action=ConsentAction.GRANT if wish.grants else ConsentAction.WITHDRAW, at=wish.at, source=wish.source,
                method=wish.method, address=wish.address, by_person=True,
                wording_id=getattr(wordings[wish.purpose, languages[customer]], "pk", None),
            )
            for customer, wish in rows
        ),
        recorded_at=now,
    )
