"""The figures that the rules go by: one place; administrators change them, for everybody or for one department."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any

# Only how far the engine looks and what it offers; the rest may differ from department to department.
COMPANY_WIDE = {"look_back_days", "look_ahead_days", "move_days", "move_choices", "escalate_hours"}


@dataclass(frozen=True)
class Parameters:
    """Distances in days, thresholds in people or shares (0 to 1).

    ``overlap_days``: contacts further apart than this do not collide. ``overlap_people`` and ``overlap_share`` (of the
    smaller audience): fewer people than both of these in common are not worth a decision. ``offer_days``: how long one
    offer still rings in a person's ears when a contradicting one comes. ``worse_share``: an agreement stands until the people
    grow by more than this share. ``pressure_people``, ``spacing_people``, ``inversion_people``: fewer people than these are not
    worth a line; ``pressure_high_share``: from this share of a message's people on it is high. ``escalate_hours``: so long
    before the time to decide by, deputies and administrators hear that nobody has answered. ``look_back_days`` and
    ``look_ahead_days`` bound the plan; ``move_days`` the search for free days.
    ``holiday_check`` and ``quiet_check``: 0 switches the rule off (for a department: its own messages). ``experiment_days``:
    so long after its last contact a campaign's control group is still watched. ``experiment_people`` and ``care_people``: fewer
    people than these are not worth a line.
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
    pressure_people: int = 1
    pressure_high_share: float = 0.05
    spacing_people: int = 1
    inversion_people: int = 1
    look_back_days: int = 31
    look_ahead_days: int = 190
    escalate_hours: int = 24
    move_days: int = 28
    move_choices: int = 3
    holiday_check: int = 1
    quiet_check: int = 1
    experiment_days: int = 14
    experiment_people: int = 1
    care_people: int = 1
    departments: Mapping[int, Mapping[str, float]] = field(default_factory=dict)

    def of(self, *department_ids: int) -> Parameters:
        """The figures for these departments: where one of them set its own, the strictest of theirs.

        Stricter is the larger distance and the smaller threshold, so that whoever cares more is heard.
        """
        own = [self.departments[pk] for pk in department_ids if pk in self.departments]
        if not own:
            return self
        changed: dict[str, Any] = {}
        for code in {code for figures in own for code in figures}:
            values = [figures.get(code, getattr(self, code)) for figures in own]
            kind = type(getattr(self, code))
            changed[code] = kind(max(values) if code.endswith(("_days", "_hours")) else min(values))
        return replace(self, **changed)


CODES: tuple[str, ...] = tuple(each.name for each in fields(Parameters) if each.name != "departments")


def current(**changes: Any) -> Parameters:
    """The figures as shipped, with ``changes`` for a what-if."""
    return replace(Parameters(), **changes)


def in_force() -> Parameters:
    """The figures as administrators have set them, in one query."""
    from ..models import RuleParameter

    common: dict[str, Any] = {}
    departments: dict[int, dict[str, float]] = {}
    for row in RuleParameter.objects.filter(code__in=CODES):
        kind = type(getattr(Parameters, row.code))
        if row.department_id is None:
            common[row.code] = kind(row.value)
        elif row.code not in COMPANY_WIDE:
            departments.setdefault(row.department_id, {})[row.code] = float(row.value)
    return replace(Parameters(), departments=departments, **common)
