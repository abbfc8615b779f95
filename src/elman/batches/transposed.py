"""Batches of piano rolls, transposed at random in every epoch."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np
from numpy.typing import ArrayLike

from elman.batches.batching import Batch, BucketedBatches, Example
from elman.features.roll import Roll


def transposed(roll: Roll, semitones: int) -> Roll:
    """Transpose a roll by some semitones, up where positive.

    Args:
        roll: (T, 88).
        semitones: shift that keeps all notes on the keyboard; see `transpositions`.
    """
    return np.roll(roll, semitones, axis=1)


def transpositions(roll: Roll, greatest: int) -> range:
    """List the shifts of at most `greatest` semitones that keep every note on the keyboard."""
    keys = np.flatnonzero(roll.any(axis=0))
    if not len(keys):
        return range(1)
    lowest, highest = int(keys[0]), int(keys[-1])
    return range(-min(greatest, lowest), min(greatest, roll.shape[1] - 1 - highest) + 1)


class TransposedBatches:
    """Batches of rolls, each transposed by a random number of semitones in every epoch.

    The transpositions and batches of epoch n depend on `(seed, n)` alone.

    Args:
        rolls: the training rolls.
        examples: function from rolls to examples.
        greatest: greatest number of semitones up or down.
        batch_size: rows per batch.
        seed: random seed, at least 0.
    """

    def __init__(
        self,
        rolls: Sequence[Roll],
        examples: Callable[[Sequence[ArrayLike]], list[Example]],
        greatest: int,
        *,
        batch_size: int,
        seed: int,
    ) -> None:
        self.rolls = rolls
        self.examples = examples
        self.greatest = greatest
        self.batch_size = batch_size
        self.seed = seed
        # Transposing keeps the length of a roll, so every epoch has as many batches as the first.
        self._count = len(self._transposed(0))

    def __len__(self) -> int:
        """Number of batches per epoch."""
        return self._count

    def epoch(self, n: int) -> Iterator[Batch]:
        """Yield the batches of epoch n, n ≥ 0."""
        return self._transposed(n).epoch(n)

    def _transposed(self, n: int) -> BucketedBatches:
        # The 1 makes these random numbers differ from those of the batches with the same seed.
        random = np.random.default_rng([self.seed, n, 1])
        rolls = [
            transposed(roll, int(random.choice(transpositions(roll, self.greatest))))
            for roll in self.rolls
        ]
        return BucketedBatches(self.examples(rolls), self.batch_size, seed=self.seed)
