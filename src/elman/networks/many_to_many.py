"""Many-to-many, aligned step by step: synchronous, or with a delay of d steps."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from elman.errors import OptionError, ShapeError
from elman.layers.bidirectional import Bidirectional
from elman.layers.recurrent import RecurrentLayer
from elman.layers.state import described
from elman.sequence.ragged import checked_lengths, real_steps


class ManyToMany(nn.Module):
    """A recurrent part under a dense one: an output for every input, d steps later.

        h(t) = recurrent(x(t), h(t−1))                    t = 1 … T
        h(t) = recurrent(h(t−1) alone)                    t = T+1 … T+d
        y(t) = head(h(t + d))                             t = 1 … T

    With d = 0 the network is synchronous: y(t) has seen x(1) … x(t). With d > 0 it is asynchronous:
    y(t) has seen d steps more. After the last input the recurrent part goes on from its state
    alone: its input is zero, so that W x vanishes.

    >>> import elman, torch
    >>> network = elman.ManyToMany(elman.GRU(3, 5), elman.MLP([5, 2]), delay=4)
    >>> y, state = network(torch.zeros(7, 2, 3))
    >>> y.shape
    torch.Size([7, 2, 2])
    """

    def __init__(
        self, recurrent: RecurrentLayer | Bidirectional, head: nn.Module, *, delay: int = 0
    ) -> None:
        """Join a recurrent part and a dense one.

        Args:
            recurrent: any recurrent layer, time first.
            head: maps (…, recurrent.output_size) to (…, O).
            delay: d, the steps of look-ahead, at least 0.

        Raises:
            OptionError: the delay is negative or no whole number, or the layer is batch first.
        """
        super().__init__()
        if isinstance(delay, bool) or not isinstance(delay, int) or delay < 0:
            raise OptionError(f"delay must be a whole number of at least 0, got {delay!r}.")
        if recurrent.batch_first:
            raise OptionError("ManyToMany runs time first; build its recurrent part that way.")
        self.recurrent = recurrent
        self.head = head
        self.delay = delay

    def forward(
        self, x: Tensor, state: Any = None, *, lengths: Tensor | Sequence[int] | None = None
    ) -> tuple[Tensor, Any]:
        """Run the network over a batch of sequences.

        Args:
            x: (T, B, I).
            state: of the recurrent part, to start from; None begins anew.
            lengths: steps of each row, (B,), 0 … T in any order; None means T for all.

        Returns:
            The outputs, (T, B, O), zeros after a row's end; the state of the recurrent part after
            its last step, which with a delay is d steps after the last input.

        Raises:
            ShapeError: the input is not (T, B, I).
            OptionError: the lengths lie outside 0 … T.
        """
        if not isinstance(x, Tensor) or x.dim() != 3 or x.size(-1) != self.recurrent.input_size:
            raise ShapeError(
                f"input must be (T, B, I) with I = {self.recurrent.input_size}, got {described(x)}."
            )
        steps = x.size(0)
        rows = None if lengths is None else checked_lengths(lengths, x)
        waits = self.delay > 0 and steps > 0
        inputs, run_for = self._delayed(x, rows) if waits else (x, rows)
        hidden, state = self.recurrent(inputs, state, lengths=run_for)
        output = self.head(hidden[self.delay : self.delay + steps])
        if rows is not None:
            output = output.where(real_steps(rows, steps).unsqueeze(-1), 0)
        return output, state

    def _delayed(self, x: Tensor, lengths: Tensor | None) -> tuple[Tensor, Tensor | None]:
        """Append d steps without input to every row that has steps; the others stay empty."""
        longer = F.pad(x, (0, 0, 0, 0, 0, self.delay))
        if lengths is None:
            return longer, None
        given = real_steps(lengths, longer.size(0)).unsqueeze(-1)
        return longer.where(given, 0), torch.where(lengths > 0, lengths + self.delay, 0)

    def extra_repr(self) -> str:
        """Say the delay."""
        return f"delay={self.delay}"
