"""How well a forecast without options does, beside naive forecasts and statistical models."""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from elman.experiment import Experiment, read_experiment
from elman.networks.naive import in_words
from elman.prediction.backtest import Backtest, rolling_forecasts
from elman.prediction.forecasts import ForecastOptions
from elman.prediction.naive import naive_forecasts
from elman.runs.run import TrainedRun, machine, prepare, run_experiment
from forecast_peers import LONGEST, LONGEST_ETS, models_installed, peer_forecasts

Numbers = NDArray[np.float64]

ORIGINS = 20
"""Origins of each series that forecasts are measured from, evenly spread over the test part."""

GOAL, WORST = 0.80, 1.02
"""Geometric mean of the relative errors that is to be reached, and the greatest one allowed."""

REAL: Mapping[str, tuple[str, dict[str, Any]]] = {
    "beer": ("beer, quarters", {}),
    "yarn": ("yarn, quarters", {}),
    "unemployment": ("unemployment, quarters", {}),
    "wine": ("wine, months", {}),
    "electrical": ("electrical turnover, months", {}),
    "airline": ("air passengers, months", {"target": "value", "time": "time", "horizon": 18}),
    "sunspots": ("sunspots, months", {"target": "value", "time": "time", "horizon": 18}),
    "co2": ("CO₂, weeks", {}),
    "stock": ("a share, trading days", {}),
    "temperature": ("temperature, days", {"target": "value", "time": "time", "horizon": 14}),
    "demand": ("electricity demand, half-hours", {}),
    "etth1": ("ETTh1, OT, hours", {"target": "OT", "input": ["OT"], "time": "time", "horizon": 48}),
    "etth2": ("ETTh2, OT, hours", {"target": "OT", "input": ["OT"], "time": "time", "horizon": 48}),
}
"""Name of a set → what it is, and the data section where its recipe says more than the target."""


def _walk(random: np.random.Generator) -> Numbers:
    return random.normal(size=1_000).cumsum()


def _noise(random: np.random.Generator) -> Numbers:
    return random.normal(size=1_000)


def _constant(random: np.random.Generator) -> Numbers:
    del random
    return np.full(300, 7.0)


def _step(random: np.random.Generator) -> Numbers:
    return np.where(np.arange(500) < 250, 1.0, 5.0) + 0.01 * random.normal(size=500)


def _trend(random: np.random.Generator) -> Numbers:
    return np.arange(500) + random.normal(size=500)


def _bursts(random: np.random.Generator) -> Numbers:
    return np.where(random.random(1_000) < 0.05, random.gamma(2, 5, 1_000), 0.0)


MADE: Mapping[str, tuple[Callable[[np.random.Generator], Numbers], str]] = {
    "random walk": (_walk, "the last value"),
    "white noise": (_noise, "the mean of the window"),
    "constant": (_constant, "the last value"),
    "a step": (_step, "the last value"),
    "a trend": (_trend, "the drift"),
    "zeros with bursts": (_bursts, "the last value"),
}
"""Made series → how it is made, and the naive forecast that is right for it."""


class Measured(NamedTuple):
    """What one run is worth."""

    relative: float
    """Mean absolute error divided by that of the naive forecast that is best on validation rows."""
    coverage: float
    seconds: float
    run: TrainedRun
    backtest: Backtest
    naive: str


