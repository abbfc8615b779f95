"""The networks of a comparison: one per cell, all with about as many parameters.

The budget is `network.parameters`, where it is set; otherwise the number of parameters that the
network of the experiment itself has, with its own cell and hidden size. A list of hidden sizes and
the size of a decoder keep their proportions: all sizes grow and shrink together. An embedding that
is tied to the output layer keeps the size of the last layer's output.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from torch import nn

from elman.cells import CELLS
from elman.errors import OptionError
from elman.experiment import Experiment
from elman.experiment.categories import CATEGORIES, WRITERS
from elman.experiment.network import NetworkSpec
from elman.layers import layer_class, layer_options, parameter_count
from elman.models.model import Model
from elman.models.network import completed_network
from elman.networks.build import build_network, hidden_size_for, specified_network
from elman.networks.components import OPTIONS_OF_SOME_CELLS
from elman.report.run.findings import setting_text
from elman.report.style import label
from elman.runs.run import Prepared, RunResult
from elman.tasks.task import Task


class Budget(NamedTuple):
    """The number of parameters that every network approaches as nearly as possible."""

    parameters: int
    given: bool
    """Whether the experiment gives it, rather than a hidden size."""
    origin: str
    """Where it comes from, a clause; empty where it was given."""


class Contender(NamedTuple):
    """One cell, the size of its network, and the results of its runs."""

    cell: str
    changes: Mapping[str, Any]
    """Settings, other than the seed, in which its runs differ from the experiment."""
    hidden_size: int | list[int]
    parameters: int
    notes: list[str]
    """Sentences, one for each option of the experiment that it leaves out."""
    models: list[Model]
    results: list[RunResult]


def find_budget(prepared: Prepared) -> Budget:
    """Return the number of parameters of the networks of a comparison.

    Raises:
        OptionError: the network of this task has no cell.
    """
    experiment, task, _ = prepared
    if not CATEGORIES[task.category].recurrent:
        raise OptionError(
            "a comparison needs a network with a recurrent cell, and this task is "
            f"{task.sentence}: its network has only dense layers, because no input or target has "
            "steps. Train it with elman train."
        )
    spec = experiment.network
    if spec.parameters is not None:
        return Budget(spec.parameters, given=True, origin="")
    parameters = _count(experiment, task)
    size = spec.hidden_size if isinstance(spec.hidden_size, list) else [spec.hidden_size]
    own = spec.cell
    decoder = experiment.decoder.cell or own
    origin = (
        f"as many as the network of the experiment has: {label(own)}, hidden size "
        f"{' + '.join(map(str, size))}{f', decoder {label(decoder)}' if decoder != own else ''}"
    )
    return Budget(parameters, given=False, origin=origin)


def contender_for(
    cell: str, experiment: Experiment, prepared: Prepared, budget: Budget
) -> Contender:
    """Find a cell's hidden size, and the options that have no meaning for it.

    Args:
        cell: name of a known cell.
        experiment: the experiment, without defaults.
        prepared: the same experiment, every setting filled in.
        budget: budget of the comparison.

    Raises:
        OptionError: the budget is too small or too large, or an option fits no cell.
    """
    changes, notes = _changes(cell, experiment)
    complete = prepared.experiment.override(changes)
    if not budget.given:
        changes |= _sizes(complete, prepared.task, budget.parameters)
        complete = prepared.experiment.override(changes)
    size = completed_network(complete, prepared.task).hidden_size
    assert size is not None, "a network with cells has a hidden size"
    return Contender(cell, changes, size, _count(complete, prepared.task), notes, [], [])


def _changes(cell: str, experiment: Experiment) -> tuple[dict[str, Any], list[str]]:
    """Return the settings that give an experiment a cell, and notes on what it leaves out."""
    changes: dict[str, Any] = {"network.cell": cell}
    if experiment.decoder.cell is not None:
        changes["decoder.cell"] = cell
    options = experiment.network.cell_options
    foreign = [
        name
        for name in options
        if not _takes(cell, name) and any(_takes(other, name) for other in CELLS)
    ]
    if foreign:
        kept = {name: value for name, value in options.items() if name not in foreign}
        changes["network.cell_options"] = kept
    left_out = {name: options[name] for name in foreign}
    for name in (*OPTIONS_OF_SOME_CELLS, "weight_dropout"):
        value, default = getattr(experiment.network, name), _default(name)
        if value != default and not _takes(cell, name):
            changes[f"network.{name}"] = default
            left_out[name] = value
    notes = [
        f"{name} = {setting_text(value)} has no meaning for the {label(cell)} cell, "
        "which is trained without it."
        for name, value in left_out.items()
    ]
    return changes, notes


def _default(name: str) -> Any:
    return NetworkSpec.model_fields[name].default


def _takes(cell: str, option: str) -> bool:
    """Tell whether an option has a meaning for the layer of a cell.

    Dropout of weights needs recurrent ones. Every layer takes a `proj_size`, most of them 0 alone.
    """
    if option == "weight_dropout":
        return CELLS[cell].variant().reads_hidden
    if option == "proj_size":
        return "projection" in CELLS[cell].variant().weights._fields
    return option in layer_options(layer_class(cell))


def _count(experiment: Experiment, task: Task) -> int:
    """Count the parameters of the network of a complete experiment."""
    network = specified_network(
        completed_network(experiment, task),
        task.input.encoding,
        task.make_objective(),
        **task.network_arguments(experiment),
    )
    return parameter_count(network)


def _sizes(experiment: Experiment, task: Task, parameters: int) -> dict[str, Any]:
    """Solve for the sizes whose network comes nearest to a number of parameters."""
    spec = experiment.network
    shape = _Shape.of(experiment)

    def build(hidden_size: int, **arguments: Any) -> nn.Module:
        for name, size in shape.sized(hidden_size).items():
            section, option = name.split(".")
            if section == "network":
                arguments[option] = size
            else:
                arguments[section] = arguments[section] | {option: size}
        return build_network(**arguments)

    options = spec.arguments()
    options.pop("hidden_size")
    first = hidden_size_for(
        parameters,
        build,
        category=task.category,
        encoding=task.input.encoding,
        objective=task.make_objective(),
        **task.network_arguments(experiment),
        **options,
    )
    return shape.sized(first)


class _Shape(NamedTuple):
    """The sizes of an experiment's recurrent layers, in proportion to that of the first."""

    first: int
    network: int | list[int]
    decoder: int | list[int] | None
    projected: int
    """Size of h where it is projected, else 0; a layer has more units than that."""
    tied: str | None
    """The setting of an embedding size that must equal the size of the last layer's output."""
    directions: int
    """How many directions the tied output layer reads."""

    @classmethod
    def of(cls, experiment: Experiment) -> _Shape:
        spec, decoder = experiment.network, experiment.decoder
        size, projected = spec.hidden_size, spec.cell_options.get("proj_size", 0)
        assert size is not None, "the budget was counted from it"
        writes = spec.category in WRITERS
        tied = None
        if spec.tie_embeddings and not spec.head:
            size_given = decoder.embedding_size if writes else spec.embedding_size
            tied = f"{'decoder' if writes else 'network'}.embedding_size" if size_given else None
        return cls(
            size[0] if isinstance(size, list) else size,
            size,
            decoder.hidden_size,
            projected if isinstance(projected, int) else 0,
            tied,
            2 if spec.bidirectional and not writes else 1,
        )

    def sized(self, first: int) -> dict[str, int | list[int]]:
        """Return the settings of all sizes, given the number of units of the first layer."""
        sizes = {"network.hidden_size": self._scaled(self.network, first)}
        if self.decoder is not None:
            sizes["decoder.hidden_size"] = self._scaled(self.decoder, first)
        if self.tied is not None:
            top = list(sizes.values())[-1]
            last = top[-1] if isinstance(top, list) else top
            sizes[self.tied] = self.directions * (self.projected or last)
        return sizes

    def _scaled(self, size: int | list[int], first: int) -> int | list[int]:
        if isinstance(size, list):
            return [self._each(one, first) for one in size]
        return self._each(size, first)

    def _each(self, size: int, first: int) -> int:
        return max(1 + self.projected, round(size * first / self.first))
