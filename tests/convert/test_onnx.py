"""Weights from and to ONNX: there and back to the last bit, and every refusal by its words.

That the numbers are ONNX's own `tests/cells/test_against_onnx.py` shows; here it is shown of nodes
that were written by `to_onnx`.
"""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np
import onnx
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

import elman
from battery import DRAWN, assert_near, assert_same_bits, draw
from elman.convert import OnnxWeights, from_onnx, to_onnx
from elman.errors import ElmanError, OptionError, ShapeError
from elman.layers import RecurrentLayer
from oracles.onnx_models import draw_weights, model, run_onnxruntime, run_reference

FEW = settings(DRAWN, max_examples=50)
EVERY_LAYER: list[tuple[type[RecurrentLayer], dict[str, Any]]] = [
    *[
        (elman.SimpleRNN, {"nonlinearity": nonlinearity})
        for nonlinearity in ("tanh", "relu", "sigmoid", "identity")
    ],
    *[
        (elman.LSTM, {"peephole": peephole, "coupled_gates": coupled})
        for peephole, coupled in product([False, True], [False, True])
    ],
    *[(elman.GRU, {"reset_after": after}) for after in (True, False)],
]
every_layer = pytest.mark.parametrize(
    ("build", "options"),
    EVERY_LAYER,
    ids=[f"{build.__name__} {options}" for build, options in EVERY_LAYER],
)


def assert_same_weights(one: nn.Module, other: nn.Module) -> None:
    ours, theirs = one.state_dict(), other.state_dict()
    assert list(ours) == list(theirs)
    for name, weight in theirs.items():
        assert_same_bits(ours[name], weight, name)


def assert_same_nodes(ours: list[OnnxWeights], theirs: list[OnnxWeights]) -> None:
    for one, other in zip(ours, theirs, strict=True):
        assert one.op_type == other.op_type
        assert one.attributes == other.attributes
        for name in "WRBP":
            array, expected = getattr(one, name), getattr(other, name)
            assert (array is None) == (expected is None), name
            if array is not None:
                assert array.dtype == expected.dtype
                assert np.array_equal(array, expected), f"{name} differs"


@every_layer
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("bidirectional", [False, True])
def test_a_stack_taken_to_onnx_comes_back_to_the_last_bit(
    build: Any, options: dict[str, Any], bidirectional: bool, dtype: torch.dtype
) -> None:
    layer = build(3, [5, 7], bidirectional=bidirectional, dtype=dtype, **options)
    back = from_onnx(to_onnx(layer))
    assert type(back) is build
    assert str(back) == str(layer)
    assert_same_weights(back, layer)
    assert_same_nodes(to_onnx(back), to_onnx(layer))


@FEW
@given(
    op_type=st.sampled_from(["RNN", "LSTM", "GRU"]),
    inputs=st.integers(1, 7),
    hidden=st.integers(1, 7),
    directions=st.integers(1, 2),
    bias=st.booleans(),
    peephole=st.booleans(),
    dtype=st.sampled_from([np.float32, np.float64]),
)
def test_a_node_taken_from_onnx_goes_back_to_the_last_bit(
    op_type: str,
    inputs: int,
    hidden: int,
    directions: int,
    bias: bool,
    peephole: bool,
    dtype: Any,
) -> None:
    said: dict[str, dict[str, Any]] = {
        "RNN": {"activations": ["Relu"] * directions},
        "LSTM": {"input_forget": 0},
        "GRU": {"linear_before_reset": 1},
    }
    weights = draw_weights(
        op_type,
        inputs=inputs,
        hidden=hidden,
        directions=directions,
        bias=bias,
        peephole=peephole and op_type == "LSTM",
        dtype=dtype,
        **said[op_type],
    )
    assert_same_nodes(to_onnx(from_onnx(weights)), [weights])


