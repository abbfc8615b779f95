"""The cells against ONNX: its reference evaluator in float64, onnxruntime in float32.

The weights are drawn in ONNX's own layout and come in through `elman.convert.from_onnx`.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from battery import DRAWN, assert_near, draw
from elman.convert import OnnxWeights, from_onnx
from oracles.onnx_models import draw_weights, run_onnxruntime, run_reference

T, B, I, H = 7, 5, 3, 11  # noqa: E741 — the axis legend
LENGTHS = [4, 7, 1, 6, 2]
NODES: dict[str, dict[str, Any]] = {
    "RNN": {"op_type": "RNN"},
    "RNN of the identity": {
        "op_type": "RNN",
        "activations": ["Affine"],
        "activation_alpha": [1.0],
        "activation_beta": [0.0],
    },
    "LSTM": {"op_type": "LSTM"},
    "LSTM with peepholes": {"op_type": "LSTM", "peephole": True},
    "GRU that resets before": {"op_type": "GRU"},
    "GRU that resets after": {"op_type": "GRU", "linear_before_reset": 1},
}
ONLY_ONNXRUNTIME: dict[str, dict[str, Any]] = {
    "RNN of relu": {"op_type": "RNN", "activations": ["Relu"]},
    "RNN of sigmoid": {"op_type": "RNN", "activations": ["Sigmoid"]},
    "coupled LSTM": {"op_type": "LSTM", "input_forget": 1},
    "coupled LSTM with peepholes": {"op_type": "LSTM", "input_forget": 1, "peephole": True},
}
both_directions = pytest.mark.parametrize("directions", [1, 2], ids=["forward", "bidirectional"])


def draw_node(options: dict[str, Any], *, directions: int = 1, **others: Any) -> OnnxWeights:
    lists = ("activations", "activation_alpha", "activation_beta")
    repeated = {name: value * directions for name, value in options.items() if name in lists}
    return draw_weights(**{**options, **repeated, **others}, directions=directions)


def draw_state(
    op_type: str, directions: int, rows: int, hidden: int, dtype: torch.dtype = torch.float64
) -> list[Tensor]:
    """Draw h, and for an LSTM c, (D, B, H)."""
    parts = 2 if op_type == "LSTM" else 1
    return [draw(directions, rows, hidden, dtype=dtype) for _ in range(parts)]


def run_elman(
    weights: OnnxWeights, x: Tensor, state: list[Tensor], lengths: list[int] | None = None
) -> tuple[Tensor, ...]:
    layer = from_onnx(weights, backend="reference").to(x.dtype)
    y, final = layer(x, tuple(state) if len(state) > 1 else state[0], lengths=lengths)
    return y, *(final if isinstance(final, tuple) else [final])


def assert_same_numbers(ours: tuple[Tensor, ...], theirs: tuple[Tensor, ...]) -> None:
    for name, actual, expected in zip(("outputs", "h", "c"), theirs, ours, strict=False):
        assert_near(actual.detach(), expected.detach(), name)


@both_directions
@pytest.mark.parametrize("bias", [True, False], ids=["biases", "no biases"])
@pytest.mark.parametrize("kind", NODES)
def test_a_cell_computes_what_the_reference_evaluator_computes(
    kind: str, bias: bool, directions: int
) -> None:
    weights = draw_node(NODES[kind], directions=directions, bias=bias, inputs=I, hidden=H)
    x = draw(T, B, I, scale=1.0)
    state = draw_state(weights.op_type, directions, B, H)
    assert_same_numbers(run_elman(weights, x, state), run_reference(weights, x, state))


@settings(DRAWN, max_examples=40)
@given(
    kind=st.sampled_from(sorted(NODES)),
    steps=st.integers(1, 4),
    rows=st.integers(1, 3),
    inputs=st.integers(1, 5),
    hidden=st.integers(1, 5),
)
def test_a_cell_of_any_size_computes_what_the_reference_evaluator_computes(
    kind: str, steps: int, rows: int, inputs: int, hidden: int
) -> None:
    weights = draw_node(NODES[kind], inputs=inputs, hidden=hidden)
    x = draw(steps, rows, inputs, scale=1.0)
    state = draw_state(weights.op_type, 1, rows, hidden)
    assert_same_numbers(run_elman(weights, x, state), run_reference(weights, x, state))


@both_directions
@pytest.mark.parametrize("kind", [*NODES, *ONLY_ONNXRUNTIME])
@pytest.mark.parametrize("lengths", [None, LENGTHS], ids=["dense", "ragged"])
def test_a_cell_computes_what_onnxruntime_computes(
    kind: str, directions: int, lengths: list[int] | None
) -> None:
    """Ragged rows end with zeros, and the state is the one at a row's own end, there as here."""
    weights = draw_node(
        (NODES | ONLY_ONNXRUNTIME)[kind],
        directions=directions,
        inputs=I,
        hidden=H,
        dtype=np.float32,
    )
    x = draw(T, B, I, dtype=torch.float32)
    state = draw_state(weights.op_type, directions, B, H, torch.float32)
    truth = run_elman(weights, x.double(), [part.double() for part in state], lengths)
    assert_same_numbers(truth, run_onnxruntime(weights, x, state, lengths))


def test_onnxruntime_ignores_the_forget_block_of_coupled_gates_as_we_do() -> None:
    weights = draw_node(
        ONLY_ONNXRUNTIME["coupled LSTM with peepholes"], inputs=I, hidden=H, dtype=np.float32
    )
    assert weights.B is not None
    assert weights.P is not None
    w, r, b, p = (array.copy() for array in (weights.W, weights.R, weights.B, weights.P))
    for block in (w[0, 2 * H : 3 * H], r[0, 2 * H : 3 * H], p[0, 2 * H :]):
        block[:] = 9.0
    b[0, 2 * H : 3 * H] = b[0, 6 * H : 7 * H] = 9.0
    others = weights._replace(W=w, R=r, B=b, P=p)
    x, state = draw(T, B, I, dtype=torch.float32), draw_state("LSTM", 1, B, H, torch.float32)
    for run in (run_onnxruntime, run_elman):
        for one, other in zip(run(weights, x, state), run(others, x, state), strict=True):
            assert torch.equal(one, other)
