"""Delimited text: values separated by commas, tabs, semicolons or bars, one row a line."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from elman.data.sources.dialect import Dialect, sniff
from elman.data.sources.files import (
    TextEncoding,
    detect_encoding,
    fingerprint_of,
    open_text,
    suffix_of,
)
from elman.data.sources.header import kind_of
from elman.data.sources.records import COMMENT, WHITE_SPACE
from elman.data.sources.scan import Malformed, Scan, scan_file
from elman.data.sources.skipped import notes_of_last_row
from elman.data.table import NO_HEADER, Table
from elman.errors import DataError, counted

if TYPE_CHECKING:
    import pyarrow as pa

SAMPLE = 2**18
"""Number of characters at the start of a file from which its dialect is detected."""

BLOCKS = (2**20, 2**24, 2**28, 2**31 - 1)
"""Arrow's block sizes in bytes, tried in this order: a row must fit into a block."""


def read_delimited(path: Path) -> Table:
    """Read a delimited file, plain or compressed.

    Delimiter, quotes, header and encoding are detected; what is ambiguous is noted, and so is each
    line that is no row: a comment, a preamble, units below the header, the header again. Every cell
    is a string, as it was written; an empty one is the empty string. `elman.data.numbers` says
    which columns are numbers, once their roles are known.

    Raises:
        DataError: the file is empty, is not text, or a row has too few or too many fields or an
            unclosed quote; the line is named.
    """
    encoding = detect_encoding(path)
    scan, notes = _scan_either_way(path, encoding, _sniff_file(path, encoding))
    dialect = scan.dialect
    if not len(scan.lines):
        raise DataError(f"{path} has a header ({', '.join(dialect.names)}) and no rows.")
    data = _read_arrow(path, *scan.for_arrow, scan)
    if data.num_rows != len(scan.lines):
        rows = counted(len(scan.lines), "row")
        raise DataError(
            f"{path} is ambiguous: it has {rows} or {data.num_rows}, depending on how its quotes "
            "are read. Save it with all texts in quotes."
        )
    data, unnamed = _without_unnamed(data, path, dialect)
    notes += [*scan.skipped.notes(path.name), *_notes_of_header(path, dialect), *unnamed]
    if scan.last is not None:
        notes += notes_of_last_row(f"{path.name}, line {scan.last.line}", scan.last.fields[0])
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

    Neither commas nor semicolons may be followed by a space, as they are in sentences, and nothing
    but comments may stand above columns that commas divide.
    """
    encoding = detect_encoding(path)
    with open_text(path, encoding) as text:
        sample = text.read(SAMPLE)
    dialect = sniff(sample, cut=len(sample) == SAMPLE, preferred="\t")
    if dialect is None or len(dialect.first) < 2:
        return False
    if dialect.delimiter in (",", ";") and f"{dialect.delimiter} " in sample:
        return False
    try:
        scan = scan_file(path, encoding, dialect)
    except Malformed:
        return False
    if dialect.delimiter == "," and scan.skipped.has("above"):
        return False
    return len(scan.lines) + dialect.header > 1


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
) -> tuple[Scan, list[str]]:
    """Scan a file; where its quotes are unbalanced, read them as characters if that fits."""
    note = f"the quotes in {path.name} are unbalanced and were read as ordinary characters."
    try:
        scan = scan_file(path, encoding, dialect)
    except Malformed as error:
        if not error.of_quotes:
            raise
        try:
            return scan_file(path, encoding, dialect._replace(quoting="plain")), [note]
        except Malformed:
            raise error from None
    return scan, [note] if dialect.quoting == "plain" else []


def _notes_of_header(path: Path, dialect: Dialect) -> list[str]:
    """Return notes on columns that white space divides, and a header that could be a row."""
    begin = f"line {dialect.start} of {path.name}"
    spaced = [f"white space divides the columns of {path.name}."]
    notes = spaced if dialect.delimiter == WHITE_SPACE else []
    if dialect.header and dialect.first[0].startswith(COMMENT):
        notes += [f"{begin} begins with # and was read as the header: it has the rows' fields."]
    elif dialect.header and any(map(kind_of, dialect.first)):
        notes += [f"{begin} was read as the header, although it holds numbers or dates."]
    return notes


def _without_unnamed(data: pa.Table, path: Path, dialect: Dialect) -> tuple[pa.Table, list[str]]:
    """Leave out columns without names that are empty or number the rows; return notes, too."""
    notes = []
    places = [place for place, field in enumerate(dialect.first) if not field.strip()]
    for place in places if dialect.header and len(dialect.first) > 1 else []:
        name = dialect.names[place]
        values = data.column(name).to_pylist()
        begin = f"column {place + 1} of {path.name} has no name"
        if not any(values):
            notes.append(f"{begin} and no values, as delimiters at the end of lines; left out.")
        elif place == 0 and len(set(values)) == len(values) and all(map(_is_whole, values)):
            notes.append(f"{begin} and numbers the rows, as pandas and R do; it was left out.")
        else:
            notes.append(f"{begin} and is called {name!r}.")
            continue
        data = data.drop_columns([name])
    return data, notes


def _is_whole(value: str | int | None) -> bool:
    return value is not None and str(value).strip().isdecimal()


def _read_arrow(path: Path, encoding: TextEncoding, dialect: Dialect, scan: Scan) -> pa.Table:
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
            with scan.open_rows() as file:
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