@pytest.mark.parametrize("batch_first", [False, True])
@pytest.mark.parametrize("bidirectional", [False, True])
@pytest.mark.parametrize(
    ("build", "options"),
    [
        (elman.SimpleRNN, {}),
        (elman.SimpleRNN, {"nonlinearity": "identity", "bias": False}),
        (elman.LSTM, {"peephole": True}),
        (elman.GRU, {}),
        (elman.GRU, {"reset_after": False}),
    ],
)
def test_a_stack_taken_to_onnx_computes_the_same_there(
    build: Any, options: dict[str, Any], bidirectional: bool, batch_first: bool
) -> None:
    layer = build(
        3, [5, 7], bidirectional=bidirectional, batch_first=batch_first, **options
    ).double()
    x = theirs = draw(4, 6, 3, scale=1.0)
    for node in to_onnx(layer):
        theirs = run_reference(node, theirs)[0]
    assert_near(layer(x)[0].detach(), theirs, "outputs")


def test_coupled_gates_taken_to_onnx_compute_the_same_there() -> None:
    layer = elman.LSTM(3, 5, peephole=True, coupled_gates=True, bidirectional=True)
    x = draw(4, 6, 3, dtype=torch.float32)
    [node] = to_onnx(layer)
    truth = layer.double()(x.double(), lengths=[1, 4, 2, 3, 4, 2])[0].detach()
    assert_near(run_onnxruntime(node, x, lengths=[1, 4, 2, 3, 4, 2])[0], truth, "outputs")


def test_the_forget_block_of_coupled_gates_is_zeros_in_onnx() -> None:
    [node] = to_onnx(elman.LSTM(3, 5, peephole=True, coupled_gates=True))
    assert node.W.shape == (1, 20, 3)
    assert node.B is not None
    assert node.P is not None
    for block in (node.W[0, 10:15], node.R[0, 10:15], node.B[0, 10:15], node.P[0, 10:]):
        assert not block.any()
    assert node.W[0, 15:].all()


def test_a_node_of_a_graph_is_read_with_its_initializers() -> None:
    drawn = draw_weights(
        "LSTM", inputs=3, hidden=5, peephole=True, activations=["Sigmoid", "Tanh", "Tanh"]
    )
    graph = model(drawn, {"X": np.zeros((4, 2, 3))}).graph
    arrays = {tensor.name: onnx.numpy_helper.to_array(tensor) for tensor in graph.initializer}
    read = OnnxWeights.from_node(graph.node[0], arrays)
    assert_same_nodes([read], [drawn])
    assert_same_weights(from_onnx(read), from_onnx(drawn))


def test_what_onnx_leaves_out_is_at_its_default() -> None:
    weights = draw_weights("GRU", inputs=3, hidden=5)._replace(attributes={})
    layer = from_onnx(weights)
    assert layer.options.cell.options == {"reset_after": False}
    assert not layer.bidirectional
    assert not layer.batch_first
    simple = draw_weights("RNN", inputs=3, hidden=5)._replace(
        attributes={"activations": ["Tanh", "Tanh"]}
    )
    assert from_onnx(simple).options.cell.options == {"nonlinearity": "tanh"}


def test_a_layer_from_onnx_takes_the_backend_asked_for_and_copies_the_arrays() -> None:
    weights = draw_weights("GRU", inputs=3, hidden=5)
    layer = from_onnx(weights, backend="reference")
    assert layer.backend == "reference"
    before = layer.get_parameter("weight_ih_l0").clone()
    weights.W[:] = 0
    assert_same_bits(layer.get_parameter("weight_ih_l0"), before, "weight_ih_l0")


def node(op_type: str = "LSTM", **options: Any) -> OnnxWeights:
    return draw_weights(op_type, inputs=3, hidden=5, **options)