def page(
    *, runs: Path, sets: Sequence[str], seeds: int, panels: Sequence[Path], neural: bool = False
) -> str:
    """Train on each set with nothing said but column and horizon, and compare.

    Args:
        runs: directory for the runs, one of each set and seed.
        sets: names of `REAL`.
        seeds: how many.
        panels: long tables with columns series, hour and value, forecast 48 steps ahead.
        neural: whether networks of neuralforecast are trained beside.
    """
    lines = ["# Forecasts without options", "", *_about(seeds), ""]
    names = models_installed(neural=neural)
    heads = ["set", "steps", "horizon", "seasons", "naive", "Elman", "share kept", "coverage"]
    lines += [_cells([*heads, *names, "seconds"]), _cells(["---"] * (len(heads) + len(names) + 1))]
    ratios = []
    for name in sets:
        ratio, line = _row(name, runs, seeds, names)
        ratios.append(ratio)
        lines.append(line)
    mean = math.exp(statistics.mean(map(math.log, ratios)))
    lines += ["", f"Geometric mean {mean:.3f} (goal ≤ {GOAL:.2f}); greatest {max(ratios):.3f} "]
    lines[-1] += f"(goal ≤ {WORST:.2f})."
    lines += ["", "## Made series", "", *_made(runs, seeds)]
    for panel in panels:
        lines += ["", f"## Panel {panel.stem}", "", *_panel(panel, runs, names)]
    return "\n".join([*lines, "", f"{machine()}; one thread.", ""])


def _about(seeds: int) -> list[str]:
    return [
        "Every run is given the column, its time and the horizon, nothing else. Elman, and the "
        "models of statsforecast, and LSTM and DeepAR of neuralforecast where they were asked for, "
        "beside it: mean absolute error over up to "
        f"{ORIGINS} origins of the test part, divided by that of the naive forecast which is best "
        f"on the validation rows; below 1 is better. Elman: mean over {seeds} seeds, and standard "
        "deviation. Share kept: how much of the network's correction validation lets stand; 0 is "
        "the naive forecast itself. Coverage: of the 80 % interval. The statistical models are "
        f"fitted to the last {LONGEST:,} values before each origin, with the seasons that Elman "
        "found, missing values filled with the last one; – where a model refuses, "
        f"and for AutoETS with seasons of more than {LONGEST_ETS} steps. The networks "
        "have their own defaults, a window as long as Elman's, and learn once from what lies "
        "before the first origin. Seconds are Elman's."
    ]


def _row(name: str, runs: Path, seeds: int, models: Sequence[str]) -> tuple[float, str]:
    about, data = REAL[name]
    experiment = (
        Experiment.from_values({"data": {"name": name, **data}}, origin=name)
        if data
        else read_experiment(name)
    )
    each = [_measured(experiment, runs / f"{name}-{seed}", seed) for seed in range(1, seeds + 1)]
    one = each[0]
    feature: Any = one.run.model.task.input
    network: Any = one.run.model.network
    ratio = statistics.mean(found.relative for found in each)
    cells = [
        about,
        f"{max(map(len, one.backtest.histories)):,}",
        str(feature.horizon),
        " ".join(map(str, feature.seasons)) or "–",
        one.naive,
        _spread([found.relative for found in each]),
        f"{float(network.calibration.share):.1f}",
        f"{statistics.mean(found.coverage for found in each):.2f}",
        *_beside(one, feature.seasons, models),
        f"{statistics.mean(found.seconds for found in each):.0f}",
    ]
    return ratio, _cells(cells)


def _measured(experiment: Experiment, directory: Path, seed: int, source: Any = None) -> Measured:
    experiment = experiment.override({"seed": seed})
    run = run_experiment(experiment, directory, source=source, page=False)
    seconds = run.result.seconds
    test = prepare(experiment, source).parts.test
    assert test is not None
    model = run.model
    options = replace(ForecastOptions.of(model.experiment.forecast), stride=1)
    series = len(test)
    backtest = rolling_forecasts(
        model.task, model.network, test, options, 256, max_origins=ORIGINS * min(series, 1) * series
    )
    network: Any = model.network
    naive = in_words(network.naive_name)
    theirs = backtest.naive()[naive]
    covered = [
        ((low <= truth) & (truth <= high))[~np.isnan(truth)]
        for truth, low, high in zip(
            backtest.truths, backtest.quantiles[0.1], backtest.quantiles[0.9], strict=True
        )
    ]
    relative = _error(backtest.truths, backtest.points) / max(
        _error(backtest.truths, theirs), 1e-12
    )
    if _error(backtest.truths, theirs) == 0:
        relative = 1.0 + _error(backtest.truths, backtest.points)
    return Measured(relative, float(np.concatenate(covered).mean()), seconds, run, backtest, naive)


