"""The learning rate as a function of time and of the losses so far.

It has no state to save: a resumed run computes the same rates.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from elman.experiment.training import TrainingSettings


def learning_rate(settings: TrainingSettings, time: float, losses: Sequence[float]) -> float:
    """Return the learning rate of one update.

        constant:  η
        cosine:    η′ + (η − η′) · (1 + cos(π · time / epochs)) / 2
        plateau:   max(η′, η · factorᵏ), k the number of plateaus so far
        times      min(1, time / warmup_epochs) where there is a warm-up

    with η = `learning_rate` and η′ = `minimum_learning_rate`.

    Args:
        settings: training settings.
        time: epochs since training started, at the end of this update; a fraction.
        losses: validation losses so far, one per finished epoch.
    """
    highest, lowest = settings.learning_rate, settings.minimum_learning_rate
    if settings.schedule == "cosine":
        rate = lowest + (highest - lowest) * (1 + math.cos(math.pi * time / settings.epochs)) / 2
    elif settings.schedule == "plateau":
        plateaus = count_plateaus(losses, settings.plateau_patience)
        rate = max(lowest, highest * settings.plateau_factor**plateaus)
    else:
        rate = highest
    if time < settings.warmup_epochs:
        rate *= time / settings.warmup_epochs
    return rate


def count_plateaus(losses: Sequence[float], patience: int) -> int:
    """Count how often `patience` consecutive epochs have passed without a new minimum.

    >>> count_plateaus([3.0, 2.0, 2.5, 2.5, 2.5, 2.5], patience=2)
    2
    """
    lowest, waited, plateaus = math.inf, 0, 0
    for loss in losses:
        if loss < lowest:
            lowest, waited = loss, 0
        else:
            waited += 1
        if waited == patience:
            plateaus, waited = plateaus + 1, 0
    return plateaus
