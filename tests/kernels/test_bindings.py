"""Bad input to the kernels' bindings: refused in words, whatever it is, and never a crash."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

from elman import _kernels

T, B, I, H, P = 4, 3, 5, 7, 2  # noqa: E741 — the axis legend
HUGE = 2**62

Array = np.ndarray[Any, Any]
_held: list[Array] = []


@pytest.fixture(autouse=True)
def _arrays_live_as_long_as_their_test() -> Iterator[None]:
    yield
    _held.clear()


def address_of(array: Array) -> int:
    """Give the address of an array, which from now on lives as long as the test."""
    _held.append(array)
    return int(array.ctypes.data)


def address(*shape: int, dtype: str = "float32") -> int:
    """Give the address of a new array full of one number."""
    return address_of(np.full(shape, 0.25, dtype=dtype))


def weights(**changes: Any) -> dict[str, Any]:
    """Give arguments of `Packed` that are right, but for the changes."""
    right = {
        "cell": "lstm",
        "nonlinearity": "tanh",
        "dtype": "float32",
        "inputs": I,
        "units": H,
        "outputs": H,
        "input": address(4 * H, I),
        "hidden": address(4 * H, H),
        "input_bias": address(4 * H),
        "hidden_bias": address(4 * H),
        "projection": 0,
        "peephole": 0,
        "gradient": True,
    }
    return right | changes


def run(**changes: Any) -> dict[str, Any]:
    """Give arguments of `Forward` that are right, but for the changes."""
    right: dict[str, Any] = dict.fromkeys(
        ["lengths", "resets", "h0", "c0", "fresh_h", "fresh_c", "mask", "keep_h", "keep_c"], 0
    )
    right |= {
        "packed": _kernels.Packed(**weights()),
        "steps": T,
        "rows": B,
        "reverse": False,
        "x": address(T, B, I),
        "x_step": B * I,
        "x_row": I,
        "y": address(T, B, H),
        "y_step": B * H,
        "y_row": H,
        "hn": address(B, H),
        "cn": address(B, H),
        "rate_h": 0.0,
        "rate_c": 0.0,
        "gates": address(T * B, 4 * H),
        "cells": address(T * B, H),
    }
    return right | changes


def way_back(**changes: Any) -> dict[str, Any]:
    """Give arguments of `Backward` that are right, but for the changes."""
    names = ["grad_y", "grad_y_step", "grad_y_row", "grad_hn", "grad_cn", "grad_x", "grad_x_step"]
    names += ["grad_x_row", "grad_h0", "grad_c0", "grad_fresh_h", "grad_fresh_c", "grad_input"]
    names += ["grad_hidden", "grad_input_bias", "grad_hidden_bias", "grad_projection"]
    right: dict[str, Any] = dict.fromkeys([*names, "grad_peephole"], 0)
    right["forward"] = _kernels.Forward(**run())
    return right | changes


def stack(**changes: Any) -> dict[str, Any]:
    """Give arguments of `Stepper` that are right, but for the changes."""
    layers = [_kernels.Packed(**weights()), packed_on(H)]
    right = {"layers": layers, "rates": [(0.0, 0.0)] * 2, "rows": B, "residual": False}
    return right | changes


def packed_on(inputs: int, **changes: Any) -> _kernels.Packed:
    """Lay out weights for so many inputs."""
    matrix = address(4 * H, inputs, dtype="float64")
    return _kernels.Packed(**weights(inputs=inputs, input=matrix, **changes))


def assert_refused(call: Callable[..., object], arguments: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        call(**arguments)


def test_what_the_refused_calls_begin_from_is_not_refused() -> None:
    y, grad = np.zeros((T, B, H), dtype=np.float32), np.zeros((4 * H, I), dtype=np.float32)
    forward = _kernels.Forward(**run(y=address_of(y)))
    grad_y = {"grad_y": address(T, B, H), "grad_y_step": B * H, "grad_y_row": H}
    backward = _kernels.Backward(**way_back(forward=forward, **grad_y, grad_input=address_of(grad)))
    _kernels.forward([forward], 1)
    _kernels.backward([backward], 1)
    assert y.all()
    assert grad.all()
    stepper = _kernels.Stepper(**stack())
    assert stepper.step(np.ones((B, I), dtype=np.float32)).all()
    assert _kernels.time_step(stepper, 3) > 0


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"cell": "gur"}, "unknown cell 'gur'. Known: simple, lstm, coupled_lstm, gru_reset_af"),
        ({"dtype": "float16"}, "unknown dtype 'float16'. Known: float32, float64, bfloat16"),
        ({"nonlinearity": "gelu"}, "unknown nonlinearity 'gelu'. Known: tanh, relu, sigmoid, id"),
        ({"nonlinearity": "relu"}, "only the simple cell has a nonlinearity other than tanh"),
        ({"input": 0}, "Packed: input is null"),
        ({"hidden": 0}, "Packed: hidden is null"),
        ({"inputs": -1}, "inputs must be at least 0, got -1"),
        ({"units": 0, "outputs": 0}, "units must be at least 1, got 0"),
        ({"units": -H, "outputs": -H}, "units must be at least 1, got -7"),
        ({"outputs": P}, "outputs must equal units = 7 without a projection, got 2"),
        ({"inputs": HUGE}, "the weight matrix is too large"),
        ({"inputs": 2**63 - 1}, "the weight matrix is too large"),
        ({"units": 2**31, "outputs": 2**31}, "the weight matrix is too large"),
        ({"units": 2**63 - 1, "outputs": 2**63 - 1}, "the weight matrix is too large"),
        ({"cell": "gru_reset_after", "peephole": 8}, "only an LSTM has peepholes"),
        ({"cell": "simple", "projection": 8, "outputs": P}, "only an LSTM projects"),
        ({"dtype": "bfloat16"}, "bfloat16 weights have no gradient; use float32"),
    ],
)
def test_weights_that_are_none_are_refused(changes: dict[str, Any], words: str) -> None:
    assert_refused(_kernels.Packed, weights(**changes), words)


def test_weights_that_no_memory_holds_are_refused() -> None:
    with pytest.raises(MemoryError):
        _kernels.Packed(**weights(inputs=2**48))


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"steps": -1}, "steps must be at least 0, got -1"),
        ({"rows": -1}, "rows must be at least 0, got -1"),
        ({"steps": HUGE}, "B·T·H is too large"),
        ({"rows": HUGE}, "B·T·H is too large"),
        ({"steps": 2**31, "rows": 2**31}, "B·T·H is too large"),
        ({"rows": 2**63 - 1}, "B·T·H is too large"),
        ({"x": 0}, "Forward: x is null"),
        ({"y": 0}, "Forward: y is null"),
        ({"hn": 0}, "Forward: hn is null"),
        ({"cn": 0}, "Forward: cn is null"),
        ({"rate_h": 1.5}, "rate_h must lie in 0 … 1, got 1.5"),
        ({"rate_c": float("nan")}, "rate_c must lie in 0 … 1, got -?nan"),
    ],
)
def test_runs_that_are_none_are_refused(changes: dict[str, Any], words: str) -> None:
    assert_refused(_kernels.Forward, run(**changes), words)


@pytest.mark.parametrize(("wrong", "row"), [((4, -1, 2), 1), ((1, 2, 5), 2), ((HUGE, 0, 0), 0)])
def test_lengths_out_of_range_are_refused_with_their_row(wrong: tuple[int, ...], row: int) -> None:
    words = f"lengths must lie in 0 … T = 4, got {wrong[row]} at row {row}"
    assert_refused(_kernels.Forward, run(lengths=address_of(np.array(wrong))), words)


def test_a_way_back_without_what_the_run_kept_is_refused() -> None:
    for name in ("gates", "cells"):
        forward = _kernels.Forward(**run(**{name: 0}))
        assert_refused(_kernels.Backward, way_back(forward=forward), f"{name} is null; the forward")
    packed = _kernels.Packed(**weights(gradient=False))
    forward = _kernels.Forward(**run(packed=packed))
    assert_refused(_kernels.Backward, way_back(forward=forward), "packed without gradient=True")


@pytest.mark.parametrize("operation", ["forward", "backward"])
def test_runs_are_one_or_two_of_one_dtype_on_a_thread_at_least(operation: str) -> None:
    call = getattr(_kernels, operation)

    def one(**changes: Any) -> Any:
        described = _kernels.Forward(**run(packed=_kernels.Packed(**weights(**changes))))
        return (
            described
            if operation == "forward"
            else _kernels.Backward(**way_back(forward=described))
        )

    single, double = one(), packed_double(one)
    assert_refused(call, {"runs": [], "threads": 1}, "give one run or two, got 0")
    assert_refused(call, {"runs": [single] * 3, "threads": 1}, "give one run or two, got 3")
    assert_refused(call, {"runs": [single], "threads": 0}, "threads must be at least 1, got 0")
    assert_refused(call, {"runs": [single], "threads": -5}, "threads must be at least 1, got -5")
    assert_refused(call, {"runs": [None], "threads": 1}, "a run is None")
    assert_refused(call, {"runs": [single, double], "threads": 1}, "must have one dtype")


def packed_double(one: Callable[..., Any]) -> Any:
    """Describe a run in float64."""
    return one(
        dtype="float64",
        input=address(4 * H, I, dtype="float64"),
        hidden=address(4 * H, H, dtype="float64"),
        input_bias=0,
        hidden_bias=0,
    )


def test_packed_rows_refuses_what_are_no_lengths() -> None:
    two = np.array([2, 0])
    assert _kernels.packed_rows(2, two).tolist() == [[0, 0], [1, 0]]
    for wrong in ([3, 0], [0, -1]):
        with pytest.raises(ValueError, match="lengths must lie in 0 … T = 2"):
            _kernels.packed_rows(2, np.array(wrong))
    with pytest.raises(ValueError, match="steps must be at least 0, got -1"):
        _kernels.packed_rows(-1, two)
    with pytest.raises(ValueError, match="T·B is too large"):
        _kernels.packed_rows(2**63 - 1, two)
    for others in (two.astype(np.int32), two[None], np.array([0, 1, 2])[::2], [2, 0], None):
        with pytest.raises(TypeError, match="incompatible function arguments"):
            _kernels.packed_rows(2, others)


def test_only_watched_weights_of_the_same_kind_are_refreshed() -> None:
    names = ["input", "hidden", "input_bias", "hidden_bias", "projection", "peephole"]
    given = {name: weights()[name] for name in names}
    watched = _kernels.Packed(**weights(gradient=False, form="watched"))
    watched.refresh(**given)
    assert_refused(watched.refresh, given | {"hidden": 0}, "hidden is null")
    assert_refused(watched.refresh, given | {"input_bias": 0}, "give the weights that were given")
    assert_refused(watched.refresh, given | {"peephole": address(3 * H)}, "that were given before")
    for form in ("frozen", "direct"):
        packed = _kernels.Packed(**weights(gradient=False, form=form))
        assert_refused(packed.refresh, given, "only watched weights are refreshed")


def test_forms_of_weights_that_are_none_are_refused() -> None:
    assert_refused(_kernels.Packed, weights(form="cached"), "unknown form 'cached'. Known: frozen")
    for form in ("watched", "direct"):
        assert_refused(_kernels.Packed, weights(form=form), "only frozen weights have what a grad")
    direct = _kernels.Packed(**weights(gradient=False, form="direct"))
    lone = stack(layers=[direct], rates=[(0.0, 0.0)])
    assert_refused(_kernels.Stepper, lone, "its weights must be frozen")
    assert_refused(_kernels.Stack, {"layers": [[_kernels.Packed(**weights())]]}, "must be direct")


@pytest.mark.parametrize("seconds", [0.0, -1.0, float("nan")])
def test_fma_rate_refuses_to_measure_for_no_time(seconds: float) -> None:
    with pytest.raises(ValueError, match="seconds must be above 0"):
        _kernels.fma_rate(seconds)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"layers": []}, "give one layer at least"),
        ({"layers": [None, None]}, "layers must be a list of Packed"),
        ({"layers": [1.0]}, "layers must be a list of Packed"),
        ({"rates": []}, "rates must be one pair a layer, got 0 for 2 layers"),
        ({"rates": [(0.0, 0.0), (0.0, 1.5)]}, "a rate must lie in 0 … 1, got 1.5"),
        ({"rows": 0}, "rows must be at least 1, got 0"),
        ({"rows": -1}, "rows must be at least 1, got -1"),
        ({"rows": HUGE}, r"B·\(I \+ H\) is too large"),
    ],
)
def test_stacks_that_are_none_are_refused(changes: dict[str, Any], words: str) -> None:
    assert_refused(_kernels.Stepper, stack(**changes), words)


def test_layers_that_do_not_fit_on_each_other_are_refused() -> None:
    first = _kernels.Packed(**weights())
    words = "layer 1 reads 6 numbers, and the layer below writes 7"
    assert_refused(_kernels.Stepper, stack(layers=[first, packed_on(H - 1)]), words)
    projection = {"outputs": P, "projection": address(P, H)}
    words = "residual needs layers of one size; layer 1 reads 7 numbers and writes 2"
    above = packed_on(H, **projection)
    assert_refused(_kernels.Stepper, stack(layers=[first, above], residual=True), words)
    double = packed_on(H, dtype="float64", hidden=address(4 * H, H, dtype="float64"))
    above = stack(layers=[first, double], rates=[(0.0, 0.0)] * 2)
    assert_refused(_kernels.Stepper, above, "all layers must have one dtype")
    words = "must read at least one number"
    assert_refused(_kernels.Stepper, stack(layers=[packed_on(0), first]), words)


def test_a_step_refuses_what_is_no_array_of_its_dtype_and_shape() -> None:
    stepper, x = _kernels.Stepper(**stack()), np.ones((B, I), dtype=np.float32)
    with pytest.raises(ValueError, match=r"x must be \(B, I\) = \(3, 5\), got \(5, 3\)"):
        stepper.step(x.reshape(I, B))
    for others in (x.astype(np.float64), x.astype(np.float16), x.T, x.tolist(), None, b"x"):
        with pytest.raises(TypeError, match="x must be "):
            stepper.step(others)


@pytest.mark.parametrize("count", [0, -1])
def test_a_step_is_timed_once_at_least(count: int) -> None:
    with pytest.raises(ValueError, match="count must be at least 1"):
        _kernels.time_step(_kernels.Stepper(**stack()), count)


@pytest.mark.parametrize("argument", ["packed", "steps", "x", "reverse"])
def test_an_argument_of_another_type_is_refused(argument: str) -> None:
    with pytest.raises(TypeError, match="incompatible function arguments"):
        _kernels.Forward(**run(**{argument: "2"}))
    with pytest.raises(TypeError, match="incompatible function arguments"):
        _kernels.Forward(**run(**{argument: None}))
