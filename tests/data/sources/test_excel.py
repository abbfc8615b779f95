"""Spreadsheets: cells as they are shown, sheets by their names."""

from __future__ import annotations

import re
import shlex
import zipfile
from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any

import openpyxl
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from elman import train
from elman.data.concatenation import concatenate
from elman.data.sources import excel, read_table
from elman.data.table import Table
from elman.errors import DataError


def save(path: Path, *rows: list[Any], change: Callable[[Any], None] = lambda _: None) -> Path:
    """Write rows to the sheet `Data` of a workbook, which may be changed before it is saved."""
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.title = "Data"
    for row in rows:
        sheet.append(row)
    change(sheet)
    book.save(path)
    return path


def columns_of(table: Table) -> dict[str, list[Any]]:
    return {name: list(table.column(name)) for name in table.columns}


def test_text_keeps_its_zeros_and_numbers_are_whole_or_not(tmp_path: Path) -> None:
    rows = [["code", "n", "x", "ok"], ["0010", 10, 10, True], ["010", 11.0, 0.5, False]]
    table = read_table(save(tmp_path / "it.xlsx", *rows, ["NA", None, None, None]))
    assert columns_of(table) == {
        "code": ["0010", "010", "NA"],
        "n": [10, 11, None],
        "x": [10.0, 0.5, None],
        "ok": [True, False, None],
    }
    assert str(table.column("n").type) == "int64"
    assert table.where(1) == "it.xlsx, row 3"
    assert table.notes == []


def test_a_column_in_per_cent_is_read_as_a_csv_file_has_it_and_a_mixed_one_as_it_is_kept(
    tmp_path: Path,
) -> None:
    def show(sheet: Any) -> None:
        for row in (2, 3):
            sheet.cell(row, 1).number_format = "0.0%"
        sheet.cell(2, 2).number_format = "0%"
        sheet.cell(2, 3).number_format = '0.00" % of all"'

    rows = [["tax", "mixed", "share"], [0.07, 0.19, 0.5], [0.195, 0.25, 0.5]]
    table = read_table(save(tmp_path / "it.xlsx", *rows, change=show))
    assert columns_of(table) == {"tax": [7, 19.5], "mixed": [0.19, 0.25], "share": [0.5, 0.5]}
    assert table.units == {"tax": "%"}
    both = concatenate([table, table.select([0])], source="both")
    assert both.units == {"tax": "%"}
    assert (
        concatenate([table, read_table(save(tmp_path / "2.xlsx", *rows))], source="2").units == {}
    )
    assert table.notes == [
        "column 'tax' of it.xlsx is shown in per cent: 0.07 is read as 7, as it would be in a CSV "
        "file.",
        "column 'mixed' of it.xlsx is shown in per cent in row 2 and not in row 3; its numbers are "
        "read as the workbook keeps them, 0.19 for 19%. If that is not what is meant, give the "
        "column one format.",
    ]


def test_a_last_row_of_sums_is_named(tmp_path: Path) -> None:
    rows = [["region", "sales"], ["N", 10], ["S", 20], ["Somme:", 30]]
    table = read_table(save(tmp_path / "it.xlsx", *rows))
    assert table.notes == [
        "the last row of it.xlsx, row 4, begins with 'Somme:' and was read as a row; delete it if "
        "it sums up the others."
    ]
    assert len(table) == 3


def test_a_number_whose_format_pads_it_with_zeros_is_the_code_that_is_shown(tmp_path: Path) -> None:
    def pad(sheet: Any) -> None:
        for row in (2, 3):
            sheet.cell(row, 1).number_format = "00000"

    path = save(tmp_path / "it.xlsx", ["zip", "n"], [501, 1], [90210, 2], change=pad)
    assert columns_of(read_table(path)) == {"zip": ["00501", "90210"], "n": [1, 2]}


def test_times_are_strings_as_in_delimited_files(tmp_path: Path) -> None:
    rows: list[list[Any]] = [["day", "at", "clock", "lasts"]]
    rows += [[date(2024, 1, 2), datetime(2024, 1, 2, 3, 4, 5), time(9, 30), timedelta(hours=30)]]
    rows += [[date(2024, 12, 31), datetime(2024, 1, 3), time(23), timedelta(minutes=5)]]
    assert columns_of(read_table(save(tmp_path / "it.xlsx", *rows))) == {
        "day": ["2024-01-02", "2024-12-31"],
        "at": ["2024-01-02 03:04:05", "2024-01-03 00:00:00"],
        "clock": ["09:30:00", "23:00:00"],
        "lasts": ["30:00:00", "0:05:00"],
    }


