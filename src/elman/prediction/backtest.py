"""Forecasts from rolling origins, beside the true values and a naive forecast."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from elman.batches.forecast_windows import Origins, origins_between
from elman.data.table import Table
from elman.errors import DataError, counted
from elman.evaluation.scores import Scores, score
from elman.prediction.forecasts import ForecastOptions, forecast
from elman.tasks.forecast import encode_series
from elman.tasks.task import Task

Numbers = NDArray[np.float64]

_SHOWN = ("mase", "mae", "mse")
"""Scores of the seasonal naive forecast that are printed beside those of the network."""


@dataclass(frozen=True)
class Backtest:
    """Forecasts of one horizon from many origins, and the true values.

    Attributes:
        origins: of the forecasts.
        truths: true values, (H, n) per forecast, NaN where missing.
        points: the forecasts' medians, or means where the median is no level.
        quantiles: level → (H, n) per forecast.
        histories: the values before each origin, (T, n).
        season: steps of a season.
        items: the series that each forecast is of, 0 where there is only one.
    """

    origins: Origins
    truths: list[Numbers]
    points: list[Numbers]
    quantiles: dict[float, list[Numbers]]
    histories: list[Numbers]
    season: int
    items: list[Any]

    def naive(self) -> list[Numbers]:
        """Return the seasonal naive forecasts, (H, n) each."""
        return [
            seasonal_naive(history, len(truth), self.season)
            for history, truth in zip(self.histories, self.truths, strict=True)
        ]

    @property
    def repeated(self) -> str:
        """What the seasonal naive forecast repeats, in words."""
        return "the last value" if self.season == 1 else f"the value of {self.season} steps before"

    def scores(self, main: str | None = None) -> Scores:
        """Measure the forecasts, and the seasonal naive one beside them.

        Args:
            main: name of the score that counts; None for MASE.
        """
        facts: dict[str, Any] = {"training": self.histories, "season": self.season}
        scores = score(
            "forecast",
            self.truths,
            self.points,
            quantiles=self.quantiles,
            items=self.items,
            main=main,
            **facts,
        )
        naive = self.naive()
        known = [
            np.where(np.isnan(values), np.nan, truth)
            for truth, values in zip(self.truths, naive, strict=True)
        ]
        if all(np.isnan(truth).all() for truth in known):
            return scores
        baseline = score("forecast", known, naive, items=self.items, **facts).values
        shown = [f"{name.upper()} {baseline[name]:.3g}" for name in _SHOWN if name in baseline]
        better = baseline.get(scores.main, math.inf) < scores.value
        verdict = ", is better than this model" if better and not scores.higher_is_better else ""
        naive_one = f"The seasonal naive forecast, which repeats {self.repeated}{verdict}"
        note = f"{naive_one}: {', '.join(shown)}."
        details = {**scores.details, "seasonal_naive": baseline}
        return scores.model_copy(update={"details": details, "notes": (*scores.notes, note)})


def rolling_forecasts(
    task: Task,
    network: Any,
    table: Table,
    options: ForecastOptions,
    batch_size: int,
    *,
    max_origins: int | None = None,
) -> Backtest:
    """Forecast series from rolling origins.

    Args:
        task: with the feature.
        network: a forecaster.
        table: series, a row each, whose `spans` say which steps to forecast.
        options: of the forecast; the stride.
        batch_size: origins at a time.
        max_origins: at most so many, evenly spread from the first to the last; None for all.

    Raises:
        DataError: no series is as long as the horizon, or a value cannot be taken.
    """
    table.require(task.input_columns)
    feature: Any = task.input
    horizon = feature.horizon
    if table.spans is None:
        raise DataError(f"{table.source} does not say which of its steps to forecast.")
    encoded = encode_series(task, table)
    stride = options.stride or horizon
    origins = origins_between(table.spans.start, table.spans.stop - horizon, stride)
    if not len(origins.step):
        raise DataError(
            f"{table.source}: no series has {counted(horizon + 1, 'step')}, so none can be "
            f"forecast {horizon} ahead and compared with the true values."
        )
    if max_origins is not None and max_origins < len(origins.step):
        places = np.linspace(0, len(origins.step) - 1, max_origins)
        origins = origins.take(places.round().astype(np.int64))
    forecasts = forecast(network, feature, encoded, origins, horizon, options, batch_size)
    shift, scale = np.zeros(len(feature.targets)), np.ones(len(feature.targets))
    if options.standardised:
        shift, scale = feature.means, feature.deviations
    known = [(each[:, : len(feature.targets)].double().numpy() - shift) / scale for each in encoded]
    starts = list(zip(origins.series.tolist(), origins.step.tolist(), strict=True))
    quantiles = {q: list((values - shift) / scale) for q, values in forecasts.quantiles.items()}
    names = list(table.column(task.input_columns[-1])) if feature.several else [0] * len(known)
    return Backtest(
        origins,
        truths=[known[row][step : step + horizon] for row, step in starts],
        points=quantiles.get(0.5) or list((forecasts.mean - shift) / scale),
        quantiles=quantiles,
        histories=[known[row][:step] for row, step in starts],
        season=feature.season,
        items=[names[row] for row, _ in starts],
    )


def seasonal_naive(history: Numbers, horizon: int, season: int = 1) -> Numbers:
    """Repeat for every step ahead the value one season before, (H, n).

    Where that value is missing, the one a season earlier is taken, and so on; where all are
    missing, the last known value; NaN in a column without values.

    Args:
        history: in the order of time, (T, n), NaN where a value is missing.
        horizon: H, steps ahead.
        season: steps of a season.

    Source: Hyndman and Athanasopoulos 2021, Forecasting: Principles and Practice, 3rd ed., §5.2.

    >>> seasonal_naive(np.array([[1.0], [2.0], [3.0], [4.0]]), horizon=3, season=2).ravel().tolist()
    [3.0, 4.0, 3.0]
    """
    naive = np.full((horizon, history.shape[1]), np.nan)
    place = len(history) - season + np.arange(horizon) % season
    while (place >= 0).any():
        before = history[place.clip(0)]
        naive = np.where(np.isnan(naive) & (place >= 0)[:, None], before, naive)
        if not np.isnan(naive).any():
            return naive
        place = place - season
    for column, values in enumerate(history.T):
        observed = np.flatnonzero(~np.isnan(values))
        if len(observed):
            gaps = np.isnan(naive[:, column])
            naive[gaps, column] = values[observed[-1]]
    return naive


def backtest(
    task: Task,
    network: Any,
    table: Table,
    options: ForecastOptions,
    batch_size: int,
) -> Scores:
    """Forecast series from rolling origins, and measure the forecasts.

    Arguments and errors are those of `rolling_forecasts`.
    """
    forecasts = rolling_forecasts(task, network, table, options, batch_size)
    scores = forecasts.scores()
    horizon = len(forecasts.truths[0])
    notes = [f"{counted(len(forecasts.truths), 'forecast')} of {counted(horizon, 'step')} each."]
    if options.standardised:
        notes.append(
            "Scores are of values standardised by mean and deviation of the training data."
        )
    return scores.model_copy(update={"notes": (*notes, *scores.notes)})
