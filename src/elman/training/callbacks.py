"""What a program may do while a network is trained: after a step, an epoch, a checkpoint."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from elman.training.history import EpochRecord, History


class StepRecord(BaseModel):
    """One update of the weights.

    Attributes:
        epoch: number of the epoch, from 1.
        step: number of the update within it, from 1.
        steps: batches an epoch.
        loss: mean loss of the batch, before the update.
        gradient_norm: norm of the gradient over all weights, before it is clipped; None where it
            is not clipped by its norm, and so not computed.
        learning_rate: learning rate of the update.
        seconds: wall-clock seconds of training until now.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    epoch: int
    step: int
    steps: int
    loss: float
    gradient_norm: float | None
    learning_rate: float
    seconds: float


class Callback:
    """Called while a network is trained; override what is of interest.

    What a method raises ends the training, which can be resumed from its last checkpoint.
    `raise elman.StopTraining` ends it as if patience had run out.

    >>> class Loud(Callback):
    ...     def on_epoch(self, record: EpochRecord) -> None:
    ...         print(record.epoch, record.valid_loss)
    """

    def on_step(self, record: StepRecord) -> None:
        """Be told of an update of the weights."""

    def on_epoch(self, record: EpochRecord) -> None:
        """Be told of an epoch that has been trained and validated."""

    def on_checkpoint(self, path: Path) -> None:
        """Be told of a checkpoint that has been written."""

    def on_end(self, history: History) -> None:
        """Be told that training has ended, by itself or early; not where it was interrupted."""


class StopTraining(Exception):
    """Raised by a callback to end training after the step or epoch under way."""


class Callbacks(Callback):
    """Several callbacks as one, in their order."""

    def __init__(self, each: Sequence[Callback] = ()) -> None:
        self._each = each

    def on_step(self, record: StepRecord) -> None:
        """Tell all of them."""
        for callback in self._each:
            callback.on_step(record)

    def on_epoch(self, record: EpochRecord) -> None:
        """Tell all of them."""
        for callback in self._each:
            callback.on_epoch(record)

    def on_checkpoint(self, path: Path) -> None:
        """Tell all of them."""
        for callback in self._each:
            callback.on_checkpoint(path)

    def on_end(self, history: History) -> None:
        """Tell all of them."""
        for callback in self._each:
            callback.on_end(history)
