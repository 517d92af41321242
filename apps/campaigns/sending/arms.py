"""Who is kept out to measure the effect, and who gets which version: drawn by hashing, so stable and repeatable.

Every draw has a salt of its own, so that being in one control group says nothing about being in another. The draw of one
customer is BLAKE2b (RFC 7693) of salt and id, read as a fraction of one.
"""

from __future__ import annotations

import sys
from array import array
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import blake2b

from django.conf import settings
from django.core.cache import cache
from django.db import connection
from pyroaring import BitMap

from apps.campaigns.models import Message
from apps.campaigns.models.sending import ArmKind
from apps.consent.models import PurposeClass
from apps.core import bitmaps

WHOLE = 1 << 64
WORTH_KEEPING = 20_000
KEPT = 24 * 3600


@dataclass(frozen=True)
class Arm:
    """The people of one arm; `code` is the version's letter, or the value that put them into a control group."""

    kind: str
    code: str
    people: BitMap


def draw(people: BitMap, salt: str, shares: list[float]) -> list[BitMap]:
    """Parts people by chance into groups of the given shares of one; whoever is left is in none of them."""
    bounds: list[bytes] = []
    total = 0.0
    for share in shares:
        total += share
        bounds.append(round(min(total, 1.0) * WHOLE).to_bytes(9, "big"))
    groups: list[array[int]] = [array("I") for _ in [*shares, None]]
    seed = blake2b(salt.encode(), digest_size=8)
    # Bytes with the highest first compare as their numbers do; the bounds have one more, as a share may be the whole.
    for customer_id, four in zip(people, _fours(people), strict=True):
        one = seed.copy()
        one.update(four)
        groups[bisect_right(bounds, b"\0" + one.digest())].append(customer_id)
    return [BitMap(group) for group in groups[:-1]]


def _fours(people: BitMap) -> Iterator[bytes]:
    """Each id as four bytes, the highest first."""
    ids = array("I", people)
    if sys.byteorder == "little":
        ids.byteswap()
    whole = ids.tobytes()
    return (whole[place:place + 4] for place in range(0, len(whole), 4))


def kept(people: BitMap, salt: str, share: float) -> BitMap:
    """One group drawn, or remembered: drawing a million people takes about a second, and the same are drawn again and again."""
    if share <= 0 or len(people) < WORTH_KEEPING:
        return draw(people, salt, [share])[0] if share > 0 else BitMap()
    key = f"drawn:{salt}:{share}:{blake2b(people.serialize(), digest_size=16).hexdigest()}".replace(" ", "-")
    raw = cache.get(key)
    if raw is None:
        raw = draw(people, salt, [share])[0].serialize()
        cache.set(key, raw, KEPT)
    return BitMap.deserialize(raw)


def universal_share() -> float:
    """The part of all customers that no promotion reaches, 0 to 1."""
    return float(settings.UNIVERSAL_CONTROL_PERCENT / 100)


def campaign_salt(campaign_id: int) -> str:
    """What makes the draw of one campaign's control group its own."""
    return f"campaign control {campaign_id}"


def universal_control(people: BitMap) -> BitMap:
    """Those whom no promotion of any department ever reaches, the same people in every run."""
    return kept(people, "universal control", universal_share())


def campaign_control(message: Message, people: BitMap) -> BitMap:
    """Those whom this campaign leaves out to measure its effect, the same for all its messages."""
    return kept(people, campaign_salt(message.campaign_id), float(message.campaign.control_share))


def is_safety(message: Message) -> bool:
    """Safety messages know neither control groups nor caps nor blackouts."""
    return message.purpose is not None and message.purpose.purpose_class == PurposeClass.SAFETY


def control_group(message: Message, people: BitMap) -> BitMap:
    """All of these people whom a control group keeps from getting this message."""
    if is_safety(message) or not people:
        return BitMap()
    by_attribute = _by_attribute(message, people) if message.arms_attribute else []
    groups = [arm.people for arm in by_attribute if arm.kind != ArmKind.VARIANT]
    return BitMap.union(universal_control(people), campaign_control(message, people), *groups)


def drawn(message: Message, people: BitMap) -> list[Arm]:
    """All arms of a message over these people. Control groups come first; versions cover everybody."""
    arms: list[Arm] = []
    if not is_safety(message):
        arms.append(Arm(ArmKind.UNIVERSAL_CONTROL, "", universal_control(people)))
        arms.append(Arm(ArmKind.CAMPAIGN_CONTROL, "", campaign_control(message, people) - arms[0].people))
    arms += _by_attribute(message, people) if message.arms_attribute else _by_weight(message, people)
    return [arm for arm in arms if arm.people]


def _variants(message: Message) -> list[str]:
    return sorted(set(message.versions.values_list("variant", flat=True))) or ["A"]


def _by_weight(message: Message, people: BitMap) -> list[Arm]:
    weights = {str(code): float(weight) for code, weight in message.variants_share.items() if float(weight) > 0}
    weights = weights or dict.fromkeys(_variants(message), 1.0)
    total = sum(weights.values())
    codes = sorted(weights)
    if len(codes) == 1:
        return [Arm(ArmKind.VARIANT, codes[0], people.copy())]
    groups = draw(people, f"versions {message.pk}", [weights[code] / total for code in codes])
    # Rounding of the last bound must not lose anybody.
    groups[-1] |= people - BitMap.union(*groups)
    return [Arm(ArmKind.VARIANT, code, group) for code, group in zip(codes, groups, strict=True)]


def _by_attribute(message: Message, people: BitMap) -> list[Arm]:
    """A value that is a version's name is that arm; any other value is a control group; no value is no arm at all."""
    variants = set(_variants(message))
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT attributes ->> %s, array_agg(id) FROM customers_customer "
            "WHERE id = ANY(%s) AND coalesce(attributes ->> %s, '') <> '' GROUP BY 1 ORDER BY 1",
            [message.arms_attribute, list(people), message.arms_attribute],
        )
        found = [(str(value), bitmaps.from_ids(ids)) for value, ids in cursor.fetchall()]
    return [
        Arm(ArmKind.VARIANT if value in variants else ArmKind.CAMPAIGN_CONTROL, value[:40], group)
        for value, group in found
    ]
