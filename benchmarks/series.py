"""How well a run without options answers about series, beside the nearest training series."""

from __future__ import annotations

import os
import statistics
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from elman.experiment import Experiment
from elman.runs.run import TrainedRun, machine, run_experiment
from elman.training.progress import progress_on_stderr

Series = list[NDArray[np.float64]]
Columns = dict[str, list[Any]]

RESAMPLED = 100
"""Steps to which series of unequal lengths are resampled for the Euclidean distance."""


class Goal(NamedTuple):
    """A set of the archive, and the mean accuracy that is to be reached on its test part."""

    about: str
    least: float


GOALS: Mapping[str, Goal] = {
    "GunPoint": Goal("a hand that draws a gun or points", 0.99),
    "ItalyPowerDemand": Goal("a day's demand of power, winter or summer", 0.96),
    "JapaneseVowels": Goal("12 coefficients of a vowel, nine speakers", 0.98),
    "Trace": Goal("made signals of a nuclear plant, four kinds", 0.99),
    "Coffee": Goal("spectra of two kinds of coffee", 1.0),
    "ACSF1": Goal("power that ten kinds of appliances take", 0.85),
    "PickupGestureWiimoteZ": Goal("acceleration in ten gestures", 0.80),
}

HEADINGS = (
    "set",
    "classes",
    "training rows",
    "test rows",
    "steps",
    "accuracy",
    "out of fold",
    "1-NN DTW",
    "1-NN Euclid",
    "goal",
    "",
    "minutes",
)


def page(*, runs: Path, sets: Sequence[str], seeds: int) -> str:
    """Train on each set with nothing said, and compare with the nearest neighbours.

    Args:
        runs: directory with one directory per set and seed; finished runs are not run again.
        sets: names of `GOALS`.
        seeds: how many.
    """
    lines = ["# Series with one answer each, few of them or long ones", "", *_about(seeds)]
    lines += [f"| {' | '.join(HEADINGS)} |", f"|{' --- |' * len(HEADINGS)}"]
    lines += [_row(name, runs, seeds) for name in sets]
    return "\n".join([*lines, "", f"{machine()}; one thread, with other processes running.", ""])


def _about(seeds: int) -> list[str]:
    return [
        "Official splits of the UEA/UCR archive. Every run is `elman train FILE --target label`: "
        "no other setting is given. Accuracy is of the test part, mean ± standard deviation over "
        f"{seeds} seed{'s' if seeds > 1 else ''}; out of fold is that of each training row by the "
        "network that has not seen it. 1-NN: the nearest training "
        "series under dynamic time warping without a window, and under the Euclidean distance, "
        f"series of unequal lengths resampled to {RESAMPLED} steps. The rules behind the defaults "
        "look at the number of rows and of steps; they were found on these sets, whose scores, "
        "of the test part too, were seen along the way.",
        "",
    ]


def _row(name: str, runs: Path, seeds: int) -> str:
    goal, (train, test) = GOALS[name], parts_of(name)
    trained = [_trained(name, runs / f"{name}-seed{seed}", seed) for seed in range(1, seeds + 1)]
    reached = [run.model.evaluate(test)["accuracy"] for run in trained]
    held_out = [run.result.scores["valid"].values["accuracy"] for run in trained]
    known, asked = _series(train), _series(test)
    warped = _share_right(warping_distances(asked, known), train["label"], test["label"])
    euclid = _share_right(euclidean_distances(asked, known), train["label"], test["label"])
    mean = statistics.mean(reached)
    verdict = "reached" if mean >= goal.least and mean >= max(warped, euclid) else "missed"
    lengths = [len(series) for series in known]
    steps = str(lengths[0]) if min(lengths) == max(lengths) else f"{min(lengths)}–{max(lengths)}"
    minutes = statistics.mean(run.result.seconds for run in trained) / 60
    cells = [
        f"{name}: {goal.about}",
        str(len(set(train["label"]))),
        str(len(known)),
        str(len(asked)),
        steps,
        _spread(reached),
        _spread(held_out),
        f"{warped:.3f}",
        f"{euclid:.3f}",
        f"≥ {goal.least:.2f}",
        verdict,
        f"{minutes:.1f}",
    ]
    return f"| {' | '.join(cells)} |"


