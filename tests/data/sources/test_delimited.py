"""Delimited text: whatever way it is written it reads back, and what is malformed has a line."""

from __future__ import annotations

import bz2
import csv
import gzip
import io
import lzma
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from elman.data.sources import read_table
from elman.data.sources.dialect import sniff
from elman.data.sources.header import has_header
from elman.data.table import Table
from elman.errors import DataError, OptionError

# Text that is not a number, a date or a truth value by accident, which have types of their own.
TEXTS = st.text(
    st.characters(codec="utf-8", exclude_characters="\0", exclude_categories=["Cs"]), max_size=12
).map(lambda text: "t" + text)
COLUMNS = {
    "text": TEXTS,
    "whole": st.integers(-(2**63), 2**63 - 1),
    "real": st.floats(allow_nan=False, allow_infinity=False).map(lambda x: x + 0.0),
}


def write(folder: Path, content: str | bytes, name: str = "it.csv") -> Path:
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def columns_of(table: Table) -> dict[str, list[Any]]:
    return {name: list(table.column(name)) for name in table.columns}


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=st.data())
def test_any_table_in_any_dialect_reads_back_equal(tmp_path: Path, data: st.DataObject) -> None:
    kinds = data.draw(st.lists(st.sampled_from(sorted(COLUMNS)), min_size=1, max_size=4))
    rows = data.draw(st.lists(st.tuples(*(COLUMNS[kind] for kind in kinds)), min_size=1))
    delimiter = data.draw(st.sampled_from(",\t;|"))
    quoting = data.draw(st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL, csv.QUOTE_NONNUMERIC]))
    names = [f"{kind}{number}" for number, kind in enumerate(kinds)]
    text = io.StringIO(newline="")
    # Python's writer leaves \r without quotes where lines end in \n and only some text is quoted.
    ends = ["\r\n"] if quoting == csv.QUOTE_MINIMAL else ["\n", "\r\n"]
    end = data.draw(st.sampled_from(ends))
    writer = csv.writer(text, delimiter=delimiter, quoting=quoting, lineterminator=end)
    writer.writerows([names, *rows])
    table = read_table(write(tmp_path, text.getvalue()))
    for i, name in enumerate(names):
        assert list(table.column(name)) == [str(row[i]) for row in rows]


@pytest.mark.parametrize("delimiter", [",", "\t", ";", "|"])
def test_the_delimiter_is_found_whatever_the_suffix(tmp_path: Path, delimiter: str) -> None:
    path = write(tmp_path, delimiter.join("ab") + "\n" + delimiter.join(["x", "1"]) + "\n")
    assert columns_of(read_table(path)) == {"a": ["x"], "b": ["1"]}


def test_every_cell_is_what_was_written(tmp_path: Path) -> None:
    cells = ["0010", "1.10", "1E5", "9007199254740993", "true", "NA", "2020-01-02", "", " x "]
    table = read_table(write(tmp_path, "a,b\n" + "".join(f"{cell},y\n" for cell in cells)))
    assert list(table.column("a")) == cells


@pytest.mark.slow
def test_a_row_behind_the_first_block_has_its_line(tmp_path: Path) -> None:
    rows = "1,a\n" * 400_000 + "1.5,b\n"
    table = read_table(write(tmp_path, "x,y\n" + rows))
    assert table.column("x")[400_000] == "1.5"
    assert table.where(400_000) == "it.csv, line 400002"


@pytest.mark.slow
def test_the_end_of_a_line_within_quotes_may_fall_on_the_end_of_a_block(tmp_path: Path) -> None:
    rows = [f"one\n{number},\ntwo" for number in range(100_000)]
    path = write(tmp_path, "text,x\n" + "".join(f'"{row}",1\n' for row in rows))
    table = read_table(path)
    assert list(table.column("text")) == rows
    assert table.where(99_999) == "it.csv, line 299999"


