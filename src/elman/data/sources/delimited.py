"""Delimited text: values separated by commas, tabs, semicolons or bars, one row a line."""

from __future__ import annotations

import csv
from array import array
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from elman.data.sources.dialect import Dialect, fields_of_any_size, sniff
from elman.data.sources.files import (
    TextEncoding,
    detect_encoding,
    fingerprint_of,
    open_bytes,
    open_text,
    suffix_of,
)
from elman.data.table import NO_HEADER, Table
from elman.errors import DataError, counted

if TYPE_CHECKING:
    import pyarrow as pa

SAMPLE = 2**18
"""Number of characters at the start of a file from which its dialect is detected."""

BLOCKS = (2**20, 2**24, 2**28, 2**31 - 1)
"""Arrow's block sizes in bytes, tried in this order: a row must fit into a block."""


class _Scan(NamedTuple):
    """The lines of a file's records."""

    lines: NDArray[np.int64]
    """First line of every row, without the header."""
    spans_lines: bool
    """Whether a field contains a line break."""


class _Malformed(DataError):
    """A record that does not fit the dialect."""

    def __init__(self, message: str, *, of_quotes: bool) -> None:
        super().__init__(message)
        self.of_quotes = of_quotes


def read_delimited(path: Path) -> Table:
    """Read a delimited file, plain or compressed.

    Delimiter, quotes, header and encoding are detected; what is ambiguous is noted. Every cell is
    a string, as it was written; an empty one is the empty string. `elman.data.numbers` says which
    columns are numbers, once their roles are known.

    Raises:
        DataError: the file is empty, is not text, or a row has too few or too many fields or an
            unclosed quote; the line is named.
    """
    encoding = detect_encoding(path)
    dialect = _sniff_file(path, encoding)
    dialect, scan, notes = _scan_either_way(path, encoding, dialect)
    if not len(scan.lines):
        raise DataError(f"{path} has a header ({', '.join(dialect.names)}) and no rows.")
    data = _read_arrow(path, encoding, dialect, scan)
    if data.num_rows != len(scan.lines):
        rows = counted(len(scan.lines), "row")
        raise DataError(
            f"{path} is ambiguous: it has {rows} or {data.num_rows}, depending on how its quotes "
            "are read. Save it with all texts in quotes."
        )
    if not dialect.header:
        names = dialect.names
        named = f"columns are {names[0]} … {names[-1]}" if len(names) > 1 else "column is column_1"
        notes.append(f"{path.name} {NO_HEADER}; its {named}.")
    if len(dialect.first) == 1:
        notes.append(f"{path.name} has one column: its first line contains no delimiter.")
    notes += [] if encoding.note is None else [encoding.note]
    lines = scan.lines
    return Table(
        data,
        source=path.name,
        where=lambda row: f"{path.name}, line {lines[row]}",
        fingerprint=fingerprint_of([path]),
        notes=notes,
        stored=True,
        decimal="," if dialect.delimiter == ";" else None,
    )


def looks_delimited(path: Path) -> bool:
    """Tell whether a text file has columns: at least two rows of equally many fields, two or more.

    Commas must not be followed by a space, as they are in sentences.
    """
    encoding = detect_encoding(path)
    with open_text(path, encoding) as text:
        sample = text.read(SAMPLE)
    dialect = sniff(sample, cut=len(sample) == SAMPLE, preferred="\t")
    if dialect is None or len(dialect.first) < 2 or ", " in sample:
        return False
    with open_text(path, encoding) as text, fields_of_any_size():
        try:
            rows = [len(record) for record in dialect.records(text) if record]
        except csv.Error:
            return False
    return len(rows) > 1 and set(rows) == {len(dialect.first)}


def _sniff_file(path: Path, encoding: TextEncoding) -> Dialect:
    preferred = "\t" if suffix_of(path) in (".tsv", ".tab") else ","
    with open_text(path, encoding) as text:
        sample = text.read(SAMPLE)
        dialect = sniff(sample, cut=len(sample) == SAMPLE, preferred=preferred)
        if len(sample) == SAMPLE and (dialect is None or dialect.quoting == "plain"):
            # A cell may be longer than the sample, with its closing quote after the end.
            sample += text.read()
            dialect = sniff(sample, cut=False, preferred=preferred)
    if dialect is None or not sample.strip():
        raise DataError(f"{path} contains only blank lines.")
    return dialect


