"""A column whose type is found as its values come, a chunk of rows at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import chain
from types import NoneType
from typing import TYPE_CHECKING, Any

from elman.data.sources.json_text import DEEPEST, Written

if TYPE_CHECKING:
    import pyarrow as pa

KINDS: Mapping[type, str] = {
    str: "a string",
    bool: "a truth value",
    int: "a number",
    float: "a number",
    Written: "a number",
    list: "a list",
    dict: "an object",
}
"""Type of a value → what it is in JSON."""

MIXABLE = {"a string", "a number", "a truth value"}
"""Kinds that together are text."""


class Unreadable(ValueError):
    """A value that no column can hold: which row holds it, and why."""

    def __init__(self, row: int, reason: str) -> None:
        super().__init__(reason)
        self.row = row


class GatheredColumn:
    """Values of one column: strings, numbers, truth values, or lists of them.

    Numbers are whole where all are, else floats. Where several of these mix, and where integers
    need more than 64 bits, the column `must_be_text`.

    Args:
        convert: what becomes of numbers that are `Written`, and of truth values; None to leave
            them.
    """

    def __init__(self, convert: Callable[[Written | bool], Any] | None = None) -> None:
        self.chunks: dict[int, Any] = {}
        """Number of a chunk → an Arrow array, or a list where its own type is not the column's."""
        self.kinds: dict[tuple[int, type], int] = {}
        """Level of lists and type of a value → the first row that holds one."""
        self.rounded: int | None = None
        """The first row whose whole number a float cannot hold."""
        self.long: int | None = None
        """The first row that holds an integer of more than 64 bits."""
        self._convert = convert

    def add(self, number: int, values: list[Any], first_row: int) -> None:
        """Add the values of a chunk.

        Raises:
            Unreadable: a string is no text, or lists lie too deep within each other.
        """
        kinds = set(_kinds(values))
        if (DEEPEST, list) in kinds:
            row = first_row + _first(values, DEEPEST, list)
            raise Unreadable(row, f"lists lie within each other more than {DEEPEST} deep")
        if self._convert is not None and any(kind in (Written, bool) for _, kind in kinds):
            values = [mapped(value, (Written, bool), self._convert) for value in values]
            kinds = set(_kinds(values))
        for level, kind in kinds - self.kinds.keys():
            self.kinds[level, kind] = first_row + _first(values, level, kind)
        try:
            type_ = _arrow_type(kinds)
            self.chunks[number] = values if type_ is None else self._array(values, type_, first_row)
        except OverflowError:
            self.chunks[number] = values
            self.long = self._first_long(values, first_row)

    def clash(self) -> tuple[tuple[int, type], tuple[int, type]] | None:
        """Return two kinds of values that no column can hold together, the later one first."""
        by_row = sorted(self.kinds, key=lambda kind: self.kinds[kind])
        for later in by_row:
            for earlier in by_row[: by_row.index(later)]:
                words = {KINDS[later[1]], KINDS[earlier[1]]}
                if later[0] == earlier[0] and len(words) > 1 and not words <= MIXABLE:
                    return later, earlier
        return None

    @property
    def mixture(self) -> dict[str, int]:
        """Kinds of values that mix on one level, each with its first row; none if none do."""
        of_level: dict[int, dict[str, int]] = {}
        for (level, kind), row in sorted(self.kinds.items(), key=lambda each: each[1]):
            if kind not in (list, dict):
                of_level.setdefault(level, {}).setdefault(KINDS[kind], row)
        return next((found for found in of_level.values() if len(found) > 1), {})

    @property
    def must_be_text(self) -> bool:
        """Whether the values must be read again as they are written."""
        fractions = any(kind is float for _, kind in self.kinds)
        written = any(kind is Written for _, kind in self.kinds)
        return bool(self.mixture) or written or (self.long is not None and not fractions)

    @property
    def is_media(self) -> bool:
        """Whether values are objects that hold a sound or a picture."""
        return any(kind is dict for _, kind in self.kinds)

    @property
    def first_long(self) -> int:
        """The first row whose integer needs more than 64 bits; 0 where there is none."""
        written = [row for (_, kind), row in self.kinds.items() if kind is Written]
        return min([*written, *([] if self.long is None else [self.long])], default=0)

    def values(self, sizes: Sequence[int], absent: Callable[[int], list[Any]]) -> list[Any]:
        """Return the values of all chunks in a list; the arguments are those of `array`."""
        chunks = [self.chunks.get(n, absent(n)) for n in range(len(sizes))]
        lists = (c if isinstance(c, list) else c.to_pylist() for c in chunks)
        return list(chain.from_iterable(lists))

    def array(self, sizes: Sequence[int], absent: Callable[[int], list[Any]]) -> pa.ChunkedArray:
        """Return the column.

        Args:
            sizes: number of rows of each chunk.
            absent: number of a chunk that was never added → its values.
        """
        import pyarrow as pa

        type_ = _arrow_type(set(self.kinds))
        chunks = []
        for number in range(len(sizes)):
            chunk = self.chunks.pop(number, None)
            if chunk is None:
                chunk = absent(number)
            if isinstance(chunk, list):
                chunk = self._array(chunk, type_, sum(sizes[:number]))
            elif chunk.type != type_:
                chunk = self._cast(chunk, type_, sum(sizes[:number]))
            chunks.append(chunk)
        return pa.chunked_array(chunks, type_)

    def _array(self, values: list[Any], type_: Any, first_row: int) -> pa.Array:
        import pyarrow as pa

        try:
            return pa.array(values, type_)
        except UnicodeEncodeError:
            row, value = next(_strings_that_are_no_text(values))
            half = f"{value[:60]!a} holds half of a surrogate pair, which is no character"
            raise Unreadable(first_row + row, half) from None
        except pa.ArrowInvalid:  # integers among floats that a float does not hold
            self._note_rounded(values, first_row)
            return pa.array([mapped(value, (int,), float) for value in values], type_)

    def _cast(self, chunk: pa.Array, type_: Any, first_row: int) -> pa.Array:
        import pyarrow as pa

        try:
            return chunk.cast(type_)
        except pa.ArrowInvalid:
            self._note_rounded(chunk.to_pylist(), first_row)
            return chunk.cast(type_, safe=False)

    def _note_rounded(self, values: list[Any], first_row: int) -> None:
        rows = (row for row, value in enumerate(values) if _any(value, _is_rounded))
        if self.rounded is None:
            self.rounded = first_row + next(rows, 0)

    def _first_long(self, values: list[Any], first_row: int) -> int:
        rows = (row for row, value in enumerate(values) if _any(value, _needs_more_bits))
        return first_row + next(rows, 0) if self.long is None else self.long


