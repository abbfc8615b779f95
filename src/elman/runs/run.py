"""One run: from an experiment to a directory that holds a trained model and its measurements.

```
runs/NAME/.lock               held while a process trains here
         /experiment.toml     every setting, defaults too
         /checkpoints/        best, last and the one before, safetensors
         /data.json           numbers and digests of the rows, by which changed data is recognised
         /metrics.jsonl       one line per epoch
         /model/              weights.safetensors, model.json, rows.safetensors
         /report.html         the page of the run
         /result.json         scores, time and learning curve; written last
```
"""

from __future__ import annotations

import platform
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from pydantic import BaseModel, ConfigDict, ValidationError
from torch import nn

from elman.errors import CheckpointError, ExperimentError
from elman.evaluation.scores import Scores
from elman.experiment import Experiment, read_experiment
from elman.experiment.training import CHANGEABLE
from elman.files import locked, read_json, write_atomically
from elman.models import saving
from elman.models.directory import DATA, EXPERIMENT, MODEL, RESULT
from elman.models.model import Model
from elman.models.network import completed_network, untrained_network
from elman.models.trained_on import DataRecord, TrainedOn, notes_of_given_parts
from elman.prediction.predictors import predictor_of
from elman.runs.fitting import cache_of, fit_run
from elman.tasks.check.check import check_of, rows_in_words
from elman.tasks.check.profile import SHOWN
from elman.tasks.defaults import completed
from elman.tasks.dividing import Parts
from elman.tasks.find import task_of
from elman.tasks.folds import pooled
from elman.tasks.layout import layout_of
from elman.tasks.task import Task
from elman.training.activation_regularisation import regularised_part
from elman.training.callbacks import Callback
from elman.training.history import EpochRecord, History
from elman.training.progress import NoProgress, Progress

REPORT = "report.html"

WIDEST = 160
"""Characters of a line where there is no terminal to ask."""


