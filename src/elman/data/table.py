"""A table: columns of Arrow, and for every row the place it came from."""

from __future__ import annotations

import hashlib
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from itertools import accumulate
from typing import TYPE_CHECKING, Any, NamedTuple, overload

import numpy as np
from numpy.typing import NDArray

from elman.data.arrow import to_arrow, to_python
from elman.errors import DataError, ElmanError, OptionError, counted, unknown

if TYPE_CHECKING:
    import pyarrow as pa

BLOCK = 1024
"""Rows that are turned into Python values at once while a column is iterated over."""

NO_HEADER = "has no header"
"""What a note says of a file whose columns have no names of their own."""

Where = Callable[[int], str]
"""Row → its place, in words: `reviews.csv, line 17`."""


class Spans(NamedTuple):
    """Which steps of which long sequence each row of a table of windows is made of."""

    sequence: NDArray[np.int64]
    """Number of the sequence, (rows,)."""
    start: NDArray[np.int64]
    """First step, (rows,)."""
    stop: NDArray[np.int64]
    """Step behind the last one, that of the value to be forecast, (rows,)."""


class Column(Sequence[Any]):
    """The values of one column, made from Arrow when they are asked for.

    A missing value is None. A list of numbers is a NumPy array of its own, (T,) or (T, I, …), in
    which a missing number is NaN; every other list is a list. Iterating holds a thousand values
    at a time.
    """

    def __init__(
        self, name: str, values: pa.ChunkedArray, rows: NDArray[np.int64] | None = None
    ) -> None:
        self.name = name
        self._chunks = values.chunks
        self._starts = [0, *accumulate(len(chunk) for chunk in self._chunks)]
        self._rows = rows
        self._type = values.type

    @property
    def type(self) -> pa.DataType:
        """Arrow's type of the values."""
        return self._type

    def __len__(self) -> int:
        return self._starts[-1] if self._rows is None else len(self._rows)

    @overload
    def __getitem__(self, index: int) -> Any: ...
    @overload
    def __getitem__(self, index: slice) -> list[Any]: ...
    def __getitem__(self, index: int | slice) -> Any:
        if isinstance(index, slice):
            return self._gather(self._numbered(range(len(self))[index]))
        row = range(len(self))[index]
        if self._rows is not None:
            row = int(self._rows[row])
        chunk = bisect_right(self._starts, row) - 1
        return to_python(self._chunks[chunk].slice(row - self._starts[chunk], 1))[0]

    def __iter__(self) -> Iterator[Any]:
        for start in range(0, len(self), BLOCK):
            yield from self._gather(self._numbered(range(len(self))[start : start + BLOCK]))

    def __repr__(self) -> str:
        return f"Column({self.name!r}, {self.type}, {counted(len(self), 'row')})"

    def _numbered(self, rows: range) -> NDArray[np.int64]:
        """Turn rows of the column into rows of the chunks."""
        numbers = np.arange(rows.start, rows.stop, rows.step, dtype=np.int64)
        return numbers if self._rows is None else self._rows[numbers]

    def _gather(self, rows: NDArray[np.int64]) -> list[Any]:
        """Return the values of some rows, touching no chunk that holds none of them."""
        values: list[Any] = [None] * len(rows)
        chunk_of = np.searchsorted(self._starts, rows, side="right") - 1
        for chunk in np.unique(chunk_of).tolist():
            places = np.flatnonzero(chunk_of == chunk)
            taken = self._chunks[chunk].take(_indices(rows[places] - self._starts[chunk]))
            for place, value in zip(places.tolist(), to_python(taken), strict=True):
                values[place] = value
        return values


