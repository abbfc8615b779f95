"""Many-to-one: one prediction for a sequence."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from torch import Tensor, nn

from elman.errors import OptionError, ShapeError
from elman.layers.bidirectional import Bidirectional
from elman.layers.dropout import LockedDropout
from elman.layers.recurrent import RecurrentLayer
from elman.networks.highway import AutoregressiveHighway
from elman.networks.inputs import Inputs
from elman.networks.objectives.objective import Objective
from elman.networks.stem import ConvolutionalStem
from elman.sequence.ragged import checked_lengths


class ManyToOne(nn.Module):
    """A recurrent part reads the sequence, a pooling reduces it to one vector, a head predicts.

        v(t) = inputs(x(t))
        h(t) = recurrent(v(t), h(t−1))                    t = 1 … T; of stem(v), where there is one
        y    = head(pooling(h(1) … h(T)))                 + highway(x), where there is one

    The pooling takes the last state, or a mean, a maximum or a weighted mean over the real steps.
    """

    def __init__(
        self,
        inputs: Inputs,
        recurrent: RecurrentLayer | Bidirectional,
        pooling: nn.Module,
        head: nn.Module,
        objective: Objective,
        *,
        output_dropout: float = 0.0,
        stem: ConvolutionalStem | None = None,
        highway: AutoregressiveHighway | None = None,
    ) -> None:
        """Assemble the network from its parts.

        Args:
            inputs: turns encoded values into vectors.
            recurrent: any recurrent layer, time first.
            pooling: maps (T, B, H) and lengths to (B, H).
            head: maps (B, recurrent.output_size) to (B, objective.output_size).
            objective: objective of the outputs, one a row.
            output_dropout: dropout of h before the pooling in training, one mask a sequence.
            stem: convolutions between the inputs and the recurrent part.
            highway: a linear function of the last steps, added to the output.

        Raises:
            OptionError: the parts do not fit together, or the layer is batch first.
        """
        super().__init__()
        if recurrent.batch_first:
            raise OptionError("ManyToOne runs time first; build its recurrent part so.")
        size = inputs.size if stem is None else stem.size
        if recurrent.input_size != size:
            raise OptionError(
                f"the recurrent part reads {recurrent.input_size} values a step and the "
                f"{'inputs' if stem is None else 'convolutions'} give {size}; build it with "
                f"input_size={size}."
            )
        if objective.per_step:
            raise OptionError(
                f"objective {type(objective).__name__} needs one output a step, and a many-to-one "
                "network has one a row; use ManyToMany, or an objective per row."
            )
        self.inputs = inputs
        self.stem = stem
        self.recurrent = recurrent
        self.output_dropout = LockedDropout(output_dropout)
        self.pooling = pooling
        self.head = head
        self.highway = highway
        self.objective = objective

    def forward(
        self, x: Tensor, state: Any = None, *, lengths: Tensor | Sequence[int] | None = None
    ) -> tuple[Tensor, Any]:
        """Run the network over a batch of sequences.

        Args:
            x: encoded values, (T, B, …); see `Inputs.forward`.
            state: initial state of the recurrent part; None for the default.
            lengths: steps of each row, (B,), 0 … T in any order; None means T for all.

        Returns:
            The outputs, (B, O); the state of the recurrent part after each row's last step. A row
            without steps is pooled to zeros.

        Raises:
            ShapeError: the input has the wrong axes.
            OptionError: the lengths lie outside 0 … T.
        """
        vectors = self.inputs(x, lengths)
        if vectors.dim() != 3:
            raise ShapeError(f"a many-to-one network reads (T, B, …), got {tuple(x.shape)}.")
        rows = None if lengths is None else checked_lengths(lengths, vectors)
        every = checked_lengths([len(vectors)] * vectors.size(1), vectors) if rows is None else rows
        read = every
        if self.stem is not None:
            vectors, read = self.stem(vectors, every)
            rows = None if rows is None else read
        hidden, state = self.recurrent(vectors, state, lengths=rows)
        output = self.head(self.pooling(self.output_dropout(hidden), read))
        if self.highway is not None:
            output = output + self.highway(x, every)
        return output, state
