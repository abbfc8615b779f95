"""Series to forecast: targets, covariates, calendar and item."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, ClassVar, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from elman.data.frequency import Frequency
from elman.errors import DataError, counted
from elman.features.calendar import calendar_columns, fitting_cycles
from elman.features.checks import check_whole, fitted, shown
from elman.features.feature import Encoding, Feature
from elman.features.scaling import Floats, Moments, Scaling
from elman.features.state import feature_state, restore

SHOWN = 3
"""Maximum number of items named in a note."""


class Layout(NamedTuple):
    """The number of columns of each sort in an encoded step, in their order."""

    values: int
    """Targets, unscaled; NaN where missing."""
    past: int
    """Columns known only for the past: scaled covariates, and marks of missing values."""
    known: int
    """Columns also known for the future: covariates, marks of missing values, calendar, age."""
    items: int
    """Number of item ids, including the unknown id 0; 0 without item ids."""


class ForecastFeature(Feature):
    """Series on a regular grid of times, from which windows and horizons are cut.

    A value is a series: the list of the cells of the targets, the past covariates, the known
    covariates, the time and the item, as far as they exist. All but the item are numbers, one a
    step, (T,), NaN where missing; a date is the pair of the instant in UTC and of what the clocks
    show, in microseconds since 1970, (T, 2). Targets and past covariates may end earlier than the
    known covariates and times, which then cover the steps ahead.

        encoded step = targets, past covariates, known covariates, calendar, age, item's id

    Covariates are scaled like those of a `series`. Targets are not scaled, because each window is
    scaled by itself. The age, in data with several series, is ln (1 + steps since the first one).

    Args:
        targets: columns to forecast.
        horizon: number of steps ahead.
        window: window length in steps.
        season: season length in steps, for the seasonal naive forecast; by default the usual one
            for the frequency.
        past: covariates that are known only for the past.
        known: covariates whose future values are known.
        frequency: time between steps, as `Frequency.parse` reads it; None without times.
        timed: whether there is a column of times.
        time_format: how its times are written, as `elman.data.times.TimeColumn` has it.
        time_zone: name of their zone, where it is known.
        several: whether a column says which item each series belongs to.
        counts: whether targets must be 0, 1, 2, ….

    Source of the covariates: Salinas et al. 2020, arXiv:1704.04110, §4.
    """

    kind: ClassVar[str] = "forecast"
    has_steps: ClassVar[bool] = True

    def __init__(
        self,
        *,
        targets: Sequence[str],
        horizon: int,
        window: int,
        season: int | None = None,
        past: Sequence[str] = (),
        known: Sequence[str] = (),
        frequency: str | None = None,
        timed: bool = False,
        time_format: str | None = None,
        time_zone: str | None = None,
        several: bool = False,
        counts: bool = False,
    ) -> None:
        self.targets = tuple(targets)
        check_whole("horizon", horizon, least=1)
        check_whole("window", window, least=1)
        self.horizon = horizon
        self.window = window
        self.past = tuple(past)
        self.known = tuple(known)
        self.frequency = frequency
        self.timed = timed
        self.time_format = time_format
        self.time_zone = time_zone
        self.several = several
        self.counts = counts
        self.notes: list[str] = []
        self.steps = None if frequency is None else Frequency.parse(frequency)
        usual = 1 if self.steps is None else self.steps.season
        self.season = usual if season is None else season
        self._targets: Scaling | None = None
        self._sizes: Floats = np.ones(len(self.targets))
        self._past: Scaling | None = None
        self._known: Scaling | None = None
        self._cycles: tuple[str, ...] = ()
        self._items: dict[str | int, int] = {}

    @property
    def means(self) -> Floats:
        """Mean of every target over the training rows, (n,)."""
        return fitted(self._targets, self.kind).mean

    @property
    def deviations(self) -> Floats:
        """Standard deviation of every target over the training rows, (n,); 1 if constant."""
        return fitted(self._targets, self.kind).sd

    @property
    def sizes(self) -> Floats:
        """Mean absolute value of every target over the training rows, (n,), above 0."""
        return self._sizes

    @property
    def items(self) -> list[str | int]:
        """The items of the training rows, in the order of their ids 1, 2, …."""
        return list(self._items)

    def reads_numbers(self, name: str) -> bool:
        """Tell targets and covariates from times and items."""
        return name in {*self.targets, *self.past, *self.known}

    def kind_of_column(self, name: str) -> str:
        """Return `series`, which all columns of a forecast hold."""
        del name
        return "series"

    @property
    def layout(self) -> Layout:
        """The number of columns of each sort in an encoded step."""
        ages = int(self.several)
        return Layout(
            values=len(self.targets),
            past=0 if self._past is None else self._past.size,
            known=(0 if self._known is None else self._known.size) + len(self._cycles) + ages,
            items=len(self._items) + 1 if self.several else 0,
        )

    @property
    def encoding(self) -> Encoding:
        """The layout of a step."""
        layout = self.layout
        numbers = layout.values + layout.past + layout.known
        return Encoding(numbers=numbers, ids=(layout.items,) if layout.items else ())

    @property
    def description(self) -> str:
        """What a value is, in words."""
        return ", ".join([*self.targets, *self.past, *self.known, *self._cycles])

    def fit(self, values: Iterable[Any]) -> ForecastFeature:
        """Learn scales, items and calendar cycles from the training series.

        Raises:
            DataError: there is no series, a column has no value, or a series is malformed.
        """
        targets, sizes = Moments(len(self.targets)), Moments(len(self.targets))
        past, known = Moments(len(self.past)), Moments(len(self.known))
        span = 0
        for value in values:
            cells = self._cells(value)
            self._check_counts(cells.targets)
            targets.add(cells.targets)
            sizes.add(np.abs(cells.targets))
            past.add(cells.past)
            known.add(cells.known)
            if cells.times is not None and len(cells.times):
                walls = _walls(cells.times)
                span = max(span, int(walls[-1] - walls[0]))
            if self.several:
                self._items.setdefault(cells.item, len(self._items) + 1)
        names = [f"column {name!r}" for name in self.targets]
        self._targets, notes = targets.scaling("standard", names)
        self.notes = [note for note in notes if "is constant" in note]
        self._sizes = np.where(sizes.mean > 0, sizes.mean, 1.0)
        self._past = self._scaling(past, self.past)
        self._known = self._scaling(known, self.known)
        missing = int(targets.missing.sum())
        if missing:
            self.notes.append(
                f"{counted(missing, 'missing training value')} of {', '.join(self.targets)}: "
                "marked as missing and left out of the loss."
            )
        if self.timed and self.steps is not None:
            self._cycles = fitting_cycles(self.steps, span)
        return self

    def encode(self, value: Any) -> Tensor:
        """Turn a series into floats, (T, columns), where T is the length of its longest cell.

        Raises:
            DataError: the value is no such series.
        """
        cells = self._cells(value)
        self._check_counts(cells.targets)
        steps = max(len(cells.targets), len(cells.known) if self.known else 0)
        steps = max(steps, 0 if cells.times is None else len(cells.times))
        parts = [
            _padded(cells.targets, steps, np.nan),
            _padded(self._scaled(self._past, cells.past, self.past), steps, 0.0),
            self._scaled(self._known, cells.known, self.known),
        ]
        if self._cycles and cells.times is not None:
            parts.append(calendar_columns(_walls(cells.times), self._cycles))
        if self.several:
            parts.append(np.log1p(np.arange(steps))[:, None])
            parts.append(np.full((steps, 1), self._items.get(cells.item, 0)))
        rows = [part for part in parts if part.shape[1]]
        return torch.from_numpy(np.concatenate(rows, 1).astype(np.float32))

    def decode(self, encoded: Tensor) -> list[list[float]]:
        """Return the targets of encoded steps, (T, …), NaN where missing."""
        values: list[list[float]] = encoded[:, : len(self.targets)].double().tolist()
        return values

    def to_json(self) -> dict[str, Any]:
        """Describe the feature in JSON values, for `from_json`."""
        options = {
            "targets": list(self.targets),
            "horizon": self.horizon,
            "window": self.window,
            "season": self.season,
            "past": list(self.past),
            "known": list(self.known),
            "frequency": self.frequency,
            "timed": self.timed,
            "time_format": self.time_format,
            "time_zone": self.time_zone,
            "several": self.several,
            "counts": self.counts,
        }
        learned = {
            "scaling": fitted(self._targets, self.kind).to_json(),
            "sizes": self._sizes.tolist(),
            "past_scaling": None if self._past is None else self._past.to_json(),
            "known_scaling": None if self._known is None else self._known.to_json(),
            "cycles": list(self._cycles),
            "items": self.items,
        }
        return feature_state(self.kind, options, learned)

    @classmethod
    def from_json(cls, state: Mapping[str, Any]) -> ForecastFeature:
        """Restore a feature from `to_json`.

        Raises:
            DataError: the state is malformed.
        """
        maybe = (dict, type(None))
        entries: dict[str, Any] = {"scaling": dict, "sizes": list, "cycles": list, "items": list}
        entries |= {"past_scaling": maybe, "known_scaling": maybe}
        feature, learned = restore(cls, state, entries)
        feature._targets = Scaling.from_json(learned["scaling"], cls.kind)
        feature._sizes = np.array(learned["sizes"], np.float64)
        covariates = [
            None if learned[name] is None else Scaling.from_json(learned[name], cls.kind)
            for name in ("past_scaling", "known_scaling")
        ]
        feature._past, feature._known = covariates
        feature._cycles = tuple(learned["cycles"])
        feature._items = {item: place for place, item in enumerate(learned["items"], start=1)}
        return feature

    def unknown_items(self, items: Iterable[str | int]) -> list[str]:
        """Note the items that do not occur in training and are read as unknown."""
        new = [item for item in items if item not in self._items]
        if not self.several or not new:
            return []
        listed = ", ".join(map(repr, new[:SHOWN]))
        more = f" and {len(new) - SHOWN} more" if len(new) > SHOWN else ""
        return [f"items not in the training rows are forecast as unknown: {listed}{more}."]

    def _cells(self, value: Any) -> _Cells:
        """Split a value into its cells, each checked."""
        names = [*self.targets, *self.past, *self.known]
        count = len(names) + self.timed + self.several
        cells = list(value) if count > 1 else [value]
        if len(cells) != count:
            raise DataError(f"a series must be the list of {count} cells, got {shown(value)}.")
        item = cells.pop() if self.several else None
        times = np.asarray(cells.pop()) if self.timed else None
        columns = [np.asarray(cell, np.float64) for cell in cells]
        n, past = len(self.targets), len(self.targets) + len(self.past)
        return _Cells(
            _side_by_side(columns[:n]),
            _side_by_side(columns[n:past]),
            _side_by_side(columns[past:]),
            times,
            item,
        )

    def _check_counts(self, targets: Floats) -> None:
        wrong = np.zeros(targets.shape, bool)
        if self.counts:
            wrong = (targets < 0) | (targets != np.round(targets)) & ~np.isnan(targets)
        if wrong.any():
            step, column = np.argwhere(wrong)[0]
            raise DataError(
                f"{self.targets[column]} is {targets[step, column]:g} at step {step} of the series "
                "that begins here, and distribution = 'negative-binomial' is for counts 0, 1, 2, "
                "…; correct it, or use 'gaussian' or 'student-t'."
            )

    def _scaling(self, moments: Moments, names: Sequence[str]) -> Scaling | None:
        if not names:
            return None
        scaling, notes = moments.scaling("standard", [f"column {name!r}" for name in names])
        self.notes += notes
        return scaling

    @staticmethod
    def _scaled(scaling: Scaling | None, values: Floats, names: Sequence[str]) -> Floats:
        if scaling is None:
            return np.empty((len(values), 0))
        return scaling.encode(values, [f"column {name!r}" for name in names])


class _Cells(NamedTuple):
    """The cells of one series."""

    targets: Floats
    past: Floats
    known: Floats
    times: NDArray[Any] | None
    item: Any


def _walls(times: NDArray[Any]) -> NDArray[Any]:
    """Return what the clocks show at each step, or its number, (T,)."""
    return times[:, 1] if times.ndim == 2 else times


def _side_by_side(columns: Sequence[Floats]) -> Floats:
    """Stack columns of equal length, (T, columns)."""
    return np.stack(columns, 1) if columns else np.empty((0, 0))


def _padded(values: Floats, steps: int, padding: float) -> Floats:
    """Pad columns, (T, n), at the end to a number of steps."""
    return np.pad(values, ((0, steps - len(values)), (0, 0)), constant_values=padding)
