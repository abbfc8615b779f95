"""Encoder–decoder: a sequence is read, then one of a different length is predicted."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from torch import Tensor, nn

from elman.batches.inputs import main_part
from elman.errors import OptionError, ShapeError
from elman.layers.bidirectional import Bidirectional
from elman.layers.recurrent import RecurrentLayer
from elman.layers.state import described
from elman.networks.context import ConditionedInputs
from elman.networks.decoder import Decoder, DecoderState
from elman.networks.inputs import Inputs
from elman.networks.objectives.conditional_language_model import ConditionalLanguageModel
from elman.sequence.ragged import checked_lengths


class EncoderDecoder(nn.Module):
    """An encoder reads the source, a bridge maps its last state, a decoder predicts the target.

        m(s) = encoder(inputs(x(s)), m(s−1))              s = 1 … S
        h(0) = bridge(encoder's last state)
        p(y(t) | y(1) … y(t−1), x) = decoder(y(t−1), h(t−1), m(1) … m(S))     t = 1 … U + 1

    y(0) and y(U + 1) are the boundary. In training the decoder reads the true y(t−1). Without
    attention and feedback the decoder depends on its state alone, which is
    `ManyToMany(delay=d)` with two sets of weights: with one set, and S = d steps in every row,
    both give the same outputs.

    Source: Sutskever et al. 2014, arXiv:1409.3215; Cho et al. 2014, arXiv:1406.1078.

    >>> import elman, torch
    >>> from elman.features.feature import Encoding
    >>> from elman.networks import Attention, Bridge, Decoder, Inputs
    >>> from elman.networks.embedding import embedding
    >>> from elman.networks.objectives import ConditionalLanguageModel
    >>> inputs = Inputs(Encoding(ids=(9,)), embedding_size=4)
    >>> objective = ConditionalLanguageModel(6)
    >>> encoder, recurrent = elman.GRU(4, 5, bidirectional=True), elman.LSTM(3, 8)
    >>> decoder = Decoder(recurrent, elman.MLP([8, 7]), embedding(7, 3),
    ...                   attention=Attention("general", 8, 10))
    >>> network = EncoderDecoder(inputs, encoder, Bridge(encoder, recurrent), decoder, objective)
    >>> source, target = torch.randint(0, 9, (5, 2)), torch.randint(0, 6, (3, 2))
    >>> outputs, state = network(source, target=target)
    >>> outputs.shape
    torch.Size([4, 2, 7])
    """

    writes: ClassVar[bool] = True
    """Whether `forward` takes the target, and predictions are decoded step by step."""

    def __init__(
        self,
        inputs: Inputs | ConditionedInputs,
        encoder: RecurrentLayer | Bidirectional,
        bridge: nn.Module,
        decoder: Decoder,
        objective: ConditionalLanguageModel,
    ) -> None:
        """Assemble the network from its parts.

        Args:
            inputs: turns encoded values into vectors.
            encoder: any recurrent layer, time first.
            bridge: maps the encoder's last state to the decoder's initial state.
            decoder: its attention, if any, reads the encoder's outputs.
            objective: objective of the V + 1 outputs.

        Raises:
            OptionError: the parts do not fit together.
        """
        super().__init__()
        if encoder.batch_first:
            raise OptionError("EncoderDecoder runs time first; build its encoder so.")
        if encoder.input_size != inputs.size:
            raise OptionError(
                f"the encoder reads {encoder.input_size} values a step and the inputs give "
                f"{inputs.size}; build it with input_size={inputs.size}."
            )
        attention = decoder.attention
        if attention is not None and attention.memory_size != encoder.output_size:
            raise OptionError(
                f"the attention reads {attention.memory_size} values a step and the encoder gives "
                f"{encoder.output_size}; build it with memory_size={encoder.output_size}."
            )
        context = context_a_step(inputs)
        if decoder.context_size != context:
            raise OptionError(
                f"the decoder reads a context of {decoder.context_size} numbers a step, and the "
                f"inputs give {context}, the vector of a row's columns beside the source; build it "
                f"with context_size={context}."
            )
        decoder.check_beginning("the bridge")
        decoder.feedback.check_symbols(objective.output_size)
        self.inputs = inputs
        self.encoder = encoder
        self.bridge = bridge
        self.decoder = decoder
        self.objective = objective

    def forward(
        self,
        x: Any,
        state: None = None,
        *,
        lengths: Tensor | Sequence[int] | None = None,
        target: Tensor,
    ) -> tuple[Tensor, DecoderState]:
        """Run the network over a batch, with the target as feedback (teacher forcing).

        Args:
            x: encoded values, (S, B, …); see `Inputs.forward`; a `PartsInput`, where columns beside
                the source are read.
            state: None; a source is read from its start.
            lengths: steps of each row, (B,), 0 … S in any order; None means S for all.
            target: ids below V, (U, B), −1 after a row's end.

        Returns:
            The outputs, (U + 1, B, V + 1), zeros after a row's boundary, and the decoder's state.

        Raises:
            ShapeError: the input or the target has the wrong axes.
            OptionError: lengths or ids are out of range, or a state is given.
            DataError: a row of the target continues after its end.
        """
        if state is not None:
            raise OptionError("an encoder–decoder reads a source from its start; leave state out.")
        start = self.begin(x, lengths)
        forced = self.objective.teacher_forced(target, main_part(x).size(1))
        return self.decoder(forced.read, start, lengths=forced.lengths)  # type: ignore[no-any-return]

    def attend(
        self, x: Any, *, lengths: Tensor | Sequence[int] | None = None, target: Tensor
    ) -> Tensor:
        """Return the attention weights of the target's symbols over the source, (U + 1, B, S).

        Weights of a real step sum to one and are zero in the padding; see `forward`. For the
        network's own prediction, give that as the target.

        Raises:
            OptionError: the decoder has no attention.
        """
        start = self.begin(x, lengths)
        forced = self.objective.teacher_forced(target, main_part(x).size(1))
        return self.decoder.attend(forced.read, start, lengths=forced.lengths)

    def begin(self, x: Any, lengths: Tensor | Sequence[int] | None = None) -> DecoderState:
        """Read a batch of sources and return the decoder's initial state, rows in axis 1.

        Args:
            x: encoded values, (S, B, …).
            lengths: steps of each row, (B,); None means S for all.

        Raises:
            ShapeError: the input has the wrong axes.
            OptionError: the lengths lie outside 0 … S.
        """
        vectors = self.inputs(x, lengths)
        if vectors.dim() != 3:
            raise ShapeError(f"an encoder–decoder reads (S, B, …), got {described(x)}.")
        rows = None if lengths is None else checked_lengths(lengths, vectors)
        state, context = None, None
        if isinstance(self.inputs, ConditionedInputs):
            state = self.inputs.begin(x)
            if self.decoder.context_size:
                context = self.inputs.context(x).unsqueeze(0)
        read, ended = self.encoder(vectors, state, lengths=rows)
        attention = self.decoder.attention
        memory = None if attention is None else attention.read(read, rows)
        return DecoderState(self.bridge(ended), memory, context=context)

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


def context_a_step(inputs: Inputs | ConditionedInputs) -> int:
    """Return the size of the context that a decoder reads at every step; 0 for none."""
    if isinstance(inputs, ConditionedInputs) and inputs.each:
        return inputs.context.size
    return 0
