"""Errors of numbers and signals, against hand-worked cases and scikit-learn."""

from __future__ import annotations

import numpy as np
import pytest

from elman.errors import DataError, OptionError, ShapeError
from elman.evaluation.regression import (
    error_to_signal,
    mase,
    r_squared,
    regression_scores,
    seasonal_naive_error,
    series_scores,
)


def test_a_hand_worked_case() -> None:
    scores = regression_scores([1.0, 2.0, 6.0], [2.0, 2.0, 4.0])
    # Errors −1, 0, 2; the truths' mean is 3, their squared distances from it 4, 1 and 9.
    assert scores.values == pytest.approx(
        {"mae": 1.0, "mse": 5 / 3, "rmse": (5 / 3) ** 0.5, "r2": 1 - 5 / 14}
    )
    assert (scores.main, scores.count, scores.higher_is_better) == ("rmse", 3, False)
    assert scores.details["worst"] == [
        {"row": 2, "truth": 6.0, "answer": 4.0},
        {"row": 0, "truth": 1.0, "answer": 2.0},
    ]


@pytest.mark.parametrize("shape", [(20,), (20, 3)])
def test_every_score_agrees_with_scikit_learn(shape: tuple[int, ...]) -> None:
    metrics = pytest.importorskip("sklearn.metrics")
    generator = np.random.default_rng(7)
    y, predicted = generator.normal(size=shape), generator.normal(size=shape)
    assert regression_scores(y, predicted).values == pytest.approx(
        {
            "mae": metrics.mean_absolute_error(y, predicted),
            "mse": metrics.mean_squared_error(y, predicted),
            "rmse": metrics.mean_squared_error(y, predicted) ** 0.5,
            "r2": metrics.r2_score(y, predicted),
        }
    )


def test_mase_divides_by_the_error_of_repeating_the_last_season_in_training() -> None:
    training = [1.0, 5.0, 2.0, 7.0, 4.0, 8.0]
    # Two steps apart: |2−1|, |7−5|, |4−2|, |8−7|; one step apart: 4, 3, 5, 3, 4.
    assert seasonal_naive_error([training], 2) == pytest.approx([6 / 4])
    assert seasonal_naive_error([training]) == pytest.approx([19 / 5])
    assert mase([3.0, 9.0], [4.0, 7.0], [training], 2) == pytest.approx(1.5 / 1.5)
    scores = regression_scores([3.0, 9.0], [4.0, 7.0], training=training, season=2)
    assert (scores.main, scores.value) == ("mase", pytest.approx(1.0))


def test_mase_scales_every_column_by_itself() -> None:
    training = [[0.0, 0.0], [1.0, 10.0]]
    assert mase([[0.0, 0.0]], [[2.0, 5.0]], [training]) == pytest.approx((2 / 1 + 5 / 10) / 2)


def test_no_season_reaches_from_one_training_series_into_the_next() -> None:
    assert seasonal_naive_error([[0.0, 1.0], [100.0, 103.0], [7.0]]) == pytest.approx([2.0])


def test_the_error_to_signal_ratio_is_one_of_energies() -> None:
    truths, predictions = [[3.0, 4.0], [0.0]], [[3.0, 3.0], [2.0]]
    assert error_to_signal(truths, predictions) == pytest.approx((1 + 4) / 25)


def test_pre_emphasis_weighs_changes_and_begins_each_row_at_silence() -> None:
    # Filtered by y(t) − ½ y(t−1): truth 2, 3, prediction 2, 1; a row of its own begins anew.
    truths, predictions = [[2.0, 4.0], [2.0]], [[2.0, 2.0], [2.0]]
    ratio = error_to_signal(truths, predictions, pre_emphasis=0.5)
    assert ratio == pytest.approx((0 + 4 + 0) / (4 + 9 + 4))


