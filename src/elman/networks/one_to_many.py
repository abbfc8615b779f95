"""One-to-many: one value is read, then a sequence is predicted."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, get_args

import torch
from torch import Tensor, nn

from elman.batches.inputs import rows_of
from elman.errors import OptionError, ShapeError, unknown
from elman.experiment.decoder import Conditioning
from elman.layers.state import described
from elman.networks.bridge import InitialState
from elman.networks.context import Context
from elman.networks.decoder import Decoder, DecoderState
from elman.networks.inputs import Inputs
from elman.networks.objectives.conditional_language_model import ConditionalLanguageModel

CONDITIONINGS: tuple[str, ...] = get_args(Conditioning)
"""Names of the ways in which what is written depends on the value."""


class OneToMany(nn.Module):
    """A decoder predicts a sequence from one value: an image, a record, a class, a number.

        v = inputs(x)

        first:  h(1) = recurrent(W v, 0)                  x at the first step alone
                h(t + 1) = recurrent(E y(t−1), h(t))      p(y(t) | …) = softmax(head(h(t + 1)))
        state:  h(0) = tanh(W v + b)                      c(0) likewise, in every layer
                h(t) = recurrent(E y(t−1), h(t−1))        p(y(t) | …) = softmax(head(h(t)))
        each:   h(t) = recurrent([E y(t−1); v], h(t−1))   p(y(t) | …) = softmax(head(h(t)))

    t = 1 … U + 1; y(0) and y(U + 1) are the boundary, and h starts at zero, or at the learned
    initial state. With `first`, the textbook one-to-many, x is the input at the first step only;
    that step has no output, and the boundary and the symbols are read after it. W v is v itself
    where v has the size of the recurrent part's inputs.

    Source: first: Vinyals et al. 2015, arXiv:1411.4555, eqs. 10–12; state: Xu et al. 2015,
    arXiv:1502.03044, §3.1.2; each: Cho et al. 2014, arXiv:1406.1078, §2.2.

    >>> import elman, torch
    >>> from elman.features.feature import Encoding
    >>> from elman.networks import Decoder, Inputs
    >>> from elman.networks.embedding import embedding
    >>> from elman.networks.objectives import ConditionalLanguageModel
    >>> decoder = Decoder(elman.GRU(3, 5), elman.MLP([5, 7]), embedding(7, 3))
    >>> inputs, objective = Inputs(Encoding(ids=(18,))), ConditionalLanguageModel(6)
    >>> network = OneToMany(inputs, decoder, objective, conditioning="state")
    >>> outputs, state = network(torch.tensor([4, 11]), target=torch.randint(0, 6, (8, 2)))
    >>> outputs.shape
    torch.Size([9, 2, 7])
    """

    writes: ClassVar[bool] = True
    """Whether `forward` takes the target, and predictions are decoded step by step."""

    def __init__(
        self,
        inputs: Inputs | Context,
        decoder: Decoder,
        objective: ConditionalLanguageModel,
        *,
        conditioning: str = "first",
        device: torch.device | str | None = None,
    ) -> None:
        """Assemble the network from its parts.

        Args:
            inputs: turns encoded values into vectors v.
            decoder: without attention; with `each` its context_size is inputs.size.
            objective: objective of the V + 1 outputs.
            conditioning: first, state or each.
            device: device of the dense layers between v and the decoder, where there are any.

        Raises:
            OptionError: the conditioning is unknown, or the parts do not fit together.
        """
        super().__init__()
        if conditioning not in CONDITIONINGS:
            raise unknown("conditioning", conditioning, CONDITIONINGS)
        if decoder.attention is not None:
            raise OptionError(
                "attention weights the steps of a source, and one value has no steps; build the "
                "decoder without attention."
            )
        context = inputs.size if conditioning == "each" else 0
        if decoder.context_size != context:
            raise OptionError(
                f"conditioning={conditioning!r} gives the decoder a context of {context} numbers a "
                f"step and it reads {decoder.context_size}; build it with context_size={context}."
            )
        decoder.feedback.check_symbols(objective.output_size)
        self.inputs = inputs
        self.decoder = decoder
        self.objective = objective
        self.conditioning = conditioning
        reads = decoder.recurrent.input_size
        self.projection: nn.Linear | None = None
        self.initial_state: InitialState | None = None
        if conditioning == "first" and inputs.size != reads:
            self.projection = nn.Linear(inputs.size, reads, bias=False, device=device)
        if conditioning == "state":
            decoder.check_beginning("conditioning='state'")
            self.initial_state = InitialState(inputs.size, decoder.recurrent, device=device)

    def forward(
        self,
        x: Tensor,
        state: None = None,
        *,
        lengths: Tensor | Sequence[int] | None = None,
        target: Tensor,
    ) -> tuple[Tensor, DecoderState]:
        """Run the network over a batch, with the target as feedback (teacher forcing).

        Args:
            x: encoded values, (B, …); see `Inputs.forward`.
            state: None; the network computes its own.
            lengths: None, or one a row, as in a batch of any category; they are not used.
            target: ids below V, (U, B), −1 after a row's end.

        Returns:
            The outputs, (U + 1, B, V + 1), zeros after a row's boundary, and the decoder's state.

        Raises:
            ShapeError: the input or the target has the wrong axes, or there is not one length a
                row.
            OptionError: ids are out of range, or a state is given.
            DataError: a row of the target continues after its end.
        """
        if state is not None:
            raise OptionError("a one-to-many network takes no initial state; leave it out.")
        start = self.begin(x, lengths)
        forced = self.objective.teacher_forced(target, rows_of(x))
        return self.decoder(forced.read, start, lengths=forced.lengths)  # type: ignore[no-any-return]

    def begin(self, x: Tensor, lengths: Tensor | Sequence[int] | None = None) -> DecoderState:
        """Read a batch of values and return the decoder's initial state, rows in axis 1.

        Args:
            x: encoded values, (B, …).
            lengths: None, or one a row.

        Raises:
            ShapeError: the input has the wrong axes, or there is not one length a row.
        """
        vectors = self.inputs(x)
        if vectors.dim() != 2:
            raise ShapeError(f"a one-to-many network reads (B, …), got {described(x)}.")
        if lengths is not None and len(lengths) != len(vectors):
            raise ShapeError(f"lengths must be (B,) = ({len(vectors)},), got {len(lengths)}.")
        if self.initial_state is not None:
            return DecoderState(self.initial_state(vectors))
        if self.conditioning == "each":
            return DecoderState(None, context=vectors.unsqueeze(0))
        first = vectors if self.projection is None else self.projection(vectors)
        return DecoderState(self.decoder.recurrent(first.unsqueeze(0))[1])

    def step(self, ids: Tensor, state: DecoderState) -> tuple[Tensor, DecoderState]:
        """Decode one more symbol.

        Args:
            ids: the previous symbol of each row, (N,); the boundary, `objective.boundary`, at
                first.
            state: from `begin`, or from the previous step.

        Returns:
            Scores of the next symbol, (N, V + 1), and the state.
        """
        return self.decoder.step(ids, state)

    def extra_repr(self) -> str:
        """Return the conditioning."""
        return f"conditioning={self.conditioning!r}"
