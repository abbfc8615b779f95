"""A line a column: its role, its kind and why, and what its cells are like."""

from __future__ import annotations

import math
from typing import Any

import pytest

from elman.data.numbers import with_numbers
from elman.data.table import Table
from elman.tasks.check.profile import ColumnProfile, lines_of, profile_of


def profile(values: list[Any], role: str = "input", **options: Any) -> ColumnProfile:
    table, _ = with_numbers(Table.from_columns({"x": values}, "it.csv"), likely=["x"])
    return profile_of(table, "x", role, **options)


@pytest.mark.parametrize(
    ("values", "role", "expected"),
    [
        (["1.5", "", "3"] * 20, "input", ("number", "2 different numbers", 20, 2, "1.5")),
        ([1, 2, 1] * 20, "target", ("category", "2 different whole numbers", 0, 2, "1")),
        ([math.nan, 2.5, 1.0], "input", ("number", "3 different numbers", 1, 2, "2.5")),
        ([" a", "b", "a ", " "] * 9, "input",
         ("category", "2 different names, repeated", 9, 2, "a")),
        ([True, None, False], "input", ("category", "true and false", 1, 2, "True")),
        (["one\ntwo three", "four five six"], "input",
         ("text", "strings of 3 words on average", 0, 2, "one two three")),
        (["abc", "de", "fgh"], "input",
         ("text:char", "strings of one word, most of them different", 0, 3, "abc")),
        ([None, None], "input", ("", "is empty in 2 rows, so its kind cannot be inferred",
                                 2, 0, "")),
    ],
)  # fmt: skip
def test_a_column_is_described(values: list[Any], role: str, expected: Any) -> None:
    found = profile(values, role)
    assert (found.kind, found.why, found.missing, found.distinct, found.example) == expected
    assert found.steps is None


def test_lists_are_described_by_their_elements_and_lengths() -> None:
    found = profile([[1.5, 2.5], [], None, [1.5, 3.5, 4.5]])
    assert (found.kind, found.missing, found.distinct) == ("series", 2, 4)
    assert (found.steps, found.example) == ((0, 2, 3), "[1.5, 2.5]")


def test_a_kind_that_was_given_says_so() -> None:
    found = profile(["0010", "0020"], kind="number")
    assert (found.kind, found.why) == ("number", "given")


def test_lists_beside_equally_many_steps_are_tags() -> None:
    tags = [["a", "b"], ["b", "c", "d"]] * 30
    steps = [2, 3] * 30
    assert profile(tags, "target").kind == "labels"
    assert profile(tags, "target", steps=steps).kind == "symbols"


def test_profiles_are_a_table_with_numbers_at_the_right() -> None:
    profiles = [
        ColumnProfile("a", "input", "number", "because", 1_000, 20, "1.5"),
        ColumnProfile("a name of very many letters", "left out", "", "no value", 0, None, "x" * 40),
    ]
    head, first, second = lines_of(profiles)
    assert head == f"{'column':24}  role      kind    missing  distinct  {'example':24}  why"
    assert first == f"{'a':24}  input     number    1,000        20  {'1.5':24}  because"
    assert second.split("  ")[0] == "a name of very many let…"
    assert second.endswith(f"left out  –             0         –  {'x' * 23}…  no value")


def test_of_many_columns_the_first_are_shown_and_the_others_counted() -> None:
    profiles = [ColumnProfile(f"c{n}", "input", "number", "", 0, 1, "") for n in range(1_200)]
    profiles += [ColumnProfile("id", "left out", "category", "", 0, 1, "")]
    profiles += [ColumnProfile("none", "left out", "", "", 0, 1, "")]
    lines = lines_of(profiles, 3)
    assert len(lines) == 5
    assert lines[-1] == (
        "… and 1,199 more columns: 1,197 input of kind number, 1 left out of kind category, "
        "1 left out"
    )


def test_lines_are_no_wider_than_there_is_room() -> None:
    profiles = [ColumnProfile("a", "input", "number", "because " * 9, 0, 1, "")]
    head, line = lines_of(profiles, width=60)
    assert (len(head) < 60, len(line), line[-1]) == (True, 60, "…")