def test_a_row_knows_its_line_behind_blank_lines_and_lines_within_quotes(tmp_path: Path) -> None:
    path = write(tmp_path, 'a,b\n\n"one\ntwo",1\n\nx,2\ny,3\n')
    table = read_table(path)
    assert list(table.column("a")) == ["one\ntwo", "x", "y"]
    assert [table.where(row) for row in range(3)] == [
        "it.csv, line 3",
        "it.csv, line 6",
        "it.csv, line 7",
    ]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_lines_may_end_in_any_way(tmp_path: Path, end: str) -> None:
    table = read_table(write(tmp_path, end.join(["a,b", "x,1", "y,2", ""])))
    assert columns_of(table) == {"a": ["x", "y"], "b": ["1", "2"]}
    assert table.where(1) == "it.csv, line 3"


@pytest.mark.parametrize(
    ("suffix", "compress"), [(".gz", gzip.compress), (".xz", lzma.compress), (".bz2", bz2.compress)]
)
def test_compressed_files_read_as_plain_ones(tmp_path: Path, suffix: str, compress: Any) -> None:
    path = write(tmp_path, compress(b"a,b\nx,1\n"), "it.csv" + suffix)
    assert columns_of(read_table(path)) == {"a": ["x"], "b": ["1"]}
    cut = write(tmp_path, compress(b"a,b\nx,1\n" * 50)[:-10], "cut.csv" + suffix)
    with pytest.raises(DataError, match=rf"cut\.csv\{suffix} is not a complete \{suffix} file"):
        read_table(cut)
    other = write(tmp_path, b"a,b\nx,1\n", "other.csv" + suffix)
    with pytest.raises(DataError, match="is not a complete"):
        read_table(other)


def test_a_byte_order_mark_is_no_part_of_the_first_name(tmp_path: Path) -> None:
    table = read_table(write(tmp_path, b"\xef\xbb\xbfa,b\nx,1\n"))
    assert table.columns == ["a", "b"]
    assert table.notes == []


@pytest.mark.parametrize(
    ("encoding", "note"),
    [
        ("latin-1", r"not UTF-8 \(byte 0xE9 in line 2\) and was read as Latin-1"),
        ("utf-16", "is encoded in UTF-16"),
        ("utf-16-le", "was read as UTF-16"),
        ("utf-16-be", "was read as UTF-16"),
    ],
)
def test_other_encodings_are_read_and_noted(tmp_path: Path, encoding: str, note: str) -> None:
    table = read_table(write(tmp_path, "name,drink\nZoé,café\n".encode(encoding)))
    assert columns_of(table) == {"name": ["Zoé"], "drink": ["café"]}
    with pytest.raises(AssertionError, match=note):
        raise AssertionError(table.notes)


def test_quotation_marks_of_windows_are_read_as_such(tmp_path: Path) -> None:
    table = read_table(write(tmp_path, "said,by\n“Zoé”,me\n".encode("cp1252")))
    assert table.column("said")[0] == "“Zoé”"
    assert "read as Windows-1252" in table.notes[0]


def test_a_cell_of_ten_megabytes_is_a_cell(tmp_path: Path) -> None:
    long = "ä" * 5_000_000
    table = read_table(write(tmp_path, f'a,b\n"{long}",1\nx,2\n'))
    assert list(table.column("a")) == [long, "x"]


def test_a_file_without_a_header_gets_numbered_columns_and_a_note(tmp_path: Path) -> None:
    table = read_table(write(tmp_path, "good film,1\nbad film,0\n"))
    assert columns_of(table) == {"column_1": ["good film", "bad film"], "column_2": ["1", "0"]}
    assert table.notes == ["it.csv has no header; its columns are column_1 … column_2."]


@pytest.mark.parametrize(
    ("records", "header"),
    [
        ([["text", "label"], ["a film", "pos"], ["b film", "neg"]], True),
        ([["a film", "pos"], ["b film", "neg"], ["c film", "pos"]], False),
        ([["a", "b"]], True),
        ([["a", "1"]], False),
        ([["2020-01-01", "x"], ["2020-01-02", "y"]], False),
        ([["day", "x"], ["2020-01-02", "y"]], True),
        ([["", "x"], ["0", "y"], ["1", "z"]], True),
        ([["x", "x"], ["1", "2"]], True),
        ([["a " * 40], ["b"], ["c"]], False),
        ([["day", "x"], ["2020-01-02", "y"], ["day", "x"], ["2020-01-03", "y"]], True),
        ([["a", "b"], ["a", "b"]], False),
    ],
)
def test_a_header_is_told_from_a_row(records: list[list[str]], header: bool) -> None:
    assert has_header(records) is header