def _error(truths: Sequence[Numbers], forecasts: Sequence[Numbers]) -> float:
    apart = [np.abs(y - z).ravel() for y, z in zip(truths, forecasts, strict=True)]
    return float(np.nanmean(np.concatenate(apart)))


def _made(runs: Path, seeds: int) -> list[str]:
    """Compare on series for which a naive forecast is right; within 2 % of it is the goal."""
    heads = ["series", "right for it", "Elman / right", "share kept", "coverage"]
    lines = [_cells(heads), _cells(["---"] * len(heads))]
    for name, (make, right) in MADE.items():
        rows = {"t": list(range(10_000)), "y": make(np.random.default_rng(0)).tolist()}
        rows["t"] = rows["t"][: len(rows["y"])]
        data = {"target": "y", "time": "t", "horizon": 14}
        experiment = Experiment.from_values({"data": data}, origin=name)
        ratios, coverages, shares = [], [], []
        for seed in range(1, seeds + 1):
            found = _measured(experiment, runs / f"{name}-{seed}".replace(" ", "-"), seed, rows)
            back = found.backtest
            network: Any = found.run.model.network
            window = network.window
            best = naive_forecasts(back.histories, 14, [], window)[right]
            error = _error(back.truths, best)
            ours = _error(back.truths, back.points)
            ratios.append(ours / error if error else 1.0 + ours)
            coverages.append(found.coverage)
            shares.append(float(network.calibration.share))
        lines.append(
            _cells(
                [
                    name,
                    right,
                    _spread(ratios),
                    f"{statistics.mean(shares):.1f}",
                    f"{statistics.mean(coverages):.2f}",
                ]
            )
        )
    return lines


def _panel(path: Path, runs: Path, models: Sequence[str]) -> list[str]:
    """Compare on many series, the last 48 steps of which are the test."""
    import csv

    with path.open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    values: dict[str, list[float]] = {}
    for row in rows:
        values.setdefault(row["series"], []).append(float(row["value"]))
    data = {
        "target": "value",
        "time": "hour",
        "sequence_id": "series",
        "horizon": 48,
        "test_fraction": 0.01,
        "files": [str(path)],
    }
    experiment = Experiment.from_values({"data": data}, origin=path.stem)
    found = _measured(experiment, runs / path.stem, 1)
    back = found.backtest
    past = [history[:, 0] for history in back.histories]
    scales = [float(np.nanmean(np.abs(each[24:] - each[:-24]))) for each in past]

    def mase(forecasts: Sequence[Numbers]) -> float:
        errors = [
            float(np.nanmean(np.abs(y - z))) / scale
            for y, z, scale in zip(back.truths, forecasts, scales, strict=True)
        ]
        return statistics.mean(errors)

    naive = {name: mase(each) for name, each in back.naive().items()}
    lines = [f"{len(values)} series; MASE of season 24.", ""]
    heads = ["Elman", *naive, *models, "coverage", "seconds"]
    feature: Any = found.run.model.task.input
    peers = peer_forecasts(back, feature.seasons, models)
    cells = [f"{mase(back.points):.3f}", *(f"{value:.3f}" for value in naive.values())]
    cells += ["–" if name not in peers else f"{mase(peers[name]):.3f}" for name in models]
    cells += [f"{found.coverage:.2f}", f"{found.seconds:.0f}"]
    return [*lines, _cells(heads), _cells(["---"] * len(heads)), _cells(cells)]


def _beside(found: Measured, seasons: Sequence[int], models: Sequence[str]) -> list[str]:
    """Return the relative errors of the statistical models, as cells."""
    peers = peer_forecasts(found.backtest, seasons, models)
    back = found.backtest
    naive = _error(back.truths, back.naive()[found.naive])
    return [
        f"{_error(back.truths, peers[name]) / naive:.3f}" if name in peers else "–"
        for name in models
    ]


def _spread(values: Sequence[float]) -> str:
    mean = f"{statistics.mean(values):.3f}"
    return mean if len(values) < 2 else f"{mean} ± {statistics.stdev(values):.3f}"


def _cells(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"
