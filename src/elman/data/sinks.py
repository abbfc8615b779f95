"""Columns as the bytes of CSV, JSON lines, Parquet or CoNLL."""

from __future__ import annotations

import io
import json
from collections.abc import Collection, Sequence
from datetime import date, time
from pathlib import Path
from typing import IO, Any

import numpy as np

from elman.data.conll_rows import conll_of
from elman.errors import unknown
from elman.files import write_atomically

FORMATS = ("csv", "tsv", "jsonl", "parquet", "conll")
_SUFFIXES = {
    ".csv": "csv",
    ".tsv": "tsv",
    ".jsonl": "jsonl",
    ".json": "jsonl",
    ".parquet": "parquet",
    ".conll": "conll",
}


def format_to_write(out: Path | None, as_format: str | None) -> str:
    """Choose the output format, before any row is predicted.

    Args:
        out: the file, by whose name to go; None for a stream.
        as_format: one of `FORMATS`, where it is said.

    Raises:
        OptionError: the format, or the suffix of the file, is unknown.
    """
    if as_format is None and out is not None:
        if out.suffix.lower() not in _SUFFIXES:
            raise unknown("output suffix", out.suffix, _SUFFIXES)
        as_format = _SUFFIXES[out.suffix.lower()]
    if as_format not in FORMATS:
        raise unknown("format", as_format, FORMATS)
    return as_format


def write_table(
    columns: dict[str, Any],
    out: Path | None,
    as_format: str | None,
    stream: IO[bytes],
    *,
    sets: Collection[str] = (),
) -> None:
    """Write columns to a file, or to a stream.

    Args:
        columns: name → values.
        out: the file; None for the stream.
        as_format: one of `FORMATS`; None to go by the file's name.
        stream: written to when there is no file.
        sets: columns whose lists are names in no order, which are never joined to a text.

    Raises:
        OptionError: the format is unknown.
        DataError: CoNLL cannot hold a value; its row is named.
    """
    content = _encoded(columns, format_to_write(out, as_format), sets)
    if out is None:
        stream.write(content)
        stream.flush()
        return
    write_atomically(out, content)


def _encoded(columns: dict[str, Any], as_format: str, sets: Collection[str]) -> bytes:
    import pyarrow as pa
    from pyarrow import csv, parquet

    if as_format == "parquet":
        kept = {
            name: [_plain(value, keep_times=True) for value in v] for name, v in columns.items()
        }
        buffer = io.BytesIO()
        parquet.write_table(pa.table(kept), buffer)
        return buffer.getvalue()
    plain = {name: [_plain(value) for value in values] for name, values in columns.items()}
    if as_format == "jsonl":
        rows = zip(*plain.values(), strict=True)
        lines = [json.dumps(dict(zip(plain, row, strict=True)), ensure_ascii=False) for row in rows]
        return "".join(f"{line}\n" for line in lines).encode()
    if as_format == "conll":
        return conll_of(plain).encode()
    buffer = io.BytesIO()
    flat = {name: _cells(values, join=name not in sets) for name, values in plain.items()}
    delimiter = "\t" if as_format == "tsv" else ","
    csv.write_csv(pa.table(flat), buffer, csv.WriteOptions(delimiter=delimiter))
    return buffer.getvalue()


def _plain(value: Any, *, keep_times: bool = False) -> Any:
    """Turn arrays, NumPy's numbers and times into lists, numbers and text.

    Args:
        value: a cell.
        keep_times: whether dates and times stay what they are, where the file can hold them.
    """
    if isinstance(value, date | time):
        return value if keep_times else value.isoformat()
    if isinstance(value, np.ndarray):
        return value.tolist()
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, list | tuple):
        return [_plain(part, keep_times=keep_times) for part in value]
    return value


def _cells(values: Sequence[Any], *, join: bool) -> list[Any]:
    """Write the lists of a column as CSV can hold them, all in one form.

    They are words joined by spaces where all of them are words, else JSON: a column with both
    could not be read back.

    Args:
        values: of the column.
        join: whether words may be joined.
    """
    parts = (part for value in values if isinstance(value, list) for part in value)
    join = join and all(isinstance(part, str) and part.split() == [part] for part in parts)
    return [_cell(value, join=join) for value in values]


def _cell(value: Any, *, join: bool) -> Any:
    if not isinstance(value, list):
        return value
    return " ".join(value) if join else json.dumps(value, ensure_ascii=False)
