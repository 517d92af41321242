"""Mixed-integer linear programs, solved by HiGHS (MIT): branch and cut with a proven bound. Loaded only where it is used."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

MOST_NODES = 5_000


@dataclass
class Program:
    """Minimise costs over columns in [0, 1] under rows ``low <= sum(coefficient * column) <= high``."""

    costs: list[float] = field(default_factory=list)
    whole: list[bool] = field(default_factory=list)
    rows: list[tuple[float, float, Mapping[int, float]]] = field(default_factory=list)

    def column(self, cost: float = 0.0, *, whole: bool = False) -> int:
        """A new variable from 0 to 1; ``whole``: only 0 or 1."""
        self.costs.append(float(cost))
        self.whole.append(whole)
        return len(self.costs) - 1

    def row(self, coefficients: Mapping[int, float], *, low: float = float("-inf"), high: float = float("inf")) -> None:
        """A new condition."""
        self.rows.append((low, high, coefficients))


@dataclass(frozen=True)
class Solved:
    """``bound``: no solution costs less. Equal to ``cost`` where the optimum is proven."""

    values: list[float]
    cost: float
    bound: float


def solve(program: Program, *, seed: int = 0, seconds: float = 60.0) -> Solved:
    """The best solution found within a fixed number of nodes (so that equal seeds give equal answers) and ``seconds``."""
    if not program.costs:
        return Solved([], 0.0, 0.0)
    import highspy

    solver = highspy.Highs()
    for option, value in {
        "output_flag": False, "random_seed": seed % 2**31, "threads": 1, "time_limit": seconds, "mip_max_nodes": MOST_NODES,
        "mip_rel_gap": 1e-6, "mip_abs_gap": 1e-6,
    }.items():
        solver.setOptionValue(option, value)
    solver.passModel(_model(program))
    solver.run()
    info, values = solver.getInfo(), list(solver.getSolution().col_value)
    if not values or info.primal_solution_status != 2:
        raise ArithmeticError("the solver found no solution in time")
    cost = float(info.objective_function_value)
    bound = float(info.mip_dual_bound) if any(program.whole) else cost
    return Solved(values, cost, min(bound, cost))


def _model(program: Program):  # type: ignore[no-untyped-def]
    import highspy
    import numpy as np

    starts, index, value = [0], list[int](), list[float]()
    for _low, _high, coefficients in program.rows:
        index += coefficients.keys()
        value += coefficients.values()
        starts.append(len(index))
    model = highspy.HighsLp()
    model.num_col_, model.num_row_ = len(program.costs), len(program.rows)
    model.col_cost_ = np.array(program.costs)
    model.col_lower_, model.col_upper_ = np.zeros(len(program.costs)), np.ones(len(program.costs))
    model.row_lower_ = np.array([low for low, _high, _c in program.rows])
    model.row_upper_ = np.array([high for _low, high, _c in program.rows])
    model.a_matrix_.format_ = highspy.MatrixFormat.kRowwise
    model.a_matrix_.num_col_, model.a_matrix_.num_row_ = len(program.costs), len(program.rows)
    model.a_matrix_.start_, model.a_matrix_.index_ = np.array(starts), np.array(index, dtype=np.int32)
    model.a_matrix_.value_ = np.array(value)
    kinds = highspy.HighsVarType
    model.integrality_ = [kinds.kInteger if whole else kinds.kContinuous for whole in program.whole]
    return model