@pytest.mark.parametrize("suffix", ["xlsx", "xlsm"])
def test_blank_rows_and_a_title_are_left_out_and_rows_keep_their_numbers(
    tmp_path: Path, suffix: str
) -> None:
    rows = [["Sales of 2024"], [], [None, "shop", "n"], [], [None, "a", 1], [], [None, "b", 2]]
    table = read_table(save(tmp_path / f"it.{suffix}", *rows))
    assert columns_of(table) == {"shop": ["a", "b"], "n": [1, 2]}
    assert table.where(1) == f"it.{suffix}, row 7"
    assert "row 1: 'Sales of 2024' stands above the table and was left out" in table.notes[0]


def test_a_sheet_without_a_header_is_noted_as_a_file_is(tmp_path: Path) -> None:
    table = read_table(save(tmp_path / "it.xlsx", ["a", 1], ["b", 2]))
    assert table.columns == ["column_1", "column_2"]
    assert "has no header; its columns are column_1, column_2" in table.notes[0]
    unnamed = read_table(save(tmp_path / "it.xlsx", ["a", None], ["x", 1], ["y", 2]))
    assert unnamed.columns == ["a", "column_2"] or "left out" in unnamed.notes[0]


def test_a_cell_merged_over_rows_holds_for_each_of_them(tmp_path: Path) -> None:
    rows = [["shop", "n"], ["a", 1], [None, 2], ["b", 3], [None, 4], [None, 5]]
    path = save(
        tmp_path / "it.xlsx", *rows, change=lambda s: [s.merge_cells(a) for a in ("A2:A3", "A4:A6")]
    )  # fmt: skip
    table = read_table(path)
    assert list(table.column("shop")) == ["a", "a", "b", "b", "b"]
    assert "merged over several rows" in table.notes[0]


def test_errors_in_cells_are_missing_and_noted(tmp_path: Path) -> None:
    table = read_table(save(tmp_path / "it.xlsx", ["t", "n"], ["a", 1], ["b", "#DIV/0!"]))
    assert list(table.column("n")) == [1, None]
    assert "1 cell of it.xlsx held errors, the first in B3 #DIV/0!" in table.notes[0]


def test_a_column_of_several_kinds_is_text_as_it_is_shown(tmp_path: Path) -> None:
    rows = [["t", "mix"], ["a", 10.0], ["b", "n/a"], ["c", 0.5], ["d", True]]
    table = read_table(save(tmp_path / "it.xlsx", *rows))
    assert list(table.column("mix")) == ["10", "n/a", "0.5", "true"]
    assert "holds a number in row 2 and text in row 3 and a truth value in row 5" in table.notes[0]


def test_formulas_that_were_never_computed_are_said(tmp_path: Path) -> None:
    table = read_table(save(tmp_path / "it.xlsx", ["t", "sum"], ["a", "=1+1"], ["b", "=1+2"]))
    assert list(table.column("sum")) == [None, None]
    assert "column 'sum' of it.xlsx is empty. If its cells are formulas, open" in table.notes[0]


def several(folder: Path) -> Path:
    def add(sheet: Any) -> None:
        book = sheet.parent
        book.create_sheet("Empty", 0)
        hidden = book.create_sheet("Hidden", 0)
        hidden.sheet_state = "hidden"
        other = book.create_sheet("Year 2024")
        for each in (hidden, other):
            each.append(["t", "n"])
            each.append([each.title, 7])

    return save(folder / "it.xlsx", ["t", "n"], ["a", 1], change=add)


def test_the_first_sheet_is_read_and_the_note_s_advice_reads_another(tmp_path: Path) -> None:
    table = read_table(several(tmp_path))
    assert list(table.column("t")) == ["a"]
    assert "the sheet 'Data' was read, and not 'Hidden', 'Year 2024'" in table.notes[0]
    for name in ("Hidden", "Year 2024"):
        other = read_table(f"{tmp_path}/it.xlsx:{name}")
        assert list(other.column("t")) == [name]
        assert other.where(0) == f"it.xlsx:{name}, row 2"
        assert other.fingerprint != table.fingerprint
        assert other.notes == []
    (advised,) = shlex.split(table.notes[0].rpartition(" write ")[2].removesuffix("."))
    assert list(read_table(advised).column("t")) == ["Hidden"]


