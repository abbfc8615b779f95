"""Forecasts chosen to be shown: with their intervals, beside the true values."""

from __future__ import annotations

from typing import Any

import numpy as np

from elman.data.frequency import show_time
from elman.data.grids import continued
from elman.data.table import Table
from elman.models.model import Model
from elman.prediction.backtest import Backtest, rolling_forecasts
from elman.prediction.forecasts import ForecastOptions
from elman.report.run.facts import PredictedSeries

SHOWN = 6
"""Minimum number of forecasts, if there are so many; each shows one target."""
MOST = 12
"""Maximum number of forecasts."""
PAST, FEWEST = 3, 20
"""Horizons of the past that are shown before a forecast, and its minimum number of steps."""
ENDS = (0.1, 0.9)
"""Levels between which the interval lies."""


def forecast_examples(model: Model, table: Table) -> dict[str, Any]:
    """Choose forecasts from evenly spread origins, of one target after another.

    Args:
        model: that forecasts.
        table: series, a row each, whose spans say which steps to forecast.

    Returns:
        Fields of `RunFacts`.
    """
    options = ForecastOptions.of(model.experiment.forecast)
    feature: Any = model.task.input
    batch_size = model.experiment.training.batch_size
    most = min(MOST, max(SHOWN, len(feature.targets)))
    backtest = rolling_forecasts(
        model.task, model.network, table, options, batch_size, max_origins=most
    )
    name, naive = backtest.best_naive()
    shown = []
    for place in range(len(backtest.truths)):
        target = place % len(feature.targets)
        low, high = (backtest.quantiles.get(end) for end in ENDS)
        shown.append(
            PredictedSeries(
                _title(model, table, backtest, place, target),
                backtest.truths[place][:, target],
                backtest.points[place][:, target],
                backtest.histories[place][-max(PAST * feature.horizon, FEWEST) :, target],
                naive[place][:, target],
                () if low is None else low[place][:, target],
                () if high is None else high[place][:, target],
            )
        )
    return {"series": shown, "series_note": _note(backtest, options, name)}


def _title(model: Model, table: Table, backtest: Backtest, place: int, target: int) -> str:
    """Name the series, the target, and the first step of a forecast."""
    feature: Any = model.task.input
    step = int(backtest.origins.step[place])
    parts = [f"{backtest.items[place]}"] if feature.several else []
    parts += [feature.targets[target]] if len(feature.targets) > 1 else []
    start = f"from step {step}"
    if feature.timed and feature.steps is not None:
        cells = table.select([int(backtest.origins.series[place])])
        (series,) = cells.values(model.task.input_columns)
        times = np.asarray(series[-1 - feature.several])
        first = continued(times, feature.steps, feature.time_zone, step + 1)[step]
        start = f"from {show_time(np.atleast_1d(first)[-1], feature.steps)}"
    return ", ".join([*parts, start])


def _note(backtest: Backtest, options: ForecastOptions, naive: str) -> str:
    """Say which forecasts are shown, and what their lines are."""
    sentences = [
        "Forecasts from evenly spread origins. Step 0 is the first step ahead; before it lies the "
        f"past. Dotted: a naive forecast, {naive}."
    ]
    if all(end in backtest.quantiles for end in ENDS):
        sentences.append("The band is the 80% interval of the forecast.")
    if options.standardised:
        sentences.append("Values are standardised by mean and deviation of the training data.")
    return " ".join(sentences)
