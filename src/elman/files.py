"""Files written whole or not at all, and JSON read with every fault named."""

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
    """Write a file so that at any moment it is either the old one or the new one, whole.

    A link is followed, and what is no regular file, such as `/dev/stdout`, is written to directly.

    Args:
        path: the file.
        content: a text is encoded in UTF-8.
        make_folder: whether a folder that is missing is made.
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
    """Give a path to write to; what is there when the block ends well becomes the file.

    Where the block raises, an older file is left as it was, and no part of the new one.

    Args:
        path: the file; its folder exists.
    """
    path = path.resolve()
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        yield part
        if path.exists():
            shutil.copymode(path, part)
        part.replace(path)
    except OSError as error:
        if error.filename == str(part):  # nobody asked for a file of that name
            error.filename, error.filename2 = str(path), None
        raise
    finally:
        part.unlink(missing_ok=True)


def read_json(path: Path) -> dict[str, Any]:
    """Read a JSON object from a file.

    Raises:
        CheckpointError: the file is missing, or holds something else.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError as error:
        raise CheckpointError(f"there is no file {path}.") from error
    except (OSError, UnicodeDecodeError) as error:
        raise CheckpointError(f"{path} cannot be read: {error}.") from error
    return parse_json(text, path)


def parse_json(text: str, path: Path) -> dict[str, Any]:
    """Read a JSON object from the text of a file.

    Raises:
        CheckpointError: the text holds something else.
    """
    try:
        value = json.loads(text)
    except json.JSONDecodeError as error:
        raise CheckpointError(f"{path} is truncated or corrupt: not JSON: {error}.") from error
    if not isinstance(value, dict):
        raise CheckpointError(f"{path} must hold a JSON object, got {type(value).__name__}.")
    return value
