"""Sequences of very unlike lengths are said, with what cuts them."""

from __future__ import annotations

from typing import Any

import pytest

from elman.data.table import Table
from elman.tasks.check.lengths import findings_of_lengths
from elman.tasks.check.profile import profile_of


def said(values: list[Any], role: str = "input") -> list[str]:
    table = Table.from_columns({"x": values}, "it")
    profile = profile_of(table, "x", role)
    return [finding.sentence for finding in findings_of_lengths(table, profile)]


def test_lists_from_one_to_many_thousand_steps_are_said_with_their_quantiles() -> None:
    values = [[0.5] * (1 + n) for n in range(99)] + [[0.5] * 48_000]
    assert said(values) == [
        "x has from 1 to 48,000 steps, 51 in the median and at most 96 in 95 % of the rows, so "
        "that few rows take most of the time; to let gradients flow through at most 500 steps, say "
        "--set chunk_length=500; to read a long series in windows, --window 500."
    ]


def test_long_texts_among_short_ones_are_said_with_the_option_that_cuts_them() -> None:
    words = [" ".join(["good", "bad", str(n)] * (1 + n % 9)) for n in range(99)]
    assert said([*words, "word " * 5_000]) == [
        "x has from 3 to 5,000 words, 15 in the median and at most 27 in 95 % of the rows, so that "
        "few rows take most of the time; to read at most 27 words of each text, say --set "
        "data.columns.x.max_length=27."
    ]


@pytest.mark.parametrize(
    "values",
    [
        [[0.5] * 48_000] * 20,
        [[0.5] * (1 + n) for n in range(99)],
        [[0.5] * (500 + 9 * n) for n in range(99)],
        [n % 7 for n in range(99)],
        ["short", "words"] * 40,
    ],
)
def test_lengths_that_are_alike_or_small_are_no_finding(values: list[Any]) -> None:
    assert said(values) == []