def mapped(value: Any, kinds: tuple[type, ...], convert: Callable[[Any], Any]) -> Any:
    """Convert a value of certain types, or all such values in a list."""
    if type(value) is list:
        return [mapped(element, kinds, convert) for element in value]
    return convert(value) if type(value) in kinds else value


def text_of(value: Written | bool) -> str:
    """Return a number or a truth value as it is written."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def number_of(text: Written | bool) -> int | float:
    """Return the number that is written; a truth value stays one."""
    if isinstance(text, bool):
        return text
    return int(text) if text.lstrip("-").isdigit() else float(text)


def _kinds(values: list[Any], level: int = 0) -> Iterator[tuple[int, type]]:
    """Yield the types of values, and of the elements of lists, each with its level."""
    types = set(map(type, values))
    for kind in types - {NoneType}:
        yield level, kind
    if list in types and level < DEEPEST:
        lists = (value for value in values if type(value) is list)
        yield from _kinds(list(chain.from_iterable(lists)), level + 1)


def _first(values: list[Any], level: int, kind: type) -> int:
    """Return the place of the first value that holds a type on a level."""
    return next(place for place, value in enumerate(values) if _holds(value, level, kind))


def _holds(value: Any, level: int, kind: type) -> bool:
    if level == 0:
        return type(value) is kind
    return type(value) is list and any(_holds(element, level - 1, kind) for element in value)


def _any(value: Any, test: Callable[[Any], bool]) -> bool:
    """Tell whether a value, or one in a list, passes a test."""
    return any(_any(element, test) for element in value) if type(value) is list else test(value)


def _needs_more_bits(value: Any) -> bool:
    return type(value) is int and not -(2**63) <= value < 2**63


def _is_rounded(value: Any) -> bool:
    return type(value) is int and float(value) != value


def _strings_that_are_no_text(values: list[Any]) -> Iterator[tuple[int, str]]:
    for row, value in enumerate(values):
        strings = chain([value] if type(value) is str else [], _strings_in(value))
        for string in strings:
            try:
                string.encode()
            except UnicodeEncodeError:
                yield row, string


def _strings_in(value: Any) -> Iterator[str]:
    if isinstance(value, list | dict):
        for element in value if isinstance(value, list) else value.values():
            yield from [element] if isinstance(element, str) else _strings_in(element)


def _arrow_type(kinds: set[tuple[int, type]]) -> Any:
    """Return the type of a column of such values; None where they need one to be found."""
    import pyarrow as pa

    lists = 1 + max((level for level, kind in kinds if kind is list), default=-1)
    inner = {kind for level, kind in kinds if kind is not list}
    types = {
        frozenset(): pa.null(),
        frozenset({bool}): pa.bool_(),
        frozenset({int}): pa.int64(),
        frozenset({float}): pa.float64(),
        frozenset({int, float}): pa.float64(),
        frozenset({str}): pa.string(),
    }
    type_ = types.get(frozenset(inner))
    if type_ is None or any(level != lists for level, kind in kinds if kind is not list):
        return None
    for _ in range(lists):
        type_ = pa.list_(type_)
    return type_
