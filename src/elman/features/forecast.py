"""Series to forecast: targets, covariates, calendar and item."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor

from elman.data.frequency import Frequency
from elman.errors import counted
from elman.features.calendar import calendar_columns, fitting_cycles
from elman.features.categories import Categories
from elman.features.checks import check_whole, fitted
from elman.features.feature import Encoding, Feature
from elman.features.forecast_columns import (
    Cells,
    Layout,
    check_counts,
    named_where,
    padded,
    places_of_covariate,
    side_by_side,
    subjects,
    walls_in,
)
from elman.features.forecast_roles import ForecastRoles
from elman.features.logarithms import Logarithms
from elman.features.places import Places
from elman.features.scaling import Floats, Moments, Scaling
from elman.features.state import feature_state, restore

_SCALED = {
    "targets": "scaling",
    "past": "past_scaling",
    "known": "known_scaling",
    "static": "static_scaling",
}
"""Roles of columns of numbers → the entries of the JSON with their scaling."""

_LISTS = ("targets", "seasons", "past", "known")
_SINGLE = (
    *("horizon", "window", "season", "frequency", "timed", "time_format", "time_zone"),
    *("several", "reads_items", "reads_age", "counts", "logarithms"),
)
_OPTIONAL = ("past_categories", "known_categories", "static", "static_categories")
"""Options that the JSON holds only where they name columns."""


class ForecastFeature(ForecastRoles, Feature):
    """Series on a regular grid of times, from which windows and horizons are cut.

    A value is a series: the list of the cells of the targets, the past covariates, the known
    covariates, the past and the known categories, the static numbers and categories, the time and
    the item, as far as they exist. Targets, covariates and times are numbers, one a step, (T,), NaN
    where missing; a date is the pair of the instant in UTC and of what the clocks show, in
    microseconds since 1970, (T, 2). Categories are a name a step, None where missing; what is
    static is a single number or name. Targets and what is known only of the past may end earlier
    than the known covariates and times, which then cover the steps ahead.

        encoded step = targets, past covariates, known covariates, static numbers, calendar, age,
                       ids of past categories, of known and of static ones, item's id

    Covariates are scaled like those of a `series`, static numbers over the series, one of each.
    Targets are not scaled, because each window is scaled by itself. The age, in data with several
    series, is ln (1 + steps since the first one). What is static is the same at every step. The id
    0 stands for a missing name, and for one that no training row has.

    Args:
        targets: columns to forecast.
        horizon: number of steps ahead.
        window: window length in steps.
        seasons: season lengths in steps, ascending.
        season: that of MASE; by default the shortest, or the usual one for the frequency.
        past: covariates that are known only for the past.
        known: covariates whose future values are known.
        past_categories: categories that are known only for the past.
        known_categories: categories whose future names are known.
        static: numbers of which each series has one.
        static_categories: categories of which each series has one.
        frequency: time between steps, as `Frequency.parse` reads it; None without times.
        timed: whether there is a column of times.
        time_format: how its times are written, as `elman.data.times.TimeColumn` has it.
        time_zone: name of their zone, where it is known.
        several: whether a column says which item each series belongs to.
        reads_items: whether a step says which item it is of, where there are several.
        reads_age: whether a step says its age, where there are several.
        counts: whether targets must be 0, 1, 2, ….
        logarithms: whether targets are encoded as their natural logarithms. A value that is not
            above 0 is read as the lowest of the training rows.

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
        seasons: Sequence[int] = (),
        season: int | None = None,
        past: Sequence[str] = (),
        known: Sequence[str] = (),
        past_categories: Sequence[str] = (),
        known_categories: Sequence[str] = (),
        static: Sequence[str] = (),
        static_categories: Sequence[str] = (),
        frequency: str | None = None,
        timed: bool = False,
        time_format: str | None = None,
        time_zone: str | None = None,
        several: bool = False,
        reads_items: bool = True,
        reads_age: bool = True,
        counts: bool = False,
        logarithms: bool = False,
    ) -> None:
        self.targets = tuple(targets)
        self.horizon = check_whole("horizon", horizon, least=1)
        self.window = check_whole("window", window, least=1)
        self.past = tuple(past)
        self.known = tuple(known)
        self.past_categories = tuple(past_categories)
        self.known_categories = tuple(known_categories)
        self.static = tuple(static)
        self.static_categories = tuple(static_categories)
        self.frequency = frequency
        self.timed = timed
        self.time_format = time_format
        self.time_zone = time_zone
        self.several = several
        self.reads_items = several and reads_items
        self.reads_age = several and reads_age
        self.counts = counts
        self.logarithms = logarithms
        self._logarithms: Logarithms | None = None
        self.notes: list[str] = []
        self.steps = None if frequency is None else Frequency.parse(frequency)
        usual = 1 if self.steps is None else self.steps.season
        self.seasons = tuple(seasons)
        self.season = season or next(iter(self.seasons), usual)
        self._scalings: dict[str, Scaling] = {}
        self._sizes: Floats = np.ones(len(self.targets))
        self.categories = Categories(self.named)
        self._cycles: tuple[str, ...] = ()
        self._items: dict[str | int, int] = {}

    @property
    def means(self) -> Floats:
        """Mean of every target over the training rows, (n,)."""
        return self._scaling_of_targets.mean

    @property
    def deviations(self) -> Floats:
        """Standard deviation of every target over the training rows, (n,); 1 if constant."""
        return self._scaling_of_targets.sd

    @property
    def _scaling_of_targets(self) -> Scaling:
        return fitted(self._scalings.get("targets"), self.kind)

    @property
    def sizes(self) -> Floats:
        """Mean absolute value of every target over the training rows, (n,), above 0."""
        return self._sizes

    @property
    def items(self) -> list[str | int]:
        """The items of the training rows, in the order of their ids 1, 2, …."""
        return list(self._items)

    def places_of(self, name: str) -> Places:
        """Return the places of a covariate's numbers and marks, or of its ids."""
        if name in self.named:
            return Places((self.layout.numbers + self.named.index(name),))
        numbers = {role: getattr(self, role) for role in _SCALED if role != "targets"}
        return places_of_covariate(name, len(self.targets), numbers, self._scalings)

    @property
    def layout(self) -> Layout:
        """The number of columns of each sort in an encoded step."""
        sizes = {role: scaling.size for role, scaling in self._scalings.items()}
        ids = [self.categories.size(column) for column in self.named]
        covariates = sizes.get("known", 0) + sizes.get("static", 0)
        return Layout(
            values=len(self.targets),
            past=sizes.get("past", 0),
            known=covariates + len(self._cycles) + int(self.reads_age),
            items=len(self._items) + 1 if self.reads_items else 0,
            past_ids=tuple(ids[: len(self.past_categories)]),
            known_ids=tuple(ids[len(self.past_categories) :]),
        )

    @property
    def encoding(self) -> Encoding:
        """The layout of a step."""
        return Encoding(numbers=self.layout.numbers, ids=self.layout.ids)

    @property
    def description(self) -> str:
        """What a value is, in words."""
        columns = (*self.targets, *self.past, *self.past_categories)
        return ", ".join([*columns, *self.known, *self.known_categories, *self._cycles])

    def fit(self, values: Iterable[Any]) -> ForecastFeature:
        """Learn scales, names, items and calendar cycles from the training series.

        Raises:
            DataError: there is no series, a column has no value, or a series is malformed.
        """
        if self.logarithms:
            values = list(values)
            self._logarithms = Logarithms.fitted(len(self.targets), map(self.values_of, values))
        columns = {role: getattr(self, role) for role in _SCALED}
        moments = {role: Moments(len(names)) for role, names in columns.items()}
        sizes = Moments(len(self.targets))
        span = 0
        for value in values:
            cells = self.cells(value)
            targets = self._checked_targets(cells)
            sizes.add(np.abs(targets))
            for role in _SCALED:
                of_targets = role == "targets"
                moments[role].add(self._coded(targets) if of_targets else cells.numbers(role))
            observed = np.any(~np.isnan(targets), axis=1)
            for column, names in self.named_cells(cells):
                single = column in self.static_categories
                self.categories.count(column, names if single else named_where(names, observed))
            for times in map(np.asarray, cells.time):
                walls = walls_in(times)
                span = max(span, int(walls[-1] - walls[0]) if len(walls) else 0)
            for item in cells.item:
                self._items.setdefault(item, len(self._items) + 1)
        self._sizes = np.where(sizes.mean > 0, sizes.mean, 1.0)
        self.notes = []
        for role, names in columns.items():
            if names:
                scaling, notes = moments[role].scaling("standard", subjects(names))
                self._scalings[role] = scaling
                of_targets = role == "targets"  # whose missing values are counted together
                self.notes += [n for n in notes if not of_targets or "is constant" in n]
        self.notes += self.categories.learn()
        missing = int(moments["targets"].missing.sum())
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
        cells = self.cells(value)
        targets = self._checked_targets(cells)
        ahead = (*cells.known, *cells.known_categories, *cells.time)
        steps = max(len(targets), *map(len, ahead), 0)
        parts = [
            padded(self._coded(targets), steps, np.nan),
            padded(self._scaled(cells, "past"), steps, 0.0),
            self._scaled(cells, "known"),
            np.repeat(self._scaled(cells, "static"), steps, axis=0),
        ]
        if self._cycles:
            parts += [calendar_columns(walls_in(np.asarray(t)), self._cycles) for t in cells.time]
        if self.reads_age:
            parts.append(np.log1p(np.arange(steps))[:, None])
        for column, names in self.named_cells(cells):
            ids = self.categories.ids(column, names)[:, None]
            single = column in self.static_categories
            parts.append(np.repeat(ids, steps, axis=0) if single else padded(ids, steps, 0))
        for item in cells.item if self.reads_items else ():
            parts.append(np.full((steps, 1), self._items.get(item, 0)))
        rows = [part for part in parts if part.shape[1]]
        return torch.from_numpy(np.concatenate(rows, 1).astype(np.float32))

    def decode(self, encoded: Tensor) -> list[list[float]]:
        """Return the targets of encoded steps, (T, …), NaN where missing."""
        values = self.in_units(encoded[:, : len(self.targets)].double().numpy())
        return values.tolist()  # type: ignore[no-any-return]

    def in_units(self, coded: Floats) -> Floats:
        """Return encoded targets in their own unit, (…, n)."""
        return coded if self._logarithms is None else self._logarithms.uncode(coded)

    def values_of(self, value: Any) -> Floats:
        """Return the targets of a series in their own unit, (T, n), NaN where missing."""
        return self._checked_targets(self.cells(value))

    def _coded(self, targets: Floats) -> Floats:
        """Encode targets, (T, n)."""
        return targets if self._logarithms is None else self._logarithms.code(targets)

    def to_json(self) -> dict[str, Any]:
        """Describe the feature in JSON values, for `from_json`."""
        options = {name: getattr(self, name) for name in _SINGLE}
        options |= {name: list(getattr(self, name)) for name in _LISTS}
        options |= {name: list(getattr(self, name)) for name in _OPTIONAL if getattr(self, name)}
        scalings = {role: scaling.to_json() for role, scaling in self._scalings.items()}
        learned = {
            "scaling": self._scaling_of_targets.to_json(),
            "sizes": self._sizes.tolist(),
            "past_scaling": scalings.get("past"),
            "known_scaling": scalings.get("known"),
            "cycles": list(self._cycles),
            "items": self.items,
        }
        if self._logarithms is not None:
            learned["lowest"] = self._logarithms.lowest.tolist()
        if self.static or self.named:
            learned["static_scaling"] = scalings.get("static")
            learned["categories"] = self.categories.to_json()
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
        if (state.get("options") or {}).get("logarithms"):
            entries["lowest"] = list
        if any(name in (state.get("options") or ()) for name in _OPTIONAL):
            entries |= {"static_scaling": maybe, "categories": dict}
        feature, learned = restore(cls, state, entries)
        feature._scalings = {
            role: Scaling.from_json(learned[name], cls.kind)
            for role, name in _SCALED.items()
            if learned.get(name) is not None
        }
        if feature.logarithms:
            feature._logarithms = Logarithms(np.array(learned["lowest"], np.float64))
        feature._sizes = np.array(learned["sizes"], np.float64)
        feature.categories = Categories.from_json(learned.get("categories", {}), cls.kind)
        feature._cycles = tuple(learned["cycles"])
        feature._items = {item: place for place, item in enumerate(learned["items"], start=1)}
        return feature

    def _checked_targets(self, cells: Cells) -> Floats:
        """Return the targets side by side, (T, n); counts must be whole and at least 0."""
        targets = side_by_side(cells.targets)
        if self.counts:
            check_counts(targets, self.targets)
        return targets

    def _scaled(self, cells: Cells, role: str) -> Floats:
        """Scale the numbers of a role; (…, 0) where it has no columns."""
        numbers = cells.numbers(role)
        if role not in self._scalings:
            return numbers
        return self._scalings[role].encode(numbers, subjects(getattr(self, role)))
