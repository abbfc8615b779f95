"""The columns of series to forecast: those of a value, and those of an encoded step."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from elman.errors import DataError, OptionError
from elman.features.checks import blank, shown
from elman.features.places import Places, places_of_numbers
from elman.features.scaling import Floats, Scaling


class Layout(NamedTuple):
    """The columns of an encoded step, in their order: numbers, then ids.

    values, past, known · past ids, known ids, item
    """

    values: int
    """Targets, unscaled; NaN where missing."""
    past: int
    """Columns known only for the past: scaled covariates, and marks of missing values."""
    known: int
    """Columns also known for the future: covariates, marks of missing values, static numbers,
    calendar, age."""
    items: int
    """Number of item ids, including the unknown id 0; 0 without item ids."""
    past_ids: tuple[int, ...] = ()
    """Number of ids of each category known only for the past, including the unknown id 0."""
    known_ids: tuple[int, ...] = ()
    """Number of ids of each category also known for the future, static ones included."""

    @property
    def ids(self) -> tuple[int, ...]:
        """Number of ids of every column of ids, that of the item last."""
        return (*self.past_ids, *self.known_ids, *((self.items,) if self.items else ()))

    @property
    def numbers(self) -> int:
        """Number of columns of numbers."""
        return self.values + self.past + self.known

    @property
    def columns(self) -> int:
        """Number of columns."""
        return self.numbers + len(self.ids)


class Cells(NamedTuple):
    """The cells of one series by their roles, a list of one cell a column, in their order."""

    targets: list[Any]
    past: list[Any]
    known: list[Any]
    past_categories: list[Any]
    known_categories: list[Any]
    static: list[Any]
    static_categories: list[Any]
    time: list[Any]
    """Of one cell; empty without times."""
    item: list[Any]
    """Of one cell; empty where there is only one series."""

    @property
    def value(self) -> Any:
        """The list of the cells; a single cell itself."""
        cells = [cell for role in self for cell in role]
        return cells if len(cells) > 1 else cells[0]

    def numbers(self, role: str) -> Floats:
        """Return the numbers of a role side by side, (T, columns); a single step of static ones."""
        columns = getattr(self, role)
        return side_by_side([[number] for number in columns] if role == "static" else columns)


def split(value: Any, counts: Sequence[int]) -> Cells:
    """Split a value into its cells, so many of each role.

    Raises:
        DataError: there are more or fewer.
    """
    cells = list(value) if sum(counts) > 1 else [value]
    if len(cells) != sum(counts):
        raise DataError(f"a series must be the list of {sum(counts)} cells, got {shown(value)}.")
    ends = np.cumsum(counts).tolist()
    return Cells(*(cells[end - count : end] for count, end in zip(counts, ends, strict=True)))


def check_counts(targets: Floats, names: Sequence[str]) -> None:
    """Refuse targets, (T, n), that are not whole, or below 0.

    Raises:
        DataError: one is; its step is named.
    """
    wrong = (targets < 0) | (targets != np.round(targets)) & ~np.isnan(targets)
    if wrong.any():
        step, column = np.argwhere(wrong)[0]
        raise DataError(
            f"{names[column]} is {targets[step, column]:g} at step {step} of the series that "
            "begins here, and distribution = 'negative-binomial' is for counts 0, 1, 2, …; "
            "correct it, or use 'gaussian' or 'student-t'."
        )


def places_of_covariate(
    name: str, before: int, columns: Mapping[str, Sequence[str]], scalings: Mapping[str, Scaling]
) -> Places:
    """Return where the numbers of a covariate, and their marks, are in an encoded step.

    Args:
        name: of the column.
        before: columns before the first covariate.
        columns: role → the names of its columns of numbers, in their order.
        scalings: role → the scaling of all of these.

    Raises:
        OptionError: the column is none of them.
    """
    for role, names in columns.items():
        if name in names:
            own = places_of_numbers(scalings[role], [1] * len(names), names.index(name))
            return Places(tuple(before + place for place in own.columns or ()))
        before += scalings[role].size if names else 0
    known = ", ".join(each for names in columns.values() for each in names)
    raise OptionError(f"{name!r} is no covariate of numbers; these are: {known or 'none'}.")


def walls_in(times: NDArray[Any]) -> NDArray[Any]:
    """Return what the clocks show at each step, or its number, (T,)."""
    return times[:, 1] if times.ndim == 2 else times


def subjects(names: Sequence[str]) -> list[str]:
    """Return what columns are called in errors."""
    return [f"column {name!r}" for name in names]


def side_by_side(columns: Sequence[Any]) -> Floats:
    """Stack columns of equal length, (T, columns); None is NaN."""
    if not columns:
        return np.empty((0, 0))
    return np.stack([np.asarray(column, np.float64) for column in columns], 1)


def padded(values: NDArray[Any], steps: int, padding: float) -> NDArray[Any]:
    """Pad columns, (T, n), at the end to a number of steps."""
    return np.pad(values, ((0, steps - len(values)), (0, 0)), constant_values=padding)


def named_where(names: Sequence[Any], observed: NDArray[np.bool_]) -> list[Any]:
    """Leave out the blank names of steps that are not observed, which may have no row at all."""
    seen = [*observed.tolist(), *[False] * (len(names) - len(observed))]
    return [name for name, is_seen in zip(names, seen, strict=False) if is_seen or not blank(name)]
