"""Truncated backpropagation through time: sequences cut in time, with the state carried on."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

from elman.batches.batching import Batch
from elman.batches.inputs import cut_steps, main_part
from elman.errors import DataError, OptionError, ShapeError


def windows(batch: Batch, length: int) -> Iterator[Batch]:
    """Cut a batch in time, so that gradients flow through at most `length` steps.

    Args:
        batch: whole sequences, with a target a step.
        length: steps per window; 0 for one window.

    Yields:
        Batches of the same rows in the order of time, each but the first continuing the previous
        one; a row that has ended has length 0.

    Raises:
        OptionError: the batch has to be cut and has one target a row.
    """
    if length and not batch.per_step:
        raise OptionError(
            f"chunk_length = {length} cuts sequences whose every step has a target; these have "
            "one target a row. Set chunk_length = 0."
        )
    steps = len(main_part(batch.input))
    if not 0 < length < steps:
        yield batch
        return
    for start in range(0, steps, length):
        yield batch._replace(
            input=cut_steps(batch.input, start, start + length),
            target=batch.target[start : start + length],
            lengths=(batch.lengths - start).clamp(0, min(length, steps - start)),
            continues=batch.continues or start > 0,
        )


class StreamBatches:
    """One long stream, cut into rows that are read side by side, one chunk of all rows at a time.

    The stream x(1) … x(S) is cut into B rows of equal length, up to one step, and these into
    chunks. Each chunk but an epoch's first continues from the final state of the previous one:
    truncated backpropagation through time. No element is left out.

        input = x(n),  target = x(n + 1)                  n = 1 … S − 1

    With `vary_cuts` the cuts move from epoch to epoch, so that no element is always at the start
    of a chunk, where no gradient flows further back. The cuts of epoch n depend on `(seed, n)`
    alone.

    Source: Mikolov et al. 2010; Zaremba et al. 2014, arXiv:1409.2329. Merity et al. 2017,
    arXiv:1708.02182, §5, vary the length of the chunks and the learning rate with it; here chunks
    keep their length, except the first and the last.

    >>> batches = StreamBatches(torch.arange(9), batch_size=2, chunk_length=3)
    >>> [batch.input.T.tolist() for batch in batches.epoch(0)]
    [[[0, 1], [4, 5]], [[2, 3], [6, 7]]]
    """

    def __init__(
        self,
        stream: Tensor,
        batch_size: int,
        chunk_length: int,
        *,
        targets: Tensor | None = None,
        seed: int = 0,
        vary_cuts: bool = False,
    ) -> None:
        """Cut a stream into rows.

        Args:
            stream: x, (S, …): for instance ids (S,), or the samples of a recording (S, 1).
            batch_size: B; 1 reads the stream from start to end.
            chunk_length: greatest number of steps in a chunk.
            targets: target of each element, (S, …); None for the next element.
            seed: random seed of the cuts, at least 0.
            vary_cuts: whether the cuts move from epoch to epoch.

        Raises:
            ShapeError: stream and targets differ in length.
            DataError: the stream is too short for B rows.
            OptionError: a number is out of range.
        """
        if min(batch_size, chunk_length) < 1 or seed < 0:
            raise OptionError(
                "batch_size and chunk_length must be at least 1 and seed at least 0, got "
                f"{batch_size}, {chunk_length} and {seed}."
            )
        if stream.ndim == 0:
            raise ShapeError("stream must be (S, …), got a single number.")
        if targets is not None and (targets.ndim == 0 or len(targets) != len(stream)):
            raise ShapeError(
                f"targets must be (S, …) with S = {len(stream)}, got {tuple(targets.shape)}."
            )
        inputs, targets = (stream[:-1], stream[1:]) if targets is None else (stream, targets)
        if len(inputs) < batch_size:
            raise DataError(
                f"a stream of {len(stream)} elements is too short for batch_size = {batch_size} "
                "rows; use a smaller batch_size or more data."
            )
        self.chunk_length = chunk_length
        self.seed = seed
        self.vary_cuts = vary_cuts
        rows = torch.tensor_split(inputs, batch_size)
        self._input = pad_sequence(list(rows))
        self._target = pad_sequence(list(torch.tensor_split(targets, batch_size)))
        self._lengths = torch.tensor([len(row) for row in rows])

    def __len__(self) -> int:
        """Number of batches per epoch."""
        return len(self._cuts(0))

    @property
    def real_steps(self) -> int:
        """Number of targets per epoch."""
        return int(self._lengths.sum())

    def epoch(self, n: int) -> Iterator[Batch]:
        """Yield the chunks of epoch n, n ≥ 0, in the order of time."""
        if n < 0:
            raise OptionError(f"epochs are counted from 0, got {n}.")
        starts = self._cuts(n)
        for start, end in zip(starts, [*starts[1:], len(self._input)], strict=True):
            yield Batch(
                input=self._input[start:end],
                target=self._target[start:end],
                lengths=(self._lengths - start).clamp(0, end - start),
                continues=start > 0,
            )

    def _cuts(self, n: int) -> list[int]:
        """Return the starts of the chunks of epoch n, for rows of N steps.

            start(k) = ⌊k N / K⌋                            k = 0 … K − 1, K = ⌈N / chunk_length⌉

        Where cuts vary, all of them move by 1 … ⌈N / K⌉ − 1 steps, and the steps before the first
        of them are one more chunk.
        """
        steps = len(self._input)
        count = math.ceil(steps / self.chunk_length)
        starts, longest = [k * steps // count for k in range(count)], math.ceil(steps / count)
        if not self.vary_cuts or longest == 1:
            return starts
        shift = int(np.random.default_rng([self.seed, n]).integers(1, longest))
        return [0, *[start + shift for start in starts]]
