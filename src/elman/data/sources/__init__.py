"""Reading tables from files of every format, from folders and from values in memory.

| format      | files                                         | a row is                        |
| ----------- | --------------------------------------------- | ------------------------------- |
| `delimited` | .csv .tsv .tab, .txt with columns             | a line                          |
| `excel`     | .xlsx .xlsm, `book.xlsx:Sheet` for a sheet    | a row of a sheet                |
| `fasttext`  | .txt whose lines begin with `__label__`       | a line                          |
| `json`      | .jsonl .ndjson .json                          | an object                       |
| `parquet`   | .parquet .feather .arrow                      | a row                           |
| `conll`     | .conll .conllu .conllup .iob, .txt like them  | a sentence, its columns lists   |
| `npz`       | .npz                                          | an element of the first axis    |
| `lines`     | .txt                                          | a line, in a column `text`      |
| `ts`        | .ts                                           | a case: series and a label      |

Text files may be compressed: `.gz`, `.xz` or `.bz2`. A folder holds files of one format, which
are concatenated; or audio, images or texts in subfolders named after their labels or listed in
`labels.csv`; or files named after their labels with one text a line.

Structs, objects in a row, are columns by dotted paths, whatever the source.

Where the target is the next element, .txt files are one running text, whatever their form.
"""

from __future__ import annotations

import difflib
import glob
import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any

from elman.data.sources.archive import read_npz
from elman.data.sources.conll import looks_like_conll, read_conll
from elman.data.sources.delimited import looks_delimited, read_delimited
from elman.data.sources.excel import SUFFIXES as EXCEL
from elman.data.sources.excel import read_excel, split_sheet
from elman.data.sources.fasttext import looks_like_fasttext, read_fasttext
from elman.data.sources.files import COMPRESSED, stem_of, suffix_of
from elman.data.sources.folder import PART_FOLDERS, label_table, media_of, read_labelled_folder
from elman.data.sources.format import Format
from elman.data.sources.json_files import read_json
from elman.data.sources.memory import read_memory
from elman.data.sources.parquet import read_parquet
from elman.data.sources.plain_text import read_label_files, read_lines, read_running_text
from elman.data.sources.structs import without_structs
from elman.data.sources.ts import read_ts
from elman.data.table import Table, concatenate
from elman.errors import DataError, unknown
from elman.plugins import Registry

