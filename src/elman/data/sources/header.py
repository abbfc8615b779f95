"""Whether the first record of a table is its header, by how it differs from those below."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise

from elman.data.number_formats import MISSING

LONGEST_NAME = 60
"""Longest field, in characters, that is taken for a column's name and not for a value."""

LONGEST_UNIT = 15
"""Longest field, in characters, that is taken for a unit."""

NUMBER = r"\s*[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?\s*"
"""Regular expression of a number in a field."""

YEARS = range(1800, 2200)
"""Whole numbers of four digits that may be years."""

_KINDS = {
    "number": re.compile(NUMBER),
    "date": re.compile(r"\d{4}-\d\d(?:-\d\d.*)?", re.DOTALL),
    "truth value": re.compile(r"true|false", re.IGNORECASE),
}
_LIKE_VALUE = re.compile(
    r"\s*[-+(]?\s*[$€£¥₹]?\s*[-+]?\.?\d[\d.,'’\u00a0\u202f ]*(?:[eE][-+]?\d+)?\s*[%€$£¥₹)]?\s*"
    r"|\s*\d{1,4}[./-]\d{1,2}[./-]\d{1,4}(?:[T ,]*\d{1,2}:\d\d.*)?|\s*\d{1,2}:\d\d.*"
)
"""Numbers with marks, currencies and per cent; dates and times of day, however written."""

_WHOLE = re.compile(r"\s*\d{1,18}\s*")
_LETTER = re.compile(r"[^\W\d_]")
_END_OF_QUESTION = ("?", "？")
_END_OF_SENTENCE = (*_END_OF_QUESTION, ".", "!", "…", "。", "！")

Rows = Sequence[Sequence[str]]


def kind_of(field: str) -> str | None:
    """Name the kind of a field that is a number, a date or a truth value."""
    return next((kind for kind, form in _KINDS.items() if form.fullmatch(field)), None)


def has_header(records: Rows) -> bool:
    """Tell whether the first record is a header.

    It is not if one of its fields is a number, an ISO date or a truth value; unless its numbers
    count up, as years do, and those below do not, or unless all values below are of another kind.
    It is if all values below a text are numbers, dates or truth values, however written, ignoring
    repetitions of the header, as in concatenated files. Where all values are text, it is unless a
    field occurs again in the same column, is too long for a name, looks like all below (`A1` over
    `B7`), or ends as a sentence, or a question, and most below do, too.
    """
    first, rest = records[0], records[1:]
    if not any(map(str.strip, first)):
        return False
    if _counts_up(first, rest):
        return True
    others = columns_of([row for row in rest if list(row) != list(first)], len(first))
    kinds = [kind_of(field) for field in first]
    if any(kinds):
        return all(
            kind is None or _is_of_another_kind(kind, column)
            for kind, column in zip(kinds, others, strict=True)
        )
    if _stands_over_typed(first, others):
        return True
    below = columns_of(rest, len(first))
    return not any(map(_looks_like_a_value, first, below))


def has_typed_column(records: Rows) -> bool:
    """Tell whether numbers, dates or truth values alone stand below a field that is none."""
    first = records[0]
    columns = columns_of(records[1:], len(first))
    return not any(map(kind_of, first)) and _stands_over_typed(first, columns)


def has_units(records: Rows) -> bool:
    """Tell whether the record below the header holds units.

    It does if each of its fields that is filled is short, stands over nothing but numbers and
    dates, at least two rows, and is neither one itself nor a mark for a missing one.
    """
    if len(records) < 4:
        return False
    units = records[1]
    filled = [place for place, field in enumerate(units) if field.strip()]
    below = columns_of(records[2:], len(units))
    return bool(filled) and all(
        not _is_like_value(units[place])
        and len(units[place]) <= LONGEST_UNIT
        and units[place].strip().lower() not in MISSING
        and len(below[place]) > 1
        and _is_typed(below[place])
        for place in filled
    )


def typed_columns(records: Rows) -> int:
    """Count the columns that hold numbers, dates or truth values alone."""
    return sum(map(_is_typed, columns_of(records, len(records[0]))))


def columns_of(records: Rows, width: int) -> list[list[str]]:
    """Turn records into columns, without their empty fields."""
    return [[row[i] for row in records if i < len(row) and row[i]] for i in range(width)]


def _is_like_value(field: str) -> bool:
    return kind_of(field) is not None or _LIKE_VALUE.fullmatch(field) is not None


def _is_typed(column: Sequence[str]) -> bool:
    return bool(column) and all(map(_is_like_value, column))


def _stands_over_typed(first: Sequence[str], columns: Sequence[Sequence[str]]) -> bool:
    return any(
        not _is_like_value(field) and _is_typed(column)
        for field, column in zip(first, columns, strict=True)
    )


def _is_of_another_kind(kind: str, column: Sequence[str]) -> bool:
    """Tell whether a date stands over numbers, or a whole number over several texts."""
    kinds = {kind_of(field) for field in column}
    if kind == "date":
        return kinds == {"number"}
    return kind == "number" and kinds == {None} and len(column) > 2


def _counts_up(first: Sequence[str], rest: Rows) -> bool:
    """Tell whether the numbers of a record count up by equal steps, or are years, and no row's do.

    Three numbers must count up, two years must; they must stand beside each other, and no other
    field of the record may be a date.
    """
    places = [place for place, field in enumerate(first) if _WHOLE.fullmatch(field)]
    other_kinds = {kind_of(field) for place, field in enumerate(first) if place not in places}
    if len(places) < 2 or not rest or other_kinds - {None}:
        return False
    if places != list(range(places[0], places[-1] + 1)):
        return False
    if _are_years(first, places):
        return not any(_are_years(row, places) for row in rest)
    return (
        len(places) > 2
        and _even_steps(first, places)
        and not any(_even_steps(row, places) for row in rest)
    )


def _numbers(row: Sequence[str], places: Sequence[int]) -> list[int] | None:
    fields = [row[place] for place in places if place < len(row)]
    if len(fields) < len(places) or not all(map(_WHOLE.fullmatch, fields)):
        return None
    return [int(field.strip()) for field in fields]


def _are_years(row: Sequence[str], places: Sequence[int]) -> bool:
    years = _numbers(row, places)
    if years is None or not all(year in YEARS for year in years):
        return False
    return sorted(set(years)) in (years, years[::-1])


def _even_steps(row: Sequence[str], places: Sequence[int]) -> bool:
    numbers = _numbers(row, places)
    if numbers is None:
        return False
    steps = {after - before for before, after in pairwise(numbers)}
    return len(steps) == 1 and steps != {0}


def _looks_like_a_value(field: str, below: Sequence[str]) -> bool:
    """Tell whether a text is a value rather than the name of those below it."""
    if len(field) > LONGEST_NAME or field in below:
        return True
    if not field or not below:
        return False
    for end in (_END_OF_QUESTION, _END_OF_SENTENCE):
        if field.rstrip().endswith(end):
            alike = sum(value.rstrip().endswith(end) for value in below)
            return len(below) > 1 and 2 * alike > len(below)
    has_digit = any(map(str.isdigit, field))
    return has_digit and all(_shape(value) == _shape(field) for value in below)


def _shape(field: str) -> str:
    """Return a field with all digits alike, and all letters; numbers may have any length."""
    if _LETTER.search(field) is None:
        return re.sub(r"\d+", "9", field)
    return _LETTER.sub("a", re.sub(r"\d", "9", field))
