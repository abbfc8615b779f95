"""A network as it is before training."""

from __future__ import annotations

from torch import Tensor, nn

from elman.data.table import Table
from elman.errors import ExperimentError
from elman.experiment import Experiment, NetworkSpec
from elman.networks import load_word_vectors, read_word_vectors
from elman.networks.build import solved, specified_network
from elman.networks.ensemble import members_of
from elman.tasks.task import Task
from elman.training.seeds import seed_everything


def untrained_network(experiment: Experiment, task: Task, train: Table) -> nn.Module:
    """Build the network of an experiment with its initial weights, which the seed fixes.

    Args:
        experiment: complete.
        task: what is predicted from what.
        train: the training part, whose base rates may initialise the output bias.
    """
    spec = completed_network(experiment, task)
    rates: Tensor | None = None
    if spec.output_bias_init == "base-rate" and not spec.tie_embeddings:
        rates = task.base_rates(train)
    seed_everything(experiment.seed)
    network = specified_network(
        spec,
        task.input.encoding,
        task.make_objective(),
        output_bias=rates,
        **task.network_arguments(experiment),
    )
    if spec.word_vectors is not None:
        _begin_at_word_vectors(network, task, spec.word_vectors)
    return network


def _begin_at_word_vectors(network: nn.Module, task: Task, path: str) -> None:
    """Initialise the embedding of a network with the word vectors of a text file.

    Raises:
        ExperimentError: the input is no text, or none of its words has a vector.
    """
    vocabulary = getattr(task.input, "vocabulary", None)
    if vocabulary is None:
        raise ExperimentError(
            f"network.word_vectors are for text and symbols, and the input is of kind "
            f"{task.input.kind!r}; leave them out."
        )
    ids = {str(name): index for index, name in enumerate(vocabulary.names, start=1)}
    vectors = read_word_vectors(path, ids)
    for each in members_of(network):
        loaded = load_word_vectors(each.inputs.tables[0], vectors)
    if not loaded:
        raise ExperimentError(
            f"none of the {len(ids)} training words has a vector in {path}; are they "
            "spelt differently there, in capitals for instance?"
        )


def completed_network(experiment: Experiment, task: Task) -> NetworkSpec:
    """Return the network of an experiment, its hidden size solved for."""
    return solved(
        experiment.network,
        task.input.encoding,
        task.make_objective(),
        **task.network_arguments(experiment),
    )
