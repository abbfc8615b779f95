"""Forecasts from rolling origins, beside what came and what a naive forecast had said."""

from __future__ import annotations

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
"""Scores of the seasonal naive forecast that are said beside those of the network."""


@dataclass(frozen=True)
class Backtest:
    """Forecasts of one horizon from many origins, and the truth.

    Attributes:
        origins: of the forecasts.
        truths: what came, (H, n) a forecast, NaN where it is not known.
        points: the forecasts' medians, or means where no median was asked for.
        quantiles: level → (H, n) a forecast.
        histories: all that was known before each origin, (T, n).
        season: steps until a series comes round.
        items: which series each forecast is of, 0 where there is one alone.
    """

    origins: Origins
    truths: list[Numbers]
    points: list[Numbers]
    quantiles: dict[float, list[Numbers]]
    histories: list[Numbers]
    season: int
    items: list[Any]

    def naive(self) -> list[Numbers]:
        """Return what the seasonal naive forecast says, (H, n) a forecast."""
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
        found = score(
            "forecast",
            self.truths,
            self.points,
            quantiles=self.quantiles,
            items=self.items,
            main=main,
            **facts,
        )
        plain = self.naive()
        both = [
            np.where(np.isnan(guess), np.nan, truth)
            for truth, guess in zip(self.truths, plain, strict=True)
        ]
        if all(np.isnan(each).all() for each in both):
            return found
        beside = score("forecast", both, plain, items=self.items, **facts).values
        said = ", ".join(f"{name.upper()} {beside[name]:.3g}" for name in _SHOWN if name in beside)
        note = f"Of the seasonal naive forecast, which repeats {self.repeated}: {said}."
        details = {**found.details, "seasonal_naive": beside}
        return found.model_copy(update={"details": details, "notes": (*found.notes, note)})


def rolling_forecasts(
    task: Task,
    network: Any,
    table: Table,
    options: ForecastOptions,
    batch_size: int,
    *,
    most: int | None = None,
) -> Backtest:
    """Forecast series from rolling origins.

    Args:
        task: with the feature.
        network: a forecaster.
        table: series, a row each, whose `spans` say which steps are to be forecast.
        options: of the forecast; the stride.
        batch_size: origins at a time.
        most: origins at most, evenly chosen from the first to the last; None for all.

    Raises:
        DataError: no series is as long as the horizon, or a value cannot be taken.
    """
    table.require(task.input_columns)
    feature: Any = task.input
    horizon = feature.horizon
    if table.spans is None:
        raise DataError(f"{table.source} does not say which of its steps are to be forecast.")
    encoded = encode_series(task, table)
    stride = options.stride or horizon
    origins = origins_between(table.spans.start, table.spans.stop - horizon, stride)
    if not len(origins.step):
        raise DataError(
            f"{table.source}: no series has {counted(horizon + 1, 'step')}, so none can be "
            f"forecast {horizon} ahead and compared with what came."
        )
    if most is not None and most < len(origins.step):
        origins = origins.take(np.linspace(0, len(origins.step) - 1, most).round().astype(np.int64))
    found = forecast(network, feature, encoded, origins, horizon, options, batch_size)
    shift, scale = np.zeros(len(feature.targets)), np.ones(len(feature.targets))
    if options.standardised:
        shift, scale = feature.means, feature.deviations
    known = [(each[:, : len(feature.targets)].double().numpy() - shift) / scale for each in encoded]
    places = list(zip(origins.series.tolist(), origins.step.tolist(), strict=True))
    quantiles = {q: list((its - shift) / scale) for q, its in found.quantiles.items()}
    names = list(table.column(task.input_columns[-1])) if feature.several else [0] * len(known)
    return Backtest(
        origins,
        truths=[known[row][step : step + horizon] for row, step in places],
        points=quantiles.get(0.5) or list((found.mean - shift) / scale),
        quantiles=quantiles,
        histories=[known[row][:step] for row, step in places],
        season=feature.season,
        items=[names[row] for row, _ in places],
    )


def seasonal_naive(history: Numbers, horizon: int, season: int = 1) -> Numbers:
    """Forecast that every step ahead is as the same step of the season before, (H, n).

    Where that value is missing, it is that of the season before it, and so on; where there is none
    in any season, the last known value; NaN in a column of which nothing is known.

    Args:
        history: in the order of time, (T, n), NaN where a value is missing.
        horizon: H, steps ahead.
        season: steps until the series comes round.

    Source: Hyndman and Athanasopoulos 2021, Forecasting: Principles and Practice, 3rd ed., §5.2.

    >>> seasonal_naive(np.array([[1.0], [2.0], [3.0], [4.0]]), horizon=3, season=2).ravel().tolist()
    [3.0, 4.0, 3.0]
    """
    found = np.full((horizon, history.shape[1]), np.nan)
    place = len(history) - season + np.arange(horizon) % season
    while (place >= 0).any():
        before = history[place.clip(0)]
        found = np.where(np.isnan(found) & (place >= 0)[:, None], before, found)
        if not np.isnan(found).any():
            return found
        place = place - season
    for column, values in enumerate(history.T):
        observed = np.flatnonzero(~np.isnan(values))
        if len(observed):
            gaps = np.isnan(found[:, column])
            found[gaps, column] = values[observed[-1]]
    return found


def backtest(
    task: Task,
    network: Any,
    table: Table,
    options: ForecastOptions,
    batch_size: int,
) -> Scores:
    """Forecast series from rolling origins, and measure what came of it.

    Arguments and errors are those of `rolling_forecasts`.
    """
    found = rolling_forecasts(task, network, table, options, batch_size)
    measured = found.scores()
    horizon = len(found.truths[0])
    said = [f"{counted(len(found.truths), 'forecast')} of {counted(horizon, 'step')} each."]
    if options.standardised:
        said.append("Scores are of values standardised by the training part.")
    return measured.model_copy(update={"notes": (*said, *measured.notes)})
