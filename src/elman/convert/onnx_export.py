"""Elman's operator in PyTorch's ONNX exporters: the standard operators RNN, LSTM and GRU.

Both exporters follow a layer down to `elman::recurrence`. The older one (`dynamo=False`) then asks
for a symbolic function, which is registered as the operator is met. The newer one (`dynamo=True`)
has no lasting register, so that what it records is the ONNX node itself; a program that was
exported before, by torch.export, has the operator, and `onnx_translations` tells the exporter what
it is. One node is written for a layer, or for each direction where the two differ.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

import torch
from torch import Tensor

from elman.cells import Cell, cell
from elman.convert.common import check_cell
from elman.convert.onnx import GATES, PEEPHOLES, peephole_gates
from elman.convert.onnx_attributes import OPERATORS, written
from elman.convert.onnx_nodes import (
    Nodes,
    TorchOperators,
    Value,
    onnxscript_nodes,
    torchscript_nodes,
)
from elman.errors import OptionError
from elman.sequence.kernel_call import RUN_TENSORS, Call, Run, of_run, read, spread

_OPSET = 13  # from it on, axes and bounds are inputs of Slice, Squeeze and Unsqueeze

_WAY_OUT = (
    "Export it without, or set layer.backend = 'reference', which writes the steps down one by "
    "one, for the number of steps of the example alone."
)


def onnx_translations() -> dict[Callable[..., Any], Callable[..., Any]]:
    """Tell PyTorch's newer ONNX exporter what Elman's operator is, of a program exported before.

    `torch.onnx.export(program, custom_translation_table=onnx_translations())`. A layer or a model
    needs none: only a program of torch.export, in which the operator stands, does.

    Returns:
        The operator and the function that translates it; it needs onnxscript, as the exporter does.
    """
    return {torch.ops.elman.recurrence.default: _translation}


def onnx_symbolic(graph: Any, tensors: Any, call: Any) -> Any:
    """Translate Elman's operator for PyTorch's older ONNX exporter.

    It is registered when that exporter meets a layer. Only a program of torch.jit.trace or
    torch.jit.load, in which the operator stands, needs to have it registered before:
    `torch.onnx.register_custom_op_symbolic("elman::recurrence", onnx_symbolic, 13)`.

    Args:
        graph: the graph of the exporter.
        tensors: the list of the operator's tensors, a value of the graph.
        call: the text of the operator's call, likewise.

    Raises:
        OptionError: ONNX has no operator for the call.
    """
    from torch.onnx import symbolic_helper

    present = symbolic_helper._unpack_list(tensors)
    text = symbolic_helper._get_const(call, "s", "call")
    outputs = write(torchscript_nodes(graph), present, text)
    return graph.op("prim::ListConstruct", *outputs)


def _translation(tensors: Any, call: Any) -> Any:
    """Translate Elman's operator for PyTorch's newer ONNX exporter."""
    return write(onnxscript_nodes(), tensors, call)


@cache
def register_symbolic() -> None:
    """Make Elman's operator known to PyTorch's older ONNX exporter."""
    register = torch.onnx.register_custom_op_symbolic  # type: ignore[attr-defined]
    register("elman::recurrence", onnx_symbolic, _OPSET)


def record(present: Sequence[Tensor], text: str) -> list[Tensor] | None:
    """Record the operator while an ONNX exporter follows a layer.

    Args:
        present: the operator's tensors.
        text: the text of its call.

    Returns:
        What the operator returns, of ONNX's operators; None where the exporter meets the operator
        itself and translates it afterwards.

    Raises:
        OptionError: ONNX has no operator for the call.
    """
    call, flags = read(text)
    _check(call, spread(present, flags))
    if torch._C._get_tracing_state() is not None:
        register_symbolic()
        return None
    if not hasattr(torch.onnx, "ops"):
        return None  # PyTorch before 2.8: the exporter needs `onnx_translations`
    return write(TorchOperators(), present, text)


def write(nodes: Nodes, present: Sequence[Value], text: str) -> list[Value]:
    """Write a call of Elman's operator as nodes of ONNX.

    Args:
        nodes: what they are written with.
        present: the operator's tensors.
        text: the text of its call.

    Returns:
        The operator's outputs: y, (T, B, ·), then h and c of every run, (1, B, H).

    Raises:
        OptionError: ONNX has no operator for the call.
    """
    call, flags = read(text)
    tensors = spread(present, flags)
    _check(call, tensors)
    lengths = tensors[-2]
    if lengths is not None:
        lengths = nodes.int32(lengths)
    runs = [_OneRun(nodes, run, of_run(tensors, i)) for i, run in enumerate(call.runs)]
    groups = [runs] if len(runs) == 2 and _is_pair(*runs) else [[run] for run in runs]
    outputs, states = [], []
    for group in groups:
        y, *ended = _node(nodes, group, lengths)
        outputs.append(nodes.in_a_row(y, len(group)))
        parts = [nodes.blocks(part, 2, 1) if len(group) == 2 else [part] for part in ended]
        states += [part for direction in zip(*parts, strict=True) for part in direction]
    return [nodes.joined(outputs, axis=2), *states]


def _check(call: Call, tensors: Sequence[Any]) -> None:
    """Raise OptionError, with its name, if a call does what no operator of ONNX does."""
    shared = {"resets": tensors[-1] is not None, "trace (return_trace=True)": call.keep == "trace"}
    for i, run in enumerate(call.runs):
        check_cell(run.cell.name, "ONNX", GATES)
        own = dict(zip(RUN_TENSORS, of_run(tensors, i), strict=True))
        lacks = {
            "projection (proj_size)": own["projection"] is not None,
            "recurrent dropout, and the layer is training (call eval() first)": (
                own["mask"] is not None
            ),
            "zoneout, by which units keep a share of their old state in evaluation too": (
                any(run.rates) or own["keep_h"] is not None or own["keep_c"] is not None
            ),
            "single bias": (own["input_bias"] is None) != (own["hidden_bias"] is None),
            **shared,
        }
        for phrase, applies in lacks.items():
            if applies:
                raise OptionError(f"ONNX's operators have no {phrase}. {_WAY_OUT}")
    x = tensors[0]
    if str(getattr(x, "dtype", "")).lower().endswith("bfloat16"):
        raise OptionError(
            "ONNX's recurrent operators are exported in float32 or float64, and this layer is "
            "bfloat16: use layer.float()."
        )


class _OneRun:
    """One run of a call: its cell, and its tensors by name."""

    def __init__(self, nodes: Nodes, run: Run, own: Sequence[Value | None]) -> None:
        self.nodes = nodes
        self.reverse = run.reverse
        self.tensors = dict(zip(RUN_TENSORS, own, strict=True))
        options = dict(run.cell.options)
        if "nonlinearity" in options:
            options["nonlinearity"] = run.nonlinearity
        self.cell: Cell = cell(run.cell.name, **options)
        self.size = nodes.shape(self.tensors["hidden"])[1]

    @property
    def kind(self) -> tuple[Any, ...]:
        """What two directions must have in common to be one node."""
        given = [value is not None for value in self.tensors.values()]
        return (self.cell.name, *self.cell.options.items(), self.size, *given)

    def inputs(self) -> list[Value | None]:
        """Return ONNX's inputs of one direction: W, R, B, h, c and P."""
        ours, theirs, own = self.cell.gates, GATES[self.cell.name], self.tensors
        w, r = (self._ordered(own[name], ours, theirs) for name in ("input", "hidden"))
        b, p = None, None
        if own["input_bias"] is not None:
            biases = (own["input_bias"], own["hidden_bias"])
            b = self.nodes.joined([self._ordered(one, ours, theirs) for one in biases], axis=0)
        if own["peephole"] is not None:
            p = self._ordered(own["peephole"], peephole_gates(self.cell), PEEPHOLES)
        return [w, r, b, own["h0"], own["c0"], p]

    def _ordered(self, packed: Value, gates: Sequence[str], order: Sequence[str]) -> Value:
        """Put blocks of rows into ONNX's order; a gate that is never read is any block."""
        if tuple(gates) == tuple(order):
            return packed
        blocks = dict(zip(gates, self.nodes.blocks(packed, len(gates), self.size), strict=True))
        return self.nodes.joined([blocks.get(gate, blocks[gates[0]]) for gate in order], axis=0)


