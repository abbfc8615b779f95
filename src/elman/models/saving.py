"""A model as files: the weights as safetensors, and a description of all the rest as JSON.

A run that has not finished holds a description too, without weights; they are those of the best
epoch until then.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from elman.errors import CheckpointError, ElmanError, MissingDependencyError, PluginError
from elman.experiment import Experiment
from elman.files import read_json, write_atomically
from elman.layers import parameter_count
from elman.models.directory import DESCRIPTION, ROWS, WEIGHTS, model_directory
from elman.models.trained_on import DataRecord, TrainedOn
from elman.networks.build import specified_network
from elman.tasks.find import task_from_json
from elman.tasks.task import Task
from elman.training.checkpoint import (
    FORMAT,
    Checkpoint,
    check_weights,
    load_checkpoint,
    load_weights,
    save_checkpoint,
)
from elman.training.keeping import BEST


class Parts(NamedTuple):
    """What a model is made of."""

    experiment: Experiment
    task: Task
    network: nn.Module
    trained_on: TrainedOn | None
    unfinished: str = ""
    """What to know of weights of a run that has not finished; empty where it has."""


def save(parts: Parts, directory: Path) -> None:
    """Write weights and description."""
    checksum = save_checkpoint(directory / WEIGHTS, parts.network.state_dict(), {})
    describe(parts, directory, checksum)


def describe(parts: Parts, directory: Path, checksum: int | None = None) -> None:
    """Write the description of a model.

    Args:
        parts: the model.
        directory: created if need be.
        checksum: of the weights; None while the run trains that the model comes from.
    """
    description = {
        "format": FORMAT,
        "experiment": parts.experiment.to_values(),
        "task": parts.task.to_json(),
        "parameters": parameter_count(parts.network),
        "weights_checksum": checksum,
    }
    if parts.trained_on is not None:
        parts.trained_on.save(directory / ROWS)
        description["data"] = parts.trained_on.record.model_dump()
    text = json.dumps(description, indent=2, ensure_ascii=False)
    write_atomically(directory / DESCRIPTION, f"{text}\n".encode(), durable=True)


def load(directory: Path) -> Parts:
    """Read what `save` or `describe` wrote.

    Args:
        directory: of the model, or of the run that holds it.

    Raises:
        CheckpointError: a file is missing, truncated, corrupt, or does not fit the others.
    """
    directory = model_directory(directory)
    path = directory / DESCRIPTION
    description = read_json(path)
    if description.get("format") != FORMAT:
        raise CheckpointError(
            f'{path} must say "format": {FORMAT!r}, got {description.get("format")!r}; it '
            "was written by something else, or by another version of Elman."
        )
    weights, origin, unfinished = _weights(directory, description)
    try:
        experiment = Experiment.from_values(description["experiment"], origin=str(path))
        task = task_from_json(description["task"])
        # Sizes are compared with the weights before memory is taken for them.
        check_weights(_network(experiment, task, "meta"), weights.tensors, origin=origin)
        network = _network(experiment, task)
    except (MissingDependencyError, PluginError):
        raise  # the description is sound; what it needs is not installed
    except CheckpointError:
        raise
    except (ElmanError, KeyError, TypeError) as error:
        raise CheckpointError(f"{path} is not a model's description: {error}") from error
    load_weights(network, weights.tensors, origin=origin)
    _check_finite(network, origin)
    return Parts(experiment, task, network, _trained_on(directory, description), unfinished)


def _network(experiment: Experiment, task: Task, device: str | None = None) -> nn.Module:
    """Build the network of a task, without its weights.

    Raises:
        CheckpointError: a size is beyond what any tensor may have.
    """
    try:
        return specified_network(
            experiment.network,
            task.input.encoding,
            task.make_objective(),
            device=device,
            **task.network_arguments(experiment),
        )
    except RuntimeError as error:
        if device != "meta":
            raise
        raise CheckpointError(f"no network has the sizes of {DESCRIPTION}: {error}") from error


def _check_finite(network: nn.Module, origin: Path) -> None:
    """Refuse weights that are infinite or no numbers, which answer everything alike.

    Raises:
        CheckpointError: a weight is; the first is named.
    """
    weights: dict[str, Tensor] = dict(network.named_parameters())
    for name, weight in weights.items():
        wrong = int((~torch.isfinite(weight)).sum())
        if wrong:
            raise CheckpointError(
                f"{origin}: {name!r} has {wrong:,} of {weight.numel():,} values that are infinite "
                "or not numbers, and a network computes nothing with them; restore it from a copy, "
                "or train again."
            )


def _weights(directory: Path, description: Mapping[str, Any]) -> tuple[Checkpoint, Path, str]:
    """Read the weights of a model, or of the best epoch of a run that has not finished."""
    checksum = description.get("weights_checksum")
    if checksum is None and "weights_checksum" in description:
        path = directory.parent / BEST
        if not path.exists():
            raise CheckpointError(
                f"{directory.parent} holds a run that has not finished, and no epoch of it is "
                "written yet; resume it with the same command and --resume."
            )
        weights = load_checkpoint(path)
        return (
            weights,
            path,
            (
                f"the run in {directory.parent} has not finished: these are the weights of epoch "
                f"{weights.facts.get('epoch')}, the best until now."
            ),
        )
    path = directory / WEIGHTS
    weights = load_checkpoint(path)
    if weights.checksum != checksum:
        raise CheckpointError(
            f"{path} and {DESCRIPTION} do not belong together: the checksum of the weights "
            "differs. Copy both from the same run."
        )
    return weights, path, ""


def _trained_on(directory: Path, description: Mapping[str, Any]) -> TrainedOn | None:
    """Read the digests of the training data; None in a model of an earlier version."""
    if "data" not in description or not (directory / ROWS).is_file():
        return None
    record = DataRecord.of(description["data"], directory / DESCRIPTION)
    return TrainedOn.load(record, directory / ROWS)
