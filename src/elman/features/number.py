"""Numbers: one, or several columns of them as a target."""

from __future__ import annotations

import datetime
import math
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any, ClassVar, Literal

import numpy as np
import torch
from torch import Tensor

from elman.errors import DataError, OptionError
from elman.features.checks import blank, check_choice, fitted, shown
from elman.features.feature import Encoding, Feature
from elman.features.places import Places, places_of_numbers
from elman.features.scaling import SCALES, Floats, Moments, Scaling, to_scale
from elman.features.state import feature_state, restore

LARGEST = float(np.finfo(np.float32).max)
"""The largest number that a network can read."""

DATES = (datetime.date, datetime.time, datetime.timedelta, np.datetime64, np.timedelta64)


class NumberFeature(Feature):
    """A number, or several, one a column, scaled by the training rows.

        standard   y = (x − mean) / sd
        log        y = (log(1 + x) − mean) / sd      x ≥ 0
        none       y = x

    A value is a number, a string of a number, or true and false as 1 and 0; for several columns,
    the list of their cells. As input, a missing number becomes 0 after scaling, which is the mean,
    and if the training rows have missing numbers, another column marks them with 1. As target, a
    missing number is an error.

    Args:
        as_target: whether the number is predicted.
        scale: method of scaling, as above.
        columns: names of the columns, if there are several.

    >>> price = NumberFeature(as_target=True).fit([1, 2, 3, 6])
    >>> price.encode(6).tolist(), price.decode(torch.tensor([0.0]))
    ([1.6035674810409546], 3.0)
    """

    kind: ClassVar[str] = "number"
    has_steps: ClassVar[bool] = False
    plural: ClassVar[str] = "numbers"
    of_numbers: ClassVar[bool] = True
    variants: ClassVar[Mapping[str, Mapping[str, Any]]] = {
        "log": {"scale": "log"},
        "none": {"scale": "none"},
    }
    objectives: ClassVar[tuple[str, ...]] = ("regression",)

    def __init__(
        self,
        *,
        as_target: bool = False,
        scale: Literal["standard", "log", "none"] = "standard",
        columns: Sequence[str] = (),
    ) -> None:
        check_choice("scale", scale, SCALES)
        if len(columns) == 1:
            raise OptionError("columns is for several columns; leave it out if there is only one.")
        self.as_target = as_target
        self.scale = scale
        self.columns = tuple(columns)
        self.notes: list[str] = []
        self._scaling: Scaling | None = None

    @property
    def scaling(self) -> Scaling:
        """The learned scaling."""
        return fitted(self._scaling, self.kind)

    @property
    def encoding(self) -> Encoding:
        """One number a column, and one more for each column with missing numbers."""
        return Encoding(numbers=self.scaling.size)

    def places_of(self, name: str) -> Places:
        """Return the places of a column's number and its mark."""
        if not self.columns:
            return Places()
        widths = [1] * len(self.columns)
        return places_of_numbers(self.scaling, widths, self.columns.index(name))

    @property
    def description(self) -> str:
        """What a value is, in words."""
        return f"{len(self.columns)} numbers" if self.columns else "a number"

    def fit(self, values: Iterable[Any]) -> NumberFeature:
        """Learn the scale from the training values.

        Raises:
            DataError: there is no value, a value is no number or, as target, is missing.
        """
        moments, rows = Moments(len(self._subjects)), 0
        for value in values:
            moments.add_row(to_scale(self._numbers(value), self.scale, self._subjects)[0])
            rows += 1
        if not rows:
            raise DataError("there are no training values; at least one number is needed.")
        self._scaling, self.notes = moments.scaling(self.scale, self._subjects)
        return self

    def encode(self, value: Any) -> Tensor:
        """Turn a number, or a list of numbers, into floats, (n,), float32.

        Raises:
            DataError: a value is no number, or is missing and must not be.
        """
        scaled = self.scaling.encode(self._numbers(value), self._subjects)
        return torch.from_numpy(scaled[0].astype(np.float32))

    def decode(self, encoded: Tensor) -> float | list[float]:
        """Turn floats, (n,), back into a number, or a list of numbers; NaN is missing."""
        numbers = encoded.detach().cpu().double().numpy()
        values: list[float] = self.scaling.decode(numbers[None])[0].tolist()
        return values if self.columns else values[0]

    def to_json(self) -> dict[str, Any]:
        """Describe the feature in JSON values, for `from_json`."""
        options = {
            "as_target": self.as_target,
            "scale": self.scale,
            "columns": list(self.columns),
        }
        return feature_state(self.kind, options, {"scaling": self.scaling.to_json()})

    @classmethod
    def from_json(cls, state: Mapping[str, Any]) -> NumberFeature:
        """Restore a feature from `to_json`.

        Raises:
            DataError: the state is malformed.
        """
        feature, learned = restore(cls, state, {"scaling": dict})
        feature._scaling = Scaling.from_json(learned["scaling"], cls.kind)
        return feature

    @property
    def _subjects(self) -> list[str]:
        """The name of each column in errors."""
        return [f"column {name!r}" for name in self.columns] or ["the number"]

    def _numbers(self, value: Any) -> Floats:
        """Check a value and return its numbers as a row, (1, n), NaN where missing."""
        cells = as_cells(value, self.columns) if self.columns else [value]
        numbers = [
            as_number(cell, subject) for cell, subject in zip(cells, self._subjects, strict=True)
        ]
        if self.as_target:
            for number, subject in zip(numbers, self._subjects, strict=True):
                if math.isnan(number):
                    raise DataError(
                        f"{subject} is missing, and a target must not be missing; fill it in, or "
                        f"leave the row out."
                    )
        return np.array([numbers])


def as_number(value: object, subject: str) -> float:
    """Return a value as a float, NaN if it is missing.

    Args:
        value: a number, true or false, or a string of a number.
        subject: the name of the value in errors.

    Raises:
        DataError: the value is none of these, infinite, or too large for float32.
    """
    if blank(value):
        return math.nan
    if isinstance(value, DATES):
        raise DataError(
            f"{subject} must be a number, got the time {shown(value)}; name a column of times "
            f"with --time on the command line, which gives the time between steps."
        )
    if not isinstance(value, str | int | float | Decimal | np.integer | np.floating | np.bool_):
        raise DataError(f"{subject} must be a number, got {shown(value)}.")
    try:
        number = float(value)
    except OverflowError:
        number = math.inf
    except (TypeError, ValueError):
        raise DataError(
            f"{subject} must be a number, got {shown(value)}; correct it, or set the kind to "
            f"'category' or 'text'."
        ) from None
    if abs(number) > LARGEST:
        raise DataError(
            f"{subject} is {shown(value)}, beyond the largest number that a network can read, "
            f"{LARGEST:.3g}; correct it, or leave it missing."
        )
    return number


def as_cells(value: Any, columns: Sequence[str]) -> list[Any]:
    """Return the cells of a value, a list or a mapping, in the order of the columns.

    Raises:
        DataError: the value has other columns or another number of cells.
    """
    if isinstance(value, Mapping):
        if set(value) != set(columns):
            raise DataError(
                f"a value must have the columns {', '.join(columns)}, got {', '.join(value)}."
            )
        return [value[column] for column in columns]
    if not isinstance(value, list | tuple | np.ndarray) or len(value) != len(columns):
        raise DataError(
            f"a value must be the list of {len(columns)} cells, {', '.join(columns)}, "
            f"got {shown(value)}."
        )
    return list(value)
