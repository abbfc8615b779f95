"""Forecasts chosen to be looked at: with their intervals, beside what came."""

from __future__ import annotations

from typing import Any

import numpy as np

from elman.data.frequency import show_time
from elman.data.table import Table
from elman.models.model import Model
from elman.prediction.backtest import Backtest, rolling_forecasts
from elman.prediction.forecasts import ForecastOptions
from elman.report.run.facts import PredictedSeries

SHOWN = 6
"""Forecasts at least, where there are so many; each target of them is shown once."""
MOST = 12
PAST, FEWEST = 3, 20
"""Horizons of the past that are drawn before a forecast, and steps of it at least."""
ENDS = (0.1, 0.9)
"""Levels between which the interval lies."""


def forecast_examples(model: Model, table: Table) -> dict[str, Any]:
    """Choose forecasts from the first origin to the last, evenly, of one target after another.

    Args:
        model: that forecasts.
        table: series, a row each, whose spans say which steps are to be forecast.

    Returns:
        Fields of `RunFacts`.
    """
    options = ForecastOptions.of(model.experiment.forecast)
    feature: Any = model.task.input
    batch_size = model.experiment.training.batch_size
    most = min(MOST, max(SHOWN, len(feature.targets)))
    found = rolling_forecasts(model.task, model.network, table, options, batch_size, most=most)
    naive = found.naive()
    shown = []
    for place in range(len(found.truths)):
        target = place % len(feature.targets)
        low, high = (found.quantiles.get(end) for end in ENDS)
        shown.append(
            PredictedSeries(
                _title(model, table, found, place, target),
                found.truths[place][:, target],
                found.points[place][:, target],
                found.histories[place][-max(PAST * feature.horizon, FEWEST) :, target],
                naive[place][:, target],
                () if low is None else low[place][:, target],
                () if high is None else high[place][:, target],
            )
        )
    return {"series": shown, "series_said": _said(found, options)}


def _title(model: Model, table: Table, found: Backtest, place: int, target: int) -> str:
    """Say which series, which of its values, and from when."""
    feature: Any = model.task.input
    step = int(found.origins.step[place])
    parts = [f"{found.items[place]}"] if feature.several else []
    parts += [feature.targets[target]] if len(feature.targets) > 1 else []
    since = f"from step {step}"
    if feature.timed and feature.steps is not None:
        cells = table.select([int(found.origins.series[place])])
        (series,) = cells.values(model.task.input_columns)
        times = feature.steps.times(np.asarray(series[-1 - feature.several])[0], step + 1)
        since = f"from {show_time(times[step], feature.steps)}"
    return ", ".join([*parts, since])


def _said(found: Backtest, options: ForecastOptions) -> str:
    """Say which forecasts are shown, and what their lines are."""
    said = [
        "Forecasts from the first origin to the last. Step 0 is the first one ahead; before it "
        f"stands the past. Dotted: the seasonal naive forecast, which repeats {found.repeated}."
    ]
    if all(end in found.quantiles for end in ENDS):
        said.append("The band should hold 80% of what comes.")
    if options.standardised:
        said.append("Values are standardised by the training part.")
    return " ".join(said)
