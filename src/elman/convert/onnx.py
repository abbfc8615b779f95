"""Weights from and to ONNX: the operators RNN, LSTM and GRU, one per layer of a stack."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np

from elman.cells import Cell, cell
from elman.convert.common import (
    Array,
    check_expressible,
    check_shape,
    checked_arrays,
    load_arrays,
    reordered,
    to_array,
)
from elman.convert.onnx_attributes import (
    OPERATORS,
    check_operator,
    read_attributes,
    understood,
    written,
)
from elman.errors import OptionError, ShapeError
from elman.layers import RecurrentLayer, layer_class
from elman.layers.parameters import Place, cell_weights, places

GATES = {"simple": ("a",), "lstm": ("i", "o", "f", "g"), "gru": ("z", "r", "n")}
"""Cell → its gates in ONNX's order; ONNX calls g c and n h."""

PEEPHOLES = ("i", "o", "f")
_INPUTS = ("X", "W", "R", "B", "sequence_lens", "initial_h", "initial_c", "P")
"""A node's inputs in their order; GRU and RNN end with initial_h."""
_ONNX_HAS = frozenset(
    {
        "relu",
        "sigmoid",
        "identity",
        "reset_before",
        "peephole",
        "coupled_gates",
        "locked_dropout",
        "recurrent_dropout",
        "unequal_sizes",
    }
)


class OnnxWeights(NamedTuple):
    """One layer as ONNX has it.

    Args:
        op_type: RNN, LSTM or GRU.
        W: weights of the input, (D, G·H, I); gates i o f c (LSTM), z r h (GRU).
        R: weights of the hidden state, (D, G·H, H).
        B: the biases of W x and then those of R h, (D, 2·G·H); None for none.
        P: peepholes i o f, (D, 3·H); None for none.
        attributes: hidden_size, direction and the options, as `onnx.helper.make_node` takes them.
    """

    op_type: str
    W: Array
    R: Array
    B: Array | None
    P: Array | None
    attributes: dict[str, Any]

    @classmethod
    def from_node(cls, node: Any, initializers: Mapping[str, Any]) -> OnnxWeights:
        """Gather the weights of a node of an ONNX graph.

        Args:
            node: an onnx.NodeProto.
            initializers: the arrays of the graph by name,
                `{t.name: onnx.numpy_helper.to_array(t) for t in graph.initializer}`.

        Raises:
            OptionError: another operator than RNN, LSTM and GRU, weights that are not among the
                initializers, or a graph that fixes what an elman layer takes with each call:
                lengths or the initial state.
        """
        check_operator(node.op_type)
        names = {role: name for role, name in zip(_INPUTS, node.input, strict=False) if name}
        for role in ("sequence_lens", "initial_h", "initial_c"):
            fixed = initializers.get(names.get(role, ""))
            if fixed is not None and (role == "sequence_lens" or np.any(fixed)):
                call = "lengths" if role == "sequence_lens" else "state"
                raise OptionError(
                    f"the graph fixes {role} = {names[role]!r}, which an elman layer takes with "
                    f"each call as its {call}. Leave it out of the initializers and pass it there."
                )
        for role in ("W", "R", "B", "P"):
            if role in names and names[role] not in initializers:
                raise OptionError(
                    f"{role} = {names[role]!r} is not among the initializers; weights that are "
                    "computed in the graph must be computed first."
                )
        w, r = (initializers[names[role]] for role in ("W", "R"))
        b, p = (initializers.get(names.get(role, "")) for role in ("B", "P"))
        return cls(node.op_type, w, r, b, p, read_attributes(node))


def from_onnx(
    nodes: OnnxWeights | Sequence[OnnxWeights], *, backend: str = "auto"
) -> RecurrentLayer:
    """Build the elman layer that does what ONNX nodes do, with a copy of their weights.

    With `input_forget`, f = 1 − i, and what W, R, B and P hold for f is never read, here as in
    onnxruntime.

    Args:
        nodes: one node, or those of a stack from the lowest to the highest.
        backend: backend of the layer: auto, or a backend's name.

    Returns:
        SimpleRNN, LSTM or GRU, of the arrays' dtype, on the CPU; batch first with layout 1.

    Raises:
        OptionError: a node does what elman layers do not, or the nodes of a stack differ in kind.
        ShapeError: the axes of W, R, B or P are not ONNX's, or a layer does not read what the one
            below writes.
    """
    stack = [nodes] if isinstance(nodes, OnnxWeights) else list(nodes)
    if not stack:
        raise OptionError("from_onnx needs at least one node.")
    kind, *others = [understood(n.op_type, n.attributes, peephole=n.P is not None) for n in stack]
    if any(other != kind for other in others) or len({node.B is None for node in stack}) > 1:
        raise OptionError(
            "the nodes of a stack must have one operator, direction, layout and options, and "
            "either all or none of them biases and peepholes."
        )
    variant = cell(kind.cell, **kind.options)
    arrays = [_checked(node, variant, kind.directions) for node in stack]
    _check_reads(arrays)
    build: Callable[..., RecurrentLayer] = layer_class(kind.cell)
    layer = build(
        arrays[0]["W"].shape[2],
        [node["R"].shape[2] for node in arrays],
        bias="B" in arrays[0],
        batch_first=kind.batch_first,
        bidirectional=kind.directions == 2,
        backend=backend,
        device="meta",
        **kind.options,
    )
    weights = {
        place: _parameters(variant, arrays[place.layer], int(place.reverse))
        for place in places(layer.options)
    }
    return load_arrays(layer, weights)


