"""The parts of a network, made as its options say: inputs, recurrent layers, dense layers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from elman.errors import unknown
from elman.experiment.network import NetworkOptions
from elman.features.feature import Encoding
from elman.layers import MLP, RecurrentLayer, layer_class, layer_options
from elman.layers.weight_dropout import apply_weight_dropout
from elman.networks.inputs import Inputs
from elman.networks.tied import TiedHead

_COMMON = ("dropout", "locked_dropout")
"""Options of all layers that no cell may set by itself, besides those a builder passes on."""


def make_inputs(
    encoding: Encoding, asked: NetworkOptions, device: str | None, *, embedding_size: int | None
) -> Inputs:
    """Build what turns encoded values into vectors."""
    return Inputs(
        encoding,
        embedding_size=embedding_size,
        character_size=asked.character_size,
        character_hidden_size=asked.character_hidden_size,
        picture_size=asked.picture_size,
        embedding_dropout=asked.embedding_dropout,
        word_dropout=asked.word_dropout,
        input_dropout=asked.input_dropout,
        device=device,
    )


def make_recurrent(input_size: int, asked: NetworkOptions, device: str | None) -> RecurrentLayer:
    """Build the recurrent layers, all of one cell."""
    locked = asked.dropout_kind == "locked"
    assert asked.hidden_size is not None, "check_meaning has seen to it"
    recurrent = make_layer(
        asked.cell,
        asked.cell_options,
        input_size=input_size,
        hidden_size=asked.hidden_size,
        num_layers=asked.num_layers,
        dropout=0.0 if locked else asked.dropout,
        locked_dropout=asked.dropout if locked else 0.0,
        bidirectional=asked.bidirectional,
        recurrent_dropout=asked.recurrent_dropout,
        zoneout=asked.zoneout,
        layer_norm=asked.layer_norm,
        backend=asked.backend,
        device=device,
    )
    if asked.weight_dropout:
        apply_weight_dropout(recurrent, asked.weight_dropout)
    return recurrent


def make_layer(cell: str, cell_options: Mapping[str, Any], **arguments: Any) -> RecurrentLayer:
    """Build the recurrent layers of a cell, its own options checked by name."""
    layer: type[Any] = layer_class(cell)
    others = {*arguments, *_COMMON, "batch_first", "dtype"}
    own = [name for name in layer_options(layer) if name not in others]
    for name in cell_options:
        if name not in own:
            raise unknown(f"{cell} option", name, own)
    built: RecurrentLayer = layer(**arguments, **cell_options)
    return built


def hidden_sizes(asked: NetworkOptions) -> list[int]:
    """List H of every layer; none where no size is given."""
    if asked.hidden_size is None:
        return []
    if isinstance(asked.hidden_size, int):
        return [asked.hidden_size] * asked.num_layers
    return list(asked.hidden_size)


def recurrent_output_size(asked: NetworkOptions) -> int:
    """Count the numbers that the recurrent part gives a step."""
    projected: Any = asked.cell_options.get("proj_size")
    size: int = projected or hidden_sizes(asked)[-1]
    return 2 * size if asked.bidirectional else size


def tied_size(asked: NetworkOptions) -> int:
    """Count the numbers that an output layer reads which is an embedding, too."""
    return asked.embedding_size or (asked.head[-1] if asked.head else recurrent_output_size(asked))


def make_dense(
    sizes: Sequence[int], dropout: float, asked: NetworkOptions, device: str | None
) -> MLP:
    """Build dense layers of given sizes."""
    return MLP(sizes, asked.activation, dropout=dropout, device=device)


def make_head(
    size: int,
    outputs: int,
    asked: NetworkOptions,
    device: str | None,
    *,
    table: nn.Embedding | None = None,
) -> MLP | TiedHead:
    """Build the dense layers that read h, and the output layer.

    Args:
        size: of h.
        outputs: O.
        asked: with the dense layers and their dropout.
        device: of the parameters.
        table: the embedding whose matrix writes as well; None for a matrix of its own.
    """
    dropout = asked.output_dropout if asked.dropout_kind == "ordinary" else 0.0
    if table is None:
        return make_dense([size, *asked.head, outputs], dropout, asked, device)
    dense = None
    if asked.head:
        sizes, g = [size, *asked.head], asked.activation
        dense = MLP(sizes, g, output_activation=g, dropout=dropout, device=device)
    return TiedHead(table, asked.head[-1] if asked.head else size, dense, dropout=dropout)


@torch.no_grad()
def begin_at(output_bias: Tensor | None, head: MLP | TiedHead) -> None:
    """Let the bias of the output layer begin at given values, where there are any."""
    if output_bias is not None:
        last = head if isinstance(head, TiedHead) else head.layers[-1]
        last.get_parameter("bias").copy_(output_bias)
