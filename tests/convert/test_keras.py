"""Weights from and to Keras: there and back to the last bit, and every refusal by its words.

That the numbers are Keras' own `tests/cells/test_against_keras.py` shows.
"""

from __future__ import annotations

import ast
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import elman
import elman.convert
from battery import DRAWN, assert_near, assert_same_bits, draw
from elman.convert import from_keras, from_keras_weights, to_keras_weights
from elman.errors import ElmanError, OptionError, ShapeError
from oracles import keras_layers
from oracles.keras_layers import library

pytestmark = keras_layers.own_warnings

CELLS: dict[str, tuple[str, dict[str, Any], int]] = {
    "simple": ("simple", {"nonlinearity": "relu"}, 1),
    "lstm": ("lstm", {}, 4),
    "gru that resets after": ("gru", {"reset_after": True}, 3),
    "gru that resets before": ("gru", {"reset_after": False}, 3),
}
FEW = settings(DRAWN, max_examples=20)  # a cell; there are four


def draw_arrays(kind: str, inputs: int, hidden: int, *, bias: bool, dtype: str) -> list[np.ndarray]:
    """Draw kernel, recurrent kernel and bias in Keras' layout."""
    _, options, gates = CELLS[kind]
    shapes: list[tuple[int, ...]] = [(inputs, gates * hidden), (hidden, gates * hidden)]
    if bias:
        rows = (gates * hidden,)
        shapes.append((2, *rows) if options.get("reset_after") else rows)
    return [torch.randn(shape, dtype=torch.float64).numpy().astype(dtype) for shape in shapes]


def assert_same_arrays(ours: list[np.ndarray], theirs: list[np.ndarray]) -> None:
    for place, (one, other) in enumerate(zip(ours, theirs, strict=True)):
        assert one.dtype == other.dtype
        assert np.array_equal(one, other), f"array {place} differs"


@pytest.mark.parametrize("kind", CELLS)
@FEW
@given(
    inputs=st.integers(1, 7),
    hidden=st.integers(1, 7),
    bias=st.booleans(),
    dtype=st.sampled_from(["float32", "float64"]),
)
def test_weights_from_keras_go_back_to_the_last_bit(
    kind: str, inputs: int, hidden: int, bias: bool, dtype: str
) -> None:
    arrays = draw_arrays(kind, inputs, hidden, bias=bias, dtype=dtype)
    cell, options, _ = CELLS[kind]
    layer = from_keras_weights(cell, arrays, **options)
    [back] = to_keras_weights(layer)
    assert_same_arrays(back, arrays)
    again = from_keras_weights(cell, back, **options)
    for name, weight in layer.state_dict().items():
        assert_same_bits(again.state_dict()[name], weight, name)


def test_both_layers_of_a_keras_bidirectional_go_back_to_the_last_bit() -> None:
    theirs = keras_layers.build_bidirectional(
        keras_layers.build("LSTM", 5, 3),
        keras_layers.build("GRU", 7, 3, go_backwards=True),
        3,
        merge_mode="concat",
    )
    ours = from_keras(theirs, backend="reference")
    assert isinstance(ours, elman.Bidirectional)
    assert ours.merge == "concat"
    assert ours.forward_layer.backend == ours.backward_layer.backend == "reference"
    [back] = to_keras_weights(ours)
    assert_same_arrays(back, theirs.get_weights())


@pytest.mark.parametrize(
    ("layer", "kind", "options"),
    [
        (lambda: elman.SimpleRNN(3, [5, 7], nonlinearity="sigmoid"), "SimpleRNN", {}),
        (lambda: elman.LSTM(3, [5, 7]), "LSTM", {}),
        (lambda: elman.LSTM(3, [5, 7], bias=False), "LSTM", {"use_bias": False}),
        (lambda: elman.GRU(3, [5, 7]), "GRU", {}),
        (lambda: elman.GRU(3, [5, 7], reset_after=False), "GRU", {"reset_after": False}),
        (lambda: elman.GRU(3, [5, 7], bidirectional=True), "GRU", {}),
    ],
)
def test_a_stack_taken_to_keras_computes_the_same_there(
    layer: Any, kind: str, options: dict[str, Any]
) -> None:
    ours = layer().double()
    x = draw(4, 6, 3, scale=1.0)
    theirs = x.transpose(0, 1)
    activation = {"activation": "sigmoid"} if kind == "SimpleRNN" else {}
    for size, weights in zip([5, 7], to_keras_weights(ours), strict=True):
        one = keras_layers.build(kind, size, theirs.size(-1), **options, **activation)
        if ours.bidirectional:
            other = keras_layers.build(kind, size, theirs.size(-1), go_backwards=True, **options)
            one = keras_layers.build_bidirectional(one, other, theirs.size(-1), merge_mode="concat")
        one.set_weights(weights)
        theirs = keras_layers.run(one, theirs)[0].detach()
    assert_near(ours(x)[0].detach(), theirs.transpose(0, 1), "outputs")


