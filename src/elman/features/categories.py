"""Several columns of categories beside each other: the vocabulary of each, and ids."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from elman.errors import DataError, counted
from elman.features.checks import blank
from elman.features.names import Changes, alike, tidy
from elman.features.state import check_entries
from elman.features.vocabulary import Name, NameCounter, Vocabulary, as_name


class Categories:
    """The categories of some columns: names ↔ ids, 0 for a missing or unknown name.

    Spaces around a name are dropped. The names of a column have the ids 1 … n in their order, as
    those of a `category` have.

    Args:
        columns: names of the columns.

    >>> weather = Categories(["sky"])
    >>> weather.count("sky", ["dry", "wet", None, "dry"])
    >>> weather.learn()
    ["column 'sky': 1 missing training value: read as unknown."]
    >>> weather.size("sky"), weather.ids("sky", ["wet ", "hail", "", "dry"]).tolist()
    (3, [2, 0, 0, 1])
    """

    def __init__(self, columns: Iterable[str]) -> None:
        self.columns = tuple(columns)
        self._counters = {name: NameCounter(_subject(name)) for name in self.columns}
        self._changes = {name: Changes() for name in self.columns}
        self._missing = dict.fromkeys(self.columns, 0)
        self._vocabularies: dict[str, Vocabulary] = {}
        self._gaps: set[str] = set()

    def count(self, column: str, cells: Iterable[Any]) -> None:
        """Count the names of some training cells.

        Raises:
            DataError: a cell holds no name.
        """
        counter, changes = self._counters[column], self._changes[column]
        for cell, times in Counter(cells).items():
            if blank(cell):
                self._missing[column] += times
            else:
                counter.add(changes.tidied(as_name(cell, _subject(column)), times), times)

    def learn(self) -> list[str]:
        """Make the vocabularies of what was counted, and say what was assumed.

        Raises:
            DataError: a column has no name.
        """
        notes = []
        for column in self.columns:
            counts = self._counters[column].counts
            if not counts:
                raise DataError(
                    f"{_subject(column)} is missing in all training rows; leave the column out."
                )
            self._vocabularies[column] = Vocabulary.by_name(counts, unknown=True)
            said = [*self._changes[column].notes, *alike(counts)]
            if missing := self._missing[column]:
                self._gaps.add(column)
                said.append(f"{counted(missing, 'missing training value')}: read as unknown.")
            notes += [f"{_subject(column)}: {note}" for note in said]
        return notes

    def size(self, column: str) -> int:
        """Return the number of ids of a column, including the unknown id 0."""
        return len(self._vocabularies[column])

    def has_gaps(self, column: str) -> bool:
        """Tell whether training cells of a column are missing, so that later ones may be."""
        return column in self._gaps

    def ids(self, column: str, cells: Sequence[Any]) -> NDArray[np.int64]:
        """Return the ids of some cells, (T,).

        Raises:
            DataError: a cell holds no name.
        """
        known: dict[Any, int] = {}
        for cell in cells:
            if cell not in known:
                known[cell] = self._id(column, cell)
        return np.fromiter((known[cell] for cell in cells), np.int64, len(cells))

    def unknown(self, column: str, cells: Iterable[Any]) -> list[Name]:
        """List the names of some cells that no training cell has, each as often as it occurs."""
        names = [tidy(as_name(cell, _subject(column))) for cell in cells if not blank(cell)]
        return [name for name in names if self._vocabularies[column].find(name) is None]

    def to_json(self) -> dict[str, Any]:
        """Describe the categories in JSON values."""
        return {
            column: {
                "vocabulary": self._vocabularies[column].to_json(),
                "gaps": self.has_gaps(column),
            }
            for column in self.columns
        }

    @classmethod
    def from_json(cls, state: Mapping[str, Any], kind: str) -> Categories:
        """Restore categories from JSON; `kind` is the feature's, for errors.

        Raises:
            DataError: the state is malformed.
        """
        categories = cls(state)
        for column, described in state.items():
            check_entries(kind, described, {"vocabulary": dict, "gaps": bool})
            categories._vocabularies[column] = Vocabulary.from_json(described["vocabulary"], kind)
            if described["gaps"]:
                categories._gaps.add(column)
        return categories

    def _id(self, column: str, cell: Any) -> int:
        if blank(cell):
            return 0
        name = tidy(as_name(cell, _subject(column)))
        return self._vocabularies[column].find(name) or 0


def _subject(column: str) -> str:
    """Return the name of a column in errors."""
    return f"column {column!r}"
