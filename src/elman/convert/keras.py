"""Weights from and to Keras 3: SimpleRNN, LSTM, both forms of the GRU, Bidirectional."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from elman.cells import CELLS, Cell, cell
from elman.convert.common import (
    Array,
    check_cell,
    check_expressible,
    check_shape,
    checked_arrays,
    load_arrays,
    reordered,
    to_array,
)
from elman.errors import OptionError, ShapeError, unknown
from elman.layers import Bidirectional, RecurrentLayer, layer_class
from elman.layers.parameters import Place, cell_weights, places

_GATES = {"simple": ("a",), "lstm": ("i", "f", "g", "o"), "gru": ("z", "r", "n")}
"""Cell → its gates in Keras' order; Keras calls g and n the candidate or c and h."""

_CELLS = {"SimpleRNN": "simple", "LSTM": "lstm", "GRU": "gru"}
_MERGES = {"concat": "concat", "sum": "sum", "ave": "mean", "mul": "mul"}
_NONLINEARITIES = {"tanh": "tanh", "relu": "relu", "sigmoid": "sigmoid", "linear": "identity"}
_KERAS_HAS = frozenset(
    {
        "relu",
        "sigmoid",
        "identity",
        "reset_before",
        "locked_dropout",
        "recurrent_dropout",
        "unequal_sizes",
    }
)
_KERAS_LACKS = ("peephole", "coupled_gates")
_WEIGHTS_ALONE = "from_keras_weights(cell, layer.get_weights()) converts its weights alone."


def from_keras(layer: Any, *, backend: str = "auto") -> RecurrentLayer | Bidirectional:
    """Build the elman layer that does what a Keras layer does, with a copy of its weights.

    The layer is batch first, as Keras is. Options of Keras' call are not converted: elman layers
    always return every output and the state, take `lengths` where Keras takes a mask,
    and write zeros after a row's end (`zero_output_for_mask`).

    Args:
        layer: SimpleRNN, LSTM, GRU, or Bidirectional of any two of them, with weights.
        backend: backend of the elman layer: auto, or a backend's name.

    Returns:
        SimpleRNN, LSTM or GRU; or elman.Bidirectional.

    Raises:
        OptionError: another type of layer, one that has no weights yet, or one that does what
            elman layers do not: another activation, dropout inside, stateful, go_backwards,
            merge_mode=None.
    """
    if _kind(layer) != "Bidirectional":
        return _single(layer, backend=backend)
    if layer.merge_mode not in _MERGES:
        raise OptionError(
            f"from_keras cannot build a Bidirectional with merge_mode={layer.merge_mode!r}: "
            "elman.Bidirectional gives one output. Convert forward_layer and backward_layer "
            "one by one."
        )
    return Bidirectional(
        _single(layer.forward_layer, backend=backend),
        _single(layer.backward_layer, backend=backend, backwards=True),
        merge=_MERGES[layer.merge_mode],
    )


