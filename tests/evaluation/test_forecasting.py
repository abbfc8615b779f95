"""Scores of forecasts, worked out by hand on a few numbers."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from elman.errors import DataError, OptionError, ShapeError
from elman.evaluation.forecast_errors import coverage, smape, weighted_quantile_loss
from elman.evaluation.forecasting import (
    forecast_scores,
    scores_by_series,
)

NAN = float("nan")
TRUTH = [2.0, 4.0, 0.0, 8.0, -6.0]
PREDICTION = [3.0, 4.0, 0.0, 4.0, 6.0]
LOW = [1.0, 5.0, -1.0, 2.0, -8.0]
HIGH = [3.0, 9.0, 1.0, 8.0, -7.0]
HISTORY = [1.0, 5.0, 2.0, 7.0, 4.0, 8.0]


def test_five_numbers_by_hand() -> None:
    scores = forecast_scores(
        [TRUTH], [PREDICTION], quantiles={0.1: [LOW], 0.9: [HIGH]}, training=[HISTORY], season=2
    )
    # Absolute errors 1, 0, 0, 4, 12; two steps apart the history moves by 1, 2, 2 and 1.
    pinball_low = 0.1 * 1 + 0.9 * 1 + 0.1 * 1 + 0.1 * 6 + 0.1 * 2
    pinball_high = 0.1 * 1 + 0.1 * 5 + 0.1 * 1 + 0.1 * 0 + 0.9 * 1
    assert scores.values == pytest.approx(
        {
            "mae": 17 / 5,
            "mse": (1 + 16 + 144) / 5,
            "rmse": (161 / 5) ** 0.5,
            "smape": (2 * 1 / 5 + 0 + 0 + 2 * 4 / 12 + 2 * 12 / 12) / 5,
            "mase": (17 / 5) / (6 / 4),
            "weighted_quantile_loss": (2 * pinball_low / 20 + 2 * pinball_high / 20) / 2,
            "coverage": 3 / 5,
            "coverage_error": 0.2,
        }
    )
    assert (scores.main, scores.count, scores.unit) == ("mase", 5, "values")
    assert scores.notes == (
        "The quantile loss is the mean over the levels 0.1, 0.9.",
        "Coverage is that of the 80% interval.",
    )


def test_the_quantile_loss_of_the_median_is_the_absolute_error_over_the_truth() -> None:
    assert weighted_quantile_loss(TRUTH, {0.5: PREDICTION}) == pytest.approx(17 / 20)
    assert weighted_quantile_loss([0.0], {0.5: [1.0]}) is None


def test_the_quantile_loss_over_many_levels_comes_near_the_ranked_probability_score() -> None:
    stats = pytest.importorskip("scipy.stats")
    levels = (np.arange(500) + 0.5) / 500
    y, normal = 1.3, stats.norm(0.4, 2.0)
    z = (y - 0.4) / 2
    crps = 2 * (z * (2 * stats.norm.cdf(z) - 1) + 2 * stats.norm.pdf(z) - np.pi**-0.5)
    loss = weighted_quantile_loss([y], {float(q): [normal.ppf(q)] for q in levels})
    assert loss == pytest.approx(crps / y, rel=1e-3)


def test_the_ends_of_an_interval_are_in_it() -> None:
    assert coverage([1.0, 3.0, 3.1], [1.0, 1.0, 1.0], [3.0, 3.0, 3.0]) == pytest.approx(2 / 3)


def test_smape_of_zero_for_zero_is_no_error_and_of_anything_for_zero_the_worst() -> None:
    assert (smape([0.0], [0.0]), smape([0.0], [5.0]), smape([3.0], [-3.0])) == (0.0, 2.0, 2.0)


def test_every_forecast_is_scaled_by_its_own_history_and_counts_the_same() -> None:
    # Histories move by 1 and by 100 a step; the forecasts are wrong by 2 and by 50.
    scores = forecast_scores(
        [[5.0], [500.0, 500.0]], [[7.0], [550.0, 450.0]], training=[[1.0, 2.0], [0.0, 100.0]]
    )
    assert scores.values["mase"] == pytest.approx((2 / 1 + 50 / 100) / 2)
    assert scores.values["mae"] == pytest.approx(102 / 3)


def test_columns_are_scaled_by_themselves() -> None:
    scores = forecast_scores([[[1.0, 10.0]]], [[[3.0, 15.0]]], training=[[[0.0, 0.0], [1.0, 10.0]]])
    assert scores.values["mase"] == pytest.approx((2 / 1 + 5 / 10) / 2)
    assert scores.count == 2


def test_what_is_missing_is_left_out_and_counted() -> None:
    truth = [*TRUTH, NAN]
    scores = forecast_scores(
        [truth, [NAN]],
        [[*PREDICTION, NAN], [1e6]],
        quantiles={0.1: [[*LOW, 0.0], [NAN]], 0.9: [[*HIGH, 0.0], [NAN]]},
        training=[[1.0, NAN, 2.0, 7.0, 4.0, 8.0], [3.0, 3.0, 5.0]],
        season=2,
    )
    whole = forecast_scores(
        [TRUTH],
        [PREDICTION],
        quantiles={0.1: [LOW], 0.9: [HIGH]},
        training=[[0.0, 0.0, 1.0, 2.0, 3.0, 3.0]],
        season=2,
    )
    # With the gap the history moves by 1, 2 and 1; the other one, by 1, 2, 2 and 1, by 3/2.
    expected = whole.values | {"mase": 3.4 / (4 / 3)}
    assert scores.values == pytest.approx(expected)
    assert scores.count == 5
    assert scores.details["missing"] == 2
    assert scores.notes[0] == "2 of 7 true values are missing and left out."


def test_histories_that_scale_nothing_are_left_out_of_mase_and_counted() -> None:
    truths, predictions = [[1.0], [1.0], [1.0]], [[2.0], [9.0], [9.0]]
    scores = forecast_scores(truths, predictions, training=[[0.0, 2.0], [4.0, 4.0], [4.0]])
    assert scores.values["mase"] == pytest.approx(0.5)
    assert scores.notes == (
        "MASE leaves out 2 of 3 forecasts, whose history is no longer than a season, or the same "
        "in every season.",
    )
    none = forecast_scores(truths, predictions, training=[[4.0, 4.0]] * 3)
    assert none.main == "mae"
    assert none.undefined["mase"].startswith("no forecast has a history that is longer")


def test_without_the_ends_of_the_interval_there_is_no_coverage() -> None:
    scores = forecast_scores([[1.0]], [[1.0]], quantiles={0.1: [[0.0]], 0.5: [[1.0]]})
    assert scores.main == "weighted_quantile_loss"
    assert "coverage" not in scores.values
    assert scores.reasons[0] == (
        "Coverage is not computed: the 80% interval needs the quantiles 0.1 and 0.9."
    )
    wide = {0.05: [[0.0]], 0.95: [[2.0]]}
    scores = forecast_scores([[1.0]], [[1.0]], quantiles=wide, interval=0.9)
    assert (scores.values["coverage"], scores.notes[-1]) == (
        1.0,
        "Coverage is that of the 90% interval.",
    )


def test_forecasts_of_one_series_from_several_origins_are_scored_together() -> None:
    forecasts: dict[str, Any] = {
        "truths": [[1.0], [5.0], [2.0, NAN], [NAN]],
        "predictions": [[2.0], [5.0], [5.0, 1.0], [1.0]],
        "training": [[0.0, 2.0], [0.0, 1.0], [0.0, 2.0, 1.0], [0.0, 1.0]],
        "items": ["oslo", "bergen", "oslo", "bodø"],
    }
    series = scores_by_series(**forecasts)
    assert list(series) == ["oslo", "bergen", "bodø"]
    assert series["oslo"] == pytest.approx(
        {
            "mae": 2.0,
            "mse": 5.0,
            "rmse": 5**0.5,
            "smape": (2 / 3 + 6 / 7) / 2,
            "mase": (1 / 2 + 3 / 1.5) / 2,
        }
    )
    assert series["bergen"]["mase"] == 0
    assert series["bodø"] == {}
    details = forecast_scores(**forecasts).details
    assert details["series"] == 3
    assert details["worst"] == [{"series": "oslo", **series["oslo"]}]


def test_forecasts_that_do_not_belong_together_are_refused() -> None:
    with pytest.raises(DataError, match="got 2 true values and 1 prediction"):
        forecast_scores([[1.0], [1.0]], [[1.0]])
    with pytest.raises(ShapeError, match=r"predictions must .* \(2, 1\) at row 0, got \(1, 1\)"):
        forecast_scores([[1.0, 2.0]], [[1.0]])
    with pytest.raises(ShapeError, match=r"quantiles 0\.1 must have the shape of the truths"):
        forecast_scores([[1.0, 2.0]], [[1.0, 2.0]], quantiles={0.1: [[1.0]]})
    with pytest.raises(ShapeError, match=r"must be \(H,\) or \(H, k\), got \(\)"):
        forecast_scores([1.0], [1.0])
    with pytest.raises(DataError, match="training must have one entry per forecast, 1; got 2"):
        forecast_scores([[1.0]], [[1.0]], training=[[1.0], [2.0]])
    with pytest.raises(DataError, match="items must have one entry per forecast, 1; got 2"):
        forecast_scores([[1.0]], [[1.0]], items=["a", "b"])
    with pytest.raises(ShapeError, match="numbers a step as the truths, 1 at row 0, got 2"):
        forecast_scores([[1.0]], [[1.0]], training=[[[1.0, 2.0]]])


def test_values_that_are_not_numbers_are_refused() -> None:
    with pytest.raises(DataError, match="truths must be numbers, or NaN where missing, got inf at"):
        forecast_scores([[float("inf")]], [[1.0]])
    with pytest.raises(DataError, match="nothing to score: every true value is missing"):
        forecast_scores([[NAN]], [[1.0]])
    with pytest.raises(DataError, match="nothing to score: no row"):
        forecast_scores([], [])


@pytest.mark.parametrize("value", [NAN, float("inf"), -float("inf")])
def test_predictions_that_are_not_finite_are_counted_and_nothing_is_computed_of_them(
    value: float,
) -> None:
    scores = forecast_scores([[NAN, 1.0, 2.0]], [[NAN, value, 2.0]], training=[[1.0, 2.0]])
    assert scores.values == {}
    assert scores.value == float("inf")
    assert (
        scores.reasons[0]
        == "Mean absolute error is not computed: 1 of 2 predicted numbers is not finite."
    )


def test_levels_and_seasons_out_of_range_are_refused() -> None:
    with pytest.raises(OptionError, match="must lie between 0 and 1, got 90"):
        forecast_scores([[1.0]], [[1.0]], quantiles={90: [[1.0]]})
    with pytest.raises(OptionError, match="must lie between 0 and 1, got 80"):
        forecast_scores([[1.0]], [[1.0]], interval=80)
    with pytest.raises(OptionError, match="season must be at least 1 step, got 0"):
        forecast_scores([[1.0]], [[1.0]], training=[[1.0, 2.0]], season=0)
