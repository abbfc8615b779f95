"""Rows with their answers: as a table, and as the bytes of CSV, JSON lines or Parquet."""

from __future__ import annotations

import codecs
import io
import json
from collections.abc import Mapping, Sequence
from datetime import date, time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import IO, Any

import numpy as np

from elman.data.arrow import is_list
from elman.data.sources import read_table
from elman.data.table import Table
from elman.errors import DataError, OptionError, counted, unknown
from elman.model import Model
from elman.parts import read_like
from elman.written import Written, writes

FORMATS = ("csv", "jsonl", "parquet")
_SUFFIXES = {".csv": "csv", ".jsonl": "jsonl", ".json": "jsonl", ".parquet": "parquet"}


STANDARD_INPUT = "standard input"
"""What stands for a file's name in the place of a row that came from no file."""


def read_standard_input(stream: IO[bytes]) -> Table:
    """Read rows of CSV or JSON lines from a stream; their places are lines of `standard input`.

    Raises:
        DataError: it is empty, or malformed.
    """
    content = stream.read()
    if not content.strip():
        raise DataError("standard input is empty; rows of CSV or JSON lines were expected.")
    # An object is a row even where it is the only one and holds lists, as columns do.
    begin = content.removeprefix(codecs.BOM_UTF8).lstrip()[:1]
    suffix = {b"{": ".jsonl", b"[": ".json"}.get(begin, ".csv")
    with TemporaryDirectory() as folder:
        path = Path(folder, f"{STANDARD_INPUT}{suffix}")
        path.write_bytes(content)
        try:
            table = read_table(path)
        except DataError as error:
            said = str(error).replace(str(path), STANDARD_INPUT)
            raise DataError(said.replace(path.name, STANDARD_INPUT)) from error
        places = [table.where(row) for row in range(len(table))]
        return Table.from_columns(
            {name: list(table.column(name)) for name in table.columns},
            origin=STANDARD_INPUT,
            where=lambda row: places[row].replace(path.name, STANDARD_INPUT),
            notes=[note.replace(path.name, STANDARD_INPUT) for note in table.notes],
        )


def rows_from_standard_input(model: Model, stream: IO[bytes]) -> Table:
    """Read rows from a stream and lay them out as the model's training data was.

    A row that holds a whole sequence, a list in each column of the input, is laid out already.

    Raises:
        DataError: the stream is empty or malformed.
    """
    table = read_standard_input(stream)
    columns = [name for name in model.task.input_columns if name in table.columns]
    if any(is_list(table.column(name).type) for name in columns):
        return table
    return read_like(model.experiment.data, table, answered=False)


def note_of_empty_rows(model: Model, table: Table) -> str | None:
    """Say which rows hold nothing to be read, a text without a word, say; None where none does.

    Args:
        model: that answers them all the same.
        table: with the columns of its input.
    """
    if not model.task.input.has_steps:
        return None
    columns = model.task.input_columns
    cells = zip(*(table.column(name) for name in columns), strict=True)
    empty = [row for row, read in enumerate(cells) if all(map(_is_empty, read))]
    if not empty:
        return None
    what, place = ", ".join(columns), table.where(empty[0])
    found = "answered all the same, from nothing read"
    if model.task.target.has_steps and not writes(model.task):
        found = "there is nothing to answer"
    if len(empty) == 1:
        return f"{place}: {what} is empty; {found}."
    return f"{what} is empty in {counted(len(empty), 'row')}, the first {place}; {found}."


