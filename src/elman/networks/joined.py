"""Many-to-one with several sequences, or with columns beside them: one prediction for a row."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from elman.batches.inputs import PartsInput
from elman.errors import OptionError, ShapeError
from elman.layers.state import described
from elman.networks.context import Context, SequenceEncoder
from elman.networks.objectives.objective import Objective


class JoinedToOne(nn.Module):
    """Each sequence is read by an encoder; their vectors and the context are joined.

        c    = context(x)                                 columns without steps
        u(k) = encoder(x(k), c)                           sequence k = 1 … K
        y    = head([u(1); …; u(K); |u(1) − u(2)|; u(1) ⊙ u(2); c])

    The difference and the product are there where two sequences are read with the same weights.

    Source: of the pair: Conneau et al. 2017, arXiv:1705.02364, §3.1.
    """

    def __init__(
        self,
        encoders: Sequence[SequenceEncoder],
        head: nn.Module,
        objective: Objective,
        *,
        reads: Sequence[int],
        context: Context | None = None,
    ) -> None:
        """Assemble the network from its parts.

        Args:
            encoders: of sequences; several sequences may have the same.
            head: maps (B, joined size) to (B, objective.output_size); see `joined_size`.
            objective: objective of the outputs, one a row.
            reads: number of the encoder of each sequence.
            context: of the columns without steps; None where there are none.

        Raises:
            OptionError: the parts do not fit together.
        """
        super().__init__()
        if objective.per_step:
            raise OptionError(
                f"objective {type(objective).__name__} needs one output a step, and a many-to-one "
                "network has one a row; use ManyToMany, or an objective per row."
            )
        if set(reads) != set(range(len(encoders))):
            raise OptionError(f"reads must name each of the {len(encoders)} encoders, got {reads}.")
        self.encoders = nn.ModuleList(encoders)
        self.reads = tuple(reads)
        self.context = context
        self.head = head
        self.objective = objective

    @property
    def recurrent(self) -> Any:
        """The recurrent layers that read the main sequence."""
        return self.encoders[self.reads[0]].recurrent

    @property
    def inputs(self) -> Any:
        """The inputs of the main sequence."""
        return self.encoders[self.reads[0]].inputs

    @property
    def pooling(self) -> Any:
        """The pooling of the main sequence."""
        return self.encoders[self.reads[0]].pooling

    def forward(
        self,
        x: PartsInput,
        state: None = None,
        *,
        lengths: Tensor | Sequence[int] | None = None,
    ) -> tuple[Tensor, Any]:
        """Run the network over a batch of rows.

        Args:
            x: the parts of a batch.
            state: None; each sequence is read from its start.
            lengths: None, or the steps of the main sequence, which `x` holds too.

        Returns:
            The outputs, (B, O); the state of the main sequence's recurrent part after its last
            step.

        Raises:
            ShapeError: the input has other parts.
            OptionError: a state is given.
        """
        del lengths
        if state is not None:
            raise OptionError("a row of several columns is read from its start; leave state out.")
        if not isinstance(x, PartsInput) or len(x.lengths) != len(self.reads):
            raise ShapeError(
                f"this network reads rows of {len(self.reads)} sequences, as a PartsInput; got "
                f"{described(x)}."
            )
        context = None if self.context is None else self.context(x)
        read = [
            self.encoders[number](sequence, steps, context)
            for number, sequence, steps in zip(self.reads, x.sequences, x.lengths, strict=True)
        ]
        joined = [vector for vector, _ in read]
        if is_pair(self.reads):
            joined += [(joined[0] - joined[1]).abs(), joined[0] * joined[1]]
        if context is not None:
            joined.append(context)
        return self.head(torch.cat(joined, -1)), read[0][1]


def is_pair(reads: Sequence[int]) -> bool:
    """Tell whether there are two sequences, read with the same weights."""
    return len(reads) == 2 and reads[0] == reads[1]


def joined_size(sizes: Sequence[int], reads: Sequence[int], context_size: int) -> int:
    """Return the size of the joined vectors.

    Args:
        sizes: size of the vector of each encoder.
        reads: number of the encoder of each sequence.
        context_size: size of the context; 0 where there is none.
    """
    vectors = [sizes[number] for number in reads]
    return sum(vectors) + 2 * vectors[0] * is_pair(reads) + context_size