def _is_pair(one: _OneRun, other: _OneRun) -> bool:
    """Tell whether two runs are the two directions of one node."""
    together = not one.reverse and other.reverse and one.kind == other.kind
    return together and one.nodes.is_same(one.tensors["x"], other.tensors["x"])


def _node(nodes: Nodes, runs: Sequence[_OneRun], lengths: Value | None) -> list[Value]:
    """Write one node; return Y, (T, D, B, H), and the states at the rows' ends, (D, B, H)."""
    first = runs[0]
    stacked = []
    for each in zip(*[run.inputs() for run in runs], strict=True):
        given = [value for value in each if value is not None]
        stacked.append(nodes.joined([nodes.with_axis(v) for v in given], axis=0) if given else None)
    w, r, b, h, c, p = stacked
    attributes = written(
        first.cell, hidden_size=first.size, directions=len(runs), batch_first=False
    )
    if len(runs) == 1 and first.reverse:
        attributes["direction"] = "reverse"
    (op_type,) = (operator for operator, name in OPERATORS.items() if name == first.cell.name)
    inputs = [first.tensors["x"], w, r, b, lengths, h, c, p]
    while inputs[-1] is None:
        inputs.pop()
    y, *states = nodes.recurrent(op_type, inputs, attributes)
    if lengths is None:
        return [y, *states]
    # A runtime writes zeros for the state of a row without steps.
    pairs = zip(states, (h, c), strict=False)
    return [
        y,
        *[s if start is None else nodes.unless_empty(s, lengths, start) for s, start in pairs],
    ]
