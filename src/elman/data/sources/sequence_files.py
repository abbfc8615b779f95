"""Files that are one sequence each: their rows are its steps, their names its ids and labels."""

from __future__ import annotations

import os
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from itertools import accumulate
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from elman.data.concatenation import concatenate
from elman.data.sequences import to_sequences
from elman.data.sources.files import stem_of
from elman.data.sources.folder import PART_FOLDERS, columns_of_folders
from elman.data.sources.labels import Labels
from elman.data.table import Table, combined
from elman.errors import DataError, counted

if TYPE_CHECKING:
    import pyarrow as pa

FILE = "file"
"""Column with the id of the file that a row comes from."""

LABELS_ABOVE = ["label", "split"]
"""Columns that come from the names of subfolders."""

SHOWN = 3
"""Names listed in a note before the rest is counted."""


def with_file_ids(
    files: Sequence[Path], tables: Sequence[Table], column: str, *, source: str
) -> Table:
    """Concatenate files, with the id of each row's file in a column.

    The id is the file's name without suffix; where two files share a name, the path below the
    folder that holds them all. A table that has a column of this name keeps it.

    Args:
        files: the files.
        tables: their rows.
        column: name of the column.
        source: what the files are, in words.

    Raises:
        DataError: the files have different columns.
    """
    if all(column in table.columns for table in tables):
        return _concatenated(tables, source)
    long = _long(files, tables, {column: ids_of(files)}, source=source)
    if len(files) > 1:
        long.notes.append(
            f"{source}: {len(files):,} files, a sequence each, named in column {column!r}; to "
            "train on files that are parts of one sequence, say --set join_files=true "
            "(join_files=True in Python)."
        )
    return long


def ids_of(files: Sequence[Path]) -> list[str]:
    """Return the stems of files, or where these are not unique their paths without suffix."""
    stems = [stem_of(file) for file in files]
    if len(set(stems)) == len(stems):
        return stems
    paths = [file.with_name(stem) for file, stem in zip(files, stems, strict=True)]
    root = os.path.commonpath([path.parent.resolve() for path in paths])
    return [path.resolve().relative_to(root).as_posix() for path in paths]


def read_labelled_files(
    folder: Path, files: Sequence[Path], tables: Sequence[Table], labels: Labels, column: str
) -> Table:
    """Join files of steps with their rows in a table of labels: a long table.

    Args:
        folder: the folder of the files.
        files: files that the table lists, in its order.
        tables: their rows.
        labels: the table of labels.
        column: name of the column of ids, as `ids_of` gives them; a column of labels of this name
            is replaced.

    Raises:
        DataError: two rows of labels name one file, or a column is in both.
    """
    rows = _rows_of(labels, files)
    chosen = labels.table.select(rows)
    columns: dict[str, Any] = {name: chosen.arrow(name) for name in chosen.columns}
    for table in tables:
        if both := [name for name in table.columns if name in columns or name == column]:
            raise DataError(
                f"{labels.path} and {table.source} both have a column {both[0]!r}; rename one."
            )
    columns = {column: ids_of(files), **{n: v for n, v in columns.items() if n != column}}
    places = [f" ({labels.path.name}, {labels.line(row)})" for row in rows]
    long = _long(files, tables, columns, source=folder.name, folder=folder, places=places)
    long.notes += [*labels.table.notes, *_notes(folder, files, labels)]
    return long


def has_labels_above(folder: Path, files: Sequence[Path]) -> bool:
    """Tell whether all files lie in subfolders that can be named after their labels."""
    above = [file.relative_to(folder).parts[:-1] for file in files]
    in_parts = all(parts and parts[0].lower() in PART_FOLDERS for parts in above)
    return {len(parts) for parts in above} == {2 if in_parts else 1}


def read_files_in_subfolders(
    folder: Path, files: Sequence[Path], tables: Sequence[Table], column: str
) -> Table:
    """Join files of steps with the labels that their subfolders are named after: a long table.

    Raises:
        DataError: some files are in subfolders and some are not, or a column is in both.
    """
    columns: dict[str, Any] = {**columns_of_folders(folder, files), column: ids_of(files)}
    for table in tables:
        if both := [name for name in table.columns if name in columns]:
            raise DataError(
                f"{table.source} has a column {both[0]!r}, which here comes from the names of "
                "folders and files; rename it."
            )
    long = _long(files, tables, columns, source=folder.name, folder=folder)
    long.notes.append(
        f"{folder.name}/: {counted(len(files), 'file')}, a sequence each, with the name of its "
        "subfolder as 'label'."
    )
    return long


