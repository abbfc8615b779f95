"""Batches of numbers over time, changed a little at random in every epoch."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from elman.batches.batching import Batch, Batches
from elman.experiment.training import TrainingSettings

AUGMENTATIONS = (
    "augment_jitter",
    "augment_scale",
    "augment_shift",
    "augment_crop",
    "augment_warp",
)
"""Settings that change rows of numbers; each is off at 0."""

_KNOTS = 6
"""Places at which the speed of a warped row is drawn, its ends included."""

Floats = NDArray[np.float64]


class AugmentedBatches:
    """Batches whose rows are moved, cropped, warped, scaled and made noisy at random.

        x′(t) = f · x(p(t)) + ε(t)                        ε ~ N(0, jitter²), f = exp N(0, scale²)
        p(t)  = o + w(t) − s, within 0 … T − 1            crop, warp, shift

    Between two steps x is interpolated. f is one number a row. Columns that are no numbers on a
    scale, such as marks of missing values, are read at the nearest step and not changed.

    The changes in epoch n depend on `(seed, n)` alone.

    Source: Um et al. 2017, arXiv:1706.00527; there also rotations and permutations.

    Args:
        batches: of the rows as they are, (T, B, I), with one target a row.
        settings: `augment_jitter` and the others.
        numbers: how many columns of a step, its first, are numbers on a scale.
        seed: random seed, at least 0.
    """

    def __init__(
        self, batches: Batches, settings: TrainingSettings, *, numbers: int, seed: int
    ) -> None:
        self.batches = batches
        self.settings = settings
        self.numbers = numbers
        self.seed = seed

    def __len__(self) -> int:
        """Number of batches per epoch."""
        return len(self.batches)

    def epoch(self, n: int) -> Iterator[Batch]:
        """Yield the batches of epoch n, n ≥ 0."""
        # The 2 makes these random numbers differ from those of other parts with the same seed.
        random = np.random.default_rng([self.seed, n, 2])
        for batch in self.batches.epoch(n):
            yield self._changed(batch, random)

    def _changed(self, batch: Batch, random: np.random.Generator) -> Batch:
        settings, x, lengths = self.settings, batch.input, batch.lengths
        if settings.augment_shift or settings.augment_crop or settings.augment_warp:
            x, lengths = self._moved(x, lengths.numpy(), random)
        numbers = x[..., : self.numbers]
        if settings.augment_scale:
            factors = np.exp(random.normal(0, settings.augment_scale, (x.size(1), 1)))
            numbers = numbers * torch.from_numpy(factors).to(x)
        if settings.augment_jitter:
            noise = random.normal(0, settings.augment_jitter, tuple(numbers.shape))
            numbers = numbers + torch.from_numpy(noise).to(x)
        x = torch.cat([numbers, x[..., self.numbers :]], -1)
        return batch._replace(input=x, lengths=lengths)

    def _moved(
        self, x: Tensor, lengths: NDArray[np.int64], random: np.random.Generator
    ) -> tuple[Tensor, Tensor]:
        """Read each row at other steps; return the rows and their lengths."""
        places = np.zeros((len(x), len(lengths)))
        after = lengths.copy()
        for row, steps in enumerate(lengths.tolist()):
            if steps:
                read = self._places(steps, random)
                after[row] = len(read)
                places[: len(read), row] = read
        index = torch.from_numpy(places)
        below = index.floor().long().unsqueeze(2)
        above = (below + 1).clamp(max=len(x) - 1)
        share = (index.unsqueeze(2) - below).to(x)
        numbers, others = x[..., : self.numbers], x[..., self.numbers :]
        low, high = (
            numbers.gather(0, each.expand(-1, -1, self.numbers)) for each in (below, above)
        )
        nearest = index.round().long().unsqueeze(2).expand(-1, -1, others.size(2))
        moved = torch.cat([low + share * (high - low), others.gather(0, nearest)], -1)
        return moved, torch.from_numpy(after)

    def _places(self, steps: int, random: np.random.Generator) -> Floats:
        """Draw the places at which a row of some steps is read, each in 0 … T − 1."""
        settings = self.settings
        kept = max(1, round(steps * (1 - settings.augment_crop * random.random())))
        places = np.arange(kept, dtype=np.float64)
        if settings.augment_warp and kept > 1:
            speeds = np.exp(random.normal(0, settings.augment_warp, _KNOTS))
            passed = np.cumsum(np.interp(places[1:], np.linspace(1, kept - 1, _KNOTS), speeds))
            places[1:] = passed / passed[-1] * (kept - 1)
        greatest = int(settings.augment_shift * steps)
        start = int(random.integers(0, steps - kept, endpoint=True))
        shift = int(random.integers(-greatest, greatest, endpoint=True))
        return np.clip(places + start - shift, 0, steps - 1)
