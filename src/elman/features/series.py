"""Series: numbers over time, in one or several columns."""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from typing import Any, ClassVar, Literal, NamedTuple

import numpy as np
import torch
from torch import Tensor

from elman.data.frequency import SECOND
from elman.data.table import Table
from elman.data.times import read_times
from elman.errors import DataError, OptionError, unknown
from elman.features.checks import blank, check_choice, fitted, shown
from elman.features.feature import Encoding, Feature, SeriesInput
from elman.features.number import LARGEST, as_cells, as_number
from elman.features.places import Places, places_of_numbers
from elman.features.scaling import SCALES, Floats, Moments, Scaling, to_scale
from elman.features.state import feature_state, restore


class _Parts(NamedTuple):
    """A value as numbers, (T, I), and times, (T,)."""

    numbers: Floats
    times: Floats | None


class _Learned(NamedTuple):
    widths: list[int]
    """Numbers a step of each column, except the time."""
    scaling: Scaling
    mean_interval: float
    """Mean Δt of the training rows, in the unit of the time column (seconds for dates)."""


class SeriesFeature(Feature):
    """Numbers over time, each column scaled by the training rows.

        x     scaled as in `scaling.Scaling`; 0, the mean, where it is missing
        gap   1 where x is missing, else 0; only for columns with missing training values
        Δt    log(1 + (t(k) − t(k−1)) / mean Δt), 0 at the first step; only with a column of times

    A value is a list over time of numbers or of rows of numbers, or an array (T,) or (T, I); None
    and NaN are missing. With several `columns` it is the list of such cells in their order, all
    with the same number of steps. A series without steps is encoded as (0, I).

    Args:
        as_target: whether the numbers are predicted; none may be missing then.
        scale: `standard`, `log` or `none`, as for numbers.
        columns: names of the columns, if there are several.
        time: the column with the time of each step: numbers or dates, in order. It is not scaled
            as a number but gives the time between steps.

    Raises:
        OptionError: an option is unknown, or has no effect for a target.

    >>> series = SeriesFeature().fit([[1.0, None, 3.0], [2.0]])
    >>> series.encode([2.0, None]).tolist(), series.encoding.numbers
    ([[0.0, 0.0], [0.0, 1.0]], 2)
    """

    kind: ClassVar[str] = "series"
    has_steps: ClassVar[bool] = True
    plural: ClassVar[str] = "series"
    of_numbers: ClassVar[bool] = True
    variants: ClassVar[Mapping[str, Mapping[str, Any]]] = {
        "log": {"scale": "log"},
        "none": {"scale": "none"},
    }
    objectives: ClassVar[tuple[str, ...]] = ("step-regression",)

    def __init__(
        self,
        *,
        as_target: bool = False,
        scale: Literal["standard", "log", "none"] = "standard",
        columns: Sequence[str] = (),
        time: str | None = None,
    ) -> None:
        check_choice("scale", scale, SCALES)
        if len(columns) == 1:
            raise OptionError("columns is for several columns; leave it out if there is only one.")
        if time is not None and time not in columns:
            raise unknown("column", time, columns)
        if time is not None and as_target:
            raise OptionError(
                "time gives the time between the steps of an input; a target has none."
            )
        self.as_target = as_target
        self.scale = scale
        self.columns = tuple(columns)
        self.time = time
        self.notes: list[str] = []
        self._learned: _Learned | None = None

    @property
    def scaling(self) -> Scaling:
        """The learned scaling."""
        return fitted(self._learned, self.kind).scaling

    @property
    def encoding(self) -> Encoding:
        """One number for each column, for each with missing values, and for Δt."""
        return Encoding(numbers=self.scaling.size + (self.time is not None))

    @property
    def scaled_numbers(self) -> int:
        """The numbers of a step, without marks of missing values and Δt."""
        return len(self.scaling.mean)

    def places_of(self, name: str) -> Places:
        """Return the places of a column's numbers and their marks, or of Δt."""
        if not self.columns:
            return Places()
        widths = fitted(self._learned, self.kind).widths
        columns = [*self._number_columns, self.time]
        return places_of_numbers(self.scaling, widths, columns.index(name))

    @property
    def description(self) -> str:
        """What a value is, in words."""
        count = len(self.scaling.mean)
        numbers = "a number" if count == 1 else f"{count} numbers"
        intervals = ", and the time between steps" if self.time is not None else ""
        return f"{numbers} a step{intervals}"

    def fit(self, values: Iterable[Any]) -> SeriesFeature:
        """Learn the scale from the training values.

        Raises:
            DataError: a value is malformed, or no value has a step.
        """
        moments: Moments | None = None
        widths: list[int] = []
        elapsed, intervals, rows, empty = 0.0, 0, 0, 0
        for value in values:
            cells = self._cells(value)
            parts = self._parts(value, cells)
            rows += 1
            if not len(parts.numbers):
                empty += 1
                continue
            if moments is None:
                widths = [cell.shape[1] for cell in cells]
                moments = Moments(sum(widths))
            self._check_widths(cells, widths)
            moments.add(to_scale(parts.numbers, self.scale, self._subjects(widths)))
            if parts.times is not None:
                elapsed += float(parts.times[-1] - parts.times[0])
                intervals += len(parts.times) - 1
        if moments is None:
            raise DataError(
                f"there is no step in the {rows} training series; is this the right column?"
            )
        scaling, notes = moments.scaling(self.scale, self._subjects(widths))
        self.notes = [*notes, *([f"{empty} of {rows} series have no steps."] if empty else [])]
        if self.time is not None and elapsed == 0:
            self.notes.append(f"all steps have the same time in column {self.time!r}: Δt is 0.")
        self._learned = _Learned(widths, scaling, elapsed / intervals if elapsed else 1.0)
        return self

    def encode(self, value: Any) -> Tensor:
        """Turn a series into floats, (T, I), float32, with I as in `encoding`.

        Raises:
            DataError: the series is malformed; the error names column and step.
        """
        learned = fitted(self._learned, self.kind)
        cells = self._cells(value)
        parts = self._parts(value, cells)
        if not len(parts.numbers):
            return torch.zeros(0, self.encoding.numbers)
        self._check_widths(cells, learned.widths)
        encoded = learned.scaling.encode(parts.numbers, self._subjects(learned.widths))
        if parts.times is not None:
            intervals = np.diff(parts.times, prepend=parts.times[0]) / learned.mean_interval
            encoded = np.concatenate([encoded, np.log1p(intervals)[:, None]], axis=1)
        return torch.from_numpy(encoded.astype(np.float32))

    def decode(self, encoded: Tensor) -> Floats:
        """Turn floats, (T, I), back into numbers in their own units.

        Returns:
            (T,) if there is one number a step, else (T, I); NaN where missing. The times of the
            steps are not restored.
        """
        values = self.scaling.decode(encoded.detach().cpu().double().numpy())
        return values[:, 0] if values.shape[1] == 1 else values

    def shown(self, value: Any) -> SeriesInput:
        """Show numbers over time as lines; columns have equal lengths."""
        lines = np.asarray(value, dtype=float)
        return SeriesInput(lines if lines.ndim == 1 or len(lines) > 1 else lines[0])

    def to_json(self) -> dict[str, Any]:
        """Describe the feature in JSON values, for `from_json`."""
        learned = fitted(self._learned, self.kind)
        options = {
            "as_target": self.as_target,
            "scale": self.scale,
            "columns": list(self.columns),
            "time": self.time,
        }
        state = {
            "widths": learned.widths,
            "scaling": learned.scaling.to_json(),
            "mean_interval": learned.mean_interval,
        }
        return feature_state(self.kind, options, state)

    @classmethod
    def from_json(cls, state: Mapping[str, Any]) -> SeriesFeature:
        """Restore a feature from `to_json`.

        Raises:
            DataError: the state is malformed.
        """
        feature, learned = restore(
            cls, state, {"widths": list, "scaling": dict, "mean_interval": float}
        )
        feature._learned = _Learned(
            learned["widths"],
            Scaling.from_json(learned["scaling"], cls.kind),
            learned["mean_interval"],
        )
        return feature

    @property
    def _number_columns(self) -> list[str]:
        """Names of the columns except the time; an empty name if there is only one column."""
        return [column for column in self.columns if column != self.time] or [""]

    def _subjects(self, widths: Sequence[int]) -> list[str]:
        """The name of each number of a step in errors."""
        return [
            _subject(column) + (f", number {place}," if width > 1 else "")
            for column, width in zip(self._number_columns, widths, strict=True)
            for place in range(width)
        ]

    def _cells(self, value: Any) -> list[Floats]:
        """Return the numbers of each column, (T, k)."""
        if not self.columns:
            return [steps_of(value, _subject(""))]
        cells = dict(zip(self.columns, as_cells(value, self.columns), strict=True))
        return [steps_of(cells[column], _subject(column)) for column in self._number_columns]

    def _parts(self, value: Any, cells: list[Floats]) -> _Parts:
        """Join the columns of numbers, and separate the times."""
        times = None
        if self.time is not None:
            cell = as_cells(value, self.columns)[self.columns.index(self.time)]
            times = times_of(cell, _subject(self.time))
        lengths = dict(zip(self._number_columns, map(len, cells), strict=True))
        if times is not None and self.time is not None:
            lengths[self.time] = len(times)
        first = next(iter(lengths))
        for column, length in lengths.items():
            if length != lengths[first]:
                raise DataError(
                    f"columns {first!r} and {column!r} must have the same number of steps, "
                    f"got {lengths[first]} and {length}; correct the row, or leave it out."
                )
        if not lengths[first]:
            return _Parts(np.zeros((0, 1)), times)
        numbers = np.concatenate(cells, axis=1)
        if self.as_target and np.isnan(numbers).any():
            step, place = np.argwhere(np.isnan(numbers))[0]
            subject = self._subjects([cell.shape[1] for cell in cells])[place]
            raise DataError(
                f"{subject} at step {step} is missing, and a target must not be missing; fill it "
                f"in, or leave the row out."
            )
        return _Parts(numbers, times)

    def _check_widths(self, cells: Sequence[Floats], widths: Sequence[int]) -> None:
        """Refuse a column with another number of values a step than in the first row."""
        for column, cell, width in zip(self._number_columns, cells, widths, strict=True):
            if cell.shape[1] != width:
                raise DataError(
                    f"{_subject(column)} must have {width} numbers a step, as in the first "
                    f"training row, got {cell.shape[1]}."
                )