def parts_of(name: str) -> tuple[Columns, Columns]:
    """Read the training and the test part of a set, as arrays packed in `uea_ucr/NAME.npz`.

    The folder is that of the named sets, `ELMAN_DATA`.
    """
    with np.load(Path(os.environ["ELMAN_DATA"]) / "uea_ucr" / f"{name}.npz") as arrays:
        names = arrays["classes"]
        parts = []
        for part in ("train", "test"):
            ends = np.cumsum(arrays[f"{part}_lengths"])
            steps = arrays[f"{part}_x"].reshape(ends[-1], -1)
            series = [
                (x[:, 0] if x.shape[1] == 1 else x).tolist() for x in np.split(steps, ends[:-1])
            ]
            labels = [f"class {names[index]}" for index in arrays[f"{part}_y"]]
            parts.append({"series": series, "label": labels})
    return parts[0], parts[1]


def _trained(name: str, directory: Path, seed: int) -> TrainedRun:
    columns = {"data": {"input": ["series"], "target": ["label"], "test_fraction": 0.0}}
    experiment = Experiment.from_values(columns, origin=name).override({"seed": seed})
    source, _ = parts_of(name)
    return run_experiment(
        experiment, directory, source=dict(source), progress=progress_on_stderr(), page=False
    )


def _spread(values: Sequence[float]) -> str:
    mean = f"{statistics.mean(values):.3f}"
    return f"{mean} ± {statistics.stdev(values):.3f}" if len(values) > 1 else mean


def _series(columns: Columns) -> Series:
    return [np.asarray(x, float).reshape(len(x), -1) for x in columns["series"]]


def _share_right(
    distances: NDArray[np.float64], labels: Sequence[str], truths: Sequence[str]
) -> float:
    nearest = np.asarray(labels)[distances.argmin(1)]
    return float((nearest == np.asarray(truths)).mean())


def warping_distances(asked: Series, known: Series) -> NDArray[np.float64]:
    """Return the squared distance of each series to each other along the best alignment.

    D(i, j) = ‖a(i) − b(j)‖² + min { D(i−1, j), D(i, j−1), D(i−1, j−1) }
    """
    a, rows = _padded(asked)
    b, columns = _padded(known)
    previous = np.full((b.shape[1] + 1, len(a), len(b)), np.inf)
    previous[0] = 0.0
    found = np.empty((len(a), len(b)))
    for step in range(a.shape[1]):
        current = np.full_like(previous, np.inf)
        for j in range(b.shape[1]):
            cost = np.square(a[:, None, step] - b[None, :, j]).sum(-1)
            best = np.minimum(np.minimum(previous[j], previous[j + 1]), current[j])
            current[j + 1] = cost + best
        ends = np.flatnonzero(rows == step + 1)
        found[ends] = current[columns[None], ends[:, None], np.arange(len(b))[None]]
        previous = current
    return found


def euclidean_distances(asked: Series, known: Series) -> NDArray[np.float64]:
    """Return the squared distance of each series to each other, step by step."""
    if len({len(series) for series in (*asked, *known)}) > 1:
        asked, known = ([_resampled(series) for series in each] for each in (asked, known))
    a, b = (np.stack([series.ravel() for series in each]) for each in (asked, known))
    return np.stack([np.square(b - series).sum(1) for series in a])


def _resampled(series: NDArray[np.float64]) -> NDArray[np.float64]:
    places = np.linspace(0, len(series) - 1, RESAMPLED)
    known = np.arange(len(series))
    return np.stack([np.interp(places, known, column) for column in series.T], 1)


def _padded(series: Series) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    lengths = np.array([len(each) for each in series])
    padded = np.zeros((len(series), int(lengths.max()), series[0].shape[1]))
    for row, each in enumerate(series):
        padded[row, : len(each)] = each
    return padded, lengths
