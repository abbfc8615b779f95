"""Where a table begins: comments, preambles, headers of every kind; nothing is lost in silence."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from elman.data.sources import read_table
from elman.data.sources.header import has_header
from elman.data.sources.skipped import named_lines
from elman.data.table import Table
from elman.errors import DataError

CASES = Path(__file__).parents[4] / "shared" / "cases"


def read(folder: Path, content: str, name: str = "it.csv") -> Table:
    path = folder / name
    path.write_text(content, encoding="utf-8", newline="")
    return read_table(path)


def strings_of(table: Table) -> dict[str, list[str]]:
    """Return the columns as strings, whatever their types."""
    return {name: [str(value) for value in table.column(name)] for name in table.columns}


@pytest.mark.parametrize(
    ("content", "columns", "note"),
    [
        (
            "# made today\n# by hand, twice\nsize,label\n1,a\n2,b\n",
            {"size": ["1", "2"], "label": ["a", "b"]},
            "lines 1–2 of it.csv begin with # and were skipped; the first is '# made today'.",
        ),
        (
            "#made\n\n# x, y and z\nsize,label\n1,a\n2,b\n",
            {"size": ["1", "2"], "label": ["a", "b"]},
            "lines 1 and 3 of it.csv begin with # and were skipped; the first is '#made'.",
        ),
        (
            '# the "best, so far\ntext\tlabel\nsun\tp\nfog\tn\nsun\tp\n',
            {"text": ["sun", "fog", "sun"], "label": ["p", "n", "p"]},
            "line 1 of it.csv begins with # and was skipped; the first is '# the \"best, so far'.",
        ),
        (
            "size,label\n1,a\n# from here on, by Ann, again\n2,b\n#done\n",
            {"size": ["1", "2"], "label": ["a", "b"]},
            "lines 3 and 5 of it.csv begin with # and were skipped; the first is '# from here on, "
            "by Ann, again'.",
        ),
    ],
)
def test_comments_above_and_between_rows_are_skipped_and_said(
    tmp_path: Path, content: str, columns: dict[str, list[str]], note: str
) -> None:
    table = read(tmp_path, content)
    assert strings_of(table) == columns
    assert table.notes == [note]


@pytest.mark.parametrize(
    ("content", "columns"),
    [
        ("# of rooms,price\n3,100\n4,200\n", {"# of rooms": ["3", "4"], "price": ["100", "200"]}),
        ("#id\tname\n7\tann\n8\tbob\n", {"#id": ["7", "8"], "name": ["ann", "bob"]}),
        (
            "text,label\n#sun is up,p\n#fog,n\n# in words,p\n",
            {"text": ["#sun is up", "#fog", "# in words"], "label": ["p", "n", "p"]},
        ),
        ("#sun,p\n#fog,n\n#sun,p\n", {"column_1": ["#sun", "#fog", "#sun"], "column_2": [*"pnp"]}),
        ("#love\n# x\n#hate\n", {"#love": ["# x", "#hate"]}),
        ('text,label\n"one\n# two",p\nfog,n\n', {"text": ["one\n# two", "fog"], "label": [*"pn"]}),
    ],
)
def test_a_hash_that_belongs_to_data_stays(
    tmp_path: Path, content: str, columns: dict[str, list[str]]
) -> None:
    assert strings_of(read(tmp_path, content)) == columns


def test_a_row_that_begins_with_a_hash_and_has_a_comma_too_many_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"line 3: expected 2 fields, as in line 1, got 3"):
        read(tmp_path, "text,label\nfog,n\n#sun, is up,p\nsun,p\n")


@pytest.mark.parametrize(
    ("content", "columns", "note"),
    [
        (
            "Sales of 2024\n\nname,size,n\nann,1,2\nbob,3,4\n",
            ["name", "size", "n"],
            "line 1 of it.csv stands above the table and was skipped; the first is 'Sales of 2024'",
        ),
        (
            "Sales,2024\nby,Ann\nname,size,n\nann,1,2\nbob,3,4\n",
            ["name", "size", "n"],
            "lines 1–2 of it.csv stand above the table",
        ),
        (
            "Sales;;\nMade;2024;\n;;\nname;size;n\nann;1;2\nbob;3;4\n",
            ["name", "size", "n"],
            "lines 1–3 of it.csv stand above the table",
        ),
        (
            "Mean of the sea, January to May\nUnits: K\nBase: 1901\nyear,size\n1880,1\n1881,3\n",
            ["year", "size"],
            "lines 1–3 of it.csv stand above the table",
        ),
        (
            '"Source","World",\n\n"Updated","2023-12-18",\n\n"name","code","2019","2020",\n'
            '"Aruba","ABW","1","2",\n"Egypt, Arab Rep.","EGY","","5",\n"Peru","PER","3","4",\n'
            '"Mali","MLI","3","4",\n',
            ["name", "code", "2019", "2020"],
            "lines 1 and 3 of it.csv stand above the table",
        ),
        (
            "All the glosses\n\nDE\tEN\nTür\tdoor\nDach\troof\nTür\tgate\n",
            ["DE", "EN"],
            "line 1 of it.csv stands above the table",
        ),
        (
            "sep=;\nname;size\nann, too;1\nbob;2\n",
            ["name", "size"],
            "line 1 of it.csv names the delimiter and is no row",
        ),
        ('"sep=^"\r\nname^size\r\nann^1\r\nbob^2\r\n', ["name", "size"], "names the delimiter"),
        (
            "time,speed,site\ns,m/s,\n0,1.5,A\n1,2.5,B\n",
            ["time", "speed", "site"],
            "line 2 of it.csv was skipped: it holds the units of the columns, 's,m/s,'",
        ),
        (
            "name,size\nann,1\nname,size\nbob,2\n",
            ["name", "size"],
            "line 3 of it.csv repeats the header and was skipped",
        ),
        (
            "name,size\nann,1\n,\nbob,2\n  \n,\n,\n",
            ["name", "size"],
            "lines 3 and 6–7 of it.csv hold nothing but delimiters and were skipped",
        ),
    ],
)
def test_what_is_no_row_is_skipped_and_said_with_its_lines(
    tmp_path: Path, content: str, columns: list[str], note: str
) -> None:
    table = read(tmp_path, content)
    assert table.columns == columns
    assert len(table) == (3 if "DE" in columns else 4 if "2019" in columns else 2)
    assert note in table.notes[0]
    assert len(table.notes) == (3 if "2019" in columns else 1)


@pytest.mark.parametrize(
    ("content", "columns"),
    [
        ("value\n1,5\n2,7\n3,1\n", ["value"]),
        ("sizes in cm\n1,5\n2,7\n3,1\n4,1\n", ["sizes in cm"]),
        ("text\nhello, world\nwell, yes\n", ["text"]),
        ("text\nhello,world\nwell,yes\n", ["text"]),
        ("a,b\nNA,?\n1,2\n3,4\n", ["a", "b"]),
        ("text,note,mark\nfog,,\nsun,up,p\nrain,,n\n", ["text", "note", "mark"]),
    ],
)
def test_a_header_above_unlike_rows_is_no_preamble(
    tmp_path: Path, content: str, columns: list[str]
) -> None:
    table = read(tmp_path, content)
    assert table.columns == columns
    assert len(table) == content.count("\n") - 1


@pytest.mark.parametrize(
    "content",
    [
        "a,b,c,d\n1,2,3\n4,5,6\n",
        "a,b\n1,2,3,4\n5,6,7,8\n",
        "text,label\nhello, world,p\nwell, no,n\nfog,n\n",
        "name,size,n\nann,1,2\nbob,3,4\nTotal,4\n",
        "name,size,n\nann,1,2\nbob,3,4\n\nSource: Ann\n",
    ],
)
def test_rows_with_other_fields_than_the_header_are_refused_with_their_line(
    tmp_path: Path, content: str
) -> None:
    with pytest.raises(
        DataError, match=r"line \d: expected \d fields?, as in line 1, got \d\. Com"
    ):
        read(tmp_path, content)


def test_a_row_of_sums_at_the_end_is_said(tmp_path: Path) -> None:
    table = read(tmp_path, "name,size\nann,1\nbob,2\nTotal,3\n")
    assert len(table) == 3
    assert table.notes == [
        "the last row of it.csv, line 4, begins with 'Total' and was read as a row; delete it if "
        "it sums up the others."
    ]


@pytest.mark.parametrize(
    ("content", "columns", "note"),
    [
        ("a,b,\n1,x,\n2,y,\n", ["a", "b"], "column 3 of it.csv has no name and no values"),
        ("a,b\n1,x,\n2,y,\n", ["a", "b"], "column 3 of it.csv has no name and no values"),
        (",text,n\n0,sun,1\n1,fog,2\n", ["text", "n"], "column 1 of it.csv has no name and numb"),
        (",text,n\n8,sun,1\n3,fog,2\n", ["text", "n"], "as pandas and R do; it was left out"),
        ('"a","n"\n"1","x",5\n"2","y",6\n', ["a", "n"], "has no name and numbers the rows"),
        ('"a","n"\n"Ann","x",5\n"Bob","y",6\n', ["column_1", "a", "n"], "is called 'column_1'"),
        (",text,n\nq,sun,1\nr,fog,2\n", ["column_1", "text", "n"], "is called 'column_1'"),
        (",text,n\n5,sun,1\n5,fog,2\n", ["column_1", "text", "n"], "is called 'column_1'"),
        ("a,,n\nx,sun,1\ny,fog,2\n", ["a", "column_2", "n"], "is called 'column_2'"),
    ],
)
def test_a_column_without_a_name_is_said_and_left_out_if_it_is_empty_or_numbers_the_rows(
    tmp_path: Path, content: str, columns: list[str], note: str
) -> None:
    table = read(tmp_path, content)
    assert table.columns == columns
    assert len(table) == 2
    assert note in table.notes[0]


@pytest.mark.parametrize(
    ("records", "header"),
    [
        ([["country", "2019", "2020"], ["FR", "1", "2"], ["DE", "3", "4"]], True),
        ([["name", "since", "2020"], ["ann", "1", "2"], ["bob", "3", "4"]], False),
        ([["ann", "2019", "2020"], ["bob", "2018", "2021"]], False),
        ([["", "0", "1", "2"], ["0", "0.5", "0.1", "7"], ["1", "0.2", "0.4", "9"]], True),
        ([["0", "1", "2", "3"], ["0.5", "0.1", "7", "1"], ["0.2", "0.4", "9", "1"]], True),
        ([["1", "2", "3"], ["4", "5", "6"]], False),
        ([["1", "2", "3"], ["7", "5", "6"]], True),
        ([["1", "2", "3"]], False),
        ([["id", "2020-01-01", "2020-01-02"], ["a", "1", "2"], ["b", "3", "4"]], True),
        ([["A1", "x"], ["B7", "y"], ["C3", "z"]], False),
        ([["31.12.2023", "x"], ["1.1.2024", "y"]], False),
        ([["$3.50", "x"], ["$12.25", "y"]], False),
        ([["Go!", "Va !"], ["Run!", "Cours !"], ["Who?", "Qui ?"]], False),
        ([["survived?", "name"], ["yes", "ann"], ["no", "bob"]], True),
        ([["Q1", "Q2"], ["yes", "no"], ["no", "no"]], True),
        ([["text", "label"], ["sun", "p"]], True),
        ([["true", "x"], ["false", "y"]], False),
        ([["do you?", "why?"], ["yes.", "so."], ["no.", "it is."]], True),
        ([["asked at", "why?"], ["10/1/2023 9:15:00", "a"], ["10/1/2023 9:17:00", "b"]], True),
        ([["a " * 40, "price"], ["b", "$1,200.50"], ["c", "$900"]], True),
        ([["x", "2.5%", "97.5%"], ["a", "0.1", "0.4"], ["b", "0.2", "0.7"]], True),
        ([["state", "1/22/20", "1/23/20"], ["a", "0", "4"], ["b", "2", "7"]], True),
        ([["1", "2\x1f", "3"], ["7", "9", "4"]], True),
        ([["1" * 5000, "2" * 5000], ["7", "9"]], False),
    ],
)
def test_a_header_is_told_by_how_it_differs_from_the_rows(
    records: list[list[str]], header: bool
) -> None:
    assert has_header(records) is header


@pytest.mark.parametrize(
    ("content", "columns", "rows"),
    [
        ("  1.0e+00  -7.7e-01 3\n  2.0e+00   5.7e-01 4\n", 3, 2),
        ("1\t 0.5  0.25\n2  0.5   0.75\n", 3, 2),
        ("x  y\n1  2\n3  4\n", 2, 2),
        ('"mpg" "cyl"\n"Mazda RX4" 21 6\n"Datsun" 22.8 4\n', 3, 2),
        ('18.0 8 "chevrolet malibu"\n15.0 8 "buick"\n', 3, 2),
        ("ham\tGo on, crazy..\nspam\tFree entry; win\nham\tok, lar\n", 2, 3),
        ("# x\n1;2\n3;4\n", 2, 2),
    ],
)
def test_text_files_with_columns_are_tables(
    tmp_path: Path, content: str, columns: int, rows: int
) -> None:
    table = read(tmp_path, content, "it.txt")
    assert (len(table.columns), len(table)) == (columns, rows)


@pytest.mark.parametrize(
    "content",
    [
        "Dear Ann, hello\nDear Bob, hi\n",
        "one fish\ntwo fish\n",
        "To Ann:\nsun,up\nfog,on\nrain,by\n",
        "5 men\nno man is\n",
        "yes; so be it\nno; not so\n",
    ],
)
def test_sentences_are_no_tables(tmp_path: Path, content: str) -> None:
    table = read(tmp_path, content, "it.txt")
    assert table.columns == ["text"]
    assert list(table.column("text")) == content.splitlines()


def test_blank_lines_between_rows_are_said(tmp_path: Path) -> None:
    table = read(tmp_path, "word\ttag\n\nAnn\tB\nis\tO\n\n  \nBob\tB\n\n", "it.tsv")
    assert len(table) == 3
    assert table.notes == [
        "2 blank lines between rows of it.tsv skipped; if they end sentences that have a token a "
        "row, set data.format=conll."
    ]
    path = tmp_path / "it.tsv"
    assert len(read_table(path, format="conll")) == 3


def test_white_space_that_divides_columns_is_said(tmp_path: Path) -> None:
    assert "white space divides the columns of it.dat." in read_spaced(tmp_path).notes


def read_spaced(folder: Path) -> Table:
    path = folder / "it.dat"
    path.write_text("1  0.5 0.25\n2  0.5 0.75\n")
    return read_table(path, format="delimited")


def test_rows_keep_their_lines_where_others_are_skipped(tmp_path: Path) -> None:
    table = read(tmp_path, "Of 2024\n\nname,n\n# so far\nann,1\n,\nbob,2\n")
    assert [table.where(row) for row in range(2)] == ["it.csv, line 5", "it.csv, line 7"]


@pytest.mark.slow
def test_many_skipped_lines_are_counted(tmp_path: Path) -> None:
    content = "name,n\n" + "ann,1\n#\n" * 40_000
    table = read(tmp_path, content)
    assert len(table) == 40_000
    assert (
        "lines 3, 5, 7, 9, 11, … and 80001 (40,000 lines) of it.csv begin with #"
        in (table.notes[0])
    )


def test_ranges_of_lines_are_named() -> None:
    assert named_lines([3]) == "line 3"
    assert named_lines([1, 2, 3]) == "lines 1–3"
    assert named_lines([1, 2, 5, 8, 9]) == "lines 1–2, 5 and 8–9"


@pytest.mark.parametrize(
    ("name", "columns", "rows"),
    [
        ("comment-lines.tsv", ["DE", "EN", "Note"], 1520),
        ("preamble.csv", ["text", "label", "score"], 100),
    ],
)
def test_the_cases_are_read(name: str, columns: list[str], rows: int) -> None:
    if not (CASES / name).exists():
        pytest.skip("the cases are not here")
    table = read_table(CASES / name)
    assert (table.columns, len(table)) == (columns, rows)
    assert "lines 1–2" in table.notes[0]


WORDS = st.text(
    st.characters(codec="utf-8", exclude_characters="\0\r\n", exclude_categories=["Cs"]), max_size=9
)
LONGER = st.lists(
    st.sampled_from([*"ab,;|\t\"'#\n \\", "\r\n", "é", "日", "sep=;"]), max_size=12
).map("".join)


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=st.data())
def test_what_the_writer_of_python_writes_reads_back_as_the_same_strings(
    tmp_path: Path, data: st.DataObject
) -> None:
    how: dict[str, Any] = data.draw(
        st.sampled_from(
            [
                {"quoting": csv.QUOTE_MINIMAL},
                {"quoting": csv.QUOTE_ALL},
                {"quoting": csv.QUOTE_NONNUMERIC},
                {"quoting": csv.QUOTE_ALL, "doublequote": False, "escapechar": "\\"},
            ]
        )
    )
    width = data.draw(st.integers(2, 4))
    # Each begins with a letter, so that it is text and no comment, header or missing value.
    texts = (WORDS | LONGER).map(lambda text: f"t{text}")
    if "escapechar" in how:  # a backslash that is doubled reads as two where no quote is escaped
        texts = texts.map(lambda text: text.replace("\\", "/"))
    rows = data.draw(st.lists(st.lists(texts, min_size=width, max_size=width), min_size=1))
    names = [f"name {place}" for place in range(width)]
    text = io.StringIO(newline="")
    delimiter = data.draw(st.sampled_from(",\t;|"))
    csv.writer(text, delimiter=delimiter, lineterminator="\r\n", **how).writerows([names, *rows])
    table = read(tmp_path, text.getvalue())
    assert table.columns == names
    assert [list(table.column(name)) for name in names] == [
        list(column) for column in zip(*rows, strict=True)
    ]