def _subject(column: str) -> str:
    """Return the name of a column in errors."""
    return f"column {column!r}" if column else "the series"


def steps_of(cell: Any, subject: str) -> Floats:
    """Return the numbers over time in a cell, (T, k), NaN where missing.

    Args:
        cell: a list over time of numbers or of rows of numbers, or an array (T,) or (T, k).
        subject: the name of the cell in errors.

    Raises:
        DataError: the cell is something else, or a number is malformed; the error names its step.
    """
    if not _is_list(cell):
        raise DataError(f"{subject} must be a list of numbers over time, got {shown(cell)}.")
    try:
        array = np.asarray(cell)
        # NumPy would convert times and strings to numbers silently.
        array = (
            np.asarray(cell, np.float64)
            if array.dtype.kind in "biufO"
            else _one_by_one(cell, subject)
        )
    except (TypeError, ValueError):
        array = _one_by_one(cell, subject)
    if array.ndim == 1:
        array = array[:, None]
    if array.ndim != 2:
        raise DataError(
            f"{subject} must be numbers over time, (T,) or (T, I), got axes {array.shape}."
        )
    if (np.abs(array) > LARGEST).any():
        step = int(np.argwhere(np.abs(array) > LARGEST)[0, 0])
        raise DataError(
            f"{subject} holds {array[step].tolist()} at step {step}, beyond the largest number "
            f"that a network can read, {LARGEST:.3g}; correct it, or leave it missing."
        )
    return array


