"""Tables that label the files of a folder: `labels.csv` and its like, matched to the files."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

from elman.data.sources.files import stem_of, suffix_of
from elman.data.table import Table
from elman.errors import DataError

LABEL_TABLES = ("labels", "captions", "metadata")
"""Names, without suffix, of tables that must list the files beside them."""

USUAL_NAMES = (
    *LABEL_TABLES,
    *("label", "caption", "meta", "targets", "annotations", "index", "manifest", "reference"),
)
"""Names of tables that label the files of a folder if they list them."""

SUFFIXES = (".csv", ".tsv", ".jsonl", ".parquet")
"""Of tables of labels."""


class Labels(NamedTuple):
    """A table of labels, and the file that each of its rows names."""

    path: Path
    table: Table
    column: str
    """Which names the files."""
    files: list[Path | None]
    """The file of each row, None where there is no such file."""

    def line(self, row: int) -> str:
        """Return the place of a row in the table: `line 5`."""
        return _line(self.table, row)


def label_tables(folder: Path) -> list[Path]:
    """List the tables of a folder that may label its files, by their names."""
    tables = [
        path
        for path in sorted(folder.iterdir())
        if path.is_file() and suffix_of(path) in SUFFIXES and stem_of(path).lower() in USUAL_NAMES
    ]
    return sorted(tables, key=lambda path: USUAL_NAMES.index(stem_of(path).lower()))


def find_labels(
    folder: Path, files: Sequence[Path], read: Callable[[Path], Table]
) -> Labels | None:
    """Find the table that labels the files of a folder, and match its rows to the files.

    A file is named by its path in the folder, its name, or either without suffix; where the name
    alone says too little, a second column names the subfolder. The column of names is the first
    of which more than half of the values are files.

    Args:
        folder: the folder.
        files: the files below it that may be labelled.
        read: reads a table.

    Raises:
        DataError: `labels.csv`, `captions.csv` or `metadata.csv` names no files, or a name is that
            of several files.
    """
    refusal: DataError | None = None
    for path in label_tables(folder):
        others = [file for file in files if file != path]
        if not others:
            continue
        table = read(path)
        names = _Names(folder, others)
        column = next((name for name in table.columns if names.are_in(table, name)), None)
        if column is not None:
            return Labels(path, table, column, _files_of_rows(path, table, column, names))
        if stem_of(path).lower() in LABEL_TABLES:
            example = min(str(file.relative_to(folder)) for file in others)
            refusal = refusal or DataError(
                f"{path}: no column holds the names of the files beside it, such as {example!r}. "
                f"Columns: {', '.join(table.columns)}."
            )
    if refusal is not None:
        raise refusal
    return None


class _Names:
    """The names by which a table may call the files of a folder."""

    def __init__(self, folder: Path, files: Sequence[Path]) -> None:
        self.folder = folder
        self.files_of: dict[str, list[Path]] = {}
        for file in files:
            relative = file.relative_to(folder)
            stem = relative.with_name(stem_of(file))
            for name in {relative.as_posix(), stem.as_posix(), file.name, stem.name}:
                self.files_of.setdefault(name, []).append(file)

    def of(self, value: object) -> list[Path]:
        """Return the files that a cell may mean."""
        name = str(value).strip().replace("\\", "/").removeprefix("./")
        return self.files_of.get(name) or self.files_of.get(
            name.removeprefix(f"{self.folder.name}/"), []
        )

    def are_in(self, table: Table, column: str) -> bool:
        """Tell whether more than half of a column's values are names of files."""
        found = sum(bool(self.of(value)) for value in table.column(column))
        return 2 * found > len(table)

    def in_subfolders(self, table: Table, column: str, other: str) -> list[list[Path]] | None:
        """Return the files of each row where another column names their subfolders."""
        pairs = zip(table.column(other), table.column(column), strict=True)
        found = [self.of(f"{subfolder}/{value}") for subfolder, value in pairs]
        return found if 2 * sum(map(bool, found)) > len(found) else None


def _files_of_rows(path: Path, table: Table, column: str, names: _Names) -> list[Path | None]:
    """Return the file of each row, with the help of a column of subfolders if there is one."""
    others = [name for name in table.columns if name != column]
    pairs = (names.in_subfolders(table, column, name) for name in others)
    found = next((each for each in pairs if each is not None), None)
    if found is None:
        found = [names.of(value) for value in table.column(column)]
    for row, files in enumerate(found):
        if len(files) > 1:
            listed = " and ".join(str(file.relative_to(names.folder)) for file in files[:2])
            raise DataError(
                f"{path}, {_line(table, row)}: {table.column(column)[row]!r} is the name of "
                f"several files, {listed}. Write their paths in {names.folder}, or add a column "
                "with the name of the subfolder."
            )
    return [files[0] if files else None for files in found]


def _line(table: Table, row: int) -> str:
    return table.where(row).rpartition(", ")[2]
