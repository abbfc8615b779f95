"""JSON: one object a line, a list of objects, or an object of columns."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from elman.data.sources.files import (
    TextEncoding,
    detect_encoding,
    fingerprint_of,
    open_bytes,
    open_text,
    suffix_of,
)
from elman.data.sources.memory import columns_of_rows
from elman.data.table import Table
from elman.errors import DataError

if TYPE_CHECKING:
    import pyarrow as pa

BLOCKS = (2**20, 2**24, 2**28, 2**31 - 1)
"""Arrow's block sizes in bytes, tried in this order: an object must fit into a block."""

KINDS = {str: "a string", bool: "a truth value", list: "a list", dict: "an object"}


def read_json(path: Path) -> Table:
    """Read a file of JSON, plain or compressed.

    It contains one object a line, from the names of columns to the values of a row; or a list of
    such objects; or one object with a list of values for every column.

    Raises:
        DataError: the file is empty, not UTF-8 or not JSON, a row is not an object, or a column
            mixes types; the line is named where there is one.
    """
    encoding = detect_encoding(path)
    if encoding.name in ("latin-1", "cp1252") and encoding.note is not None:
        raise DataError(f"{path} is not JSON, which is always UTF-8: {encoding.note}")
    notes = [] if encoding.note is None else [encoding.note]
    if suffix_of(path) == ".json" and not _has_objects_in_lines(path, encoding):
        return Table.from_columns(
            _whole(path, encoding), path.name, fingerprint=fingerprint_of([path]), notes=notes
        )
    return _read_lines(path, encoding, notes)


def _read_lines(path: Path, encoding: TextEncoding, notes: list[str]) -> Table:
    """Read one object a line with Arrow, or where that fails with Python, which says why."""
    import pyarrow as pa

    try:
        data = _read_arrow(path, encoding)
    except pa.ArrowInvalid as error:
        rows = list(_rows(path, encoding))
        try:
            columns = columns_of_rows([row for _, row in rows], origin=path.name)
            data = Table.from_columns(columns, path.name).data
        except DataError as refusal:
            raise _mixed_types(path, encoding) or refusal from error
    if not data.num_rows or not data.num_columns:
        raise DataError(f"{path} contains no rows: every line must be an object with values.")

    @cache
    def lines() -> list[int]:
        return [line for line, _ in _filled_lines(path, encoding)]

    def where(row: int) -> str:
        if len(lines()) != data.num_rows:  # several objects on one line
            return f"{path.name}, row {row}"
        return f"{path.name}, line {lines()[row]}"

    return Table(
        data,
        source=path.name,
        where=where,
        fingerprint=fingerprint_of([path]),
        notes=notes,
        stored=True,
    )


def _read_arrow(path: Path, encoding: TextEncoding) -> pa.Table:
    import pyarrow as pa
    from pyarrow import json as arrow_json

    if encoding.name != "utf-8":
        raise pa.ArrowInvalid(f"Arrow reads UTF-8, not {encoding.name}.")
    for block_size in BLOCKS:
        options = arrow_json.ReadOptions(block_size=block_size)
        try:
            with open_bytes(path) as file:
                return arrow_json.read_json(file, read_options=options)
        except pa.ArrowInvalid as error:
            if "straddl" not in str(error):
                raise
    raise DataError(f"{path} has an object of more than 2 GB.")


def _filled_lines(path: Path, encoding: TextEncoding) -> Iterator[tuple[int, str]]:
    """Yield the lines that are not blank, numbered from 1."""
    with open_text(path, encoding) as text:
        for number, line in enumerate(text, start=1):
            if line.strip():
                yield number, line


def _rows(path: Path, encoding: TextEncoding) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield the object of every line and the line's number."""
    for number, line in _filled_lines(path, encoding):
        try:
            row = json.loads(line)
        except json.JSONDecodeError as error:
            raise DataError(
                f"{path}, line {number}: this is not JSON: {error.msg} at character "
                f"{error.pos + 1}. Every line must hold one object."
            ) from error
        if not isinstance(row, dict):
            raise DataError(
                f"{path}, line {number}: every line must be an object such as "
                f'{{"text": …, "label": …}}, got {_kind(row)}.'
            )
        yield number, row


def _mixed_types(path: Path, encoding: TextEncoding) -> DataError | None:
    """Build the error for the first column that mixes types, None if none does."""
    first_of: dict[str, tuple[int, str]] = {}
    for number, row in _rows(path, encoding):
        for name, value in row.items():
            if value is None:
                continue
            first, kind = first_of.setdefault(name, (number, _kind(value)))
            if kind != _kind(value):
                return DataError(
                    f"{path}, line {number}: column {name!r} holds {_kind(value)}, but {kind} in "
                    f"line {first}. Give it one type, with null where a value is missing."
                )
    return None


def _kind(value: Any) -> str:
    return KINDS.get(type(value), "null" if value is None else "a number")


def _has_objects_in_lines(path: Path, encoding: TextEncoding) -> bool:
    """Tell whether a file's first line is a complete object and others follow."""
    lines = _filled_lines(path, encoding)
    try:
        _, first = next(lines)
        return isinstance(json.loads(first), dict) and next(lines, None) is not None
    except (StopIteration, json.JSONDecodeError):
        return False


def _whole(path: Path, encoding: TextEncoding) -> dict[str, Any]:
    """Return the columns of a file that is a single JSON value."""
    with open_text(path, encoding) as text:
        content = text.read()
    try:
        value = json.loads(content)
    except json.JSONDecodeError as error:
        raise DataError(f"{path}, line {error.lineno}: this is not JSON: {error.msg}.") from error
    if isinstance(value, list) and value:
        return columns_of_rows(value, origin=path.name)
    if isinstance(value, dict) and value and all(isinstance(v, list) for v in value.values()):
        return value
    raise DataError(
        f"{path} must contain a list of objects, or an object with a list for every column, got "
        f"{_kind(value)}{'' if value else ' that is empty'}."
    )
