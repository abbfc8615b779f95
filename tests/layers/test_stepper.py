"""The stepper: to the bit what the layer computes over the whole sequence; its state a value."""

from __future__ import annotations

import gc
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest
import torch
from numpy.testing import assert_array_equal
from numpy.typing import NDArray

import elman
from battery import Variant, draw, every_kernel_variant
from elman.errors import BackendError, OptionError, ShapeError
from elman.layers import RecurrentLayer

T, B, I, H, P = 5, 3, 7, 9, 4  # noqa: E741 — the axis legend
KINDS = {"simple": elman.SimpleRNN, "lstm": elman.LSTM, "gru": elman.GRU}
STACKS: dict[str, dict[str, Any]] = {
    "one layer": {},
    "without bias": {"bias": False},
    "three layers": {"num_layers": 3},
    "residual": {"num_layers": 3, "residual": True},
    "sizes of their own": {"hidden_size": [9, 17, 6]},
    "zoneout": {"num_layers": 2, "zoneout": 0.3},
    "learned start": {"num_layers": 2, "learn_initial_state": True},
}
every_stack = pytest.mark.parametrize("stack", STACKS)
every_kind = pytest.mark.parametrize("kind", KINDS)
every_dtype = pytest.mark.parametrize("dtype", [torch.float32, torch.float64])

Array = NDArray[Any]


def make(
    kind: str, *, dtype: torch.dtype = torch.float32, hidden_size: Any = H, **options: Any
) -> RecurrentLayer:
    """Make a layer with every parameter drawn, to be run by the kernels, in evaluation."""
    layer = KINDS[kind](I, hidden_size, **options, dtype=dtype, backend="native")
    with torch.no_grad():
        for parameter in layer.parameters():
            parameter.copy_(draw(*parameter.shape, dtype=dtype))
    return layer.eval().requires_grad_(False)


def make_variant(variant: Variant, **options: Any) -> RecurrentLayer:
    projection = {"proj_size": P} if variant.projected else {}
    return make(variant.cell.name, **variant.cell.options, **projection, **options)


def draw_input(*, rows: int = B, dtype: torch.dtype = torch.float32) -> torch.Tensor:
    return draw(T, rows, I, dtype=dtype, scale=1.0)


def assert_same_state(actual: Any, expected: Any) -> None:
    """Assert that two states have the same form and, to the bit, the same numbers."""
    if isinstance(expected, list | tuple):
        assert type(actual) is type(expected)
        for one, other in zip(actual, expected, strict=True):
            assert_same_state(one, other)
        return
    assert_array_equal(actual, np.asarray(expected), strict=True)


def assert_steps_are_the_sequence(layer: RecurrentLayer, x: torch.Tensor) -> None:
    outputs, state = layer(x)
    stepper = layer.stepper(rows=x.size(1))
    for step, expected in zip(x.numpy(), outputs.numpy(), strict=True):
        assert_array_equal(stepper.step(step), expected, strict=True)
    assert_same_state(stepper.state, state)


@every_kernel_variant
@every_dtype
def test_every_cell_step_by_step_gives_the_bits_of_the_whole_sequence(
    variant: Variant, dtype: torch.dtype
) -> None:
    layer = make_variant(variant, dtype=dtype, num_layers=2)
    assert_steps_are_the_sequence(layer, draw_input(dtype=dtype))


@every_kind
@every_stack
@pytest.mark.parametrize("rows", [1, 2, 30])
def test_every_stack_step_by_step_gives_the_bits_of_the_whole_sequence(
    kind: str, stack: str, rows: int
) -> None:
    assert_steps_are_the_sequence(make(kind, **STACKS[stack]), draw_input(rows=rows))


def test_zoneout_of_each_part_keeps_its_own_share() -> None:
    layer = make("lstm", zoneout=(0.4, 0.1), proj_size=P)
    assert_steps_are_the_sequence(layer, draw_input())


@every_kind
def test_weights_of_bfloat16_give_the_bits_of_the_same_numbers_in_float32(kind: str) -> None:
    options = STACKS["learned start"]
    narrow = make(kind, dtype=torch.bfloat16, **options)
    wide = make(kind, **options)
    wide.load_state_dict(narrow.state_dict())
    x = draw_input().numpy()
    steppers = [layer.stepper(B) for layer in (narrow, wide)]
    for step in x:
        assert_array_equal(steppers[0].step(step), steppers[1].step(step), strict=True)


@every_kind
def test_a_layer_in_training_is_stepped_as_in_evaluation(kind: str) -> None:
    noise = {"num_layers": 2, "dropout": 0.5, "recurrent_dropout": 0.5, "zoneout": 0.2}
    layer, x = make(kind, **noise), draw_input()
    expected = layer(x)[0].numpy()
    stepper = layer.train().stepper(B)
    assert_array_equal([stepper.step(step).copy() for step in x.numpy()], expected)


