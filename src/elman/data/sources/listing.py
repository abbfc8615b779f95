"""What a folder holds: its data files, and words for errors about it."""

from __future__ import annotations

import difflib
import re
from collections.abc import Sequence
from pathlib import Path

from elman.data.sources.files import stem_of
from elman.data.sources.folder import PART_FOLDERS
from elman.data.sources.pipes import DEVICES
from elman.errors import DataError

SHOWN = 8
"""Greatest number of names listed in an error; the rest is counted."""


def files_in(folder: Path) -> list[Path]:
    """List the data files below a folder, sorted by name."""
    paths = sorted(folder.rglob("*"))
    return [path for path in paths if path.is_file() and _is_data(path.relative_to(folder))]


def _is_data(path: Path) -> bool:
    """Tell whether a path in a folder is data: neither hidden nor a readme or licence."""
    hidden = any(part.startswith((".", "__", "~$")) for part in path.parts)
    return not hidden and stem_of(path).lower() not in ("readme", "license", "licence")


def refuse_parts(files: Sequence[Path], folder: Path) -> None:
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


def no_such_file(path: Path) -> DataError:
    """Build the error for a file that does not exist, with a near miss or what exists instead."""
    folder = path.parent
    if path.is_relative_to(DEVICES):
        return DataError(
            f"{path} cannot be read again: it was a pipe, as <(…) makes it. Write the rows to a "
            "file, and name it."
        )
    if not folder.is_dir():
        return DataError(f"there is no file {path}: there is no folder {folder}.")
    names = sorted(file.name for file in folder.iterdir())
    near = difflib.get_close_matches(path.name, names, n=1)
    if near:
        return DataError(f"there is no file {path}; did you mean {str(folder / near[0])!r}?")
    return DataError(f"there is no file {path}{contents_of(folder)}.")


def nearest_folder(path: Path) -> Path:
    """Return the nearest folder above a path that exists."""
    return next((folder for folder in path.parents if folder.is_dir()), Path())


def contents_of(folder: Path) -> str:
    """List the contents of a folder, as the end of a sentence."""
    names = sorted(file.name + "/" * file.is_dir() for file in folder.iterdir())
    if not names:
        return f"; {folder} is empty"
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return f"; {folder} contains {', '.join(names[:SHOWN])}{more}"
