"""Reading tables from files of every format, from folders and from values in memory.

| format      | files                                         | a row is                        |
| ----------- | --------------------------------------------- | ------------------------------- |
| `delimited` | .csv .tsv .tab, .txt with columns             | a line                          |
| `excel`     | .xlsx .xlsm, `book.xlsx:Sheet` for a sheet    | a row of a sheet                |
| `fasttext`  | .txt whose lines begin with `__label__`       | a line                          |
| `json`      | .jsonl .ndjson .json                          | an object                       |
| `parquet`   | .parquet .feather .arrow                      | a row                           |
| `conll`     | .conll .conllu .conllup .iob, .txt like them  | a sentence, its columns lists   |
| `npy`       | .npy                                          | an element of the first axis    |
| `npz`       | .npz                                          | an element of the first axis    |
| `lines`     | .txt                                          | a line, in a column `text`      |
| `ts`        | .ts                                           | a case: series and a label      |

Text files may be compressed: `.gz`, `.xz` or `.bz2`. A folder holds files of one format, which
are concatenated; or audio, images or texts in subfolders named after their labels or listed in
`labels.csv`; or files named after their labels with one text a line. A pipe, as `<(zcat rows.gz)`,
is copied once, see `pipes`.

Structs, objects in a row, are columns by dotted paths, whatever the source.

Where the target is the next element, .txt files are one running text, whatever their form.
"""

from __future__ import annotations

import glob
import os
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

from elman.data.concatenation import concatenate
from elman.data.sources.archive import read_npy, read_npz
from elman.data.sources.conll import looks_like_conll, read_conll
from elman.data.sources.delimited import looks_delimited, read_delimited
from elman.data.sources.excel import SUFFIXES as EXCEL
from elman.data.sources.excel import read_excel, split_sheet
from elman.data.sources.fasttext import looks_like_fasttext, read_fasttext
from elman.data.sources.files import COMPRESSED, named_encoding, suffix_of
from elman.data.sources.folder import MEDIA, media_of, read_labelled_folder
from elman.data.sources.format import Format
from elman.data.sources.json_files import read_json
from elman.data.sources.labels import Labels, find_labels, label_tables
from elman.data.sources.listing import (
    contents_of,
    files_in,
    nearest_folder,
    no_such_file,
    refuse_parts,
)
from elman.data.sources.memory import read_memory
from elman.data.sources.parquet import read_parquet
from elman.data.sources.pipes import pipes_in, read_pipes
from elman.data.sources.plain_text import read_label_files, read_lines, read_running_text
from elman.data.sources.sequence_files import (
    FILE,
    LABELS_ABOVE,
    as_sequences,
    has_labels_above,
    note_of_unlisted,
    read_files_in_subfolders,
    read_labelled_files,
    refuse_equal_ids,
    with_file_ids,
)
from elman.data.sources.structs import without_structs
from elman.data.sources.ts import read_ts
from elman.data.table import Table
from elman.errors import DataError, unknown
from elman.plugins import Registry

_BUILT_IN = (
    Format("conll", read_conll, (".conll", ".conllu", ".conllup", ".iob")),
    Format("delimited", read_delimited, (".csv", ".tsv", ".tab")),
    Format("excel", read_excel, EXCEL),
    Format("fasttext", read_fasttext),
    Format("json", read_json, (".jsonl", ".ndjson", ".json")),
    Format("lines", read_lines),
    Format("npy", read_npy, (".npy",)),
    Format("npz", read_npz, (".npz",)),
    Format("parquet", read_parquet, (".parquet", ".feather", ".arrow")),
    Format("ts", read_ts, (".ts",)),
)


def _what_is_wrong(name: str, entry: Any) -> str | None:
    if not isinstance(entry, Format):
        return f"must be an elman.data.sources.Format, got {type(entry).__name__}"
    return None if entry.name == name else f"is a format of another name, {entry.name!r}"


FORMATS: Registry[Format] = Registry(
    "elman.sources", {form.name: form for form in _BUILT_IN}, _what_is_wrong
)
"""Name → format; formats of other packages, too."""

SUFFIXES: Mapping[str, str] = MappingProxyType(
    {suffix: form.name for form in _BUILT_IN for suffix in form.suffixes}
)
"""Suffix → Elman's own format. The content of .txt is looked at."""