@pytest.mark.parametrize(
    ("nodes", "error", "words"),
    [
        (
            lambda: node()._replace(op_type="LSTMN"),
            OptionError,
            "unknown ONNX operator 'LSTMN'; did you mean 'LSTM'? Known ONNX operators: "
            "GRU, LSTM, RNN.",
        ),
        (
            lambda: node("GRU", linear_before_rest=1),
            OptionError,
            "unknown GRU attribute 'linear_before_rest'; did you mean 'linear_before_reset'?",
        ),
        (
            lambda: node(clip=3.0),
            OptionError,
            "from_onnx cannot build an LSTM with clip=3.0: elman layers do not clip what enters an "
            "activation.",
        ),
        (
            lambda: node()._replace(attributes={"direction": "reverse"}),
            OptionError,
            "from_onnx cannot build a layer with direction='reverse' alone; convert it with "
            "direction='forward' and make it the backward_layer of an elman.Bidirectional.",
        ),
        (
            lambda: node()._replace(attributes={"direction": "backward"}),
            OptionError,
            "unknown direction 'backward'",
        ),
        (
            lambda: node(activations=["HardSigmoid", "Tanh", "Tanh"]),
            OptionError,
            "from_onnx needs activations=['Sigmoid', 'Tanh', 'Tanh'] in this LSTM, got "
            "['HardSigmoid', 'Tanh', 'Tanh']; elman's gates have no other.",
        ),
        (
            lambda: node("RNN", activations=["Reelu"]),
            OptionError,
            "unknown RNN activation 'Reelu'; did you mean 'Relu'? Known RNN activations: Affine, "
            "Relu, Sigmoid, Tanh.",
        ),
        (
            lambda: node("RNN", directions=2, activations=["Tanh", "Relu"]),
            OptionError,
            "from_onnx needs one activation for both directions of an RNN, got ['Tanh', 'Relu'].",
        ),
        (
            lambda: node(
                "RNN", activations=["Affine"], activation_alpha=[0.5], activation_beta=[0.0]
            ),
            OptionError,
            "from_onnx takes Affine for the identity alone, activation_alpha=1 and "
            "activation_beta=0 in every direction; got [0.5] and [0.0].",
        ),
        (
            list,
            OptionError,
            "from_onnx needs at least one node.",
        ),
        (
            lambda: [node("GRU"), draw_weights("GRU", inputs=5, hidden=7, linear_before_reset=1)],
            OptionError,
            "the nodes of a stack must have one operator, direction, layout and options, and "
            "either all or none of them biases and peepholes.",
        ),
        (
            lambda: [node("GRU"), draw_weights("GRU", inputs=5, hidden=7, bias=False)],
            OptionError,
            "the nodes of a stack must have one operator",
        ),
        (
            lambda: [node(directions=2), draw_weights("LSTM", inputs=5, hidden=7, directions=2)],
            ShapeError,
            "node 1 of the stack reads 5 values, and the node below it writes D·H = 10.",
        ),
        (
            lambda: node()._replace(W=np.zeros((1, 15, 3))),
            ShapeError,
            "W of ONNX's LSTM must be (D, 4·H, I) = (1, 20, 3), got (1, 15, 3).",
        ),
        (
            lambda: node(directions=2)._replace(attributes={}),
            ShapeError,
            "W of ONNX's LSTM must be (D, 4·H, I) = (1, 20, 3), got (2, 20, 3).",
        ),
        (
            lambda: node()._replace(R=np.zeros((1, 20, 4))),
            ShapeError,
            "R of ONNX's LSTM must be (D, 4·H, H) = (1, 20, 5), got (1, 20, 4).",
        ),
        (
            lambda: node("GRU")._replace(B=np.zeros((1, 15))),
            ShapeError,
            "B of ONNX's GRU must be (D, 6·H) = (1, 30), got (1, 15).",
        ),
        (
            lambda: node()._replace(P=np.zeros((1, 10))),
            ShapeError,
            "P of ONNX's LSTM must be (D, 3·H) = (1, 15), got (1, 10).",
        ),
        (
            lambda: node()._replace(R=np.zeros(())),
            ShapeError,
            "R of ONNX's LSTM must be (D, 4·H, H) = (1, 20, 5), got ().",
        ),
        (
            lambda: node("GRU")._replace(P=np.zeros((1, 15))),
            OptionError,
            "ONNX's GRU has no peepholes P; an LSTM has.",
        ),
        (
            lambda: node()._replace(W=np.zeros((1, 20, 3), np.float32)),
            OptionError,
            "ONNX's LSTM must have weights of one dtype, got W float32, R float64, B float64.",
        ),
    ],
)
def test_from_onnx_refuses_what_elman_has_not(nodes: Any, error: type, words: str) -> None:
    with pytest.raises(ElmanError) as caught:
        from_onnx(nodes())
    assert type(caught.value) is error
    assert str(caught.value).startswith(words)


