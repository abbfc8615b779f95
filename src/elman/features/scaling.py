"""Scaling of numeric columns: standardised, with missing values marked."""

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
"""A standard deviation below this fraction of the mean is rounding error, not variation."""

_ROWS_AT_ONCE = 4096


@dataclass(frozen=True)
class Scaling:
    """The scaling of each column, learned from the training rows.

    standard   y = (x − mean) / sd
    log        y = (log(1 + x) − mean) / sd      x ≥ 0; mean and sd are those of the logarithm
    none       y = x
    """

    method: str
    mean: Floats
    """(n,)"""
    sd: Floats
    """(n,), 1 for constant columns"""
    gaps: NDArray[np.bool_]
    """Whether training values of the column are missing, (n,)."""

    @property
    def size(self) -> int:
        """Number of columns of `encode`: the numbers, and one for each column with gaps."""
        return len(self.mean) + int(self.gaps.sum())

    @property
    def means(self) -> Floats:
        """The mean of each column in its own unit: of logarithms, what has their mean, (n,)."""
        return np.expm1(self.mean) if self.method == "log" else self.mean

    def encode(self, values: Floats, subjects: Sequence[str]) -> Floats:
        """Scale numbers and mark missing ones.

        Args:
            values: (T, n), NaN where missing.
            subjects: the name of each column in errors.

        Returns:
            (T, n + m): the scaled numbers, 0 (the mean) where missing; then, for each of the m
            columns with missing training values, 1 where missing and 0 elsewhere.

        Raises:
            DataError: a number is missing in a column without missing training values, or has no
                logarithm.
        """
        absent = np.isnan(values)
        if (absent & ~self.gaps).any():
            step, column = np.argwhere(absent & ~self.gaps)[0]
            raise DataError(
                f"{_placed(subjects[column], step, values)} is missing, but the training rows have "
                f"no missing values there; fill it in, or leave the row out."
            )
        scaled = (to_scale(values, self.method, subjects) - self.mean) / self.sd
        return np.concatenate([np.where(absent, 0.0, scaled), absent[:, self.gaps]], axis=1)

    def decode(self, scaled: Floats) -> Floats:
        """Return numbers to their original scale.

        Args:
            scaled: (T, n); or, as returned by `encode`, (T, n + m) with marks of missing values;
                further columns are ignored.

        Returns:
            (T, n), NaN where marked as missing.
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
        """Restore a scaling from JSON; `kind` is the feature's, for errors.

        Raises:
            DataError: the state is malformed.
        """
        check_entries(kind, state, {"method": str, "mean": list, "sd": list, "gaps": list})
        if state["method"] not in SCALES:
            raise malformed(kind, f"its scaling method is {state['method']!r}")
        if not len(state["mean"]) == len(state["sd"]) == len(state["gaps"]):
            raise malformed(kind, "each column must have a mean, an sd and an entry in gaps")
        return cls(
            state["method"],
            np.array(state["mean"], np.float64),
            np.array(state["sd"], np.float64),
            np.array(state["gaps"], np.bool_),
        )


class Moments:
    """Mean and standard deviation of columns, updated chunk by chunk, in float64.

        n   = n₁ + n₂
        δ   = mean₂ − mean₁
        mean = mean₁ + δ n₂ / n
        M   = M₁ + M₂ + δ² n₁ n₂ / n              M: sum of squared deviations; sd = √(M / n)

    Source: Chan, Golub & LeVeque 1983, doi:10.1080/00031305.1983.10483115.

    Args:
        columns: number of columns.
    """

    def __init__(self, columns: int) -> None:
        self.count = np.zeros(columns)
        self.mean = np.zeros(columns)
        self.gaps = np.zeros(columns, np.bool_)
        self._rows = 0
        self._squares = np.zeros(columns)
        self._pending: list[Sequence[float]] = []

    @property
    def missing(self) -> Floats:
        """Number of missing values of each column, (n,)."""
        return self._rows - self.count

    def add_row(self, row: Sequence[float]) -> None:
        """Add one row, (n,); rows are collected, since NumPy is slow on single rows."""
        self._pending.append(row)
        if len(self._pending) == _ROWS_AT_ONCE:
            self._add_pending()

    def _add_pending(self) -> None:
        """Add the collected rows."""
        if self._pending:
            self.add(np.array(self._pending, np.float64))
            self._pending.clear()

    def add(self, values: Floats) -> None:
        """Add rows, (T, n); NaN is missing."""
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
        """Return the scaling, with a note on each column with missing or constant values.

        Raises:
            DataError: all values of a column are missing.
        """
        self._add_pending()
        if not self.count.all():
            empty = subjects[int(np.argmin(self.count))]
            raise DataError(f"{empty} is missing in all training rows; leave the column out.")
        replacement = "0" if method == "none" else "the mean"
        absent = (self._rows - self.count).astype(int)
        notes = [
            f"{subjects[column]}: {absent[column]} of {self._rows} training values missing: "
            f"replaced by {replacement} and marked as missing."
            for column in np.flatnonzero(self.gaps).tolist()
        ]
        if method == "none":
            ones = np.ones_like(self.mean)
            return Scaling(method, np.zeros_like(self.mean), ones, self.gaps), notes
        sd = np.sqrt(self._squares / self.count)
        constant = sd <= _ROUNDING * np.abs(self.mean)
        notes += [
            f"{subjects[column]} is constant over the training rows, so nothing can be learned "
            f"from it; only its mean is subtracted."
            for column in np.flatnonzero(constant).tolist()
        ]
        return Scaling(method, self.mean, np.where(constant, 1.0, sd), self.gaps), notes


def to_scale(values: Floats, method: str, subjects: Sequence[str]) -> Floats:
    """Take log(1 + x) of numbers, (T, n), if the method is `log`.

    Raises:
        DataError: a number is below 0.
    """
    if method != "log":
        return values
    if (values < 0).any():
        step, column = np.argwhere(values < 0)[0]
        raise DataError(
            f"scale='log' needs numbers of at least 0, and "
            f"{_placed(subjects[column], step, values)} is {values[step, column]}; "
            f"use scale='standard'."
        )
    return np.log1p(values)


def _placed(subject: str, step: int, values: Floats) -> str:
    """Name a value of a column, by its step if there are several."""
    return subject if len(values) == 1 else f"{subject} at step {step}"