@every_kind
def test_one_row_may_leave_out_its_axis(kind: str) -> None:
    layer, x = make(kind), draw_input(rows=1)[:, 0]
    expected = layer(x)[0].numpy()
    stepper = layer.stepper()
    assert_array_equal([stepper.step(step).copy() for step in x.numpy()], expected, strict=True)


@every_kind
def test_weights_are_frozen_when_the_stepper_is_made(kind: str) -> None:
    layer, x = make(kind, learn_initial_state=True), draw_input()
    expected = layer(x)[0].numpy()
    stepper = layer.stepper(B)
    for parameter in layer.parameters():
        parameter.zero_()
    stepper.reset()
    assert_array_equal([stepper.step(step).copy() for step in x.numpy()], expected)


@every_kind
@every_stack
def test_a_state_that_is_put_back_repeats_what_followed(kind: str, stack: str) -> None:
    stepper, x = make(kind, **STACKS[stack]).stepper(B), draw_input().numpy()
    stepper.step(x[0])
    state = stepper.state
    outputs = [stepper.step(step).copy() for step in x[1:]]
    stepper.state = state
    assert_array_equal([stepper.step(step).copy() for step in x[1:]], outputs)


@every_kind
@pytest.mark.parametrize("stack", ["three layers", "sizes of their own"])
def test_a_stepper_goes_on_from_the_state_of_its_layer(kind: str, stack: str) -> None:
    layer, x = make(kind, **STACKS[stack]), draw_input()
    whole = layer(x)[0].numpy()
    stepper = layer.stepper(B)
    stepper.state = layer(x[:2])[1]
    assert_array_equal([stepper.step(step).copy() for step in x[2:].numpy()], whole[2:])


def test_a_state_that_was_got_stays_as_it_was() -> None:
    stepper, x = make("lstm").stepper(B), draw_input().numpy()
    stepper.step(x[0])
    hidden, cell = stepper.state
    kept = hidden.copy(), cell.copy()
    stepper.step(x[1])
    assert_same_state((hidden, cell), kept)


@pytest.mark.parametrize("chosen", [[0, 2], np.array([True, False, True])], ids=["list", "mask"])
@pytest.mark.parametrize("stack", ["three layers", "learned start"])
def test_a_reset_starts_its_rows_anew_and_leaves_the_others(stack: str, chosen: Any) -> None:
    layer, x = make("lstm", **STACKS[stack]), draw_input()
    resets = torch.zeros(T, B, dtype=torch.bool)
    resets[2, [0, 2]] = True
    expected = layer(x, resets=resets)[0].numpy()
    stepper = layer.stepper(B)
    for t, step in enumerate(x.numpy()):
        if t == 2:
            stepper.reset(chosen)
        assert_array_equal(stepper.step(step), expected[t])


def test_a_reset_without_rows_starts_all_anew_and_one_of_no_rows_none() -> None:
    stepper, (first, *others) = make("gru", **STACKS["learned start"]).stepper(B), draw_input()
    start, output = stepper.state, stepper.step(first.numpy()).copy()
    for step in others:
        stepper.step(step.numpy())
    went = stepper.state
    stepper.reset([])
    assert_same_state(stepper.state, went)
    stepper.reset()
    assert_same_state(stepper.state, start)
    assert_array_equal(stepper.step(first.numpy()), output)


def test_steppers_of_one_layer_do_not_meet() -> None:
    layer, x = make("gru"), draw_input()
    expected = layer(x)[0].numpy()
    one, other = layer.stepper(B), layer.stepper(B)
    for step, output in zip(x.numpy(), expected, strict=True):
        other.step(np.ones((B, I), dtype=np.float32))
        assert_array_equal(one.step(step), output)


def test_the_output_is_one_array_that_outlives_its_stepper() -> None:
    layer, x = make("lstm"), draw_input().numpy()
    stepper = layer.stepper(B)
    output = stepper.step(x[0])
    kept = output.copy()
    assert stepper.step(x[1]) is output
    stepper.state = tuple(np.zeros((1, B, H), dtype=np.float32) for _ in range(2))
    stepper.step(x[0])
    del stepper
    gc.collect()
    assert_array_equal(output, kept)


def test_threads_that_have_a_stepper_each_get_the_bits_of_one_thread() -> None:
    layer = make("lstm", hidden_size=256)  # large enough to run without Python's lock
    x = draw_input().numpy()

    def answer(_: int) -> Array:
        stepper = layer.stepper(B)
        return np.stack([stepper.step(step).copy() for step in np.tile(x, (4, 1, 1))])

    expected = answer(0)
    with ThreadPoolExecutor(4) as pool:
        for outputs in pool.map(answer, range(8)):
            assert_array_equal(outputs, expected)


