"""What each column contributes: the bars stand where the numbers do, and the words say how."""

from __future__ import annotations

import re
from typing import Any

import pytest

from elman.report.run.column_falls import ColumnFall, ColumnFalls
from elman.report.run.importance import MOST_COLUMNS, importance_in_words, importance_tables
from elman.report.style import THEME

COLUMNS = [ColumnFall("noise", -0.01, 0.02), ColumnFall("telling", 0.34, 0.04)]


def falls(**others: Any) -> ColumnFalls:
    basics: dict[str, Any] = {
        "score": "Accuracy",
        "value": 0.92,
        "higher_is_better": True,
        "share": True,
        "columns": COLUMNS,
        "rows": 150,
        "available": 150,
    }
    return ColumnFalls(**basics | others)


def table(**others: Any) -> dict[str, Any]:
    (found,) = importance_tables([falls(**others)], THEME["gru"])
    return found


def stretch(style: Any) -> tuple[float, float]:
    """Return where a bar or a line begins and ends, in per cent."""
    left, width = map(float, re.findall(r"(?:left|width): (-?[\d.]+)%", str(style)))
    return left, left + width


def written(columns: list[ColumnFall], **others: Any) -> list[str]:
    return [row.fall for row in table(columns=columns, share=False, **others)["rows"]]


def test_the_columns_that_contribute_most_come_first() -> None:
    assert [row.column for row in table()["rows"]] == ["telling", "noise"]


def test_bars_begin_at_zero_and_lines_reach_a_standard_deviation_to_either_side() -> None:
    # The axis reaches from −0.03 to 0.38.
    found = table()
    zero = 100 * 0.03 / 0.41
    assert float(re.findall(r"[\d.]+", found["zero"])[0]) == pytest.approx(zero, abs=0.01)
    telling, noise = found["rows"]
    assert stretch(telling.bar) == pytest.approx((zero, 100 * 0.37 / 0.41), abs=0.02)
    assert stretch(telling.line) == pytest.approx((100 * 0.33 / 0.41, 100), abs=0.02)
    assert stretch(noise.bar) == pytest.approx((100 * 0.02 / 0.41, zero), abs=0.02)
    assert stretch(noise.line) == pytest.approx((0, 100 * 0.04 / 0.41), abs=0.02)
    assert "var(--gru, #0072b2)" in telling.bar


def test_shares_are_written_in_percentage_points() -> None:
    found = table()
    assert found["heading"] == "Fall of accuracy, percentage points"
    assert [row.fall for row in found["rows"]] == ["34.00 ± 4.00", "−1.00 ± 2.00"]


def test_numbers_have_the_decimals_that_suit_the_greatest() -> None:
    def columns(scale: float) -> list[ColumnFall]:
        return [
            ColumnFall("a", 0.8265 * scale, 0.0476 * scale),
            ColumnFall("b", -2e-4 * scale, 0.0),
        ]

    assert written(columns(1)) == ["0.8265 ± 0.0476", "−0.0002 ± 0.0000"]
    assert written(columns(1e6)) == ["826\u202f500 ± 47\u202f600", "−200 ± 0"]
    tiny = "8.265\N{NO-BREAK SPACE}·\N{NO-BREAK SPACE}10⁻¹³"
    assert written(columns(1e-12))[0].startswith(tiny)
    assert written([ColumnFall("a", 0.0, 0.0), ColumnFall("b", 0.0)]) == ["0 ± 0", "0"]


def test_a_fall_without_end_has_no_bar() -> None:
    endless, other = table(columns=[ColumnFall("a", float("inf")), ColumnFall("b", 0.5)])["rows"]
    assert (endless.fall, endless.bar, endless.line) == ("not computed", None, None)
    assert stretch(other.bar) == (0, 100)


def test_the_words_say_what_was_shuffled_how_often_and_on_which_rows() -> None:
    assert importance_in_words(falls()) == (
        "How far the accuracy falls when the cells of one column are shuffled among the rows, so "
        "that it says nothing about them any more. Without shuffling it is 92.00%. A bar is the "
        "mean of 5 shufflings; the line reaches one standard deviation to either side. Measured "
        "on all 150 validation rows. Columns that carry the same information share it: while one "
        "is shuffled, the network still reads the others."
    )


def test_an_error_rises_and_abbreviations_stay_as_they_are() -> None:
    error = falls(score="Root mean squared error", value=1.5, higher_is_better=False, share=False)
    assert "How far the root mean squared error rises when" in importance_in_words(error)
    assert "Without shuffling it is 1.5." in importance_in_words(error)
    (found,) = importance_tables([error], THEME["gru"])
    assert found["heading"] == "Rise of root mean squared error"
    for title in ("MASE", "R²", "F1", "BLEU-4"):
        assert f"How far the {title} falls" in importance_in_words(falls(score=title))


def test_the_words_say_why_not_all_was_measured() -> None:
    drawn = importance_in_words(falls(available=2_000))
    assert "Measured on 150 of 2\u202f000 validation rows, drawn at random. Columns" in drawn
    many = [ColumnFall(f"c{n}", 0.0) for n in range(500)]
    once = importance_in_words(falls(available=2_000, repeats=1, limited=True, columns=many))
    assert "A bar is one shuffling. Measured on 150 of 2\u202f000 validation rows" in once
    assert ", drawn at random; more would take long with 500 columns. Columns" in once


def test_of_many_columns_the_first_are_drawn_and_the_others_counted() -> None:
    many = [ColumnFall(f"c{n}", n / 100) for n in range(33)]
    found = table(columns=many)
    assert [row.column for row in found["rows"]] == [f"c{n}" for n in range(32, 2, -1)]
    assert found["explained"].endswith(
        " 3 more columns, which contribute no more than these, are not shown."
    )
    one = table(columns=many[: MOST_COLUMNS + 1])["explained"]
    assert one.endswith(" 1 more column, which contributes no more than these, is not shown.")
    assert "not shown" not in table(columns=many[:MOST_COLUMNS])["explained"]
