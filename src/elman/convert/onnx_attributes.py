"""The attributes of ONNX's recurrent operators, which choose the equation."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from elman.cells import CELLS, Cell
from elman.errors import OptionError, unknown

OPERATORS = {"RNN": "simple", "LSTM": "lstm", "GRU": "gru"}
"""Operator → cell."""

_SHARED = (
    "hidden_size",
    "direction",
    "layout",
    "activations",
    "activation_alpha",
    "activation_beta",
    "clip",
)
_SWITCHES: Mapping[str, Mapping[str, str]] = {
    "simple": {},
    "lstm": {"input_forget": "coupled_gates"},
    "gru": {"linear_before_reset": "reset_after"},
}
"""Cell → ONNX's attribute → the option of the cell that it switches."""

_KNOWN = {operator: (*_SHARED, *_SWITCHES[name]) for operator, name in OPERATORS.items()}
_DIRECTIONS = {"forward": 1, "bidirectional": 2}
_ACTIVATIONS = {"tanh": "Tanh", "relu": "Relu", "sigmoid": "Sigmoid", "identity": "Affine"}
"""Elman's nonlinearity → ONNX's activation; the identity is αx + β with α = 1 and β = 0."""

_FIXED = {"LSTM": ["sigmoid", "tanh", "tanh"], "GRU": ["sigmoid", "tanh"]}
_READERS: Mapping[int, Callable[[Any], Any]] = {
    1: lambda attribute: attribute.f,
    2: lambda attribute: attribute.i,
    3: lambda attribute: attribute.s.decode(),
    6: lambda attribute: list(attribute.floats),
    7: lambda attribute: list(attribute.ints),
    8: lambda attribute: [text.decode() for text in attribute.strings],
}
"""onnx.AttributeProto.AttributeType → how to read a value: FLOAT, INT, STRING and lists of them."""


class NodeOptions(NamedTuple):
    """What the attributes of a node say.

    Args:
        cell: simple, lstm or gru.
        options: the options of the cell.
        directions: D.
        batch_first: whether the layout is 1.
    """

    cell: str
    options: dict[str, Any]
    directions: int
    batch_first: bool


def check_operator(op_type: str) -> None:
    """Raise OptionError unless an operator is RNN, LSTM or GRU."""
    if op_type not in OPERATORS:
        raise unknown("ONNX operator", op_type, OPERATORS)


def read_attributes(node: Any) -> dict[str, Any]:
    """Read the attributes of an onnx.NodeProto into plain numbers, words and lists."""
    return {attribute.name: _READERS[attribute.type](attribute) for attribute in node.attribute}


def understood(op_type: str, attributes: Mapping[str, Any], *, peephole: bool) -> NodeOptions:
    """Return what the attributes of a node say; its weights show whether it has peepholes.

    Raises:
        OptionError: another operator, an attribute that it lacks, or one that elman layers do not
            support: a single direction in reverse, another activation, clipping.
    """
    check_operator(op_type)
    for name in attributes:
        if name not in _KNOWN[op_type]:
            raise unknown(f"{op_type} attribute", name, _KNOWN[op_type])
    if attributes.get("clip"):
        raise OptionError(
            f"from_onnx cannot build an {op_type} with clip={attributes['clip']}: elman layers do "
            "not clip what enters an activation."
        )
    direction = attributes.get("direction", "forward")
    if direction == "reverse":
        raise OptionError(
            "from_onnx cannot build a layer with direction='reverse' alone; convert it with "
            "direction='forward' and make it the backward_layer of an elman.Bidirectional."
        )
    if direction not in _DIRECTIONS:
        raise unknown("direction", direction, _DIRECTIONS)
    directions = _DIRECTIONS[direction]
    options = _cell_options(op_type, attributes, directions, peephole=peephole)
    batch_first = bool(attributes.get("layout", 0))
    return NodeOptions(OPERATORS[op_type], options, directions, batch_first)


def written(cell: Cell, *, hidden_size: int, directions: int, batch_first: bool) -> dict[str, Any]:
    """Write the attributes of a node."""
    attributes: dict[str, Any] = {
        "hidden_size": hidden_size,
        "direction": {count: name for name, count in _DIRECTIONS.items()}[directions],
    }
    if batch_first:
        attributes["layout"] = 1
    if "nonlinearity" in cell.options:
        attributes["activations"] = [_ACTIVATIONS[cell.options["nonlinearity"]]] * directions
        if cell.options["nonlinearity"] == "identity":
            attributes["activation_alpha"] = [1.0] * directions
            attributes["activation_beta"] = [0.0] * directions
    switches = _SWITCHES[cell.name].items()
    return attributes | {theirs: int(cell.options[ours]) for theirs, ours in switches}


def _cell_options(
    op_type: str, attributes: Mapping[str, Any], directions: int, *, peephole: bool
) -> dict[str, Any]:
    """Name the options of the cell that a node computes."""
    activations = [name.lower() for name in attributes.get("activations", [])]
    defaults = CELLS[OPERATORS[op_type]].defaults
    if "nonlinearity" in defaults:
        return {"nonlinearity": _nonlinearity(activations[:directions], attributes)}
    fixed = _FIXED[op_type] * directions
    if activations and activations != fixed:
        raise OptionError(
            f"from_onnx needs activations={[name.capitalize() for name in fixed]} in this "
            f"{op_type}, got {attributes['activations']}; elman's gates have no other."
        )
    switches = _SWITCHES[OPERATORS[op_type]].items()
    options = {ours: bool(attributes.get(theirs, 0)) for theirs, ours in switches}
    return options | {"peephole": peephole} if "peephole" in defaults else options


def _nonlinearity(activations: Sequence[str], attributes: Mapping[str, Any]) -> str:
    """Return the nonlinearity of an RNN, the same for both directions."""
    known = {theirs.lower(): ours for ours, theirs in _ACTIVATIONS.items()}
    names = set(activations or ["tanh"])
    if len(names) > 1:
        raise OptionError(
            "from_onnx needs one activation for both directions of an RNN, got "
            f"{attributes['activations']}."
        )
    (name,) = names
    if name not in known:
        raise unknown("RNN activation", name.capitalize(), _ACTIVATIONS.values())
    if name == "affine":
        factors = attributes.get("activation_alpha", []), attributes.get("activation_beta", [])
        if factors != ([1.0] * len(activations), [0.0] * len(activations)):
            raise OptionError(
                "from_onnx takes Affine for the identity alone, activation_alpha=1 and "
                f"activation_beta=0 in every direction; got {factors[0]} and {factors[1]}."
            )
    return known[name]
