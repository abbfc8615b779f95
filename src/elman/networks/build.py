"""From the words of a specification to a network, and from a budget to its hidden size."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from inspect import signature
from typing import Any

import torch
from torch import Tensor

from elman.errors import OptionError, unknown
from elman.layers import GRU, LSTM, MLP, RecurrentLayer, SimpleRNN, parameter_count
from elman.networks.many_to_many import ManyToMany

LAYERS: Mapping[str, type[RecurrentLayer]] = {"simple": SimpleRNN, "lstm": LSTM, "gru": GRU}
_LARGEST_HIDDEN_SIZE = 1 << 16


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
    if cell not in LAYERS:
        raise unknown("cell", cell, LAYERS)
    layer: type[Any] = LAYERS[cell]
    options = dict(cell_options or {})
    own = _own_options(layer)
    for name in options:
        if name not in own:
            raise unknown(f"{cell} option", name, own)
    recurrent = layer(
        input_size,
        hidden_size,
        num_layers,
        dropout=dropout,
        bidirectional=bidirectional,
        recurrent_dropout=recurrent_dropout,
        zoneout=zoneout,
        layer_norm=layer_norm,
        backend=backend,
        device=device,
        **options,
    )
    head = MLP([recurrent.output_size, output_size], dropout=output_dropout, device=device)
    if output_bias is not None:
        with torch.no_grad():
            head.get_parameter("layers.0.bias").copy_(output_bias)
    return ManyToMany(recurrent, head, delay=delay)


def _own_options(layer: type[RecurrentLayer]) -> list[str]:
    """List the options of a layer that `many_to_many` has no argument for."""
    arguments = set(signature(many_to_many).parameters) | {"self", "batch_first", "dtype"}
    return [name for name in signature(layer.__init__).parameters if name not in arguments]


def hidden_size_for(parameters: int, **specification: Any) -> int:
    """Solve for the hidden size whose network comes nearest to a number of parameters.

    Args:
        parameters: the budget: all numbers the network learns.
        specification: the arguments of `many_to_many` except hidden_size.

    Returns:
        H, the same in every layer.

    Raises:
        OptionError: even the smallest H, 1 or one above the projection, learns more than twice the
            budget, or H would exceed 65536.
    """
    smallest: int = 1 + (specification.get("cell_options") or {}).get("proj_size", 0)

    def count(hidden_size: int) -> int:
        return parameter_count(
            many_to_many(**{**specification, "device": "meta"}, hidden_size=hidden_size)
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
