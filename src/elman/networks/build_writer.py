"""From options to a network that writes: encoder–decoder, or one-to-many."""

from __future__ import annotations

from typing import Any

from torch import Tensor, nn

from elman.errors import OptionError
from elman.experiment.categories import Category
from elman.experiment.decoder import DecoderSpec
from elman.experiment.network import NetworkOptions
from elman.features.feature import Encoding, Encodings
from elman.layers import RecurrentLayer
from elman.networks.attention import Attention
from elman.networks.bridge import Bridge
from elman.networks.build_columns import RowInputs, locked_dropout, recurrent_reading, row_inputs
from elman.networks.components import (
    begin_at,
    make_head,
    make_inputs,
    make_recurrent,
    recurrent_output_size,
    tied_size,
)
from elman.networks.context import ConditionedInputs, Context
from elman.networks.decoder import Decoder
from elman.networks.embedding import default_embedding_size, embedding
from elman.networks.encoder_decoder import EncoderDecoder, context_a_step
from elman.networks.objectives.conditional_language_model import ConditionalLanguageModel
from elman.networks.objectives.objective import Objective
from elman.networks.one_to_many import OneToMany


def build_writer(
    category: Category,
    encoding: Encoding | Encodings,
    objective: Objective,
    options: NetworkOptions,
    writing: DecoderSpec,
    output_bias: Tensor | None,
    device: str | None,
) -> EncoderDecoder | OneToMany:
    """Build a network that writes a sequence of its own length.

    Args:
        category: encoder-decoder or one-to-many.
        encoding: encoding of the input.
        objective: a conditional language model.
        options: options of the encoder, or of the decoder where there is no encoder.
        writing: options of the decoder.
        output_bias: initial bias of the output layer, (V + 1,); None for a random one.
        device: device of the parameters.

    Raises:
        OptionError: the objective is of another kind, or the parts do not fit together.
    """
    if not isinstance(objective, ConditionalLanguageModel):
        raise OptionError(
            f"{category.spoken} writes symbols, and the objective is "
            f"{objective.name!r}; use {ConditionalLanguageModel.name!r}."
        )
    if category.name == "one-to-many":
        return _one_to_many(encoding, objective, options, writing, output_bias, device)
    return _encoder_decoder(encoding, objective, options, writing, output_bias, device)


def _encoder_decoder(
    encoding: Encoding | Encodings,
    objective: ConditionalLanguageModel,
    options: NetworkOptions,
    writing: DecoderSpec,
    output_bias: Tensor | None,
    device: str | None,
) -> EncoderDecoder:
    own = _of_the_decoder(options, writing)
    size, table = _embedding_size(objective, own, writing), None
    inputs: RowInputs
    if writing.share_embeddings:
        encoding = _with_boundary(encoding, objective)
        inputs = make_inputs(encoding, options, device, embedding_size=size)
        table = inputs.tables[0]
    else:
        inputs = row_inputs(
            encoding,
            options,
            device,
            embedding_size=options.embedding_size,
            category="encoder-decoder",
        )
    assert not isinstance(inputs, Context)
    encoder = recurrent_reading(inputs, options, device)
    context = context_a_step(inputs)
    fed = recurrent_output_size(own) if writing.input_feeding else 0
    recurrent = make_recurrent(size + context + fed, own, device)
    attention = None
    if writing.attention != "none":
        sizes = recurrent.output_size, encoder.output_size
        attention = Attention(writing.attention, *sizes, device=device)
    decoder = _decoder(
        objective,
        recurrent,
        own,
        writing,
        output_bias,
        device,
        size=size,
        table=table,
        attention=attention,
        context_size=context,
    )
    bridge = Bridge(encoder, recurrent, device=device)
    return EncoderDecoder(inputs, encoder, bridge, decoder, objective)