class RunResult(BaseModel):
    """One trained network: its scores, its cost and its learning curve.

    Attributes:
        seed: random seed of the initial weights, the order of the batches and the dropout masks.
        sentence: the task, in words.
        notes: assumptions about the data and the task.
        rows: part of the data → number of its rows.
        scores: part of the data → scores of the selected weights on all of it, without dropout.
        best_epoch: the epoch whose weights were selected, by the validation rows alone.
        epochs: epochs trained; fewer than the maximum where training stopped early.
        seconds: wall-clock seconds of training, validation included.
        curve: one record per epoch.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    seed: int
    sentence: str
    notes: list[str]
    rows: dict[str, int]
    scores: dict[str, Scores]
    best_epoch: int
    epochs: int
    seconds: float
    curve: list[EpochRecord]


class TrainedRun(NamedTuple):
    """What a finished run returns: the model and its scores."""

    model: Model
    result: RunResult


class Prepared(NamedTuple):
    """An experiment and what follows from its data, before training."""

    experiment: Experiment
    """Every setting filled in."""
    task: Task
    parts: Parts


def prepare(experiment: Experiment, source: Any = None) -> Prepared:
    """Read the data of an experiment, find its task, and fill in the other settings.

    Args:
        experiment: the experiment, without defaults.
        source: values passed in Python, where the experiment names no data.

    Raises:
        ExperimentError: columns are missing, or a setting contradicts the data.
        DataError: the data cannot be read, or a value is malformed.
    """
    data = layout_of(experiment.data).with_known_columns(source)
    given = layout_of(data).given(source)
    parts = given.layout.divided(given, experiment.seed)
    check = check_of(given, parts)
    if data.strict:
        check.refuse_assumptions()
    parts = parts._replace(check=check, notes=check.sentences)
    experiment, task = task_of(experiment, given, parts)
    complete = completed(experiment, task, parts.train)
    task = task.as_settled(complete, parts.train)
    return Prepared(complete, task, pooled(parts, task, complete))


def run_experiment(
    experiment: Experiment,
    directory: Path,
    *,
    source: Any = None,
    may_change: bool = False,
    callbacks: Sequence[Callback] = (),
    progress: Progress | None = None,
    page: bool = True,
    measures_test: bool = True,
    announces: bool = True,
) -> TrainedRun:
    """Train a network, select weights, save the model and evaluate it.

    Args:
        experiment: what to train.
        directory: directory of the run: empty, or with a run of the same experiment, which is
            resumed where it is unfinished and loaded where it is finished.
        source: values passed in Python, where the experiment names no data.
        may_change: whether a run in the directory goes on with other epochs, minutes, patience or
            learning rate, where these are given.
        callbacks: are told of every step, epoch and checkpoint.
        progress: shows the progress; None to show none.
        page: whether to draw the report, which takes as long as training does on small data.
        measures_test: whether to measure the test rows; not while validation decides between runs.
        announces: whether to say first what is read, predicted and noted of the data.

    Raises:
        ExperimentError: the directory holds a run of another experiment, or training diverged.
        DataError: the data cannot be read, or a value is malformed.
        CheckpointError: a file of the run in the directory is corrupt.
        MissingDependencyError: data, network, scores or page need an extra that is not installed.
    """
    from elman.report.facts import notes_of_page, write_page  # draws, which takes long to load

    progress = progress or NoProgress()
    complete, task, parts = prepare(experiment, source)
    trained_on = TrainedOn.of(task, parts)
    source_name = parts.train.source
    changed = _refuse_another_run(
        complete, directory, trained_on.record, source_name, may_change=may_change
    )
    shared = notes_of_given_parts(complete.data, task, parts, trained_on)
    parts = parts._replace(notes=[*parts.notes, *shared])
    if not measures_test:
        parts = parts._replace(test=None)
    if (directory / RESULT).is_file() and not changed:
        return TrainedRun(Model.load(directory), read_result(directory / RESULT))
    # What cannot be built is refused before anything is written.
    network = untrained_network(complete, task, parts.train)
    predictor_of(task, network, complete).check_installed()
    if announces:
        announce(directory.name, complete, task, parts, progress)
    missing = notes_of_page(task, complete) if page else []
    later = task.notes_of_later(parts.valid if parts.test is None else parts.test)
    if announces:
        for note in (*task.notes_of_settings(complete, parts.train), *later, *missing):
            progress.say(f"note: {note}")
    _check_rows(network, complete, task, parts, directory)
    with locked(directory):
        _refuse_another_run(
            complete, directory, trained_on.record, source_name, may_change=may_change
        )
        _begin(network, complete, task, trained_on, directory)
        history = fit_run(network, complete, task, parts, directory, progress, callbacks)
        parts = parts._replace(notes=[*parts.notes, *history.notes])
        solved = complete.model_copy(update={"network": completed_network(complete, task)})
        model = Model(solved, task, network, trained_on)
        model.save(directory / MODEL)
        result = _summarise(model, parts, history)
        if page:
            write_page(
                directory / REPORT,
                model,
                parts,
                result.scores,
                result.curve,
                selected=result.best_epoch,
                seconds=result.seconds,
                machine=machine(),
            )
        write_atomically(directory / RESULT, f"{result.model_dump_json(indent=2)}\n", durable=True)
    return TrainedRun(model, result)


def announce(
    name: str, experiment: Experiment, task: Task, parts: Parts, progress: Progress
) -> None:
    """Show the columns, the task, notes and numbers of rows before training."""
    if parts.check is not None:
        room = shutil.get_terminal_size((WIDEST, 0)).columns
        for line in parts.check.table(SHOWN, room):
            progress.say(line)
    progress.say(task.sentence)
    for note in (*parts.notes, *task.notes):
        progress.say(f"note: {note}")
    progress.say(rows_in_words(parts.sizes, task.rows_name))
    caveat = task.caveat(experiment.network)
    progress.say(f"{name}: seed {experiment.seed}. {caveat}".removesuffix(". "))


def _check_rows(
    network: nn.Module, experiment: Experiment, task: Task, parts: Parts, directory: Path
) -> None:
    """Check that every row can be read and measured."""
    settings, cache = experiment.training, cache_of(parts, directory)
    # A row that cannot be read is reported now, not at the end.
    task.training_batches(parts.train, settings, experiment.seed, cache)
    for part in (parts.valid, *([] if parts.test is None else [parts.test])):
        task.evaluation_batches(part, settings.batch_size, cache)

    if experiment.score is not None:
        # A score that this task does not have is refused before training.
        untrained = predictor_of(task, network, experiment).scores(parts.valid)
        untrained.led_by(experiment.score)

    if settings.activation_regularisation or settings.temporal_activation_regularisation:
        regularised_part(network)


def _begin(
    network: nn.Module,
    experiment: Experiment,
    task: Task,
    trained_on: TrainedOn,
    directory: Path,
) -> None:
    """Make the directory that of a run, which can be resumed and is not overwritten."""
    (directory / RESULT).unlink(missing_ok=True)
    data = trained_on.record.model_dump_json(indent=2)
    write_atomically(directory / DATA, f"{data}\n", durable=True)
    solved = experiment.model_copy(update={"network": completed_network(experiment, task)})
    saving.describe(saving.Parts(solved, task, network, trained_on), directory / MODEL)
    write_atomically(directory / EXPERIMENT, experiment.to_toml(), durable=True)


def _refuse_another_run(
    experiment: Experiment, directory: Path, data: DataRecord, source: str, *, may_change: bool
) -> bool:
    """Raise ExperimentError if the directory holds a run of another experiment, or other data.

    Returns:
        Whether settings differ, and may.
    """
    path = directory / EXPERIMENT
    if not path.exists():
        return False
    there = read_experiment(path)
    if there.data.units is None:  # a run of an earlier version, or without numbers
        units = experiment.data.units
        there = there.model_copy(update={"data": there.data.model_copy(update={"units": units})})
    all_different = experiment.differences(there)
    different = _without_changeable(all_different) if may_change else all_different
    before = DataRecord.read(directory / DATA)
    changed = "" if before is None else before.difference(data)
    if before is not None and changed and _may_follow(different, before.columns != data.columns):
        raise ExperimentError(
            f"{source} is no longer what the run in {directory} was trained on "
            f"({changed}); restore it, or train in another directory."
        )
    if before is not None and not different and before.features != data.features:
        raise ExperimentError(
            f"the run in {directory} was begun by another version of Elman, which reads "
            f"{source} differently; train in another directory."
        )
    if different:
        raise ExperimentError(
            f"{directory} holds a run of another experiment: here {'; '.join(different)}. "
            "Choose another directory, or delete that one."
        )
    return bool(all_different)


def _without_changeable(different: Sequence[str]) -> list[str]:
    """Leave out the differences of settings that a run may change when it is resumed."""
    names = {f"training.{name}" for name in CHANGEABLE}
    return [each for each in different if each.partition(" = ")[0] not in names]


def _may_follow(different: Sequence[str], columns_differ: bool) -> bool:
    """Tell whether settings differ only because the data does: those that it suggests by default.

    Args:
        different: as of `Experiment.differences`.
        columns_differ: whether the data has other columns, so that it suggests other inputs.
    """
    names = [each.partition(" = ")[0] for each in different]
    of_data = [name for name in names if name == "seed" or name.startswith("data.")]
    suggested = ["data.input_", "data.target_", "data.columns", "data.per_sequence"]
    suggested += ["data.units", "data.words_as_missing"]
    suggested += ["data.input"] * columns_differ
    return all(name.startswith(tuple(suggested)) for name in of_data)


def read_result(path: Path) -> RunResult:
    """Read the result of a run.

    Raises:
        CheckpointError: it is damaged.
    """
    try:
        return RunResult.model_validate(read_json(path))
    except ValidationError as error:
        place = ".".join(map(str, error.errors()[0]["loc"]))
        raise CheckpointError(
            f"{path} is damaged, or not a run's result: {place} is missing or wrong. Delete it and "
            "resume the run (--resume), which measures it again."
        ) from error


def _summarise(model: Model, parts: Parts, history: History) -> RunResult:
    """Evaluate the selected weights, on the training rows too where the task says so."""
    named = {"train": parts.train, "valid": parts.valid, "test": parts.test}
    present = {name: part for name, part in named.items() if part is not None}
    measured = dict(present)
    if not model.task.scores_training:
        del measured["train"]
    main, scores_of = model.experiment.score, model.predictor.scores_with_guess
    return RunResult(
        seed=model.experiment.seed,
        sentence=model.task.sentence,
        notes=[*parts.notes, *model.task.notes],
        rows={name: len(part) for name, part in present.items()},
        scores={name: scores_of(part, main, parts.train) for name, part in measured.items()},
        best_epoch=history.best.epoch,
        epochs=len(history.epochs),
        seconds=history.seconds,
        curve=list(history.epochs),
    )


def machine() -> str:
    """Name the processor."""
    about = Path("/proc/cpuinfo")
    if about.is_file():
        for line in about.read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()
