"""Numbers brought to a common scale: columns shifted and divided, gaps marked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from elman.errors import DataError
from elman.features.state import check_entries, malformed

SCALES = ("standard", "log", "none")

Floats = NDArray[np.float64]

_ROUNDING = 1e-12
"""A standard deviation below this part of the mean is rounding, not variation."""

_ROWS_AT_ONCE = 4096


@dataclass(frozen=True)
class Scaling:
    """What the columns of the training part are divided by, and which of them have gaps.

    standard   y = (x − mean) / sd
    log        y = (log(1 + x) − mean) / sd      x ≥ 0; mean and sd are those of the logarithm
    none       y = x
    """

    method: str
    mean: Floats
    """(n,)"""
    sd: Floats
    """(n,), 1 where a column is constant"""
    gaps: NDArray[np.bool_]
    """Whether a value of the column was missing, (n,)."""

    @property
    def size(self) -> int:
        """Columns of `encode`: the numbers, and one for each column with gaps."""
        return len(self.mean) + int(self.gaps.sum())

    def encode(self, values: Floats, subjects: Sequence[str]) -> Floats:
        """Scale numbers and mark the missing ones.

        Args:
            values: (T, n), NaN where a number is missing.
            subjects: what each column is called in an error.

        Returns:
            (T, n + m): the scaled numbers, 0 (the mean) where one is missing; then, for each of
            the m columns that had gaps in training, 1 where it is missing and 0 elsewhere.

        Raises:
            DataError: a number is missing in a column that had no gap in training, or cannot be
                taken to the logarithm.
        """
        absent = np.isnan(values)
        if (absent & ~self.gaps).any():
            step, column = np.argwhere(absent & ~self.gaps)[0]
            raise DataError(
                f"{_placed(subjects[column], step, values)} is missing, and the training part had "
                f"no gap there to learn from; fill it in, or leave the row out."
            )
        scaled = (to_scale(values, self.method, subjects) - self.mean) / self.sd
        return np.concatenate([np.where(absent, 0.0, scaled), absent[:, self.gaps]], axis=1)

    def decode(self, scaled: Floats) -> Floats:
        """Bring numbers back to their own scale.

        Args:
            scaled: (T, n), or as `encode` gives them, (T, n + m), with their marks of gaps;
                further columns are not read.

        Returns:
            (T, n), NaN where a number is marked as missing.
        """
        count = len(self.mean)
        values = scaled[:, :count] * self.sd + self.mean
        values = np.expm1(values) if self.method == "log" else values
        if scaled.shape[1] >= self.size:
            marks = scaled[:, count : self.size] > 0
            values[:, self.gaps] = np.where(marks, np.nan, values[:, self.gaps])
        return values

    def to_json(self) -> dict[str, Any]:
        """Describe the scaling in JSON values."""
        return {
            "method": self.method,
            "mean": self.mean.tolist(),
            "sd": self.sd.tolist(),
            "gaps": self.gaps.tolist(),
        }

    @classmethod
    def from_json(cls, state: Mapping[str, Any], kind: str) -> Scaling:
        """Restore the scaling of a feature of some kind.

        Raises:
            DataError: the state is malformed.
        """
        check_entries(kind, state, {"method": str, "mean": list, "sd": list, "gaps": list})
        if state["method"] not in SCALES:
            raise malformed(kind, f"it scales by {state['method']!r}")
        if not len(state["mean"]) == len(state["sd"]) == len(state["gaps"]):
            raise malformed(kind, "each column must have a mean, an sd and whether it has gaps")
        return cls(
            state["method"],
            np.array(state["mean"], np.float64),
            np.array(state["sd"], np.float64),
            np.array(state["gaps"], np.bool_),
        )


class Moments:
    """Mean and standard deviation of columns that come piece by piece, in float64.

        n   = n₁ + n₂
        δ   = mean₂ − mean₁
        mean = mean₁ + δ n₂ / n
        M   = M₁ + M₂ + δ² n₁ n₂ / n              M: sum of squared deviations; sd = √(M / n)

    Source: Chan, Golub & LeVeque 1983, doi:10.1080/00031305.1983.10483115.

    Args:
        columns: how many there are.
    """

    def __init__(self, columns: int) -> None:
        self.count = np.zeros(columns)
        self.mean = np.zeros(columns)
        self.gaps = np.zeros(columns, np.bool_)
        self._rows = 0
        self._squares = np.zeros(columns)
        self._waiting: list[Sequence[float]] = []

    @property
    def missing(self) -> Floats:
        """How many numbers of each column were missing, (n,)."""
        return self._rows - self.count

    def add_row(self, row: Sequence[float]) -> None:
        """Take in one row, (n,); rows wait for each other, since NumPy is slow on single ones."""
        self._waiting.append(row)
        if len(self._waiting) == _ROWS_AT_ONCE:
            self._add_waiting()

    def _add_waiting(self) -> None:
        """Take in the rows that wait."""
        if self._waiting:
            self.add(np.array(self._waiting, np.float64))
            self._waiting.clear()

    def add(self, values: Floats) -> None:
        """Take in rows, (T, n); NaN is missing."""
        present = ~np.isnan(values)
        count = present.sum(axis=0)
        self.gaps |= count < len(values)
        self._rows += len(values)
        mean = np.where(present, values, 0).sum(axis=0) / np.maximum(count, 1)
        squares = (np.where(present, values - mean, 0) ** 2).sum(axis=0)
        total = np.maximum(self.count + count, 1)
        delta = mean - self.mean
        self.mean = self.mean + delta * count / total
        self._squares = self._squares + squares + delta**2 * self.count * count / total
        self.count = self.count + count

    def scaling(self, method: str, subjects: Sequence[str]) -> tuple[Scaling, list[str]]:
        """Settle the scale, with a note on each column that has gaps or does not vary.

        Raises:
            DataError: a column has no number at all.
        """
        self._add_waiting()
        if not self.count.all():
            empty = subjects[int(np.argmin(self.count))]
            raise DataError(f"{empty} is missing in the whole training part; leave the column out.")
        instead = "0 stands" if method == "none" else "the mean stands"
        absent = (self._rows - self.count).astype(int)
        notes = [
            f"{subjects[column]}: {absent[column]} of {self._rows} are missing in the training "
            f"part; {instead} for them, marked as missing."
            for column in np.flatnonzero(self.gaps).tolist()
        ]
        if method == "none":
            ones = np.ones_like(self.mean)
            return Scaling(method, np.zeros_like(self.mean), ones, self.gaps), notes
        sd = np.sqrt(self._squares / self.count)
        constant = sd <= _ROUNDING * np.abs(self.mean)
        notes += [
            f"{subjects[column]} is the same in the whole training part, so nothing can be learned "
            f"from it; it is shifted to 0 and not divided."
            for column in np.flatnonzero(constant).tolist()
        ]
        return Scaling(method, self.mean, np.where(constant, 1.0, sd), self.gaps), notes


def to_scale(values: Floats, method: str, subjects: Sequence[str]) -> Floats:
    """Take numbers, (T, n), to the logarithm where the method asks for it.

    Raises:
        DataError: a number below 0 has no place there.
    """
    if method != "log":
        return values
    if (values < 0).any():
        step, column = np.argwhere(values < 0)[0]
        raise DataError(
            f"scale='log' takes log(1 + x) of numbers from 0 up, and "
            f"{_placed(subjects[column], step, values)} is {values[step, column]}; "
            f"use scale='standard'."
        )
    return np.log1p(values)


def _placed(subject: str, step: int, values: Floats) -> str:
    """Name a value of a column by its step, where there are several."""
    return subject if len(values) == 1 else f"{subject} at step {step}"
