"""Columns of dates and times."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from elman.data.arrow import as_text, is_list, is_number, is_text
from elman.data.identity import words_in
from elman.data.table import Table
from elman.data.times import looks_like_times
from elman.data.times.shapes import formats_of

if TYPE_CHECKING:
    import pyarrow as pa

    from elman.data.times.formats import TimeFormat

FIRST_DATE, LAST_DATE = 1900_01_01, 2100_12_31
"""Whole numbers in which a date may be written."""

PROBED = 100
"""Cells that are looked at before all of a column are."""

_NAMES = {
    *("created", "date", "datetime", "epoch", "modified", "month", "period", "time", "timestamp"),
    *("ts", "updated", "yearmonth", "yyyymm"),
}
"""Words in the names of columns whose numbers may be seconds since 1970, or months."""

_DATE = r"^\s*\d{4}-\d\d?-\d\d?(?:[T ]\d\d?:\d\d.*)?\s*$"

_MOST_SHAPES = 2000
"""More shapes than this, digits aside, are none of dates: months and weekdays make up to 1,008."""


def holds_times(table: Table, name: str) -> bool:
    """Tell whether a column holds dates or times, or lists of them.

    Text is so where every cell is a day, a week, a month or a quarter of a year, all in one form,
    or a day with four digits of the year, in one form or in several; whole numbers where all are
    written as 20231027; other numbers where all may be seconds since 1970, or months such as
    202310, and the column is named like a time (`timestamp`, `created_at`, `month`).
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    values = table.arrow(name)
    if is_list(values.type):
        values = pc.list_flatten(values)
    if pa.types.is_temporal(values.type):
        return True
    if is_number(values.type):
        return _are_times(values, name)
    if not is_text(values.type):
        return False
    for rows in (1, PROBED):
        first = _present(values.slice(0, rows))
        if len(first) and not _are_dates(first):
            return False
    return _are_dates(first if len(values) <= PROBED else _present(values))


def _are_times(values: pa.ChunkedArray, name: str) -> bool:
    """Tell whether numbers are dates or times."""
    import pyarrow as pa
    import pyarrow.compute as pc

    least, most = pc.min_max(values).as_py().values()
    if least is None:
        return False
    whole = pa.types.is_integer(values.type) and least >= FIRST_DATE and most <= LAST_DATE
    if not whole and not words_in(name) & _NAMES:
        return False
    return all(
        looks_like_times(Table.from_columns({name: some}, name), name)
        for some in (values, [least, most])
    )


def in_several_forms(table: Table, name: str) -> bool:
    """Tell whether the dates of a column of text are written in more than one form."""
    values = table.arrow(name)
    if not is_text(values.type):
        return False
    text = _present(values)
    return not (_are_iso(text) or any(_fits(each, text) for each in _formats_in(text)))


def _present(values: pa.ChunkedArray) -> pa.Array:
    """Return the cells that are not blank, without the spaces around them."""
    import pyarrow.compute as pc

    text = pc.utf8_trim_whitespace(as_text(values)).drop_null()
    return text.filter(pc.not_equal(text, ""))


def _are_iso(text: pa.Array) -> bool:
    import pyarrow.compute as pc

    return bool(pc.all(pc.match_substring_regex(text, _DATE)).as_py())


def _are_dates(text: pa.Array) -> bool:
    """Tell whether texts are days, all of them, whatever their forms.

    A year of two digits may as well be part of a version, `1.10.23`, and is a sign of one only if
    all texts have one form.
    """
    if not len(text):
        return False
    if _are_iso(text):
        return True
    formats = _formats_in(text)
    if any(_fits(each, text) for each in formats):
        return True
    left = text
    for each in (each for each in formats if _is_full(each)):
        parsed = each.parse(left)
        left = left.filter(_mask(parsed.wrong))
        if not len(left):
            return True
    return False


def _formats_in(text: pa.Array) -> list[TimeFormat]:
    """Return the formats of times that the shapes of texts may have; none if there are too many."""
    import pyarrow.compute as pc

    shapes = pc.replace_substring_regex(text, r"\d", "0").dictionary_encode()
    if len(shapes.dictionary) > _MOST_SHAPES:
        return []
    _, firsts = np.unique(shapes.indices.to_numpy(zero_copy_only=False), return_index=True)
    return list({each for first in firsts for each in formats_of(text[int(first)].as_py())})


def _is_full(written: TimeFormat) -> bool:
    """Tell whether a format has a day and four digits of the year, and more than digits."""
    return {"Y", "d"} <= written.directives and not written.is_digits


def _fits(written: TimeFormat, text: pa.Array) -> bool:
    return not written.parse(text).wrong.any()


def _mask(wrong: np.ndarray) -> pa.Array:
    import pyarrow as pa

    return pa.array(wrong)
