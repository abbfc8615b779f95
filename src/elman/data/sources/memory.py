"""Tables from values in memory: dicts, lists, NumPy, pandas, polars, Arrow, Hugging Face.

Libraries other than NumPy and Arrow are not imported: their objects are recognised by their
attributes, and those of pandas are read in `frames.py`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from elman.data.arrow_types import readable
from elman.data.sources.frames import (
    FRAME,
    is_frame,
    is_pandas_frame,
    is_series,
    read_frame,
    read_series,
    series_values,
    text_names,
)
from elman.data.table import Table
from elman.errors import DataError


def read_memory(source: Any) -> Table:
    """Make a table from values in memory.

    They are a dict of columns; a list of dicts; a pandas or polars DataFrame or Series; a NumPy
    array with named fields; an Arrow table, or what offers itself as one; a Hugging Face data set.

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
    _refuse_other_libraries(source)
    if isinstance(source, Mapping):
        return _from_mapping(source)
    if is_series(source):
        return read_series(source)
    if is_pandas_frame(source):
        return read_frame(source)
    if is_frame(source):  # of polars
        return _from_arrow(source.to_arrow(), FRAME)
    if isinstance(source, np.ndarray) and source.dtype.names is not None:
        fields = {name: source[name] for name in source.dtype.names}
        return Table.from_columns(fields, "the array")
    if hasattr(source, "data") and isinstance(getattr(source.data, "table", None), pa.Table):
        return _from_data_set(source)
    if hasattr(source, "__arrow_c_stream__"):
        return _from_arrow(pa.table(source), f"the {type(source).__name__}")
    if isinstance(source, Iterable) and not isinstance(source, str | bytes):
        return Table.from_columns(columns_of_rows(list(source), origin="the data"), "the data")
    raise DataError(
        f"data must be a path, a dict of columns, a list of dicts, a pandas or polars DataFrame, "
        f"an Arrow table or a Hugging Face data set, got {type(source).__name__}."
    )


def _refuse_other_libraries(source: Any) -> None:
    """Refuse what looks like columns and is not, with the call that makes a frame of it."""
    library, name = type(source).__module__.partition(".")[0], type(source).__name__
    if library == "xarray":
        raise DataError(
            f"an xarray {name} has axes, not columns; pass data.to_dataframe(), a row for every "
            "point of the grid, or columns that you choose."
        )
    if name == "LazyFrame":
        raise DataError("a LazyFrame holds no rows yet; pass data.collect().")


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
        if isinstance(values, Mapping) or hasattr(values, "column_names"):
            raise DataError(
                f"the data is a dict of data sets ({', '.join(map(repr, source))}); choose one, "
                f"such as data[{name!r}]."
            )
    if not source:
        raise DataError("the data is a dict without columns.")
    names, notes = text_names(list(source), "the data")
    columns = {
        name: series_values(values) if is_series(values) else values
        for name, values in zip(names, source.values(), strict=True)
    }
    return Table.from_columns(columns, "the data", notes=notes)


def _from_data_set(data_set: Any) -> Table:
    """Make a table from the Arrow table of a Hugging Face data set, keeping selection and order."""
    if getattr(data_set, "_indices", None) is not None:
        data_set = data_set.flatten_indices()
    return _from_arrow(data_set.data.table, "the data set")


def _from_arrow(data: Any, origin: str) -> Table:
    data, notes = readable(data, origin)
    return Table(data, source=origin, where=lambda row: f"{origin}, row {row}", notes=notes)
