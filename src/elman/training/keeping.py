"""What a training run keeps: in its directory, or in memory until it is due.

```
checkpoints/last.safetensors     all that training goes on from, after the last epoch
           /before.safetensors   the same, as it was when `last` was written before
           /within.safetensors   the same, in the middle of the epoch after the last
           /best.safetensors     the weights of the best epoch
metrics.jsonl                    a line an epoch
```
"""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from copy import deepcopy
from pathlib import Path
from typing import Any, NamedTuple

from torch import Tensor

from elman.files import keep_older, write_atomically
from elman.training.callbacks import Callback
from elman.training.checkpoint import save_checkpoint
from elman.training.history import History

CHECKPOINTS = Path("checkpoints")
BEST = CHECKPOINTS / "best.safetensors"
LAST = CHECKPOINTS / "last.safetensors"
BEFORE = CHECKPOINTS / "before.safetensors"
WITHIN = CHECKPOINTS / "within.safetensors"
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
        callback: is told of each checkpoint that is written.
    """

    def __init__(self, directory: Path, callback: Callback | None = None) -> None:
        self.directory = directory
        self.last: Snapshot | None = None
        """What the run resumes from, while it is not written."""
        self._best: Snapshot | None = None
        self._history = History()
        self._callback = callback or Callback()
        self._written, self._written_within = -math.inf, time.perf_counter()

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
            self._callback.on_checkpoint(self.directory / BEST)
        if self.last is not None:
            keep_older(self.directory / LAST, self.directory / BEFORE)
            save_checkpoint(self.directory / LAST, *self.last)
            (self.directory / WITHIN).unlink(missing_ok=True)
            self.write_metrics(self._history)
            self._callback.on_checkpoint(self.directory / LAST)
        self.last = self._best = None
        self._written = self._written_within = time.perf_counter()

    def write_metrics(self, history: History) -> None:
        """Write a line an epoch: whole, so that an interruption can never leave half a line."""
        lines = [f"{epoch.model_dump_json()}\n" for epoch in history.epochs]
        write_atomically(self.directory / METRICS, "".join(lines).encode(), durable=True)

    def is_due_within(self, minutes: float) -> bool:
        """Tell whether a checkpoint in the middle of an epoch is due, every so many minutes."""
        return 0 < 60 * minutes <= time.perf_counter() - self._written_within

    def write_within(self, snapshot: Snapshot) -> None:
        """Write all that training goes on from in the middle of an epoch."""
        self.write()
        save_checkpoint(self.directory / WITHIN, *snapshot)
        self._written_within = time.perf_counter()
        self._callback.on_checkpoint(self.directory / WITHIN)