def read_table(
    source: Any,
    *,
    format: str | None = None,  # noqa: A002 - the users' word
    running_text: bool = False,
    encoding: str | None = None,
    by_file: bool = False,
) -> Table:
    """Read data of any supported form into a table.

    Assumptions, such as an encoding or a missing header, are in the table's `notes`.

    A folder of files with a table of labels beside them gives one row a file: its columns are
    lists, one value a step; the columns of the table of labels have one value a file.

    Args:
        source: a path, a glob, a folder or a list of paths; or a dict of columns, a list of
            dicts, a pandas DataFrame, an Arrow table, a Hugging Face data set.
        format: one of `FORMATS`, where a file's suffix does not determine it.
        running_text: whether .txt files, and those of format `lines`, are one running text whose
            rows follow each other, with their line ends.
        encoding: that of text files, such as `cp1251`; detected by default. A file with a byte
            order mark, or in UTF-8, is read as such all the same.
        by_file: whether each file is a sequence and its rows are the steps. A column `file` then
            holds the id of the file that a row comes from: its name without suffix. Labels, from
            a table beside the files or the names of their subfolders, are repeated in every row.

    Returns:
        The rows of all files, in the order of the files' names, or as listed.

    Raises:
        DataError: there is no such file (a near miss is offered), a file is empty or malformed
            (the line is named), or files have different columns.
        OptionError: there is no such format or encoding.
    """
    if encoding is not None:
        with named_encoding(encoding):
            return read_table(source, format=format, running_text=running_text, by_file=by_file)
    if format is not None and format not in FORMATS:
        raise unknown("format", format, FORMATS)
    if pipes_in(source):
        read = partial(read_table, format=format, running_text=running_text, by_file=by_file)
        return read_pipes(source, format, read)
    if running_text and (texts := _plain_texts(source, format)):
        return read_running_text(texts)
    if isinstance(source, str | os.PathLike):
        return _read_path(os.fspath(source), format, by_file)
    if isinstance(source, list | tuple) and source and isinstance(source[0], str | os.PathLike):
        return _read_paths(source, format, by_file)
    return without_structs(read_memory(source))


class Files(NamedTuple):
    """What is known of the files of a source before they are read."""

    number: int
    labels: list[str] | None
    """Columns with one value a file, from a table of labels or the names of subfolders."""
    listed: bool
    """Whether a table of labels lists the files."""


def files_of(source: Any, form: str | None = None) -> Files:
    """Say how many files of data a source has, and how they are labelled.

    Args:
        source: as for `read_table`; values in memory are no files.
        form: the format, where it is given.

    Raises:
        DataError: there is no such file.
    """
    paths = source if isinstance(source, list | tuple) else [source]
    if not all(isinstance(path, str | os.PathLike) for path in paths):
        return Files(0, None, listed=False)
    if len(paths) == 1 and Path(paths[0]).expanduser().is_dir():
        return _files_of_folder(Path(paths[0]).expanduser(), form)
    count = 0
    for path in map(os.fspath, paths):
        folder = Path(path).expanduser()
        is_folder = folder.is_dir()
        count += _files_of_folder(folder, form).number if is_folder else len(_files_of_path(path))
    return Files(count, None, listed=False)


def _files_of_folder(folder: Path, form: str | None) -> Files:
    files = files_in(folder)
    if form is None and _media_column(folder, files) is not None:
        return Files(0, None, listed=False)
    data = _data_files(files) if form is None else files
    labels = _labels_of(folder, data)
    if labels is not None:
        return Files(sum(file is not None for file in labels.files), labels.table.columns, True)
    above = LABELS_ABOVE if data and has_labels_above(folder, data) else None
    return Files(len(data), above, listed=False)


def _read_paths(paths: Sequence[Any], form: str | None, by_file: bool) -> Table:
    for path in paths:
        if not isinstance(path, str | os.PathLike):
            raise DataError(f"a list of files must hold nothing but paths, got {path!r}.")
    if by_file and not any(Path(path).expanduser().is_dir() for path in paths):
        files = [file for path in paths for file in _files_of_path(os.fspath(path))]
        return _read_files(files, form, source=_several(files), by_file=True)
    tables = [_read_path(os.fspath(path), form, by_file) for path in paths]
    if len(tables) == 1:
        return tables[0]
    if by_file:
        refuse_equal_ids(tables, FILE)
    return concatenate(tables, source=f"{tables[0].source} and {len(tables) - 1} more")


def _read_path(name: str, form: str | None, by_file: bool) -> Table:
    path = Path(name).expanduser()
    if path.is_dir():
        return _read_folder(path, form, by_file)
    files = _files_of_path(name)
    source = name if not path.exists() else path.name
    return _read_files(files, form, source=source, by_file=by_file)


def _files_of_path(name: str) -> list[Path]:
    """Return a file, or the files that match a pattern."""
    path = Path(name).expanduser()
    if split_sheet(path)[0].exists():
        return [path]
    if "://" in name:
        raise DataError(f"{name} is a URL; download it first and give the file's path.")
    if glob.has_magic(name):
        matches = glob.glob(str(path), recursive=True)  # noqa: PTH207 - may begin at any root
        files = [Path(match) for match in sorted(matches) if Path(match).is_file()]
        if not files:
            raise DataError(f"no file matches {name!r}{contents_of(nearest_folder(path))}.")
        return files
    raise no_such_file(path)


def _read_file(path: Path, form: str | None) -> Table:
    form = form or _format_of(suffix_of(split_sheet(path)[0])) or _format_of_text(path)
    return without_structs(FORMATS[form].read(path)).in_folder(path.parent)


def _format_of(suffix: str) -> str | None:
    """Name the format of a suffix; formats of other packages come after Elman's own."""
    if suffix in SUFFIXES or suffix == ".txt":
        return SUFFIXES.get(suffix)
    others = (FORMATS[name] for name in FORMATS if name not in FORMATS.built_in)
    return next((form.name for form in others if suffix in form.suffixes), None)


