"""Folders of audio, image or text files, labelled by subfolders or by a table."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from elman.data.paths import PICTURES, SOUNDS
from elman.data.sources.files import fingerprint_of, suffix_of
from elman.data.sources.labels import Labels
from elman.data.sources.plain_text import read_text
from elman.data.table import Table, combined
from elman.errors import DataError, counted

MEDIA = {"audio": SOUNDS, "image": PICTURES, "text": (".txt",)}
"""Column → suffixes of its files."""

PART_FOLDERS = frozenset({"train", "training", "valid", "validation", "val", "dev", "test"})
"""Names of folders that are parts of a split, not labels."""


def media_of(files: Iterable[Path]) -> str | None:
    """Return the column that most of a folder's files belong to, None where there is none."""
    files = list(files)
    counts = {
        column: sum(suffix_of(file) in suffixes for file in files)
        for column, suffixes in MEDIA.items()
    }
    best = max(counts, key=lambda column: counts[column])
    return best if counts[best] else None


def read_labelled_folder(
    folder: Path, media: Sequence[Path], column: str, labels: Labels | None
) -> Table:
    """Read a folder of audio, image or text files.

    Labels come from a table in the folder with one column of file names, see `labels.py`; or from
    subfolders, `LABEL/a.wav`, or `train/LABEL/a.wav`, which also gives a column `split`. Without
    either there is no column `label`.

    Args:
        folder: the folder.
        media: the files below it, in the order of the rows.
        column: `audio` or `image`, which hold paths, or `text`.
        labels: the table of labels, if there is one.

    Raises:
        DataError: some files are in subfolders and some are not, or the table names a file that
            does not exist.
    """
    if labels is not None:
        return _read_with_table(folder, media, column, labels)
    known = columns_of_folders(folder, media)
    notes = [] if known else [f"{folder.name}/ has no labels: no subfolders and no labels.csv."]
    values, assumed = _values(media, column)
    return Table.from_columns(
        {column: values, **known},
        folder.name,
        where=lambda row: str(media[row].relative_to(folder)),
        fingerprint=fingerprint_of(media, contents=False),
        notes=notes + assumed,
    )


def _values(files: Sequence[Path], column: str) -> tuple[list[str], list[str]]:
    """Return the files' texts, or their paths where they are audio or images, and notes."""
    if column != "text":
        return [str(file) for file in files], []
    read = [read_text(file) for file in files]
    return [text for text, _ in read], [note for _, notes in read for note in notes]


def columns_of_folders(folder: Path, files: Sequence[Path]) -> dict[str, list[str]]:
    """Return the columns `split` and `label`, from the names of the folders."""
    above = [file.relative_to(folder).parts[:-1] for file in files]
    in_parts = all(parts and parts[0].lower() in PART_FOLDERS for parts in above)
    names = ["split", "label"] if in_parts else ["label"]
    depths = {len(parts) for parts in above}
    if depths == {0}:
        return {}
    if in_parts and depths == {1}:
        names = ["split"]
    for file, parts in zip(files, above, strict=True):
        if len(parts) != len(names):
            raise DataError(
                f"{folder}: every file must be in a folder named after its label, such as "
                f"{folder / 'LABEL' / file.name}; {file.relative_to(folder)} is not. Move it, or "
                "write a table labels.csv with columns file and label."
            )
    return {name: [parts[i] for parts in above] for i, name in enumerate(names)}


def _read_with_table(folder: Path, media: Sequence[Path], column: str, labels: Labels) -> Table:
    """Read the table of labels, with paths in place of the names of files."""
    path, table, name, files = labels
    paths = []
    for row, file in enumerate(files):
        if file is None:
            raise DataError(
                f"{path}, {labels.line(row)}: there is no file {table.column(name)[row]!r} in "
                f"{folder}. Correct the name or remove the row."
            )
        paths.append(file)
    others = {other: table.arrow(other) for other in table.columns if other != name}
    if column in others:
        raise DataError(f"{path} names its files in column {name!r}; rename column {column!r}.")
    unused = len(set(media) - set(paths))
    notes = list(table.notes)
    if unused:
        left_out = f"{counted(unused, 'file')} left out"
        notes.append(f"{path.name} does not list all files of {folder.name}/: {left_out}.")
    values, assumed = _values(paths, column)
    return Table.from_columns(
        {column: values, **others},
        folder.name,
        where=table.where,
        fingerprint=combined([table.fingerprint, fingerprint_of(paths, contents=False)]),
        notes=notes + assumed,
    )
