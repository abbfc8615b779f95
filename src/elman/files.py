"""Writing files whole or not at all, and reading JSON."""

from __future__ import annotations

import json
import os
import platform
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from elman.errors import CheckpointError, ExperimentError

LOCK = ".lock"
"""Name of the file in a directory that is held while a process is at work in it."""


def write_atomically(
    path: Path, content: bytes | str, *, make_folder: bool = True, durable: bool = False
) -> None:
    """Write a file so that at any moment it is complete: either the old one or the new one.

    A link is followed. What is no regular file, such as `/dev/stdout`, is written to directly.

    Args:
        path: path of the file.
        content: content of the file; a string is encoded in UTF-8.
        make_folder: whether a missing folder is created.
        durable: whether to wait until file and name are on the disk, so that they outlive a loss
            of power.
    """
    encoded = content.encode() if isinstance(content, str) else content
    if make_folder:
        path.parent.mkdir(parents=True, exist_ok=True)
    if path.exists() and not path.is_file():
        path.write_bytes(encoded)
        return
    with unfinished(path) as part:
        part.write_bytes(encoded)
        if durable:
            _flush(part)
    if durable and os.name == "posix":  # elsewhere a folder cannot be opened
        _flush(path.parent)


def keep_older(path: Path, older: Path) -> None:
    """Give a file a second name, in place of the file that had it, without copying it.

    Both names exist at any moment. Nothing happens where there is no such file.
    """
    part = _part_of(older)
    try:
        os.link(path, part)
    except FileNotFoundError:
        return
    except OSError:  # a file system without links
        shutil.copyfile(path, part)
    part.replace(older)


@contextmanager
def locked(directory: Path) -> Iterator[None]:
    """Keep other processes out of a directory; it is open to them again however this one ends.

    Raises:
        ExperimentError: another process is at work in it; it is named.
    """
    directory.mkdir(parents=True, exist_ok=True)
    owner = directory / ".owner.json"
    try:
        with FileLock(directory / LOCK, timeout=0):
            about = {"process": os.getpid(), "host": platform.node()}
            write_atomically(owner, f"{json.dumps(about)}\n")
            try:
                yield
            finally:
                owner.unlink(missing_ok=True)
    except Timeout as error:
        about = read_json(owner) if owner.is_file() else {"process": "?", "host": "?"}
        raise ExperimentError(
            f"process {about['process']} on {about['host']} is training in {directory}; wait until "
            "it ends, stop it, or choose another directory."
        ) from error


def is_locked(directory: Path) -> bool:
    """Tell whether a process is at work in a directory."""
    if not (directory / LOCK).exists():
        return False
    try:
        with FileLock(directory / LOCK, timeout=0):
            return False
    except (Timeout, OSError):
        return True


def remove_leftovers(directory: Path) -> None:
    """Remove what `write_atomically` left unfinished in a directory when a process was killed."""
    for part in directory.rglob(".*.part"):
        part.unlink(missing_ok=True)


def _flush(path: Path) -> None:
    """Wait until a file's content, or a folder's names, are on the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _part_of(path: Path) -> Path:
    """Name the temporary file that becomes a file."""
    return path.with_name(f".{path.name}.{os.getpid()}.part")


@contextmanager
def unfinished(path: Path) -> Iterator[Path]:
    """Yield a temporary path to write to, which replaces the file when the block ends.

    If the block raises, an older file stays as it was and the temporary file is deleted.

    Args:
        path: path of the file; its folder must exist.
    """
    path = path.resolve()
    part = _part_of(path)
    try:
        yield part
        if path.exists():
            shutil.copymode(path, part)
        part.replace(path)
    except OSError as error:
        # Name the file that the caller asked for; a full disk names none.
        if error.errno is not None and error.filename in (None, str(part)):
            error.filename, error.filename2 = str(path), None
        raise
    finally:
        part.unlink(missing_ok=True)


def read_json(path: Path) -> dict[str, Any]:
    """Read a JSON object from a file.

    Raises:
        CheckpointError: the file is missing, or holds no JSON object.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError as error:
        raise CheckpointError(f"there is no file {path}.") from error
    except (OSError, UnicodeDecodeError) as error:
        raise CheckpointError(
            f"{path} cannot be read: {error}. If it is damaged, copy it again, or train again."
        ) from error
    return parse_json(text, path)


def parse_json(text: str, path: Path) -> dict[str, Any]:
    """Parse the text of a JSON file that must hold an object.

    Raises:
        CheckpointError: the text is not JSON, or no object.
    """
    try:
        value = json.loads(text)
    except json.JSONDecodeError as error:
        raise CheckpointError(f"{path} is truncated or corrupt: not JSON: {error}.") from error
    if not isinstance(value, dict):
        raise CheckpointError(f"{path} must hold a JSON object, got {type(value).__name__}.")
    return value
