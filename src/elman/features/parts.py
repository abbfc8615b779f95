"""Features of several columns that are made of others: what they have in common."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from types import MappingProxyType
from typing import Any, ClassVar, Self

import torch
from torch import Tensor

from elman.errors import DataError, OptionError, counted
from elman.features.checks import blank, shown
from elman.features.feature import Encoding, Feature
from elman.features.kinds import feature_from_json
from elman.features.state import check_entries, malformed

MOST_COLUMNS = 12
"""Columns that a description lists, at most."""


@dataclass(frozen=True)
class Part:
    """A feature, and the columns that it reads.

    Attributes:
        columns: their names; a value is the cell of one, or the list of the cells of several.
        feature: what they are read as.
    """

    columns: tuple[str, ...]
    feature: Any

    @property
    def name(self) -> str:
        """The columns, as a message names them."""
        return ", ".join(self.columns)

    @property
    def has_steps(self) -> bool:
        """Whether a value is a sequence."""
        return bool(self.feature.has_steps)

    @property
    def reads_files(self) -> bool:
        """Whether a value may be the path of a file."""
        return bool(self.feature.reads_files)

    def encode(self, value: Any) -> Tensor:
        """Turn a value into a tensor; a missing sequence has no steps, a missing picture is grey.

        Raises:
            DataError: the value is malformed; the caller adds file, row and columns.
        """
        feature: Feature = self.feature
        if self._is_missing(value):
            return empty(feature.encoding, has_steps=feature.has_steps)
        alone = feature.of_columns and len(self.columns) == 1
        return feature.encode([value] if alone else value)

    def _is_missing(self, value: Any) -> bool:
        """Tell whether a value is missing, and its feature does not read gaps itself."""
        if self.feature.of_columns or self.feature.is_set or self.feature.parts:
            return False
        return all(map(self.feature.lacks, value if len(self.columns) > 1 else [value]))

    def to_json(self) -> dict[str, Any]:
        """Describe the part in JSON values."""
        return {"columns": list(self.columns), "feature": self.feature.to_json()}


def empty(encoding: Encoding, *, has_steps: bool) -> Tensor:
    """Return the encoding of a missing value: no steps, or zeros.

    >>> empty(Encoding(ids=(30,)), has_steps=True).shape
    torch.Size([0])
    """
    steps = (0,) if has_steps else ()
    dtype = torch.float32 if encoding.numbers or encoding.picture else torch.int64
    if encoding.picture is not None:
        return torch.zeros(*steps, *encoding.picture)
    lone = encoding.columns == len(encoding.ids) == 1
    return torch.zeros(steps if lone else (*steps, encoding.columns), dtype=dtype)


def training_value(part: Part, value: Any) -> tuple[Any, ...]:
    """Return the value that a part is fitted on; nothing where it is missing.

    Args:
        part: its feature and its columns.
        value: of a training row, as `Table.values` gives it.
    """
    if part.feature.of_columns:
        return ([value] if len(part.columns) == 1 else value,)
    several = len(part.columns) > 1 or part.feature.parts or part.feature.is_set
    kept = several or part.feature.reads_gaps
    return () if not kept and blank(value) else (value,)


class PartsFeature(Feature):
    """Several columns, each read by the feature of a part.

    A value is the list of their cells, in the order of the parts' columns, or a mapping from their
    names. Each part is fitted on its own cells, without those that are missing.

    Args:
        parts: the features, not yet fitted or fitted.

    Raises:
        OptionError: there is no part.
    """

    entries: ClassVar[Mapping[str, type]] = MappingProxyType({"parts": list})
    """What `to_json` says was learned: names → types."""

    def __init__(self, parts: Sequence[Part]) -> None:
        if not parts:
            raise OptionError("parts must name at least one, got none.")
        self.parts = tuple(parts)
        self.notes = []

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of all columns, in order."""
        return tuple(name for part in self.parts for name in part.columns)

    @property
    def main(self) -> Feature:
        """The feature of the first part, which says how a network reads the value."""
        main: Feature = self.parts[0].feature
        return main.main

    @property
    def reads_files(self) -> bool:  # type: ignore[override]
        """Whether a value of a part may be the path of a file."""
        return any(part.reads_files for part in self.parts)

    @property
    def reads_categories(self) -> bool:  # type: ignore[override]
        """Whether a part may hold categories that `never_learned` finds."""
        return any(part.feature.reads_categories for part in self.parts)

    @property
    def description(self) -> str:
        """What a value is, in words: each column, and what it holds."""
        described = [
            f"{name} ({part.feature.description_of(name)})"
            for part in self.parts
            for name in part.columns
        ]
        more = len(described) - MOST_COLUMNS
        listed = ", ".join(described[:MOST_COLUMNS])
        return f"{listed} and {counted(more, 'other column')}" if more > 0 else listed

    def description_of(self, name: str) -> str:
        """Describe a column."""
        return self._part_of(name).feature.description_of(name)  # type: ignore[no-any-return]

    def fit(self, values: Iterable[Any]) -> Self:
        """Fit each part on its cells of the training values.

        Raises:
            DataError: there is no value, or a cell is malformed.
        """
        rows = list(values)
        for parts in self.fitted_together():
            given = (
                training_value(part, self.of_part(part, row)) for part in parts for row in rows
            )
            parts[0].feature.fit(chain.from_iterable(given))
        self.take_notes()
        return self

    def fitted_together(self) -> list[list[Part]]:
        """Group the parts that have their feature in common."""
        groups: dict[int, list[Part]] = {}
        for part in self.parts:
            groups.setdefault(id(part.feature), []).append(part)
        return list(groups.values())

    def take_notes(self) -> None:
        """Collect the notes of the parts, once they are fitted."""
        self.notes = []
        for parts in self.fitted_together():
            columns = [name for part in parts for name in part.columns]
            for note in parts[0].feature.notes:
                named = parts[0].feature.parts or any(f"column {n!r}" in note for n in columns)
                self.notes.append(note if named else f"{' and '.join(columns)}: {note}")

    def of_part(self, part: Part, value: Any) -> Any:
        """Return a part's value in that of all columns."""
        cells = self._cells(value)
        own = [cells[name] for name in part.columns]
        return own if len(own) > 1 else own[0]

    def encoded(self, part: Part, value: Any) -> Tensor:
        """Encode a part's cells of a row.

        Raises:
            DataError: a cell is malformed; the part's columns are named.
        """
        own = self.of_part(part, value)
        try:
            return part.encode(own)
        except DataError as error:
            raise DataError(f"{part.name}: {error}") from error

    @abstractmethod
    def encode(self, value: Any) -> Any:
        """Turn the cells of a row into a tensor, or a tensor for each part."""

    def decoded(self, encoded: Sequence[Tensor]) -> list[Any]:
        """Return the cells of encoded parts, one a column."""
        cells: list[Any] = []
        for part, x in zip(self.parts, encoded, strict=True):
            several = part.feature.of_columns or len(part.columns) > 1
            own = part.feature.decode(x)
            cells.extend(own if several else [own])
        return cells

    def feature_of(self, name: str) -> Feature:
        """Return the feature that reads a column."""
        feature: Feature = self._part_of(name).feature
        return feature.feature_of(name)

    def kind_of_column(self, name: str) -> str:
        """Return what a page says that a column holds."""
        return str(self._part_of(name).feature.kind_of_column(name))

    def reads_numbers(self, name: str) -> bool:
        """Tell whether the cells of a column are read as numbers."""
        return bool(self._part_of(name).feature.reads_numbers(name))

    def column_has_steps(self, name: str) -> bool:
        """Tell whether the cells of a column are sequences."""
        return self._part_of(name).has_steps

    def never_learned(self, value: Any) -> Mapping[int, Any]:
        """Find categories that no training row has, by the places of their columns."""
        found: dict[int, Any] = {}
        columns = list(self.columns)
        for part in self.parts:
            if part.feature.reads_categories:
                own = self.of_part(part, value)
                of_columns = part.feature.of_columns and len(part.columns) == 1
                new = part.feature.never_learned([own] if of_columns else own)
                found |= {columns.index(part.columns[place]): name for place, name in new.items()}
        return found

    def read_as_mean(self, value: Any) -> list[int]:
        """List the places of missing numbers that no training row lacks, read as their mean."""
        columns = list(self.columns)
        found: list[int] = []
        for part in self.parts:
            if part.feature.of_columns:
                own = self.of_part(part, value)
                places = part.feature.read_as_mean([own] if len(part.columns) == 1 else own)
                found += [columns.index(part.columns[place]) for place in places]
        return found

    def shown(self, value: Any) -> str:
        """Show name and value of every column."""
        return ", ".join(f"{name} {shown_cell(cell)}" for name, cell in self._cells(value).items())

    def to_json(self) -> dict[str, Any]:
        """Describe the feature in JSON values, for `from_json`."""
        parts = [part.to_json() for part in self.parts]
        return {"kind": self.kind, "options": {}, "learned": {"parts": parts}}

    @classmethod
    def from_json(cls, state: Mapping[str, Any]) -> Self:
        """Restore a feature from `to_json`.

        Raises:
            DataError: the state is malformed.
        """
        if state.get("kind") != cls.kind:
            raise malformed(cls.kind, f"its kind is {state.get('kind')!r}")
        options, learned = state.get("options"), state.get("learned")
        if not isinstance(options, Mapping) or not isinstance(learned, Mapping):
            raise malformed(cls.kind, "it must hold 'options' and 'learned'")
        if options:
            raise malformed(cls.kind, f"it has the unknown options {sorted(options)}")
        check_entries(cls.kind, learned, cls.entries)
        try:
            return cls(cls.restored(learned))
        except OptionError as error:
            raise malformed(cls.kind, str(error)) from error

    @classmethod
    def restored(cls, learned: Mapping[str, Any]) -> list[Part]:
        """Restore the parts from what `to_json` says was learned.

        Raises:
            DataError: the state of a part is malformed.
        """
        parts = []
        for part in learned["parts"]:
            if not isinstance(part, Mapping):
                raise malformed(cls.kind, f"a part cannot be {shown(part)}")
            check_entries(cls.kind, part, {"columns": list, "feature": dict})
            parts.append(Part(tuple(part["columns"]), feature_from_json(part["feature"])))
        return parts

    def _part_of(self, name: str) -> Part:
        found: Part = next(part for part in self.parts if name in part.columns)
        return found

    def _cells(self, value: Any) -> dict[str, Any]:
        """Return the cells of a value by their columns.

        Raises:
            DataError: the value has other columns, or another number of cells.
        """
        columns = self.columns
        if len(columns) == 1 and not isinstance(value, Mapping):
            return {columns[0]: value}
        if isinstance(value, Mapping) and set(value) == set(columns):
            return {name: value[name] for name in columns}
        if not isinstance(value, list | tuple) or len(value) != len(columns):
            raise DataError(
                f"a value must be the list of {len(columns)} cells, {', '.join(columns)}, "
                f"got {shown(value)}."
            )
        return dict(zip(columns, value, strict=True))


def shown_cell(cell: Any) -> str:
    """Show a cell on one line, shortened."""
    if blank(cell):
        return "missing"
    if isinstance(cell, list | tuple) and all(isinstance(each, str) for each in cell):
        return " ".join(cell)
    return cell if isinstance(cell, str) else shown(cell)