_BUILT_IN = (
    Format("conll", read_conll, (".conll", ".conllu", ".conllup", ".iob")),
    Format("delimited", read_delimited, (".csv", ".tsv", ".tab")),
    Format("excel", read_excel, EXCEL),
    Format("fasttext", read_fasttext),
    Format("json", read_json, (".jsonl", ".ndjson", ".json")),
    Format("lines", read_lines),
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

SHOWN = 8
"""Greatest number of names listed in an error; the rest is counted."""


def read_table(
    source: Any,
    *,
    format: str | None = None,  # noqa: A002 - the users' word
    running_text: bool = False,
) -> Table:
    """Read data of any supported form into a table.

    Assumptions, such as an encoding or a missing header, are in the table's `notes`.

    Args:
        source: a path, a glob, a folder or a list of paths; or a dict of columns, a list of
            dicts, a pandas DataFrame, an Arrow table, a Hugging Face data set.
        format: one of `FORMATS`, where a file's suffix does not determine it.
        running_text: whether .txt files, and those of format `lines`, are one running text whose
            rows follow each other, with their line ends.

    Returns:
        The rows of all files, in the order of the files' names, or as listed.

    Raises:
        DataError: there is no such file (a near miss is offered), a file is empty or malformed
            (the line is named), or files have different columns.
        OptionError: there is no such format.
    """
    if format is not None and format not in FORMATS:
        raise unknown("format", format, FORMATS)
    if running_text and (texts := _plain_texts(source, format)):
        return read_running_text(texts)
    if isinstance(source, str | os.PathLike):
        return _read_path(os.fspath(source), format)
    if isinstance(source, list | tuple) and source and isinstance(source[0], str | os.PathLike):
        for path in source:
            if not isinstance(path, str | os.PathLike):
                raise DataError(f"a list of files must hold nothing but paths, got {path!r}.")
        tables = [_read_path(os.fspath(path), format) for path in source]
        return tables[0] if len(tables) == 1 else concatenate(tables, source=_several(tables))
    return without_structs(read_memory(source))


def _read_path(name: str, form: str | None) -> Table:
    path = Path(name).expanduser()
    if path.is_dir():
        return _read_folder(path, form)
    if split_sheet(path)[0].exists():
        return _read_file(path, form)
    if "://" in name:
        raise DataError(f"{name} is a URL; download it first and give the file's path.")
    if glob.has_magic(name):
        matches = glob.glob(str(path), recursive=True)  # noqa: PTH207 - may begin at any root
        files = [Path(match) for match in sorted(matches) if Path(match).is_file()]
        if not files:
            raise DataError(f"no file matches {name!r}{_contents(_nearest_folder(path))}.")
        return _read_files(files, form, source=name)
    raise _no_such_file(path)


def _read_file(path: Path, form: str | None) -> Table:
    form = form or _format_of(suffix_of(split_sheet(path)[0])) or _format_of_text(path)
    return without_structs(FORMATS[form].read(path))


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
            in_folder = _files_in(path)
            if any(_format_of(suffix_of(file)) for file in in_folder):
                return []
            texts = [file for file in in_folder if suffix_of(file) == ".txt"]
            _refuse_parts(texts, path)
            files += texts
        else:
            matches = [str(path)] if path.exists() else glob.glob(str(path), recursive=True)  # noqa: PTH207
            files += [Path(match) for match in sorted(matches)]
    if form is None and not all(suffix_of(file) == ".txt" for file in files):
        return []
    return files


def _read_files(files: Sequence[Path], form: str | None, *, source: str) -> Table:
    tables = [_read_file(file, form) for file in files]
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


def _read_folder(folder: Path, form: str | None) -> Table:
    """Read a folder: files of one format, or audio, image or text files."""
    files = _files_in(folder)
    if form is not None:
        here = [file for file in files if file.parent == folder]
        if not here:
            raise DataError(f"{folder} contains no files{_contents(folder)}.")
        return _read_files(here, form, source=folder.name)
    column = media_of(files)
    in_folders = any(file.parent != folder for file in files)
    if column in ("audio", "image") or (column and (in_folders or label_table(folder))):
        return read_labelled_folder(folder, files, column)
    data = [file for file in files if _format_of(suffix_of(file))]
    texts = [file for file in files if suffix_of(file) == ".txt"]
    if data and texts:
        texts = []  # a README beside the data
    if texts:
        return read_label_files(texts, folder)
    formats = {str(_format_of(suffix_of(file))) for file in data}
    if not data:
        raise DataError(f"{folder} contains no readable data{_contents(folder)}.")
    if len(formats) > 1:
        raise DataError(
            f"{folder} contains files of several formats ({', '.join(sorted(formats))}). Name the "
            f"files, for instance {str(folder / ('*' + suffix_of(data[0])))!r}."
        )
    _refuse_parts(data, folder)
    return _read_files(data, None, source=folder.name)


def _files_in(folder: Path) -> list[Path]:
    """List the data files below a folder, sorted by name."""
    paths = sorted(folder.rglob("*"))
    return [path for path in paths if path.is_file() and _is_data(path.relative_to(folder))]


def _is_data(path: Path) -> bool:
    """Tell whether a path in a folder is data: neither hidden nor a readme or licence."""
    hidden = any(part.startswith((".", "__", "~$")) for part in path.parts)
    return not hidden and stem_of(path).lower() not in ("readme", "license", "licence")


def _refuse_parts(files: Sequence[Path], folder: Path) -> None:
    """Refuse to mix files, or folders of files, that are named after the parts of a split."""
    part_of_each = [_part_of(file.relative_to(folder)) for file in files]
    parts = list(dict.fromkeys(part for part in part_of_each if part is not None))
    endings = {file: _ending(file) for file in files if _ending(file) in PART_FOLDERS}
    if not parts and len(set(endings.values())) > 1:
        parts = [file.relative_to(folder) for file in endings]
    if len(files) > 1 and parts:
        raise DataError(
            f"{folder} contains the parts of a split ({', '.join(map(str, parts))}), which must "
            f"not be mixed. Name the training part, for instance {str(folder / parts[-1])!r}, and "
            "the others as valid_files and test_files (--valid and --test on the command line)."
        )


def _part_of(path: Path) -> Path | None:
    """Return the folder of a path, or the path itself, that is named after a part, if any is."""
    candidates = (*reversed(path.parents), path)
    return next((each for each in candidates if stem_of(each).lower() in PART_FOLDERS), None)


def _ending(path: Path) -> str:
    """Return the last part of a file's name: `train` of `Vowels_TRAIN.ts`."""
    return re.split(r"[-_. ]", stem_of(path).lower())[-1]


def _several(tables: Sequence[Table]) -> str:
    return f"{tables[0].source} and {len(tables) - 1} more"


def _no_such_file(path: Path) -> DataError:
    """Build the error for a file that does not exist, with a near miss or what exists instead."""
    folder = path.parent
    if not folder.is_dir():
        return DataError(f"there is no file {path}: there is no folder {folder}.")
    names = sorted(file.name for file in folder.iterdir())
    near = difflib.get_close_matches(path.name, names, n=1)
    if near:
        return DataError(f"there is no file {path}; did you mean {str(folder / near[0])!r}?")
    return DataError(f"there is no file {path}{_contents(folder)}.")


def _nearest_folder(path: Path) -> Path:
    return next((folder for folder in path.parents if folder.is_dir()), Path())


def _contents(folder: Path) -> str:
    """List the contents of a folder, as the end of a sentence."""
    names = sorted(file.name + "/" * file.is_dir() for file in folder.iterdir())
    if not names:
        return f"; {folder} is empty"
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return f"; {folder} contains {', '.join(names[:SHOWN])}{more}"
