"""From a recipe, a file or values to a trained model."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from elman.errors import ExperimentError
from elman.experiment import Experiment, read_experiment
from elman.models.directory import EXPERIMENT
from elman.models.model import Model
from elman.runs.run import TrainedRun, run_experiment
from elman.training.callbacks import Callback
from elman.training.progress import Progress, progress_on_stderr


def train(
    source: Any,
    *,
    out: str | Path | None = None,
    resume: bool = False,
    callbacks: Sequence[Callback] = (),
    progress: Progress | None = None,
    **settings: Any,
) -> Model:
    """Train a model.

    Args:
        source: the name of a recipe, an experiment as a `.toml` file or object, a data file, a
            folder or a pattern of files, or values in Python, as
            `elman.data.sources.read_table` takes them.
        out: directory of the run; None for that of `default_directory`.
        resume: whether to resume the run in that directory.
        callbacks: are told of every step, epoch and checkpoint; see `elman.Callback`.
        progress: shows the progress; None to show it on stderr.
        settings: settings to change, as in `input="text", target="label", cell="lstm"`; see
            `Experiment.override`.

    Returns:
        The model, with the weights of the epoch that is best on the validation rows.

    Raises:
        ExperimentError: the specification is wrong, the directory holds another run, or training
            diverged.
        DataError: a file or a value cannot be read; file, row and column are named.
    """
    experiment, values = experiment_for(source, settings)
    directory = default_directory(experiment) if out is None else Path(out)
    progress = progress or progress_on_stderr()
    run = train_run(
        experiment,
        directory,
        source=values,
        resume=resume,
        callbacks=callbacks,
        progress=progress,
    )
    return run.model


def experiment_for(source: Any, settings: dict[str, Any]) -> tuple[Experiment, Any]:
    """Return the experiment for a source, and the values if it was values in Python.

    Args:
        source: see `train`.
        settings: settings to change.

    Raises:
        ExperimentError: there is no such recipe or file, or a setting is wrong.
    """
    if isinstance(source, Experiment):
        return source.override(settings), None
    if isinstance(source, str | Path):
        text = str(source)
        if Path(text).suffix == ".toml" or _is_a_name(text):
            return read_experiment(source).override(settings), None
        whole = Experiment.from_values({"data": {"files": [text]}}, origin="the experiment")
        return whole.override(settings), None
    if isinstance(source, list | tuple) and source and isinstance(source[0], str | Path):
        files = {"data": {"files": [str(path) for path in source]}}
        return Experiment.from_values(files, origin="the experiment").override(settings), None
    empty = Experiment.from_values({"data": {}}, origin="the experiment")
    return empty.override(settings), source


def _is_a_name(text: str) -> bool:
    """Tell a recipe's name from a path: one word without a suffix, and no such file."""
    return "/" not in text and not Path(text).suffix and "*" not in text and not Path(text).exists()


def train_run(
    experiment: Experiment,
    directory: Path,
    *,
    source: Any = None,
    resume: bool = False,
    callbacks: Sequence[Callback] = (),
    progress: Progress | None = None,
) -> TrainedRun:
    """Begin a run in a new directory, or resume the run in it; neither by mistake.

    Args:
        experiment: what to train.
        directory: directory of the run.
        source: values passed in Python, where the experiment names no data.
        resume: whether to resume the run in the directory.
        callbacks: are told of every step, epoch and checkpoint.
        progress: shows the progress; None to show none.

    Raises:
        ExperimentError: there is a run and `resume` is False, or the other way round; and as
            for `run_experiment`.
    """
    exists = (directory / EXPERIMENT).exists()
    if exists and not resume:
        raise ExperimentError(
            f"{directory} already holds a run; resume it (--resume, or resume=True in Python), or "
            "choose another directory for this one."
        )
    if resume and not exists:
        raise ExperimentError(f"{directory} holds no run to resume; leave resume out to begin one.")
    return run_experiment(
        experiment,
        directory,
        source=source,
        may_change=resume,
        callbacks=callbacks,
        progress=progress,
    )


def default_directory(experiment: Experiment) -> Path:
    """Name a run after its data, cell, where one is given, and seed: `runs/chorales-gru-seed1`.

    A cell that is not given is chosen to suit the data, which has not been read yet.
    """
    spec = experiment.network
    cell = [spec.cell] if "cell" in spec.model_fields_set else []
    return Path("runs", "-".join([experiment.data.title, *cell, f"seed{experiment.seed}"]))
