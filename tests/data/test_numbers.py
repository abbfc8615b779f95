"""Numbers as people write them are read as such, column by column; anything else stays text."""

from __future__ import annotations

import math

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from elman.data.number_formats import Numbers, Words, looks_like_numbers, read_numbers
from elman.data.numbers import hold_numbers, with_numbers
from elman.data.table import Table
from elman.errors import DataError


def numbers(*cells: str | None, decimal: str | None = None) -> Numbers | Words:
    return read_numbers(pa.chunked_array([pa.array(cells, pa.string())]), decimal)


@pytest.mark.parametrize(
    ("cells", "values", "mark"),
    [
        (["1", "-2", "+3", ""], [1, -2, 3, None], None),
        (["1.5", ".5", "2.", "1e3", "2E-3"], [1.5, 0.5, 2.0, 1000.0, 0.002], "."),
        (["3,5", "1,234"], [3.5, 1.234], ","),
        (["0,123", "0,456"], [0.123, 0.456], ","),
        (["575,432", "1,000,775"], [575432, 1000775], "."),
        (["1,234.5", "2"], [1234.5, 2.0], "."),
        (["1.234,5", "2"], [1234.5, 2.0], ","),
        (["1 234", "12"], [1234, 12], None),
        (["1\u202f234,5", "12"], [1234.5, 12.0], ","),
        (["1'234.50", "3"], [1234.5, 3.0], "."),
        (["1’234", "3"], [1234, 3], None),
        (["1,00,000", "12,34,567.5"], [100000.0, 1234567.5], "."),
        (["$5", "-$6.50", "$1,000.00"], [5.0, -6.5, 1000.0], "."),
        (["5 €", "6,50 €"], [5.0, 6.5], ","),
        (["CHF 1'000.50", "CHF 3"], [1000.5, 3.0], "."),
        (["42 %", "3.5%"], [42.0, 3.5], "."),
        (["(1,234.50)", "3.00"], [-1234.5, 3.0], "."),
        (["−5", "3"], [-5, 3], None),
        (["5", "NA", "n/a", "null", "?", "-", None], [5, *[None] * 6], None),
        (["1.5", "#DIV/0!", "#VALUE!", "<NA>", "n.a.", "—", "(null)"], [1.5, *[None] * 6], "."),
    ],
)
def test_numbers_are_read_as_they_are_meant(
    cells: list[str | None], values: list[float | None], mark: str | None
) -> None:
    read = numbers(*cells)
    assert isinstance(read, Numbers), read
    assert read.values.to_pylist() == values
    assert (read.decimal, read.open_mark) == (mark, "")


@pytest.mark.parametrize(
    ("cells", "row", "why"),
    [
        (["10", "0010"], 1, "has a leading zero"),
        (["1", "9007199254740993"], 1, "too many digits"),
        (["", "1E5", "2E10"], 1, "is written like a code"),
        (["1", "x"], 1, "is no number"),
        (["12", "2023-01-01"], 1, "is no number"),
        (["$5", "€6"], 1, "has another unit than"),
        (["42%", "3"], 1, "has no %"),
        (["1,5", "2,5", "2.5"], 2, "is written unlike the other numbers"),
        (["31.12.2023"], 0, "is written unlike"),
        (["(5", "3"], 0, "is no number"),
        (["", "NA"], 0, "is no number"),
        (["1_000"], 0, "is no number"),
        (["0x1F"], 0, "is no number"),
    ],
)
def test_a_column_with_any_other_cell_is_text_and_the_cell_is_known(
    cells: list[str], row: int, why: str
) -> None:
    read = numbers(*cells)
    assert isinstance(read, Words), read
    assert read.row == row
    assert why in read.why


@pytest.mark.parametrize(
    ("cells", "decimal", "values"),
    [
        (["575,432", "710,204"], None, [575432, 710204]),
        (["575,432", "710,204"], ",", [575.432, 710.204]),
        (["575,432", "710,204"], ".", [575432, 710204]),
        (["1.234", "5.678"], None, [1.234, 5.678]),
        (["1.234", "5.678"], ",", [1234, 5678]),
    ],
)
def test_a_mark_that_may_part_thousands_or_decimals_is_settled_from_outside(
    cells: list[str], decimal: str | None, values: list[float]
) -> None:
    read = numbers(*cells, decimal=decimal)
    assert isinstance(read, Numbers)
    assert read.values.to_pylist() == values
    assert read.open_mark in (",", ".")


def test_another_column_settles_what_a_mark_means() -> None:
    table = Table.from_columns({"a": ["1,234", "5,678"], "b": ["0,5", "1,5"]}, "x.csv")
    read, decimal = with_numbers(table, likely=["a", "b"])
    assert list(read.column("a")) == [1.234, 5.678]
    assert decimal == ","
    table = Table.from_columns({"a": ["1,234", "5,678"], "b": ["0.5", "1.5"]}, "x.csv")
    read, decimal = with_numbers(table, likely=["a", "b"])
    assert list(read.column("a")) == [1234, 5678]
    assert decimal == "."


