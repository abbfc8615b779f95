"""The networks of a comparison: each cell's own, all of the same number of parameters.

The budget is the one that was given, `network.parameters`; otherwise it is what the network of the
experiment itself has, with its own cell and hidden size. A list of hidden sizes, or a decoder with
a size of its own, keeps its shape: all sizes grow and shrink in proportion. An embedding that the
output layer is tied to has the size of the last layer, and follows it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from torch import nn

from elman.cells import CELLS
from elman.errors import OptionError
from elman.experiment import Experiment
from elman.experiment.categories import CATEGORIES, WRITERS
from elman.layers import layer_class, layer_options, parameter_count
from elman.models.model import Model
from elman.models.network import completed_network
from elman.networks.build import build_network, hidden_size_for, specified_network
from elman.report.run.findings import setting_text
from elman.report.style import label
from elman.runs.run import Prepared, RunResult
from elman.tasks.task import Task


class Budget(NamedTuple):
    """The number of parameters that every network comes as near to as it can."""

    parameters: int
    given: bool
    """Whether the experiment gives it, rather than a hidden size."""
    said: str
    """Where it comes from, a clause; nothing where it was given."""


class Contender(NamedTuple):
    """One cell, its network's size, and what became of it."""

    cell: str
    changes: Mapping[str, Any]
    """Settings by which its runs differ from the experiment, the seed aside."""
    hidden_size: int | list[int]
    parameters: int
    notes: list[str]
    """What it leaves out of the experiment, a sentence each."""
    models: list[Model]
    results: list[RunResult]


def find_budget(prepared: Prepared) -> Budget:
    """Say how many parameters the networks of a comparison have.

    Raises:
        OptionError: the network of this task has no cell.
    """
    experiment, task, _ = prepared
    if not CATEGORIES[task.category].recurrent:
        raise OptionError(
            f"cells are compared in networks that have one, and this task is {task.sentence}: its "
            "network is made of dense layers alone, as no input or target has steps. Train it with "
            "elman train."
        )
    spec = experiment.network
    if spec.parameters is not None:
        return Budget(spec.parameters, given=True, said="")
    parameters = _count(experiment, task)
    size = spec.hidden_size if isinstance(spec.hidden_size, list) else [spec.hidden_size]
    own = spec.cell
    decoder = experiment.decoder.cell or own
    said = (
        f"as many as the network of the experiment has: {label(own)}, hidden size "
        f"{' + '.join(map(str, size))}{f', decoder {label(decoder)}' if decoder != own else ''}"
    )
    return Budget(parameters, given=False, said=said)


def contender_for(cell: str, asked: Experiment, prepared: Prepared, budget: Budget) -> Contender:
    """Find a cell's hidden size, and what of the experiment has no meaning for it.

    Args:
        cell: a known one.
        asked: the experiment as it was asked for.
        prepared: the same, every setting filled in.
        budget: of the comparison.

    Raises:
        OptionError: the budget is too small or too large, or an option fits no cell.
    """
    changes, notes = _changes(cell, asked)
    complete = prepared.experiment.override(changes)
    if not budget.given:
        changes |= _sizes(complete, prepared.task, budget.parameters)
        complete = prepared.experiment.override(changes)
    size = completed_network(complete, prepared.task).hidden_size
    assert size is not None, "a network with cells has a hidden size"
    return Contender(cell, changes, size, _count(complete, prepared.task), notes, [], [])


def _changes(cell: str, asked: Experiment) -> tuple[dict[str, Any], list[str]]:
    """Name the settings that make an experiment one of a cell, and say what it leaves out."""
    changes: dict[str, Any] = {"network.cell": cell}
    if asked.decoder.cell is not None:
        changes["decoder.cell"] = cell
    options = asked.network.cell_options
    foreign = [
        name
        for name in options
        if not _takes(cell, name) and any(_takes(other, name) for other in CELLS)
    ]
    if foreign:
        kept = {name: value for name, value in options.items() if name not in foreign}
        changes["network.cell_options"] = kept
    notes = [
        f"{name} = {setting_text(options[name])} has no meaning for the {label(cell)} cell, which "
        "goes without."
        for name in foreign
    ]
    return changes, notes


def _takes(cell: str, option: str) -> bool:
    """Tell whether the layer of a cell has an option."""
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
    found = hidden_size_for(
        parameters,
        build,
        category=task.category,
        encoding=task.input.encoding,
        objective=task.make_objective(),
        **task.network_arguments(experiment),
        **options,
    )
    return shape.sized(found)


class _Shape(NamedTuple):
    """How the sizes of an experiment's recurrent layers stand to that of the first."""

    first: int
    network: int | list[int]
    decoder: int | list[int] | None
    projected: int
    """Size of h where it is projected, 0 where it is not; a layer has more units than that."""
    tied: str | None
    """The setting of an embedding size that has to be that of the last layer's output."""
    directions: int
    """That are read by what is tied."""

    @classmethod
    def of(cls, experiment: Experiment) -> _Shape:
        spec, decoder = experiment.network, experiment.decoder
        size, projected = spec.hidden_size, spec.cell_options.get("proj_size", 0)
        assert size is not None, "the budget was counted from it"
        writes = spec.category in WRITERS
        tied = None
        if spec.tie_embeddings and not spec.head:
            given = decoder.embedding_size if writes else spec.embedding_size
            tied = f"{'decoder' if writes else 'network'}.embedding_size" if given else None
        return cls(
            size[0] if isinstance(size, list) else size,
            size,
            decoder.hidden_size,
            projected if isinstance(projected, int) else 0,
            tied,
            2 if spec.bidirectional and not writes else 1,
        )

    def sized(self, first: int) -> dict[str, int | list[int]]:
        """Name the settings of the sizes where the first layer has so many units."""
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
