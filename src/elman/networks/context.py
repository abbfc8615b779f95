"""What is known of a row beside its sequence: its other columns, as one vector."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from elman.batches.inputs import PartsInput
from elman.errors import OptionError, ShapeError
from elman.layers.bidirectional import Bidirectional
from elman.layers.dropout import LockedDropout
from elman.layers.mlp import MLP
from elman.layers.recurrent import RecurrentLayer
from elman.layers.state import described
from elman.networks.bridge import InitialState
from elman.networks.inputs import Inputs
from elman.sequence.ragged import checked_lengths


class SequenceEncoder(nn.Module):
    """One vector for a sequence: recurrent layers and a pooling.

    v(t) = inputs(x(t))                               [inputs(x(t)); c] with a context a step
    h(t) = recurrent(v(t), h(t−1))                    h(0) = tanh(W c + b), or the default
    u    = pooling(h(1) … h(T))
    """

    def __init__(
        self,
        inputs: Inputs,
        recurrent: RecurrentLayer | Bidirectional,
        pooling: nn.Module,
        *,
        context_size: int = 0,
        each: bool = False,
        output_dropout: float = 0.0,
        device: torch.device | str | None = None,
    ) -> None:
        """Assemble the encoder from its parts.

        Args:
            inputs: turns encoded values into vectors.
            recurrent: any recurrent layer, time first.
            pooling: maps (T, B, H) and lengths to (B, H).
            context_size: size of the context c; 0 where the encoder reads none.
            each: whether c is read at every step; else it gives the first state.
            output_dropout: dropout of h before the pooling in training, one mask a sequence.
            device: device of the dense layers of the first state.

        Raises:
            OptionError: the parts do not fit together.
        """
        super().__init__()
        reads = inputs.size + (context_size if each else 0)
        if recurrent.batch_first or recurrent.input_size != reads:
            raise OptionError(
                f"an encoder of sequences needs a recurrent part that reads {reads} values a step, "
                f"time first; got one of {recurrent.input_size}."
            )
        self.inputs = inputs
        self.recurrent = recurrent
        self.pooling = pooling
        self.output_dropout = LockedDropout(output_dropout)
        self.context_size, self.each = context_size, each
        self.beginning = first_state(recurrent, context_size, each=each, device=device)

    @property
    def size(self) -> int:
        """Size of the vector."""
        return self.recurrent.output_size

    def forward(
        self, x: Tensor, lengths: Tensor, context: Tensor | None = None
    ) -> tuple[Tensor, Any]:
        """Encode a batch of sequences.

        Args:
            x: encoded values, (T, B, …); see `Inputs.forward`.
            lengths: steps of each row, (B,).
            context: c, (B, C), where the encoder reads one.

        Returns:
            u, (B, H), zeros for a row without steps; and the state after each row's last step.

        Raises:
            ShapeError: the input has the wrong axes.
            OptionError: the lengths lie outside 0 … T.
        """
        vectors = self.inputs(x, lengths)
        if vectors.dim() != 3:
            raise ShapeError(f"an encoder of sequences reads (T, B, …), got {described(x)}.")
        state = None
        if context is not None and self.each:
            vectors = beside_each_step(vectors, context)
        elif context is not None and self.beginning is not None:
            state = self.beginning(context)
        rows = checked_lengths(lengths, vectors)
        hidden, ended = self.recurrent(vectors, state, lengths=rows)
        return self.pooling(self.output_dropout(hidden), rows), ended

    def extra_repr(self) -> str:
        """Return how the context is read."""
        return f"context_size={self.context_size}, each={self.each}"


def first_state(
    recurrent: RecurrentLayer | Bidirectional,
    context_size: int,
    *,
    each: bool,
    device: torch.device | str | None = None,
) -> InitialState | None:
    """Return what computes the first state of layers from a context; None where nothing does.

    Args:
        recurrent: the layers.
        context_size: size of the context; 0 for none.
        each: whether the context is read at every step instead.
        device: device of the dense layers.

    Raises:
        OptionError: the layers learn their first state, or are a pair of two kinds.
    """
    if not context_size or each:
        return None
    if not isinstance(recurrent, RecurrentLayer):
        raise OptionError(
            "context='state' computes the first state of one stack of layers, got "
            f"{type(recurrent).__name__}; use 'each'."
        )
    if recurrent.options.learn_initial_state:
        raise OptionError(
            "context='state' computes the first state from the columns without steps, so that "
            "a learned one would never be used; leave learn_initial_state out."
        )
    return InitialState(context_size, recurrent, device=device)


def beside_each_step(vectors: Tensor, context: Tensor) -> Tensor:
    """Concatenate a context, (B, C), to the vectors of every step, (T, B, ·)."""
    return torch.cat([vectors, context.expand(len(vectors), -1, -1)], -1)


class Context(nn.Module):
    """One vector for the columns of a row, beside a sequence or alone.

    v = [inputs₁(x₁); …; u₁; …]                       columns without steps; sequences encoded
    c = dense(v)                                      v itself where there are no dense layers
    """

    def __init__(
        self,
        inputs: Sequence[Inputs],
        encoders: Sequence[SequenceEncoder] = (),
        dense: MLP | None = None,
        *,
        reads: Sequence[int] = (),
        first: int = 0,
    ) -> None:
        """Assemble it from its parts.

        Args:
            inputs: of each part without steps.
            encoders: of the sequences that are read here.
            dense: dense layers that read v; None for none.
            reads: number of the encoder of each sequence.
            first: number of sequences of a row before those that are read here.

        Raises:
            OptionError: there is neither a part nor a sequence, or the dense layers do not fit.
        """
        super().__init__()
        self.inputs = nn.ModuleList(inputs)
        self.encoders = nn.ModuleList(encoders)
        self.reads, self.first = tuple(reads), first
        width = sum(each.size for each in inputs) + sum(encoders[k].size for k in self.reads)
        if not width:
            raise OptionError("a context needs a column beside the sequence, and there is none.")
        if dense is not None and dense.sizes[0] != width:
            raise OptionError(
                f"the dense layers of a context of {width} values read {dense.sizes[0]}; build "
                f"them for {width}."
            )
        self.dense = dense
        self.size = width if dense is None else int(dense.sizes[-1])

    def forward(self, x: PartsInput) -> Tensor:
        """Return the vector of each row, (B, size).

        Raises:
            ShapeError: the input has other parts.
        """
        sequences = x.sequences[self.first :] if isinstance(x, PartsInput) else ()
        if not isinstance(x, PartsInput) or (len(x.context), len(sequences)) != (
            len(self.inputs),
            len(self.reads),
        ):
            raise ShapeError(
                f"a context reads {len(self.inputs)} parts without steps and {len(self.reads)} "
                f"sequences beside the main one, as a PartsInput; got {described(x)}."
            )
        parts = [read(part) for read, part in zip(self.inputs, x.context, strict=True)]
        lengths = x.lengths[self.first :]
        for number, sequence, steps in zip(self.reads, sequences, lengths, strict=True):
            parts.append(self.encoders[number](sequence, steps)[0])
        vector = torch.cat(parts, -1)
        return vector if self.dense is None else self.dense(vector)


class ConditionedInputs(nn.Module):
    """The vectors of a sequence's steps, read with what is beside the sequence.

    v(t) = [inputs(x(t)); c]                          c at every step
    v(t) = inputs(x(t)),  h(0) = tanh(W c + b)        c in the first state
    """

    beginning: InitialState | None

    def __init__(self, inputs: Inputs, context: Context, *, each: bool) -> None:
        """Assemble it from its parts.

        Args:
            inputs: of the main sequence.
            context: of the other columns.
            each: whether c is read at every step; else `beginning` is to be set to what computes
                the first state from it, once the recurrent layers are made.
        """
        super().__init__()
        self.main = inputs
        self.context = context
        self.each = each
        self.size = inputs.size + (context.size if each else 0)
        self.beginning = None

    def begin(self, x: PartsInput) -> Any:
        """Return the first state for the rows of a batch; None for the default."""
        return None if self.beginning is None else self.beginning(self.context(x))

    @property
    def tables(self) -> list[nn.Embedding]:
        """The embeddings of the main sequence."""
        return self.main.tables

    @property
    def encoding(self) -> Any:
        """The encoding of the main sequence."""
        return self.main.encoding

    @property
    def is_lone_id(self) -> bool:
        """Whether a step of the main sequence is a single id."""
        return self.main.is_lone_id

    def forward(self, x: PartsInput, lengths: Tensor | Sequence[int] | None = None) -> Tensor:
        """Turn the main sequence into vectors, (T, B, size).

        Args:
            x: the parts of a batch.
            lengths: steps of the main sequence, (B,); None means T for all.
        """
        vectors: Tensor = self.main(x.parts[0], lengths)
        return beside_each_step(vectors, self.context(x)) if self.each else vectors
