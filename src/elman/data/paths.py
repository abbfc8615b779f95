"""Paths of sounds and pictures in tables, relative to the folder of the table's file."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from elman.errors import DataError

SOUNDS = (".wav", ".flac", ".ogg", ".mp3", ".aiff", ".aif")
PICTURES = (".png", ".jpg", ".jpeg", ".bmp", ".gif", ".tif", ".tiff", ".webp")
"""Suffixes of files that a column may name by their paths."""


class FilePath(str):
    """A path as a table spells it, that knows the folder of the table's file.

    It is a string like any other but for `folder`, against which `found_file` resolves it.
    """

    folder: Path

    __slots__ = ("folder",)

    @classmethod
    def of(cls, text: Any, folder: Path) -> Any:
        """Turn what may be the path of a sound or picture, or of a folder of them, into a path.

        Other values are returned as they are; lists are searched.
        """
        if isinstance(text, list):
            return [cls.of(each, folder) for each in text]
        if not isinstance(text, str):
            return text
        is_file = text[-6:].lower().endswith(SOUNDS + PICTURES)
        is_folder = not is_file and "/" in text and " " not in text and (folder / text).is_dir()
        if not (is_file or is_folder):
            return text
        path = cls(text)
        path.folder = folder
        return path


def found_path(value: str | os.PathLike[str]) -> Path | None:
    """Return the file or folder that a path names, None where there is none.

    A path that a table holds is relative to the table's folder, or else to the current folder.
    """
    folder = getattr(value, "folder", None)
    places = [Path(value)] if folder is None else [Path(folder, value), Path(value)]
    return next((place for place in places if place.exists()), None)


def found_file(value: str | os.PathLike[str], what: str) -> Path:
    """Return the file that a path names.

    Args:
        value: the path.
        what: a sound or a picture, for the error.

    Raises:
        DataError: there is no such file; the places where it was looked for are named.
    """
    path = found_path(value)
    if path is not None and path.is_file():
        return path
    if Path(value).is_absolute():
        raise DataError(f"there is no {what} {str(value)!r}; correct the path.")
    folder = getattr(value, "folder", None)
    if folder is None:
        where = f"in the current folder, {Path.cwd()}"
    else:
        where = f"neither in {folder}, the folder of its table, nor in {Path.cwd()}"
    raise DataError(
        f"there is no {what} {str(value)!r} {where}; correct the path, or leave the row out."
    )
