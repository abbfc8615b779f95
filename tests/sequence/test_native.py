"""Elman's kernels as a backend: every reason why they cannot run; what they do where they can."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.autograd import forward_ad, gradcheck, gradgradcheck

from battery import (
    LENGTHS,
    B,
    H,
    I,
    T,
    Variant,
    assert_all_near,
    assert_near,
    assert_same_bits,
    both_directions,
    draw,
    draw_recurrence,
    every_kernel_variant,
    gradients,
    leaves_of,
    row_by_row,
    to_dtype,
    values_and_gradients,
    values_of,
)
from elman.cells import Cell, cell, gru_step
from elman.errors import BackendError, OptionError, ShapeError
from elman.sequence import Recurrence, Result, native, run

LSTM, GRU = Variant(cell("lstm"), False), Variant(cell("gru"), False)
ways_of_time = pytest.mark.parametrize(
    "time",
    [{}, {"lengths": LENGTHS}, {"lengths": LENGTHS, "cuts": True}],
    ids=["dense", "ragged", "ragged, reset"],
)


class Marked(Tensor):
    """A tensor of a class of its own."""


def natively(r: Recurrence) -> Result:
    return run(r, "native")


def another_equation() -> Recurrence:
    def step(x: Tensor, state: Any, weights: Any) -> Any:
        return gru_step(x / 2, state, weights)

    r = draw_recurrence(GRU)
    return replace(r, cell=replace(r.cell, step=step))


def a_kernel_made_up() -> Recurrence:
    r = draw_recurrence(GRU)
    assert r.cell.kernel is not None
    return replace(r, cell=replace(r.cell, kernel=replace(r.cell.kernel, name="gru_reset_later")))


def the_kernel_of_another_cell() -> Recurrence:
    r = draw_recurrence(GRU)
    return replace(r, cell=replace(r.cell, kernel=LSTM.cell.kernel))


def with_gradient(**options: Any) -> Recurrence:
    return leaves_of(draw_recurrence(GRU, **options))[0]


@pytest.mark.parametrize(
    ("recurrence", "reason"),
    [
        (another_equation, "no equation for the step of gru"),
        (a_kernel_made_up, "no equation for the step of gru"),
        (the_kernel_of_another_cell, "no equation for the step of gru"),
        (lambda: draw_recurrence(GRU, layer_norm=True), "no layer norm"),
        (
            lambda: replace(draw_recurrence(GRU), x=torch.zeros(T, B, I, device="meta")),
            "no device but the CPU, and this is on meta",
        ),
        (
            lambda: to_dtype(draw_recurrence(GRU), torch.float16),
            "no dtype but float32, float64 and bfloat16, and this is torch.float16",
        ),
        (
            lambda: replace(draw_recurrence(GRU), x=torch.zeros(T, B, I)),
            "no inputs of torch.float32 for weights of torch.float64",
        ),
        (lambda: draw_recurrence(GRU, steps=0), "no sequences of T = 0 steps or B = 0 rows"),
        (lambda: draw_recurrence(GRU, rows=0), "no sequences of T = 0 steps or B = 0 rows"),
        (lambda: draw_recurrence(GRU, inputs=0), "no sizes of 0"),
        (
            lambda: replace(draw_recurrence(GRU), x=draw(T, B, I).as_subclass(Marked)),
            "no tensors of class Marked",
        ),
        (
            lambda: leaves_of(to_dtype(draw_recurrence(GRU), torch.bfloat16))[0],
            "no gradients in bfloat16",
        ),
        (partial(with_gradient, trace=True), "no gradients through a trace"),
        (
            partial(with_gradient, mask=True),
            "no gradients of the masks of recurrent dropout and zoneout",
        ),
    ],
)
def test_what_the_kernels_cannot_run_they_say(
    recurrence: Callable[[], Recurrence], reason: str
) -> None:
    r = recurrence()
    assert native.why_not(r) == f"Elman's kernels have {reason}"
    with pytest.raises(BackendError, match=r"Elman's kernels have .* Use backend='auto'"):
        run(r, "native")


def test_a_gradient_of_zoneouts_masks_is_refused() -> None:
    r = draw_recurrence(LSTM, zoneout="masks")
    assert native.why_not(r) is None
    r.zoneout[1].requires_grad_()  # type: ignore[index, union-attr]
    words = "Elman's kernels have no gradients of the masks of recurrent dropout and zoneout"
    assert native.why_not(r) == words
    with torch.no_grad():
        assert native.why_not(r) is None


def test_under_autocast_the_kernels_leave_the_layer_to_pytorch() -> None:
    with torch.autocast("cpu", torch.bfloat16):
        assert native.why_not(draw_recurrence(GRU)) == "Elman's kernels have no autocast"


@pytest.mark.filterwarnings("ignore:.torch.jit.script. is deprecated")  # torch.func's own
def test_transforms_and_forward_mode_derivatives_are_left_to_the_reference() -> None:
    r, said = draw_recurrence(GRU), []

    def ask(x: Tensor) -> Tensor:
        said.append(native.why_not(replace(r, x=x)))
        return run(replace(r, x=x)).output

    torch.func.vmap(ask)(draw(2, T, B, I))
    torch.func.grad(lambda x: ask(x).sum())(r.x)
    torch.func.jvp(ask, (r.x,), (r.x,))
    with forward_ad.dual_level():
        ask(forward_ad.make_dual(r.x, r.x))
    ask(r.x)
    words = "no rules for torch.func's transforms and forward-mode derivatives"
    assert said == [f"Elman's kernels have {words}"] * 4 + [None]


def test_an_install_without_kernels_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(native._kernels, "Packed")
    reason = native.why_not(draw_recurrence(GRU))
    assert reason is not None
    assert reason.startswith("Elman's kernels have not been built into this install")


@pytest.mark.sampled(5)
@pytest.mark.parametrize("treatment", [{"mask": True}, {"zoneout": "masks"}], ids=str)
@ways_of_time
@both_directions
@every_kernel_variant
def test_masks_that_want_no_gradient_give_all_others_theirs(
    variant: Variant, reverse: bool, time: dict[str, Any], treatment: dict[str, Any]
) -> None:
    r = draw_recurrence(variant, reverse=reverse, **time, **treatment)

    def frozen(runner: Callable[[Recurrence], Result]) -> Callable[[Recurrence], Result]:
        def run_it(given: Recurrence) -> Result:
            mask = r.weights.hidden_mask
            return runner(replace(given, weights=given.weights._replace(hidden_mask=mask)))

        return run_it

    found = values_and_gradients(r, frozen(natively))
    assert_all_near(found, values_and_gradients(r, frozen(row_by_row)))


@pytest.mark.sampled(5)
@pytest.mark.parametrize("zoneout", ["off", "masks", "probabilities"])
@ways_of_time
@both_directions
@every_kernel_variant
def test_traces_without_gradients_are_those_of_the_rows_run_one_by_one(
    variant: Variant, reverse: bool, time: dict[str, Any], zoneout: str
) -> None:
    r = draw_recurrence(variant, reverse=reverse, zoneout=zoneout, trace=True, **time)
    assert_all_near(values_of(natively(r)), values_of(row_by_row(r)))


@pytest.mark.sampled(3)
@every_kernel_variant
def test_first_and_second_derivatives_are_those_of_finite_differences(variant: Variant) -> None:
    r, leaves = leaves_of(
        draw_recurrence(variant, steps=3, rows=2, inputs=2, hidden=3, zoneout="probabilities")
    )
    r = replace(r, lengths=torch.tensor([3, 2]))

    def values(*_: Tensor) -> tuple[Tensor, ...]:
        result = natively(r)
        return (result.output, *result.state)

    kinks = "relu" in str(variant)
    assert kinks or gradcheck(values, list(leaves.values()))
    assert kinks or gradgradcheck(values, list(leaves.values()), fast_mode=True)


@pytest.mark.sampled(3)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64], ids=str)
@both_directions
@every_kernel_variant
def test_second_derivatives_are_those_of_the_reference(
    variant: Variant, reverse: bool, dtype: torch.dtype
) -> None:
    r = draw_recurrence(variant, lengths=LENGTHS, cuts=True, reverse=reverse)

    def second(backend: str, dtype: torch.dtype) -> dict[str, Tensor]:
        changed, leaves = leaves_of(to_dtype(r, dtype))
        output = run(changed, backend).output
        (first,) = torch.autograd.grad(output.square().sum(), leaves["x"], create_graph=True)
        real = first[torch.arange(T).unsqueeze(1) < torch.tensor(LENGTHS)]
        return gradients({"first": real}, leaves)

    kind = "same equations" if dtype == torch.float64 else "truth"
    assert_all_near(second("native", dtype), second("reference", torch.float64), kind)


def test_a_tensor_in_two_places_gets_the_gradients_of_both_once() -> None:
    r = draw_recurrence(GRU, cuts=True)
    found = []
    for backend, create_graph in (("native", False), ("native", True), ("reference", False)):
        h = r.state.hidden.clone().requires_grad_()  # type: ignore[union-attr]
        both = replace(r, state=type(r.state)(h), fresh=type(r.state)(h))  # type: ignore[arg-type, call-arg]
        output = run(both, backend).output.square().sum()
        found += torch.autograd.grad(output, h, create_graph=create_graph)
    assert_near(found[0], found[2], "once differentiated")
    assert_near(found[1].detach(), found[2], "differentiable again")


def test_a_retained_graph_gives_the_same_gradients_twice() -> None:
    r, leaves = leaves_of(draw_recurrence(LSTM, lengths=LENGTHS))
    total = natively(r).output.sum()
    asked = [leaves["x"], leaves["weights.hidden"]]
    first = torch.autograd.grad(total, asked, retain_graph=True)
    for name, a, b in zip("xR", first, torch.autograd.grad(total, asked), strict=True):
        assert_same_bits(a, b, name)


def test_only_what_wants_a_gradient_gets_one() -> None:
    r = draw_recurrence(LSTM)
    everything, leaves = leaves_of(r)
    expected = torch.autograd.grad(natively(everything).output.sum(), leaves["weights.hidden"])[0]
    hidden = r.weights.hidden.clone().requires_grad_()
    result = natively(replace(r, weights=r.weights._replace(hidden=hidden)))
    (found,) = torch.autograd.grad(result.output.sum(), hidden)
    assert_same_bits(found, expected, "gradient of R")


def test_a_final_state_alone_may_be_differentiated() -> None:
    for part in range(2):
        r, leaves = leaves_of(draw_recurrence(LSTM, lengths=LENGTHS))
        expected = gradients({"final": run(r, "reference").state[part]}, leaves)
        assert_all_near(gradients({"final": natively(r).state[part]}, leaves), expected)


def test_a_weight_changed_between_the_ways_is_an_error_as_in_torch_nn() -> None:
    r, leaves = leaves_of(draw_recurrence(GRU))
    total = natively(r).output.sum()
    with torch.no_grad():
        leaves["weights.hidden"].add_(1)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        total.backward()


@every_kernel_variant
def test_bfloat16_is_as_near_to_the_truth_as_its_inputs_and_outputs_are_rounded(
    variant: Variant,
) -> None:
    r = to_dtype(draw_recurrence(variant, lengths=LENGTHS, zoneout="masks"), torch.bfloat16)
    truth = values_of(row_by_row(to_dtype(r, torch.float64)))
    for name, value in values_of(natively(r)).items():
        assert value.dtype is torch.bfloat16
        greatest = max(1.0, float(truth[name].abs().max()))
        difference = float((value.double() - truth[name]).abs().max())
        assert difference <= torch.finfo(torch.bfloat16).eps * greatest, name


@pytest.mark.parametrize(
    ("change", "error", "words"),
    [
        (
            lambda r: {"state": type(r.state)(r.state.hidden[:2])},
            ShapeError,
            rf"h0 must be \({B}, {H}\), got \(2, {H}\)\.",
        ),
        (
            lambda r: {"x": r.x[..., :2]},
            ShapeError,
            rf"x must be \(T, B, I\) = \({T}, {B}, {I}\), got \({T}, {B}, 2\)\.",
        ),
        (
            lambda r: {"state": type(r.state)(r.state.hidden.float())},
            OptionError,
            r"h0 must be torch\.float64 on the CPU, got torch\.float32 on cpu\.",
        ),
        (
            lambda r: {"weights": r.weights._replace(hidden=r.weights.hidden[:, :2])},
            ShapeError,
            r"the weights of gru_reset_after must be 3·H rows of H recurrent columns",
        ),
        (
            lambda r: {"weights": r.weights._replace(input_bias=r.weights.input_bias[:4])},
            ShapeError,
            rf"weights\.input_bias must be \({3 * H},\), got \(4,\)\.",
        ),
        (
            lambda _: {"lengths": torch.tensor([1, 2, 3, 4, T + 1])},
            ValueError,
            f"lengths must lie in 0 … T = {T}, got {T + 1} at row 4",
        ),
    ],
    ids=["state", "inputs", "dtype", "weights", "bias", "lengths"],
)
def test_tensors_that_do_not_fit_are_refused_in_words_before_a_kernel_reads_them(
    change: Callable[[Any], dict[str, Any]], error: type[Exception], words: str
) -> None:
    r = draw_recurrence(GRU)
    with pytest.raises(error, match=words):
        natively(replace(r, **change(r)))


def test_tensors_that_are_not_contiguous_are_read_right() -> None:
    r = draw_recurrence(LSTM, mask=True, zoneout="masks", lengths=LENGTHS, cuts=True)

    def crossed(values: Tensor) -> Tensor:
        order = tuple(reversed(range(values.dim())))
        return values.permute(order).contiguous().permute(order)

    assert r.resets is not None
    other = replace(
        r,
        x=crossed(r.x),
        state=type(r.state)(*map(crossed, r.state or ())),
        fresh=type(r.state)(*map(crossed, r.fresh or ())),
        weights=type(r.weights)(*[None if w is None else crossed(w) for w in r.weights]),
        resets=crossed(r.resets),
        zoneout=tuple(crossed(k) for k in r.zoneout or () if isinstance(k, Tensor)),
    )
    assert not other.x.is_contiguous()
    for name, value in values_of(natively(r)).items():
        assert_same_bits(values_of(natively(other))[name], value, name)
    plain = {"weights": r.weights._replace(hidden_mask=None)}
    expected = values_and_gradients(replace(r, zoneout=None, **plain), natively)
    strided, leaves = leaves_of(replace(r, zoneout=None, **plain))
    values = values_of(natively(replace(strided, x=crossed(strided.x))))
    assert_all_near(values | gradients(values, leaves), expected)


@both_directions
@every_kernel_variant
def test_the_number_of_threads_changes_no_bit(variant: Variant, reverse: bool) -> None:
    r = draw_recurrence(
        variant, rows=11, hidden=37, lengths=[4, 0, 6, 1, 4, 2, 3, 6, 5, 1, 6], reverse=reverse
    )
    threads = torch.get_num_threads()
    found = []
    for number in (1, 2, 3):
        torch.set_num_threads(number)
        found.append(values_and_gradients(r, natively))
    torch.set_num_threads(threads)
    for name, value in found[0].items():
        for other in found[1:]:
            assert_same_bits(other[name], value, name)


@pytest.mark.parametrize("made", [another_equation, a_kernel_made_up, the_kernel_of_another_cell])
def test_a_cell_without_a_kernel_is_not_described_to_the_kernels(
    made: Callable[[], Recurrence],
) -> None:
    with pytest.raises(OptionError, match="Elman's kernels have no equation for the step of gru"):
        native.run_of(made())


def test_a_kernel_made_up_runs_on_another_backend() -> None:
    r = a_kernel_made_up()
    assert_near(run(r, "auto").output, run(replace(r, cell=GRU.cell), "reference").output, "y")


def test_every_step_function_that_names_a_kernel_has_it() -> None:
    from battery import KERNEL_VARIANTS

    def known(its: Cell) -> bool:
        return native.kernel_of(its) is not None

    assert {variant.cell.name for variant in KERNEL_VARIANTS} == {"simple", "lstm", "gru"}
    assert all(known(variant.cell) for variant in KERNEL_VARIANTS)
