"""Where forecasts are good and where not, worked out by hand on a few numbers."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from elman.evaluation.forecast_details import (
    coverage_by_step,
    errors_by_step,
    ranking,
    shares_below,
)
from elman.evaluation.forecasting import forecast_scores

NAN = float("nan")


def column(*values: float) -> Any:
    """Return the values of a horizon, (H, 1)."""
    return np.array(values)[:, None]


def test_errors_of_a_step_are_averaged_over_the_forecasts_whose_value_is_known() -> None:
    truths = [column(1, 5, NAN), column(3, NAN, NAN)]
    forecasts = [column(2, 2, 9), column(0, 4, 9)]
    assert errors_by_step(truths, forecasts) == [2.0, 3.0, None]
    scales = [np.array([2.0]), np.array([4.0])]
    assert errors_by_step(truths, forecasts, scales) == [(1 / 2 + 3 / 4) / 2, 3 / 2, None]
    assert errors_by_step(truths, forecasts, [np.array([2.0]), None]) == [0.5, 1.5, None]


def test_coverage_of_a_step_counts_the_ends_and_leaves_out_what_is_missing() -> None:
    truths = [column(1, 5), column(3, NAN)]
    low, high = [column(1, 6), column(4, 0)], [column(2, 7), column(5, 9)]
    assert coverage_by_step(truths, low, high) == [0.5, 0.0]


def test_the_share_below_a_quantile_is_of_the_known_values() -> None:
    truths = [column(1, 5), column(3, NAN)]
    quantiles = {0.9: [column(4, 9), column(2, 9)], 0.1: [column(1, 0), column(0, 0)]}
    assert shares_below(truths, quantiles) == [[0.1, 1 / 3], [0.9, 2 / 3]]


def test_few_series_are_all_ranked_and_of_many_the_best_the_median_and_the_worst() -> None:
    few = ranking({"b": {"mae": 3.0}, "a": {"mae": 1.0}, "c": {}}, None, "mae")
    assert few == {
        "by": "mae",
        "of": 2,
        "rows": [
            {"series": "a", "place": "best", "model": 1.0, "naive": None},
            {"series": "b", "place": "worst", "model": 3.0, "naive": None},
        ],
    }
    scores = {name: {"mase": float(name)} for name in range(11)}
    many = ranking(scores, {name: {"mase": 5.0} for name in scores}, "mase")
    assert [(row["place"], row["series"]) for row in many["rows"]] == [
        *[("best", 0), ("best", 1), ("best", 2)],
        *[("median", 4), ("median", 5), ("median", 6)],
        *[("worst", 8), ("worst", 9), ("worst", 10)],
    ]
    assert {row["naive"] for row in many["rows"]} == {5.0}


def test_a_forecast_is_scored_by_step_beside_the_best_naive_one() -> None:
    details = forecast_scores(
        [[3.0, 8.0]],
        [[4.0, 6.0]],
        training=[[1.0, 2.0, 2.0, 4.0]],
        quantiles={0.1: [[2.0, 7.0]], 0.9: [[5.0, 7.5]]},
        naive={"last": [[4.0, 4.0]], "zero": [[0.0, 0.0]]},
    ).details
    scale = (1 + 0 + 2) / 3
    assert details["by_step"]["unit"] == "mase"
    assert details["by_step"]["model"] == pytest.approx([1 / scale, 2 / scale])
    assert details["by_step"]["naive"] == pytest.approx([1 / scale, 4 / scale])
    assert details["by_step"]["coverage"] == [1.0, 0.0]
    assert details["levels"] == [[0.1, 0.0], [0.9, 0.5]]
    assert details["by_series"]["rows"][0]["naive"] == pytest.approx(2.5 / scale)


def test_where_no_history_has_a_scale_errors_stay_in_the_unit_of_the_target() -> None:
    details = forecast_scores([[3.0, 8.0]], [[4.0, 6.0]], training=[[2.0, 2.0]]).details
    assert (details["by_step"]["unit"], details["by_step"]["model"]) == ("mae", [1.0, 2.0])
