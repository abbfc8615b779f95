"""A file format: its name, the suffixes of its files, and what reads one."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from elman.data.table import Table


class Format(NamedTuple):
    """A file format."""

    name: str
    read: Callable[[Path], Table]
    """Reads one file, or raises a DataError that names it."""
    suffixes: tuple[str, ...] = ()
    """Of its files, in lower case with the dot; another one is asked for by the format's name."""
