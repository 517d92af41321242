"""Who is kept out of messages to measure their effect, drawn as sending draws them."""

from __future__ import annotations

from collections.abc import Callable
from hashlib import blake2b

from django.core.cache import cache
from pyroaring import BitMap

from ..sending import arms

# Drawing a million people takes about a second; the same people are drawn again at every look at the plan.
WORTH_KEEPING = 20_000
KEPT = 24 * 3600


def universal(people: BitMap) -> BitMap:
    """Those of the people whom no promotion reaches."""
    return _kept("universal", arms.universal_share(), people, lambda: arms.universal_control(people))


def of_campaign(campaign_id: int, share: float, people: BitMap) -> BitMap:
    """Those of the people whom the campaign leaves out, without those in the universal control group."""
    if share <= 0:
        return BitMap()
    salt = arms.campaign_salt(campaign_id)
    return _kept(salt, share, people, lambda: arms.draw(people, salt, [share])[0]) - universal(people)


def _kept(salt: str, share: float, people: BitMap, draw: Callable[[], BitMap]) -> BitMap:
    if share <= 0 or len(people) < WORTH_KEEPING:
        return draw()
    digest = blake2b(people.serialize(), digest_size=16).hexdigest()
    key = f"drawn:{salt}:{share}:{digest}".replace(" ", "-")
    raw = cache.get(key)
    if raw is None:
        raw = draw().serialize()
        cache.set(key, raw, KEPT)
    return BitMap.deserialize(raw)
