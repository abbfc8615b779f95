"""Writing files whole or not at all, and reading JSON."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from elman.errors import CheckpointError


def write_atomically(path: Path, content: bytes | str, *, make_folder: bool = True) -> None:
    """Write a file so that at any moment it is complete: either the old one or the new one.

    A link is followed. What is no regular file, such as `/dev/stdout`, is written to directly.

    Args:
        path: path of the file.
        content: content of the file; a string is encoded in UTF-8.
        make_folder: whether a missing folder is created.
    """
    encoded = content.encode() if isinstance(content, str) else content
    if make_folder:
        path.parent.mkdir(parents=True, exist_ok=True)
    if path.exists() and not path.is_file():
        path.write_bytes(encoded)
        return
    with unfinished(path) as part:
        part.write_bytes(encoded)


@contextmanager
def unfinished(path: Path) -> Iterator[Path]:
    """Yield a temporary path to write to, which replaces the file when the block ends.

    If the block raises, an older file stays as it was and the temporary file is deleted.

    Args:
        path: path of the file; its folder must exist.
    """
    path = path.resolve()
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        yield part
        if path.exists():
            shutil.copymode(path, part)
        part.replace(path)
    except OSError as error:
        if error.filename == str(part):  # name the file that the caller asked for
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
