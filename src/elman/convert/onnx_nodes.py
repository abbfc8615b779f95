"""The few operations that a recurrence takes in ONNX, written into three kinds of graphs.

`OnnxNodes` writes nodes: of TorchScript's graph, which PyTorch's older exporter makes, or of
onnxscript's. `TorchOperators` calls PyTorch's own operators, which the newer exporter records and
translates itself, and of its operator for an ONNX node those that PyTorch has not.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

import torch
from torch import Tensor

from elman.errors import import_extra

Value = Any
"""A value in a graph; a Tensor in PyTorch's."""

Make = Callable[[str, Sequence[Any], Mapping[str, Any], int], Sequence[Value]]
"""`make(op_type, inputs, attributes, count)` adds a node and returns so many outputs."""


class Nodes(Protocol):
    """What `elman.convert.onnx_export` writes a recurrence with."""

    def shape(self, value: Value) -> tuple[int, ...]:
        """Return the shape of a weight."""

    def is_same(self, one: Value, other: Value) -> bool:
        """Tell whether two values are one."""

    def blocks(self, value: Value, count: int, size: int) -> list[Value]:
        """Split the first axis into so many parts of one size."""

    def joined(self, values: Sequence[Value], axis: int) -> Value:
        """Put values side by side."""

    def with_axis(self, value: Value) -> Value:
        """Add an axis of size 1 in front."""

    def int32(self, value: Value) -> Value:
        """Convert whole numbers to ONNX's lengths."""

    def unless_empty(self, value: Value, lengths: Value, other: Value) -> Value:
        """Take (D, B, H) of `other` where a row has no step, of `value` elsewhere."""

    def in_a_row(self, outputs: Value, directions: int) -> Value:
        """Turn (T, D, B, H) into (T, B, D·H)."""

    def recurrent(
        self, op_type: str, inputs: Sequence[Value | None], attributes: Mapping[str, Any]
    ) -> list[Value]:
        """Add the node RNN, LSTM or GRU; return Y, Y_h and for an LSTM Y_c."""


class OnnxNodes:
    """Nodes of ONNX, opset 13 or later.

    Args:
        make: adds a node.
        constant: adds a constant list of whole numbers.
        shape: the shape of a value as far as it is known.
        name: the name of a value.
    """

    def __init__(
        self,
        make: Make,
        constant: Callable[[Sequence[int]], Value],
        shape: Callable[[Value], Sequence[int]],
        name: Callable[[Value], str],
    ) -> None:
        self._make = make
        self._constant = constant
        self._shape = shape
        self._name = name

    def _one(self, op_type: str, *inputs: Any, **attributes: Any) -> Value:
        return self._make(op_type, inputs, attributes, 1)[0]

    def shape(self, value: Value) -> tuple[int, ...]:
        """Return the shape of a weight."""
        return tuple(self._shape(value))

    def is_same(self, one: Value, other: Value) -> bool:
        """Tell whether two values are one."""
        return self._name(one) == self._name(other)

    def blocks(self, value: Value, count: int, size: int) -> list[Value]:
        """Split the first axis into so many parts of one size."""
        # Slices, and no Split: of weights the exporters compute them, and the file has the result.
        bounds = [(i * size, i * size + size, 0) for i in range(count)]
        return [self._one("Slice", value, *[self._constant([n]) for n in each]) for each in bounds]

    def joined(self, values: Sequence[Value], axis: int) -> Value:
        """Put values side by side."""
        return values[0] if len(values) == 1 else self._one("Concat", *values, axis=axis)

    def with_axis(self, value: Value) -> Value:
        """Add an axis of size 1 in front."""
        return self._one("Unsqueeze", value, self._constant([0]))

    def int32(self, value: Value) -> Value:
        """Convert whole numbers to ONNX's lengths."""
        return self._one("Cast", value, to=6)  # onnx.TensorProto.INT32

    def unless_empty(self, value: Value, lengths: Value, other: Value) -> Value:
        """Take (D, B, H) of `other` where a row has no step, of `value` elsewhere."""
        zero = self.int32(self._constant([0]))
        empty = self._one("Unsqueeze", self._one("Equal", lengths, zero), self._constant([1]))
        return self._one("Where", empty, other, value)

    def in_a_row(self, outputs: Value, directions: int) -> Value:
        """Turn (T, D, B, H) into (T, B, D·H)."""
        if directions == 1:
            return self._one("Squeeze", outputs, self._constant([1]))
        by_row = self._one("Transpose", outputs, perm=[0, 2, 1, 3])
        return self._one("Reshape", by_row, self._constant([0, 0, -1]))

    def recurrent(
        self, op_type: str, inputs: Sequence[Value | None], attributes: Mapping[str, Any]
    ) -> list[Value]:
        """Add the node RNN, LSTM or GRU; return Y, Y_h and for an LSTM Y_c."""
        return list(self._make(op_type, inputs, attributes, 3 if op_type == "LSTM" else 2))


