"""What is asked where series are to be forecast: the feature of series and covariates."""

from __future__ import annotations

from typing import Any

import numpy as np

from elman.data.frequency import Frequency, infer_frequency
from elman.data.table import Table
from elman.errors import ExperimentError, counted
from elman.experiment.data import DataSpec
from elman.experiment.forecast import ForecastSpec
from elman.experiment.network import NetworkSpec
from elman.features.forecast import ForecastFeature
from elman.tasks.fitting import fit_feature

CATEGORY = "encoder-decoder"


def find_series_task(
    data: DataSpec, network: NetworkSpec, forecast: ForecastSpec, train: Table
) -> dict[str, Any]:
    """Say what is asked, and fit the feature on the training part.

    Args:
        data: which columns, the horizon, the window and the season.
        network: category and objective, which must not contradict a forecast.
        forecast: the distribution.
        train: series, a row each.

    Returns:
        The fields of a `Task`.

    Raises:
        ExperimentError: the settings contradict each other.
        DataError: a value cannot be taken; its series is named.
    """
    for name, asked, only in (
        ("category", network.category, CATEGORY),
        ("objective", network.objective, "forecast"),
    ):
        if asked not in (None, only):
            raise ExperimentError(
                f"network.{name} = {asked!r} does not suit data.horizon = {data.horizon}, which "
                f"asks for a forecast; leave it out, or say {only!r}."
            )
    for name, value, idle in (
        ("label_smoothing", network.label_smoothing, 0.0),
        ("class_weights", network.class_weights, "none"),
    ):
        if value != idle:
            raise ExperimentError(f"network.{name} has no meaning in a forecast; leave it out.")
    special = {data.time, data.sequence_id, *data.target, *data.known}
    past = [name for name in train.columns if name not in special]
    frequency = _frequency(data, train)
    season = data.season if "season" in data.model_fields_set else None
    usual = season or (1 if frequency is None else frequency.season)
    feature = ForecastFeature(
        targets=data.target,
        horizon=data.horizon,
        window=data.window or _window(data.horizon, usual, train),
        season=season,
        past=past,
        known=data.known,
        frequency=None if frequency is None else str(frequency),
        timed=data.time is not None,
        several=data.sequence_id is not None,
        counts=forecast.distribution == "negative-binomial",
    )
    columns = [*data.target, *past, *data.known]
    columns += [name for name in (data.time, data.sequence_id) if name is not None]
    fit_feature(feature, train, columns)
    return {
        "category": CATEGORY,
        "input_columns": tuple(columns),
        "target_columns": tuple(data.target),
        "input": feature,
        "target": feature,
        "objective": forecast.objective(len(data.target)),
        "sentence": _sentence(feature, forecast, len(train)),
        "notes": tuple(feature.notes),
    }


def _frequency(data: DataSpec, train: Table) -> Frequency | None:
    """Return the frequency of series that lie on a grid of one."""
    if data.frequency is not None:
        return Frequency.parse(data.frequency)
    if data.time is None:
        return None
    series = [np.asarray(each) for each in train.column(data.time)]
    offsets = np.concatenate([[0], np.cumsum([len(each) for each in series])]).astype(np.int64)
    times = np.concatenate(series)
    return infer_frequency(times, offsets, of_numbers=times.dtype.kind == "f")


def _window(horizon: int, season: int, train: Table) -> int:
    """Read two horizons back, or two seasons, if the series are that long."""
    assert train.spans is not None, "the parts of a forecast have spans"
    room = int(train.spans.stop.max()) - horizon
    return max(1, min(2 * max(horizon, season), room // 2))


def _sentence(feature: ForecastFeature, forecast: ForecastSpec, series: int) -> str:
    """Say the task in a line."""
    step = "step" if feature.steps is None or feature.steps.of_numbers else str(feature.steps)
    many = f" of {series:,} series" if feature.several else ""
    ahead = (
        f"the next {counted(feature.horizon, 'step')}, each {step}"
        if " " in step
        else (f"the next {counted(feature.horizon, step)}")
    )
    return (
        f"input: {feature.description}{many}, {counted(feature.window, 'step')} back; target: "
        f"{ahead} of {', '.join(feature.targets)}, {forecast.distribution} → {CATEGORY}"
    )
