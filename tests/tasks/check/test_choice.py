"""Columns that cannot help are left out where no input is named, and why is said."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from typing import Any

import pytest

from elman.data.table import Table
from elman.experiment.data import DataSpec
from elman.tasks.check.choice import (
    CONSTANTS,
    EMPTY,
    IDENTIFIERS,
    REPEATED,
    SIBLINGS,
    SINGLE,
    TIMES,
    Choice,
    choose,
)

ROWS = 60


def chosen(
    values: dict[str, Sequence[Any]], targets: Sequence[str] = ("y",), **settings: Any
) -> Choice:
    table = Table.from_columns(values, "it.csv")
    others = [name for name in values if name not in targets]
    return choose(table, others, targets, DataSpec(target=list(targets), **settings))


def said(choice: Choice) -> list[str]:
    return [finding.sentence for finding in choice.findings]


Y = ["ab"[n % 2] for n in range(ROWS)]
AGE = [20 + n % 7 for n in range(ROWS)]


def test_an_identifier_is_left_out_and_the_option_that_reads_it_is_said() -> None:
    choice = chosen({"customer_id": [100 + 7 * n for n in range(ROWS)], "age": AGE, "y": Y})
    assert choice.inputs == ["age"]
    assert choice.left_out == {IDENTIFIERS: ["customer_id"]}
    assert said(choice) == [
        "customer_id has a value of its own in each row, as an identifier has: it is left out; to "
        "read it, say --read customer_id."
    ]


def test_several_identifiers_are_said_in_one_sentence() -> None:
    numbers = [3 * n for n in range(ROWS)]
    choice = chosen({"the id": numbers, "nr": numbers, "age": AGE, "y": Y})
    assert said(choice) == [
        "the id and nr have values of their own in each row, as identifiers have: they are left "
        "out; to read them, say --read 'the id' --read nr."
    ]


def test_dates_are_left_out_and_how_to_read_or_to_split_by_them_is_said() -> None:
    day = [f"2023-{n % 12 + 1:02}-{n % 28 + 1:02}" for n in range(ROWS)]
    choice = chosen({"since": day, "age": AGE, "y": Y})
    assert choice.left_out == {TIMES: ["since"]}
    assert said(choice) == [
        "since holds dates or times: it is left out; to read the calendar (year, season, day of "
        "the week), say --read since:date; to test on the latest rows of a table in the order of "
        "time, --set split_order=time."
    ]


def test_dates_in_several_forms_are_dates_and_said_to_be_so() -> None:
    day = [("31.12.2023", "2023-12-31", "Dec 31, 2023")[n % 3] for n in range(ROWS)]
    choice = chosen({"seen": day, "age": AGE, "y": Y})
    assert choice.left_out == {TIMES: ["seen"]}
    assert said(choice)[0].startswith(
        "seen holds dates or times in several forms: it is left out; to read the calendar, write "
        "all of them alike, unlike "
    )
    assert "--read" not in said(choice)[0]


def test_dates_whose_day_and_month_look_alike_are_said_with_the_options_of_both_readings() -> None:
    day = [f"{n % 12 + 1:02}/{n * 5 % 12 + 1:02}/2023" for n in range(ROWS)]
    assert said(chosen({"when": day, "age": AGE, "y": Y})) == [
        "when holds dates, such as '02/06/2023', in which day and month cannot be told apart: it "
        "is left out; to read the calendar (year, season, day of the week), say --read "
        "when:date:%d/%m/%Y or --read when:date:%m/%d/%Y; to test on the latest rows of a table in "
        "the order of time, --set split_order=time --set data.time_format=%d/%m/%Y, or %m/%d/%Y."
    ]


def test_a_column_of_odd_dates_has_a_sentence_of_its_own() -> None:
    iso = [f"2023-{n % 12 + 1:02}-{n % 28 + 1:02}" for n in range(ROWS)]
    odd = ["2023-01-05" if n else "2023-13-45" for n in range(ROWS)]
    columns = {f"d{n}": iso for n in range(6)} | {"mixed": odd}
    first, second = said(chosen({**columns, "age": AGE, "y": Y}, split_order="time"))
    assert first == (
        "d0, d1, d2, d3, d4 and 1 more column hold dates or times: they are left out; to read the "
        "calendar (year, season, day of the week), say --read d0:date --read d1:date --read "
        "d2:date --read d3:date --read d4:date."
    )
    assert second == (
        "mixed holds dates or times: it is left out; to read the calendar, correct it.csv, row 0: "
        "'2023-13-45'."
    )


@pytest.mark.parametrize(
    "cells",
    [
        [["2023-01-05", "2023-01-06"]] * ROWS,
        [datetime.time(n % 24, 30) for n in range(ROWS)],
        [1_700_000_000_000.5 + n for n in range(ROWS)],
    ],
)
def test_the_calendar_is_not_proposed_of_what_has_none(cells: list[Any]) -> None:
    choice = chosen({"timestamp": cells, "age": AGE, "y": Y})
    assert choice.left_out == {TIMES: ["timestamp"]}
    assert "date;" not in said(choice)[0]
    assert "--read" not in said(choice)[0]


def test_an_identifier_alone_is_read_and_said_to_be_one() -> None:
    choice = chosen({"customer_id": list(range(500, 500 + 7 * ROWS, 7)), "y": Y})
    assert choice.inputs == ["customer_id"]
    assert said(choice) == [
        "customer_id has a value of its own in each row, as an identifier has, and nothing else is "
        "left to read: it is read."
    ]


def test_a_constant_is_left_out_with_its_value() -> None:
    choice = chosen({"country": ["DE"] * ROWS, "age": AGE, "y": Y})
    assert choice.left_out == {CONSTANTS: ["country"]}
    assert said(choice) == [
        "country is 'DE' in all 60 rows: it is left out; to read it, say --read country."
    ]


def test_a_flag_that_is_set_in_some_rows_is_no_constant() -> None:
    choice = chosen({"vip": ["yes" if n % 3 else "" for n in range(ROWS)], "age": AGE, "y": Y})
    assert choice.inputs == ["vip", "age"]


def test_an_empty_column_is_left_out() -> None:
    choice = chosen({"a": [" "] * ROWS, "b": [None] * ROWS, "age": AGE, "y": Y})
    assert choice.left_out == {EMPTY: ["a", "b"]}
    assert said(choice) == ["a and b have no value in any of 60 rows: they are left out."]


def test_many_columns_of_one_kind_are_counted() -> None:
    columns = {f"c{n}": [n] * ROWS for n in range(40)}
    choice = chosen({**columns, "age": AGE, "y": Y})
    assert said(choice) == [
        "c0, c1, c2, c3, c4 and 35 more columns have one value each, in all 60 rows: they are left "
        "out; to read them, say --read COLUMN."
    ]


@pytest.mark.parametrize("rows", [2, 9])
def test_few_rows_may_be_alike_by_chance(rows: int) -> None:
    choice = chosen({"country": ["DE"] * rows, "age": AGE[:rows], "y": Y[:rows]})
    assert choice.inputs == ["country", "age"]


def test_a_column_that_repeats_the_target_is_left_out() -> None:
    flag = [{"a": "Yes", "b": "no"}[y] for y in Y]
    choice = chosen({"flag": flag, "age": AGE, "y": Y})
    assert choice.left_out == {REPEATED: ["flag"]}
    assert said(choice) == [
        "flag repeats y: each of its 2 values stands for one of y, so that it gives y away. It is "
        "left out; to read it, say --read flag."
    ]


def test_a_column_with_the_cells_of_the_target_is_left_out_whatever_their_case() -> None:
    choice = chosen({"copy": [f" {y.upper()}" for y in Y], "age": AGE, "y": Y})
    assert said(choice) == [
        "copy has the same cells as y, so that it gives y away: it is left out; to read it, say "
        "--read copy."
    ]


def test_a_column_that_determines_the_target_is_read_and_said() -> None:
    status = [("left", "active", "gone", "trial")[n % 4] for n in range(ROWS)]
    choice = chosen({"status": status, "age": AGE, "y": Y})
    assert choice.inputs == ["status", "age"]
    assert said(choice) == [
        "status gives y away: each of its 4 values has one y alone. It is read; if it is not known "
        "before y is, leave it out: --ignore status."
    ]


def test_a_column_that_is_filled_in_by_the_target_is_said() -> None:
    reason = [("price", "service", "")[n % 2 * 2 or n // 2 % 2] for n in range(ROWS)]
    choice = chosen({"reason": reason, "age": AGE, "y": Y})
    assert choice.inputs == ["reason", "age"]
    assert said(choice) == [
        "reason gives y away: it has a value where y is one thing, and none where it is the other. "
        "It is read; if it is not known before y is, leave it out: --ignore reason."
    ]


def test_the_numbers_of_the_target_in_other_units_are_said() -> None:
    euros = [n * n / 7 for n in range(ROWS)]
    choice = chosen({"cents": [100 * x + 1 for x in euros], "age": AGE, "y": euros})
    assert said(choice) == [
        "cents gives y away: it is y in other units. It is read; if it is not known before y is, "
        "leave it out: --ignore cents."
    ]


def test_the_other_columns_of_one_class_in_zeros_and_ones_are_left_out() -> None:
    columns = {f"label_{c}": [int(n % 3 == k) for n in range(ROWS)] for k, c in enumerate("abc")}
    choice = chosen({**columns, "age": AGE}, ["label_a"])
    assert choice.inputs == ["age"]
    assert choice.left_out == {SIBLINGS: ["label_b", "label_c"]}
    assert said(choice) == [
        "each row has a single 1 in label_a, label_b and label_c, so that label_b and label_c give "
        "label_a away: they are left out; to predict all, make them one column of classes, or say "
        "--target label_a --target label_b --target label_c; to read them, say --read label_b "
        "--read label_c."
    ]


def test_other_labels_in_zeros_and_ones_are_read_and_said() -> None:
    columns = {f"tag_{c}": [n // k % 2 for n in range(ROWS)] for k, c in enumerate("abc", 1)}
    choice = chosen({**columns, "age": AGE}, ["tag_a"])
    assert choice.inputs == ["tag_b", "tag_c", "age"]
    assert said(choice) == [
        "tag_b and tag_c are 0 or 1 in each row, as tag_a is, and named like it: they are read; if "
        "they are not known before tag_a is, leave them out (--ignore tag_b --ignore tag_c), or "
        "predict all: --target tag_a --target tag_b --target tag_c."
    ]


def test_single_values_beside_sequences_are_read_but_not_constants_and_identifiers() -> None:
    columns = {"pulse": [[1.5, 2.0]] * ROWS, "age": AGE, "y": Y, "ward": ["east"] * ROWS}
    choice = chosen({**columns, "no": list(range(1, ROWS + 1))})
    assert choice.inputs == ["pulse", "age"]
    assert choice.left_out[CONSTANTS] == ["ward"]
    assert choice.left_out[IDENTIFIERS] == ["no"]


def test_beside_sequences_whose_next_step_is_predicted_single_values_are_left_out() -> None:
    choice = chosen({"pulse": [[1.5, 2.0]] * ROWS, "age": AGE}, [])
    assert choice.left_out == {SINGLE: ["age"]}
    assert said(choice) == [
        "age has one value a row, beside sequences: it is left out; to choose the columns, name "
        "them with --input."
    ]


def test_tags_that_stand_in_another_column_too_are_left_out() -> None:
    tags = [["V", "C"], ["C"]] * 30
    choice = chosen({"letters": [["a", "b"], ["c"]] * 30, "copy": tags, "y": tags})
    assert choice.inputs == ["letters"]


def test_a_column_that_is_named_is_read_in_any_case() -> None:
    columns = {"id": [3 * n for n in range(ROWS)], "one": [1] * ROWS, "flag": Y, "y": Y}
    choice = chosen(columns, columns={name: {} for name in ("id", "one", "flag")})
    assert choice.inputs == ["id", "one", "flag"]
    assert choice.findings == []


@pytest.mark.parametrize(
    ("columns", "read"),
    [
        ({"id": [f"u{n * n}" for n in range(ROWS)], "y": Y}, ["id"]),
        ({"x": [{"a": "good", "b": "bad"}[y] for y in Y], "id": range(ROWS), "y": Y}, ["x"]),
        ({"one": [1] * ROWS, "y": Y}, ["one"]),
    ],
)
def test_where_nothing_else_is_left_what_would_be_left_out_is_read(
    columns: dict[str, Any], read: list[str]
) -> None:
    assert chosen(columns).inputs == read


def test_times_and_lists_of_times_are_left_out_whatever_else_there_is() -> None:
    day = datetime.date(2024, 1, 1)
    choice = chosen({"day": [[day, day]] * ROWS, "x": [[1.0, 2.0]] * ROWS, "y": Y})
    assert choice.inputs == ["x"]
