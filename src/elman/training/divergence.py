"""Training that diverges: back to the last good weights, with half the learning rate."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from elman.errors import ExperimentError
from elman.experiment.training import TrainingSettings
from elman.training.history import History

MOST_HALVINGS = 3
"""How often a run goes back with half the learning rate before it ends."""


class DivergedError(Exception):
    """A loss or a gradient is no longer finite.

    Args:
        what: what is not finite, as a clause: `the loss is nan`.
        epoch: the epoch, from 0.
        step: the update within it, from 1.
    """

    def __init__(self, what: str, epoch: int, step: int) -> None:
        super().__init__(what)
        self.place = f"in epoch {epoch + 1}, step {step}: {what}"


def check_finite(value: float | Tensor, what: str, epoch: int, step: int) -> None:
    """Raise DivergedError if a value is not finite.

    Args:
        value: a loss, or the norm of a gradient.
        what: what it is: `the loss`.
        epoch: the epoch, from 0.
        step: the update within it, from 1.
    """
    number = value.item() if isinstance(value, torch.Tensor) else value
    if not math.isfinite(number):
        raise DivergedError(f"{what} is {number}", epoch, step)


def step_back(error: DivergedError, history: History, settings: TrainingSettings) -> History:
    """Return the history of a run that diverged, with one more halving or with its end.

    Args:
        error: how it diverged.
        history: of the run until now.
        settings: of the run.

    Raises:
        ExperimentError: no halving is left, and no epoch has been finished.
    """
    if history.halvings < MOST_HALVINGS:
        return history.model_copy(update={"halvings": history.halvings + 1})
    advice = _advice(settings)
    if not history.epochs:
        raise ExperimentError(
            f"training diverged {error.place}, with the learning rate halved {MOST_HALVINGS} times "
            f"too. {advice}"
        ) from error
    ended = (
        f"training diverged {error.place}, with the learning rate halved {MOST_HALVINGS} times "
        f"too, and ended after epoch {len(history.epochs)} of {settings.epochs}; the best weights "
        f"until then are kept. {advice}"
    )
    return history.model_copy(update={"ended": ended})


def in_words(error: DivergedError, history: History, settings: TrainingSettings) -> str:
    """Say what follows from a divergence.

    Args:
        error: how the run diverged.
        history: what `step_back` returned.
        settings: of the run.
    """
    if history.ended:
        return history.ended
    epochs = len(history.epochs)
    place = f"the weights after epoch {epochs}" if epochs else "the initial weights"
    rate = settings.learning_rate / 2**history.halvings
    return (
        f"training diverged {error.place}; it goes on from {place} with half the learning rate "
        f"({rate:g} instead of {2 * rate:g}), {history.halvings} of at most {MOST_HALVINGS} times."
    )


def _advice(settings: TrainingSettings) -> str:
    clip = settings.clip_norm
    return (
        f"Try a lower training.learning_rate (now {settings.learning_rate:g}) or "
        f"{'a lower' if clip else 'a'} training.clip_norm (now {clip:g})."
    )
