"""Tables from values in memory: dicts, lists, pandas, Arrow and Hugging Face data sets."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from elman.data.table import Table
from elman.errors import DataError


def read_memory(source: Any) -> Table:
    """Make a table from columns, rows, a DataFrame, an Arrow table or a Hugging Face data set.

    pandas and datasets are not imported: their objects are recognised by their attributes.

    Raises:
        DataError: it is none of these, or a table cannot hold its values.
    """
    import pyarrow as pa

    if isinstance(source, Table):
        return source
    if isinstance(source, pa.RecordBatch):
        source = pa.Table.from_batches([source])
    if isinstance(source, pa.Table):
        return _from_arrow(source, "the Arrow table")
    if isinstance(source, Mapping):
        return _from_mapping(source)
    if hasattr(source, "iloc") and hasattr(source, "columns"):
        return _from_frame(source)
    if hasattr(source, "data") and isinstance(getattr(source.data, "table", None), pa.Table):
        return _from_data_set(source)
    if isinstance(source, Iterable) and not isinstance(source, str | bytes):
        return Table.from_columns(columns_of_rows(list(source), origin="the data"), "the data")
    raise DataError(
        f"data must be a path, a dict of columns, a list of dicts, a pandas DataFrame, an Arrow "
        f"table or a Hugging Face data set, got {type(source).__name__}."
    )


def columns_of_rows(rows: Sequence[Any], *, origin: str) -> dict[str, list[Any]]:
    """Turn rows, one dict each, into columns; a missing value is None.

    Raises:
        DataError: there are no rows, or one is not a dict.
    """
    if not rows:
        raise DataError(f"{origin}: there are no rows.")
    names: dict[str, None] = {}
    for number, row in enumerate(rows):
        if not isinstance(row, Mapping):
            raise DataError(
                f"{origin}, row {number}: a row must be a dict from columns to values, got "
                f"{type(row).__name__}."
            )
        names.update(dict.fromkeys(row))
    for name in names:
        if not isinstance(name, str):
            raise DataError(f"{origin}: column names must be strings, got {name!r}.")
    return {name: [row.get(name) for row in rows] for name in names}


def _from_mapping(source: Mapping[Any, Any]) -> Table:
    for name, values in source.items():
        if not isinstance(name, str):
            raise DataError(f"column names must be strings, got {name!r}.")
        if isinstance(values, Mapping) or hasattr(values, "column_names"):
            raise DataError(
                f"the data is a dict of data sets ({', '.join(map(repr, source))}); choose one, "
                f"such as data[{name!r}]."
            )
    if not source:
        raise DataError("the data is a dict without columns.")
    return Table.from_columns(source, "the data")


def _from_frame(frame: Any) -> Table:
    """Make a table from the columns of a DataFrame, without its index."""
    names = list(frame.columns)
    for name in names:
        if not isinstance(name, str):
            raise DataError(
                f"column names of the DataFrame must be strings, got {name!r}; rename it, for "
                f"instance by frame.columns = frame.columns.map(str)."
            )
        if names.count(name) > 1:
            raise DataError(f"the DataFrame has {names.count(name)} columns named {name!r}.")
    return Table.from_columns({name: _series(frame[name]) for name in names}, "the DataFrame")


def _series(series: Any) -> Any:
    """Turn a pandas column into an Arrow column; NaN becomes a missing value."""
    import pyarrow as pa

    try:
        return pa.array(series, from_pandas=True)
    except (pa.ArrowException, OverflowError):
        # Arrays as values, or mixed types: the table accepts or refuses them.
        missing = series.isna()
        return [None if absent else v for v, absent in zip(series, missing, strict=True)]


def _from_data_set(data_set: Any) -> Table:
    """Make a table from the Arrow table of a Hugging Face data set, keeping selection and order."""
    if getattr(data_set, "_indices", None) is not None:
        data_set = data_set.flatten_indices()
    return _from_arrow(data_set.data.table, "the data set")


def _from_arrow(data: Any, origin: str) -> Table:
    return Table(data, source=origin, where=lambda row: f"{origin}, row {row}")