@pytest.mark.parametrize(
    ("layer", "words"),
    [
        (lambda: elman.LSTM(3, 5, proj_size=2), "projection (proj_size=2)"),
        (lambda: elman.GRU(3, 5, layer_norm=True), "layer norm (layer_norm=True)"),
        (
            lambda: elman.GRU(3, 5, zoneout=0.1),
            "zoneout (zoneout=0.1), by which units keep a share of their old state in evaluation "
            "too",
        ),
        (lambda: elman.GRU(3, 5, 2, residual=True), "residual connections (residual=True)"),
        (
            lambda: elman.GRU(3, 5, learn_initial_state=True),
            "learned initial state (learn_initial_state=True)",
        ),
    ],
)
def test_to_onnx_refuses_what_onnx_has_not(layer: Any, words: str) -> None:
    with pytest.raises(OptionError) as caught:
        to_onnx(layer())
    advice = "Build the elman layer without it to convert it to ONNX."
    assert str(caught.value) == f"ONNX has no {words}. {advice}"


def test_to_onnx_takes_a_layer_trained_with_dropout() -> None:
    assert len(to_onnx(elman.GRU(3, 5, 2, dropout=0.3, recurrent_dropout=0.2))) == 2


def test_to_onnx_refuses_a_pair_of_layers_with_the_way_out() -> None:
    pair = elman.Bidirectional(elman.GRU(3, 5), elman.LSTM(3, 5))
    with pytest.raises(
        OptionError, match="got a Bidirectional; convert the layers of a Bidirectional one by one"
    ):
        to_onnx(pair)  # type: ignore[arg-type]


def read(names: list[str], arrays: dict[str, Any]) -> OnnxWeights:
    return OnnxWeights.from_node(onnx.helper.make_node("LSTM", names, ["Y"]), arrays)


def test_a_graph_that_computes_its_weights_or_fixes_a_call_is_refused() -> None:
    arrays = {"w": np.zeros((1, 20, 3)), "r": np.zeros((1, 20, 5))}
    with pytest.raises(OptionError, match="R = 'computed' is not among the initializers"):
        read(["x", "w", "computed"], arrays)
    with pytest.raises(
        OptionError, match=r"fixes initial_h = 'h', which an elman layer takes .* as its state"
    ):
        read(["x", "w", "r", "", "", "h"], arrays | {"h": np.ones((1, 2, 5))})
    with pytest.raises(
        OptionError, match=r"fixes sequence_lens = 'n', which an elman layer takes .* its lengths"
    ):
        read(["x", "w", "r", "", "n"], arrays | {"n": np.array([3, 4])})
    assert read(["x", "w", "r", "", "", "h"], arrays | {"h": np.zeros((1, 2, 5))}).B is None


def test_a_node_that_is_no_recurrence_is_refused() -> None:
    with pytest.raises(OptionError, match="unknown ONNX operator 'Gemm'"):
        OnnxWeights.from_node(onnx.helper.make_node("Gemm", ["x"], ["y"]), {})
