"""From the words of a specification to a network, and from a budget to its hidden size."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from inspect import signature
from typing import Any

import torch
from torch import Tensor, nn

from elman.errors import OptionError, unknown
from elman.features.feature import Encoding
from elman.layers import GRU, LSTM, MLP, RecurrentLayer, SimpleRNN, parameter_count
from elman.layers.weight_dropout import apply_weight_dropout
from elman.networks.highway import AutoregressiveHighway
from elman.networks.inputs import Inputs
from elman.networks.many_to_many import ManyToMany
from elman.networks.many_to_one import ManyToOne
from elman.networks.objectives.objective import Objective
from elman.networks.one_to_one import OneToOne
from elman.networks.options import NetworkOptions, checked_options
from elman.networks.pooling import pooling
from elman.networks.tied import TiedHead

LAYERS: Mapping[str, type[RecurrentLayer]] = {"simple": SimpleRNN, "lstm": LSTM, "gru": GRU}
_COMMON = ("dropout", "locked_dropout")
"""Options of all layers that no cell may set by itself, besides those a builder passes on."""
_LARGEST_HIDDEN_SIZE = 1 << 16

Network = OneToOne | ManyToOne | ManyToMany


def build_network(
    category: str,
    encoding: Encoding,
    objective: Objective,
    *,
    output_bias: Tensor | None = None,
    device: str | None = None,
    **options: Any,
) -> Network:
    """Build a network of any category: inputs, a recurrent part, dense layers, an objective.

    Args:
        category: one-to-one, many-to-one or many-to-many.
        encoding: what an encoded input holds.
        objective: what the outputs are for; it stays on its device.
        output_bias: what the bias of the last dense layer begins at, (O,); None draws it.
        device: of all other parameters.
        options: see `NetworkOptions`.

    Raises:
        OptionError: an unknown category, cell or option, a value out of range, an option that has
            no meaning in the category, or parts that do not fit together.
    """
    asked = checked_options(options)
    asked.check_category(category)
    inputs = _inputs(encoding, asked, device)
    if category == "one-to-one":
        sizes = [inputs.size, *_hidden_sizes(asked), *asked.head, objective.output_size]
        dense = _dense(sizes, asked.output_dropout, asked, device)
        _begin_at(output_bias, dense)
        return OneToOne(inputs, dense, objective)
    recurrent = _recurrent(inputs.size, asked, device)
    head = _head(recurrent.output_size, inputs, objective, asked, device)
    _begin_at(output_bias, head)
    locked = asked.output_dropout if asked.dropout_kind == "locked" else 0.0
    if category == "many-to-many":
        return ManyToMany(
            recurrent,
            head,
            delay=asked.delay,
            inputs=inputs,
            objective=objective,
            output_dropout=locked,
        )
    pooled = pooling(asked.pooling, recurrent, device=device)
    highway = _highway(encoding, objective, asked, device)
    return ManyToOne(
        inputs, recurrent, pooled, head, objective, output_dropout=locked, highway=highway
    )


def _highway(
    encoding: Encoding, objective: Objective, asked: NetworkOptions, device: str | None
) -> AutoregressiveHighway | None:
    if not asked.highway:
        return None
    if not encoding.numbers:
        raise OptionError(
            f"highway={asked.highway} forecasts numbers from numbers, and the input has none; "
            "leave it out."
        )
    return AutoregressiveHighway(
        asked.highway, encoding.numbers, objective.output_size, device=device
    )


def _inputs(encoding: Encoding, asked: NetworkOptions, device: str | None) -> Inputs:
    size = asked.embedding_size
    if asked.tie_embeddings and size is None:
        size = asked.head[-1] if asked.head else _recurrent_output_size(asked)
    return Inputs(
        encoding,
        embedding_size=size,
        character_size=asked.character_size,
        character_hidden_size=asked.character_hidden_size,
        picture_size=asked.picture_size,
        embedding_dropout=asked.embedding_dropout,
        word_dropout=asked.word_dropout,
        input_dropout=asked.input_dropout,
        device=device,
    )


def _recurrent(input_size: int, asked: NetworkOptions, device: str | None) -> RecurrentLayer:
    locked = asked.dropout_kind == "locked"
    assert asked.hidden_size is not None, "check_category has seen to it"
    recurrent = _layer(
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


def _layer(cell: str, cell_options: Mapping[str, Any], **arguments: Any) -> RecurrentLayer:
    """Build the recurrent layers of a cell, its own options checked by name."""
    if cell not in LAYERS:
        raise unknown("cell", cell, LAYERS)
    layer: type[Any] = LAYERS[cell]
    others = {*arguments, *_COMMON, "self", "batch_first", "dtype"}
    own = [name for name in signature(layer.__init__).parameters if name not in others]
    for name in cell_options:
        if name not in own:
            raise unknown(f"{cell} option", name, own)
    built: RecurrentLayer = layer(**arguments, **cell_options)
    return built


def _hidden_sizes(asked: NetworkOptions) -> list[int]:
    """List H of every layer; none where no size is given."""
    if asked.hidden_size is None:
        return []
    if isinstance(asked.hidden_size, int):
        return [asked.hidden_size] * asked.num_layers
    return list(asked.hidden_size)


def _recurrent_output_size(asked: NetworkOptions) -> int:
    size: int = asked.cell_options.get("proj_size", 0) or _hidden_sizes(asked)[-1]
    return 2 * size if asked.bidirectional else size


def _dense(sizes: Sequence[int], dropout: float, asked: NetworkOptions, device: str | None) -> MLP:
    return MLP(sizes, asked.activation, dropout=dropout, device=device)


def _head(
    size: int, inputs: Inputs, objective: Objective, asked: NetworkOptions, device: str | None
) -> MLP | TiedHead:
    """Build the dense layers that read h, and the output layer."""
    dropout = asked.output_dropout if asked.dropout_kind == "ordinary" else 0.0
    if not asked.tie_embeddings:
        return _dense([size, *asked.head, objective.output_size], dropout, asked, device)
    if not inputs.is_lone_id or inputs.encoding.ids[0] != objective.output_size:
        raise OptionError(
            "tie_embeddings writes with the embedding that it reads with, so input and target must "
            f"be ids of one vocabulary; the input holds {inputs.encoding}, and the target needs "
            f"{objective.output_size} outputs."
        )
    dense = None
    if asked.head:
        sizes, g = [size, *asked.head], asked.activation
        dense = MLP(sizes, g, output_activation=g, dropout=dropout, device=device)
    return TiedHead(
        inputs.tables[0], asked.head[-1] if asked.head else size, dense, dropout=dropout
    )


@torch.no_grad()
def _begin_at(output_bias: Tensor | None, head: MLP | TiedHead) -> None:
    """Let the bias of the output layer begin at given values, where there are any."""
    if output_bias is not None:
        last = head if isinstance(head, TiedHead) else head.layers[-1]
        last.get_parameter("bias").copy_(output_bias)


def many_to_many(
    *,
    cell: str,
    input_size: int,
    output_size: int,
    hidden_size: int | Sequence[int],
    num_layers: int = 1,
    bidirectional: bool = False,
    delay: int = 0,
    dropout: float = 0.0,
    output_dropout: float = 0.0,
    recurrent_dropout: float = 0.0,
    zoneout: float = 0.0,
    layer_norm: bool = False,
    cell_options: Mapping[str, Any] | None = None,
    output_bias: Tensor | None = None,
    backend: str = "auto",
    device: str | None = None,
) -> ManyToMany:
    """Build a many-to-many network: recurrent layers of one cell, and a dense layer on top.

    Args:
        cell: simple, lstm or gru.
        input_size: I.
        output_size: O.
        hidden_size: H, or one H a layer.
        num_layers: L; leave it out where hidden_size is a list.
        bidirectional: whether a second set of layers reads backward.
        delay: d, the steps of look-ahead.
        dropout: between the recurrent layers.
        output_dropout: of h before the dense layer.
        recurrent_dropout: of h(t−1) inside the recurrence, one mask a sequence.
        zoneout: probability that a unit keeps its old state.
        layer_norm: whether the recurrence is layer-normed.
        cell_options: further options of the cell's layer: reset_after, peephole, nonlinearity,
            proj_size, chrono, recurrent_init, learn_initial_state and their like.
        output_bias: what the bias of the dense layer begins at, (O,); None draws it.
        backend: auto, or a backend's name.
        device: of the parameters.

    Raises:
        OptionError: an unknown cell or option, or a value out of range.
    """
    recurrent = _layer(
        cell,
        cell_options or {},
        input_size=input_size,
        hidden_size=hidden_size,
        num_layers=num_layers,
        dropout=dropout,
        bidirectional=bidirectional,
        recurrent_dropout=recurrent_dropout,
        zoneout=zoneout,
        layer_norm=layer_norm,
        backend=backend,
        device=device,
    )
    head = MLP([recurrent.output_size, output_size], dropout=output_dropout, device=device)
    _begin_at(output_bias, head)
    return ManyToMany(recurrent, head, delay=delay)


def hidden_size_for(
    parameters: int, build: Callable[..., nn.Module] = many_to_many, **specification: Any
) -> int:
    """Solve for the hidden size whose network comes nearest to a number of parameters.

    Args:
        parameters: the budget: all numbers the network learns, those of its objective included.
        build: `many_to_many` or `build_network`.
        specification: the builder's arguments, by name, except hidden_size and device.

    Returns:
        H, the same in every layer.

    Raises:
        OptionError: even the smallest H, 1 or one above the projection, learns more than twice the
            budget, or H would exceed 65536.
    """
    smallest: int = 1 + (specification.get("cell_options") or {}).get("proj_size", 0)

    def count(hidden_size: int) -> int:
        return parameter_count(
            build(**{**specification, "device": "meta"}, hidden_size=hidden_size)
        )

    if count(smallest) > 2 * parameters:
        raise OptionError(
            f"parameters={parameters} is too small a budget: a network with "
            f"hidden_size={smallest} learns {count(smallest)} numbers."
        )
    below, above = smallest, 2 * smallest
    while count(above) <= parameters:
        below, above = above, 2 * above
        if above > _LARGEST_HIDDEN_SIZE:
            raise OptionError(
                f"parameters={parameters} asks for a hidden_size above {_LARGEST_HIDDEN_SIZE}."
            )
    while above - below > 1:
        middle = (below + above) // 2
        below, above = (middle, above) if count(middle) <= parameters else (below, middle)
    return min((below, above), key=lambda size: abs(count(size) - parameters))
