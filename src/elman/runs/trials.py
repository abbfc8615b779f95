"""A trial of a search: a run with settings that Optuna suggests, pruned where others do better."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from elman.errors import (
    BackendError,
    CheckpointError,
    ExperimentError,
    OptionError,
    ShapeError,
    import_extra,
)
from elman.experiment import Experiment
from elman.experiment.training import Criterion
from elman.runs.run import RunResult, run_experiment
from elman.runs.search_space import Space
from elman.training.callbacks import Callback
from elman.training.history import EpochRecord
from elman.training.keeping import METRICS
from elman.training.progress import Progress

UNSUITABLE = (BackendError, ExperimentError, OptionError, ShapeError, MemoryError)
"""Errors that say that settings do not go together, or that training diverges with them."""


class PrunedError(Exception):
    """A trial ends before its training does, for others were better by then."""


class Outcome(NamedTuple):
    """How a trial ended: with a result, pruned, or with the reason why it failed."""

    result: RunResult | None = None
    why: str = ""


class Pruning(Callback):
    """Reports the epochs of a trial to its study, and ends it where they are not promising.

    Args:
        trial: of Optuna.
        select: what weights are selected by; epochs are compared by the score if it is that, and
            by the loss otherwise.
        directory: of the run, which holds the epochs before an interruption.
        prunes: whether the trial may be ended.
    """

    def __init__(self, trial: Any, select: Criterion, directory: Path, *, prunes: bool) -> None:
        self._trial = trial
        self._by_score = select == "score"
        self._directory = directory
        self._prunes = prunes
        self._last = 0
        self._is_over = False
        known = trial.study.get_trials(deepcopy=False)[trial.number]
        self._reported = set(known.intermediate_values)

    def on_epoch(self, record: EpochRecord) -> None:
        """Report an epoch, and those before it that an interruption kept from being reported.

        Raises:
            PrunedError: other trials were better by then.
        """
        # Of several networks that answer together, the first speaks for all.
        self._is_over = self._is_over or record.epoch <= self._last
        if self._is_over:
            return
        missed = self._before(record.epoch) if record.epoch > self._last + 1 else []
        for each in (*missed, record):
            self._report(each)
            if self._prunes and self._trial.should_prune():
                raise PrunedError

    def _before(self, epoch: int) -> list[EpochRecord]:
        path = self._directory / METRICS
        lines = path.read_text(encoding="utf-8").splitlines() if path.is_file() else []
        records = [EpochRecord.model_validate(json.loads(line)) for line in lines]
        return [each for each in records if self._last < each.epoch < epoch]

    def _report(self, record: EpochRecord) -> None:
        self._last = record.epoch
        value = record.score if self._by_score else -record.valid_loss
        if value is not None and record.epoch not in self._reported:
            self._trial.report(value, record.epoch)
            self._reported.add(record.epoch)


def draw(trial: Any, space: Space, seed: int) -> dict[str, Any]:
    """Draw the settings of a trial, the same ones whenever the trials before it are the same.

    Every draw has a sampler of its own, seeded by the search, the trial and the setting: so a
    search that was interrupted, even within a draw, goes on as if it had not been.

    Args:
        trial: of Optuna.
        space: setting → the values to try.
        seed: of the search.
    """
    optuna = import_extra("optuna", "tune", "a search")
    settings = {}
    for index, (name, dimension) in enumerate(space.items()):
        own = np.random.SeedSequence([seed, trial.number, index]).generate_state(1)[0]
        trial.study.sampler = optuna.samplers.TPESampler(seed=int(own), multivariate=False)
        settings[name] = dimension.draw(trial, name)
    return settings


def run_trial(
    experiment: Experiment,
    directory: Path,
    callback: Callable[[], Callback],
    *,
    source: Any,
    progress: Progress,
) -> Outcome:
    """Train and validate with the settings of a trial, or resume it; test rows are not measured.

    A run in the directory that cannot be read is deleted and begun anew.

    Args:
        experiment: with the settings of the trial.
        directory: of the trial.
        callback: makes what is told of its epochs.
        source: values passed in Python, where the experiment names no data.
        progress: shows the progress.

    Raises:
        PrunedError: the callback has ended it.
        DataError: the data cannot be read, or a value is malformed.
    """

    def run() -> RunResult:
        return run_experiment(
            experiment,
            directory,
            source=source,
            callbacks=[callback()],
            progress=progress,
            page=False,
            measures_test=False,
            announces=False,
        ).result

    try:
        try:
            result = run()
        except CheckpointError as error:
            progress.say(f"{directory.name} begins anew: {error}")
            shutil.rmtree(directory)
            result = run()
    except UNSUITABLE as error:
        return Outcome(why=str(error) or type(error).__name__)
    scores = result.scores["valid"]
    if scores.main not in scores.values:
        why = scores.undefined.get(scores.main, "the rows have no such score")
        return Outcome(why=f"{scores.main} on the validation rows is not computed: {why}")
    return Outcome(result)
