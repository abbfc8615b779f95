"""The training of a run: of one network, or of several that each hold out other rows."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from torch import nn

from elman.data.table import Table
from elman.experiment import Experiment
from elman.experiment.training import TrainingSettings
from elman.files import write_atomically
from elman.networks.ensemble import members_of
from elman.prediction.predictors import predictor_of
from elman.tasks.dividing import Parts
from elman.tasks.folds import HELD_OUT
from elman.tasks.task import Task
from elman.training.callbacks import Callback
from elman.training.history import EpochRecord, History
from elman.training.keeping import METRICS
from elman.training.progress import Progress
from elman.training.trainer import fit


class _Rows(NamedTuple):
    """What one network is trained on and validated by."""

    train: Table
    valid: Table
    cache: Path | None
    follows: float
    """How often as long as a validation it takes to measure what follows training."""


def fit_run(
    network: nn.Module,
    experiment: Experiment,
    task: Task,
    parts: Parts,
    directory: Path,
    progress: Progress,
    callbacks: Sequence[Callback] = (),
) -> History:
    """Train the network of a run, or each of several that answer together, and say how it went.

    Args:
        network: with its initial weights; it ends with those that are kept.
        experiment: complete.
        task: what is predicted from what.
        parts: of the data; with folds, those of `tasks.folds.pooled`.
        directory: of the run; a training in it is resumed.
        progress: shows the progress.
        callbacks: are told of every step, epoch and checkpoint.

    Raises:
        ExperimentError: training diverged before an epoch was done.
    """
    settings, seed = experiment.training, experiment.seed
    if not settings.folds:
        follows = 1 + (len(parts.valid) + _tested(parts)) / len(parts.valid)
        rows = _Rows(parts.train, parts.valid, cache_of(parts, directory), follows)
        return _fit(network, experiment, task, rows, settings, seed, directory, progress, callbacks)
    share = settings.model_copy(update={"max_minutes": settings.max_minutes / settings.folds})
    held_out = np.array(list(parts.valid.column(HELD_OUT)))
    histories = []
    for fold, member in enumerate(members_of(network)):
        valid = parts.valid.select(np.flatnonzero(held_out == fold))
        rows = _Rows(
            parts.train.select(np.flatnonzero(held_out != fold)),
            valid,
            None,
            1 + _tested(parts) / len(valid),
        )
        folder = directory / f"fold-{fold + 1}"
        own = _seed_of(seed, fold)
        histories.append(
            _fit(member, experiment, task, rows, share, own, folder, progress, callbacks)
        )
    history = joined(histories)
    lines = [f"{epoch.model_dump_json()}\n" for epoch in history.epochs]
    write_atomically(directory / METRICS, "".join(lines).encode())
    return history


def _tested(parts: Parts) -> int:
    """Return the number of test rows."""
    return 0 if parts.test is None else len(parts.test)


def cache_of(parts: Parts, directory: Path) -> Path | None:
    """Return the folder for encoded rows; None where they are kept in memory."""
    return directory / "encoded" if parts.train.stored else None


def joined(histories: Sequence[History]) -> History:
    """Join the histories of several networks: the mean of each epoch that all of them have done.

    The seconds of an epoch are those of all networks together.
    """
    first = histories[0]
    epochs = []
    for each in zip(*(history.epochs for history in histories), strict=False):
        scores = [record.score for record in each if record.score is not None]
        epochs.append(
            EpochRecord(
                epoch=each[0].epoch,
                seconds=sum(record.seconds for record in each),
                train_loss=_mean([record.train_loss for record in each]),
                valid_loss=_mean([record.valid_loss for record in each]),
                learning_rate=_mean([record.learning_rate for record in each]),
                score=_mean(scores) if len(scores) == len(each) else None,
            )
        )
    return History(
        select=first.select,
        epochs=tuple(epochs),
        halvings=sum(history.halvings for history in histories),
        ended=next((history.ended for history in histories if history.ended), ""),
        changes=first.changes,
    )


def _fit(
    network: nn.Module,
    experiment: Experiment,
    task: Task,
    rows: _Rows,
    settings: TrainingSettings,
    seed: int,
    directory: Path,
    progress: Progress,
    callbacks: Sequence[Callback],
) -> History:
    """Train one network."""

    def score(trained: nn.Module) -> float:
        scores = predictor_of(task, trained, experiment).scores(
            rows.valid, main=experiment.score, training=rows.train
        )
        return scores.value if scores.higher_is_better else -scores.value

    training, validation = task.batches(
        rows.train, rows.valid, experiment, settings, seed, rows.cache
    )
    predictor = predictor_of(task, network, experiment)
    for line in predictor.begin(validation):
        progress.say(line)
    history = fit(
        network,
        None,
        training,
        validation,
        settings,
        directory=directory,
        seed=seed,
        score=score if settings.select == "score" else None,
        resume=True,
        afterwards=rows.follows,
        callbacks=callbacks,
        progress=progress,
    )
    for line in predictor.finish(validation):
        progress.say(line)
    return history


def _seed_of(seed: int, fold: int) -> int:
    """Return a seed for each network, the first that of the run."""
    return int(np.random.SeedSequence([seed, fold]).generate_state(1)[0]) if fold else seed


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)
