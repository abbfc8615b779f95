"""One run: from an experiment to a directory that holds a trained model and its measurements.

```
runs/NAME/experiment.toml     every setting, defaults too
         /checkpoints/        best and last, safetensors
         /metrics.jsonl       one line an epoch
         /model/              weights.safetensors, model.json
         /report.html         what it did, to look at
         /result.json         scores, time and learning curve; written last
```
"""

from __future__ import annotations

import platform
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from pydantic import BaseModel, ConfigDict, ValidationError
from torch import nn

from elman.batches.encoding import encode
from elman.data.table import Table
from elman.errors import CheckpointError, ExperimentError, counted
from elman.evaluation.scores import Scores
from elman.experiment import Experiment, read_experiment
from elman.files import read_json, write_atomically
from elman.models.directory import EXPERIMENT, MODEL, RESULT
from elman.models.model import Model
from elman.models.network import completed_network, untrained_network
from elman.prediction.answers import answer_options, forecast_facts, scores
from elman.prediction.written import note_of_long_targets
from elman.report.facts import write_page
from elman.tasks.batches import evaluation_batches, training_batches
from elman.tasks.defaults import completed
from elman.tasks.parts import Parts, read_parts, with_known_columns
from elman.tasks.task import NAMED, Task, find_task
from elman.training.activation_regularisation import regularised_part
from elman.training.history import EpochRecord, History
from elman.training.progress import NoProgress, Progress
from elman.training.trainer import fit

REPORT = "report.html"


