"""Columns that give the target away are found, and those that do not are not."""

from __future__ import annotations

import math
import random
from itertools import accumulate
from typing import Any

import numpy as np
import pytest

from elman.data.table import Table
from elman.tasks.check.answers import (
    CURVES,
    DETERMINES,
    FILLED,
    PROBED,
    REPEATS,
    RESCALES,
    SAME,
    ties_to,
)
from elman.tasks.check.ties import coded, determines, log_of_chance

ROWS = 200
RANDOM = random.Random(3)
Y = [RANDOM.choice("ab") for _ in range(ROWS)]
NUMBERS = [RANDOM.gauss(0, 1) for _ in range(ROWS)]
CODES = [RANDOM.randrange(6) for _ in range(ROWS)]


GROWING = list(accumulate(1 + RANDOM.random() for _ in range(ROWS)))


def how(x: Any, y: Any) -> str | None:
    found = ties_to(Table.from_columns({"x": list(x), "y": list(y)}, "it"), ["x"], ["y"])
    return found[0].how if found else None


@pytest.mark.parametrize(
    ("x", "y", "tie"),
    [
        (Y, Y, SAME),
        ([f" {y.upper()} " for y in Y], Y, SAME),
        ([str(code) for code in CODES], CODES, SAME),
        ([float(code) for code in CODES], [str(code) for code in CODES], SAME),
        (NUMBERS, NUMBERS, SAME),
        ([NUMBERS[0], math.nan, *NUMBERS[2:]], NUMBERS, SAME),
        ([y == "a" for y in Y], Y, REPEATS),
        ([f"class {y}, which is one of two" for y in Y], Y, REPEATS),
        (["yes" if y == "a" else "" for y in Y], Y, REPEATS),
        ([10 * code + 3 for code in CODES], CODES, REPEATS),
        ([code if y == "a" else None for code, y in zip(CODES, Y, strict=True)], Y, FILLED),
        ([f"{y}{code}" for code, y in zip(CODES, Y, strict=True)], Y, DETERMINES),
        (CODES, ["ab"[code % 2] for code in CODES], DETERMINES),
        (CODES, [1.5 * code * code % 7 for code in CODES], REPEATS),
        ([9 / 5 * x + 32 for x in NUMBERS], NUMBERS, RESCALES),
        ([round(1.19 * x, 2) for x in (100 * n for n in range(ROWS))],
         [100.0 * n for n in range(ROWS)], RESCALES),
        ([math.log(x * x) for x in NUMBERS], [x * x for x in NUMBERS], CURVES),
        ([math.log1p(x * x) for x in NUMBERS], [x * x for x in NUMBERS], CURVES),
        ([x * x for x in NUMBERS], [math.log(x * x) for x in NUMBERS], CURVES),
        ([abs(x) for x in NUMBERS], [4.2 * abs(x) ** 3 for x in NUMBERS], CURVES),
        ([1 / abs(x) for x in NUMBERS], [abs(x) for x in NUMBERS], CURVES),
        ([[1, 2]] * ROWS, [[1, 2]] * ROWS, SAME),
        (NUMBERS, Y, None),
        (CODES, Y, None),
        ([math.inf, *NUMBERS[1:]], Y, None),
        ([x * x for x in NUMBERS], NUMBERS, None),
        (GROWING, [1.0 * n * n for n in range(ROWS)], None),
        ([*NUMBERS[1:], 1e6], [*NUMBERS[:-1], 2e6], None),
        ([x + 0.1 * RANDOM.gauss(0, 1) for x in NUMBERS], NUMBERS, None),
        (Y, ["a"] * ROWS, None),
        ([f"a text of five words {y}" for y in Y], CODES, None),
        (["constant"] * ROWS, Y, None),
        ([[1, 2]] * ROWS, [[2, 1]] * ROWS, None),
    ],
)  # fmt: skip
def test_how_a_column_is_tied_to_the_target(x: Any, y: Any, tie: str | None) -> None:
    assert how(x, y) == tie


@pytest.mark.parametrize("rows", [6, 12, 16])
def test_few_rows_may_agree_by_chance(rows: int) -> None:
    y = ["ab"[n % 2] for n in range(rows)]
    assert how([{"a": "u", "b": "v"}[each] for each in y], y) is None


def test_a_rare_class_is_repeated_only_where_chance_would_not() -> None:
    y = ["a"] * 40 + ["b"]
    assert how(["u"] * 40 + ["v"], y) is None
    y = ["a"] * 400 + ["b"] * 10
    assert how(["u"] * 400 + ["v"] * 10, y) == REPEATS


def test_texts_that_repeat_are_no_names_that_give_an_answer() -> None:
    texts = [f"please send me parcel number {n // 3} again" for n in range(ROWS)]
    assert how(texts, ["ab"[n // 3 % 2] for n in range(ROWS)]) is None


def test_rows_without_a_target_say_nothing() -> None:
    y = [*Y[:-5], *[""] * 5]
    assert how([{"a": "u", "b": "v", "": "u"}[each] for each in y], y) == REPEATS


def test_a_tie_in_a_long_table_holds_for_all_of_its_rows() -> None:
    rows = 3 * PROBED
    y = [n % 2 for n in range(rows)]
    assert how([2 * each + 1 for each in y], y) == REPEATS
    assert how([9, *[2 * each + 1 for each in y[1:]]], y) == DETERMINES
    assert how([2 * (1 - y[1]) + 1 if n == 1 else 2 * each + 1 for n, each in enumerate(y)], y) is (
        None
    )


def test_a_class_so_rare_that_a_sample_lacks_it_is_seen() -> None:
    rows = 3 * PROBED
    y = [int(n % 3 == 1 and n < 900) for n in range(rows)]
    assert how([["u", "v"][each] for each in y], y) == REPEATS


def test_the_first_target_that_a_column_gives_away_is_named() -> None:
    table = Table.from_columns({"x": Y, "n": CODES, "y": Y}, "it")
    (tie,) = ties_to(table, ["x"], ["n", "y"])
    assert (tie.column, tie.target) == ("x", "y")


def test_a_column_of_noise_is_tied_to_nothing_however_many_there_are() -> None:
    noise = np.random.default_rng(0).integers(0, 3, (200, 30))
    columns = {f"x{n}": noise[n] for n in range(200)}
    y = np.random.default_rng(1).integers(0, 2, 30)
    table = Table.from_columns({**columns, "y": y}, "it")
    assert ties_to(table, list(columns), ["y"]) == []


def test_the_probability_of_agreement_is_that_of_groups_drawn_from_all_rows() -> None:
    one, other = np.array([0, 0, 0, 1, 1, 1]), np.array([0, 0, 0, 1, 1, 1])
    assert log_of_chance(one, other) == pytest.approx(2 * math.log(2 * 0.5**3))
    one, other = np.repeat([0, 1], [400, 10]), np.repeat([0, 1], [400, 10])
    assert log_of_chance(one, other) == pytest.approx(math.log(4 / math.comb(410, 10)))


def test_codes_tell_values_apart_and_blanks_from_them() -> None:
    table = Table.from_columns({"x": ["u", " U ", "v", "", None]}, "it")
    cells = coded(table, "x")
    assert cells is not None
    assert cells.codes.tolist() == [0, 0, 1, 2, 2]
    assert cells.blanks.tolist() == [False, False, False, True, True]
    assert determines(cells.codes, np.array([5, 5, 6, 7, 7]))
    assert not determines(cells.codes, np.array([5, 6, 6, 7, 7]))
