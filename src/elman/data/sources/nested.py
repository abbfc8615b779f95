"""From rows, which may be nested, to columns: objects by dotted paths, lists of objects as lists.

    {"user": {"country": "FR"}, "events": [{"type": "view"}, {"type": "buy", "price": 2}]}

is a row of the columns

    user.country  "FR"
    events.type   ["view", "buy"]
    events.price  [None, 2]
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from elman.data.arrow import to_arrow
from elman.data.sources.gathered import KINDS, GatheredColumn, Unreadable, number_of, text_of
from elman.data.sources.json_text import DEEPEST
from elman.errors import DataError

if TYPE_CHECKING:
    import pyarrow as pa

CHUNK = 8192
"""Number of rows that are converted to Arrow at a time."""

MEDIA = ({"array", "sampling_rate"}, {"path", "bytes"})
"""Keys of objects that are one value: a sound or a picture, as Hugging Face's data sets hold it."""

Key = tuple[str, ...]
"""Names of the objects within each other that lead to a value."""


class MustBeWritten(Exception):
    """Columns mix strings, numbers or truth values, or hold too long integers: they are texts."""

    def __init__(self, keys: Iterable[Key], notes: Iterable[str]) -> None:
        self.keys = frozenset(keys)
        self.notes = list(notes)


def is_media(names: Iterable[str]) -> bool:
    """Tell whether an object of these keys is one value, a sound or a picture."""
    found = set(names)
    return any(media <= found for media in MEDIA)


class _Records:
    """Lists of objects under one key."""

    def __init__(self, first_row: int) -> None:
        self.first_row = first_row
        self.lengths: list[int | None] = []
        """Number of objects in each row of the chunk."""
        self.chunks: dict[int, list[int | None]] = {}
        """Number of a chunk → the lengths of its rows."""