def _one_to_many(
    encoding: Encoding | Encodings,
    objective: ConditionalLanguageModel,
    options: NetworkOptions,
    writing: DecoderSpec,
    output_bias: Tensor | None,
    device: str | None,
) -> OneToMany:
    conditioning = writing.conditioning or "state"
    # Dropout acts on the symbols that are written: the input is one value, read once.
    none = {"embedding_dropout": 0.0, "word_dropout": 0.0, "input_dropout": 0.0}
    reading = options.model_copy(update=none)
    inputs = row_inputs(
        encoding,
        reading,
        device,
        embedding_size=options.embedding_size,
        category="one-to-many",
    )
    assert not isinstance(inputs, ConditionedInputs)
    context = inputs.size if conditioning == "each" else 0
    size = _embedding_size(objective, options, writing)
    recurrent = make_recurrent(size + context, options, device)
    decoder = _decoder(
        objective, recurrent, options, writing, output_bias, device, size=size, context_size=context
    )
    return OneToMany(inputs, decoder, objective, conditioning=conditioning, device=device)


def _of_the_decoder(options: NetworkOptions, writing: DecoderSpec) -> NetworkOptions:
    """Return the options of a decoder, derived from those of its encoder.

    A decoder reads forward, from the state that the encoder passes to it; the options of the
    encoder's cell apply where the decoder has the same cell.
    """
    changed: dict[str, Any] = {"bidirectional": False}
    if writing.cell is not None and writing.cell != options.cell:
        changed |= {"cell": writing.cell, "cell_options": {}}
    else:
        kept = {k: v for k, v in options.cell_options.items() if k != "learn_initial_state"}
        changed["cell_options"] = kept
    if writing.hidden_size is not None:
        one = isinstance(writing.hidden_size, int)
        changed |= {
            "hidden_size": writing.hidden_size,
            "num_layers": options.num_layers if one else 1,
        }
    if writing.num_layers is not None:
        changed["num_layers"] = writing.num_layers
    return options.model_copy(update=changed)


def _embedding_size(
    objective: ConditionalLanguageModel, own: NetworkOptions, writing: DecoderSpec
) -> int:
    """Return the size of the embedding of the symbols that are written."""
    if writing.embedding_size is not None:
        return writing.embedding_size
    if own.tie_embeddings:
        return tied_size(own.model_copy(update={"embedding_size": None}))
    return own.embedding_size or default_embedding_size(objective.output_size)


def _with_boundary(encoding: Encoding | Encodings, objective: ConditionalLanguageModel) -> Encoding:
    """Add the boundary to the vocabulary of the input, which is that of the target too."""
    if encoding != Encoding(ids=(objective.boundary,)):
        raise OptionError(
            "share_embeddings uses one embedding for input and target, so both must be ids of one "
            f"vocabulary; the input holds {encoding}, and the target {objective.boundary} symbols."
        )
    return Encoding(ids=(objective.output_size,))


def _decoder(
    objective: ConditionalLanguageModel,
    recurrent: RecurrentLayer,
    own: NetworkOptions,
    writing: DecoderSpec,
    output_bias: Tensor | None,
    device: str | None,
    *,
    size: int,
    table: nn.Embedding | None = None,
    attention: Attention | None = None,
    context_size: int = 0,
) -> Decoder:
    """Build a decoder on a recurrent part; `table` is the embedding that it shares, if any."""
    if own.tie_embeddings and not writing.feedback:
        raise OptionError(
            "tie_embeddings shares the decoder's embedding with its output layer, and with "
            "feedback=False the decoder has none; leave one of the two out."
        )
    shared = table is not None
    if table is None and writing.feedback:
        table = embedding(objective.output_size, size, device=device)
    tied = table if own.tie_embeddings else None
    head = make_head(recurrent.output_size, objective.output_size, own, device, table=tied)
    begin_at(output_bias, head)
    return Decoder(
        recurrent,
        head,
        table,
        attention=attention,
        input_feeding=writing.input_feeding,
        feedback=writing.feedback,
        context_size=context_size,
        shares_embedding=shared,
        scheduled_sampling=writing.scheduled_sampling,
        embedding_dropout=own.embedding_dropout if writing.feedback else 0.0,
        word_dropout=own.word_dropout if writing.feedback else 0.0,
        input_dropout=own.input_dropout,
        output_dropout=locked_dropout(own),
    )
