"""A part that is too small to choose by, and classes that it alone has, are said."""

from __future__ import annotations

from typing import Any

import pytest

from elman.data.table import Table
from elman.tasks.check.profile import profile_of
from elman.tasks.check.sizes import findings_of_parts, findings_of_target
from elman.tasks.dividing import Parts


def said(train: list[str], valid: list[str], test: list[str] | None = None) -> list[str]:
    tables = [
        None if y is None else Table.from_columns({"y": y}, "it") for y in (train, valid, test)
    ]
    whole = Table.from_columns({"y": [*train, *valid, *(test or [])]}, "it")
    parts = Parts(tables[0], tables[1], tables[2], [])  # type: ignore[arg-type]
    return [each.sentence for each in findings_of_parts(parts, [profile_of(whole, "y", "target")])]


def test_few_validation_rows_are_said_with_what_to_do() -> None:
    assert said(["a", "b"] * 60, ["a", "b"] * 6) == [
        "the validation part has 12 rows, too few to choose weights by; scores will differ from "
        "seed to seed, so train with several (--seed 2); give more rows, or a larger share of them "
        "(--set valid_fraction=0.2)."
    ]


def test_fewer_validation_rows_than_classes_are_said() -> None:
    names = [f"c{n}" for n in range(30)]
    (sentence,) = said(names * 9, names[:25])
    assert sentence.startswith(
        "the validation part has 25 rows, fewer than y has classes (30); scores will differ"
    )


def test_enough_rows_are_no_finding() -> None:
    assert said(["a", "b"] * 60, ["a", "b"] * 10, ["b", "a"]) == []


def test_classes_that_no_training_row_has_are_named() -> None:
    assert said(["a", "b"] * 60, ["a", "c "] * 15, ["d", *"efghi"]) == [
        "'c' of y is in the validation part and in no training row, so never predicted.",
        "'d', 'e', 'f', 'g', 'h' and 1 more of y are in the test part and in no training row, so "
        "never predicted.",
    ]


def of_target(values: list[Any]) -> list[str]:
    table = Table.from_columns({"y": values}, "it")
    return [each.sentence for each in findings_of_target(table, profile_of(table, "y", "target"))]


def test_whole_numbers_that_are_taken_for_classes_are_said() -> None:
    assert of_target([0, 1, 2, 3] * 40) == [
        "y has 4 different whole numbers: they are read as classes; to predict a number, say "
        "--target y:number."
    ]
    assert of_target(["0", "12 ", "-3", ""] * 40) == [
        "y has 3 different whole numbers: they are read as classes; to predict a number, say "
        "--target y:number."
    ]
    assert of_target([0, 1] * 80) == of_target(["0 a", "1 b", "2 c"] * 40) == []


def test_a_class_with_few_rows_is_said_with_their_number() -> None:
    assert of_target([0] * 997 + [1] * 3) == [
        "1 of the 2 classes of y has fewer than 10 of 1,000 rows: 1 (3); that is too few to learn "
        "or to measure, so give more rows of it, or make it one with another class."
    ]
    (sentence,) = of_target([*["a", "b"] * 40, "c", *["d "] * 3, None])
    assert sentence.startswith(
        "2 of the 4 classes of y have fewer than 10 of 84 rows: 'c' (1), 'd' (3); that is too few "
        "to learn or to measure, so give more rows of them, or make them"
    )


@pytest.mark.parametrize(
    "values", [["a", "b", "c"] * 4, [f"c{n % 30}" for n in range(90)], [n / 7 for n in range(90)]]
)
def test_classes_with_equal_shares_and_numbers_are_no_finding(values: list[Any]) -> None:
    assert of_target(values) == []


@pytest.mark.parametrize("value", ["ok", 3.5])
def test_a_target_with_a_single_value_is_said(value: Any) -> None:
    assert of_target([value] * 60) == [
        f"y is {value} in all 60 rows, so that there is nothing to predict; choose another target."
    ]