def to_onnx(layer: RecurrentLayer) -> list[OnnxWeights]:
    """Write a layer as ONNX has it, one node for each layer of the stack, from below upwards.

    Dropout and recurrent dropout act in training alone and have no place in a node. A node writes Y
    as (T, D, B, H): the next one reads it transposed to (T, B, D, H) and with D and H joined. With
    batch_first the node has layout 1 — a layout that onnxruntime's CPU kernels refuse.

    Args:
        layer: SimpleRNN, LSTM or GRU.

    Raises:
        OptionError: ONNX lacks an option of the layer: projection, layer norm, zoneout, residual
            connections or a learned initial state.
    """
    if not isinstance(layer, RecurrentLayer):
        raise OptionError(
            f"to_onnx takes elman.SimpleRNN, LSTM or GRU, got a {type(layer).__name__}; convert "
            "the layers of a Bidirectional one by one."
        )
    advice = "Build the elman layer without it to convert it to ONNX."
    check_expressible(layer, "ONNX", cells=GATES, has=_ONNX_HAS, advice=advice)
    return [_node(layer, level) for level in range(layer.num_layers)]


def _node(layer: RecurrentLayer, level: int) -> OnnxWeights:
    """Write one layer of a stack."""
    options, variant = layer.options, layer.options.cell
    directions = [_rows(layer, place) for place in places(options) if place.layer == level]
    arrays = {role: np.stack([rows[role] for rows in directions]) for role in directions[0]}
    attributes = written(
        variant,
        hidden_size=options.hidden_sizes[level],
        directions=len(directions),
        batch_first=layer.batch_first,
    )
    (op_type,) = (operator for operator, name in OPERATORS.items() if name == variant.name)
    return OnnxWeights(
        op_type, arrays["W"], arrays["R"], arrays.get("B"), arrays.get("P"), attributes
    )


def peephole_gates(variant: Cell) -> tuple[str, ...]:
    """Name the gates with peepholes in Elman's order: i f o, or i o where they are coupled."""
    return tuple(gate for gate in variant.gates if gate != "g")


def _parameters(variant: Cell, arrays: Mapping[str, Array], direction: int) -> dict[str, Array]:
    """Turn one direction of a node's arrays into the parameters of a layer."""
    theirs, ours = GATES[variant.name], variant.gates
    parameters = {
        "weight_ih": reordered(arrays["W"][direction], theirs, ours),
        "weight_hh": reordered(arrays["R"][direction], theirs, ours),
    }
    if "B" in arrays:
        first, second = np.split(arrays["B"][direction], 2)
        parameters["bias_ih"] = reordered(first, theirs, ours)
        parameters["bias_hh"] = reordered(second, theirs, ours)
    if "P" in arrays:
        peepholes = arrays["P"][direction]
        parameters["weight_peephole"] = reordered(peepholes, PEEPHOLES, peephole_gates(variant))
    return parameters


def _rows(layer: RecurrentLayer, place: Place) -> dict[str, Array]:
    """Turn the parameters of one place in a layer into one direction of a node's arrays."""
    variant = layer.options.cell
    ours, theirs = variant.gates, GATES[variant.name]
    weights = cell_weights(layer, layer.options, place, None)
    rows = {
        "W": reordered(to_array(weights.input), ours, theirs),
        "R": reordered(to_array(weights.hidden), ours, theirs),
    }
    if layer.bias:
        biases = (weights.input_bias, weights.hidden_bias)
        rows["B"] = np.concatenate([reordered(to_array(b), ours, theirs) for b in biases])
    if variant.options.get("peephole"):
        rows["P"] = reordered(to_array(weights.peephole), peephole_gates(variant), PEEPHOLES)
    return rows


def _checked(node: OnnxWeights, variant: Cell, directions: int) -> dict[str, Array]:
    """Return the arrays that a node has, their axes checked."""
    named = {"W": node.W, "R": node.R, "B": node.B, "P": node.P}
    arrays = checked_arrays(
        f"ONNX's {node.op_type}",
        {name: array for name, array in named.items() if array is not None},
    )
    if "P" in arrays and variant.name != "lstm":
        raise OptionError(f"ONNX's {node.op_type} has no peepholes P; an LSTM has.")
    gates = len(GATES[variant.name])
    size = int(node.attributes.get("hidden_size", _last(arrays["R"])))
    rows = gates * size
    shapes: dict[str, tuple[tuple[str, ...], tuple[int, ...]]] = {
        "W": (("D", f"{gates}·H", "I"), (directions, rows, _last(arrays["W"]))),
        "R": (("D", f"{gates}·H", "H"), (directions, rows, size)),
        "B": (("D", f"{2 * gates}·H"), (directions, 2 * rows)),
        "P": (("D", "3·H"), (directions, 3 * size)),
    }
    for name, array in arrays.items():
        check_shape(f"{name} of ONNX's {node.op_type}", array, *shapes[name])
    return arrays


def _last(array: Array) -> int:
    return array.shape[-1] if array.ndim else 0


def _check_reads(arrays: Sequence[Mapping[str, Array]]) -> None:
    """Raise ShapeError unless every node of a stack reads what the one below writes."""
    for level, (below, node) in enumerate(pairwise(arrays), start=1):
        directions, _, written_size = below["R"].shape
        reads, writes = node["W"].shape[2], directions * written_size
        if reads != writes:
            raise ShapeError(
                f"node {level} of the stack reads {reads} values, and the node below it writes "
                f"D·H = {writes}."
            )
