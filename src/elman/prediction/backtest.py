"""Forecasts from rolling origins, beside the true values and a naive forecast."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from elman.batches.forecast_windows import Origins, origins_between, origins_spread
from elman.data.table import Table
from elman.errors import DataError, counted
from elman.evaluation.scores import Scores, score
from elman.prediction.forecasts import ForecastOptions, forecast
from elman.prediction.naive import naive_forecasts
from elman.tasks.forecast import encode_series
from elman.tasks.seasons import notes_of_logarithms
from elman.tasks.task import Task
from elman.training.progress import NoProgress, Progress

Numbers = NDArray[np.float64]


@dataclass(frozen=True)
class Backtest:
    """Forecasts of one horizon from many origins, and the true values.

    Attributes:
        origins: of the forecasts.
        truths: true values, (H, n) per forecast, NaN where missing.
        points: the forecasts' medians, or means where the median is no level.
        quantiles: level → (H, n) per forecast.
        histories: the values before each origin, (T, n).
        season: steps of a season, for MASE.
        items: the series that each forecast is of, 0 where there is only one.
        seasons: of the naive forecasts.
        window: steps that their mean and drift are taken of.
    """

    origins: Origins
    truths: list[Numbers]
    points: list[Numbers]
    quantiles: dict[float, list[Numbers]]
    histories: list[Numbers]
    season: int
    items: list[Any]
    seasons: tuple[int, ...] = ()
    window: int = 1

    def naive(self) -> dict[str, list[Numbers]]:
        """Return the naive forecasts: what each is, in words → (H, n) per forecast."""
        horizon = len(self.truths[0])
        return naive_forecasts(self.histories, horizon, self.seasons, self.window)

    def best_naive(self) -> tuple[str, list[Numbers]]:
        """Return the naive forecast with the least mean absolute error, and its values."""
        forecasts = self.naive()
        truths = np.concatenate(self.truths)
        apart = {name: np.abs(np.concatenate(each) - truths) for name, each in forecasts.items()}
        known = [name for name, each in apart.items() if not np.isnan(each).all()]
        best = min(known, key=lambda name: float(np.nanmean(apart[name])), default="the last value")
        return best, forecasts[best]

    def scores(self, main: str | None = None) -> Scores:
        """Measure the forecasts, and the naive ones beside them.

        Args:
            main: name of the score that counts; None for MASE.
        """
        scores = score(
            "forecast",
            self.truths,
            self.points,
            quantiles=self.quantiles,
            items=self.items,
            main=main,
            training=self.histories,
            season=self.season,
            naive=self.naive(),
        )
        notes = notes_of_naive(scores)
        return scores.model_copy(update={"notes": (*scores.notes, *notes)})


def notes_of_naive(scores: Scores) -> list[str]:
    """Say how naive forecasts do on the same values, the best one first."""
    naive: dict[str, dict[str, float]] = scores.details.get("naive", {})
    if not naive:
        return []
    best = scores.details["best_naive"]
    by = scores.main if scores.main in naive[best] else "mae"
    ranked = sorted(naive, key=lambda name: naive[name].get(by, math.inf))
    shown = [f"{name} {naive[name][by]:.4g}" for name in ranked if by in naive[name]]
    better = scores.details["naive_better"]
    of_series = ""
    if better["of"] > 1:
        of_series = (
            f" The best of them is better than this model for {better['series']:,} of "
            f"{better['of']:,} series."
        )
    return [
        f"{by.upper()} of naive forecasts of the same values: {', '.join(shown)}; of this model "
        f"{scores.values[by]:.4g}.{of_series}"
    ]


def rolling_forecasts(
    task: Task,
    network: Any,
    table: Table,
    options: ForecastOptions,
    batch_size: int,
    *,
    max_origins: int | None = None,
    of_each: int | None = None,
    member: int | None = None,
    progress: Progress | None = None,
) -> Backtest:
    """Forecast series from rolling origins.

    Args:
        task: with the feature.
        network: a forecaster.
        table: series, a row each, whose `spans` say which steps to forecast.
        options: of the forecast; the stride.
        batch_size: origins at a time.
        max_origins: at most so many, evenly spread from the first to the last; None for all.
        of_each: origins of each series, at most, evenly spread over its steps, whatever the
            stride; None for the stride.
        member: the one member of the network that forecasts; None for all.
        progress: where it shows how far it is; None for nowhere.

    Raises:
        DataError: no series is as long as the horizon, or a value cannot be taken.
    """
    table.require(task.input_columns)
    feature: Any = task.input
    horizon = feature.horizon
    origins = _origins_of(table, horizon, options.stride or horizon, max_origins, of_each)
    encoded = encode_series(task, table)
    if member is not None:
        origins = origins._replace(member=np.full(len(origins.step), member))
    shown = progress or NoProgress()
    with shown.task("forecasts", len(origins.step)) as bar:
        forecasts = forecast(
            network,
            feature,
            encoded,
            origins,
            horizon,
            options,
            batch_size,
            done=bar.advance,
        )
    shift, scale = np.zeros(len(feature.targets)), np.ones(len(feature.targets))
    if options.standardised:
        shift, scale = feature.means, feature.deviations
    values = map(feature.values_of, table.values(task.input_columns))
    known = [(each - shift) / scale for each in values]
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
        seasons=tuple(feature.seasons) or ((feature.season,) if feature.season > 1 else ()),
        window=feature.window,
    )


def _origins_of(
    table: Table, horizon: int, stride: int, most: int | None, of_each: int | None
) -> Origins:
    """Choose the origins of a table's forecasts; see `rolling_forecasts`."""
    if table.spans is None:
        raise DataError(f"{table.source} does not say which of its steps to forecast.")
    first, last = table.spans.start, table.spans.stop - horizon
    if of_each is None:
        origins = origins_between(first, last, stride)
    else:
        origins = origins_spread(first, last, of_each)
    if not len(origins.step):
        raise DataError(
            f"{table.source}: no series has {counted(horizon + 1, 'step')}, so none can be "
            f"forecast {horizon} ahead and compared with the true values."
        )
    if most is None or len(origins.step) <= most:
        return origins
    places = np.linspace(0, len(origins.step) - 1, most)
    return origins.take(places.round().astype(np.int64))


