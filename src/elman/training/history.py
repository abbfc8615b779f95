"""What a training run did, epoch by epoch."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class EpochRecord(BaseModel):
    """One epoch of training; one line of `metrics.jsonl`.

    Attributes:
        epoch: the epoch's number, from 1.
        seconds: wall-clock seconds since training began, at the end of this epoch; time spent
            between an interruption and its resumption is not counted.
        train_nll: mean loss of the training frames *during* the epoch, with dropout and while
            the weights move; nats a frame.
        valid_nll: loss of the validation split after the epoch, without dropout; nats a frame.
        learning_rate: the step size of the epoch's last update.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    epoch: int
    seconds: float
    train_nll: float
    valid_nll: float
    learning_rate: float


class History(BaseModel):
    """Every epoch of a run, in order."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    epochs: tuple[EpochRecord, ...] = ()

    def followed_by(self, record: EpochRecord) -> History:
        """Return the history with one more epoch at its end."""
        return History(epochs=(*self.epochs, record))

    @property
    def best(self) -> EpochRecord:
        """The first epoch with the lowest validation loss; there must be one epoch at least."""
        return min(self.epochs, key=lambda record: record.valid_nll)

    @property
    def seconds(self) -> float:
        """Wall-clock seconds of the whole run."""
        return self.epochs[-1].seconds if self.epochs else 0.0

    def epochs_since_best(self) -> int:
        """Count the epochs since validation last reached a new low."""
        return self.epochs[-1].epoch - self.best.epoch if self.epochs else 0
