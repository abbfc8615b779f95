"""Data frames and series of pandas and polars, which are not imported, as tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from elman.data.table import Table
from elman.errors import DataError

FRAME = "the DataFrame"
SERIES = "the Series"
"""Origins of rows, in words."""


def is_pandas_frame(values: Any) -> bool:
    """Tell whether values are a DataFrame of pandas."""
    return hasattr(values, "iloc") and hasattr(values, "columns")


def is_frame(values: Any) -> bool:
    """Tell whether values are a DataFrame of pandas or polars."""
    return is_pandas_frame(values) or _is_of_polars(values, "DataFrame")


def is_series(values: Any) -> bool:
    """Tell whether values are a Series of pandas or polars."""
    of_pandas = hasattr(values, "iloc") and hasattr(values, "to_frame")
    return (of_pandas and not hasattr(values, "columns")) or _is_of_polars(values, "Series")


def _is_of_polars(values: Any, name: str) -> bool:
    kind = type(values)
    return kind.__module__.partition(".")[0] == "polars" and kind.__name__ == name


def read_frame(frame: Any, *, origin: str = FRAME, index: bool = True) -> Table:
    """Make a table from a DataFrame of pandas.

    The index is read as `frame.reset_index()` gives it, except that row numbers without a name
    are left out. Names that are not strings are written as strings.

    Args:
        frame: the frame.
        origin: what it is, in words.
        index: whether to read its index.

    Raises:
        DataError: names are not unique or of several levels, or a table cannot hold a value.
    """
    names, notes = text_names(list(frame.columns), origin)
    columns = {name: series_values(frame.iloc[:, place]) for place, name in enumerate(names)}
    if index:
        levels, of_index = _index_columns(frame.index, columns, origin)
        columns = {**levels, **columns}
        notes += of_index
    return Table.from_columns(columns, origin, notes=notes)


def read_series(series: Any) -> Table:
    """Make a table of one column, and that of the index if there is one, from a Series.

    A Series without a name is a column `text` if it holds strings, else `value`.

    Raises:
        DataError: a table cannot hold a value.
    """
    values = series_values(series)
    name = series.name if series.name not in (None, "") else _usual_name(values)
    names, notes = text_names([name], SERIES)
    columns = {names[0]: values}
    if hasattr(series, "index"):
        levels, of_index = _index_columns(series.index, columns, SERIES)
        columns = {**levels, **columns}
        notes += of_index
    return Table.from_columns(columns, SERIES, notes=notes)


def frame_values(frame: Any) -> list[Any]:
    """Return the columns of a DataFrame of pandas or polars, without its index."""
    if is_pandas_frame(frame):
        return [series_values(frame.iloc[:, place]) for place in range(frame.shape[1])]
    return [series_values(series) for series in frame.get_columns()]


def series_values(series: Any) -> Any:
    """Turn a Series into an Arrow column, or a list of values; NaN becomes a missing value.

    Intervals become their text, `(0, 18]`, also as categories; periods their first instant.
    """
    import pyarrow as pa

    if _is_of_polars(series, "Series"):
        return _plain(series.to_frame().to_arrow().column(0))
    series = _without_pandas_types(series)
    try:
        return _plain(pa.array(series, from_pandas=True))
    except (pa.ArrowException, OverflowError):
        # Arrays as values, or mixed types: the table accepts or refuses them.
        missing = series.isna()
        return [None if absent else v for v, absent in zip(series, missing, strict=True)]


def _plain(values: Any) -> Any:
    """Turn decimal fractions of fixed precision into floats, and views of strings into strings."""
    import pyarrow as pa

    if pa.types.is_decimal(values.type):
        return values.cast(pa.float64())
    if pa.types.is_string_view(values.type):
        return values.cast(pa.large_string())
    return values


def _without_pandas_types(series: Any) -> Any:
    """Replace types that only pandas has."""
    name = type(series.dtype).__name__
    if name == "PeriodDtype":
        return series.dt.to_timestamp()
    if name == "IntervalDtype":
        return series.astype(object).map(str, na_action="ignore")
    if name == "CategoricalDtype":
        kind = type(series.dtype.categories.dtype).__name__
        if kind in ("IntervalDtype", "PeriodDtype") or series.dtype.categories.dtype.kind in "Mm":
            return series.astype(object).map(str, na_action="ignore")
    return series


def _usual_name(values: Any) -> str:
    from elman.data.arrow import is_text, to_arrow

    return "text" if is_text(to_arrow(values, name="values").type) else "value"


def text_names(names: Sequence[Any], origin: str) -> tuple[list[str], list[str]]:
    """Return names of columns as strings, and a note where some were none.

    Raises:
        DataError: two are the same, or one consists of several levels.
    """
    several = next((name for name in names if isinstance(name, tuple)), None)
    if several is not None:
        raise DataError(
            f"{origin} has column names of several levels, such as {several!r}; join them, for "
            "instance by frame.columns = frame.columns.map('_'.join)."
        )
    texts = [str(name) for name in names]
    for name, text in zip(names, texts, strict=True):
        if texts.count(text) > 1:
            alike = [repr(other) for other in names if str(other) == text]
            same = f" ({' and '.join(alike)})" if len(set(alike)) > 1 else ""
            raise DataError(f"{origin} has {len(alike)} columns named {text!r}{same}; rename them.")
        if name is None:
            raise DataError(f"{origin} has a column without a name; name it.")
    others = [text for name, text in zip(names, texts, strict=True) if not isinstance(name, str)]
    if not others:
        return texts, []
    listed = ", ".join(map(repr, others[:3])) + (" …" if len(others) > 3 else "")
    return texts, [f"column names of {origin} that are no strings are written as such: {listed}."]


def _index_columns(
    index: Any, columns: Mapping[str, Any], origin: str
) -> tuple[dict[str, Any], list[str]]:
    """Return the columns of an index, as `reset_index` names them, and notes.

    Row numbers without a name are no column: a RangeIndex, or what a selection of rows leaves of
    one, which is noted.
    """
    if index.nlevels == 1 and index.name is None and index.dtype.kind in "iu":
        if type(index).__name__ == "RangeIndex" or _are_numbers_from_0(index):
            return {}, []
        return {}, [
            f"the index of {origin} has no name and holds whole numbers, which were taken as row "
            "numbers and left out; name it to read it."
        ]
    levels: dict[str, Any] = {}
    notes = []
    for place in range(index.nlevels):
        given = index.names[place]
        name = str(given) if given is not None else _unnamed(index, place)
        values = index.get_level_values(place).to_series()
        if name in columns or name in levels:
            raise DataError(
                f"the index of {origin} and a column are both named {name!r}; rename one, or drop "
                "the index by reset_index(drop=True)."
            )
        levels[name] = series_values(values)
        if given is None:
            notes.append(f"the index of {origin} has no name and is column {name!r}.")
    return levels, notes


def _unnamed(index: Any, place: int) -> str:
    return "index" if index.nlevels == 1 else f"level_{place}"


def _are_numbers_from_0(index: Any) -> bool:
    return bool(index.tolist() == list(range(len(index))))
