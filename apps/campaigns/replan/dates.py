"""The best days for the campaigns of a problem, with a proven bound."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from . import milp
from .problem import Problem


@dataclass(frozen=True)
class Days:
    """``days``: campaign -> offset in days. No choice of days costs less than ``bound``."""

    days: Mapping[int, int]
    cost: float
    bound: float


def choose(problem: Problem, *, seed: int = 0) -> Days:
    """One day for each campaign. Deterministic for a seed."""
    if not problem.alone:
        return Days({}, problem.fixed, problem.fixed)
    program = milp.Program()
    on = {
        (pk, days): program.column(cost, whole=True) for pk, costs in problem.alone.items() for days, cost in costs.items()
    }
    for pk, costs in problem.alone.items():
        program.row({on[pk, days]: 1.0 for days in costs}, low=1.0, high=1.0)
    for (one, two), both in problem.pairs.items():
        _couple(program, on, one, two, both)
    solved = milp.solve(program, seed=seed)
    days = {pk: max(costs, key=lambda day, pk=pk: solved.values[on[pk, day]]) for pk, costs in problem.alone.items()}  # type: ignore[misc]
    return Days(days, problem.cost(days), problem.fixed + solved.bound)


def _couple(
    program: milp.Program, on: Mapping[tuple[int, int], int], one: int, two: int, costs: Mapping[tuple[int, int], float]
) -> None:
    """For each day of the one: a step of cost is paid as soon as the other is on any day that costs at least so much.

    A pair has few levels of cost (near, nearer, far), so this needs far fewer columns than one for each two days.
    """
    by_day: dict[int, dict[int, float]] = {}
    for (first, second), cost in costs.items():
        by_day.setdefault(first, {})[second] = cost
    for first, others in by_day.items():
        below = 0.0
        for level in sorted(set(others.values())):
            near = [second for second, cost in others.items() if cost >= level]
            paid = program.column(level - below)
            program.row({paid: 1.0, on[one, first]: -1.0, **{on[two, second]: -1.0 for second in near}}, low=-1.0)
            below = level