def test_quotes_that_do_not_pair_are_characters_where_that_fits(tmp_path: Path) -> None:
    path = write(tmp_path, 'text\tlabel\n"so what\t1\n" again\t0\n', "it.tsv")
    table = read_table(path)
    assert list(table.column("text")) == ['"so what', '" again']
    assert table.notes == [
        "the quotes in it.tsv are unbalanced and were read as ordinary characters."
    ]


def test_quotes_may_be_escaped_by_backslashes(tmp_path: Path) -> None:
    table = read_table(write(tmp_path, 'text,label\n"a \\"big\\", film",1\n"b",0\n'))
    assert list(table.column("text")) == ['a "big", film', "b"]


def test_a_column_of_texts_with_commas_is_one_column(tmp_path: Path) -> None:
    table = read_table(write(tmp_path, 'text\n"well, yes"\nno\n'))
    assert list(table.column("text")) == ["well, yes", "no"]
    assert "one column" in table.notes[0]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("", r"it\.csv is empty"),
        ("\n \n\n", "contains only blank lines"),
        ("text,label\n", r"has a header \(text, label\) and no rows"),
        ("a,b\n1,2\n3\n", r"it\.csv, line 3: expected 2 fields, as in line 1, got 1\. Complete"),
        ("a,b\nx,2\ny,3,4\n", r"line 3: expected 2 fields, as in line 1, got 3.*contains a comma"),
        ('a,b\nx,1\n"y,2\nz,3,4\n', "line 3: a quote is opened here and never closed"),
        ('a,b\nx,"1"2,3\ny,2\n', "line 2: a closing quote is followed by text"),
        ("a,a\n1,2\n", r"has 2 columns named 'a'\. Give every column a name of its own"),
        (
            b"a,b\nx,1\ny\x00,2\n",
            "line 3: there is a NUL byte, so this is a binary or damaged file",
        ),
        (b"\x89PNG\r\n\x1a\n\0\0", "its first bytes are those of an image"),
        (b"PK\x03\x04\0\0", "those of a zip archive or a spreadsheet: unpack it"),
        (b"\x1f\x8b\x08\0\0\0\0\0", r"those of a gzip file: name it …\.csv\.gz"),
    ],
)
def test_what_is_malformed_is_refused_with_its_place(
    tmp_path: Path, content: str | bytes, words: str
) -> None:
    with pytest.raises(DataError, match=words):
        read_table(write(tmp_path, content))


def test_a_semicolon_between_cells_suggests_a_decimal_comma(tmp_path: Path) -> None:
    assert read_table(write(tmp_path, "a;b\nx;1,234\n")).decimal == ","
    assert read_table(write(tmp_path, 'a,b\nx,"1,234"\n')).decimal is None


def test_one_row_is_a_table(tmp_path: Path) -> None:
    assert columns_of(read_table(write(tmp_path, "a,b\nx,1"))) == {"a": ["x"], "b": ["1"]}


def test_the_fingerprint_changes_with_the_file(tmp_path: Path) -> None:
    before = read_table(write(tmp_path, "a,b\nx,1\n")).fingerprint
    assert read_table(write(tmp_path, "a,b\nx,1\n")).fingerprint == before
    assert read_table(write(tmp_path, "a,b\nx,2\n")).fingerprint != before


def test_nothing_is_sniffed_from_nothing() -> None:
    assert sniff("\n\n", cut=False) is None


def test_a_column_of_a_file_read_without_a_header_is_refused_with_the_reason(
    tmp_path: Path,
) -> None:
    table = read_table(write(tmp_path, "text,label\ngood film,pos\ntext,label\nbad film,neg\n"))
    words = (
        "unknown column 'text'. Known columns: column_1, column_2. No header was recognised in "
        "it.csv: its first line looks like a row, because it contains a number, a date or a long "
        "text, or one of its fields occurs again below. Add a header line that differs from the "
        "rows."
    )
    with pytest.raises(OptionError) as caught:
        table.column("text")
    assert str(caught.value) == words
