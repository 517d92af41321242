"""Who is meant by what another program says of a person: our id, an id in a source, an e-mail address or a phone number."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from apps.core.text import InvalidAddress, normalise_email, normalise_phone

from .merging import survivor_map
from .models import ContactPoint, Customer, SourceRecord

# (how the person is named, the value in normal form, the source's code where it is an id in a source)
Key = tuple[str, str, str]
LARGEST_ID = 2**31 - 1


class NotAName(ValueError):
    """What was given cannot name anybody; the message says why."""


def key_of(person: Mapping[str, str | int], *, country: str = "") -> Key:
    """The key of a person given as ``id``, ``source`` with ``source_id``, ``email`` or ``phone``. Raises NotAName.

    ``country`` (ISO 3166 alpha-2) is the home of phone numbers without a prefix.
    """
    given = {name: str(person[name]).strip() for name in ("id", "source_id", "email", "phone") if person.get(name)}
    if len(given) != 1:
        raise NotAName("Name the person by exactly one of id, source_id (with source), email or phone.")
    (kind, value), = given.items()
    source = str(person.get("source") or "")
    if kind == "source_id" and not source:
        raise NotAName("A source_id needs the code of its source.")
    if kind == "id" and not (value.isascii() and value.isdecimal() and len(value) < 20 and 0 < int(value) <= LARGEST_ID):
        raise NotAName("An id is a whole number.")
    try:
        if kind == "email":
            value = normalise_email(value)
        elif kind == "phone":
            value = normalise_phone(value, country)
    except InvalidAddress as problem:
        raise NotAName(f"This cannot be an address: {problem}") from problem
    return kind, value, source if kind == "source_id" else ""


def find(keys: Iterable[Key]) -> dict[Key, int]:
    """key -> the living customer it names, in a fixed number of queries; a key of nobody or of several is left out."""
    wanted = set(keys)
    found = _by_id(wanted) | _by_source(wanted)
    found |= _by_address(wanted)
    survivors = survivor_map(set(found.values()))
    living = set(Customer.objects.living().filter(pk__in=set(survivors.values())).values_list("pk", flat=True))
    return {key: survivors[pk] for key, pk in found.items() if survivors[pk] in living}


def _by_id(wanted: set[Key]) -> dict[Key, int]:
    return {key: int(key[1]) for key in wanted if key[0] == "id"}


def _by_source(wanted: set[Key]) -> dict[Key, int]:
    asked = {key for key in wanted if key[0] == "source_id"}
    rows = SourceRecord.objects.filter(
        source__code__in={key[2] for key in asked}, external_id__in={key[1] for key in asked}
    ).values_list("source__code", "external_id", "customer_id")
    named = {("source_id", external, code): pk for code, external, pk in rows}
    return {key: named[key] for key in asked if key in named}


def _by_address(wanted: set[Key]) -> dict[Key, int]:
    asked = {key for key in wanted if key[0] in ("email", "phone")}
    rows = ContactPoint.objects.filter(
        kind__in=["email", "phone"], value__in={key[1] for key in asked}, valid_to=None,
        customer__merged_into=None, customer__erased_at=None,
    ).values_list("kind", "value", "customer_id")
    people: dict[Key, set[int]] = {}
    for kind, value, pk in rows:
        people.setdefault((kind, value, ""), set()).add(pk)
    return {key: next(iter(people[key])) for key in asked if len(people.get(key, ())) == 1}
