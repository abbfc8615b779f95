"""Those who run one forward pass beside each other: Elman, torch.nn, ONNX Runtime and JAX.

All get the weights of one torch.nn module and one batch. None is timed before all agree.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from bursts import Refusal, timed_call
from elman.convert import from_torch, to_onnx
from elman.layers import RecurrentLayer

ELMAN = "Elman"
STEPPER = "Elman, stepper"
TORCH = "torch.nn"
ONNX = "ONNX Runtime"
JAX = "JAX"
MODULES: Mapping[str, Callable[..., nn.RNNBase]] = {
    "lstm": nn.LSTM,
    "gru": nn.GRU,
    "simple": nn.RNN,
}
TOLERANCE = 1e-4
SEED = 1


class Task(NamedTuple):
    """The weights and the batch of all contenders.

    Args:
        cell: lstm, gru or simple.
        module: torch.nn's, with the weights that everyone takes.
        x: (T, B, I).
    """

    cell: str
    module: nn.RNNBase
    x: Tensor


class Contender(NamedTuple):
    """A library that runs a task.

    Args:
        run: one forward pass, outputs and last state.
        outputs: the outputs in what `run` gave, (T, B, D·H).
    """

    run: Callable[[], Any]
    outputs: Callable[[Any], NDArray[np.float32]]


def task(
    cell: str,
    *,
    rows: int,
    steps: int,
    size: int,
    input_size: int | None = None,
    layers: int = 1,
    bidirectional: bool = False,
) -> Task:
    """Return random weights and a random batch; I = H by default."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(SEED)
        module = MODULES[cell](input_size or size, size, layers, bidirectional=bidirectional)
        return Task(cell, module, torch.randn(steps, rows, input_size or size))


def torch_nn(task: Task) -> Contender:
    """Run torch.nn's layer."""
    return Contender(lambda: task.module(task.x), _first_as_array)


def elman_layer(task: Task) -> Contender:
    """Run Elman's layer, with backend `auto`."""
    layer = from_torch(task.module)
    return Contender(lambda: layer(task.x), _first_as_array)


def elman_stepper(task: Task) -> Contender:
    """Run one step of Elman's stepper on NumPy arrays; it continues from its last state."""
    stepper = from_torch(task.module).stepper(task.x.size(1))
    x = task.x[0].numpy()
    return Contender(lambda: stepper.step(x), lambda output: output[None].copy())


def _first_as_array(result: Any) -> NDArray[np.float32]:
    outputs: Tensor = result[0]
    return outputs.detach().numpy()


def onnx_runtime(task: Task, *, threads: int) -> Contender:
    """Run the operators RNN, LSTM and GRU, one a layer, in ONNX Runtime."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.execution_mode = onnxruntime.ExecutionMode.ORT_SEQUENTIAL
    session = onnxruntime.InferenceSession(
        onnx_model(from_torch(task.module)), options, providers=["CPUExecutionProvider"]
    )
    feed = {"X0": task.x.numpy()}

    def outputs(result: Any) -> NDArray[np.float32]:
        steps, directions, rows, size = result[0].shape
        joined = result[0].transpose(0, 2, 1, 3).reshape(steps, rows, directions * size)
        return np.asarray(joined)

    return Contender(lambda: session.run(None, feed), outputs)


def onnx_model(layer: RecurrentLayer) -> bytes:
    """Write a stack as an ONNX model; its outputs are the last node's, Y (T, D, B, H) and states.

    Between two nodes Y is transposed to (T, B, D, H) and joined to (T, B, D·H).
    """
    from onnx import TensorProto, helper, numpy_helper

    weights = to_onnx(layer)
    nodes = []
    arrays = {"joined": np.array([0, 0, -1])} if len(weights) > 1 else {}
    for level, its in enumerate(weights):
        names = [f"{role}{level}" for role in ("W", "R", "B")]
        arrays |= {name: np.asarray(array) for name, array in zip(names, its[1:4], strict=True)}
        states = ["Y_h", "Y_c"][: 2 if its.op_type == "LSTM" else 1]
        written = [f"{name}{level}" for name in ("Y", *states)]
        nodes.append(
            helper.make_node(its.op_type, [f"X{level}", *names], written, **its.attributes)
        )
        if level + 1 < len(weights):
            turned = f"turned{level}"
            nodes.append(helper.make_node("Transpose", [f"Y{level}"], [turned], perm=[0, 2, 1, 3]))
            nodes.append(helper.make_node("Reshape", [turned, "joined"], [f"X{level + 1}"]))
    graph = helper.make_graph(
        nodes,
        "stack",
        [helper.make_tensor_value_info("X0", TensorProto.FLOAT, ["T", "B", layer.input_size])],
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in written],
        [numpy_helper.from_array(array, name) for name, array in arrays.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    serialized: bytes = model.SerializeToString()
    return serialized


def missing_peers() -> dict[str, str]:
    """Return the peers that cannot be imported, and why."""
    missing = {}
    for name, module in {ONNX: "onnxruntime", JAX: "jax"}.items():
        try:
            __import__(module)
        except ImportError as error:
            missing[name] = str(error)
    return missing


def forward_contenders(
    task: Task, *, threads: int, missing: Mapping[str, str]
) -> dict[str, Contender]:
    """Build all contenders of a forward pass, Elman first; at T = 1 its stepper too."""
    task.module.eval()
    contenders = {ELMAN: elman_layer(task)}
    if task.x.size(0) == 1 and not task.module.bidirectional:
        contenders[STEPPER] = elman_stepper(task)
    contenders[TORCH] = torch_nn(task)
    if ONNX not in missing:
        contenders[ONNX] = onnx_runtime(task, threads=threads)
    if JAX not in missing:
        from jax_scan import jax_scan

        contenders[JAX] = Contender(*jax_scan(task.cell, task.module, task.x))
    return contenders


def check(contenders: Mapping[str, Contender], what: str) -> dict[str, float]:
    """Run all contenders once, and refuse to time them where one differs from torch.nn.

    Returns:
        The seconds of each one's call.

    Raises:
        Refusal: outputs differ by more than TOLERANCE.
    """
    seconds, given = {}, {}
    for name, its in contenders.items():
        seconds[name], result = timed_call(its.run)
        given[name] = its.outputs(result)
    for name, outputs in given.items():
        error = float(np.abs(outputs - given[TORCH]).max())
        if not error <= TOLERANCE:
            raise Refusal(f"{name} is off by {error:.1e} at {what}; nothing is timed.")
    return seconds