def _plain_texts(source: Any, form: str | None) -> list[Path]:
    """List the files of a source that holds only plain text; none for any other source."""
    names = source if isinstance(source, list | tuple) else [source]
    files: list[Path] = []
    for name in names:
        if form not in (None, "lines") or not isinstance(name, str | os.PathLike):
            return []
        path = Path(name).expanduser()
        if path.is_dir():
            in_folder = files_in(path)
            if any(_format_of(suffix_of(file)) for file in in_folder):
                return []
            texts = [file for file in in_folder if suffix_of(file) == ".txt"]
            refuse_parts(texts, path)
            files += texts
        else:
            matches = [str(path)] if path.exists() else glob.glob(str(path), recursive=True)  # noqa: PTH207
            files += [Path(match) for match in sorted(matches)]
    if form is None and not all(suffix_of(file) == ".txt" for file in files):
        return []
    return files


def _read_files(
    files: Sequence[Path], form: str | None, *, source: str, by_file: bool = False
) -> Table:
    tables = [_read_file(file, form) for file in files]
    if by_file:
        return with_file_ids(files, tables, FILE, source=source)
    return tables[0] if len(tables) == 1 else concatenate(tables, source=source)


def _format_of_text(path: Path) -> str:
    """Detect the format of a .txt file from its content; refuse every other suffix."""
    suffix = suffix_of(path)
    if suffix != ".txt":
        known = ", ".join([*(each for name in FORMATS for each in FORMATS[name].suffixes), ".txt"])
        if suffix.startswith((".xls", ".ods")):
            raise DataError(f"{path} is a spreadsheet; save it as .xlsx, or the sheet as CSV.")
        raise DataError(
            f"{path}: the suffix {suffix!r} belongs to no known format. Known suffixes: {known}, "
            f"also followed by {', '.join(COMPRESSED)}. Rename the file, or name its format, for "
            f"instance --set format=lines with elman train. Formats: {', '.join(FORMATS)}."
        )
    if looks_like_fasttext(path):
        return "fasttext"
    if looks_like_conll(path):
        return "conll"
    return "delimited" if looks_delimited(path) else "lines"


def _read_folder(folder: Path, form: str | None, by_file: bool) -> Table:
    """Read a folder: files of one format, or audio, image or text files."""
    files = files_in(folder)
    if form is not None:
        files = [file for file in files if file.parent == folder]
        if not files:
            raise DataError(f"{folder} contains no files{contents_of(folder)}.")
    elif (column := _media_column(folder, files)) is not None:
        media = [file for file in files if suffix_of(file) in MEDIA[column]]
        labels = find_labels(folder, media, lambda path: _read_file(path, None))
        if column != "text" or labels or any(file.parent != folder for file in media):
            return read_labelled_folder(folder, media, column, labels)
    data = _data_files(files) if form is None else files
    texts = [file for file in files if suffix_of(file) == ".txt"]
    if texts and not data:
        return read_label_files(texts, folder)
    if not data:
        raise DataError(f"{folder} contains no readable data{contents_of(folder)}.")
    labels = _labels_of(folder, data)
    if labels is not None:
        return _read_labelled(folder, data, form, labels, by_file)
    formats = {str(_format_of(suffix_of(file))) for file in data}
    if len(formats) > 1 and form is None:
        raise DataError(
            f"{folder} contains files of several formats ({', '.join(sorted(formats))}). Name the "
            f"files, for instance {str(folder / ('*' + suffix_of(data[0])))!r}."
        )
    if by_file and has_labels_above(folder, data):
        tables = [_read_file(file, form) for file in data]
        return read_files_in_subfolders(folder, data, tables, FILE)
    refuse_parts(data, folder)
    return _read_files(data, form, source=folder.name, by_file=by_file)


def _media_column(folder: Path, files: Sequence[Path]) -> str | None:
    """Name the column of a folder of audio, image or text files; None for other data.

    A few texts among other data are a README beside it.
    """
    column = media_of(files)
    if column != "text":
        return column
    data = [file for file in _data_files(files) if file not in label_tables(folder)]
    return None if data else column


def _data_files(files: Sequence[Path]) -> list[Path]:
    return [file for file in files if _format_of(suffix_of(file))]


def _labels_of(folder: Path, data: Sequence[Path]) -> Labels | None:
    return find_labels(folder, data, lambda path: _read_file(path, None))


def _read_labelled(
    folder: Path, data: Sequence[Path], form: str | None, labels: Labels, by_file: bool
) -> Table:
    """Read the files that a table of labels lists, a sequence each."""
    listed = [file for file in labels.files if file is not None]
    tables = [_read_file(file, form) for file in listed]
    long = read_labelled_files(folder, listed, tables, labels, FILE)
    unlisted = [file for file in data if file not in {*listed, labels.path}]
    long.notes += note_of_unlisted(folder, unlisted, labels)
    return long if by_file else as_sequences(long, tables[0].columns, FILE)


def _several(files: Sequence[Path]) -> str:
    return files[0].name if len(files) == 1 else f"{files[0].name} and {len(files) - 1} more"
