"""From what somebody names, a recipe, a file or values, to a trained model."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from elman.errors import ExperimentError
from elman.experiment import Experiment, read_experiment
from elman.models.directory import EXPERIMENT
from elman.models.model import Model
from elman.runs.run import TrainedRun, run_experiment
from elman.training.progress import Progress, progress_on_stderr


def train(
    source: Any,
    *,
    out: str | Path | None = None,
    resume: bool = False,
    progress: Progress | None = None,
    **settings: Any,
) -> Model:
    """Train a model.

    Args:
        source: what to learn from: a recipe by name, an experiment as a `.toml` file or object, a
            file, a folder or a pattern of files, or values in Python as
            `elman.data.sources.read_table` takes them.
        out: directory of the run; None for that of `default_directory`.
        resume: go on with the run in that directory.
        progress: where to show it; None for stderr.
        settings: to change, as in `input="text", target="label", cell="lstm", epochs=50`; see
            `Experiment.override`.

    Returns:
        The model, with the weights that validation prefers.

    Raises:
        ExperimentError: the specification is wrong, the directory holds another run, or training
            diverged.
        DataError: a file or a value cannot be read; file, row and column are named.
    """
    experiment, values = experiment_for(source, settings)
    directory = default_directory(experiment) if out is None else Path(out)
    progress = progress or progress_on_stderr()
    return train_run(experiment, directory, source=values, resume=resume, progress=progress).model


def experiment_for(source: Any, settings: dict[str, Any]) -> tuple[Experiment, Any]:
    """Make the experiment of what somebody names, and return the values they handed over.

    Args:
        source: see `train`.
        settings: to change.

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
    """Tell a recipe's name from a path: one word without a suffix that no file is called."""
    return "/" not in text and not Path(text).suffix and "*" not in text and not Path(text).exists()


def train_run(
    experiment: Experiment,
    directory: Path,
    *,
    source: Any = None,
    resume: bool = False,
    progress: Progress | None = None,
) -> TrainedRun:
    """Begin a run in a new directory, or resume the one in it; neither by mistake.

    Args:
        experiment: what to train.
        directory: of the run.
        source: values handed over in Python, where the experiment names no data.
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
    return run_experiment(experiment, directory, source=source, progress=progress)


def default_directory(experiment: Experiment) -> Path:
    """Name a run after its data, its cell where one is given, and seed: `runs/chorales-gru-seed1`.

    A cell that is not given is chosen to suit the data, which has not been read yet.
    """
    spec = experiment.network
    cell = [spec.cell] if "cell" in spec.model_fields_set else []
    return Path("runs", "-".join([experiment.data.title, *cell, f"seed{experiment.seed}"]))