def with_one_id(table: Table, column: str) -> Table:
    """Add a column of ids to rows that come from no file: they are one sequence."""
    import pyarrow as pa

    ids = pa.repeat(table.source, len(table))
    return Table(
        table.data.append_column(column, ids),
        source=table.source,
        where=table.where,
        fingerprint=lambda: combined([table.fingerprint, column]),
        folder=table.folder,
        notes=[*table.notes, f"{table.source} has no column {column!r} and is one sequence."],
        stored=table.stored,
    )


def refuse_equal_ids(tables: Sequence[Table], column: str) -> None:
    """Refuse folders of which two have a file of the same id.

    Raises:
        DataError: they have.
    """
    folder_of: dict[str, str] = {}
    for table in tables:
        for name in dict.fromkeys(table.column(column)):
            if name in folder_of:
                raise DataError(
                    f"{folder_of[name]} and {table.source} both have a file {name!r}, and a file "
                    "is a sequence named after it. Rename one, or put both folders into one."
                )
            folder_of[name] = table.source


def as_sequences(long: Table, steps: Sequence[str], column: str) -> Table:
    """Make a row a file: the columns of its steps become lists.

    Args:
        long: a row a step.
        steps: columns with a value a step.
        column: that of the ids.
    """
    single = [name for name in long.columns if name not in steps and name != column]
    return to_sequences(long, sequence_id=column, per_sequence=single)


def _rows_of(labels: Labels, files: Sequence[Path]) -> list[int]:
    """Return the row of labels of each file."""
    row_of: dict[Path, int] = {}
    for row, file in enumerate(labels.files):
        if file in row_of:
            raise DataError(
                f"{labels.path}: {labels.line(row_of[file])} and {labels.line(row)} both name "
                f"{file}, and a file is one sequence. Remove one of them."
            )
        if file is not None:
            row_of[file] = row
    return [row_of[file] for file in files]


def _notes(folder: Path, files: Sequence[Path], labels: Labels) -> list[str]:
    """Say how the files are read, and which of the listed files do not exist."""
    table = labels.path.name
    notes = [
        f"{folder.name}/: {counted(len(files), 'file')}, a sequence each, with the row of {table} "
        f"that names it in column {labels.column!r}; its name without suffix is the id, in column "
        f"{FILE!r}."
    ]
    absent = [row for row, file in enumerate(labels.files) if file is None]
    if absent:
        names = labels.table.column(labels.column)
        listed = [f"{names[row]} ({labels.line(row)})" for row in absent]
        what = "file that does" if len(absent) == 1 else "files that do"
        notes.append(f"{table} lists {len(absent):,} {what} not exist: {_some(listed)}; left out.")
    return notes


def note_of_unlisted(folder: Path, unlisted: Sequence[Path], labels: Labels) -> list[str]:
    """Say which files the table of labels does not list."""
    if not unlisted:
        return []
    listed = [str(file.relative_to(folder)) for file in unlisted]
    return [
        f"{labels.path.name} does not list {counted(len(listed), 'file')} of {folder.name}/: "
        f"{_some(listed)}; left out."
    ]


def _some(listed: Sequence[str]) -> str:
    more = f" and {len(listed) - SHOWN:,} more" if len(listed) > SHOWN else ""
    return f"{', '.join(listed[:SHOWN])}{more}"


def _long(
    files: Sequence[Path],
    tables: Sequence[Table],
    columns: Mapping[str, Any],
    *,
    source: str,
    folder: Path | None = None,
    places: Sequence[str] | None = None,
) -> Table:
    """Concatenate files, with columns that have one value a file."""
    import pyarrow as pa

    joined = _concatenated(tables, source)
    lengths = [len(table) for table in tables]
    starts = [0, *accumulate(lengths)]
    file_of = pa.array(np.repeat(np.arange(len(tables)), lengths), pa.int64())
    of_files = {name: _column(values).take(file_of) for name, values in columns.items()}
    steps = {name: joined.arrow(name) for name in joined.columns}

    def where(row: int) -> str:
        part = bisect_right(starts, row) - 1
        place = tables[part].where(row - starts[part])
        if folder is not None:
            place = place.replace(files[part].name, str(files[part].relative_to(folder)), 1)
        return place if places is None else f"{place}{places[part]}"

    labels = repr([(name, _column(values).to_pylist()) for name, values in columns.items()])
    return Table(
        pa.table({**of_files, **steps}),
        source=source,
        where=where,
        fingerprint=lambda: combined([joined.fingerprint, labels]),
        notes=joined.notes,
        stored=joined.stored,
        folder=joined.folder,
    )


def _column(values: Any) -> pa.Array | pa.ChunkedArray:
    import pyarrow as pa

    return values if isinstance(values, pa.Array | pa.ChunkedArray) else pa.array(values)


def _concatenated(tables: Sequence[Table], source: str) -> Table:
    return tables[0] if len(tables) == 1 else concatenate(tables, source=source)