def test_a_series_is_scored_over_all_steps_of_all_rows() -> None:
    scores = series_scores([[1.0, 2.0], [], [4.0]], [[1.0, 4.0], [], [4.0]], pre_emphasis=0.85)
    assert scores.values["mae"] == pytest.approx(2 / 3)
    assert scores.values["error_to_signal"] == pytest.approx(4 / 21)
    assert scores.values["error_to_signal_pre_emphasised"] == pytest.approx(4 / (1 + 1.15**2 + 16))
    assert (scores.count, scores.unit, scores.main) == (3, "steps", "rmse")
    assert scores.details["worst"] == [{"row": 0, "mse": 2.0}]
    assert scores.notes == ("Pre-emphasis filters target and prediction: y(t) − 0.85 y(t − 1).",)


def test_what_is_not_defined_is_not_computed_and_it_is_said_why() -> None:
    assert r_squared([2.0, 2.0], [1.0, 2.0]) is None
    scores = regression_scores([2.0, 2.0], [1.0, 2.0], training=[5.0, 5.0])
    assert scores.values.keys() == {"mae", "mse", "rmse"}
    assert scores.reasons == [
        "R² is not computed: the true values do not vary.",
        "MASE is not computed: the seasonal naive forecast, which it is scaled by, has no error in "
        "training.",
    ]
    assert regression_scores([2.0], [1.0]).undefined == {"r2": "there is only one true value"}
    silent = series_scores([[0.0, 0.0]], [[1.0, 0.0]])
    assert "Error-to-signal ratio is not computed: every true value is 0." in silent.reasons


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
def test_predictions_that_are_not_finite_are_counted_and_nothing_is_computed_of_them(
    value: float,
) -> None:
    of_rows = regression_scores([1.0, 2.0, 3.0], [1.0, value, value])
    assert of_rows.values == {}
    assert (of_rows.main, of_rows.value, of_rows.count) == ("rmse", float("inf"), 3)
    assert set(of_rows.undefined.values()) == {"2 of 3 predicted numbers are not finite"}
    of_steps = series_scores([[1.0], [2.0]], [[value], [1.0]])
    assert set(of_steps.undefined.values()) == {"1 of 2 predicted numbers is not finite"}


def test_an_error_too_large_for_a_number_is_said_to_be_infinite() -> None:
    scores = regression_scores([1.0, 2.0], [1e300, 2.0])
    assert scores.values == {"mae": 5e299}
    assert scores.undefined.keys() == {"mse", "rmse", "r2"}
    assert "infinite" in scores.undefined["rmse"]
    assert series_scores([[1.0, 2.0]], [[1e300, 2.0]]).details["worst"] == []


def test_missing_and_mismatched_numbers_are_refused() -> None:
    with pytest.raises(DataError, match=r"truths must be numbers, got \[nan\] at index 1"):
        regression_scores([1.0, float("nan")], [1.0, 2.0])
    with pytest.raises(DataError, match=r"truths of row 0 must be numbers, got \[inf\]"):
        series_scores([[float("inf")]], [[1.0]])
    with pytest.raises(ShapeError, match="got 2 and 1"):
        regression_scores([[1.0, 2.0]], [[1.0]])
    with pytest.raises(DataError, match="got 2 true values and 1 prediction at row 0"):
        series_scores([[1.0, 2.0]], [[1.0]])
    with pytest.raises(DataError, match="nothing to score"):
        regression_scores([], [])


def test_a_season_must_fit_into_training() -> None:
    with pytest.raises(DataError, match="no training series is longer than a season of 2 steps"):
        regression_scores([1.0], [1.0], training=[1.0, 2.0], season=2)
    with pytest.raises(OptionError, match="season must be at least 1 step, got 0"):
        regression_scores([1.0], [1.0], training=[1.0, 2.0], season=0)


def test_gaps_in_training_are_left_out_of_the_seasonal_naive_error() -> None:
    training = [1.0, float("nan"), 2.0, 7.0, 4.0, 8.0]
    # Two steps apart, where neither is missing: |2−1|, |4−2|, |8−7|.
    assert seasonal_naive_error([training], 2) == pytest.approx([4 / 3])
    with pytest.raises(DataError, match="missing there that no two lie a season of 1 step apart"):
        seasonal_naive_error([[[1.0, 1.0], [float("nan"), 2.0], [3.0, 3.0]]])
