"""Parquet, Feather and Arrow files, read with their own types."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from elman.data.sources.files import fingerprint_of, suffix_of
from elman.data.table import Table
from elman.errors import DataError

if TYPE_CHECKING:
    import pyarrow as pa


def read_parquet(path: Path) -> Table:
    """Read a Parquet, Feather or Arrow file.

    An uncompressed Feather or Arrow file is memory-mapped: it may be larger than memory. Rows
    are counted from 0.

    Raises:
        DataError: the file is not of the format of its suffix, or has no rows.
    """
    import pyarrow as pa

    try:
        data = _parquet(path) if suffix_of(path) == ".parquet" else _mapped(path)
    except (pa.ArrowException, OSError) as error:
        raise DataError(
            f"{path} cannot be read as {suffix_of(path)}: {error}. Check that it is complete and "
            "of that format."
        ) from error
    if not data.num_rows:
        raise DataError(f"{path} has no rows; its columns are {', '.join(data.column_names)}.")
    return Table(
        data,
        source=path.name,
        where=lambda row: f"{path.name}, row {row}",
        fingerprint=fingerprint_of([path]),
        stored=True,
    )


def _parquet(path: Path) -> pa.Table:
    from pyarrow import parquet

    # Not read_table, which would add columns from names of folders such as `year=2020`.
    with parquet.ParquetFile(path, memory_map=True) as file:
        return file.read()


def _mapped(path: Path) -> pa.Table:
    """Memory-map an Arrow file in either of its two layouts, file or stream."""
    import pyarrow as pa

    file = pa.memory_map(str(path))
    try:
        return pa.ipc.open_file(file).read_all()
    except pa.ArrowInvalid:
        file.seek(0)
        return pa.ipc.open_stream(file).read_all()
