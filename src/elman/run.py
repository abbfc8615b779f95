"""One run: from an experiment to a directory that holds a trained model and its measurements.

```
runs/NAME/experiment.toml     every setting, defaults too
         /checkpoints/        best and last, safetensors
         /metrics.jsonl       one line an epoch
         /model/              weights.safetensors, model.json
         /result.json         losses, time and learning curve; written last
```
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from pydantic import ValidationError

from elman.data.catalog import Splits
from elman.data.catalog import load as load_data
from elman.errors import CheckpointError, ExperimentError
from elman.evaluation.comparison import SeedResult
from elman.experiment import Experiment, read_experiment
from elman.features.roll import Roll, RollFeature
from elman.model import EXPERIMENT, MODEL, Model
from elman.networks import ManyToMany
from elman.training.checkpoint import read_json, write_atomically
from elman.training.history import History
from elman.training.preparation import evaluation_batches, training_batches
from elman.training.progress import NoProgress, Progress, progress_on_stderr
from elman.training.seeds import seed_everything
from elman.training.trainer import fit

RESULT = "result.json"


class TrainedRun(NamedTuple):
    """What a finished run leaves: the model and its measurements."""

    model: Model
    result: SeedResult


def train(
    experiment: Experiment | str | Path,
    *,
    out: str | Path | None = None,
    resume: bool = False,
    progress: Progress | None = None,
    **overrides: Any,
) -> Model:
    """Train a model.

    Args:
        experiment: what to train: a specification, a `.toml` file, or a recipe by name.
        out: directory of the run; None for `runs/DATA-CELL-seedSEED`.
        resume: go on with the run in that directory.
        progress: where to show it; None for stderr.
        overrides: settings to change, as in `cell="lstm", epochs=50`; see `Experiment.override`.

    Returns:
        The model, with the weights that validation prefers.

    Raises:
        ExperimentError: the specification is wrong, the directory holds another run, or training
            diverged.
    """
    if not isinstance(experiment, Experiment):
        experiment = read_experiment(experiment)
    experiment = experiment.override(overrides)
    directory = default_directory(experiment) if out is None else Path(out)
    progress = progress or progress_on_stderr()
    return train_run(experiment, directory, resume=resume, progress=progress).model


def train_run(
    experiment: Experiment,
    directory: Path,
    *,
    resume: bool = False,
    progress: Progress | None = None,
) -> TrainedRun:
    """Begin a run in a new directory, or resume the one in it; neither by mistake.

    Args:
        experiment: what to train.
        directory: of the run.
        resume: whether a run is in the directory already.
        progress: where to show it; None for nowhere.

    Raises:
        ExperimentError: there is a run and `resume` was not asked for, or the other way round;
            and as for `run_experiment`.
    """
    there = (directory / EXPERIMENT).exists()
    if there and not resume:
        raise ExperimentError(
            f"{directory} already holds a run; resume it (--resume, or resume=True in Python), or "
            "choose another directory for this one."
        )
    if resume and not there:
        raise ExperimentError(f"{directory} holds no run to resume; leave resume out to begin one.")
    return run_experiment(experiment, directory, progress=progress)


def run_experiment(
    experiment: Experiment, directory: Path, *, progress: Progress | None = None
) -> TrainedRun:
    """Train, select, save and measure.

    Args:
        experiment: what to train.
        directory: of the run; empty, or with a run of the very same experiment, which is gone on
            with where it is unfinished and loaded where it is finished.
        progress: where to show it; None for nowhere.

    Raises:
        ExperimentError: the directory holds a run of another experiment, or training diverged.
        CheckpointError: a file of the run in the directory is corrupt.
    """
    progress = progress or NoProgress()
    settings, seed = experiment.training, experiment.seed
    splits = load_data(experiment.data.name)
    feature = RollFeature().fit(splits.train)
    solved = experiment.solved(feature.size)
    _record_experiment(experiment, directory)
    if (directory / RESULT).is_file():
        return TrainedRun(Model.load(directory), _read_result(directory / RESULT))
    progress.say(f"{directory.name}: seed {seed}. {caveat(experiment)}".removesuffix(". "))
    network = untrained_network(solved, feature, splits.train)
    history = fit(
        network,
        feature.loss,
        training_batches(splits.train, feature, settings, seed),
        evaluation_batches(splits.valid, feature, settings.batch_size),
        settings,
        directory=directory,
        seed=seed,
        resume=True,
        progress=progress,
    )
    model = Model(solved, network, feature)
    model.save(directory / MODEL)
    result = _summarise(model, history)
    write_atomically(directory / RESULT, f"{result.model_dump_json(indent=2)}\n".encode())
    return TrainedRun(model, result)


def untrained_network(
    experiment: Experiment, feature: RollFeature, rolls: Sequence[Roll]
) -> ManyToMany:
    """Draw the network of an experiment as it is before training: the same seed, the same weights.

    Args:
        experiment: with its hidden size solved for.
        feature: of its inputs and outputs.
        rolls: the training split, whose base rates the outputs may begin at.
    """
    seed_everything(experiment.seed)
    spec = experiment.network
    base_rates = feature.log_odds(rolls) if spec.output_bias_init == "base-rate" else None
    return spec.build(feature.size, output_bias=base_rates)


def default_directory(experiment: Experiment) -> Path:
    """Name a run after its data set, cell and seed: `runs/chorales-gru-seed1`."""
    return Path("runs", f"{experiment.data.name}-{experiment.network.cell}-seed{experiment.seed}")


def _record_experiment(experiment: Experiment, directory: Path) -> None:
    """Write the experiment into the run's directory, or see that it is the one already there."""
    path = directory / EXPERIMENT
    if not path.exists():
        write_atomically(path, experiment.to_toml().encode())
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
    if not (spec.bidirectional or spec.delay):
        return ""
    sight = "reads every piece backwards too" if spec.bidirectional else f"looks {spec.delay} ahead"
    return (
        f"This network {sight}, so it sees the frame it is asked for: its loss measures memory, "
        "not prediction, and compares with no published number."
    )


def _read_result(path: Path) -> SeedResult:
    try:
        return SeedResult.model_validate(read_json(path))
    except ValidationError as error:
        raise CheckpointError(f"{path} is not a run's result: {error}.") from error


def _summarise(model: Model, history: History) -> SeedResult:
    """Measure the selected weights on every split."""
    losses = {split: model.evaluate(split)["nll"] for split in Splits._fields}
    return SeedResult(
        seed=model.experiment.seed,
        train_nll=losses["train"],
        valid_nll=losses["valid"],
        test_nll=losses["test"],
        best_epoch=history.best.epoch,
        epochs=len(history.epochs),
        seconds=history.seconds,
        seconds_per_epoch=history.seconds / len(history.epochs),
        curve=list(history.epochs),
    )
