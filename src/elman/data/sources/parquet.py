"""Parquet, Feather and Arrow files: columns with types, read as they are."""

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

    A Feather or Arrow file that is not compressed is mapped, not read: it may be larger than
    memory. Rows are counted from 0.

    Raises:
        DataError: the file is not what its suffix says, or holds no row.
    """
    import pyarrow as pa

    try:
        data = _parquet(path) if suffix_of(path) == ".parquet" else _mapped(path)
    except (pa.ArrowException, OSError) as error:
        raise DataError(
            f"{path} cannot be read as {suffix_of(path)}: {error}. Is it whole, and what its name "
            "says?"
        ) from error
    if not data.num_rows:
        raise DataError(f"{path} holds no row; its columns are {', '.join(data.column_names)}.")
    return Table(
        data,
        source=path.name,
        where=lambda row: f"{path.name}, row {row}",
        fingerprint=fingerprint_of([path]),
        stored=True,
    )


def _parquet(path: Path) -> pa.Table:
    from pyarrow import parquet

    # The file alone: read_table would add columns from names of folders such as `year=2020`.
    with parquet.ParquetFile(path, memory_map=True) as file:
        return file.read()


def _mapped(path: Path) -> pa.Table:
    """Map a file of Arrow in either of its two layouts, that of files and that of streams."""
    import pyarrow as pa

    file = pa.memory_map(str(path))
    try:
        return pa.ipc.open_file(file).read_all()
    except pa.ArrowInvalid:
        file.seek(0)
        return pa.ipc.open_stream(file).read_all()
