"""Columns of dates and times."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from elman.data.arrow import as_text, is_list, is_number, is_text
from elman.data.identity import words_in
from elman.data.table import Table
from elman.data.times import AmbiguousTimes, NoTime, looks_like_times, read_times
from elman.data.times.missing import are_missing
from elman.data.times.shapes import formats_of
from elman.errors import DataError

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
    202310, and the column is named like a time (`timestamp`, `created_at`, `month`). What says
    that a date is missing, such as `N/A`, does not count.
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


class Reading(NamedTuple):
    """Whether the calendar of a column of dates can be read, and if not, why."""

    formats: tuple[str, ...] = ()
    """How its cells may be written, where day and month cannot be told apart."""
    row: int | None = None
    """The first cell that has two readings, is written unlike the others, or names no day."""
    is_other: bool = False
    """Whether it holds no dates of days: lists, times of day."""

    @property
    def is_clear(self) -> bool:
        """Whether kind `date` reads the column as it stands."""
        return self == Reading()


def reading_of(table: Table, name: str) -> Reading:
    """Tell whether the calendar of a column that holds times can be read as input."""
    import pyarrow as pa

    values = table.arrow(name)
    if is_list(values.type) or pa.types.is_floating(values.type):
        return Reading(is_other=True)
    rows = _rows_present(values)
    part = Table.from_columns({name: values.take(pa.array(rows))}, table.source)
    try:
        times = read_times(part, name, as_input=True)
    except AmbiguousTimes as error:
        return Reading(error.formats, int(rows[error.row]))
    except NoTime as error:
        return Reading(row=int(rows[error.row]))
    except DataError:
        return Reading(is_other=True)
    return Reading(is_other=times.of_numbers)


def order_of_dates(
    table: Table, name: str, time_format: str | None
) -> tuple[NDArray[np.int64], int]:
    """Return the rows in the order of their dates, those without one first, and count these.

    Raises:
        DataError: a cell is no date, or day and month cannot be told apart.
    """
    import pyarrow as pa

    rows = _rows_present(table.arrow(name))
    values = table.arrow(name).take(pa.array(rows))
    part = Table.from_columns(
        {name: values}, table.source, where=lambda row: table.where(int(rows[row]))
    )
    instants = read_times(part, name, time_format=time_format).instants
    missing = np.setdiff1d(np.arange(len(table)), rows)
    return np.concatenate([missing, rows[np.argsort(instants, kind="stable")]]), len(missing)


def missing_words(table: Table, name: str) -> dict[str, int]:
    """Count the cells that say in words that a date is missing, such as `N/A`."""
    import pyarrow.compute as pc

    values = table.arrow(name)
    if not is_text(values.type):
        return {}
    text = pc.utf8_trim_whitespace(as_text(values)).drop_null()
    words = text.filter(pc.and_(are_missing(text), pc.not_equal(text, "")))
    return {each["values"]: each["counts"] for each in pc.value_counts(words).to_pylist()}


def stray_among_dates(table: Table, name: str) -> int | None:
    """Return the first row that holds no date where at least half of the cells do; None else."""
    import pyarrow.compute as pc

    values = table.arrow(name)
    if not is_text(values.type) or not len(values):
        return None
    few = values.take(np.linspace(0, len(values) - 1, min(len(values), PROBED)).astype(np.int64))
    first = _present(few)
    formats = [
        each for each in _formats_in(first) if {"Y", "G"} & each.directives and not each.is_digits
    ]
    if not formats or not 0.5 <= 1 - _are_none(first, formats).mean() <= 1:
        return None
    rows = _rows_present(values)
    wrong = _are_none(pc.utf8_trim_whitespace(as_text(values)).take(rows), formats)
    return int(rows[wrong.argmax()]) if wrong.any() and wrong.mean() <= 0.5 else None


def _are_none(text: pa.Array, formats: Sequence[TimeFormat]) -> np.ndarray:
    """Tell which texts have none of some formats."""
    wrong = np.ones(len(text), np.bool_)
    for each in formats:
        wrong &= each.parse(text).wrong
    return wrong


def _rows_present(values: pa.ChunkedArray) -> np.ndarray:
    """Return the rows whose date is not missing."""
    import pyarrow.compute as pc

    missing = values.is_null()
    if is_text(values.type):
        missing = are_missing(pc.utf8_trim_whitespace(as_text(values)))
    return np.flatnonzero(~np.asarray(missing))


def _present(values: pa.ChunkedArray) -> pa.Array:
    """Return the cells that are not missing, without the spaces around them."""
    import pyarrow.compute as pc

    text = pc.utf8_trim_whitespace(as_text(values)).drop_null()
    return text.filter(pc.invert(are_missing(text)))


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
