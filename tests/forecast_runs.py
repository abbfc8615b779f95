"""Small forecasters trained on made series, without a page, for the tests of forecasts."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from elman.models.model import Model
from elman.runs.run import run_experiment
from elman.runs.train import experiment_for
from elman.training.progress import LineProgress

Numbers = NDArray[np.float64]
SETTINGS: dict[str, Any] = {
    "time": "t",
    "target": "y",
    "horizon": 4,
    "hidden_size": 4,
    "epochs": 2,
    "forecast.folds": 0,  # one network, not five, where the folds are not the subject
}


class Trained(NamedTuple):
    """A model, and what was said while it was trained."""

    model: Model
    result: Any
    said: str


def rows_of(*series: Numbers, **columns: Any) -> dict[str, list[Any]]:
    """Lay series out, a row a step, NaN as no value; with an item where there are several."""
    several = len(series) > 1
    rows: dict[str, list[Any]] = {"t": [], "y": []} | ({"item": []} if several else {})
    for number, values in enumerate(series):
        rows["t"] += list(range(len(values)))
        rows["y"] += [None if np.isnan(value) else float(value) for value in values]
        if several:
            rows["item"] += [f"s{number}"] * len(values)
    return {**rows, **columns}


def trained(directory: Path, rows: dict[str, list[Any]], **settings: Any) -> Trained:
    given = SETTINGS | ({"sequence_id": "item"} if "item" in rows else {}) | settings
    experiment, values = experiment_for(rows, given)
    said = io.StringIO()
    run = run_experiment(
        experiment, directory, source=values, progress=LineProgress(said), page=False
    )
    return Trained(run.model, run.result, said.getvalue())


def medians(one: Trained, rows: dict[str, list[Any]], **options: Any) -> Numbers:
    """Return the medians of the forecasts from the ends of series."""
    return np.array(one.model.forecast(rows, **options)["0.5"])


def week(steps: int, seed: int = 0, noise: float = 0.3) -> Numbers:
    """A shape of seven steps, and noise."""
    random = np.random.default_rng(seed)
    shape = np.array([0.0, 1.0, 3.0, 2.0, 2.5, -2.0, -3.0])
    return np.asarray(np.resize(shape, steps) + noise * random.normal(size=steps) + 10)


def walk(steps: int, seed: int = 0) -> Numbers:
    return np.asarray(np.random.default_rng(seed).normal(size=steps).cumsum())
