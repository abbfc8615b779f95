"""Files written whole or not at all, and JSON read with every fault named."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from elman.errors import CheckpointError


def write_atomically(path: Path, content: bytes) -> None:
    """Write a file so that at any moment it is either the old one or the new one, whole."""
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        unfinished.write_bytes(content)
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)


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