class RunResult(BaseModel):
    """One trained network: how good it is, its cost and its learning curve.

    Attributes:
        seed: of the initial weights, the order of the batches and the dropout masks.
        sentence: what was asked, in words.
        notes: what was assumed on the way.
        rows: part of the data → rows in it.
        scores: part of the data → scores of the selected weights on all of it, without dropout.
        best_epoch: the epoch whose weights were selected, by the validation part alone.
        epochs: epochs trained; fewer than asked for where training stopped early.
        seconds: wall-clock seconds of training, validation included.
        curve: one record an epoch.
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
    """What a finished run leaves: the model and its measurements."""

    model: Model
    result: RunResult


class Prepared(NamedTuple):
    """An experiment and all that follows from its data, before anything is trained."""

    experiment: Experiment
    """Every setting filled in."""
    task: Task
    parts: Parts


def prepare(experiment: Experiment, source: Any = None) -> Prepared:
    """Read the data of an experiment, find its task, and fill in what nobody has said.

    Args:
        experiment: as it was asked for.
        source: values handed over in Python, where the experiment names no data.

    Raises:
        ExperimentError: columns are missing, or what was asked contradicts the data.
        DataError: the data cannot be read, or a value is malformed.
    """
    known = with_known_columns(experiment.data)
    experiment = experiment.model_copy(update={"data": known})
    parts = read_parts(experiment.data, experiment.seed, source)
    others = [part for part in (parts.valid, parts.test) if part is not None]
    task = find_task(
        experiment.data,
        experiment.network,
        parts.train,
        others,
        decoder=experiment.decoder,
        forecast=experiment.forecast,
    )
    _check_answers(task, others)
    return Prepared(completed(experiment, task, parts), task, parts)


def run_experiment(
    experiment: Experiment,
    directory: Path,
    *,
    source: Any = None,
    progress: Progress | None = None,
    page: bool = True,
) -> TrainedRun:
    """Train, select, save and measure.

    Args:
        experiment: what to train.
        directory: of the run; empty, or with a run of the very same experiment, which is gone on
            with where it is unfinished and loaded where it is finished.
        source: values handed over in Python, where the experiment names no data.
        progress: where to show it; None for nowhere.
        page: whether to draw the report, which takes as long as training does on small data.

    Raises:
        ExperimentError: the directory holds a run of another experiment, or training diverged.
        DataError: the data cannot be read, or a value is malformed.
        CheckpointError: a file of the run in the directory is corrupt.
    """
    progress = progress or NoProgress()
    complete, task, parts = prepare(experiment, source)
    _refuse_another_run(complete, directory)
    if (directory / RESULT).is_file():
        return TrainedRun(Model.load(directory), _read_result(directory / RESULT))
    # What cannot be built is refused before anything is written.
    network = untrained_network(complete, task, parts.train)
    _announce(directory.name, complete, task, parts, progress)
    long = note_of_long_targets(task, parts.train, complete.decoding)
    if long is not None:
        progress.say(f"note: {long}")
    history = _fit(network, complete, task, parts, directory, progress)
    solved = complete.model_copy(update={"network": completed_network(complete, task)})
    model = Model(solved, task, network)
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
    write_atomically(directory / RESULT, f"{result.model_dump_json(indent=2)}\n".encode())
    return TrainedRun(model, result)


def _check_answers(task: Task, others: Sequence[Table]) -> None:
    """Refuse a number that is missing where it is to be measured by, before hours of training.

    Raises:
        DataError: there is one; file, row and column are named.
    """
    if task.predicts_next or task.forecasts or task.target.kind in NAMED:
        return
    for part in others:
        encode(part, range(len(part)), task.target_columns, task.target, cache=None)


def _announce(
    name: str, experiment: Experiment, task: Task, parts: Parts, progress: Progress
) -> None:
    """Say, before anything is trained, what was understood and assumed."""
    progress.say(task.sentence)
    for note in (*parts.notes, *task.notes):
        progress.say(f"note: {note}")
    learned = f"{counted(len(parts.train), 'row')} to learn from"
    if task.forecasts:
        learned = f"{len(parts.train):,} series to learn from"
    counts = [learned, f"{len(parts.valid):,} to select by"]
    if parts.test is not None:
        counts.append(f"{len(parts.test):,} to measure on")
    progress.say(", ".join(counts))
    progress.say(f"{name}: seed {experiment.seed}. {caveat(experiment)}".removesuffix(". "))


def _fit(
    network: nn.Module,
    experiment: Experiment,
    task: Task,
    parts: Parts,
    directory: Path,
    progress: Progress,
) -> History:
    """Train the network of an experiment; the weights that validation prefers are left in it."""
    settings, seed = experiment.training, experiment.seed
    decoding = answer_options(experiment)
    cache = directory / "encoded" if parts.train.stored else None
    training = training_batches(task, parts.train, settings, seed, cache)
    validation = evaluation_batches(task, parts.valid, settings.batch_size, cache)
    if parts.test is not None:  # a row of it that cannot be read is told of now, not in the end
        evaluation_batches(task, parts.test, settings.batch_size, cache)

    def score(trained: nn.Module) -> float:
        found = scores(
            task, trained, parts.valid, settings.batch_size, decoding, main=experiment.score
        )
        return found.value if found.higher_is_better else -found.value

    if experiment.score is not None:
        score(network)  # a score that this task has not is refused before anything is trained

    if settings.activation_regularisation or settings.temporal_activation_regularisation:
        regularised_part(network)

    # From here on there is a run, to be resumed or not to be overwritten.
    write_atomically(directory / EXPERIMENT, experiment.to_toml().encode())
    return fit(
        network,
        None,
        training,
        validation,
        settings,
        directory=directory,
        seed=seed,
        score=score if settings.select == "score" else None,
        resume=True,
        progress=progress,
    )


def _refuse_another_run(experiment: Experiment, directory: Path) -> None:
    """See that a run already in the directory is one of this experiment."""
    path = directory / EXPERIMENT
    if not path.exists():
        return
    different = experiment.differences(read_experiment(path))
    if different:
        raise ExperimentError(
            f"{directory} holds a run of another experiment: here {'; '.join(different)}. "
            "Choose another directory, or delete that one."
        )


def caveat(experiment: Experiment) -> str:
    """Say what a network's loss is not, where it sees the frame it is asked for; else nothing."""
    spec = experiment.network
    if not experiment.data.predicts_next or not (spec.bidirectional or spec.delay):
        return ""
    sight = "reads every piece backwards too" if spec.bidirectional else f"looks {spec.delay} ahead"
    return (
        f"This network {sight}, so it sees the frame it is asked for: its loss measures memory, "
        "not prediction, and compares with no published number."
    )


def _read_result(path: Path) -> RunResult:
    try:
        return RunResult.model_validate(read_json(path))
    except ValidationError as error:
        raise CheckpointError(f"{path} is not a run's result: {error}.") from error


def _summarise(model: Model, parts: Parts, history: History) -> RunResult:
    """Measure the selected weights, on the training part too where that is what is compared."""
    named = {"train": parts.train, "valid": parts.valid, "test": parts.test}
    found = {name: part for name, part in named.items() if part is not None}
    measured = found if model.task.input.kind == "roll" else {**found}
    if model.task.input.kind != "roll":
        measured.pop("train")
    size = model.experiment.training.batch_size
    facts = forecast_facts(model.experiment.data, model.task, parts.train)
    facts["main"] = model.experiment.score
    decoding = answer_options(model.experiment)
    return RunResult(
        seed=model.experiment.seed,
        sentence=model.task.sentence,
        notes=[*parts.notes, *model.task.notes],
        rows={name: len(part) for name, part in found.items()},
        scores={
            n: scores(model.task, model.network, p, size, decoding, **facts)
            for n, p in measured.items()
        },
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