class Table:
    """Columns of equal length, and for every row the place it came from.

    `read_table` makes one from files, `from_columns` one from values. A table does not change;
    `select` gives another one that shares its memory.

    Args:
        data: the columns.
        source: what it was read from, in words: a file's name.
        where: row → its place, in words.
        fingerprint: what changes when the content does, or how to find it out; by default the
            hash of the columns.
        notes: what was assumed while reading, a sentence each.
        stored: whether the rows come from files, so that what is computed from them is worth
            keeping between runs.
        spans: for a table of windows, the steps each row is made of.

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
    ) -> None:
        names: list[str] = data.column_names
        for name in names:
            if names.count(name) > 1:
                raise DataError(
                    f"{source} has {names.count(name)} columns named {name!r}. Give every column "
                    "a name of its own."
                )
        self.source = source
        self.where = where
        self.notes = list(notes)
        self.stored = stored
        self.spans = spans
        self._data = data
        self._fingerprint = fingerprint
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
        """Make a table of values in memory.

        Args:
            columns: name → a list, a NumPy array whose first axis is the rows, or a column of
                Arrow. A value may be a number, a string, a list, or an array, of a length of
                its own.
            origin: what the values are, in words.
            where: row → its place; by default `ORIGIN, row 3`, counted from 0.
            fingerprint: that of the files the values were read from, if they were: the table is
                `stored` then.
            notes: what was assumed while reading.

        Raises:
            DataError: the columns are not equally long, or a table cannot hold their values.
        """
        import pyarrow as pa

        arrays = {name: to_arrow(values, name=name) for name, values in columns.items()}
        lengths = {name: len(array) for name, array in arrays.items()}
        if len(set(lengths.values())) > 1:
            said = ", ".join(f"{name!r} has {length}" for name, length in lengths.items())
            raise DataError(f"the columns of {origin} must have equally many rows: {said}.")
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
        return list(self._data.column_names)

    def __len__(self) -> int:
        return int(self._data.num_rows) if self._rows is None else len(self._rows)

    def __repr__(self) -> str:
        return f"Table({self.source!r}, {counted(len(self), 'row')}: {', '.join(self.columns)})"

    def column(self, name: str) -> Column:
        """Return a column.

        Raises:
            OptionError: there is none of this name; a near miss is offered.
        """
        self.check_column(name)
        return Column(name, self._data.column(name), self._rows)

    def arrow(self, name: str) -> pa.ChunkedArray:
        """Return a column as Arrow holds it; of a selection, a copy.

        Raises:
            OptionError: there is none of this name; a near miss is offered.
        """
        self.check_column(name)
        values = self._data.column(name)
        return values if self._rows is None else values.take(_indices(self._rows))

    @property
    def data(self) -> pa.Table:
        """The columns as Arrow holds them; of a selection, a copy."""
        return self._data if self._rows is None else self._data.take(_indices(self._rows))

    def select(self, rows: Sequence[int] | NDArray[np.integer[Any]]) -> Table:
        """Return some rows, in the order given, each keeping its place.

        Args:
            rows: numbers of rows, 0 … len − 1.

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
        )
        selected._rows = chosen if self._rows is None else self._rows[chosen]
        return selected

    def values(self, columns: Sequence[str]) -> Iterator[Any]:
        """Yield what a feature takes of every row: a cell, or of several columns their cells."""
        if len(columns) == 1:
            yield from self.column(columns[0])
            return
        for cells in zip(*(self.column(name) for name in columns), strict=True):
            yield list(cells)

    def require(self, columns: Iterable[str]) -> None:
        """See that the table has some columns.

        Raises:
            DataError: one is missing; the table's source is named, and a near miss offered.
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
            return _hash_of(self._data)
        return self._fingerprint if isinstance(self._fingerprint, str) else self._fingerprint()

    def check_column(self, name: str, *, error: type[ElmanError] = OptionError) -> None:
        """Refuse a name that no column has, with a near miss.

        Where the file was read as one without a header, that is said, for whoever asks for a name
        has seen one.

        Raises:
            ElmanError: there is no such column; of the class `error`.
        """
        if name in self.columns:
            return
        found = unknown("column", name, self.columns, error=error)
        if not any(NO_HEADER in note for note in self.notes):
            raise found
        raise error(
            f"{found} No line of names was recognised in {self.source}: its first line reads like "
            "a row, for it holds a number, a date or a long text, or a field of it comes again "
            "further down. Put a line of names first that differs from the rows."
        )


def concatenate(tables: Sequence[Table], *, source: str) -> Table:
    """Put tables with the same columns, in whatever order, below each other.

    Raises:
        DataError: the columns of two tables differ in names or types.
    """
    import pyarrow as pa

    first = tables[0]
    for table in tables[1:]:
        if set(table.columns) != set(first.columns):
            raise DataError(
                f"{first.source} and {table.source} cannot be one table: the columns of the first "
                f"are {', '.join(first.columns)}; those of the second {', '.join(table.columns)}."
            )
    data = [table.data.select(first.columns) for table in tables]
    try:
        joined = pa.concat_tables(data, promote_options="permissive")
    except pa.ArrowException as error:
        raise _different_types(tables) from error
    starts = [0, *accumulate(map(len, tables))]

    def where(row: int) -> str:
        part = bisect_right(starts, row) - 1
        return tables[part].where(row - starts[part])

    return Table(
        joined,
        source=source,
        where=where,
        fingerprint=lambda: combined(table.fingerprint for table in tables),
        notes=dict.fromkeys(note for table in tables for note in table.notes),
        stored=all(table.stored for table in tables),
    )


def _different_types(tables: Sequence[Table]) -> DataError:
    """Say which column has which type where."""
    import pyarrow as pa

    first = tables[0]
    for table in tables[1:]:
        for name in first.columns:
            types = first.column(name).type, table.column(name).type
            if types[0] != types[1] and pa.null() not in types:
                return DataError(
                    f"column {name!r} is {types[0]} in {first.source} and {types[1]} in "
                    f"{table.source}. Make it the same in all files."
                )
    return DataError(f"the columns of {first.source} and the other files differ in type.")


def combined(parts: Iterable[str | bytes]) -> str:
    """Return a fingerprint that changes when any of its parts does."""
    digest = hashlib.sha256()
    for part in parts:
        content = part.encode() if isinstance(part, str) else part
        digest.update(len(content).to_bytes(8, "little"))
        digest.update(content)
    return digest.hexdigest()


class _HashingFile:
    """A file that keeps nothing but the hash of what is written to it."""

    closed = False

    def __init__(self) -> None:
        self.digest = hashlib.sha256()

    def write(self, content: Any) -> int:
        self.digest.update(content)
        return len(content)

    def flush(self) -> None:
        """There is nothing to be flushed."""


def _hash_of(data: pa.Table) -> str:
    """Hash the columns as Arrow would send them, which leaves out what lies behind slices."""
    import pyarrow as pa

    file = _HashingFile()
    with pa.ipc.new_stream(pa.PythonFile(file, mode="w"), data.schema) as stream:
        stream.write_table(data)
    return file.digest.hexdigest()


def _indices(rows: NDArray[np.int64]) -> pa.Array:
    import pyarrow as pa

    return pa.array(rows, pa.int64())