def predicted_table(
    model: Model,
    source: Any,
    *,
    probabilities: bool = False,
    seed: int | None = None,
    decoding: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Answer rows and set the answers beside them.

    Args:
        model: trained.
        source: as for `Model.predict`.
        probabilities: whether every name's probability gets a column, `p(NAME)`; of a model that
            writes, the log-probability of each answer, `log p(TARGET)`.
        seed: of a model that writes, as for `Model.write`.
        decoding: likewise.

    Returns:
        Name of a column → its values: those of the source, then the answers, named after the
        target, or `predicted TARGET` where the source has such a column. The second best answer of
        a model that writes is `TARGET 2`, empty in a row that has none.

    Raises:
        OptionError: probabilities are asked of an objective that has none a row.
    """
    table = model.table(source, answered=False)
    columns: dict[str, Any] = {name: list(table.column(name)) for name in table.columns}
    name = ", ".join(model.task.target_columns)
    name = f"predicted {name}" if name in columns else name
    if writes(model.task):
        answers = model.write(table, seed=seed, **(decoding or {}))
        return columns | _written_columns(name, answers, probabilities=probabilities)
    if seed is not None or decoding:
        asked = "seed" if seed is not None else next(iter(decoding or {}))
        raise OptionError(
            f"{asked} is for a model that writes; this model's task is {model.task.sentence}."
        )
    found = model.answers(table)
    columns[name] = found.values
    if not probabilities:
        return columns
    names = getattr(model.task.target, "names", None)
    if found.probabilities is None or names is None or model.task.target.has_steps:
        raise OptionError(
            f"probabilities are given for classes and labels, one answer a row; this model's task "
            f"is {model.task.sentence}."
        )
    for index, each in enumerate(names):
        columns[f"p({each})"] = [float(row[index]) for row in found.probabilities]
    return columns


def _written_columns(
    name: str, answers: Sequence[Sequence[Written]], *, probabilities: bool
) -> dict[str, Any]:
    """Set answers, the best first, side by side, and how likely each is beside it."""
    columns: dict[str, Any] = {}
    for place in range(max(map(len, answers), default=1)):
        its = f"{name} {place + 1}" if place else name
        found = [row[place] if place < len(row) else None for row in answers]
        columns[its] = [each and each.value for each in found]
        if probabilities:
            columns[f"log p({its})"] = [each and each.log_probability for each in found]
    return columns


def format_to_write(out: Path | None, as_format: str | None) -> str:
    """Settle in which format rows are written; before any is answered, lest that be for nothing.

    Args:
        out: the file, by whose name to go; None for a stream.
        as_format: csv, jsonl or parquet, where it is said.

    Raises:
        OptionError: the format, or the end of the file's name, is unknown.
    """
    if as_format is None and out is not None:
        if out.suffix.lower() not in _SUFFIXES:
            raise unknown("file name's end", out.suffix, _SUFFIXES)
        as_format = _SUFFIXES[out.suffix.lower()]
    if as_format not in FORMATS:
        raise unknown("format", as_format, FORMATS)
    return as_format


def write_table(
    columns: dict[str, Any], out: Path | None, as_format: str | None, stream: IO[bytes]
) -> None:
    """Write columns to a file, or to a stream.

    Args:
        columns: name → values.
        out: the file; None for the stream.
        as_format: csv, jsonl or parquet; None to go by the file's name.
        stream: where to, without a file.

    Raises:
        OptionError: the format is unknown.
    """
    content = _encoded(columns, format_to_write(out, as_format))
    if out is None:
        stream.write(content)
        stream.flush()
        return
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_bytes(content)


def _encoded(columns: dict[str, Any], as_format: str) -> bytes:
    import pyarrow as pa
    from pyarrow import csv, parquet

    plain = {name: [_plain(value) for value in values] for name, values in columns.items()}
    if as_format == "jsonl":
        rows = zip(*plain.values(), strict=True)
        lines = [json.dumps(dict(zip(plain, row, strict=True)), ensure_ascii=False) for row in rows]
        return "".join(f"{line}\n" for line in lines).encode()
    buffer = io.BytesIO()
    if as_format == "parquet":
        parquet.write_table(pa.table(plain), buffer)
        return buffer.getvalue()
    flat = {name: [_cell(value) for value in values] for name, values in plain.items()}
    csv.write_csv(pa.table(flat), buffer)
    return buffer.getvalue()


def _is_empty(cell: Any) -> bool:
    """Tell a cell without steps: a text of blanks, a list of nothing."""
    if isinstance(cell, str):
        return not cell.strip()
    return isinstance(cell, list | np.ndarray) and not len(cell)


def _plain(value: Any) -> Any:
    """Turn arrays, NumPy's numbers and times into lists, numbers and text."""
    if isinstance(value, date | time):
        return value.isoformat()
    if isinstance(value, np.ndarray):
        return value.tolist()
    if isinstance(value, np.generic):
        return value.item()
    return [_plain(part) for part in value] if isinstance(value, list | tuple) else value


def _cell(value: Any) -> Any:
    """Write a list as CSV can hold it: strings joined by spaces, numbers as JSON."""
    if not isinstance(value, list):
        return value
    if all(isinstance(part, str) for part in value):
        return " ".join(value)
    return json.dumps(value, ensure_ascii=False)