def from_keras_weights(
    cell_name: str,
    weights: Sequence[Any],
    *,
    batch_first: bool = True,
    backend: str = "auto",
    **options: Any,
) -> RecurrentLayer:
    """Build a layer of one direction from the list of arrays that Keras' `get_weights` gives.

    Args:
        cell_name: simple, lstm or gru.
        weights: kernel, (I, G·H); recurrent kernel, (H, G·H); and with biases, bias, (G·H,), or
            (2, 3·H) for a GRU with reset_after=True. Gates: LSTM i f c o, GRU z r h.
        batch_first: whether the layer is batch first, as Keras is.
        backend: backend of the layer: auto, or a backend's name.
        options: nonlinearity of the simple cell, reset_after of the GRU.

    Returns:
        SimpleRNN, LSTM or GRU, of the arrays' dtype, on the CPU. Keras' one bias becomes the bias
            of W x, and that of R h is zero.

    Raises:
        OptionError: an unknown cell or option, one that Keras lacks, or arrays of another dtype
            than float16, float32 and float64.
        ShapeError: an array's axes are not Keras'.
    """
    for option in _KERAS_LACKS:
        if options.get(option):
            raise OptionError(f"Keras has no LSTM with {option}=True; leave it out.")
    variant = cell(cell_name, **options)
    check_cell(cell_name, "Keras", _GATES)
    kernel, recurrent, bias = _checked(variant, weights)
    theirs, ours = _GATES[variant.name], variant.gates
    arrays = {
        "weight_ih": reordered(kernel.T, theirs, ours),
        "weight_hh": reordered(recurrent.T, theirs, ours),
    }
    if bias is not None:
        first, second = bias if bias.ndim == 2 else (bias, np.zeros_like(bias))
        arrays["bias_ih"] = reordered(first, theirs, ours)
        arrays["bias_hh"] = reordered(second, theirs, ours)
    build: Callable[..., RecurrentLayer] = layer_class(variant.name)
    layer = build(
        kernel.shape[0],
        recurrent.shape[0],
        bias=bias is not None,
        batch_first=batch_first,
        backend=backend,
        device="meta",
        **options,
    )
    return load_arrays(layer, {Place(0, reverse=False): arrays})


def to_keras_weights(layer: RecurrentLayer | Bidirectional) -> list[list[Array]]:
    """Write a layer's weights as Keras has them, one list of arrays for each layer of the stack.

    `keras_layer.set_weights(weights)` takes one of these lists: `keras.layers.SimpleRNN`, `LSTM` or
    `GRU` (with `reset_after` as here), inside `keras.layers.Bidirectional` where the elman layer
    is bidirectional. Where Keras has one bias it is the sum of Elman's two. Dropout, recurrent
    dropout and nonlinearity are arguments of the Keras layer, not weights.

    Args:
        layer: SimpleRNN, LSTM, GRU, or Bidirectional of two layers of one each.

    Raises:
        OptionError: Keras lacks an option of the layer: peepholes, coupled gates, projection, layer
            norm, zoneout, residual connections or a learned initial state; or a Bidirectional of
            stacks.
    """
    if isinstance(layer, Bidirectional):
        forward, backward = (
            to_keras_weights(one) for one in (layer.forward_layer, layer.backward_layer)
        )
        if len(forward) > 1 or len(backward) > 1:
            raise OptionError(
                "Keras' Bidirectional reads both ways in every layer, and this one joins stacks of "
                f"{len(forward)} and {len(backward)} layers. Convert the two stacks one by one."
            )
        return [forward[0] + backward[0]]
    if not isinstance(layer, RecurrentLayer):
        raise OptionError(
            "to_keras_weights takes elman.SimpleRNN, LSTM, GRU or Bidirectional, got a "
            f"{type(layer).__name__}."
        )
    advice = "Build the elman layer without it to convert it to Keras."
    check_expressible(layer, "Keras", cells=_GATES, has=_KERAS_HAS, advice=advice)
    stack: list[list[Array]] = [[] for _ in range(layer.num_layers)]
    for place in places(layer.options):
        stack[place.layer] += _keras_arrays(layer, place)
    return stack


def _kind(layer: Any) -> str:
    """Name the Keras layer that this is, by the name of its class or of a base class."""
    if hasattr(layer, "get_config") and hasattr(layer, "get_weights"):
        for base in type(layer).__mro__:
            if base.__name__ in (*_CELLS, "Bidirectional"):
                return base.__name__
    raise OptionError(
        "from_keras takes a Keras layer SimpleRNN, LSTM, GRU or Bidirectional, got a "
        f"{type(layer).__name__}; from_keras_weights takes a list of arrays."
    )


