"""From the encodings of several columns to the parts of a network that read them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from torch import Tensor

from elman.errors import OptionError
from elman.experiment.network import NetworkOptions
from elman.features.feature import Encoding, Encodings
from elman.layers import MLP, RecurrentLayer
from elman.networks.bridge import InitialState
from elman.networks.components import begin_at, make_heads, make_inputs, make_recurrent
from elman.networks.context import ConditionedInputs, Context, SequenceEncoder, first_state
from elman.networks.inputs import Inputs
from elman.networks.joined import JoinedToOne, joined_size
from elman.networks.objectives.objective import Objective
from elman.networks.pooling import pooling

RowInputs = Inputs | Context | ConditionedInputs
"""What turns the columns of rows into vectors."""

_OF_COLUMNS = ("context_size", "context", "share_encoders")
"""Options that have a meaning only where several columns are read by parts of their own."""


def check_meaning_of_columns(
    category: str, encoding: Encoding | Encodings, options: NetworkOptions
) -> None:
    """Refuse options of several columns where there is one, and the other way round.

    Raises:
        OptionError: an option has no meaning for the columns that are read.
    """
    defaults = type(options).model_fields
    changed = {name: getattr(options, name) for name in _OF_COLUMNS}
    changed = {name: value for name, value in changed.items() if value != defaults[name].default}
    if not isinstance(encoding, Encodings) or not encoding.sequences:
        for name, value in changed.items():
            raise OptionError(
                f"{name}={value!r} is for sequences with other columns beside them, and the input "
                "has none; leave it out."
            )
        return
    for name in ("convolutions", "highway", "tie_embeddings"):
        if getattr(options, name):
            raise OptionError(
                f"{name}={getattr(options, name)!r} is for an input of one sequence alone, and "
                "this one has other columns beside it; leave it out."
            )
    read = encoding.sequences if category == "many-to-one" else encoding.sequences[1:]
    beside = encoding.context or (category != "many-to-one" and read)
    alike = (encoding.alike or tuple(range(len(encoding.sequences))))[-len(read) or None :]
    for name, value in changed.items():
        if name == "share_encoders" and len(set(alike)) == len(alike):
            raise OptionError(
                f"share_encoders={value!r} is for several sequences of the same kind and options, "
                "and here no two are read by encoders of their own; leave it out."
            )
        if name != "share_encoders" and not beside:
            raise OptionError(
                f"{name}={value!r} is for columns beside a sequence, and all of these are "
                "sequences, each with an encoder; leave it out."
            )


def context_of(category: str, options: NetworkOptions) -> str:
    """Return how sequences are read with the columns beside them, by default as suits the category.

    Raises:
        OptionError: `pooled` in a category that pools nothing.
    """
    if options.context == "pooled" and category != "many-to-one":
        raise OptionError(
            f"context='pooled' joins columns to a pooled vector, and a {category} network "
            "has none; use 'state' or 'each'."
        )
    return options.context or ("each" if category == "many-to-many" else "state")


def row_inputs(
    encoding: Encoding | Encodings,
    options: NetworkOptions,
    device: str | None,
    *,
    embedding_size: int | None,
    category: str,
) -> RowInputs:
    """Build the part that turns the columns of rows into vectors.

    Args:
        encoding: encoding of the input, or those of its parts.
        options: options of the network.
        device: device of the parameters.
        embedding_size: size of the embedding of an id; None for the default of its vocabulary.
        category: of the network.
    """
    of_steps = category not in {"one-to-one", "one-to-many"}
    if isinstance(encoding, Encoding):
        return make_inputs(
            encoding, options, device, embedding_size=embedding_size, of_steps=of_steps
        )
    if not of_steps:
        parts = [
            make_inputs(
                part,
                _suited(options, part, encoding.context),
                device,
                embedding_size=embedding_size,
                of_steps=False,
            )
            for part in encoding.context
        ]
        return Context(parts)
    main, *_ = encoding.sequences
    own = _suited(options, main, encoding.sequences)
    inputs = make_inputs(main, own, device, embedding_size=embedding_size)
    context = _context(encoding, options, device, first=1)
    if context is None:
        return inputs
    return ConditionedInputs(inputs, context, each=context_of(category, options) == "each")


def recurrent_reading(
    inputs: RowInputs, options: NetworkOptions, device: str | None
) -> RecurrentLayer:
    """Build the recurrent layers that read such vectors, and their first state where it is due."""
    recurrent = make_recurrent(inputs.size, options, device)
    if isinstance(inputs, ConditionedInputs) and not inputs.each:
        state = first_state(recurrent, inputs.context.size, each=False, device=device)
        assert isinstance(state, InitialState)
        inputs.beginning = state
    return recurrent


def joined_to_one(
    encoding: Encodings,
    objective: Objective,
    options: NetworkOptions,
    output_bias: Tensor | None,
    device: str | None,
) -> JoinedToOne:
    """Build a many-to-one network of several columns."""
    context = _context(encoding, options, device, first=len(encoding.sequences))
    size = 0 if context is None else context.size
    how = context_of("many-to-one", options)
    encoders, reads = _encoders(
        encoding, options, device, context_size=0 if how == "pooled" else size, each=how == "each"
    )
    joined = joined_size([encoder.size for encoder in encoders], reads, size)
    head = make_heads(joined, objective.output_sizes, options, device)
    begin_at(output_bias, head)
    return JoinedToOne(encoders, head, objective, reads=reads, context=context)


def _encoders(
    encoding: Encodings,
    options: NetworkOptions,
    device: str | None,
    *,
    first: int = 0,
    context_size: int = 0,
    each: bool = False,
) -> tuple[list[SequenceEncoder], list[int]]:
    """Build the encoders of the sequences from `first` on, and say which one reads which."""
    encoders: list[SequenceEncoder] = []
    reads: list[int] = []
    of_kind: dict[int, int] = {}
    for place, one in enumerate(encoding.sequences[first:], start=first):
        like = encoding.alike[place] if encoding.alike else place
        if options.share_encoders and like in of_kind:
            reads.append(of_kind[like])
            continue
        own = _suited(options, one, encoding.sequences)
        inputs = make_inputs(one, own, device, embedding_size=options.embedding_size)
        size = inputs.size + (context_size if each else 0)
        recurrent = make_recurrent(size, options, device)
        encoders.append(
            SequenceEncoder(
                inputs,
                recurrent,
                pooling(options.pooling, recurrent, device=device),
                context_size=context_size,
                each=each,
                output_dropout=locked_dropout(options),
                device=device,
            )
        )
        of_kind[like] = len(encoders) - 1
        reads.append(len(encoders) - 1)
    return encoders, reads


def _suited(options: NetworkOptions, one: Encoding, every: Sequence[Encoding]) -> NetworkOptions:
    """Return the options of a part: those that act on ids go to the parts that have some.

    Where none has, they are refused as in any other input.
    """
    if one.ids or not any(each.ids for each in every):
        return options
    return options.model_copy(update={"embedding_dropout": 0.0, "word_dropout": 0.0})


def _context(
    encoding: Encodings, options: NetworkOptions, device: str | None, *, first: int
) -> Context | None:
    """Build what reads the columns beside the first sequences; None where there are none."""
    if not encoding.context and len(encoding.sequences) == first:
        return None
    none = {"embedding_dropout": 0.0, "word_dropout": 0.0, "input_dropout": 0.0}
    plain = options.model_copy(update=none)
    parts = [
        make_inputs(part, plain, device, embedding_size=None, of_steps=False)
        for part in encoding.context
    ]
    encoders, reads = _encoders(encoding, options, device, first=first)
    width = sum(part.size for part in parts) + sum(encoders[k].size for k in reads)
    dense = None
    if options.context_size:
        g: Any = options.activation
        dense = MLP([width, options.context_size], g, output_activation=g, device=device)
    return Context(parts, encoders, dense, reads=reads, first=first)


def locked_dropout(options: NetworkOptions) -> float:
    """Return the dropout of the last recurrent layer's outputs, with one mask a sequence."""
    return options.output_dropout if options.dropout_kind == "locked" else 0.0
