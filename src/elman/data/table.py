"""A table: Arrow columns, and for every row the place it came from."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from copy import copy
from functools import cached_property
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from elman.data.arrow import hash_of, is_list, is_text, to_arrow
from elman.data.arrow_types import why_left_out
from elman.data.column import Column, indices
from elman.data.paths import FilePath
from elman.errors import DataError, ElmanError, OptionError, counted, unknown

if TYPE_CHECKING:
    import pyarrow as pa

NO_HEADER = "has no header"
"""Part of the note on a file without a header."""

Where = Callable[[int], str]
"""Row → its place, in words: `reviews.csv, line 17`."""

FolderOf = Callable[[int], Path | None]
"""Row → the folder of its file, None where it comes from memory."""


Found = TypeVar("Found")


class Spans(NamedTuple):
    """The steps of a long sequence that each row of a table of windows covers."""

    sequence: NDArray[np.int64]
    """Number of the sequence, (rows,)."""
    start: NDArray[np.int64]
    """First step, (rows,)."""
    stop: NDArray[np.int64]
    """One past the last step, which is that of the value to predict, (rows,)."""


class Table:
    """Columns of equal length, and for every row the place it came from.

    `read_table` makes one from files, `from_columns` one from values. A table is immutable;
    `select` returns another one that shares its memory.

    Args:
        data: the columns.
        source: what it was read from, in words: a file's name.
        where: row → its place, in words.
        fingerprint: a string that changes with the content, or a function that computes it; by
            default the hash of the columns.
        notes: what was assumed while reading, a sentence each.
        stored: whether the rows come from files, so that results computed from them are worth
            caching between runs.
        spans: for a table of windows, the steps that each row covers.
        decimal: decimal mark, `.` or `,`, that the source suggests for numbers written as text.
        folder: row of `data` → the folder of its file, to which paths in it are relative; None for
            values in memory.

    Raises:
        DataError: two columns have the same name.

    >>> table = Table.from_columns({"text": ["good", "bad"], "stars": [5, 1]}, origin="reviews")
    >>> table.columns
    ['text', 'stars']
    >>> list(table.column("stars"))
    [5, 1]
    >>> table.where(1)
    'reviews, row 1'
    """

    def __init__(
        self,
        data: pa.Table,
        *,
        source: str,
        where: Where,
        fingerprint: str | Callable[[], str] | None = None,
        notes: Iterable[str] = (),
        stored: bool = False,
        spans: Spans | None = None,
        decimal: str | None = None,
        folder: FolderOf | None = None,
    ) -> None:
        names: list[str] = data.column_names
        self._known_names = frozenset(names)
        if len(self._known_names) < len(names):
            name = next(each for each in names if names.count(each) > 1)
            raise DataError(
                f"{source} has {names.count(name)} columns named {name!r}. Give every column "
                "a name of its own."
            )
        self.source = source
        self.where = where
        self.notes = list(notes)
        self.stored = stored
        self.spans = spans
        self.decimal = decimal
        self.units: Mapping[str, str] = {}
        """Column of numbers that were read from text → its unit there: `$`, `%`, or none, ``."""
        self._folder = folder
        self._data = data
        self._names = names
        self._written: Mapping[str, pa.ChunkedArray] = {}
        self._fingerprint = fingerprint
        self._known: dict[Any, Any] = {}
        self._rows: NDArray[np.int64] | None = None

    @classmethod
    def from_columns(
        cls,
        columns: Mapping[str, Any],
        origin: str,
        *,
        where: Where | None = None,
        fingerprint: str | None = None,
        notes: Iterable[str] = (),
    ) -> Table:
        """Make a table from values in memory.

        Args:
            columns: name → a list, a NumPy array whose first axis is the rows, or an Arrow
                column. A value may be a number, a string, or a list or array of any length.
            origin: where the values come from, in words.
            where: row → its place; by default `ORIGIN, row 3`, counted from 0.
            fingerprint: fingerprint of the files that the values were read from, if any: the
                table is then `stored`.
            notes: what was assumed while reading.

        Raises:
            DataError: the columns are not equally long, or a table cannot hold their values.
        """
        import pyarrow as pa

        arrays = {name: to_arrow(values, name=name) for name, values in columns.items()}
        lengths = {name: len(array) for name, array in arrays.items()}
        if len(set(lengths.values())) > 1:
            rows = ", ".join(f"{name!r} has {length}" for name, length in lengths.items())
            raise DataError(f"the columns of {origin} must have equally many rows: {rows}.")
        return cls(
            pa.table(arrays),
            source=origin,
            where=where or (lambda row: f"{origin}, row {row}"),
            fingerprint=fingerprint,
            notes=notes,
            stored=fingerprint is not None,
        )

    @property
    def columns(self) -> list[str]:
        """Names of the columns, in their order."""
        return list(self._names)

    def __len__(self) -> int:
        return int(self._data.num_rows) if self._rows is None else len(self._rows)

    def __repr__(self) -> str:
        return f"Table({self.source!r}, {counted(len(self), 'row')}: {', '.join(self.columns)})"

    def column(self, name: str) -> Column:
        """Return a column.

        Raises:
            OptionError: there is no column of this name; a near miss is offered.
        """
        self.check_column(name)
        values = self._data.column(name)
        return Column(name, values, self._rows, self._to_paths(values.type))

    def arrow(self, name: str) -> pa.ChunkedArray:
        """Return a column as an Arrow array; a copy for a selection of rows.

        Raises:
            OptionError: there is no column of this name; a near miss is offered.
        """
        self.check_column(name)
        values = self._data.column(name)
        return values if self._rows is None else values.take(indices(self._rows))

    def in_folder(self, folder: Path) -> Table:
        """Return the same rows, whose paths are relative to a folder."""
        placed = copy(self)
        placed._known = {}
        placed._folder = lambda _: folder
        return placed

    def folder(self, row: int) -> Path | None:
        """Return the folder of a row's file; None for values in memory."""
        if self._folder is None:
            return None
        return self._folder(row if self._rows is None else int(self._rows[row]))

    def _to_paths(self, kind: pa.DataType) -> Callable[[Any, int], Any] | None:
        """Return what turns the texts of a column into paths; None where it holds none."""
        of_row = self._folder
        while is_list(kind):
            kind = kind.value_type
        if of_row is None or not is_text(kind):
            return None

        def convert(value: Any, row: int) -> Any:
            folder = of_row(row)
            return value if folder is None else FilePath.of(value, folder)

        return convert

    @property
    def data(self) -> pa.Table:
        """The columns as an Arrow table; a copy for a selection of rows."""
        return self._data if self._rows is None else self._data.take(indices(self._rows))

    def select(self, rows: Sequence[int] | NDArray[np.integer[Any]]) -> Table:
        """Return some rows, in the given order, each with its place.

        Args:
            rows: row numbers, 0 … len − 1.

        Raises:
            OptionError: a number is out of range.
        """
        chosen = np.asarray(rows, dtype=np.int64)
        if chosen.size and not 0 <= chosen.min() <= chosen.max() < len(self):
            wrong = next(row for row in chosen.tolist() if not 0 <= row < len(self))
            raise OptionError(f"rows must lie in 0 … {len(self) - 1}, got {wrong}.")
        selected = Table(
            self._data,
            source=self.source,
            where=lambda row: self.where(int(chosen[row])),
            fingerprint=lambda: combined([self.fingerprint, chosen.tobytes()]),
            notes=self.notes,
            stored=self.stored,
            spans=None if self.spans is None else Spans(*(part[chosen] for part in self.spans)),
            folder=self._folder,
        )
        selected._rows = chosen if self._rows is None else self._rows[chosen]
        selected._written = self._written
        selected.units = self.units
        return selected

    def with_columns(
        self,
        columns: Mapping[str, Any],
        *,
        notes: Iterable[str] = (),
        units: Mapping[str, str] = MappingProxyType({}),
    ) -> Table:
        """Return the table with other values in some columns, which `written` still knows.

        Columns that it does not have are added.

        Args:
            columns: name of a column → its values, an Arrow array of all rows.
            notes: what was assumed, to add to the table's notes.
            units: column of numbers that were read from text → its unit there, or none, ``.
        """
        if not columns:
            noted = self.with_notes(notes)
            noted.units = {**self.units, **units}
            return noted
        import pyarrow as pa

        data = {name: self.arrow(name) for name in self.columns} | dict(columns)
        changed = Table(
            pa.table(data),
            source=self.source,
            where=self.where,
            fingerprint=lambda: combined([self.fingerprint, *sorted(columns)]),
            notes=[*self.notes, *notes],
            stored=self.stored,
            spans=self.spans,
            decimal=self.decimal,
            folder=self.folder if self._folder is not None else None,
        )
        known = self._written if self._rows is None else {}
        own = [name for name in columns if name in self.columns]
        changed._written = {name: known.get(name, self.arrow(name)) for name in own}
        changed.units = {**self.units, **units}
        return changed

    def with_notes(self, notes: Iterable[str]) -> Table:
        """Return the table with more notes."""
        noted = copy(self)
        noted.notes = [*self.notes, *notes]
        return noted

    def once(self, what: Any, compute: Callable[[], Found]) -> Found:
        """Return what was computed of the table before, or compute it and keep it.

        Args:
            what: a key of its own for what is computed.
            compute: computes it.
        """
        if what not in self._known:
            self._known[what] = compute()
        found: Found = self._known[what]
        return found

    def written(self, name: str) -> Column:
        """Return a column as it was written in its file, before `with_columns`."""
        if name not in self._written:
            return self.column(name)
        return Column(name, self._written[name], self._rows)

    def values(self, columns: Sequence[str]) -> Iterator[Any]:
        """Yield the input of a feature for every row: a cell, or a list of cells, one a column."""
        if len(columns) == 1:
            yield from self.column(columns[0])
            return
        for cells in zip(*(self.column(name) for name in columns), strict=True):
            yield list(cells)

    def require(self, columns: Iterable[str]) -> None:
        """Check that the table has some columns.

        Raises:
            DataError: one is missing; the table's source is named and a near miss offered.
        """
        for name in columns:
            try:
                self.check_column(name)
            except OptionError as error:
                raise DataError(f"{self.source}: {error}") from None

    @cached_property
    def fingerprint(self) -> str:
        """Hexadecimal digits that change when the content, or the files behind it, change."""
        if self._fingerprint is None:
            return hash_of(self._data)
        return self._fingerprint if isinstance(self._fingerprint, str) else self._fingerprint()

    def check_column(self, name: str, *, error: type[ElmanError] = OptionError) -> None:
        """Refuse a name that no column has, with a near miss.

        The error says why where the column was left out, and where the file was read as one without
        a header: the header may have been mistaken for a row.

        Raises:
            ElmanError: there is no such column; of the class `error`.
        """
        if name in self._known_names:
            return
        if (why := why_left_out(name, self.notes)) is not None:
            raise error(why)
        refusal = unknown("column", name, self.columns, error=error)
        if not any(NO_HEADER in note for note in self.notes):
            raise refusal
        raise error(
            f"{refusal} No header was recognised in {self.source}: its first line looks like a "
            "row, because it contains a number, a date or a long text, or one of its fields occurs "
            "again below. Add a header line that differs from the rows."
        )


def combined(parts: Iterable[str | bytes]) -> str:
    """Return a fingerprint that changes with any of its parts."""
    digest = hashlib.sha256()
    for part in parts:
        content = part.encode() if isinstance(part, str) else part
        digest.update(len(content).to_bytes(8, "little"))
        digest.update(content)
    return digest.hexdigest()