def _scan_either_way(
    path: Path, encoding: TextEncoding, dialect: Dialect
) -> tuple[Dialect, _Scan, list[str]]:
    """Scan a file; where its quotes are unbalanced, read them as characters if that fits."""
    note = f"the quotes in {path.name} are unbalanced and were read as ordinary characters."
    try:
        scan = _scan(path, encoding, dialect)
    except _Malformed as error:
        if not error.of_quotes:
            raise
        plain = dialect._replace(quoting="plain")
        try:
            return plain, _scan(path, encoding, plain), [note]
        except _Malformed:
            raise error from None
    return dialect, scan, [note] if dialect.quoting == "plain" else []


def _scan(path: Path, encoding: TextEncoding, dialect: Dialect) -> _Scan:
    """Find the line of every record and check that all have equally many fields."""
    lines, spans_lines, first_line, line = array("q"), False, 0, 1
    with open_text(path, encoding) as text, fields_of_any_size():
        records = dialect.records(text)
        try:
            for record in records:
                if record:
                    if len(record) != len(dialect.first):
                        raise _ragged(path, dialect, line, first_line, len(record))
                    spans_lines |= records.line_num > line
                    first_line = first_line or line
                    lines.append(line)
                line = records.line_num + 1
        except csv.Error as error:
            raise _unpaired(path, line, records.line_num, str(error)) from error
    numbers = np.frombuffer(lines, dtype=np.int64) if lines else np.empty(0, np.int64)
    return _Scan(numbers[1:] if dialect.header else numbers, spans_lines)


def _ragged(path: Path, dialect: Dialect, line: int, first_line: int, fields: int) -> _Malformed:
    marks = {"\t": "a tab", ",": "a comma", ";": "a semicolon", "|": "a bar"}
    mark = marks.get(dialect.delimiter, "a control character")
    return _Malformed(
        f"{path}, line {line}: expected {counted(len(dialect.first), 'field')}, as in line "
        f"{first_line}, got {fields}. Complete the row, or quote a text that contains {mark}.",
        of_quotes=False,
    )


def _unpaired(path: Path, line: int, last_line: int, error: str) -> _Malformed:
    if "unexpected end" in error:
        wrong = f"{path}, line {line}: a quote is opened here and never closed."
    else:
        wrong = f"{path}, line {last_line}: a closing quote is followed by text ({error})."
    return _Malformed(f"{wrong} Double the quotes inside a text.", of_quotes=True)


def _read_arrow(path: Path, encoding: TextEncoding, dialect: Dialect, scan: _Scan) -> pa.Table:
    """Read a file with Arrow, once its records are known to be well-formed."""
    import pyarrow as pa
    from pyarrow import csv as arrow_csv

    parse = arrow_csv.ParseOptions(
        delimiter=dialect.delimiter,
        quote_char=False if dialect.quoting == "plain" else '"',
        escape_char="\\" if dialect.quoting == "escaped" else False,
        newlines_in_values=scan.spans_lines,
    )
    written = dialect.first if dialect.header else dialect.names
    convert = arrow_csv.ConvertOptions(column_types=dict.fromkeys(written, pa.string()))
    for block_size in BLOCKS:
        read = arrow_csv.ReadOptions(
            column_names=None if dialect.header else dialect.names,
            encoding="utf-8" if encoding.name == "utf-8-sig" else encoding.name,
            block_size=block_size,
        )
        try:
            with open_bytes(path) as file:
                data = arrow_csv.read_csv(file, read, parse, convert)
        except pa.ArrowInvalid as error:
            if "straddl" in str(error) and block_size < BLOCKS[-1]:
                continue
            raise DataError(f"{path} cannot be read: {error}.") from error
        names = dialect.names
        if len(set(names)) < len(names):
            repeated = next(name for name in names if names.count(name) > 1)
            raise DataError(
                f"{path} has {names.count(repeated)} columns named {repeated!r}. Give every column "
                "a name of its own; if the first line is not a header, add one."
            )
        return data.rename_columns(names)
    raise DataError(f"{path} has a row of more than 2 GB.")