def test_a_stepper_that_two_threads_step_at_once_refuses_one_of_them() -> None:
    stepper, x = make("lstm", hidden_size=512).stepper(4), np.ones((4, I), dtype=np.float32)
    refusals: list[BackendError] = []

    def step_until_refused(until: float) -> None:
        while not refusals and time.monotonic() < until:
            try:
                stepper.step(x)
            except BackendError as refusal:
                refusals.append(refusal)

    until = time.monotonic() + 30
    threads = [threading.Thread(target=step_until_refused, args=(until,)) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert "give every thread a stepper of its own" in str(refusals[0])


def test_a_stepper_says_what_it_is() -> None:
    said = repr(make("gru", num_layers=2).stepper(3))
    assert said == "Stepper(GRU(7, 9, reset_after=True, num_layers=2), rows=3)"


@every_kind
def test_a_bidirectional_layer_says_that_it_needs_the_future(kind: str) -> None:
    layer = make(kind, bidirectional=True)
    with pytest.raises(OptionError, match=r"the end is still to come; .*bidirectional=False"):
        layer.stepper()


def test_what_the_kernels_have_not_is_refused_with_their_reason() -> None:
    with pytest.raises(BackendError, match=r"have no layer norm. Call the layer with one step"):
        elman.LSTM(I, H, layer_norm=True).stepper()
    with pytest.raises(BackendError, match="no dtype but float32, float64 and bfloat16"):
        elman.GRU(I, H, dtype=torch.float16).stepper()
    with pytest.raises(BackendError, match="no device but the CPU, and this is on meta"):
        elman.GRU(I, H, device="meta").stepper()


@pytest.mark.parametrize("rows", [0, -1, 1.5, True])
def test_a_number_of_rows_that_is_no_size_is_refused(rows: Any) -> None:
    with pytest.raises(OptionError, match=f"rows must be a whole number .*, got {rows!r}"):
        make("gru").stepper(rows)


ONE = np.ones((1, I), dtype=np.float32)
WRONG_INPUTS: dict[str, tuple[Any, type[Exception], str]] = {
    "a row too many": (ONE.repeat(2, 0), ShapeError, r"\(B, I\) = \(1, 7\) or .*got \(2, 7\)"),
    "too short": (ONE[0, 1:], ShapeError, r"\(I,\) = \(7,\), got \(6,\)"),
    "with time": (ONE[None], ShapeError, r"got \(1, 1, 7\)"),
    "no axes": (np.float32(1) * ONE[0, 0], ShapeError, r"got \(\)"),
    "empty": (ONE[:0], ShapeError, r"got \(0, 7\)"),
    "float64": (ONE.astype(np.float64), OptionError, r"float32; x.astype\(numpy.float32\)"),
    "integers": (ONE.astype(np.int32), OptionError, "x must be float32"),
    "a structure": (np.zeros(I, dtype="f4,f4"), OptionError, "x must be float32"),
    "the other byte order": (ONE.astype(">f4"), OptionError, "x must be float32"),
    "not contiguous": (np.ones(2 * I, np.float32)[::2], OptionError, "numpy.ascontiguousarray"),
    "a list": ([1.0] * I, OptionError, "x must be a NumPy array, got a list"),
    "a tensor": (torch.ones(I), OptionError, "x must be a NumPy array, got a Tensor"),
    "nothing": (None, OptionError, "x must be a NumPy array, got a NoneType"),
}


@pytest.mark.parametrize("wrong", WRONG_INPUTS)
def test_an_input_that_does_not_fit_is_refused_in_words_and_changes_nothing(wrong: str) -> None:
    x, error, words = WRONG_INPUTS[wrong]
    stepper = make("lstm").stepper()
    stepper.step(ONE)
    before = stepper.state
    with pytest.raises(error, match=words):
        stepper.step(x)
    assert_same_state(stepper.state, before)


def test_many_rows_are_not_given_without_their_axis() -> None:
    stepper = make("gru").stepper(B)
    with pytest.raises(ShapeError, match=r"x must be \(B, I\) = \(3, 7\), got \(7,\)"):
        stepper.step(ONE[0])


def test_a_state_that_does_not_fit_is_refused_in_words() -> None:
    hidden = np.zeros((1, B, H), dtype=np.float32)
    stepper = make("lstm").stepper(B)
    with pytest.raises(ShapeError, match=r"the pair \(h0, c0\)"):
        stepper.state = hidden
    with pytest.raises(ShapeError, match=r"size \(1, 3, 9\), got \[1, 3, 8\]: c0 must"):
        stepper.state = (hidden, hidden[:, :, 1:])
    with pytest.raises(OptionError, match=r"h0 is torch.float64 and the input is torch.float32"):
        stepper.state = (hidden.astype(np.float64), hidden)
    with pytest.raises(ShapeError, match=r"h0 must be .*got a NoneType"):
        stepper.state = (None, hidden)


@pytest.mark.parametrize(
    "rows", [[3], [-1], [True], [0.5], 1, "all", np.zeros((B, 1), dtype=bool)], ids=str
)
def test_rows_that_are_not_there_are_not_reset(rows: Any) -> None:
    stepper = make("gru").stepper(B)
    with pytest.raises(OptionError, match=r"a mask \(B,\) = \(3,\) of bools, or .* 0 … 2, got"):
        stepper.reset(rows)