def test_columns_with_different_marks_are_read_by_their_own_in_later_files() -> None:
    trained = Table.from_columns({"a": ["4,25", "1,234"], "b": ["0.5", "1.75"]}, "x.csv")
    _, decimal = with_numbers(trained, likely=["a", "b"])
    assert decimal == {"a": ",", "b": "."}
    later = Table.from_columns({"a": ["4,250", "1,234"], "b": ["0.5", "1.75"]}, "y.csv")
    read, _ = with_numbers(later, required=["a", "b"], decimal=decimal)
    assert list(read.column("a")) == [4.25, 1.234]
    assert list(read.column("b")) == [0.5, 1.75]


def test_what_is_not_plain_is_said_with_an_example_and_the_setting_that_changes_it() -> None:
    table = Table.from_columns({"price": ["$1,234", "$5,678", "NA"]}, "x.csv")
    read, _ = with_numbers(table, likely=["price"])
    assert read.notes == [
        "column 'price' of x.csv holds numbers: 'NA' in 1 cell is a missing value; '$' is the unit "
        "of 2 cells; '$1,234' is read as 1234. If the mark is meant otherwise, set data.decimal to "
        "'.' or ',' (--set decimal=,)."
    ]
    assert list(read.written("price")) == ["$1,234", "$5,678", "NA"]


def test_a_cell_that_makes_numbers_text_is_named() -> None:
    table = Table.from_columns({"x": ["1", "2", "about 3", "4"]}, "x.csv")
    read, _ = with_numbers(table, likely=["x"])
    assert list(read.column("x")) == ["1", "2", "about 3", "4"]
    assert read.notes == [
        "column 'x' is not read as numbers: x.csv, row 2 holds 'about 3', which is no number; "
        "1 of 4 cells is such, too many to leave out."
    ]


@pytest.mark.parametrize(
    ("number", "word"),
    [
        ("3.5", "unknown"),
        ("$5", "tbd"),
        ("3%", "tbd"),
        ("1,200", "none yet"),
        ("-3,5", "k.A."),
        ("1.119.408 €", "auf Anfrage"),
        ("(1,234.50)", "open"),
    ],
)
def test_a_word_among_numbers_is_named_however_they_are_written(number: str, word: str) -> None:
    cells = [number, number, word, number] * 5
    read, _ = with_numbers(Table.from_columns({"v": cells}, "x.csv"), likely=["v"])
    assert list(read.column("v")) == cells
    assert read.notes == [
        f"column 'v' is not read as numbers: x.csv, row 2 holds {word!r}, which is no number; "
        "5 of 20 cells are such, too many to leave out."
    ]


@pytest.mark.parametrize("cells", [["31.12.2023", "tbd"], ["12-14", "1.2.3", "x"], ["$5", *"abc"]])
def test_no_cell_is_named_where_most_are_no_numbers(cells: list[str]) -> None:
    read, _ = with_numbers(Table.from_columns({"v": cells * 5}, "x.csv"), likely=["v"])
    assert read.notes == []


def test_a_sign_that_few_cells_have_is_what_is_named() -> None:
    read = numbers("1", "2", "3%", "4")
    assert isinstance(read, Words)
    assert (read.row, read.why) == (2, "has a %, as other cells have not")
    read = numbers("$1", "€2", "€3", "4")
    assert isinstance(read, Words)
    assert (read.row, read.why) == (0, "has another unit than '€'")


def test_a_column_that_must_hold_numbers_is_refused_with_the_cell() -> None:
    table = Table.from_columns({"x": ["1", "ten"]}, "x.csv")
    with pytest.raises(DataError, match=r"x\.csv, row 1, column x: 'ten' is no number, and"):
        with_numbers(table, required=["x"])


def test_codes_are_numbers_where_numbers_are_asked_for_and_so_are_true_and_false() -> None:
    table = Table.from_columns({"x": ["007", "010"], "y": ["true", "False"]}, "x.csv")
    read, _ = with_numbers(table, required=["x", "y"])
    assert (list(read.column("x")), list(read.column("y"))) == ([7, 10], [1, 0])


def test_a_target_of_few_whole_numbers_keeps_its_names() -> None:
    cells = {"stars": ["1", "2", "5"] * 4, "price": [f"{n}" for n in range(12)]}
    read, _ = with_numbers(
        Table.from_columns(cells, "x.csv"), likely=["stars", "price"], classes=["stars", "price"]
    )
    assert list(read.column("stars")) == cells["stars"]
    assert list(read.column("price")) == list(range(12))


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1))
def test_any_float_in_text_is_itself(values: list[float]) -> None:
    assert looks_like_numbers(map(repr, values)) == values


@given(
    st.lists(st.floats(-1e9, 1e9).map(lambda x: round(x, 2)), min_size=1),
    st.sampled_from([(".", ","), (",", "."), (",", " "), (".", "'")]),
)
def test_marks_of_any_country_give_the_same_numbers(
    values: list[float], marks: tuple[str, str]
) -> None:
    decimal, thousands = marks
    table = str.maketrans({",": thousands, ".": decimal})
    read = numbers(*(f"{value:,.2f}".translate(table) for value in values))
    assert isinstance(read, Numbers)
    assert all(map(math.isclose, read.values.to_pylist(), values))


def test_typed_whole_numbers_too_large_to_be_exact_are_no_numbers() -> None:
    table = Table.from_columns(
        {"id": [2**53 + 1, 2**53], "n": [1, -(2**53)], "x": [1e300, 2.5], "none": [None, None]},
        "x.parquet",
    )
    assert hold_numbers(table, table.columns) == {"n", "x"}
