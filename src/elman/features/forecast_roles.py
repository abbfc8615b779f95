"""The columns of a forecast by their roles, and the cells of a series."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from elman.features.forecast_columns import Cells, split


class ForecastRoles:
    """Which columns are targets, covariates, static, time and item; see `ForecastFeature`."""

    targets: tuple[str, ...]
    past: tuple[str, ...]
    known: tuple[str, ...]
    past_categories: tuple[str, ...]
    known_categories: tuple[str, ...]
    static: tuple[str, ...]
    static_categories: tuple[str, ...]
    timed: bool
    several: bool

    def reads_numbers(self, name: str) -> bool:
        """Tell targets, covariates and static numbers from categories, times and items."""
        return name in {*self.targets, *self.past, *self.known, *self.static}

    def kind_of_column(self, name: str) -> str:
        """Return `series`, or the kind of what is static or a category."""
        if name in self.named:
            return "category"
        return "number" if name in self.static else "series"

    @property
    def fixed(self) -> tuple[str, ...]:
        """The columns of which each series has one value."""
        return (*self.static, *self.static_categories)

    def column_has_steps(self, name: str) -> bool:
        """Tell what changes along time from what a series has one of."""
        return name not in self.fixed

    @property
    def covariates(self) -> tuple[str, ...]:
        """The columns of the cells between the targets and the time."""
        per_step = (*self.past, *self.known, *self.past_categories, *self.known_categories)
        return (*per_step, *self.fixed)

    @property
    def named(self) -> tuple[str, ...]:
        """The columns of categories, in the order of their ids."""
        return (*self.past_categories, *self.known_categories, *self.static_categories)

    def cells(self, value: Any) -> Cells:
        """Split a value into its cells.

        Raises:
            DataError: there are more or fewer than the columns.
        """
        counts = [len(self.targets), len(self.past), len(self.known)]
        counts += [len(self.past_categories), len(self.known_categories)]
        counts += [len(self.static), len(self.static_categories), self.timed, self.several]
        return split(value, counts)

    def named_cells(self, cells: Cells) -> Iterator[tuple[str, list[Any]]]:
        """Yield each column of categories with its names, one a step; one alone where static."""
        yield from zip(self.past_categories, cells.past_categories, strict=True)
        yield from zip(self.known_categories, cells.known_categories, strict=True)
        for column, cell in zip(self.static_categories, cells.static_categories, strict=True):
            yield column, [cell]
