"""Wide tables of series, a row or a column a series, to lists of steps or to long tables."""

from __future__ import annotations

import datetime
import re
from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from elman.data.arrow import is_number, is_text
from elman.data.table import Table, combined
from elman.data.times.formats import TimeFormat
from elman.errors import DataError, OptionError

if TYPE_CHECKING:
    import pyarrow as pa

SERIES, TIME, VALUE = "series", "time", "value"
"""Columns of what a wide table becomes: the series or its name, the time and value of a step."""

_NAME = re.compile(r"(\D*?)(\d.*)", re.DOTALL)
_OF_TIME = re.compile(
    r"(t|ts|time|timestep|step|tick|period|lag|date|sec|second|min|minute|h|hour|d|day|w|week|m|"
    r"month|quarter|y|yr|year)?"
)
"""Words before the number in names of steps; `q1` is a question, and `s1` a sensor, as well."""

_DATES = (
    *("%Y-%m-%d", "%Y-%m", "%Y/%m/%d", "%Y/%m", "%Y.%m.%d", "%Y_%m_%d", "%Y_%m", "%YM%m"),
    *("%Y%m%d", "%Y%m", "%m/%d/%Y", "%m/%d/%y", "%d/%m/%Y", "%d/%m/%y", "%d.%m.%Y", "%m/%Y"),
    *("%Y-%m-%d %H:%M:%S", "%Y-%m-%d %H:%M", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M"),
)
"""Forms of dates in names; the first that gives dates in their order is taken."""

_LENGTHS = {"%Y%m%d": 8, "%Y%m": 6}
"""Forms of digits alone, and how many they have."""

_QUARTER = re.compile(r"(\d{4})[-_ ]?Q([1-4])", re.IGNORECASE)
_NUMBER = r"^\s*[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?\s*$"
_MISSING = ("", "NA", "N/A", "NaN", "nan", "null", "-", "?", ".")


class Steps(NamedTuple):
    """Columns that are the steps of series."""

    columns: list[str]
    """In the order of time."""
    times: list[Any]
    """Of each column: whole numbers, dates or times."""
    surely: bool
    """Whether the names say so: dates, plain numbers, or numbered words of time such as `t0`."""
    written: Sequence[str] = ()
    """The dates in the names, in the same order; none where the names have no dates."""
    time_format: str | None = None
    """How these dates are written; None where no format writes them so."""

    @property
    def shown(self) -> str:
        """The columns in words."""
        return f"{len(self.columns):,} columns {self.columns[0]} … {self.columns[-1]}"


def find_steps(table: Table, names: Iterable[str], *, least: int) -> Steps | None:
    """Find the columns whose names count the steps of series.

    They hold numbers, and their names are dates, or whole numbers at equal distances, all after
    the same word or none: `2019-01`, `1`, `t0`, `sales_2019`. Of several such groups the largest is
    taken.

    Args:
        table: with the columns.
        names: of columns that may be steps.
        least: minimum number of them.
    """
    found = []
    for stem, members in _numbered(names).items():
        if len(members) >= least:
            members = [each for each in members if holds_numbers(table, each[0])]
        if len(members) >= least and (steps := _steps(stem, members)) is not None:
            found.append(steps)
    return max(found, key=lambda steps: len(steps.columns), default=None)


def have_numbered_names(names: Iterable[str], *, least: int) -> bool:
    """Tell whether so many names have a number after the same word, as those of steps have."""
    return any(len(members) >= least for members in _numbered(names).values())


def _numbered(names: Iterable[str]) -> dict[str, list[tuple[str, str]]]:
    """Group the names that have a number: the word before it → each name, and its number."""
    groups: dict[str, list[tuple[str, str]]] = {}
    for name in names:
        if match := _NAME.fullmatch(name.strip()):
            groups.setdefault(match[1], []).append((name, match[2]))
    return groups


def holds_numbers(table: Table, name: str) -> bool:
    """Tell whether a column holds numbers, typed or written, at least one."""
    import pyarrow as pa
    import pyarrow.compute as pc

    values = table.arrow(name)
    if is_number(values.type):
        return True
    if pa.types.is_null(values.type):
        return True
    if not is_text(values.type):
        return False
    texts = pc.utf8_trim_whitespace(values.cast(pa.large_string())).drop_null()
    texts = texts.filter(pc.invert(pc.is_in(texts, pa.array(_MISSING, pa.large_string()))))
    return bool(pc.all(pc.match_substring_regex(texts, _NUMBER), min_count=0).as_py())


def _steps(stem: str, members: Sequence[tuple[str, str]]) -> Steps | None:
    """Order numbered columns by time; None where their names count nothing."""
    word = re.sub(r"[^a-z]", "", stem.lower())
    rests = [rest for _, rest in members]
    times = _dates(rests) or _numbers(rests)
    if times is None:
        return None
    if isinstance(times[0], int) and (stem.endswith("-") or word == "lag"):
        times = [-time for time in times]  # t-3 comes before t-2
    order = sorted(range(len(times)), key=times.__getitem__)
    columns = [members[place][0] for place in order]
    ordered = [times[place] for place in order]
    of_dates = not isinstance(times[0], int)
    unnamed = not stem and ordered[0] == 0  # so pandas calls columns that have no names
    surely = of_dates or bool(_OF_TIME.fullmatch(word) and not unnamed)
    if not of_dates:
        return Steps(columns, ordered, surely)
    written = [rests[place] for place in order]
    return Steps(columns, ordered, surely, written, _format_of(written, ordered))


def _format_of(texts: Sequence[str], times: Sequence[Any]) -> str | None:
    """Return the format that reads and writes texts as some dates; None where there is none."""
    import pyarrow as pa

    walls = np.array(times, "datetime64[us]").astype(np.int64)
    for form in (*_DATES, "%YQ%q", "%Y-Q%q", "%Y Q%q", "%Y_Q%q"):
        try:
            parsed = TimeFormat(form).parse(pa.array(texts))
        except OptionError:
            continue
        if parsed.wrong.any() or not np.array_equal(parsed.walls, walls):
            continue
        found = TimeFormat(form).unpadded(parsed.short)
        if found.write(walls, np.zeros_like(walls)) == list(texts):
            return found.text
    return None


def _numbers(texts: Sequence[str]) -> list[int] | None:
    """Read whole numbers that are all different and at equal distances."""
    if not all(text.isdecimal() for text in texts):
        return None
    numbers = list(map(int, texts))
    distances = set(np.diff(sorted(numbers)).tolist())
    return numbers if len(distances) == 1 and distances != {0} else None


def _dates(texts: Sequence[str]) -> list[Any] | None:
    """Read dates of one form, ascending; None for years alone, which are numbers."""
    quarters = [_QUARTER.fullmatch(text) for text in texts]
    if all(quarters):
        return [datetime.date(int(q[1]), 3 * int(q[2]) - 2, 1) for q in quarters if q]
    for form in _DATES:
        if form in _LENGTHS and not _are_digits(texts, _LENGTHS[form]):
            continue
        try:
            dates = [datetime.datetime.strptime(text, form) for text in texts]
        except ValueError:
            continue
        ascending = {one < other for one, other in pairwise(dates)}
        if len(ascending) == 1 and len(set(dates)) == len(dates):
            return dates if "%H" in form else [date.date() for date in dates]
    return None


def _are_digits(texts: Sequence[str], count: int) -> bool:
    """Tell whether texts are dates of so many digits in this or the last two centuries."""
    return all(len(text) == count and text[:2] in ("18", "19", "20") for text in texts)


def gathered(table: Table, steps: Steps, column: str) -> Table:
    """Join the columns of steps into one column of lists; steps missing at the end are cut off.

    Args:
        table: a row a series.
        steps: its columns.
        column: name of the new column, which comes last.

    Raises:
        DataError: the table has a column of this name.
    """
    import pyarrow as pa

    _refuse_names(table, [column], steps.columns)
    values, missing = _matrix(table, steps.columns)
    lengths = _last(~missing)
    keep = np.arange(len(steps.columns)) < lengths[:, None]
    flat = values.filter(pa.array(keep.ravel()))
    offsets = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
    lists = pa.LargeListArray.from_arrays(pa.array(offsets), flat)
    others = {name: table.arrow(name) for name in table.columns if name not in set(steps.columns)}
    return _derived(table, {**others, column: lists}, np.arange(len(table)), repr(steps.columns))


def melted_rows(table: Table, steps: Steps, ids: str) -> Table:
    """Turn a table with a row a series into a long one, a row a step.

    Args:
        table: a row a series.
        steps: its columns.
        ids: column that names the series, or `series` for the texts of all other columns, or the
            numbers of the rows where there are none.

    Returns:
        Columns `ids`, `time` and `value`. Steps missing at the beginning or end of a series have no
        row.

    Raises:
        DataError: two rows have the same id.
    """
    import pyarrow as pa

    names = _ids(table, steps, ids)
    values, missing = _matrix(table, steps.columns)
    present = ~missing
    place = np.arange(len(steps.columns))
    begin = np.argmax(present, axis=1)
    keep = (place >= begin[:, None]) & (place < _last(present)[:, None])
    rows, columns = np.nonzero(keep)
    long = {
        ids: pa.array(names).take(pa.array(rows)),
        TIME: pa.array(steps.written if steps.time_format else steps.times).take(pa.array(columns)),
        VALUE: values.filter(pa.array(keep.ravel())),
    }
    return _derived(table, long, rows, repr((steps.columns, ids)))


def melted_columns(table: Table, series: Sequence[str], others: Sequence[str]) -> Table:
    """Turn a table with a column a series into a long one, a row a step of a series.

    Args:
        table: a row a time.
        series: columns that are series; their names become the ids, in a column `series`.
        others: columns that hold for all series: the time, known covariates.

    Returns:
        Columns `series` and `value`, and the others.
    """
    import pyarrow as pa

    values, missing = _matrix(table, series)
    # One series after another; without covariates, steps missing at either end have no row.
    present = ~missing.T
    place = np.arange(len(table))
    begin, end = np.argmax(present, axis=1), _last(present)
    keep = (place >= begin[:, None]) & (place < end[:, None])
    numbers, rows = np.nonzero(keep)
    flat = pa.array(rows * len(series) + numbers)
    long: dict[str, Any] = {SERIES: pa.array(list(series)).take(pa.array(numbers))}
    long |= {name: table.arrow(name).take(pa.array(rows)) for name in others}
    long[VALUE] = values.take(flat)
    return _derived(table, long, rows, repr((series, others)))


def id_column(table: Table, steps: Steps) -> str:
    """Name the column that names the series: of unlike texts or whole numbers, else `series`."""
    others = [name for name in table.columns if name not in set(steps.columns)]
    texts = [name for name in others if not holds_numbers(table, name)]
    for name in [*texts, *(name for name in others if name not in texts)]:
        values = [str(value).strip() for value in table.column(name)]
        unlike = len(set(values)) == len(values) and not {"", "None"} & set(values)
        if unlike and (name in texts or all(value.isdecimal() for value in values)):
            return name
    return SERIES


def _ids(table: Table, steps: Steps, ids: str) -> list[Any]:
    """Return the id of each row."""
    if ids in table.columns:
        names = list(table.column(ids))
    else:
        texts = [
            name
            for name in table.columns
            if name not in steps.columns and not holds_numbers(table, name)
        ]
        cells = zip(*(table.column(name) for name in texts), strict=True)
        names = [", ".join(str(cell) for cell in row if cell not in (None, "")) for row in cells]
        names = names if len(set(names)) == len(table) else list(map(str, range(len(table))))
    first: dict[Any, int] = {}
    for row, name in enumerate(names):
        if name is None or name in first:
            other = "is missing" if name is None else f"is that of {table.where(first[name])}, too"
            raise DataError(
                f"{table.where(row)}, column {ids}: the id of a series {other}; in a table with a "
                "row a series each row needs its own."
            )
        first[name] = row
    return names


def _matrix(table: Table, columns: Sequence[str]) -> tuple[pa.Array, np.ndarray]:
    """Return the cells of columns one row after another, and where they are missing, (N, T)."""
    import pyarrow as pa

    below = pa.concat_arrays([_floats(table.arrow(name)) for name in columns])
    order = np.arange(len(below)).reshape(len(columns), -1).T.ravel()
    flat = below.take(pa.array(order))
    missing = flat.is_null(nan_is_null=True).to_numpy(zero_copy_only=False).astype(bool)
    return flat, missing.reshape(len(table), len(columns))


def _floats(values: pa.ChunkedArray) -> pa.Array:
    """Return numbers, typed or written, as floats."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if is_text(values.type):
        texts = pc.utf8_trim_whitespace(values.cast(pa.large_string()))
        absent = pc.is_in(texts, pa.array(_MISSING, pa.large_string()))
        values = pc.if_else(absent, pa.scalar(None, pa.large_string()), texts)
    floats = values.cast(pa.float64()).combine_chunks()
    return pa.concat_arrays(floats.chunks) if isinstance(floats, pa.ChunkedArray) else floats


def _last(present: np.ndarray) -> np.ndarray:
    """Return one past the last place that is present in every row; 0 where none is."""
    ends = present.shape[1] - np.argmax(present[:, ::-1], axis=1)
    return np.where(present.any(axis=1), ends, 0)


def _refuse_names(table: Table, names: Sequence[str], columns: Sequence[str]) -> None:
    for name in names:
        if name in table.columns and name not in columns:
            raise DataError(
                f"{table.source} has a column {name!r} beside the columns {columns[0]} … "
                f"{columns[-1]}, which are read as a column of this name; rename it."
            )


def _derived(table: Table, columns: dict[str, Any], rows: np.ndarray, arguments: str) -> Table:
    import pyarrow as pa

    return Table(
        pa.table(columns),
        source=table.source,
        where=lambda row: table.where(int(rows[row])),
        fingerprint=lambda: combined([table.fingerprint, arguments]),
        notes=table.notes,
        stored=table.stored,
        folder=lambda row: table.folder(int(rows[row])),
    )
