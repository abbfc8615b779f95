"""Many-to-many: one output for every input step, at once or with a delay of d steps."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from elman.errors import OptionError, ShapeError
from elman.layers.bidirectional import Bidirectional
from elman.layers.dropout import LockedDropout
from elman.layers.recurrent import RecurrentLayer
from elman.layers.state import described
from elman.networks.context import ConditionedInputs
from elman.networks.inputs import Inputs
from elman.networks.objectives.objective import Objective
from elman.sequence.ragged import checked_lengths, has_padding, real_steps


class ManyToMany(nn.Module):
    """A recurrent part and a dense head: one output for every input, d steps later.

        v(t) = inputs(x(t))                               x(t) itself where there are no inputs
        h(t) = recurrent(v(t), h(t−1))                    t = 1 … T
        h(t) = recurrent(h(t−1) alone)                    t = T+1 … T+d
        y(t) = head(h(t + d))                             t = 1 … T

    With d = 0 the network is synchronous: y(t) depends on x(1) … x(t). With d > 0 it is
    asynchronous: y(t) depends on d more steps. After the last input the recurrent part continues
    from its state alone: its input is zero, so that W v vanishes.

    >>> import elman, torch
    >>> network = elman.ManyToMany(elman.GRU(3, 5), elman.MLP([5, 2]), delay=4)
    >>> y, state = network(torch.zeros(7, 2, 3))
    >>> y.shape
    torch.Size([7, 2, 2])
    """

    def __init__(
        self,
        recurrent: RecurrentLayer | Bidirectional,
        head: nn.Module,
        *,
        delay: int = 0,
        inputs: Inputs | ConditionedInputs | None = None,
        objective: Objective | None = None,
        output_dropout: float = 0.0,
    ) -> None:
        """Assemble the network from its parts.

        Args:
            recurrent: any recurrent layer, time first.
            head: maps (…, recurrent.output_size) to (…, O).
            delay: d, the steps of look-ahead, at least 0.
            inputs: turns encoded values into vectors; None where x are vectors already.
            objective: objective of the outputs, one a step; None where the caller has a loss.
            output_dropout: dropout of h before the head in training, one mask a sequence.

        Raises:
            OptionError: the delay is not a whole number of at least 0, the layer is batch first,
                or the parts do not fit together.
        """
        super().__init__()
        if isinstance(delay, bool) or not isinstance(delay, int) or delay < 0:
            raise OptionError(f"delay must be a whole number of at least 0, got {delay!r}.")
        if recurrent.batch_first:
            raise OptionError("ManyToMany runs time first; build its recurrent part so.")
        if inputs is not None and recurrent.input_size != inputs.size:
            raise OptionError(
                f"the recurrent part reads {recurrent.input_size} values a step and the inputs "
                f"give {inputs.size}; build it with input_size={inputs.size}."
            )
        if objective is not None and not objective.per_step:
            raise OptionError(
                f"objective {type(objective).__name__} needs one output a row, and a many-to-many "
                "network has one a step; use ManyToOne, or an objective per step."
            )
        self.inputs = inputs
        self.recurrent = recurrent
        self.output_dropout = LockedDropout(output_dropout)
        self.head = head
        self.objective = objective
        self.delay = delay

    def forward(
        self, x: Any, state: Any = None, *, lengths: Tensor | Sequence[int] | None = None
    ) -> tuple[Tensor, Any]:
        """Run the network over a batch of sequences.

        Args:
            x: (T, B, I); encoded values, (T, B, …), where there are inputs, see `Inputs.forward`;
                a `PartsInput`, where they read columns beside the sequence.
            state: initial state of the recurrent part; None for the default.
            lengths: steps of each row, (B,), 0 … T in any order; None means T for all.

        Returns:
            The outputs, (T, B, O), zeros after a row's end; the state of the recurrent part after
            its last step, which with a delay is d steps after the last input.

        Raises:
            ShapeError: the input has the wrong axes.
            OptionError: the lengths lie outside 0 … T.
        """
        vectors = x if self.inputs is None else self.inputs(x, lengths)
        inputs = self.recurrent.input_size
        if not isinstance(vectors, Tensor) or vectors.dim() != 3 or vectors.size(-1) != inputs:
            axes = f"(T, B, I) with I = {inputs}" if self.inputs is None else "(T, B, …)"
            raise ShapeError(f"input must be {axes}, got {described(x)}.")
        if state is None and isinstance(self.inputs, ConditionedInputs):
            state = self.inputs.begin(x)
        steps = vectors.size(0)
        rows = None if lengths is None else checked_lengths(lengths, vectors)
        delayed = self.delay > 0 and steps > 0
        padded, run_for = self._delayed(vectors, rows) if delayed else (vectors, rows)
        hidden, state = self.recurrent(padded, state, lengths=run_for)
        output = self.head(self.output_dropout(hidden[self.delay : self.delay + steps]))
        if rows is not None and has_padding(rows, steps):  # a pass over (T, B, O) is not cheap
            output = output.where(real_steps(rows, steps).unsqueeze(-1), 0)
        return output, state

    def _delayed(self, x: Tensor, lengths: Tensor | None) -> tuple[Tensor, Tensor | None]:
        """Append d steps without input to every row that has steps; the others stay empty."""
        longer = F.pad(x, (0, 0, 0, 0, 0, self.delay))
        if lengths is None:
            return longer, None
        real = real_steps(lengths, longer.size(0)).unsqueeze(-1)
        return longer.where(real, 0), torch.where(lengths > 0, lengths + self.delay, 0)

    def extra_repr(self) -> str:
        """Return the delay."""
        return f"delay={self.delay}"
