"""Linear and integer programs, handed to HiGHS in one piece."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from routing.engine.crowd import Floats, Ints

UNLIMITED = float("inf")
SEED = 1


class NoAnswerError(Exception):
    """The solver stopped without a plan: its time or its tries were over, or it failed."""


@dataclass(frozen=True, slots=True)
class Solution:
    """Values of columns and duals of rows (what one unit more of the right side is worth)."""

    objective: float
    columns: Floats
    duals: Floats
    bound: float


@dataclass(slots=True)
class Program:
    """Minimise over columns (cost, bounds, whole or not) under rows (bounds on sums of columns)."""

    cost: list[Floats] = field(default_factory=list)
    upper: list[Floats] = field(default_factory=list)
    whole: list[Ints] = field(default_factory=list)
    low: list[Floats] = field(default_factory=list)
    high: list[Floats] = field(default_factory=list)
    entries: list[tuple[Ints, Ints, Floats]] = field(default_factory=list)
    columns: int = 0
    rows: int = 0

    def add_columns(
        self, cost: Floats, upper: Floats | float = UNLIMITED, *, whole: bool = False
    ) -> Ints:
        """Columns from zero up to `upper`; their numbers."""
        size = len(cost)
        first, self.columns = self.columns, self.columns + size
        self.cost.append(np.asarray(cost, dtype=np.float64))
        self.upper.append(np.broadcast_to(np.asarray(upper, dtype=np.float64), (size,)))
        self.whole.append(np.full(size, int(whole), dtype=np.int64))
        return np.arange(first, self.columns, dtype=np.int64)

    def add_rows(
        self,
        low: Floats | float,
        high: Floats | float,
        count: int,
        *parts: tuple[Ints, Ints, Floats | float],
    ) -> Ints:
        """Rows of which each part is (row from zero, column, factor); their numbers."""
        first, self.rows = self.rows, self.rows + count
        self.low.append(np.broadcast_to(np.asarray(low, dtype=np.float64), (count,)))
        self.high.append(np.broadcast_to(np.asarray(high, dtype=np.float64), (count,)))
        for row, column, factor in parts:
            spread = np.broadcast_to(np.asarray(factor, dtype=np.float64), (len(row),))
            self.entries.append((row + first, column, spread))
        return np.arange(first, self.rows, dtype=np.int64)

    def relaxed(self) -> Solution:
        """The linear relaxation by the interior point method, without crossover: duals in the middle."""
        return self._run({"solver": "ipm", "run_crossover": "off"}, whole=False)

    def solved(self, *, gap: float, seconds: float, start: Floats | None = None) -> Solution:
        """The best plan in whole numbers, within the gap. Raises NoAnswerError when time is over."""
        options: dict[str, str | float] = {"mip_rel_gap": gap, "time_limit": seconds}
        return self._run(options, whole=True, start=start)

    def _run(
        self, options: dict[str, str | float], *, whole: bool, start: Floats | None = None
    ) -> Solution:
        # Twenty megabytes that only whoever solves something should carry.
        import highspy

        solver = highspy.Highs()  # type: ignore[no-untyped-call]
        solver.silent()
        for name, value in {"threads": 1, "random_seed": SEED, **options}.items():
            solver.setOptionValue(name, value)
        solver.passModel(self._model(highspy, whole=whole))
        if start is not None:
            guess = highspy.HighsSolution()
            guess.col_value = list(start)
            solver.setSolution(guess)
        solver.run()
        if solver.getModelStatus() != highspy.HighsModelStatus.kOptimal:
            raise NoAnswerError(solver.modelStatusToString(solver.getModelStatus()))
        info, answer = solver.getInfo(), solver.getSolution()
        bound = info.mip_dual_bound if whole else info.objective_function_value
        return Solution(
            info.objective_function_value,
            np.array(answer.col_value),
            np.array(answer.row_dual),
            bound,
        )

    def _model(self, highspy, *, whole: bool):  # type: ignore[no-untyped-def]
        """HiGHS's own shape of the program, row by row."""
        row = np.concatenate([entry[0] for entry in self.entries])
        order = np.argsort(row, kind="stable")
        starts = np.zeros(self.rows + 1, dtype=np.int64)
        np.cumsum(np.bincount(row, minlength=self.rows), out=starts[1:])
        model = highspy.HighsLp()
        model.num_col_, model.num_row_ = self.columns, self.rows
        model.col_cost_ = np.concatenate(self.cost)
        model.col_lower_ = np.zeros(self.columns)
        model.col_upper_ = _infinite(highspy, self.upper)
        model.row_lower_ = _infinite(highspy, self.low)
        model.row_upper_ = _infinite(highspy, self.high)
        model.a_matrix_.format_ = highspy.MatrixFormat.kRowwise
        model.a_matrix_.start_ = starts
        model.a_matrix_.index_ = np.concatenate([entry[1] for entry in self.entries])[order]
        model.a_matrix_.value_ = np.concatenate([entry[2] for entry in self.entries])[order]
        if whole:
            kinds = (highspy.HighsVarType.kContinuous, highspy.HighsVarType.kInteger)
            model.integrality_ = [kinds[kind] for kind in np.concatenate(self.whole).tolist()]
        return model


def _infinite(highspy, parts: Sequence[Floats]) -> Floats:  # type: ignore[no-untyped-def]
    values = np.concatenate(parts)
    limits: Floats = np.nan_to_num(values, posinf=highspy.kHighsInf, neginf=-highspy.kHighsInf)
    return limits
