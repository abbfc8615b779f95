"""Parquet, Feather and Arrow files, read with their own types."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from elman.data import limits
from elman.data.arrow_types import readable
from elman.data.sources.files import fingerprint_of, suffix_of
from elman.data.table import Table
from elman.errors import DataError

if TYPE_CHECKING:
    import pyarrow as pa

_MAGIC = b"ARROW1"
"""Beginning of an Arrow file; a stream has none."""

_LEAST_BYTES = 4
"""What a value takes in memory, at least, with few exceptions: a string's offset, a number."""

_VERSION_1 = b"FEA1"
"""Beginning of a Feather file of version 1."""


def read_parquet(path: Path) -> Table:
    """Read a Parquet, Feather or Arrow file.

    An uncompressed Feather or Arrow file is memory-mapped: it may be larger than memory. Before a
    value is used, every offset, index, and string is checked, for Arrow follows them wherever they
    point: strings and lists are read through once for it, numbers are not. Types that Elman does
    not read become others, or the column is left out, with a note. Rows are
    counted from 0.

    Raises:
        DataError: the file is not of the format of its suffix, is damaged, has no rows, or would
            take more memory than `limits` allows.
    """
    import pyarrow as pa

    try:
        data = _parquet(path) if suffix_of(path) == ".parquet" else _mapped(path)
        _validate(data, path)
        data, notes = readable(data, path.name)
    except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
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
        notes=notes,
        stored=True,
    )


def _parquet(path: Path) -> pa.Table:
    from pyarrow import parquet

    # Not read_table, which would add columns from names of folders such as `year=2020`.
    with parquet.ParquetFile(path, memory_map=True) as file:
        _check_claims(file.metadata, path)
        return file.read()


def _check_claims(metadata: pa.parquet.FileMetaData, path: Path) -> None:
    """Refuse a file that would unpack to more than the limit: one column can repeat for ever."""
    # Not the metadata of single columns, for there Arrow ends the process where it is damaged.
    groups = [metadata.row_group(place) for place in range(metadata.num_row_groups)]
    unpacked = sum(group.total_byte_size for group in groups)
    least = _LEAST_BYTES * metadata.num_rows * metadata.num_columns
    limits.check(max(unpacked, least), f"{path}, unpacked,")


def _mapped(path: Path) -> pa.Table:
    """Memory-map an Arrow file in either of its two layouts, file or stream."""
    import pyarrow as pa

    with path.open("rb") as start:
        magic = start.read(len(_MAGIC))
    if magic.startswith(_VERSION_1):
        raise DataError(
            f"{path} is a Feather file of version 1, which is no longer read; write it again with "
            "version 2."
        )
    file = pa.memory_map(str(path))
    reader = pa.ipc.open_file if magic == _MAGIC else pa.ipc.open_stream
    return reader(file).read_all()


def _validate(data: pa.Table, path: Path) -> None:
    """Check that no buffer of a table points outside its memory.

    Raises:
        DataError: one does.
    """
    import pyarrow as pa

    if data.num_rows > 8 * path.stat().st_size:  # less than a bit a row: no value is there
        limits.check(8 * data.num_rows, f"a table of the {data.num_rows:,} rows that {path} claims")
    for place, name in enumerate(data.column_names):
        try:
            data.column(place).validate(full=True)
        except pa.ArrowInvalid as error:
            raise DataError(
                f"{path} is damaged: its column {name!r} is invalid ({error}). Copy, download or "
                "write it again."
            ) from error
