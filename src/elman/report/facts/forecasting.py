"""Forecasts chosen to be shown: with their intervals, beside the true values, and of the future."""

from __future__ import annotations

from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from elman.data.frequency import show_time
from elman.data.grids import continued
from elman.data.table import Table
from elman.errors import DataError
from elman.evaluation.measures import Scores, measure_of
from elman.models.model import Model
from elman.prediction.backtest import Backtest, rolling_forecasts
from elman.prediction.forecasts import ForecastOptions, forecast_ends, with_quantiles
from elman.report.run.facts import PredictedSeries
from elman.report.run.findings import number_text

SHOWN = 6
"""Minimum number of forecasts, if there are so many; each shows one target."""
MOST = 12
"""Maximum number of forecasts."""
OF_EACH = 2
"""Forecasts of each series, where the best, the median and the worst one are shown."""
PAST, FEWEST = 3, 20
"""Horizons of the past that are shown before a forecast, and its minimum number of steps."""
ENDS = (0.1, 0.9)
"""Levels between which the interval lies."""


def forecast_examples(model: Model, table: Table, scores: Scores) -> dict[str, Any]:
    """Choose forecasts: of the best, the median and the worst series, or of the only one.

    Only these series are forecast again; how good all others are the scores say.

    Args:
        model: that forecasts.
        table: series, a row each, whose spans say which steps to forecast.
        scores: of all of them.

    Returns:
        Fields of `RunFacts`.
    """
    chosen, headings = _chosen(model, table, scores)
    options = ForecastOptions.of(model.experiment.forecast)
    feature: Any = model.task.input
    most = min(MOST, max(SHOWN, len(feature.targets)))
    backtest = rolling_forecasts(
        model.task,
        model.network,
        chosen,
        options,
        model.experiment.training.batch_size,
        max_origins=most if len(chosen) == 1 else None,
        of_each=OF_EACH if len(chosen) > 1 else None,
    )
    name = scores.details.get("best_naive") or backtest.best_naive()[0]
    naive = backtest.naive()[name]
    shown = []
    for place in range(len(backtest.truths)):
        target = place % len(feature.targets)
        row, step = int(backtest.origins.series[place]), int(backtest.origins.step[place])
        low, high = (backtest.quantiles.get(end) for end in ENDS)
        past = backtest.histories[place][-max(PAST * feature.horizon, FEWEST) :, target]
        shown.append(
            PredictedSeries(
                _title(headings[row], model, chosen, row, step, target),
                backtest.truths[place][:, target],
                backtest.points[place][:, target],
                past,
                naive[place][:, target],
                () if low is None else low[place][:, target],
                () if high is None else high[place][:, target],
                _times(model, chosen, row, step + feature.horizon)[step - len(past) :],
            )
        )
    note = _note(backtest, options, name, timed=feature.timed, all_of=len(chosen) == len(table))
    return {"series": shown, "series_note": note, "ahead": _ahead(model, chosen)}


