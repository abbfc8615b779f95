"""Forecasts from rolling origins: the seasonal naive one by hand, and both beside what came."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest

from elman.batches.forecast_windows import Origins
from elman.prediction.backtest import Backtest, rolling_forecasts
from elman.prediction.forecasts import ForecastOptions
from elman.prediction.naive import naive_forecasts, seasonal_naive
from elman.runs.train import train
from elman.tasks.layout import layout_of
from elman.training.progress import LineProgress

NAN = float("nan")


def naive(history: list[float], horizon: int, season: int) -> list[float]:
    found: list[float] = seasonal_naive(np.array(history)[:, None], horizon, season)[:, 0].tolist()
    return found


def test_the_naive_forecast_repeats_the_season_before() -> None:
    assert naive([9, 1, 2, 3], 7, 3) == [1, 2, 3, 1, 2, 3, 1]
    assert naive([1, 2, 5], 2, 1) == [5, 5]


def test_where_a_value_is_missing_an_earlier_season_is_repeated() -> None:
    assert naive([1, 2, 3, NAN, 5, 6], 3, 3) == [1, 5, 6]


def test_without_a_value_in_any_season_the_last_known_one_is_repeated() -> None:
    assert naive([NAN, 2, 3, NAN, 5, 6], 3, 3) == [6, 5, 6]
    assert naive([4, 7], 4, 3) == [7, 4, 7, 7]


def test_columns_are_forecast_each_by_itself_and_nothing_where_nothing_is_known() -> None:
    history = np.array([[1.0, NAN], [2.0, NAN]])
    assert seasonal_naive(history, 2, 2)[:, 0].tolist() == [1, 2]
    assert np.isnan(seasonal_naive(history, 2, 2)[:, 1]).all()


def test_the_naive_forecast_is_scored_on_the_values_that_the_network_is_scored_on() -> None:
    found = Backtest(
        Origins(np.array([0]), np.array([4])),
        truths=[np.array([[3.0], [NAN], [8.0]])],
        points=[np.array([[4.0], [5.0], [6.0]])],
        quantiles={},
        histories=[np.array([[1.0], [2.0], [2.0], [4.0]])],
        season=2,
        items=[0],
        seasons=(2,),
        window=4,
    )
    scores = found.scores()
    # In its history repeating two steps before errs by 1 and 2; ahead it says 2, 4 and 2.
    assert scores.values["mase"] == pytest.approx((1 + 2) / 2 / 1.5)
    naive = scores.details["naive"]
    assert naive["the value 2 steps before"]["mase"] == pytest.approx((1 + 6) / 2 / 1.5)
    assert naive["the last value"]["mae"] == pytest.approx((1 + 4) / 2)
    assert naive["the mean of the window"]["mae"] == pytest.approx((0.75 + 5.75) / 2)
    assert naive["the drift"]["mae"] == pytest.approx((2 + 1) / 2)
    assert scores.details["best_naive"] == "the drift"
    assert scores.notes[-1] == (
        "MASE of naive forecasts of the same values: the drift 1, the last value 1.667, the mean "
        "of the window 2.167, the value 2 steps before 2.333; of this model 1."
    )


def test_the_mean_and_the_drift_are_those_of_the_window() -> None:
    history = np.array([[90.0], [2.0], [NAN], [6.0]])
    found = naive_forecasts([history], 2, [], 3).values()
    last, mean, drift = (each[0].ravel().tolist() for each in found)
    assert (last, mean, drift) == ([6, 6], [4, 4], [8, 10])


def test_a_naive_forecast_that_knows_nothing_is_left_out() -> None:
    found = Backtest(
        Origins(np.array([0]), np.array([1])),
        truths=[np.array([[3.0]])],
        points=[np.array([[4.0]])],
        quantiles={},
        histories=[np.array([[NAN]])],
        season=1,
        items=[0],
    )
    assert "naive" not in found.scores().details


def test_a_few_origins_are_chosen_from_the_first_to_the_last(tmp_path: Path) -> None:
    steps = list(range(60))
    rows = {"t": steps, "y": [float(step % 7) for step in steps]}
    settings = {"horizon": 3, "epochs": 1, "hidden_size": 2}
    model = train(rows, out=tmp_path / "run", time="t", target="y", **settings)
    parts = layout_of(model.experiment.data).parts(1, rows)
    assert parts.test is not None
    options = ForecastOptions(samples=5, stride=1)
    found = [
        rolling_forecasts(model.task, model.network, parts.test, options, 8, max_origins=most)
        for most in (None, 2)
    ]
    every, few = (each.origins.step.tolist() for each in found)
    assert every == list(range(54, 58))
    assert few == [54, 57]
    spread = rolling_forecasts(model.task, model.network, parts.test, options, 8, of_each=3)
    assert spread.origins.step.tolist() == [54, 56, 57]
    assert [history[-1, 0] for history in found[1].histories] == [53 % 7, 56 % 7]
    assert found[1].truths[0].ravel().tolist() == [54 % 7, 55 % 7, 56 % 7]


def test_progress_counts_the_origins(tmp_path: Path) -> None:
    rows = {"t": list(range(90)), "y": [float(step % 7) for step in range(90)]}
    settings = {"time": "t", "target": "y", "horizon": 3, "hidden_size": 2, "epochs": 1}
    settings |= {"forecast.folds": 0}
    model = train(rows, out=tmp_path / "run", **settings)
    stream = io.StringIO()
    scores = model.scores(rows, origins=4, progress=LineProgress(stream, every=1e9))
    assert scores.notes[0].startswith("4 origins")
    assert stream.getvalue() == "forecasts: 4/4\n"