class NestedRows:
    """Rows of nested values, gathered into columns.

    Args:
        path: the file's path, for errors.
        origin: the file's name, for notes.
        place: a row's line or number → its place in words: `line 17`.
        texts: keys of columns whose numbers are text as they are written; every number is then
            expected to be `Written`.
    """

    def __init__(
        self,
        path: str,
        origin: str,
        place: Callable[[int], str],
        texts: frozenset[Key] = frozenset(),
    ) -> None:
        self.notes: list[str] = []
        self.places = array("q")
        self._path = path
        self._origin = origin
        self._in_words = place
        self._texts = texts
        self._columns: dict[Key, GatheredColumn] = {}
        self._objects: dict[Key, int] = {}
        self._records: dict[Key, _Records] = {}
        self._chunk: dict[Key, list[Any]] = {}
        self._sizes: list[int] = []
        self._in_chunk = 0

    def add(self, place: int, row: Mapping[str, Any]) -> None:
        """Add a row that stands at a place.

        Raises:
            DataError: a list mixes objects and other values, objects are nested too deeply, or a
                string is no text.
        """
        self.places.append(place)
        chunk, number = self._chunk, self._in_chunk
        for key, value in self._flat(row, ()).items():
            values = chunk.get(key)
            if values is None:
                values = chunk[key] = []
            if len(values) < number:
                _padded(values, number)
            values.append(value)
        self._in_chunk += 1
        if self._in_chunk == CHUNK:
            self._end_chunk()

    def columns(self) -> dict[str, pa.ChunkedArray]:
        """Return the columns.

        Raises:
            DataError: a column mixes types, or two have the same dotted path.
            MustBeWritten: some columns are to be read as they are written.
        """
        self._end_chunk()
        kept = {key: column for key, column in self._columns.items() if self._keeps(key, column)}
        for key, column in kept.items():
            self._refuse_mixture(key, column)
        texts = {key for key, column in kept.items() if column.must_be_text}
        if texts - self._texts:
            raise MustBeWritten(
                texts | self._texts, [self._why_text(key) for key in kept if key in texts]
            )
        columns: dict[str, pa.ChunkedArray] = {}
        for key, column in kept.items():
            name = ".".join(key)
            if not _is_text(name):
                raise DataError(
                    f"{self._path}: the name of column {name!a} holds half of a surrogate pair, "
                    "which is no character. Rename it."
                )
            if name in columns:
                raise DataError(
                    f"{self._path} has two columns {name!r}: a key of this name, and a key "
                    "within an object. Rename one of them."
                )
            columns[name] = self._arrow(key, column)
        return columns

    def _flat(self, value: Mapping[str, Any], path: Key, *, within: bool = False) -> dict[Key, Any]:
        """Return the values of an object by their keys.

        Args:
            value: the object.
            path: the key of the object itself.
            within: whether it is an element of a list.
        """
        if len(path) > DEEPEST:
            raise DataError(
                f"{self._place()}: objects lie within each other more than {DEEPEST} deep. Write "
                "a flatter row."
            )
        flat: dict[Key, Any] = {}
        for name, part in value.items():
            key = (*path, name)
            kind = type(part)
            if kind is dict and not is_media(part):
                self._objects.setdefault(key, len(self.places) - 1)
                flat |= self._flat(part, key, within=within)
            elif kind is list and not within and dict in map(type, part):
                flat |= self._record(part, key)
            else:
                flat[key] = part
        return flat

    def _record(self, elements: list[Any], key: Key) -> dict[Key, list[Any]]:
        """Return the columns of a list of objects, each a list with an entry for every object."""
        other = next((e for e in elements if e is not None and type(e) is not dict), None)
        if other is not None:
            raise DataError(
                f"{self._place()}: the list {'.'.join(key)!r} mixes objects and other values: "
                f"{KINDS[type(other)]}. Make all its elements objects."
            )
        records = self._records.setdefault(key, _Records(len(self.places) - 1))
        _padded(records.lengths, self._in_chunk).append(len(elements))
        columns: dict[Key, list[Any]] = {}
        for place, element in enumerate(elements):
            for path, value in self._flat(element or {}, key, within=True).items():
                _padded(columns.setdefault(path, []), place).append(value)
        return {path: _padded(values, len(elements)) for path, values in columns.items()}

    def _end_chunk(self) -> None:
        """Convert the values of the rows gathered to Arrow."""
        rows, first, number = self._in_chunk, len(self.places) - self._in_chunk, len(self._sizes)
        for key, records in self._records.items():
            lengths = _padded(records.lengths, rows)
            for row, value in enumerate(self._chunk.get(key, [])):
                lengths[row] = 0 if value == [] else lengths[row]
            records.chunks[number] = lengths
            records.lengths = []
        for key, values in self._chunk.items():
            _padded(values, rows)
            for parent in self._record_parents(key):
                _fill(values, self._records[parent].chunks[number])
            if key not in self._columns:
                self._columns[key] = GatheredColumn(self._conversion(key))
            try:
                self._columns[key].add(number, values, first)
            except Unreadable as error:
                raise DataError(
                    f"{self._place(error.row)}, column {'.'.join(key)!r}: {error}. Correct the "
                    "value or remove the row."
                ) from None
        self._sizes.append(rows)
        self._chunk = {}
        self._in_chunk = 0

    def _conversion(self, key: Key) -> Callable[[Any], Any] | None:
        if not self._texts:
            return None
        return text_of if key in self._texts else number_of

    def _record_parents(self, key: Key) -> Iterator[Key]:
        """Yield the key of the list of objects that a value lies in, if any."""
        parents = (key[:length] for length in range(1, len(key)))
        return (parent for parent in parents if parent in self._records)

    def _arrow(self, key: Key, column: GatheredColumn) -> pa.ChunkedArray:
        import pyarrow as pa

        def absent(number: int) -> list[Any]:
            values: list[Any] = [None] * self._sizes[number]
            for parent in self._record_parents(key):
                _fill(values, self._lengths(parent, number))
            return values

        name = ".".join(key)
        if column.is_media:
            return pa.chunked_array([to_arrow(column.values(self._sizes, absent), name=name)])
        values = column.array(self._sizes, absent)
        if column.rounded is not None:
            self.notes.append(
                f"column {name!r} of {self._origin} holds whole numbers and fractions; the whole "
                f"number in {self._in_words(self.places[column.rounded])} has too many digits for "
                "that and was rounded. Write it as a string if it is a name."
            )
        return values

    def _lengths(self, key: Key, number: int) -> list[int | None]:
        """Return the numbers of objects in the lists of a chunk."""
        lengths = self._records[key].chunks.get(number)
        if lengths is None:  # before the first object: all lists are empty
            values = self._columns[key].chunks.get(number) if key in self._columns else None
            of_each = [None] * self._sizes[number] if values is None else values.to_pylist()
            return [None if value is None else 0 for value in of_each]
        return lengths

    def _keeps(self, key: Key, column: GatheredColumn) -> bool:
        """Tell whether a column is one, and not what misses where others have objects."""
        objects = [row for (level, kind), row in column.kinds.items() if kind is dict and level]
        within = any(kind is dict for _, kind in column.kinds) and any(self._record_parents(key))
        if objects or within:
            row = min(row for (_, kind), row in column.kinds.items() if kind is dict)
            self.notes.append(
                f"column {'.'.join(key)!r} of {self._origin} was left out: in "
                f"{self._in_words(self.places[row])} it holds objects in lists within lists."
            )
            return False
        if key in self._objects and not self._own_kinds(key, column):
            return False
        return not (key in self._records and set(column.kinds) <= {(0, list)})

    def _refuse_mixture(self, key: Key, column: GatheredColumn) -> None:
        """Refuse a column of lists or objects and other values."""
        if (clash := column.clash()) is not None:
            later, earlier = clash
            within = " in a list" * (later[0] > 0)
            raise self._mixed(
                key,
                (column.kinds[later], KINDS[later[1]] + within),
                (column.kinds[earlier], KINDS[earlier[1]] + within),
            )
        own = self._own_kinds(key, column)
        if not own:
            return
        scalar = min(own)
        for found, what in ((self._objects, "an object"), (self._records, "a list of objects")):
            if key in found:
                other = found[key]
                row = other if isinstance(other, int) else other.first_row
                raise self._mixed(key, *sorted([(row, what), scalar], reverse=True))

    def _own_kinds(self, key: Key, column: GatheredColumn) -> list[tuple[int, str]]:
        """Return what values are, apart from the lists of objects they lie in, by first rows."""
        level_of_values = 1 if any(self._record_parents(key)) else 0
        kinds = column.kinds.items()
        return [(row, KINDS[kind]) for (level, kind), row in kinds if level == level_of_values]

    def _mixed(self, key: Key, later: tuple[int, str], earlier: tuple[int, str]) -> DataError:
        row, kind = later
        first, other = earlier
        return DataError(
            f"{self._place(row)}: column {'.'.join(key)!r} holds {kind}, but {other} in "
            f"{self._in_words(self.places[first])}. Give it one type, with null where a value is "
            "missing."
        )

    def _why_text(self, key: Key) -> str:
        """Say why a column is text."""
        column = self._columns[key]
        name = f"column {'.'.join(key)!r} of {self._origin}"
        if mixture := column.mixture:
            places = {kind: self._in_words(self.places[row]) for kind, row in mixture.items()}
            why = "holds " + " and ".join(f"{kind} in {place}" for kind, place in places.items())
        else:
            place = self._in_words(self.places[column.first_long])
            why = f"holds whole numbers of more than 64 bits, the first in {place}"
        return f"{name} {why}; all its values were read as text, as they are written."

    def _place(self, row: int = -1) -> str:
        return f"{self._path}, {self._in_words(self.places[row])}"


def _is_text(name: str) -> bool:
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True


def _padded(values: list[Any], length: int) -> list[Any]:
    """Lengthen a list by missing values."""
    values.extend([None] * (length - len(values)))
    return values


def _fill(values: list[Any], lengths: list[int | None]) -> None:
    """Replace missing lists by lists of missing values, where it is known how long they are."""
    for row, length in enumerate(lengths):
        if values[row] is None and length is not None:
            values[row] = [None] * length