def torchscript_nodes(graph: Any) -> OnnxNodes:
    """Write into the graph that PyTorch's older exporter gives to a symbolic function."""
    kinds = {int: "i", float: "f", str: "s"}

    def make(
        op_type: str, inputs: Sequence[Any], attributes: Mapping[str, Any], count: int
    ) -> Sequence[Value]:
        none = [value is None for value in inputs]
        given = [_nothing(graph) if absent else v for v, absent in zip(inputs, none, strict=True)]
        named = {}
        for name, value in attributes.items():
            first = value[0] if isinstance(value, list) else value
            named[f"{name}_{kinds[type(first)]}"] = value
        outputs = graph.op(op_type, *given, outputs=count, **named)
        return [outputs] if count == 1 else list(outputs)

    return OnnxNodes(
        make,
        constant=lambda numbers: graph.op("Constant", value_t=torch.tensor(list(numbers))),
        shape=lambda value: value.type().sizes(),
        name=lambda value: value.debugName(),
    )


def _nothing(graph: Any) -> Value:
    """Return the value that stands for an input that is left out."""
    value = graph.op("prim::Constant")
    value.setType(torch._C.OptionalType.ofTensor())
    return value


def onnxscript_nodes() -> OnnxNodes:
    """Write nodes into the graph that onnxscript is making: a translation is being called.

    Raises:
        MissingDependencyError: onnxscript is not installed.
    """
    opset18 = import_extra("onnxscript", "onnx", "exporting a program to ONNX").opset18

    def make(
        op_type: str, inputs: Sequence[Any], attributes: Mapping[str, Any], count: int
    ) -> Sequence[Value]:
        outputs = getattr(opset18, op_type)(*inputs, **attributes)
        return [outputs] if count == 1 else list(outputs)

    return OnnxNodes(
        make,
        constant=lambda numbers: opset18.Constant(value_ints=list(numbers)),
        shape=lambda value: value.shape.numpy(),
        name=lambda value: value.name,
    )


class TorchOperators:
    """PyTorch's operators, and its stand-in for RNN, LSTM and GRU."""

    def shape(self, value: Tensor) -> tuple[int, ...]:
        """Return the shape of a weight."""
        return tuple(value.shape)

    def is_same(self, one: Tensor, other: Tensor) -> bool:
        """Tell whether two values are one."""
        return one is other

    def blocks(self, value: Tensor, count: int, size: int) -> list[Tensor]:
        """Split the first axis into so many parts of one size."""
        return [value[i * size : (i + 1) * size] for i in range(count)]

    def joined(self, values: Sequence[Tensor], axis: int) -> Tensor:
        """Put values side by side."""
        return values[0] if len(values) == 1 else torch.cat(list(values), dim=axis)

    def with_axis(self, value: Tensor) -> Tensor:
        """Add an axis of size 1 in front."""
        return value.unsqueeze(0)

    def int32(self, value: Tensor) -> Tensor:
        """Convert whole numbers to ONNX's lengths."""
        return value.to(torch.int32)

    def unless_empty(self, value: Tensor, lengths: Tensor, other: Tensor) -> Tensor:
        """Take (D, B, H) of `other` where a row has no step, of `value` elsewhere."""
        return torch.where((lengths == 0).unsqueeze(1), other, value)

    def in_a_row(self, outputs: Tensor, directions: int) -> Tensor:
        """Turn (T, D, B, H) into (T, B, D·H)."""
        return outputs.squeeze(1) if directions == 1 else outputs.transpose(1, 2).flatten(2)

    def recurrent(
        self, op_type: str, inputs: Sequence[Tensor | None], attributes: Mapping[str, Any]
    ) -> list[Tensor]:
        """Add the node RNN, LSTM or GRU; return Y, Y_h and for an LSTM Y_c."""
        x, recurrent = inputs[0], inputs[2]
        assert x is not None
        assert recurrent is not None
        directions, _, size = recurrent.shape
        state = (directions, x.size(1), size)
        shapes = [(x.size(0), *state), *[state] * (2 if op_type == "LSTM" else 1)]
        outputs = torch.onnx.ops.symbolic_multi_out(
            op_type, inputs, dict(attributes), dtypes=[x.dtype] * len(shapes), shapes=shapes
        )
        return list(outputs)
