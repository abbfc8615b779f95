"""From sequences to batches: next-step examples, cutting, and rows of like length together."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from elman.errors import DataError, OptionError, ShapeError

JITTER = 0.1
"""How far, as a fraction, a length may be misjudged when rows are sorted into batches.

It lets a row meet other neighbours in every epoch and costs a few per cent of padding.
"""


class Example(NamedTuple):
    """One sequence and what should come out of it, step by step."""

    input: Tensor
    """(T, I)"""
    target: Tensor
    """(T, O)"""


class Batch(NamedTuple):
    """Sequences side by side; behind a row's end stand zeros."""

    input: Tensor
    """(T, B, I), T being the longest row's length"""
    target: Tensor
    """(T, B, O)"""
    lengths: Tensor
    """Real steps of each row, (B,), int64"""

    @property
    def real_steps(self) -> int:
        """Steps in the batch that are not padding: the weight of its mean loss in an epoch's."""
        return int(self.lengths.sum())


def next_step(sequence: Tensor) -> Example:
    """Ask for every element of a sequence, given those before it.

        input  = 0, x(1), …, x(T−1)
        target = x(1), x(2), …, x(T)

    The first element is asked for too, from an input of zeros: every step counts.

    Args:
        sequence: x, (T, I); T may be 0.

    Returns:
        Input and target, both (T, I). They share their memory.
    """
    if sequence.ndim != 2:
        raise ShapeError(f"sequence must be (T, I), got {tuple(sequence.shape)}.")
    # One buffer of T + 1 steps serves both: half the memory of two.
    padded = torch.cat([sequence.new_zeros(1, sequence.shape[1]), sequence])
    return Example(input=padded[:-1], target=padded[1:])


def chunks(examples: Iterable[Example], length: int) -> list[Example]:
    """Cut long examples into pieces of at most `length` steps, in order, losing no step.

    An example's pieces are as even as they can be: 10 steps cut at 4 give 4, 3 and 3. Each piece
    is an example of its own, which a network starts with a fresh state; so cut for training and
    evaluate whole sequences.

    Args:
        examples: of any lengths.
        length: greatest number of steps of a piece, at least 1.

    Returns:
        The pieces; they share their memory with the examples.
    """
    if length < 1:
        raise OptionError(f"length of a chunk must be at least 1 step, got {length}.")
    pieces = []
    for example in examples:
        count = max(1, math.ceil(len(example.input) / length))
        parts = zip(
            torch.tensor_split(example.input, count),
            torch.tensor_split(example.target, count),
            strict=True,
        )
        pieces += [Example(*part) for part in parts]
    return pieces


class BucketedBatches:
    """Batches whose rows are of like length, so that little of a batch is padding.

    With `shuffle`, an epoch sorts the rows by length, misjudging each by up to a tenth at random,
    cuts them into batches and shuffles the batches. Without, rows go from short to long.
    An epoch's batches follow from `(seed, n)` alone: asked for again, in any order or process,
    they are the same.

    Args:
        examples: at least one, each with at least one step, all of the same sizes and types.
        batch_size: rows a batch; one batch of an epoch may have fewer.
        seed: at least 0.
        shuffle: whether rows and batches change places from epoch to epoch.

    Raises:
        DataError: no examples, or one without steps.
        ShapeError: an example's axes do not fit together, or not with the first example's.
        OptionError: batch_size < 1 or seed < 0.

    >>> examples = [next_step(torch.ones(steps, 88)) for steps in (9, 5, 8, 4)]
    >>> batches = BucketedBatches(examples, batch_size=2, seed=0, shuffle=False)
    >>> [batch.lengths.tolist() for batch in batches.epoch(0)]
    [[4, 5], [8, 9]]
    """

    def __init__(
        self, examples: Iterable[Example], batch_size: int, *, seed: int, shuffle: bool = True
    ) -> None:
        self.examples: Sequence[Example] = list(examples)
        self.batch_size = batch_size
        self.seed = seed
        self.shuffle = shuffle
        _check_examples(self.examples)
        if batch_size < 1:
            raise OptionError(f"batch_size must be at least 1, got {batch_size}.")
        if seed < 0:
            raise OptionError(f"seed must be at least 0, got {seed}.")
        self._lengths = np.array([len(example.input) for example in self.examples])

    def __len__(self) -> int:
        """Batches an epoch."""
        return math.ceil(len(self.examples) / self.batch_size)

    @property
    def real_steps(self) -> int:
        """Steps an epoch, padding not counted."""
        return int(self._lengths.sum())

    def epoch(self, n: int) -> Iterator[Batch]:
        """Yield the batches of epoch n, n ≥ 0."""
        if n < 0:
            raise OptionError(f"epochs are counted from 0, got {n}.")
        for rows in self._arrange(n):
            yield _collate([self.examples[row] for row in rows])

    def _arrange(self, n: int) -> list[np.ndarray]:
        """Say which rows stand in which batch of epoch n."""
        if not self.shuffle:
            order = np.argsort(self._lengths, kind="stable")
            return np.split(order, range(self.batch_size, len(order), self.batch_size))
        random = np.random.default_rng([self.seed, n])
        judged = self._lengths * random.uniform(1 - JITTER, 1 + JITTER, len(self._lengths))
        order = np.argsort(judged, kind="stable")
        batches = np.split(order, range(self.batch_size, len(order), self.batch_size))
        return [batches[i] for i in random.permutation(len(batches))]


def _collate(examples: Sequence[Example]) -> Batch:
    """Put examples side by side, zeros behind the shorter ones."""
    return Batch(
        input=torch.nn.utils.rnn.pad_sequence([example.input for example in examples]),
        target=torch.nn.utils.rnn.pad_sequence([example.target for example in examples]),
        lengths=torch.tensor([len(example.input) for example in examples]),
    )


def _check_examples(examples: Sequence[Example]) -> None:
    """Refuse, in words, what cannot become a batch."""
    if not examples:
        raise DataError("there are no examples to make batches of; was the data set empty?")
    for index, (x, y) in enumerate(examples):
        if x.ndim != 2 or y.ndim != 2:
            raise ShapeError(
                f"example {index} must have input (T, I) and target (T, O), "
                f"got {tuple(x.shape)} and {tuple(y.shape)}."
            )
        if len(x) != len(y):
            raise ShapeError(
                f"example {index} must have one target a step, "
                f"got an input of T = {len(x)} and a target of T = {len(y)} steps."
            )
        if len(x) == 0:
            raise DataError(f"example {index} has no steps; leave it out.")
        first = examples[0]
        if (x.shape[1], y.shape[1]) != (first.input.shape[1], first.target.shape[1]):
            raise ShapeError(
                f"example {index} has I = {x.shape[1]}, O = {y.shape[1]}; "
                f"example 0 has I = {first.input.shape[1]}, O = {first.target.shape[1]}."
            )
