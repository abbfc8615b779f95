"""Records: several columns of numbers and categories, like a row of a table."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, ClassVar, Literal, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from elman.errors import DataError, OptionError, unknown
from elman.features.checks import blank, check_choice, fitted
from elman.features.feature import Encoding, Feature
from elman.features.number import DATES, as_cells, as_number
from elman.features.places import Places, places_of_numbers
from elman.features.scaling import SCALES, Moments, Scaling, to_scale
from elman.features.state import feature_state, restore
from elman.features.vocabulary import Name, NameCounter, Vocabulary, as_name

CELL_KINDS = ("number", "category")


class _Learned(NamedTuple):
    kinds: dict[str, str]
    scaling: Scaling
    vocabularies: dict[str, Vocabulary]


class RecordFeature(Feature):
    """Several numbers and categories as one row of floats.

    The row holds the scaled numbers; then, for each column with missing numbers in the training
    rows, 1 where the number is missing; then the ids of the categories, as floats, 0 for unknown
    or missing ones.

    A value is the list of cells in the order of the columns, or a mapping from their names.

    Args:
        columns: names of the columns.
        kinds: column → `number` or `category`. Other columns follow their first cell: a number is
            a number; a string, true or false is a category.
        scale: method of scaling the numbers, as for `NumberFeature`.

    Raises:
        OptionError: an option is unknown or out of range.

    >>> passenger = RecordFeature(["age", "port"]).fit([[20, "Cork"], [40, "Kiel"], [30, "Cork"]])
    >>> passenger.encoding.numbers, passenger.encoding.ids, passenger.encode([30, "Kiel"]).tolist()
    (1, (3,), [0.0, 2.0])
    """

    kind: ClassVar[str] = "record"
    has_steps: ClassVar[bool] = False
    plural: ClassVar[str] = "records"
    of_columns: ClassVar[bool] = True
    reads_categories: ClassVar[bool] = True

    def __init__(
        self,
        columns: Sequence[str],
        *,
        kinds: Mapping[str, str] | None = None,
        scale: Literal["standard", "log", "none"] = "standard",
    ) -> None:
        check_choice("scale", scale, SCALES)
        if not columns:
            raise OptionError("columns must name at least one column, got none.")
        for column, kind in (kinds or {}).items():
            if column not in columns:
                raise unknown("column", column, columns)
            if kind not in CELL_KINDS:
                raise OptionError(
                    f"column {column!r} of a record must be a number or a category, got {kind!r}."
                )
        self.columns = tuple(columns)
        self.kinds = dict(kinds or {})
        self.scale = scale
        self.notes: list[str] = []
        self._learned: _Learned | None = None

    @property
    def numbers(self) -> list[str]:
        """Names of the columns of numbers, in order; known once fitted."""
        return self._of_kind("number")

    @property
    def categories(self) -> list[str]:
        """Names of the columns of categories, in order; known once fitted."""
        return self._of_kind("category")

    def kind_of_column(self, name: str) -> str:
        """Return `number` or `category`; known once fitted."""
        return "number" if name in self.numbers else "category"

    def description_of(self, name: str) -> str:
        """Return `number` or `category`; known once fitted."""
        return self.kind_of_column(name)

    def reads_numbers(self, name: str) -> bool:
        """Tell whether a column holds numbers; known once fitted."""
        return name in self.numbers

    def places_of(self, name: str) -> Places:
        """Return the places of a column's number and its mark, or of its id."""
        scaling, numbers = fitted(self._learned, self.kind).scaling, self.numbers
        if name in numbers:
            return places_of_numbers(scaling, [1] * len(numbers), numbers.index(name))
        return Places((scaling.size + self.categories.index(name),))

    @property
    def encoding(self) -> Encoding:
        """The numbers, one more for each with missing values, and one id a category."""
        learned = fitted(self._learned, self.kind)
        return Encoding(
            numbers=learned.scaling.size,
            ids=tuple(len(learned.vocabularies[column]) for column in self.categories),
        )

    @property
    def description(self) -> str:
        """What a value is, in words."""
        counts = [
            (len(self.numbers), "number", "numbers"),
            (len(self.categories), "category", "categories"),
        ]
        return " and ".join(f"{n} {one if n == 1 else many}" for n, one, many in counts if n)

    def fit(self, values: Iterable[Any]) -> RecordFeature:
        """Learn kinds, scale and classes from the training rows.

        Raises:
            DataError: there is no row, a cell is malformed, or all cells of a column are missing.
        """
        kinds = dict(self.kinds)
        moments = {column: Moments(1) for column in self.columns}
        names = {column: NameCounter(_subject(column)) for column in self.columns}
        rows = 0
        for value in values:
            for column, cell in zip(self.columns, as_cells(value, self.columns), strict=True):
                if column not in kinds and not blank(cell):
                    kinds[column] = _kind_of(cell, column)
                if blank(cell):
                    moments[column].add_row([np.nan])
                elif kinds[column] == "category":
                    names[column].add(as_name(cell, _subject(column)))
                else:
                    moments[column].add_row([self._number(cell, column)])
            rows += 1
        if not rows:
            raise DataError("there are no training rows; at least one is needed.")
        for column in self.columns:
            if column not in kinds or (kinds[column] == "category" and not names[column].counts):
                raise DataError(
                    f"{_subject(column)} is missing in all training rows; leave it out."
                )
        self._learn(kinds, moments, names, rows)
        return self

    def encode(self, value: Any) -> Tensor:
        """Turn a row's cells into floats, (n,), float32: numbers, missing marks, ids.

        Raises:
            DataError: a cell is malformed; the error names its column.
        """
        learned = fitted(self._learned, self.kind)
        cells = dict(zip(self.columns, as_cells(value, self.columns), strict=True))
        numbers = [as_number(cells[column], _subject(column)) for column in self.numbers]
        subjects = list(map(_subject, self.numbers))
        row = np.array([numbers], np.float64)
        filled = self._never_missing(row)
        scaled = learned.scaling.encode(np.where(filled, learned.scaling.means, row), subjects)[0]
        ids = [self._id(cells[column], column) for column in self.categories]
        return torch.from_numpy(np.concatenate([scaled, ids]).astype(np.float32))

    def decode(self, encoded: Tensor) -> list[float | Name | None]:
        """Turn floats, (n,), back into cells; missing or unknown ones are None."""
        learned = fitted(self._learned, self.kind)
        floats = encoded.detach().cpu().double().numpy()
        numbers = learned.scaling.decode(floats[None, : learned.scaling.size])[0].tolist()
        cells: dict[str, float | Name | None] = {
            column: None if math.isnan(number) else number
            for column, number in zip(self.numbers, numbers, strict=True)
        }
        for column, index in zip(self.categories, floats[learned.scaling.size :], strict=True):
            cells[column] = learned.vocabularies[column].name(int(index))
        return [cells[column] for column in self.columns]

    def read_as_mean(self, value: Any) -> list[int]:
        """List the places of missing numbers that no training row lacks: the mean stands for them.

        A network has never seen such a column without a number.
        """
        cells = dict(zip(self.columns, as_cells(value, self.columns), strict=True))
        numbers = [as_number(cells[column], _subject(column)) for column in self.numbers]
        filled = self._never_missing(np.array([numbers], np.float64))[0]
        return [
            self.columns.index(column)
            for column, gap in zip(self.numbers, filled, strict=True)
            if gap
        ]

    def _never_missing(self, row: NDArray[np.float64]) -> NDArray[np.bool_]:
        """Tell which numbers of a row, (1, n), are missing where no training row lacks one."""
        scaling = fitted(self._learned, self.kind).scaling
        return np.isnan(row) & ~scaling.gaps & (scaling.method != "none")

    def never_learned(self, value: Any) -> Mapping[int, Name]:
        """Find the categories that no training row has, by the places of their columns."""
        learned, found = fitted(self._learned, self.kind), {}
        for place, cell in enumerate(as_cells(value, self.columns)):
            vocabulary = learned.vocabularies.get(self.columns[place])
            if vocabulary is None or blank(cell):
                continue
            name = as_name(cell, _subject(self.columns[place]))
            if vocabulary.find(name) is None:
                found[place] = name
        return found

    def shown(self, value: Any) -> str:
        """Show name and value of every column."""
        cells = value if len(self.columns) > 1 else [value]
        return ", ".join(f"{name} {cell}" for name, cell in zip(self.columns, cells, strict=True))

    def to_json(self) -> dict[str, Any]:
        """Describe the feature in JSON values, for `from_json`."""
        learned = fitted(self._learned, self.kind)
        options = {"columns": list(self.columns), "kinds": self.kinds, "scale": self.scale}
        vocabularies = {name: known.to_json() for name, known in learned.vocabularies.items()}
        return feature_state(
            self.kind,
            options,
            {
                "kinds": learned.kinds,
                "scaling": learned.scaling.to_json(),
                "vocabularies": vocabularies,
            },
        )

    @classmethod
    def from_json(cls, state: Mapping[str, Any]) -> RecordFeature:
        """Restore a feature from `to_json`.

        Raises:
            DataError: the state is malformed.
        """
        feature, learned = restore(
            cls, state, {"kinds": dict, "scaling": dict, "vocabularies": dict}
        )
        feature._learned = _Learned(
            learned["kinds"],
            Scaling.from_json(learned["scaling"], cls.kind),
            {
                column: Vocabulary.from_json(known, cls.kind)
                for column, known in learned["vocabularies"].items()
            },
        )
        return feature

    def _of_kind(self, kind: str) -> list[str]:
        """Return the names of the columns of a kind."""
        kinds = fitted(self._learned, self.kind).kinds
        return [column for column in self.columns if kinds[column] == kind]

    def _number(self, cell: Any, column: str) -> float:
        """Return the number of a cell, in logarithms if the scale requires it."""
        number = np.array([[as_number(cell, _subject(column))]])
        return float(to_scale(number, self.scale, [_subject(column)])[0, 0])

    def _learn(
        self,
        kinds: dict[str, str],
        moments: Mapping[str, Moments],
        names: Mapping[str, NameCounter],
        rows: int,
    ) -> None:
        """Keep what was learned, and note unusual columns."""
        self.notes = []
        parts = []
        for column in self.columns:
            if kinds[column] == "number":
                part, notes = moments[column].scaling(self.scale, [_subject(column)])
                parts.append(part)
                self.notes += notes
            elif 2 < len(names[column].counts) > rows / 2:
                self.notes.append(
                    f"{_subject(column)} has {len(names[column].counts)} classes in {rows} rows: "
                    f"little can be learned about each; leave it out if it only numbers the rows."
                )
        scaling = Scaling(
            self.scale,
            np.concatenate([np.zeros(0), *(part.mean for part in parts)]),
            np.concatenate([np.zeros(0), *(part.sd for part in parts)]),
            np.concatenate([np.zeros(0, np.bool_), *(part.gaps for part in parts)]),
        )
        vocabularies = {
            column: Vocabulary.from_counts(names[column].counts)
            for column in self.columns
            if kinds[column] == "category"
        }
        self._learned = _Learned(kinds, scaling, vocabularies)

    def _id(self, cell: Any, column: str) -> int:
        """Return the id of a category cell."""
        if blank(cell):
            return 0
        name = as_name(cell, _subject(column))
        return fitted(self._learned, self.kind).vocabularies[column].find(name) or 0


def _subject(column: str) -> str:
    """Return the name of a column in errors."""
    return f"column {column!r}"


def _kind_of(cell: Any, column: str) -> str:
    """Infer the kind of a column from its first cell.

    Raises:
        DataError: the cell is neither a number nor a category.
    """
    if isinstance(cell, str | bool | np.bool_):
        return "category"
    if not isinstance(cell, DATES):
        as_number(cell, _subject(column))
        return "number"
    raise DataError(
        f"{_subject(column)} holds times; a record reads numbers and categories. Name it as the "
        f"time (--time on the command line), or convert it to a number."
    )