def test_a_layer_from_keras_is_batch_first_unless_asked_otherwise() -> None:
    arrays = draw_arrays("lstm", 3, 5, bias=True, dtype="float32")
    assert from_keras_weights("lstm", arrays).batch_first
    assert not from_keras_weights("lstm", arrays, batch_first=False).batch_first


def test_weights_from_keras_are_copies_laid_out_row_by_row() -> None:
    arrays = draw_arrays("lstm", 3, 5, bias=True, dtype="float32")
    layer = from_keras_weights("lstm", arrays)
    assert all(weight.is_contiguous() for weight in layer.parameters())
    before = layer.get_parameter("weight_hh_l0").clone()
    arrays[1] += 1
    assert_same_bits(layer.get_parameter("weight_hh_l0"), before, "weight_hh_l0")


def test_a_read_only_array_is_taken_in_silence() -> None:
    arrays = draw_arrays("gru that resets before", 3, 5, bias=True, dtype="float32")
    for array in arrays:
        array.flags.writeable = False
    layer = from_keras_weights("gru", arrays, reset_after=False)
    kernel = to_keras_weights(layer)[0][0]
    assert np.array_equal(kernel, arrays[0])


def test_a_class_derived_from_a_keras_layer_is_read_as_what_it_is() -> None:
    class Mine(library().layers.LSTM):
        pass

    theirs = keras_layers.with_random_weights(Mine(5, dtype="float64"), 3)
    assert isinstance(from_keras(theirs), elman.LSTM)