def _is_list(cell: Any) -> bool:
    """Tell whether a cell is a list or an array."""
    return isinstance(cell, list | tuple) or (hasattr(cell, "__array__") and np.ndim(cell) > 0)


def _one_by_one(cell: Any, subject: str) -> Floats:
    """Read numbers one by one, so that an error names the step of the first wrong one."""
    rows: list[list[float]] = []
    for step, row in enumerate(cell):
        numbers = row if isinstance(row, list | tuple | np.ndarray) else [row]
        rows.append([as_number(number, f"{subject} at step {step}") for number in numbers])
        if len(rows[step]) != len(rows[0]):
            raise DataError(
                f"{subject} must have equally many numbers at every step, got {len(rows[0])} at "
                f"step 0 and {len(rows[step])} at step {step}."
            )
    return np.array(rows, np.float64)


def times_of(cell: Any, subject: str) -> Floats:
    """Return the times of steps, (T,): numbers unchanged, dates as seconds.

    A date without a time zone counts as UTC, since only differences matter.

    Raises:
        DataError: a time is missing or malformed, or the times are not in order.
    """
    if isinstance(cell, np.ndarray) and cell.dtype.kind == "M":
        times = cell.astype("datetime64[ns]").astype(np.float64) / 1e9
        times[np.isnat(cell)] = np.nan
    elif not _is_list(cell):
        raise DataError(f"{subject} must be a list of times, got {shown(cell)}.")
    elif len(cell) and all(isinstance(time, str) for time in cell):
        texts = Table.from_columns(
            {"times": cell}, subject, where=lambda step: f"{subject} at step {step}"
        )
        column = read_times(texts, "times")
        times = np.asarray(column.instants, np.float64)
        times = times if column.of_numbers else times / SECOND
    else:
        times = np.array(
            [_seconds(time, f"{subject} at step {step}") for step, time in enumerate(cell)]
        ).reshape(-1)
    if np.isnan(times).any():
        step = int(np.argmax(np.isnan(times)))
        raise DataError(f"{subject} is missing at step {step}; every step must have a time.")
    if (np.diff(times) < 0).any():
        step = int(np.argmax(np.diff(times) < 0)) + 1
        raise DataError(
            f"{subject} goes back at step {step}, to {shown(cell[step])} from "
            f"{shown(cell[step - 1])}; sort the steps by time."
        )
    return times


def _seconds(time: Any, subject: str) -> float:
    """Return a time as a number."""
    if isinstance(time, np.datetime64):
        time = time.astype("datetime64[us]").item()
    if isinstance(time, str) and not blank(time):
        with suppress(ValueError):
            time = datetime.datetime.fromisoformat(time.strip())
    if isinstance(time, datetime.datetime):
        zoned = time if time.tzinfo is not None else time.replace(tzinfo=datetime.UTC)
        return zoned.timestamp()
    if isinstance(time, datetime.date):
        return float(time.toordinal() * 86_400)
    return as_number(time, subject)
