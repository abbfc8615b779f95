"""What is longer than gradients flow through: cut in time, the state carried from cut to cut."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

from elman.batches.batching import Batch
from elman.errors import DataError, OptionError, ShapeError


def windows(batch: Batch, length: int) -> Iterator[Batch]:
    """Cut a batch in time, so that gradients flow through at most `length` steps.

    Args:
        batch: of whole sequences, with a target a step.
        length: steps a window; 0 for one window.

    Yields:
        Batches of the same rows in the order of time, each but the first going on from the one
        before; a row that has ended has length 0.

    Raises:
        OptionError: the batch is to be cut and has one target a row.
    """
    if length and not batch.per_step:
        raise OptionError(
            f"chunk_length = {length} cuts sequences whose every step has a target; these have "
            "one target a row. Set chunk_length = 0."
        )
    steps = batch.input.shape[0]
    if not 0 < length < steps:
        yield batch
        return
    for start in range(0, steps, length):
        yield batch._replace(
            input=batch.input[start : start + length],
            target=batch.target[start : start + length],
            lengths=(batch.lengths - start).clamp(0, min(length, steps - start)),
            continues=batch.continues or start > 0,
        )


class StreamBatches:
    """One long stream, cut into rows that are read side by side, a chunk of all rows at a time.

    The stream x(1) … x(S) is cut into B rows of like length, and these into chunks. Each chunk but
    an epoch's first goes on from the state where the one before ended, which is truncated
    backpropagation through time. Nothing is left out: rows may differ by one step in length.

        input = x(n),  target = x(n + 1)                  n = 1 … S − 1

    With `vary_cuts` the cuts lie elsewhere in every epoch, so that no element stands at the
    beginning of a chunk, where gradients reach no further back, each time. An epoch's cuts follow
    from `(seed, n)` alone.

    Source: Mikolov et al. 2010; Zaremba et al. 2014, arXiv:1409.2329. Merity et al. 2017,
    arXiv:1708.02182, §5, vary the length of the chunks and the learning rate with it; here chunks
    keep their length, but for the first and the last.

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
        """Lay a stream out in rows.

        Args:
            stream: x, (S, …): ids (S,), say, or the samples of a recording (S, 1).
            batch_size: B; 1 reads the stream from its beginning to its end.
            chunk_length: greatest number of steps of a chunk.
            targets: what should come out at each element, (S, …); None asks for the next one.
            seed: of the cuts, at least 0.
            vary_cuts: whether cuts lie elsewhere in every epoch.

        Raises:
            ShapeError: stream and targets are not of one length.
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
        inputs, wanted = (stream[:-1], stream[1:]) if targets is None else (stream, targets)
        if len(inputs) < batch_size:
            raise DataError(
                f"a stream of {len(stream)} elements is too short for batch_size = {batch_size} "
                "rows with a target each; use a smaller batch_size or more text."
            )
        self.chunk_length = chunk_length
        self.seed = seed
        self.vary_cuts = vary_cuts
        rows = torch.tensor_split(inputs, batch_size)
        self._input = pad_sequence(list(rows))
        self._target = pad_sequence(list(torch.tensor_split(wanted, batch_size)))
        self._lengths = torch.tensor([len(row) for row in rows])

    def __len__(self) -> int:
        """Batches an epoch."""
        return len(self._cuts(0))

    @property
    def real_steps(self) -> int:
        """Targets an epoch."""
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
        """Say where the chunks of epoch n begin, with K = ⌈N / chunk_length⌉ and rows of N steps.

            start(k) = ⌊k N / K⌋                            k = 0 … K − 1

        Where cuts vary, all of them are moved by 1 … ⌈N / K⌉ − 1 steps, and what lies before the
        first of them is one chunk more.
        """
        steps = len(self._input)
        count = math.ceil(steps / self.chunk_length)
        starts, longest = [k * steps // count for k in range(count)], math.ceil(steps / count)
        if not self.vary_cuts or longest == 1:
            return starts
        moved = int(np.random.default_rng([self.seed, n]).integers(1, longest))
        return [0, *[start + moved for start in starts]]
