"""Several targets of a row: each a column with a feature of its own, encoded side by side."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, ClassVar, Self

import numpy as np
import torch
from torch import Tensor

from elman.errors import DataError, OptionError
from elman.features.checks import blank
from elman.features.feature import Encoding, Feature
from elman.features.kinds import feature_from_json
from elman.features.number import as_cells
from elman.features.state import feature_state, malformed

LARGEST_VOCABULARY = 2**24
"""Below this size float32 holds every id."""

MOST_DESCRIBED = 6
"""Maximum number of targets that a description names."""


class JointFeature(Feature):
    """Several targets of a row, all with steps or all without.

    A value is the list of cells, one a target. It is encoded as one row of floats, (n,) or (T, n):
    the encodings of the targets side by side, ids as floats. A target may be missing in a row: its
    columns are then NaN, in every step.

    Args:
        parts: column of each target → its feature, fitted.

    Raises:
        OptionError: some have steps and some have none, or a vocabulary is too large.

    >>> from elman.features.category import CategoryFeature
    >>> from elman.features.number import NumberFeature
    >>> size = CategoryFeature(as_target=True).fit(["big", "small"])
    >>> both = JointFeature({"size": size, "price": NumberFeature(as_target=True).fit([1, 3])})
    >>> both.encode(["small", 3]).tolist(), both.encode([None, 1]).tolist()
    ([1.0, 1.0], [nan, -1.0])
    >>> both.as_in_data(both.decode(both.encode(["small", 3])))
    {'size': 'small', 'price': 3.0}
    """

    kind: ClassVar[str] = "joint"
    plural: ClassVar[str] = "several targets"

    def __init__(self, parts: Mapping[str, Feature]) -> None:
        self.targets = dict(parts)
        self.notes = self._notes()
        if len({part.has_steps for part in self.targets.values()}) != 1:
            raise OptionError("the targets must all have steps, or all have none.")
        for name, part in self.targets.items():
            if max(part.encoding.ids, default=0) > LARGEST_VOCABULARY:
                raise OptionError(
                    f"column {name!r} has {max(part.encoding.ids):,} names; several targets may "
                    f"have {LARGEST_VOCABULARY:,} each at most. Predict it alone."
                )

    def _notes(self) -> list[str]:
        """Return the notes of all targets, each with its name."""
        return [f"{name}: {note}" for name, part in self.targets.items() for note in part.notes]

    @property
    def columns(self) -> list[str]:
        """The columns of the targets, in order."""
        return list(self.targets)

    @property
    def has_steps(self) -> bool:  # type: ignore[override]
        """Whether there is a value of each target a step."""
        return next(iter(self.targets.values())).has_steps

    @property
    def objectives(self) -> tuple[str, ...]:  # type: ignore[override]
        """The objective of several targets."""
        return ("step-joint",) if self.has_steps else ("joint",)

    @property
    def widths(self) -> list[int]:
        """How many columns of an encoded value each target has."""
        return [len(part.encoding.ids) + part.encoding.numbers for part in self.targets.values()]

    @property
    def encoding(self) -> Encoding:
        """All columns, ids among them, as numbers."""
        return Encoding(numbers=sum(self.widths))

    @property
    def description(self) -> str:
        """What a value is, in words."""
        each = [f"{part.description} ({name})" for name, part in self.targets.items()]
        if len(each) > MOST_DESCRIBED:
            rest = len(each) - MOST_DESCRIBED
            each = [*each[:MOST_DESCRIBED], f"{rest} more target{'s' * (rest > 1)}"]
        *others, last = each
        return f"{', '.join(others)} and {last}" if others else last

    def fit(self, values: Iterable[Any]) -> Self:
        """Learn each target from the rows that have it.

        Raises:
            DataError: a value is malformed, or a target is missing in all rows.
        """
        rows = [as_cells(value, self.columns) for value in values]
        for place, (name, part) in enumerate(self.targets.items()):
            try:
                part.fit(row[place] for row in rows if not lacks_target(part, row[place]))
            except DataError as error:
                raise DataError(f"{name}: {error}") from error
        self.notes = self._notes()
        return self

    def encode(self, value: Any) -> Tensor:
        """Turn cells into floats, (n,) or (T, n), float32; NaN where a target is missing.

        Raises:
            DataError: a cell is malformed, or targets differ in their steps; columns are named.
        """
        encoded: dict[str, Tensor | None] = {}
        for (name, part), cell in zip(
            self.targets.items(), as_cells(value, self.columns), strict=True
        ):
            try:
                encoded[name] = (
                    None if lacks_target(part, cell) else _as_columns(part, part.encode(cell))
                )
            except DataError as error:
                raise DataError(f"{name}: {error}") from error
        shape = (self._steps(encoded),) if self.has_steps else ()
        return torch.cat(
            [
                torch.full((*shape, width), math.nan) if columns is None else columns
                for columns, width in zip(encoded.values(), self.widths, strict=True)
            ],
            dim=-1,
        )

    def decode(self, encoded: Tensor) -> list[Any]:
        """Turn floats, (n,) or (T, n), back into a value of each target; None where it is NaN."""
        values: list[Any] = []
        for part, columns in zip(
            self.targets.values(), encoded.split(self.widths, dim=-1), strict=True
        ):
            if bool(columns.isnan().any()):
                values.append(None)
            else:
                ids = bool(part.encoding.ids)
                values.append(part.decode(columns[..., 0].long() if ids else columns))
        return values

    def as_in_data(self, value: Any) -> dict[str, Any]:
        """Return decoded predictions by their targets, in the form that the columns have."""
        return {
            name: part.as_in_data(each)
            for (name, part), each in zip(self.targets.items(), value, strict=True)
        }

    def feature_of(self, name: str) -> Feature:
        """Return the feature of one target."""
        return self.targets[name]

    def kind_of_column(self, name: str) -> str:
        """Return the kind of one target."""
        return self.targets[name].kind_of_column(name)

    def reads_numbers(self, name: str) -> bool:
        """Tell whether the cells of a target are read as numbers."""
        return self.targets[name].reads_numbers(name)

    def to_json(self) -> dict[str, Any]:
        """Describe the feature in JSON values, for `from_json`."""
        parts = {name: part.to_json() for name, part in self.targets.items()}
        return feature_state(self.kind, {}, {"parts": parts})

    @classmethod
    def from_json(cls, state: Mapping[str, Any]) -> Self:
        """Restore a feature from `to_json`.

        Raises:
            DataError: the state is malformed.
        """
        learned = state.get("learned")
        parts = learned.get("parts") if isinstance(learned, Mapping) else None
        if not isinstance(parts, Mapping) or not parts:
            raise malformed(cls.kind, "it must hold the 'parts' that were learned")
        try:
            return cls({name: feature_from_json(part) for name, part in parts.items()})
        except OptionError as error:
            raise malformed(cls.kind, str(error)) from error

    def _steps(self, encoded: Mapping[str, Tensor | None]) -> int:
        """Return T, which all targets that are there must have; 0 where none is."""
        steps = {name: len(each) for name, each in encoded.items() if each is not None}
        if not steps:
            return 0
        (first, count), *others = steps.items()
        for name, other in others:
            if other != count:
                raise DataError(
                    f"{first} and {name} must have the same number of steps, got {count} and "
                    f"{other}; correct the row, or leave it out."
                )
        return count


def lacks_target(part: Feature, cell: Any) -> bool:
    """Tell whether a cell holds no target: a blank one, unless it is a set of no names.

    Of targets with steps it holds none where no step has one, too.
    """
    if not part.has_steps:
        return blank(cell) and not part.is_set
    if isinstance(cell, np.ndarray):
        return cell.dtype.kind in "fO" and all(map(blank, cell.ravel().tolist()))
    return blank(cell) or (isinstance(cell, Sequence) and all(map(blank, cell)))


def _as_columns(part: Feature, encoded: Tensor) -> Tensor:
    """Give an encoded target its axis of columns, and make its ids floats."""
    return (encoded.unsqueeze(-1) if part.encoding.ids else encoded).float()
