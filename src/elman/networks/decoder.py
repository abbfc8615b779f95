"""The decoder: it predicts a sequence symbol by symbol, each from those before it."""

from __future__ import annotations

from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from elman.errors import OptionError, ShapeError
from elman.layers.dropout import LockedDropout
from elman.layers.options import checked_probability
from elman.layers.recurrent import RecurrentLayer
from elman.layers.state import described
from elman.networks.attention import Attention, Memory
from elman.networks.feedback import Feedback, Masks
from elman.sequence.ragged import checked_lengths, has_padding, real_steps


class DecoderState(NamedTuple):
    """The state of a decoder; the batch is axis 1 of all its tensors."""

    recurrent: Any
    """State of the recurrent part, as it returns it; None for the initial one"""
    memory: Memory | None = None
    """The source that is attended to"""
    context: Tensor | None = None
    """A vector that is read at every step beside the symbol, (1, B, C)"""
    fed: Tensor | None = None
    """The attentional vector of the previous step, (1, B, H); None for zeros"""


class Decoder(nn.Module):
    """A recurrent part that reads the previous symbol and predicts the next one.

        v(t) = [E y(t−1); context; h̃(t−1)]                E y(t−1) = 0 without feedback
        h(t) = recurrent(v(t), h(t−1))
        c(t) = attention(h(t))
        h̃(t) = tanh(W [c(t); h(t)])                       h(t) itself without attention
        y(t) ~ softmax(head(h̃(t)))

    v contains the context, one vector a row, where `context_size` is not 0, and h̃(t−1) with input
    feeding. Under teacher forcing, where the previous symbols are given and nothing else is fed
    back, all steps of the recurrent part are one call, and the attention after it one product.
    Input feeding and scheduled sampling run step by step, because an output is an input. Each step
    is then one call of the recurrent part, for which weight dropout samples a new mask.

    With scheduled sampling, in training, a step reads the model's own symbol instead of the true
    one with probability p. No gradient flows through that choice.

    Source: attention, h̃ and input feeding: Luong et al. 2015, arXiv:1508.04025, §3; scheduled
    sampling: Bengio et al. 2015, arXiv:1506.03099.

    >>> import elman, torch
    >>> from elman.networks.embedding import embedding
    >>> decoder = Decoder(elman.GRU(3, 5), elman.MLP([5, 12]), embedding(12, 3))
    >>> outputs, state = decoder(torch.zeros(7, 2, dtype=torch.int64), DecoderState(None))
    >>> outputs.shape
    torch.Size([7, 2, 12])
    """

    def __init__(
        self,
        recurrent: RecurrentLayer,
        head: nn.Module,
        embedding: nn.Embedding | None = None,
        *,
        attention: Attention | None = None,
        input_feeding: bool = False,
        feedback: bool = True,
        context_size: int = 0,
        shares_embedding: bool = False,
        scheduled_sampling: float = 0.0,
        own_symbols: str = "drawn",
        embedding_dropout: float = 0.0,
        word_dropout: float = 0.0,
        input_dropout: float = 0.0,
        output_dropout: float = 0.0,
    ) -> None:
        """Assemble the decoder from its parts.

        Args:
            recurrent: a recurrent layer, one direction, time first; its inputs are v.
            head: maps (…, recurrent.output_size) to (…, V + 1), boundary last.
            embedding: E, of the V symbols and the boundary; None without feedback.
            attention: attention to an encoder's steps, with queries of recurrent.output_size;
                None for none.
            input_feeding: whether a step reads the attentional vector of the previous step.
            feedback: whether a step reads the previous symbol; else its part of v is zeros, and
                an output depends on the state alone.
            context_size: C, size of the context; 0 for none.
            shares_embedding: whether the embedding belongs to another part of the network, which
                saves it under its own name: the inputs, of a source of the same V symbols.
            scheduled_sampling: p; it may be changed between batches.
            own_symbols: how the model's own symbol is chosen: drawn by its probability, or the
                likeliest.
            embedding_dropout: probability that a symbol's vector is zero throughout a batch.
            word_dropout: probability that a symbol is read as 0, the unknown one.
            input_dropout: dropout of v in training, one mask a sequence.
            output_dropout: dropout of h̃ before the head in training, one mask a sequence.

        Raises:
            OptionError: a value is out of range, or the parts do not fit together.
        """
        super().__init__()
        _check_recurrent(recurrent)
        if feedback == (embedding is None):
            raise OptionError(
                "feedback=True needs an embedding and feedback=False none; got "
                f"feedback={feedback} and {'no' if embedding is None else 'an'} embedding."
            )
        self.recurrent = recurrent
        self.attention = attention
        self.head = head
        self.input_feeding = input_feeding
        self.context_size = context_size
        self.feedback = Feedback(
            embedding,
            shared=shares_embedding,
            own_symbols=own_symbols,
            embedding_dropout=embedding_dropout,
            word_dropout=word_dropout,
        )
        self.input_dropout = LockedDropout(input_dropout)
        self.output_dropout = LockedDropout(output_dropout)
        self._check_attention()
        self._check_sizes()
        self.scheduled_sampling = scheduled_sampling
        self.attentional: nn.Linear | None = None
        if attention is not None:
            size, weight = recurrent.output_size, next(recurrent.parameters())
            self.attentional = nn.Linear(
                attention.memory_size + size, size, bias=False, device=weight.device
            )

    @property
    def scheduled_sampling(self) -> float:
        """Probability p that a step reads the model's own symbol in training."""
        return self._scheduled_sampling

    @scheduled_sampling.setter
    def scheduled_sampling(self, probability: float) -> None:
        checked = checked_probability("scheduled_sampling", probability)
        if checked and self.feedback.table is None:
            raise OptionError(
                f"scheduled_sampling={probability} feeds the model's own symbols back, and "
                "feedback=False feeds no symbols back; leave one of them out."
            )
        self._scheduled_sampling = checked
        self._check_steps()

    def forward(
        self, ids: Tensor, state: DecoderState, *, lengths: Tensor | None = None
    ) -> tuple[Tensor, DecoderState]:
        """Compute the outputs for given previous symbols (teacher forcing).

        Args:
            ids: y(t−1), the boundary first, (U, B); in the padding any id.
            state: the initial state.
            lengths: steps of each row, (B,), 0 … U; None means U for all.

        Returns:
            The outputs, (U, B, V + 1), zeros after a row's end, and the state at each row's end.

        Raises:
            ShapeError: the ids have the wrong axes, or the state lacks a part that is needed.
            OptionError: ids or lengths are out of range.
        """
        outputs, _, state = self._decode(ids, state, lengths)
        return outputs, state

    def attend(self, ids: Tensor, state: DecoderState, *, lengths: Tensor | None = None) -> Tensor:
        """Return the attention weights of each step over the source's steps, (U, B, S).

        They are zero in the padding of both; see `forward` for the arguments.

        Raises:
            OptionError: the decoder has no attention.
        """
        weights = self._decode(ids, state, lengths)[1]
        if weights is None:
            raise OptionError("this decoder has no attention; build it with one to see weights.")
        return weights

    def step(self, ids: Tensor, state: DecoderState) -> tuple[Tensor, DecoderState]:
        """Advance by one step.

        Args:
            ids: the previous symbol of each row, (N,); the boundary at first.
            state: the state after the previous step.

        Returns:
            The output, (N, V + 1), and the state after the step.

        Raises:
            ShapeError: there is not one id a row.
            OptionError: an id is out of range.
        """
        if ids.dim() != 1:
            raise ShapeError(f"ids must be (N,), one a row, got {described(ids)}.")
        outputs, _, state = self._decode(ids.unsqueeze(0), state, None)
        return outputs.squeeze(0), state

    def check_beginning(self, giver: str) -> None:
        """Refuse a learned initial state where the network computes it.

        Raises:
            OptionError: the recurrent part learns its initial state.
        """
        if self.recurrent.options.learn_initial_state:
            raise OptionError(
                f"{giver} computes the decoder's initial state, so that a learned one would never "
                "be used; leave learn_initial_state out."
            )

    def _decode(
        self, ids: Tensor, state: DecoderState, lengths: Tensor | None
    ) -> tuple[Tensor, Tensor | None, DecoderState]:
        """Return the outputs, the attention weights, if any, and the state at the end."""
        self.feedback.check(ids)
        self._check_state(ids.size(1), state)
        real = None
        if lengths is not None:
            lengths = checked_lengths(lengths, ids)
            if has_padding(lengths, len(ids)):
                real = real_steps(lengths, len(ids))
        masks = self._draw_masks(ids)
        sampled = self.training and self.scheduled_sampling > 0
        if len(ids) > 1 and (self.input_feeding or sampled):
            outputs, weights, state = self._decode_stepwise(ids, state, real, masks, sampled)
        else:
            ends = None if real is None else lengths
            hidden, weights, state = self._advance(ids, state, ends, masks)
            outputs = self._outputs(hidden, real, masks)
        if real is not None and weights is not None:
            weights = weights.where(real.unsqueeze(-1), 0)
        return outputs, weights, state

    def _decode_stepwise(
        self, ids: Tensor, state: DecoderState, real: Tensor | None, masks: Masks, sampled: bool
    ) -> tuple[Tensor, Tensor | None, DecoderState]:
        """Run step by step, so that a step can read the output of the previous one."""
        outputs: list[Tensor] = []
        hiddens: list[Tensor] = []
        attended: list[Tensor] = []
        for t in range(len(ids)):
            symbols, alive = ids[t], None if real is None else real[t : t + 1]
            if outputs:  # filled only where symbols are sampled from them
                symbols = self.feedback.mixed(symbols, outputs[-1][0], self.scheduled_sampling)
            hidden, weights, state = self._advance(
                symbols.unsqueeze(0), state, None if alive is None else alive[0].long(), masks.at(t)
            )
            hiddens.append(hidden)
            if weights is not None:
                attended.append(weights)
            if sampled:
                outputs.append(self._outputs(hidden, alive, masks))
        if not sampled:
            outputs.append(self._outputs(torch.cat(hiddens), real, masks))
        return torch.cat(outputs), torch.cat(attended) if attended else None, state

    def _advance(
        self, ids: Tensor, state: DecoderState, lengths: Tensor | None, masks: Masks
    ) -> tuple[Tensor, Tensor | None, DecoderState]:
        """Run the recurrent part and attention.

        Returns:
            h̃, (U, B, H), the attention weights, (U, B, S), and the state.
        """
        hidden, ended = self.recurrent(
            self._inputs(ids, state, masks), state.recurrent, lengths=lengths
        )
        weights = None
        if self.attention is not None and self.attentional is not None:
            assert state.memory is not None, "checked at the call"
            contexts, weights = self.attention(hidden, state.memory)
            hidden = torch.tanh(self.attentional(torch.cat([contexts, hidden], -1)))
        fed = hidden if self.input_feeding else None
        return hidden, weights, state._replace(recurrent=ended, fed=fed)

    def _inputs(self, ids: Tensor, state: DecoderState, masks: Masks) -> Tensor:
        """Concatenate the inputs of the recurrent part, v, (U, B, I)."""
        steps, rows = ids.shape
        like, parts = next(self.recurrent.parameters()), list[Tensor]()
        if self.feedback.table is None:
            size = self.recurrent.input_size - self.context_size
            parts.append(like.new_zeros(steps, rows, size))
        else:
            parts.append(self.feedback(ids, masks))
        if state.context is not None:
            parts.append(state.context.expand(steps, -1, -1))
        if self.input_feeding:
            zeros = like.new_zeros(steps, rows, self.recurrent.output_size)
            parts.append(zeros if state.fed is None else state.fed)
        inputs = parts[0] if len(parts) == 1 else torch.cat(parts, -1)
        return inputs if masks.inputs is None else inputs * masks.inputs

    def _outputs(self, hidden: Tensor, real: Tensor | None, masks: Masks) -> Tensor:
        """Map h̃, (U, B, H), to outputs, (U, B, V + 1), zeros in the padding."""
        if masks.outputs is not None:
            hidden = hidden * masks.outputs
        if real is None:
            outputs: Tensor = self.head(hidden)
            return outputs
        # With a large vocabulary, outputs of the padding would be expensive.
        of_real: Tensor = self.head(hidden[real])
        return of_real.new_zeros(*real.shape, of_real.size(-1)).index_put((real,), of_real)

    def _draw_masks(self, ids: Tensor) -> Masks:
        """Sample the dropout masks, the same whether steps run at once or one by one."""
        if not self.training:
            return Masks()
        ones = next(self.recurrent.parameters()).new_ones(ids.size(1), 1)
        inputs, outputs = [
            dropout(ones.expand(-1, size)) if dropout.p else None
            for dropout, size in (
                (self.input_dropout, self.recurrent.input_size),
                (self.output_dropout, self.recurrent.output_size),
            )
        ]
        return self.feedback.draw(ids)._replace(inputs=inputs, outputs=outputs)

    def _check_attention(self) -> None:
        """Refuse an attention with other queries, and input feeding without attention."""
        if self.input_feeding and (self.attention is None or self.feedback.table is None):
            raise OptionError(
                "input_feeding feeds the attentional vector back beside the previous symbol; it "
                "needs an attention and feedback=True."
            )
        if self.attention is not None and self.attention.query_size != self.recurrent.output_size:
            raise OptionError(
                f"the attention takes queries of size {self.attention.query_size} and the "
                f"recurrent part has outputs of size {self.recurrent.output_size}; build it with "
                f"query_size={self.recurrent.output_size}."
            )

    def _check_sizes(self) -> None:
        """Refuse a recurrent part whose input size does not fit."""
        parts = {
            "of a symbol": self.feedback.size,
            "of the context": self.context_size,
            "fed back": self.recurrent.output_size if self.input_feeding else 0,
        }
        size, reads = sum(parts.values()), self.recurrent.input_size
        if reads < size or (reads > size and self.feedback.table is not None):
            terms = " + ".join(f"{count} {what}" for what, count in parts.items() if count)
            raise OptionError(
                f"the decoder's recurrent part reads {reads} values a step and gets {terms}; "
                f"build it with input_size={size}."
            )

    def _check_steps(self) -> None:
        """Refuse masks for a whole sequence where a call of the recurrent part is one step."""
        for name in ("recurrent_dropout", "locked_dropout"):
            share = getattr(self.recurrent.options, name)
            if share and (self.input_feeding or self.scheduled_sampling):
                raise OptionError(
                    f"{name}={share} uses one mask a sequence, and with input_feeding or "
                    "scheduled_sampling the decoder runs step by step; use dropout or zoneout."
                )

    def _check_state(self, rows: int, state: DecoderState) -> None:
        """Refuse a state that lacks a part that is needed."""
        if (self.attention is None) != (state.memory is None):
            raise ShapeError(
                "the state of a decoder must have a memory with attention, and none without; make "
                "the state by the network's begin."
            )
        expected = (1, rows, self.context_size)
        actual = (1, rows, 0) if state.context is None else tuple(state.context.shape)
        if actual != expected:
            raise ShapeError(f"the context must be (1, B, C) = {expected}, got {actual}.")

    def extra_repr(self) -> str:
        """Return what is fed back beside the previous symbol."""
        parts = [f"input_feeding={self.input_feeding}", f"context_size={self.context_size}"]
        if self.scheduled_sampling:
            parts.append(f"scheduled_sampling={self.scheduled_sampling:g}")
        return ", ".join(parts)


def _check_recurrent(recurrent: RecurrentLayer) -> None:
    """Refuse a recurrent part that cannot decode."""
    if not isinstance(recurrent, RecurrentLayer) or recurrent.bidirectional:
        raise OptionError(
            "a decoder runs from the first step to the last; give it a unidirectional "
            "elman.SimpleRNN, LSTM or GRU."
        )
    if recurrent.batch_first:
        raise OptionError("a decoder runs time first; build it with batch_first=False.")
