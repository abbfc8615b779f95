"""What can be read only once: `<(zcat rows.gz)`, a FIFO, standard input. It is copied to a file."""

from __future__ import annotations

import codecs
import os
import shutil
import weakref
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from copy import copy
from pathlib import Path
from tempfile import mkdtemp
from typing import IO, Any

from elman.data import limits
from elman.data.sources.files import BLOCK_BYTES, suffix_of
from elman.data.table import Table
from elman.errors import DataError

DEVICES = Path("/dev")
"""Folder of standard input and of the pipes that a shell makes."""

_SUFFIXES = {
    b"{": ".json",
    b"[": ".json",
    b"PAR1": ".parquet",
    b"ARROW1": ".arrow",
    b"PK\x03\x04": ".npz",
    b"\x1f\x8b": ".csv.gz",
    b"\xfd7zXZ": ".csv.xz",
    b"BZh": ".csv.bz2",
}
"""First bytes of a stream → the suffix of such a file; any other is CSV."""

_NAMED = {"conll": ".conll", "delimited": ".csv", "json": ".json", "lines": ".txt"}
"""Name of a format → a suffix of its files."""


def is_pipe(path: Path) -> bool:
    """Tell whether a path names what can be read only once, in place of a file or folder."""
    if path.is_dir() or not path.exists():
        return False
    return not path.is_file() or path.is_relative_to(DEVICES)


def pipes_in(source: Any) -> list[str]:
    """List the different paths in a source of data that name pipes."""
    names = source if isinstance(source, list | tuple) else [source]
    paths = [os.fspath(name) for name in names if isinstance(name, str | os.PathLike)]
    return [name for name in dict.fromkeys(paths) if is_pipe(Path(name).expanduser())]


def read_pipes(source: Any, form: str | None, read: Callable[[Any], Table]) -> Table:
    """Read a source with each of its pipes copied to a file; messages name the pipe.

    The format of a pipe without a suffix is that of its first bytes: JSON, Parquet, Arrow, a NumPy
    archive, or CSV, also compressed.

    Args:
        source: a path, or a list of paths.
        form: the format that all have, if it was named.
        read: reads a source without pipes.

    Returns:
        The table; its copies are removed when it, and every table made from it, is.

    Raises:
        DataError: a pipe cannot be read or is empty, or `read` raised it.
    """
    with _folder() as (folder, keep):
        copies: dict[str, Path] = {}
        for place, name in enumerate(pipes_in(source)):
            path = Path(name).expanduser()
            try:
                with path.open("rb") as stream:
                    copies[name] = _copied(stream, folder / str(place), path, form)
            except OSError as error:
                raise DataError(f"{name} cannot be read: {error.strerror or error}.") from error
        if isinstance(source, list | tuple):
            source = [copies.get(os.fspath(name), name) for name in source]
        else:
            source = copies[os.fspath(source)]
        return keep(_renamed(read, source, copies))


def read_stream(
    stream: IO[bytes], name: str, read: Callable[[Path], Table], *, suffixes: Mapping[bytes, str]
) -> Table:
    """Read a table from a stream, copied to a file; messages name the stream.

    Args:
        stream: its bytes.
        name: what it is called in messages.
        read: reads a file.
        suffixes: first bytes → suffix of the file; `.csv` for any other.

    Raises:
        DataError: the stream is empty, or `read` raised it.
    """
    with _folder() as (folder, keep):
        file = _copied(stream, folder, Path(name), None, suffixes)
        return keep(_renamed(read, file, {name: file}))


@contextmanager
def _folder() -> Iterator[tuple[Path, Callable[[Table], Table]]]:
    """Make a folder that is removed with the table that is kept, or at once where none is."""
    folder = Path(mkdtemp(prefix="elman-"))
    kept: list[Table] = []

    def keep(table: Table) -> Table:
        # Tables made from this one refer to its method `where`, and so to it.
        weakref.finalize(table, shutil.rmtree, folder, ignore_errors=True)
        kept.append(table)
        return table

    try:
        yield folder, keep
    finally:
        if not kept:
            shutil.rmtree(folder, ignore_errors=True)


def _copied(
    stream: IO[bytes],
    folder: Path,
    path: Path,
    form: str | None,
    suffixes: Mapping[bytes, str] = _SUFFIXES,
) -> Path:
    """Copy a stream to a file in a folder, with the suffix of its format."""
    start = stream.read(BLOCK_BYTES)
    if not start.strip():
        raise DataError(f"{path} is empty; it must contain rows of CSV or JSON lines.")
    name = path.name
    if not suffix_of(path):
        begin = start.removeprefix(codecs.BOM_UTF8).lstrip()
        found = (suffix for first, suffix in suffixes.items() if begin.startswith(first))
        name += _NAMED.get(form or "", next(found, ".csv"))
    folder.mkdir(exist_ok=True)
    size = 0
    with (folder / name).open("wb") as file:
        while start:
            size += file.write(start)
            limits.check(size, f"what {path} gives")
            start = stream.read(BLOCK_BYTES)
    return folder / name


def _renamed(read: Callable[[Any], Table], source: Any, copies: Mapping[str, Path]) -> Table:
    """Read a table, and name the originals of its files in all that it says."""

    def original(text: str) -> str:
        for name, file in copies.items():
            in_devices = Path(name).is_relative_to(DEVICES) or not Path(name).suffix
            text = text.replace(str(file), name)
            text = text.replace(file.name, name if in_devices else Path(name).name)
        return text

    try:
        table = read(source)
    except DataError as error:
        raise DataError(original(str(error))) from error
    renamed = copy(table)
    renamed.source = original(table.source)
    renamed.where = lambda row: original(table.where(row))
    renamed.notes = [original(note) for note in table.notes]
    renamed.stored = False  # nothing computed from it can be found again
    return renamed
