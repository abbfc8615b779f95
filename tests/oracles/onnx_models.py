"""Models of one ONNX node, run by ONNX's reference evaluator and by onnxruntime."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import onnx
import onnxruntime
import torch
from onnx.reference import ReferenceEvaluator
from torch import Tensor

from elman.convert import OnnxWeights

OPSET = 22
_GATES = {"RNN": 1, "LSTM": 4, "GRU": 3}


def draw_weights(
    op_type: str,
    *,
    inputs: int,
    hidden: int,
    directions: int = 1,
    bias: bool = True,
    peephole: bool = False,
    dtype: type[np.floating[Any]] = np.float64,
    **attributes: Any,
) -> OnnxWeights:
    """Draw the weights of a node in ONNX's own layout, every gate with numbers of its own."""
    rows = _GATES[op_type] * hidden

    def draw(*shape: int) -> np.ndarray:
        return (0.6 * torch.randn(directions, *shape, dtype=torch.float64)).numpy().astype(dtype)

    attributes["hidden_size"] = hidden
    attributes["direction"] = "bidirectional" if directions == 2 else "forward"
    return OnnxWeights(
        op_type,
        draw(rows, inputs),
        draw(rows, hidden),
        draw(2 * rows) if bias else None,
        draw(3 * hidden) if peephole else None,
        attributes,
    )


def model(weights: OnnxWeights, feeds: dict[str, np.ndarray]) -> onnx.ModelProto:
    """Build the model of one node; what is fed are its inputs, the weights its initializers."""
    outputs = {"Y": 4, "Y_h": 3} | ({"Y_c": 3} if weights.op_type == "LSTM" else {})
    arrays = {name: getattr(weights, name) for name in "WRBP"}
    arrays = {name: array for name, array in arrays.items() if array is not None}
    order = ["X", "W", "R", "B", "sequence_lens", "initial_h"]
    order += ["initial_c", "P"] if weights.op_type == "LSTM" else []
    inputs = [name if name in feeds or name in arrays else "" for name in order]
    node = onnx.helper.make_node(weights.op_type, inputs, list(outputs), **weights.attributes)

    def described(name: str, array: np.ndarray, axes: Sequence[Any]) -> onnx.ValueInfoProto:
        kind = onnx.helper.np_dtype_to_tensor_dtype(array.dtype)
        return onnx.helper.make_tensor_value_info(name, kind, axes)

    graph = onnx.helper.make_graph(
        [node],
        "one_node",
        [described(name, array, array.shape) for name, array in feeds.items()],
        [described(name, feeds["X"], [None] * axes) for name, axes in outputs.items()],
        [onnx.numpy_helper.from_array(array, name) for name, array in arrays.items()],
    )
    opset = onnx.helper.make_opsetid("", OPSET)
    built = onnx.helper.make_model(graph, opset_imports=[opset], ir_version=10)
    onnx.checker.check_model(built)
    return built


def run_reference(
    weights: OnnxWeights, x: Tensor, state: Sequence[Tensor] = ()
) -> tuple[Tensor, ...]:
    """Run a node through ONNX's reference evaluator, in the dtype of x.

    It ignores `input_forget`, `sequence_lens` and all activations but Tanh and Affine, so it is
    never asked for them.

    Args:
        weights: the node.
        x: (T, B, I), or (B, T, I) with layout 1.
        state: h and, for an LSTM, c before the first step, (D, B, H).

    Returns:
        Outputs, (T, B, D·H) or (B, T, D·H), and the final state, (D, B, H) each.
    """
    assert not weights.attributes.get("input_forget"), "the reference evaluator ignores it"
    assert set(weights.attributes.get("activations", [])) <= {"Tanh", "Affine"}
    feeds = _feeds(weights, x, state)
    return _in_our_layout(weights, ReferenceEvaluator(model(weights, feeds)).run(None, feeds))


def run_onnxruntime(
    weights: OnnxWeights,
    x: Tensor,
    state: Sequence[Tensor] = (),
    lengths: Sequence[int] | None = None,
) -> tuple[Tensor, ...]:
    """Run a node through onnxruntime, which computes in float32 alone and has no layout 1."""
    feeds = _feeds(weights, x, state)
    if lengths is not None:
        feeds["sequence_lens"] = np.array(lengths, dtype=np.int32)
    session = onnxruntime.InferenceSession(
        model(weights, feeds).SerializeToString(), providers=["CPUExecutionProvider"]
    )
    return _in_our_layout(weights, session.run(None, feeds))


def _feeds(weights: OnnxWeights, x: Tensor, state: Sequence[Tensor]) -> dict[str, np.ndarray]:
    names = ("X", "initial_h", "initial_c")
    feeds = dict(zip(names, [value.numpy() for value in (x, *state)], strict=False))
    if weights.attributes.get("layout"):
        feeds |= {name: feeds[name].swapaxes(0, 1) for name in names[1:] if name in feeds}
    return feeds


def _in_our_layout(weights: OnnxWeights, outputs: Sequence[np.ndarray]) -> tuple[Tensor, ...]:
    """Put Y, (T, D, B, H) or (B, T, D, H), and the states into Elman's layout."""
    y, *state = [torch.from_numpy(np.array(output)) for output in outputs]
    if weights.attributes.get("layout"):
        return y.flatten(2), *[part.transpose(0, 1) for part in state]
    return y.transpose(1, 2).flatten(2), *state
