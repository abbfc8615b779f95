"""The runs in a folder: what each trains, how far it is, how good; in what two of them differ."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal, NamedTuple

from elman.errors import CheckpointError, ElmanError, ExperimentError
from elman.experiment import Experiment, read_experiment
from elman.files import is_locked
from elman.models.directory import EXPERIMENT, RESULT
from elman.runs.run import read_result
from elman.training.history import EpochRecord
from elman.training.keeping import CHECKPOINTS, METRICS

State = Literal["finished", "training", "unfinished", "damaged"]
"""Whether a run has ended, a process trains it now, `--resume` would go on, or a file cannot be
read."""

Order = Literal["age", "score", "name"]


class Run(NamedTuple):
    """What is known of one run without loading its model.

    Args:
        directory: of the run.
        data: title of its data.
        cell: its cell; empty where the network has none.
        state: see `State`.
        epochs: epochs done.
        maximum: maximum number of epochs.
        score: name of the main score.
        validation: that score of the validation rows; until a run has finished, None.
        test: that score of the test rows, likewise.
        higher_is_better: which way the score counts.
        best_loss: the lowest validation loss of an epoch; None before the first has ended.
        seconds: of training.
        changed: when a file of it was last written, seconds since 1970.
    """

    directory: Path
    data: str
    cell: str
    state: State
    epochs: int
    maximum: int
    score: str | None
    validation: float | None
    test: float | None
    higher_is_better: bool
    best_loss: float | None
    seconds: float
    changed: float

    @property
    def age(self) -> float:
        """Seconds since a file of it was last written."""
        return max(0.0, time.time() - self.changed)


def list_runs(folder: Path, by: Order = "age") -> list[Run]:
    """List the runs in a folder and the folders within.

    Args:
        folder: where to look.
        by: the last written first; the best score first, scores of one name together; or the name.

    Raises:
        ExperimentError: there is no such folder, or no run in it.
    """
    if not folder.is_dir():
        raise ExperimentError(f"there is no folder {folder}; name the one that holds the runs.")
    runs = [run_at(path.parent) for path in sorted(folder.rglob(EXPERIMENT))]
    if not runs:
        raise ExperimentError(f"there is no run in {folder}: none has an {EXPERIMENT}.")
    if by == "age":
        return sorted(runs, key=lambda run: run.age)
    return sorted(runs, key=_by_score) if by == "score" else runs


def run_at(directory: Path) -> Run:
    """Read what a run's files say of it.

    Raises:
        ExperimentError: there is no run in the directory.
    """
    if not (directory / EXPERIMENT).is_file():
        raise ExperimentError(f"there is no run in {directory}: it has no {EXPERIMENT}.")
    state: State = "training" if is_locked(directory) else "unfinished"
    data, cell, maximum = directory.name, "", 0
    score, values, higher = None, {}, True
    epochs: list[EpochRecord] = []
    try:
        experiment = read_experiment(directory / EXPERIMENT)
        data, cell = experiment.data.title, _cell_of(experiment)
        maximum, epochs = experiment.training.epochs, _epochs_of(directory)
        if (directory / RESULT).is_file():
            result = read_result(directory / RESULT)
            state, epochs = "finished", list(result.curve)
            main = next(iter(result.scores.values()))
            score, higher = main.main, main.higher_is_better
            values = {part: each.values.get(score) for part, each in result.scores.items()}
    except ElmanError:
        state = "damaged"
    return Run(
        directory=directory,
        data=data,
        cell=cell,
        state=state,
        epochs=len(epochs),
        maximum=maximum,
        score=score,
        validation=values.get("valid"),
        test=values.get("test"),
        higher_is_better=higher,
        best_loss=min((record.valid_loss for record in epochs), default=None),
        seconds=epochs[-1].seconds if epochs else 0.0,
        changed=_last_written(directory),
    )


def _cell_of(experiment: Experiment) -> str:
    """Name the cell of an experiment, where its category has one."""
    spec = experiment.network
    return "" if spec.category == "one-to-one" else str(spec.cell)


def _epochs_of(directory: Path) -> list[EpochRecord]:
    """Read the lines of metrics.jsonl; of several networks, those of all of them.

    Raises:
        CheckpointError: a line is none of a run.
    """
    records: list[EpochRecord] = []
    for path in (directory / METRICS, *sorted(directory.glob(f"fold-*/{METRICS}"))):
        if path.is_file():
            try:
                lines = path.read_text(encoding="utf-8").splitlines()
                records += map(EpochRecord.model_validate_json, lines)
            except ValueError as error:
                raise CheckpointError(f"{path} is damaged: {error}") from error
            if path.parent == directory:  # the means of all networks, once they are there
                break
    return records


def _last_written(directory: Path) -> float:
    """Return when a file of the run was last written."""
    names = (EXPERIMENT, METRICS, RESULT)
    paths = [directory / name for name in names] + list((directory / CHECKPOINTS).glob("*"))
    return max((path.stat().st_mtime for path in paths if path.exists()), default=0.0)


def _by_score(run: Run) -> tuple[bool, str, float]:
    """Order runs by their score, the best first, those without one last."""
    value = run.validation
    if value is None:
        return True, "", run.best_loss if run.best_loss is not None else float("inf")
    return False, run.score or "", -value if run.higher_is_better else value


class Difference(NamedTuple):
    """One line in which two runs differ: a setting or a score, and what each has."""

    name: str
    one: Any
    other: Any


def differences(one: Path, other: Path) -> tuple[list[Difference], list[Difference]]:
    """Compare two runs.

    Args:
        one: directory of a run.
        other: directory of another.

    Returns:
        The settings in which they differ, None where one does not have it; and every score of
        validation and test rows, side by side.

    Raises:
        ExperimentError: a directory holds no run.
        CheckpointError: a result cannot be read.
    """
    for directory in (one, other):
        run_at(directory)
    here, there = (read_experiment(directory / EXPERIMENT) for directory in (one, other))
    settings = [Difference(*each) for each in here.different_values(there)]
    scores = [_scores_of(directory) for directory in (one, other)]
    names: Sequence[str] = list(dict.fromkeys([*scores[0], *scores[1]]))
    return settings, [Difference(name, *[each.get(name) for each in scores]) for name in names]


def _scores_of(directory: Path) -> dict[str, float | None]:
    """Return the scores of a run that has finished, by part and name, and its time."""
    if not (directory / RESULT).is_file():
        return {}
    result = read_result(directory / RESULT)
    found: dict[str, float | None] = {
        f"{part} {name}": value
        for part, scores in result.scores.items()
        for name, value in scores.values.items()
        if part != "train"
    }
    return found | {"epochs": result.epochs, "seconds": round(result.seconds, 1)}
