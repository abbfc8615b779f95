"""What PyTorch's own tests ask of its recurrent layers, asked of Elman's.

README.md lists every test of theirs. torch.nn with the same weights, in float64, is the oracle.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.autograd import gradcheck, gradgradcheck
from torch.nn.utils.rnn import pack_padded_sequence, pack_sequence, unpack_sequence

import elman
from battery import assert_near, assert_same_bits, draw
from oracles.torch_layers import LAYERS, assert_each_near, pair, parts, results

DEVICES = ["cpu", *["cuda"] * torch.cuda.is_available()]
every_layer = pytest.mark.parametrize("name", LAYERS)
T, B, I, H, P = 7, 6, 3, 5, 2  # noqa: E741 — the axis legend
LENGTHS = [7, 5, 5, 2, 1, 1]


def draw_state(name: str, places: int, *rows: int, size: int = H) -> Any:
    """Draw a state: h of a size, and for an LSTM c of H."""
    h = draw(places, *rows, size).requires_grad_()
    return (h, draw(places, *rows, H).requires_grad_()) if name == "LSTM" else h


def weighted(values: list[Tensor]) -> Tensor:
    """Weight all values by a cotangent that is the same at every call, and add them up."""
    generator = torch.Generator().manual_seed(7)
    return sum(
        (
            (v.cpu() * torch.randn(v.shape, generator=generator, dtype=v.dtype)).sum()
            for v in values
        ),
        torch.zeros(()),
    )


def other_strides(values: Tensor) -> Tensor:
    """Give the same values with every second number of memory between them."""
    return torch.stack([torch.zeros_like(values), values], dim=-1).select(-1, 1)


# Values and gradients


@pytest.mark.sampled(4)
@every_layer
@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("dropout", [0.0, 1.0])
@pytest.mark.parametrize(
    ("bias", "bidirectional", "batch_first", "strided", "ragged"),
    list(product([True, False], repeat=5)),
)
def test_values_and_gradients_are_torch_nns_for_any_options_and_strides(
    name: str,
    device: str,
    dropout: float,
    bias: bool,
    bidirectional: bool,
    batch_first: bool,
    strided: bool,
    ragged: bool,
) -> None:
    # test_nn: test_RNN_cpu_vs_cudnn_no_dropout, test_RNN_cpu_vs_cudnn_with_dropout;
    # test_modules: test_non_contiguous_tensors, test_cpu_gpu_parity
    projections = {"proj_size": P} if name == "LSTM" and bias else {}
    layer, theirs = pair(
        name, I, H, 2, bias=bias, batch_first=batch_first, dropout=dropout,
        bidirectional=bidirectional, **projections,
    )  # fmt: skip
    x = draw(*((B, T, I) if batch_first else (T, B, I))).requires_grad_()
    state = draw_state(name, 4 if bidirectional else 2, B, size=projections.get("proj_size", H))
    found = []
    for module, place in ((layer.to(device), device), (theirs, "cpu")):
        values, start = x.to(place), [part.to(place) for part in parts(state)]
        if strided:
            values, start = other_strides(values), list(map(other_strides, start))
        read: Any = values
        if ragged:
            read = pack_padded_sequence(values, LENGTHS, batch_first)
        outputs = results(module, read, tuple(start) if name == "LSTM" else start[0])
        leaves = [x, *parts(state), *module.parameters()]
        gradients = torch.autograd.grad(weighted(outputs), leaves, materialize_grads=True)
        found.append([*outputs, *gradients])
    assert_each_near(*found)


@pytest.mark.sampled(3)
@pytest.mark.parametrize(
    ("name", "option", "choice"),
    [
        ("SimpleRNN", "nonlinearity", "tanh"),
        ("SimpleRNN", "nonlinearity", "relu"),
        ("LSTM", "proj_size", 0),
        ("LSTM", "proj_size", P),
        ("GRU", "dropout", 0.0),
    ],
)
@pytest.mark.parametrize(
    ("bias", "batch_first", "bidirectional"), list(product([False, True], repeat=3))
)
def test_a_row_without_a_batch_axis_is_a_batch_of_one(
    name: str, option: str, choice: Any, bias: bool, batch_first: bool, bidirectional: bool
) -> None:
    # test_modules: test_forward over module_inputs_torch_nn_RNN_GRU and _LSTM
    options = {"bias": bias, "batch_first": batch_first, "bidirectional": bidirectional}
    layer, theirs = pair(name, I, H, 2, **options, **{option: choice})
    size = P if choice == P else H
    state, x = draw_state(name, 4 if bidirectional else 2, size=size), draw(T, I)
    row = 0 if batch_first else 1
    many = [part.unsqueeze(1) for part in parts(state)]
    batch = [x.unsqueeze(row), tuple(many) if name == "LSTM" else many[0]]
    for arguments, batched in (((x,), batch[:1]), ((x, state), batch)):
        alone = results(layer, *arguments)
        assert_each_near(alone, results(theirs, *arguments))
        y, *ends = results(layer, *batched)
        assert_each_near(alone, [y.squeeze(row), *[end[:, 0] for end in ends]])


@pytest.mark.sampled(2)
@every_layer
@pytest.mark.parametrize("bias", [True, False])
def test_first_and_second_derivatives_are_those_of_the_values(name: str, bias: bool) -> None:
    # test_nn: test_LSTM_grad_and_gradgrad, test_GRU_grad_and_gradgrad;
    # test_modules: test_grad, test_gradgrad
    layer = LAYERS[name](2, 2, bias=bias, dtype=torch.float64)
    x = draw(1, 3, 2).requires_grad_()
    weights = tuple(layer.parameters())

    def run(x: Tensor, *_: Tensor) -> tuple[Tensor, ...]:
        return tuple(results(layer, x))

    assert gradcheck(run, (x, *weights), fast_mode=True)
    assert gradgradcheck(run, (x, *weights), fast_mode=True)


@every_layer
def test_a_penalty_on_gradients_has_gradients_in_float32(name: str) -> None:
    # test_nn: test_LSTM_differentiable_backward_using_oneDNN
    layer, theirs = (module.float() for module in pair(name, I, H))
    x = draw(T, B, I, dtype=torch.float32)
    found = []
    for module in (layer, theirs):
        leaf = x.clone().requires_grad_()
        (gradient,) = torch.autograd.grad(weighted(results(module, leaf)), leaf, create_graph=True)
        found.append(torch.autograd.grad(gradient.square().sum(), [leaf, *module.parameters()]))
    assert_each_near(*map(list, found))


@every_layer
def test_kept_graphs_give_the_same_gradients_each_time(name: str) -> None:
    # test_nn: test_rnn_retain_variables
    layer, _ = pair(name, I, H, 2)
    x = draw(T, B, I).requires_grad_()
    y, _ = layer(x)
    leaves = [x, *layer.parameters()]
    first = torch.autograd.grad(y.sum(), leaves, retain_graph=True)
    for _ in range(3):
        again = torch.autograd.grad(y.sum(), leaves, retain_graph=True)
        for gradient, expected in zip(again, first, strict=True):
            assert_same_bits(gradient, expected, "gradient")


@every_layer
def test_frozen_weights_let_gradients_through_to_the_input(name: str) -> None:
    # test_autograd: test_rnn_backward_to_input_but_not_parameters
    layer, theirs = pair(name, 2, 3)
    gradients = []
    for module in (layer, theirs):
        module.requires_grad_(False)
        x = torch.ones(4, 1, 2, dtype=torch.float64, requires_grad=True)
        module(x)[0].sum().backward()
        gradients.append(x.grad)
        assert all(weight.grad is None for weight in module.parameters())
    assert_near(*gradients, "gradient of x")
    assert float(gradients[0].abs().sum()) > 0


# Rows of several lengths


@every_layer
@pytest.mark.parametrize("order", [[0, 1, 2, 3, 4, 5], [3, 0, 5, 1, 4, 2]], ids=["sorted", "not"])
def test_a_packed_row_is_computed_as_if_it_were_alone(name: str, order: list[int]) -> None:
    # test_nn: test_variable_sequence; test_packed_sequence: test_pack_padded_sequence,
    # test_unpack_sequence, as far as a layer reads and writes what is packed
    layer, _ = pair(name, I, H, 2)
    rows = [draw(LENGTHS[row], I).requires_grad_() for row in order]
    start = draw_state(name, 2, B)
    packed = pack_sequence(rows, enforce_sorted=order == sorted(order))
    y, ends = layer(packed, start)
    for kept in ("batch_sizes", "sorted_indices", "unsorted_indices"):
        ours, theirs = getattr(y, kept), getattr(packed, kept)
        assert ours is theirs or torch.equal(ours, theirs), kept
    leaves = [*rows, *parts(start), *layer.parameters()]
    together = torch.autograd.grad(weighted([*unpack_sequence(y), *parts(ends)]), leaves)
    alone: list[list[Tensor]] = []
    for number, row in enumerate(rows):
        own = [part[:, number] for part in parts(start)]
        alone.append(results(layer, row, tuple(own) if name == "LSTM" else own[0]))
    outputs, *states = ([*values] for values in zip(*alone, strict=True))
    expected = [*outputs, *[torch.stack(part, 1) for part in states]]
    assert_each_near([*unpack_sequence(y), *parts(ends)], expected)
    assert_each_near(list(together), list(torch.autograd.grad(weighted(expected), leaves)))


@every_layer
@pytest.mark.parametrize("cast", ["double", "float"])
def test_packed_outputs_are_cast_like_a_tensor(name: str, cast: str) -> None:
    # test_packed_sequence: test_type_casts, test_to
    layer, _ = pair(name, I, H)
    y, _ = layer(pack_padded_sequence(draw(T, B, I), LENGTHS))
    assert y.to("cpu") is y
    assert torch.equal(getattr(y, cast)().data, getattr(y.data, cast)())


# States, sizes and devices


@every_layer
@pytest.mark.parametrize("bidirectional", [False, True])
def test_a_state_of_zeros_is_what_a_layer_starts_from(name: str, bidirectional: bool) -> None:
    # test_nn: test_rnn_initial_hidden_state, test_projections_lstm_initial_hidden_state
    for size in (H, P) if name == "LSTM" else (H,):
        options = {"proj_size": P} if size == P else {}
        layer, _ = pair(name, I, H, 2, bidirectional=bidirectional, **options)
        state = draw_state(name, 4 if bidirectional else 2, B, size=size)
        zeros = [torch.zeros_like(part) for part in parts(state)]
        x = draw(T, B, I)
        given = results(layer, x, tuple(zeros) if name == "LSTM" else zeros[0])
        for ours, expected in zip(results(layer, x), given, strict=True):
            assert_same_bits(ours, expected, "value")


def _wrong_calls(size: int) -> Iterator[tuple[tuple[int, ...], tuple[int, ...], tuple[int, ...]]]:
    x, h, c = (T, B, I), (2, B, size), (2, B, H)
    yield (T, 8, I), h, c
    yield (T, B, 8), h, c
    for wrong in (lambda axes: (axes[0], 8, axes[2]), lambda axes: (*axes[:2], 8)):
        yield x, wrong(h), c
        yield x, h, wrong(c)
    yield x, (8, B, size), c
    yield x, h, (8, B, H)
    if size != H:
        yield x, c, c
        yield x, h, h


@pytest.mark.parametrize(("name", "size"), [("SimpleRNN", H), ("GRU", H), ("LSTM", H), ("LSTM", P)])
def test_a_wrong_size_is_a_runtime_error(name: str, size: int) -> None:
    # test_nn: test_rnn_args_check, test_projections_lstm_args_check, test_cudnn_forward_exception,
    # test_RNN_cell_no_broadcasting, test_LSTM_cell_forward_input_size and _hidden_size
    layer, theirs = pair(name, I, H, 2, **({"proj_size": P} if size == P else {}))
    for x, h, c in _wrong_calls(size):
        state: Any = (draw(*h), draw(*c)) if name == "LSTM" else draw(*h)
        if name != "LSTM" and x == (T, B, I) and h == (2, B, size):
            continue  # only c is wrong, which these have not
        for module in (layer, theirs):
            words = r"Expected hidden.*size.*got|input.size\(-1\) must be equal to input_size"
            with pytest.raises(RuntimeError, match=words):
                module(draw(*x), state)


@every_layer
def test_a_batch_of_no_rows_goes_forward_and_back(name: str) -> None:
    # test_nn: test_RNN_input_size_zero
    layer, theirs = pair(name, I, 4)
    for module in (layer, theirs):
        y, _ = module(torch.zeros(5, 0, I, dtype=torch.float64))
        assert y.shape == (5, 0, 4)
        y.sum().backward()
    for ours, expected in zip(layer.parameters(), theirs.parameters(), strict=True):
        assert torch.equal(ours.grad, expected.grad)


@every_layer
@pytest.mark.parametrize("bidirectional", [False, True])
def test_no_steps_leave_the_state_as_it_was(name: str, bidirectional: bool) -> None:
    # test_nn: test_error_RNN_seq_len_zero. torch.nn refuses T = 0; Elman goes on from the state.
    layer, _ = pair(name, I, H, bidirectional=bidirectional)
    state = draw_state(name, 2 if bidirectional else 1, B)
    y, *ends = results(layer, draw(0, B, I), state)
    assert y.shape == (0, B, 2 * H if bidirectional else H)
    assert_each_near(ends, parts(state))


@every_layer
def test_tensors_on_two_devices_are_refused_in_torch_nns_words(name: str) -> None:
    # test_nn: test_rnn_check_device, test_projections_lstm_check_device
    layer, _ = pair(name, I, H)
    x = draw(T, B, I)
    words = "Input and {} tensors are not at the same device"
    with pytest.raises(RuntimeError, match=words.format("parameter")):
        layer(x.to("meta"))
    away = [part.to("meta") for part in parts(draw_state(name, 1, B))]
    with pytest.raises(RuntimeError, match=words.format("hidden")):
        layer(x, tuple(away) if name == "LSTM" else away[0])


def test_a_simple_layer_says_its_nonlinearity_and_takes_it_by_position() -> None:
    # test_nn: test_RNN_nonlinearity, test_RNN_nonlinearity_passed_as_arg
    assert elman.SimpleRNN(1, 10).nonlinearity == "tanh"
    assert elman.SimpleRNN(1, 10, nonlinearity="relu").nonlinearity == "relu"
    assert elman.SimpleRNN(2, 3, 1, "relu").nonlinearity == "relu"
    with pytest.raises(ValueError, match="unknown nonlinearity 'garbage'"):
        elman.SimpleRNN(1, 10, nonlinearity="garbage")


@pytest.mark.xfail(strict=True, reason="Elman's errors begin with a small letter")
def test_an_unknown_nonlinearity_is_refused_in_torch_nns_words() -> None:
    # test_nn: test_RNN_nonlinearity
    with pytest.raises(ValueError, match="Unknown nonlinearity"):
        elman.SimpleRNN(1, 10, nonlinearity="garbage")
