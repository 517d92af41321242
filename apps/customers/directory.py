"""Finding people: by name, e-mail, phone, id in a source or customer number, a page at a time by key."""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import Q, QuerySet

from apps.core import text
from apps.customers.models import ContactPoint, Customer, Source, SourceRecord

PAGE = 50


@dataclass(frozen=True)
class Found:
    """One page of people in the order of their names, and the key of the next page (empty at the end)."""

    people: list[Customer]
    after: str


def search(words: str, *, after: str = "", limit: int = PAGE) -> Found:
    """People who fit the words, sorted by name. The cost of a page does not grow with its place."""
    people: QuerySet[Customer] = Customer.objects.living().order_by("sort_key", "id")
    if words.strip():
        people = matching(people, words.strip())
    if key := _key(after):
        people = people.filter(Q(sort_key__gt=key[0]) | Q(sort_key=key[0], pk__gt=key[1]))
    rows = list(people[: limit + 1])
    more = len(rows) > limit
    rows = rows[:limit]
    return Found(rows, f"{rows[-1].pk}:{rows[-1].sort_key}" if more else "")


def _key(after: str) -> tuple[str, int] | None:
    number, colon, name = after.partition(":")
    return (name, int(number)) if colon and number.isdecimal() and len(number) < 18 else None


def matching(people: QuerySet[Customer], words: str) -> QuerySet[Customer]:
    """People whom the words name: an address, an id, or parts of the name in any order."""
    ids = named(words)
    if ids or "@" in words:
        return people.filter(pk__in=ids)
    for part in text.sort_key(words).split():
        people = people.filter(sort_key__contains=part)
    return people


def named(words: str) -> set[int]:
    """Ids of everybody whom an address, an id in a source or a customer number names."""
    words = words.strip()
    return _by_address(words) | _by_number(words)


def _by_address(words: str) -> set[int]:
    if "@" in words:
        try:
            wanted = [text.normalise_email(words)]
        except text.InvalidAddress:
            start = words.strip().lower()
            known = ContactPoint.objects.filter(kind="email", value__gte=start, value__lt=start + "\uffff")
            return set(known.values_list("customer_id", flat=True)[:500])
        return set(ContactPoint.objects.filter(kind="email", value__in=wanted).values_list("customer_id", flat=True))
    numbers = _phones(words)
    if not numbers:
        return set()
    return set(ContactPoint.objects.filter(kind="phone", value__in=numbers).values_list("customer_id", flat=True))


def _phones(words: str) -> list[str]:
    if sum(sign.isdecimal() for sign in words) < 5 or any(sign.isalpha() for sign in words):
        return []
    found = []
    for country in {"", *Source.objects.values_list("default_country", flat=True)}:
        try:
            found.append(text.normalise_phone(words, country))
        except text.InvalidAddress:
            continue
    return found


def _by_number(words: str) -> set[int]:
    """The id in any source, or the customer number itself (#123)."""
    sources = list(Source.objects.values_list("pk", flat=True))
    records = SourceRecord.objects.filter(source_id__in=sources, external_id=words[:120])
    found = set(records.values_list("customer_id", flat=True)[:500])
    number = words.removeprefix("#")
    if number.isdecimal() and len(number) < 18 and (words.startswith("#") or not found) and int(number) < 2**31:
        found |= set(Customer.objects.filter(pk=int(number)).values_list("pk", flat=True))
    return found
