"""The history of a training run, epoch by epoch."""

from __future__ import annotations

import math

from pydantic import BaseModel, ConfigDict

from elman.experiment.training import Criterion


class EpochRecord(BaseModel):
    """One epoch of training; one line of `metrics.jsonl`.

    Attributes:
        epoch: the epoch's number, from 1.
        seconds: wall-clock seconds of training up to the end of this epoch, without time between
            an interruption and its resumption.
        train_loss: mean loss of the training rows *during* the epoch, with dropout and changing
            weights.
        valid_loss: mean loss of the validation rows after the epoch, without dropout.
        learning_rate: learning rate of the epoch's last update.
        score: score of the validation rows after the epoch, higher is better; None without one,
            or where it is not finite.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    epoch: int
    seconds: float
    train_loss: float
    valid_loss: float
    learning_rate: float
    score: float | None = None


class History(BaseModel):
    """Every epoch of a run, in order.

    Attributes:
        select: criterion of the best epoch.
        epochs: the records.
        halvings: how often training diverged and went on with half the learning rate.
        ended: how it ended where it diverged once more; empty where it did not.
        changes: which settings it was resumed with that it did not begin with, and when.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    select: Criterion = "loss"
    epochs: tuple[EpochRecord, ...] = ()
    halvings: int = 0
    ended: str = ""
    changes: tuple[str, ...] = ()

    def followed_by(self, record: EpochRecord) -> History:
        """Return the history with one more epoch at its end."""
        return self.model_copy(update={"epochs": (*self.epochs, record)})

    @property
    def costs(self) -> list[float]:
        """The cost of every epoch on the validation rows: the loss, or the negated score.

        An epoch without a finite score is worse than any with one; while none has one, the loss
        decides.
        """
        if self.select != "score" or all(record.score is None for record in self.epochs):
            return [record.valid_loss for record in self.epochs]
        return [math.inf if record.score is None else -record.score for record in self.epochs]

    @property
    def notes(self) -> list[str]:
        """What to know of a run that diverged or was changed, a sentence each."""
        times = "once" if self.halvings == 1 else f"{self.halvings} times"
        halved = f"training diverged {times}, and went on with half the learning rate each time."
        diverged = [halved] * bool(self.halvings) + [self.ended] * bool(self.ended)
        return [*diverged, *self.changes]

    @property
    def best(self) -> EpochRecord:
        """The first epoch with the lowest cost, or the last; there must be at least one epoch."""
        if self.select == "last":
            return self.epochs[-1]
        costs = self.costs
        return self.epochs[costs.index(min(costs))]

    @property
    def seconds(self) -> float:
        """Wall-clock seconds of the whole run."""
        return self.epochs[-1].seconds if self.epochs else 0.0

    def epochs_since_best(self) -> int:
        """Return the number of epochs since the best one."""
        return self.epochs[-1].epoch - self.best.epoch if self.epochs else 0
