"""The figures that the rules go by: one place, so that administrators can be given them to change."""

from dataclasses import dataclass, replace
from typing import Any


@dataclass(frozen=True)
class Parameters:
    """Distances in days, thresholds in people or shares (0 to 1).

    ``overlap_days``: contacts further apart than this do not collide. ``overlap_people`` and ``overlap_share`` (of the
    smaller audience): fewer people than both of these in common are not worth a decision. ``offer_days``: how long one
    offer still rings in a person's ears when a contradicting one comes. ``worse_share``: an agreement stands until the people
    grow by more than this share. ``look_back_days`` and ``look_ahead_days`` bound the plan; ``move_days`` the search for free days.
    """

    overlap_days: int = 2
    overlap_people: int = 10
    overlap_share: float = 0.02
    overlap_high_share: float = 0.5
    overlap_high_hours: int = 24
    offer_days: int = 7
    offer_people: int = 1
    offer_block_share: float = 0.1
    worse_share: float = 0.2
    look_back_days: int = 31
    look_ahead_days: int = 190
    move_days: int = 28
    move_choices: int = 3


def current(**changes: Any) -> Parameters:
    """The parameters in force, with ``changes`` for a what-if."""
    return replace(Parameters(), **changes)