def test_a_sheet_that_is_not_there_is_refused_with_those_that_are(tmp_path: Path) -> None:
    several(tmp_path)
    with pytest.raises(DataError, match=r"has no sheet 'data'; its sheets are .*'Data'"):
        read_table(f"{tmp_path}/it.xlsx:data")


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(
        st.tuples(
            st.text(st.characters(codec="ascii", categories=["L", "N"]), min_size=1, max_size=5),
            st.integers(-(2**50), 2**50),
            st.integers(-(10**6), 10**6).map(lambda n: n / 8),
            st.booleans(),
        ),
        min_size=2,
        max_size=5,
    )
)
def test_what_pandas_writes_comes_back(tmp_path: Path, rows: list[tuple[Any, ...]]) -> None:
    columns = dict(zip(["text", "n", "x", "ok"], map(list, zip(*rows, strict=True)), strict=True))
    pd.DataFrame(columns).to_excel(tmp_path / "it.xlsx", index=False)
    assert columns_of(read_table(tmp_path / "it.xlsx")) == columns


def damaged(path: Path, part: str, content: bytes) -> None:
    """Write a workbook with one part replaced."""
    whole = save(path.with_suffix(".whole.xlsx"), ["t", "n"], ["a", 1], ["b", 2])
    with zipfile.ZipFile(whole) as old, zipfile.ZipFile(path, "w") as new:
        for name in old.namelist():
            new.writestr(name, content if name == part else old.read(name))


@pytest.mark.parametrize(
    "part",
    ["[Content_Types].xml", "xl/workbook.xml", "xl/worksheets/sheet1.xml", "xl/styles.xml"],
)
@pytest.mark.parametrize("content", [b"", b"<a", b"<a/>", b"\xff\xfe\x00", b"<sheetData><row>"])
def test_a_damaged_workbook_ends_in_a_sentence(tmp_path: Path, part: str, content: bytes) -> None:
    damaged(tmp_path / "it.xlsx", part, content)
    try:
        table = read_table(tmp_path / "it.xlsx")
    except DataError as refusal:
        assert re.search(r"it\.xlsx.*(is damaged|contains no rows)", str(refusal))  # noqa: PT017
    else:
        assert table.columns == ["t", "n"]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"t,n\na,1\n", r"is not a complete workbook: .* a text file needs a suffix such as"),
        (b"\xd0\xcf\x11\xe0 old", "is an old workbook, or one with a password. Save it as .xlsx"),
        (b"", "is not a complete workbook"),
    ],
)
def test_what_is_no_workbook_is_refused(tmp_path: Path, content: bytes, words: str) -> None:
    (tmp_path / "it.xlsx").write_bytes(content)
    with pytest.raises(DataError, match=words):
        read_table(tmp_path / "it.xlsx")


def test_a_workbook_that_unpacks_to_too_much_is_refused_before_it_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = save(tmp_path / "it.xlsx", ["t", "n"], ["a", 1])
    monkeypatch.setattr(excel, "LARGEST", 2000)
    with pytest.raises(DataError, match=r"unpacks to .* MB, and at most"):
        read_table(path)


def test_a_stray_cell_far_outside_is_refused_with_its_place(tmp_path: Path) -> None:
    path = save(tmp_path / "it.xlsx", ["t"], ["a"], change=lambda s: s.cell(1_048_576, 16_384, 1))
    with pytest.raises(DataError, match="reaches to row 1,048,576 and column 16,384"):
        read_table(path)


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        ([], "contains no rows: its sheets are empty"),
        ([["t", "n"]], r"has a header \(t, n\) and no rows"),
        ([["t", "t"], ["a", 1]], "has 2 columns named 't'"),
    ],
)
def test_sheets_without_rows_or_names_are_refused(
    tmp_path: Path, rows: list[list[Any]], words: str
) -> None:
    with pytest.raises(DataError, match=words):
        read_table(save(tmp_path / "it.xlsx", *rows))


def test_other_spreadsheets_are_refused_with_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "it.ods").write_bytes(b"PK")
    with pytest.raises(DataError, match=r"save it as \.xlsx, or the sheet as CSV"):
        read_table(tmp_path / "it.ods")


@pytest.mark.usefixtures("pages")
def test_a_sheet_trains_and_predicts(tmp_path: Path) -> None:
    rows = [[f"{'good' if n % 2 else 'bad'} film", f"0{n % 2}"] for n in range(24)]
    save(tmp_path / "it.xlsx", ["text", "code"], *rows)
    train(
        f"{tmp_path}/it.xlsx:Data", target="code", epochs=1, hidden_size=3, out=tmp_path / "run"
    )  # fmt: skip
    assert (tmp_path / "run" / "report.html").exists()
