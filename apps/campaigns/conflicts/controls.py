"""Who is kept out of messages to measure their effect, drawn as sending draws them."""

from __future__ import annotations

from pyroaring import BitMap

from ..sending import arms


def universal(people: BitMap) -> BitMap:
    """Those of the people whom no promotion reaches."""
    return arms.universal_control(people)


def of_campaign(campaign_id: int, share: float, people: BitMap) -> BitMap:
    """Those of the people whom the campaign leaves out, without those in the universal control group."""
    if share <= 0:
        return BitMap()
    return arms.kept(people, arms.campaign_salt(campaign_id), share) - universal(people)
