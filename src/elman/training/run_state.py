"""All that a training run goes on from: the network, its optimiser, averages, and their history."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel

from elman.errors import CheckpointError, OptionError
from elman.experiment.training import TrainingSettings
from elman.training.averaging import averaged, averages
from elman.training.checkpoint import load_checkpoint, load_weights
from elman.training.device import fabric_for
from elman.training.history import History
from elman.training.keeping import BEST, LAST, Snapshot
from elman.training.optimizers import optimizer_for
from elman.training.position import CARRIED, Position
from elman.training.resuming import changes_since, check_best, find_checkpoint
from elman.training.schedule import learning_rate
from elman.training.seeds import generator_state, restore_generators

Score = Callable[[nn.Module], float]
"""A network in evaluation mode, on its device → its score, the higher the better."""


class RunState:
    """What a training run is made of, saved and restored as a whole.

    Args:
        network: what is trained.
        settings: every hyperparameter.
        directory: of the run.
        seed: of dropout masks.
    """

    def __init__(
        self, network: nn.Module, settings: TrainingSettings, directory: Path, seed: int
    ) -> None:
        self.network = network
        self.settings = settings
        self.directory = directory
        self.seed = seed
        self.history = History(select=settings.select)
        self.fabric = fabric_for(settings)
        self.wrapped, self.optimizer = self.fabric.setup(network, optimizer_for(network, settings))
        self.selected: nn.Module = self.wrapped
        self.average: AveragedModel | None = None
        self.average_if_due()

    def average_if_due(self) -> None:
        """Start averaging the weights, and selecting the average, once it is due."""
        if self.average is None and averages(self.settings, self.history.costs):
            self.average = averaged(self.network, self.settings)
            self.selected = self.fabric.setup_module(self.average.module)

    def set_rate(self, moment: float) -> float:
        """Set the learning rate of the next update, `moment` epochs after training began."""
        halved = 0.5**self.history.halvings
        rate: float = halved * learning_rate(self.settings, moment, self.history.costs)
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        return rate

    def score(self, measure: Score | None) -> float | None:
        """Score the weights that would be selected; None without a score, or a finite one."""
        if measure is None:
            return None
        network = self.network if self.average is None else self.average.module
        network.eval()
        with torch.no_grad():
            value = float(measure(network))
        return value if math.isfinite(value) else None

    def snapshot(self, position: Position | None = None) -> Snapshot:
        """Return all that training goes on from: tensors, and the other facts.

        Args:
            position: how far an epoch has come; None between two epochs.
        """
        tensors = {f"network.{name}": value for name, value in self.network.state_dict().items()}
        if self.average is not None:
            tensors |= {f"average.{name}": v for name, v in self.average.state_dict().items()}
        optimizer = self.optimizer.state_dict()
        for index, slots in optimizer["state"].items():
            for name, value in slots.items():
                if value is not None:
                    tensors[f"optimizer.{index}.{name}"] = value
        generator_tensors, generators = generator_state()
        facts: dict[str, Any] = {
            "seed": self.seed,
            "settings": self.settings.model_dump(),
            "history": self.history.model_dump(),
            "optimizer": optimizer["param_groups"],
            "generators": generators,
        }
        if position is not None:
            facts["position"], carried = position.split()
            tensors |= carried
        return Snapshot(tensors | generator_tensors, facts)

    def restore(self, say: Callable[[str], None]) -> Position:
        """Restore the checkpoint that holds most of the run; return how far its epoch has come.

        Args:
            say: takes a sentence about what is worth knowing.

        Raises:
            CheckpointError: it is damaged or of another run.
        """
        (tensors, facts, _), path = find_checkpoint(self.directory, say)
        try:
            changes = changes_since(facts, self.settings, self.seed, path)
            position = self.restore_from(tensors, facts, path)
        except KeyError as error:
            raise CheckpointError(
                f"{path} is no checkpoint of a training run: it lacks {error}."
            ) from error
        check_best(self.directory, self.history)
        if changes:
            when = f"{', '.join(changes)} from epoch {len(self.history.epochs) + 1} on."
            say(f"{self.directory.name}: {when}")
            self.history = self.history.model_copy(
                update={"changes": (*self.history.changes, when), "ended": ""}
            )
        return position

    def restore_from(
        self, tensors: Mapping[str, Tensor], facts: Mapping[str, Any], path: Path
    ) -> Position:
        """Restore what `snapshot` returned; return how far its epoch had come."""
        self.history = History.model_validate(facts["history"])
        load_weights(self.network, _under("network.", tensors), origin=path)
        self.average_if_due()
        if self.average is not None:
            load_weights(self.average, _under("average.", tensors), origin=path)
        slots: dict[int, dict[str, Tensor]] = {}
        for name, value in _under("optimizer.", tensors).items():
            index, slot = name.split(".", 1)
            slots.setdefault(int(index), {})[slot] = value
        self.optimizer.load_state_dict({"state": slots, "param_groups": facts["optimizer"]})
        restore_generators(tensors, facts["generators"])
        if "position" not in facts:
            return Position(seconds=self.history.seconds)
        device = self.fabric.device
        carried = {n: t.to(device) for n, t in tensors.items() if n.startswith(CARRIED)}
        return Position.joined(facts["position"], carried)

    def restore_last_epoch(self) -> None:
        """Restore the end of the last epoch from its file."""
        path = self.directory / LAST
        tensors, facts, _ = load_checkpoint(path)
        self.restore_from(tensors, facts, path)

    def load_best(self) -> None:
        """Put the selected weights into the network."""
        path = self.directory / BEST
        load_weights(self.network, load_checkpoint(path).tensors, origin=path)


def check_score(settings: TrainingSettings, score: Score | None) -> None:
    """Raise OptionError where weights are to be selected by a score that is not there."""
    if settings.select == "score" and score is None:
        raise OptionError(
            "training.select = 'score' needs a score to select by; pass one to fit, or select "
            "by the loss."
        )


def _under(prefix: str, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {n.removeprefix(prefix): t for n, t in tensors.items() if n.startswith(prefix)}