def _single(layer: Any, *, backend: str, backwards: bool = False) -> RecurrentLayer:
    """Convert a Keras layer of one direction."""
    cell_name = _CELLS[_kind(layer)]
    config = layer.get_config()
    kind = f"from_keras: this {type(layer).__name__}"
    refusals = {
        f"has dropout={config['dropout']} on its inputs": config["dropout"] > 0,
        f"has recurrent_dropout={config['recurrent_dropout']}, which Keras samples differently": (
            config["recurrent_dropout"] > 0
        ),
        "is stateful, and an elman layer takes its state with each call": config["stateful"],
        "goes backwards, which an elman layer does inside elman.Bidirectional alone": (
            config["go_backwards"] and not backwards
        ),
    }
    for reason, applies in refusals.items():
        if applies:
            raise OptionError(f"{kind} {reason}. {_WEIGHTS_ALONE}")
    weights = layer.get_weights()
    if not weights:
        raise OptionError(f"{kind} has no weights yet; call it once, or build() it.")
    return from_keras_weights(cell_name, weights, backend=backend, **_options(config, cell_name))


def _options(config: Mapping[str, Any], cell_name: str) -> dict[str, Any]:
    """Read the options of the equation from a Keras layer's configuration."""
    known = CELLS[cell_name].defaults
    if "nonlinearity" in known:
        if config["activation"] not in _NONLINEARITIES:
            raise unknown("SimpleRNN activation", config["activation"], _NONLINEARITIES)
        return {"nonlinearity": _NONLINEARITIES[config["activation"]]}
    for name, only in {"activation": "tanh", "recurrent_activation": "sigmoid"}.items():
        if config[name] != only:
            raise OptionError(
                f"from_keras needs {name}={only!r} in LSTM and GRU, got {config[name]!r}; "
                "elman's gates have no other."
            )
    return {"reset_after": config["reset_after"]} if "reset_after" in known else {}


def _checked(variant: Cell, weights: Sequence[Any]) -> tuple[Array, Array, Array | None]:
    """Return kernel, recurrent kernel and bias with the axes that Keras gives them."""
    (name,) = (layer for layer, cell_name in _CELLS.items() if cell_name == variant.name)
    kind = f"Keras' {name}"
    if len(weights) not in (2, 3):
        raise ShapeError(
            f"{kind} has the weights kernel, recurrent kernel and, with biases, bias; got "
            f"{len(weights)} arrays."
        )
    names = ("kernel", "recurrent kernel", "bias")
    arrays = checked_arrays(kind, dict(zip(names, weights, strict=False)))
    gates = len(variant.gates)
    kernel, recurrent = arrays["kernel"], arrays["recurrent kernel"]
    size = recurrent.shape[0] if recurrent.ndim else 0
    rows = "H" if gates == 1 else f"{gates}·H"
    check_shape("recurrent kernel", recurrent, ("H", rows), (size, gates * size))
    inputs = kernel.shape[0] if kernel.ndim else 0
    check_shape("kernel", kernel, ("I", rows), (inputs, gates * size))
    bias = arrays.get("bias")
    if bias is not None:
        reset_after = variant.options.get("reset_after")
        title = "bias" if reset_after is None else f"bias with reset_after={reset_after}"
        if reset_after:
            check_shape(title, bias, ("2", rows), (2, gates * size))
        else:
            check_shape(title, bias, (rows,), (gates * size,))
    return kernel, recurrent, bias


def _keras_arrays(layer: RecurrentLayer, place: Place) -> list[Array]:
    """Write kernel, recurrent kernel and bias of one layer in one direction."""
    variant = layer.options.cell
    ours, theirs = variant.gates, _GATES[variant.name]
    weights = cell_weights(layer, layer.options, place, None)
    kernels = [
        np.ascontiguousarray(reordered(to_array(weight), ours, theirs).T)
        for weight in (weights.input, weights.hidden)
    ]
    if not layer.bias:
        return kernels
    first, second = (
        reordered(to_array(bias), ours, theirs)
        for bias in (weights.input_bias, weights.hidden_bias)
    )
    two = variant.options.get("reset_after", False)
    return [*kernels, np.stack([first, second]) if two else first + second]
