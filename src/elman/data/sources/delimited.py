"""Delimited text: comma-, tab-, semicolon- or bar-separated values, a row a line."""

from __future__ import annotations

import csv
from array import array
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from elman.data.sources.dialect import (
    DECIMAL_COMMA,
    NUMBER,
    Dialect,
    fields_of_any_size,
    sniff,
)
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
"""Characters at a file's beginning from which its dialect is found out."""

BLOCKS = (2**20, 2**24, 2**28, 2**31 - 1)
"""Bytes Arrow looks at at once, tried in this order: a row must fit into a block."""


class _Scan(NamedTuple):
    """Where the records of a file are."""

    lines: NDArray[np.int64]
    """First line of every row, the header's not among them."""
    spans_lines: bool
    """Whether a field contains the end of a line."""


class _Malformed(DataError):
    """A record that does not fit the dialect."""

    def __init__(self, message: str, *, of_quotes: bool) -> None:
        super().__init__(message)
        self.of_quotes = of_quotes


def read_delimited(path: Path) -> Table:
    """Read a delimited file, plain or compressed.

    Delimiter, quotes, header and encoding are found out from the file; what could have been
    meant otherwise is noted. Numbers, dates and truth values are recognised where a whole column
    consists of them, numbers with a decimal comma too where it is not the delimiter; an empty cell
    among numbers is a missing value, among strings the empty string.

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
            f"{path} is ambiguous: it has {rows} or {data.num_rows}, by the way its quotes are "
            "read. Save it with all text in quotes."
        )
    if not dialect.header:
        names = dialect.names
        named = f"columns are {names[0]} … {names[-1]}" if len(names) > 1 else "column is column_1"
        notes.append(f"{path.name} {NO_HEADER}; its {named}.")
    if len(dialect.first) == 1:
        notes.append(f"{path.name} has one column, for its first line contains no delimiter.")
    if dialect.delimiter != ",":
        data, found = _with_decimal_points(data)
        listed = ", ".join(map(repr, found))
        notes += [f"{path.name}: read as numbers with a decimal comma: {listed}."] if found else []
    notes += [] if encoding.note is None else [encoding.note]
    notes += _stray_texts(data, path, scan.lines)
    lines = scan.lines
    return Table(
        data,
        source=path.name,
        where=lambda row: f"{path.name}, line {lines[row]}",
        fingerprint=fingerprint_of([path]),
        notes=notes,
        stored=True,
    )


def looks_delimited(path: Path) -> bool:
    """Tell whether a text file has columns: at least two rows of at least two fields, all alike.

    Commas alone do not prove it, for sentences have them too: they must follow each other
    without a space.
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
            # A cell may be longer than the sample, and its quote closed behind it.
            sample += text.read()
            dialect = sniff(sample, cut=False, preferred=preferred)
    if dialect is None or not sample.strip():
        raise DataError(f"{path} has nothing but blank lines.")
    return dialect


def _scan_either_way(
    path: Path, encoding: TextEncoding, dialect: Dialect
) -> tuple[Dialect, _Scan, list[str]]:
    """Scan a file; where its quotes do not pair, take them for characters if that fits."""
    note = f"the quotes in {path.name} do not pair and were read as characters."
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
    """Find the line of every record and see that all have equally many fields."""
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
        f"{first_line}, got {fields}. Complete the row, or put quotes around a text that contains "
        f"{mark}.",
        of_quotes=False,
    )


def _unpaired(path: Path, line: int, last_line: int, error: str) -> _Malformed:
    if "unexpected end" in error:
        said = f"{path}, line {line}: a quote is opened here and not closed before the file ends."
    else:
        said = f"{path}, line {last_line}: a closing quote is followed by text ({error})."
    return _Malformed(f"{said} Double the quotes that belong to a text.", of_quotes=True)


def _read_arrow(path: Path, encoding: TextEncoding, dialect: Dialect, scan: _Scan) -> pa.Table:
    """Let Arrow read a file whose records have been found well-formed."""
    import pyarrow as pa
    from pyarrow import csv as arrow_csv

    parse = arrow_csv.ParseOptions(
        delimiter=dialect.delimiter,
        quote_char=False if dialect.quoting == "plain" else '"',
        escape_char="\\" if dialect.quoting == "escaped" else False,
        newlines_in_values=scan.spans_lines,
    )
    for block_size in BLOCKS:
        read = arrow_csv.ReadOptions(
            column_names=None if dialect.header else dialect.names,
            encoding="utf-8" if encoding.name == "utf-8-sig" else encoding.name,
            block_size=block_size,
        )
        try:
            with open_bytes(path) as file:
                data = arrow_csv.read_csv(file, read_options=read, parse_options=parse)
        except pa.ArrowInvalid as error:
            if "straddl" in str(error) and block_size < BLOCKS[-1]:
                continue
            raise DataError(f"{path} cannot be read: {error}.") from error
        names = dialect.names
        if len(set(names)) < len(names):
            twice = next(name for name in names if names.count(name) > 1)
            raise DataError(
                f"{path} has {names.count(twice)} columns named {twice!r}. Give every column a "
                "name of its own; if the first line is not a header, add one."
            )
        return data.rename_columns(names)
    raise DataError(f"{path} has a row of more than 2 GB.")


def _with_decimal_points(data: pa.Table) -> tuple[pa.Table, list[str]]:
    """Read columns of numbers with a decimal comma as numbers; return their names too."""
    import pyarrow as pa
    import pyarrow.compute as pc

    found = []
    for place, name in enumerate(data.column_names):
        column = data.column(name)
        if not pa.types.is_string(column.type):
            continue
        written = pc.utf8_trim_whitespace(column)
        filled = pc.if_else(pc.equal(written, ""), pa.scalar(None, pa.string()), written)
        is_number = pc.match_substring_regex(filled, f"^{DECIMAL_COMMA}$")
        if pc.all(is_number).as_py() and pc.any(pc.match_substring(filled, ",")).as_py():
            numbers = pc.replace_substring(filled, ",", ".").cast(pa.float64())
            data = data.set_column(place, name, numbers)
            found.append(name)
    return data, found


def _stray_texts(data: pa.Table, path: Path, lines: NDArray[np.int64]) -> list[str]:
    """Say of columns that are mostly numbers what makes them text."""
    import pyarrow as pa
    import pyarrow.compute as pc

    notes = []
    for name in data.column_names:
        column = data.column(name)
        if not pa.types.is_string(column.type):
            continue
        numeric = pc.match_substring_regex(column, f"^{NUMBER}$")
        share = pc.mean(numeric.cast(pa.int8())).as_py()
        if 0.5 <= share < 1:
            row = pc.index(numeric, False).as_py()
            notes.append(
                f"column {name!r} of {path.name} is text, because line {lines[row]} holds "
                f"{column[row].as_py()[:60]!r}; leave a cell empty where a number is missing."
            )
    return notes