def _chosen(model: Model, table: Table, scores: Scores) -> tuple[Table, list[str]]:
    """Return the series to show, and what each is called."""
    feature: Any = model.task.input
    if not feature.several:
        return table, [""] * len(table)
    items = list(table.column(model.task.input_columns[-1]))
    ranked = scores.details.get("by_series", {"rows": []})
    placed: dict[str, list[dict[str, Any]]] = {}
    for row in ranked["rows"]:
        if row["series"] in items:
            placed.setdefault(row["place"], []).append(row)
    picked = {"best": 0, "median": len(placed.get("median", ())) // 2, "worst": -1}
    rows, headings = [], []
    for place, which in picked.items():
        if place in placed:
            row = placed[place][which]
            rows.append(items.index(row["series"]))
            title = measure_of(ranked["by"]).title
            beside = "" if row["naive"] is None else f", naive {number_text(row['naive'])}"
            score = f"{title} {number_text(row['model'])}{beside}"
            headings.append(f"The {place} series, {row['series']} ({score})")
    if not rows:
        rows = list(range(min(len(picked), len(table))))
        headings = [f"{items[row]}" for row in rows]
    return table.select(rows), headings


def _title(heading: str, model: Model, table: Table, row: int, step: int, target: int) -> str:
    """Name the series, the target, and the first step of a forecast."""
    feature: Any = model.task.input
    parts = [heading] if heading else []
    parts += [feature.targets[target]] if len(feature.targets) > 1 else []
    start = f"from step {step}"
    if feature.timed and feature.steps is not None:
        first = _cells_of_times(model, table, row, step + 1)[step]
        start = f"from {show_time(np.atleast_1d(first)[-1], feature.steps)}"
    return ", ".join([*parts, start])


def _cells_of_times(model: Model, table: Table, row: int, count: int) -> NDArray[Any]:
    """Return the times of the first steps of a series, those after its end too."""
    feature: Any = model.task.input
    (series,) = table.select([row]).values(model.task.input_columns)
    times = np.asarray(series[-1 - feature.several])
    return continued(times, feature.steps, feature.time_zone, count)


def _times(model: Model, table: Table, row: int, count: int) -> NDArray[Any]:
    """Return the times of the first steps of a series: dates, or numbers; none without times."""
    feature: Any = model.task.input
    if not feature.timed or feature.steps is None:
        return np.empty(0)
    times = _cells_of_times(model, table, row, count)
    return times if times.ndim == 1 else times[:, -1].astype("datetime64[us]")


def _ahead(model: Model, table: Table) -> list[PredictedSeries]:
    """Forecast what comes after the last known value of some series, the first target of each.

    Nothing is shown where a covariate that has to be known of these steps is not there.
    """
    spec, feature = model.experiment.forecast, cast(Any, model.task.input)
    options = ForecastOptions.of(spec)
    learned = (0.5,) if spec.distribution == "point" else spec.levels or (0.0, 1.0)
    levels = [level for level in (ENDS[0], 0.5, ENDS[1]) if learned[0] <= level <= learned[-1]]
    try:
        columns = forecast_ends(
            model.task,
            model.network,
            table,
            feature.horizon,
            with_quantiles(options, levels, 1),
            model.experiment.training.batch_size,
        )
    except DataError:
        return []
    return [_next(model, table, row, columns) for row in range(len(table))]


def _next(model: Model, table: Table, row: int, columns: dict[str, list[Any]]) -> PredictedSeries:
    """Return the forecast from the end of a series, with its past.

    Args:
        model: that forecasts.
        table: series, a row each.
        row: of the series.
        columns: of the forecasts of all series, one after the other.
    """
    feature: Any = model.task.input
    horizon, target = feature.horizon, feature.targets[0]
    before = f"{target} " if len(feature.targets) > 1 else ""
    of_row = slice(row * horizon, (row + 1) * horizon)
    values = np.stack([np.asarray(table.column(name)[row], np.float64) for name in feature.targets])
    steps = int(np.flatnonzero(~np.isnan(values).all(0))[-1]) + 1
    past = values[0, max(0, steps - max(PAST * horizon, FEWEST)) : steps]
    low, high = (columns.get(f"{before}{end:g}", [])[of_row] for end in ENDS)
    heading = f"{table.column(model.task.input_columns[-1])[row]}" if feature.several else ""
    return PredictedSeries(
        _title(heading or ("" if before else target), model, table, row, steps, 0),
        truth=(),
        prediction=columns[f"{before}0.5"][of_row],
        past=past,
        low=low,
        high=high,
        times=_times(model, table, row, steps + horizon)[steps - len(past) :],
    )


def _note(
    backtest: Backtest, options: ForecastOptions, naive: str, *, timed: bool, all_of: bool
) -> str:
    """Say which forecasts are shown, and what their lines are."""
    which = "evenly spread origins" if all_of else "the first and the last origin of each series"
    begin = "The line marks the first step ahead" if timed else "Step 0 is the first step ahead"
    sentences = [
        f"Forecasts from {which}. {begin}; before it lies the past. Dotted: a naive forecast, "
        f"{naive}."
    ]
    if all(end in backtest.quantiles for end in ENDS):
        sentences.append("The band is the 80% interval of the forecast.")
    if options.standardised:
        sentences.append("Values are standardised by mean and deviation of the training data.")
    return " ".join(sentences)
