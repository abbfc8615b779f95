"""The parts of a network, built from its options: inputs, recurrent layers, dense layers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from elman.errors import OptionError, unknown
from elman.experiment.network import NetworkOptions
from elman.features.feature import Encoding, Encodings
from elman.layers import MLP, RecurrentLayer, layer_class, layer_options
from elman.layers.weight_dropout import apply_weight_dropout
from elman.networks.heads import Heads
from elman.networks.inputs import Inputs
from elman.networks.stem import ConvolutionalStem
from elman.networks.tied import TiedHead

_COMMON = ("dropout", "locked_dropout")
"""Options of all layers that cell_options may not set, besides those a builder passes on."""

OPTIONS_OF_SOME_CELLS = ("recurrent_dropout", "zoneout", "layer_norm")
"""Options of a network that its recurrent layers take where their cell has a place for them."""


def make_inputs(
    encoding: Encoding,
    options: NetworkOptions,
    device: str | None,
    *,
    embedding_size: int | None,
    of_steps: bool = True,
) -> Inputs:
    """Build the part that turns encoded values into vectors.

    Of several columns of ids at each step, as of tokens and their parts of speech, the first has
    embeddings of the given size, the others of one that suits their vocabulary.
    """
    sizes: list[int | None] = [embedding_size] * len(encoding.ids)
    if of_steps:
        sizes[1:] = [None] * len(sizes[1:])
    return Inputs(
        encoding,
        embedding_size=sizes,
        character_size=options.character_size,
        character_hidden_size=options.character_hidden_size,
        picture_size=options.picture_size,
        embedding_dropout=options.embedding_dropout,
        word_dropout=options.word_dropout,
        input_dropout=options.input_dropout,
        device=device,
    )


def make_stem(
    encoding: Encoding | Encodings, options: NetworkOptions, device: str | None
) -> ConvolutionalStem | None:
    """Build the convolutions before the recurrent layers; None where there are none.

    Raises:
        OptionError: the input is not numbers over time alone, or an option has no effect.
    """
    if not options.convolutions:
        for name in ("convolution_dropout", "own_scale"):
            if getattr(options, name):
                raise OptionError(
                    f"{name}={getattr(options, name)!r} has no effect without convolutions; give "
                    "some, or leave it out."
                )
        return None
    if isinstance(encoding, Encodings) or encoding != Encoding(numbers=encoding.numbers):
        raise OptionError(
            "convolutions read numbers over time and nothing else, as a series or a sound has "
            f"them, and the input is {encoding}; leave them out."
        )
    return ConvolutionalStem(
        encoding.numbers,
        options.convolutions,
        own_scale=options.own_scale,
        dropout=options.convolution_dropout,
        device=device,
    )


def make_recurrent(input_size: int, options: NetworkOptions, device: str | None) -> RecurrentLayer:
    """Build the recurrent layers, all of one cell."""
    locked = options.dropout_kind == "locked"
    assert options.hidden_size is not None, "check_meaning has checked it"
    recurrent = make_layer(
        options.cell,
        options.cell_options,
        input_size=input_size,
        hidden_size=options.hidden_size,
        num_layers=options.num_layers,
        dropout=0.0 if locked else options.dropout,
        locked_dropout=options.dropout if locked else 0.0,
        bidirectional=options.bidirectional,
        recurrent_dropout=options.recurrent_dropout,
        zoneout=options.zoneout,
        layer_norm=options.layer_norm,
        backend=options.backend,
        device=device,
    )
    if options.weight_dropout:
        apply_weight_dropout(recurrent, options.weight_dropout)
    return recurrent


def make_layer(cell: str, cell_options: Mapping[str, Any], **arguments: Any) -> RecurrentLayer:
    """Build the recurrent layers of a cell; check the names of its own options."""
    layer: type[Any] = layer_class(cell)
    known = layer_options(layer)
    for name in set(OPTIONS_OF_SOME_CELLS).intersection(arguments).difference(known):
        if value := arguments.pop(name):
            raise OptionError(f"the {cell} cell has no {name}, got {value!r}; leave it out.")
    others = {*arguments, *_COMMON, *OPTIONS_OF_SOME_CELLS, "batch_first", "dtype"}
    own = [name for name in known if name not in others]
    for name in cell_options:
        if name not in own:
            raise unknown(f"{cell} option", name, own)
    built: RecurrentLayer = layer(**arguments, **cell_options)
    return built


def hidden_sizes(options: NetworkOptions) -> list[int]:
    """List H of every layer; the list is empty where no size is given."""
    if options.hidden_size is None:
        return []
    if isinstance(options.hidden_size, int):
        return [options.hidden_size] * options.num_layers
    return list(options.hidden_size)


def recurrent_output_size(options: NetworkOptions) -> int:
    """Return the size of the recurrent part's output at a step."""
    projected: Any = options.cell_options.get("proj_size")
    size: int = projected or hidden_sizes(options)[-1]
    return 2 * size if options.bidirectional else size


def tied_size(options: NetworkOptions) -> int:
    """Return the size of the input of an output layer that is tied to an embedding."""
    return options.embedding_size or (
        options.head[-1] if options.head else recurrent_output_size(options)
    )


def make_dense(
    sizes: Sequence[int], dropout: float, options: NetworkOptions, device: str | None
) -> MLP:
    """Build dense layers of given sizes."""
    return MLP(sizes, options.activation, dropout=dropout, device=device)


def make_heads(
    size: int,
    outputs: Sequence[int],
    options: NetworkOptions,
    device: str | None,
    *,
    table: nn.Embedding | None = None,
) -> MLP | TiedHead | Heads:
    """Build the dense layers that read h: for each target its own, where there are hidden ones.

    Args:
        size: size of h.
        outputs: O of each target.
        options: as for `make_head`.
        device: device of the parameters.
        table: as for `make_head`, of a single target.
    """
    if len(outputs) == 1 or not options.head:  # one linear layer is all of them side by side
        return make_head(size, sum(outputs), options, device, table=table)
    dropout = options.output_dropout if options.dropout_kind == "ordinary" else 0.0
    sizes = [size, *options.head]
    return Heads([make_dense([*sizes, each], dropout, options, device) for each in outputs])


def make_head(
    size: int,
    outputs: int,
    options: NetworkOptions,
    device: str | None,
    *,
    table: nn.Embedding | None = None,
) -> MLP | TiedHead:
    """Build the dense layers that read h, and the output layer.

    Args:
        size: size of h.
        outputs: O.
        options: the options with the dense layers and their dropout.
        device: device of the parameters.
        table: the embedding whose matrix the output layer shares; None for a matrix of its own.
    """
    dropout = options.output_dropout if options.dropout_kind == "ordinary" else 0.0
    if table is None:
        return make_dense([size, *options.head, outputs], dropout, options, device)
    dense = None
    if options.head:
        sizes, g = [size, *options.head], options.activation
        dense = MLP(sizes, g, output_activation=g, dropout=dropout, device=device)
    return TiedHead(table, options.head[-1] if options.head else size, dense, dropout=dropout)


@torch.no_grad()
def begin_at(output_bias: Tensor | None, head: MLP | TiedHead | Heads) -> None:
    """Set the initial bias of the output layer, or layers; None leaves it as it is."""
    if output_bias is None:
        return
    if isinstance(head, Heads):
        for own, mlp in zip(output_bias.split(head.output_sizes), head.each, strict=True):
            begin_at(own, mlp)
    else:
        last = head if isinstance(head, TiedHead) else head.layers[-1]
        last.get_parameter("bias").copy_(output_bias)
