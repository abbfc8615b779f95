"""From the rolls of a split to its batches: next-step examples, cut and transposed as asked."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np
from numpy.typing import ArrayLike

from elman.batches.batching import Batch, BucketedBatches, Example
from elman.features.roll import Roll


def transposed(roll: Roll, semitones: int) -> Roll:
    """Move every note of a roll up by so many semitones, down where negative.

    Args:
        roll: (T, 88).
        semitones: no note may leave the keyboard; see `transpositions`.
    """
    return np.roll(roll, semitones, axis=1)


def transpositions(roll: Roll, greatest: int) -> range:
    """List the moves of at most `greatest` semitones that keep every note on the keyboard."""
    keys = np.flatnonzero(roll.any(axis=0))
    if not len(keys):
        return range(1)
    lowest, highest = int(keys[0]), int(keys[-1])
    return range(-min(greatest, lowest), min(greatest, roll.shape[1] - 1 - highest) + 1)


class TransposedBatches:
    """Batches of rolls, each roll moved by a random number of semitones, anew in each epoch.

    An epoch's moves and batches follow from `(seed, n)` alone.

    Args:
        rolls: the training split.
        examples: turns rolls into examples.
        greatest: semitones up or down at most.
        batch_size: rows a batch.
        seed: at least 0.
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
        # Moving a roll keeps its length, so every epoch has as many batches as the first.
        self._count = len(self._moved(0))

    def __len__(self) -> int:
        """Batches an epoch."""
        return self._count

    def epoch(self, n: int) -> Iterator[Batch]:
        """Yield the batches of epoch n, n ≥ 0."""
        return self._moved(n).epoch(n)

    def _moved(self, n: int) -> BucketedBatches:
        # The 1 sets this stream of numbers apart from that of the batches, seeded alike.
        random = np.random.default_rng([self.seed, n, 1])
        moved = [
            transposed(roll, int(random.choice(transpositions(roll, self.greatest))))
            for roll in self.rolls
        ]
        return BucketedBatches(self.examples(moved), self.batch_size, seed=self.seed)