def backtest(
    task: Task,
    network: Any,
    table: Table,
    options: ForecastOptions,
    batch_size: int,
    *,
    of_each: int | None = None,
    member: int | None = None,
    progress: Progress | None = None,
) -> Scores:
    """Forecast series from rolling origins, and measure the forecasts.

    Arguments and errors are those of `rolling_forecasts`.
    """
    forecasts = rolling_forecasts(
        task,
        network,
        table,
        options,
        batch_size,
        of_each=of_each,
        member=member,
        progress=progress,
    )
    scores = forecasts.scores()
    horizon, count = len(forecasts.truths[0]), len(forecasts.truths)
    series = len(np.unique(forecasts.origins.series))
    of_series = f" of {series:,} series" if len(table) > 1 else ""
    notes = [f"{counted(count, 'forecast')} of {counted(horizon, 'step')} each{of_series}."]
    if of_each is not None:
        notes = [_origins_in_words(forecasts.origins, of_each, horizon)]
    if options.standardised:
        notes.append(
            "Scores are of values standardised by mean and deviation of the training data."
        )
    notes += notes_of_logarithms(task, table)
    return scores.model_copy(update={"notes": (*notes, *scores.notes)})


def _origins_in_words(origins: Origins, asked: int, horizon: int) -> str:
    """Say how many origins of how many series are measured, and whether forecasts overlap."""
    counts = np.unique(origins.series, return_counts=True)[1]
    least, most = int(counts.min()), int(counts.max())
    words = f"{counted(int(counts.sum()), 'origin')} of {len(counts):,} series"
    if len(counts) > 1:
        words += f", {most:,} of each" if least == most else f", {least:,} to {most:,} of each"
    if most < asked:
        words += f" (no series has {asked:,} steps to begin at)"
    apart = np.diff(origins.step)[np.diff(origins.series) == 0]
    overlap = len(apart) and apart.min() < horizon
    return (
        f"{words}; forecasts of {counted(horizon, 'step')}{', which overlap' if overlap else ''}."
    )
