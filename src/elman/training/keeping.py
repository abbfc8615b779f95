"""What a training run keeps of its last epoch: in its directory, or in memory until it is due."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from copy import deepcopy
from pathlib import Path
from typing import Any, NamedTuple

from torch import Tensor

from elman.files import write_atomically
from elman.training.checkpoint import save_checkpoint
from elman.training.history import History

BEST = Path("checkpoints", "best.safetensors")
LAST = Path("checkpoints", "last.safetensors")
METRICS = "metrics.jsonl"

WRITE_EVERY = 2.0
"""Seconds between two writings: an epoch that takes less is kept in memory meanwhile."""


class Snapshot(NamedTuple):
    """Tensors, and a JSON document, as a checkpoint holds them."""

    tensors: Mapping[str, Tensor]
    facts: Mapping[str, Any]

    def copied(self) -> Snapshot:
        """Return one that shares nothing with a network that goes on learning."""
        tensors = {name: tensor.detach().clone() for name, tensor in self.tensors.items()}
        return Snapshot(tensors, deepcopy(self.facts))


class Keeper:
    """Writes checkpoints and metrics when two seconds have passed since it last did.

    A run whose epochs take milliseconds would otherwise spend its time on writing. An interruption
    that lets Python end loses nothing: `write` is called then.

    Args:
        directory: of the run.
    """

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.last: Snapshot | None = None
        """What the run resumes from, while it is not written."""
        self._best: Snapshot | None = None
        self._history = History()
        self._written = -math.inf

    def keep(self, last: Snapshot, best: Snapshot | None, history: History) -> None:
        """Keep the state after an epoch.

        Args:
            last: all that training goes on from.
            best: the weights that are selected, if they are those of this epoch.
            history: up to this epoch.
        """
        due = time.perf_counter() - self._written >= WRITE_EVERY
        self._best = self._best if best is None else best if due else best.copied()
        self.last, self._history = last if due else last.copied(), history
        if due:
            self.write()

    def write(self) -> None:
        """Write what is kept in memory, if anything is."""
        if self._best is not None:
            save_checkpoint(self.directory / BEST, *self._best)
        if self.last is not None:
            save_checkpoint(self.directory / LAST, *self.last)
            # Whole rather than appended: an interruption can then never leave half a line.
            lines = [f"{epoch.model_dump_json()}\n" for epoch in self._history.epochs]
            write_atomically(self.directory / METRICS, "".join(lines).encode())
        self.last = self._best = None
        self._written = time.perf_counter()