def test_converting_imports_neither_keras_nor_onnx() -> None:
    found: set[str] = set()
    for path in Path(elman.convert.__file__).parent.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                found |= {alias.name.split(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom):
                found.add((node.module or "").split(".")[0])
    assert "torch" in found
    assert found.isdisjoint({"keras", "onnx"})


def built(kind: str, **options: Any) -> Any:
    return keras_layers.build(kind, 5, 3, **options)


def joined(merge_mode: Any) -> Any:
    backward = built("LSTM", go_backwards=True)
    return keras_layers.build_bidirectional(built("LSTM"), backward, 3, merge_mode=merge_mode)


@pytest.mark.parametrize(
    ("layer", "words"),
    [
        (
            lambda: built("LSTM", activation="relu"),
            "from_keras needs activation='tanh' in LSTM and GRU, got 'relu'; elman's gates have no "
            "other.",
        ),
        (
            lambda: built("GRU", recurrent_activation="hard_sigmoid"),
            "from_keras needs recurrent_activation='sigmoid' in LSTM and GRU, got 'hard_sigmoid'; "
            "elman's gates have no other.",
        ),
        (
            lambda: built("SimpleRNN", activation="selu"),
            "unknown SimpleRNN activation 'selu'; did you mean 'relu'? Known SimpleRNN "
            "activations: linear, relu, sigmoid, tanh.",
        ),
        (
            lambda: built("LSTM", dropout=0.2),
            "from_keras: this LSTM has dropout=0.2 on its inputs. "
            "from_keras_weights(cell, layer.get_weights()) converts its weights alone.",
        ),
        (
            lambda: built("GRU", recurrent_dropout=0.1),
            "from_keras: this GRU has recurrent_dropout=0.1, which Keras samples differently. "
            "from_keras_weights(cell, layer.get_weights()) converts its weights alone.",
        ),
        (
            lambda: built("GRU", stateful=True),
            "from_keras: this GRU is stateful, and an elman layer takes its state with each "
            "call. from_keras_weights(cell, layer.get_weights()) converts its weights alone.",
        ),
        (
            lambda: built("GRU", go_backwards=True),
            "from_keras: this GRU goes backwards, which an elman layer does inside "
            "elman.Bidirectional alone. from_keras_weights(cell, layer.get_weights()) converts "
            "its weights alone.",
        ),
        (
            lambda: library().layers.GRU(5),
            "from_keras: this GRU has no weights yet; call it once, or build() it.",
        ),
        (
            lambda: joined(None),
            "from_keras cannot build a Bidirectional with merge_mode=None: elman.Bidirectional "
            "gives one output. Convert forward_layer and backward_layer one by one.",
        ),
        (
            lambda: library().layers.Dense(5),
            "from_keras takes a Keras layer SimpleRNN, LSTM, GRU or Bidirectional, got a Dense; "
            "from_keras_weights takes a list of arrays.",
        ),
        (
            lambda: [np.zeros((3, 5)), np.zeros((5, 5))],
            "from_keras takes a Keras layer SimpleRNN, LSTM, GRU or Bidirectional, got a list; "
            "from_keras_weights takes a list of arrays.",
        ),
        (
            lambda: library().layers.RNN(library().layers.LSTMCell(5)),
            "from_keras takes a Keras layer SimpleRNN, LSTM, GRU or Bidirectional, got a RNN; "
            "from_keras_weights takes a list of arrays.",
        ),
    ],
)
def test_from_keras_refuses_what_elman_has_not(layer: Any, words: str) -> None:
    with pytest.raises(OptionError) as caught:
        from_keras(layer())
    assert str(caught.value) == words


def zeros(*shape: int, dtype: str = "float32") -> np.ndarray:
    return np.zeros(shape, dtype)


@pytest.mark.parametrize(
    ("cell", "arrays", "options", "error", "words"),
    [
        (
            "lstn",
            [],
            {},
            OptionError,
            "unknown cell 'lstn'; did you mean 'lstm'? Known cells: gru, lru, lstm, mingru, "
            "minlstm, simple, slstm.",
        ),
        (
            "lstm",
            [],
            {"peephole": True},
            OptionError,
            "Keras has no LSTM with peephole=True; leave it out.",
        ),
        (
            "lstm",
            [],
            {"coupled_gates": True},
            OptionError,
            "Keras has no LSTM with coupled_gates=True; leave it out.",
        ),
        (
            "lstm",
            [zeros(3, 20)],
            {},
            ShapeError,
            "Keras' LSTM has the weights kernel, recurrent kernel and, with biases, bias; got 1 "
            "arrays.",
        ),
        (
            "lstm",
            [zeros(3, 20), zeros(5, 15)],
            {},
            ShapeError,
            "recurrent kernel must be (H, 4·H) = (5, 20), got (5, 15).",
        ),
        (
            "simple",
            [zeros(3, 7), zeros(5, 5)],
            {},
            ShapeError,
            "kernel must be (I, H) = (3, 5), got (3, 7).",
        ),
        (
            "simple",
            [zeros(), zeros(5, 5)],
            {},
            ShapeError,
            "kernel must be (I, H) = (0, 5), got ().",
        ),
        (
            "gru",
            [zeros(3, 15), zeros(5, 15), zeros(15)],
            {},
            ShapeError,
            "bias with reset_after=True must be (2, 3·H) = (2, 15), got (15,).",
        ),
        (
            "gru",
            [zeros(3, 15), zeros(5, 15), zeros(2, 15)],
            {"reset_after": False},
            ShapeError,
            "bias with reset_after=False must be (3·H) = (15,), got (2, 15).",
        ),
        (
            "simple",
            [zeros(3, 5), zeros(5, 5, dtype="int64")],
            {},
            OptionError,
            "recurrent kernel of Keras' SimpleRNN must be float16, float32 or float64, got int64.",
        ),
        (
            "simple",
            [zeros(3, 5), zeros(5, 5, dtype="float64")],
            {},
            OptionError,
            "Keras' SimpleRNN must have weights of one dtype, got kernel float32, recurrent kernel "
            "float64.",
        ),
    ],
)
def test_from_keras_weights_says_what_is_wrong_with_an_array(
    cell: str, arrays: list[np.ndarray], options: dict[str, Any], error: type, words: str
) -> None:
    with pytest.raises(ElmanError) as caught:
        from_keras_weights(cell, arrays, **options)
    assert type(caught.value) is error
    assert str(caught.value) == words


@pytest.mark.parametrize(
    ("layer", "words"),
    [
        (lambda: elman.LSTM(3, 5, peephole=True), "peepholes (peephole=True)"),
        (lambda: elman.LSTM(3, 5, coupled_gates=True), "coupled gates (coupled_gates=True)"),
        (lambda: elman.LSTM(3, 5, proj_size=2), "projection (proj_size=2)"),
        (lambda: elman.GRU(3, 5, layer_norm=True), "layer norm (layer_norm=True)"),
        (
            lambda: elman.LSTM(3, 5, zoneout=(0.1, 0.2)),
            "zoneout (zoneout=(0.1, 0.2)), by which units keep a share of their old state in "
            "evaluation too",
        ),
        (lambda: elman.GRU(3, 5, 2, residual=True), "residual connections (residual=True)"),
        (
            lambda: elman.GRU(3, 5, learn_initial_state=True),
            "learned initial state (learn_initial_state=True)",
        ),
    ],
)
def test_to_keras_refuses_what_keras_has_not(layer: Any, words: str) -> None:
    with pytest.raises(OptionError) as caught:
        to_keras_weights(layer())
    advice = "Build the elman layer without it to convert it to Keras."
    assert str(caught.value) == f"Keras has no {words}. {advice}"


def test_to_keras_takes_the_weights_of_a_layer_trained_with_dropout() -> None:
    layer = elman.GRU(3, 5, 2, dropout=0.3, recurrent_dropout=0.2)
    assert len(to_keras_weights(layer)) == 2


def test_to_keras_refuses_a_pair_of_stacks_and_other_modules() -> None:
    pair = elman.Bidirectional(elman.GRU(3, 5, 2), elman.GRU(3, 5, 3))
    with pytest.raises(OptionError, match=r"this one joins stacks of 2 and 3 layers\. Convert the"):
        to_keras_weights(pair)
    with pytest.raises(OptionError, match="LSTM, GRU or Bidirectional, got a Linear"):
        to_keras_weights(torch.nn.Linear(3, 5))  # type: ignore[arg-type]


def test_a_dtype_that_numpy_has_not_is_refused_with_the_way_out() -> None:
    with pytest.raises(OptionError, match=r"torch\.bfloat16, and NumPy has .*: layer\.float\(\)"):
        to_keras_weights(elman.GRU(3, 5, dtype=torch.bfloat16))
