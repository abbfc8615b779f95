"""PyTorch's kernels: every reason why they cannot run, and what they do where they can."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import torch

from battery import (
    LENGTHS,
    VARIANTS,
    B,
    H,
    I,
    T,
    Variant,
    assert_all_near,
    draw_recurrence,
    gradients,
    leaves_of,
    to_dtype,
    values_and_gradients,
    values_of,
)
from elman.cells import cell
from elman.sequence import BACKENDS, Recurrence, run, torch_kernels

LSTM, GRU = Variant(cell("lstm"), False), Variant(cell("gru"), False)
FUSED = [variant for variant in VARIANTS if torch_kernels.why_not(draw_recurrence(variant)) is None]


def test_plain_cells_have_a_kernel() -> None:
    assert {str(variant) for variant in FUSED} == {
        "simple,nonlinearity=tanh",
        "simple,nonlinearity=relu",
        "lstm,peephole=False,coupled_gates=False",
        "lstm,peephole=False,coupled_gates=False,projected",
        "gru,reset_after=True",
    }


def _projected_to_its_own_size() -> Recurrence:
    r = draw_recurrence(LSTM)
    return replace(r, weights=r.weights._replace(projection=torch.eye(H, dtype=torch.float64)))


def variant(name: str, **options: Any) -> Recurrence:
    """Draw a recurrence of a cell with options."""
    return draw_recurrence(Variant(cell(name, **options), False))


@pytest.mark.parametrize(
    ("recurrence", "reason"),
    [
        (lambda: variant("lstm", peephole=True), "no peephole"),
        (lambda: variant("lstm", coupled_gates=True), "no coupled gates"),
        (lambda: variant("gru", reset_after=False), "no GRU that resets before the product"),
        (
            lambda: variant("simple", nonlinearity="sigmoid"),
            "no nonlinearity but tanh and relu",
        ),
        (lambda: draw_recurrence(GRU, layer_norm=True), "no layer norm"),
        (_projected_to_its_own_size, "no projection that keeps the size of h"),
        (lambda: draw_recurrence(GRU, mask=True), "no recurrent dropout"),
        (lambda: draw_recurrence(GRU, zoneout="masks"), "no zoneout"),
        (lambda: draw_recurrence(GRU, zoneout="probabilities"), "no zoneout"),
        (lambda: draw_recurrence(GRU, cuts=True), "no resets"),
        (lambda: draw_recurrence(GRU, trace=True), "no traces"),
        (lambda: draw_recurrence(GRU, biases=["input_bias"]), "no single bias"),
        (lambda: draw_recurrence(GRU, steps=0), "no sequences of T = 0 steps or B = 0 rows"),
        (lambda: draw_recurrence(GRU, rows=0), "no sequences of T = 0 steps or B = 0 rows"),
        (lambda: draw_recurrence(GRU, inputs=0), "no sizes of 0"),
    ],
)
def test_what_the_kernels_cannot_run_they_say(recurrence: Any, reason: str) -> None:
    r = recurrence()
    assert torch_kernels.why_not(r) == f"PyTorch's kernels have {reason}"
    assert BACKENDS["reference"].why_not(r) is None
    run(r, "auto")


@pytest.mark.parametrize("supported", [False, True])
def test_under_autocast_an_lstm_has_a_kernel_where_the_processor_has_bfloat16(
    supported: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch_kernels, "_LACKS_BFLOAT16", not supported)
    reason = "PyTorch's kernels have no LSTM under autocast on this processor"
    assert torch_kernels.why_not(draw_recurrence(LSTM)) is None
    with torch.autocast("cpu", torch.bfloat16):
        assert torch_kernels.why_not(draw_recurrence(LSTM)) == (None if supported else reason)
        assert torch_kernels.why_not(draw_recurrence(GRU)) is None
        assert torch_kernels.why_not(draw_recurrence(Variant(cell("lstm"), True))) is None


@pytest.mark.parametrize("fused", FUSED, ids=str)
def test_a_batch_without_a_single_step_keeps_its_state_and_has_gradients_of_zero(
    fused: Variant,
) -> None:
    r, leaves = leaves_of(draw_recurrence(fused, lengths=[0] * B))
    output, state, _ = run(r, "torch")
    assert bool((output == 0).all())
    assert all(map(torch.equal, state, r.state))
    for name, gradient in gradients({"output": output}, leaves).items():
        assert bool((gradient == 0).all()), name


@pytest.mark.parametrize("fused", FUSED, ids=str)
def test_no_kernel_is_called_for_padding(fused: Variant, monkeypatch: pytest.MonkeyPatch) -> None:
    steps: list[int] = []
    dense = torch_kernels._dense

    def counted(r: Recurrence, x: torch.Tensor, state: Any) -> Any:
        steps.append(x.size(0) * x.size(1))
        return dense(r, x, state)

    monkeypatch.setattr(torch_kernels, "_dense", counted)
    run(draw_recurrence(fused, lengths=LENGTHS), "torch")
    assert sum(steps) == sum(LENGTHS)
    assert len(steps) == len({length for length in LENGTHS if length})


@pytest.mark.filterwarnings("ignore:LSTM with projections is not supported with oneDNN")
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64], ids=str)
@pytest.mark.parametrize("fused", FUSED, ids=str)
def test_second_derivatives_are_those_of_the_reference(fused: Variant, dtype: torch.dtype) -> None:
    r = draw_recurrence(fused, lengths=LENGTHS)

    def second(backend: str, dtype: torch.dtype) -> dict[str, torch.Tensor]:
        changed, leaves = leaves_of(to_dtype(r, dtype))
        output = run(changed, backend).output
        (first,) = torch.autograd.grad(output.square().sum(), leaves["x"], create_graph=True)
        real = first[torch.arange(T).unsqueeze(1) < torch.tensor(LENGTHS)]
        return gradients({"first": real}, leaves)

    kind = "same equations" if dtype == torch.float64 else "truth"
    assert_all_near(second("torch", dtype), second("reference", torch.float64), kind)


def test_without_gradients_the_values_are_the_same() -> None:
    r = draw_recurrence(LSTM, lengths=LENGTHS)
    with_gradients = values_of(run(leaves_of(r)[0], "torch"))
    with torch.no_grad():
        assert_all_near(values_of(run(r, "torch")), with_gradients)


def test_inputs_and_states_that_are_not_contiguous_are_read_right() -> None:
    r = draw_recurrence(GRU)
    crossed = replace(
        r,
        x=r.x.permute(2, 1, 0).contiguous().permute(2, 1, 0),
        state=type(r.state)(r.state.hidden.t().contiguous().t()),
    )
    assert crossed.x.shape == (T, B, I)
    assert not crossed.state.hidden.is_contiguous() or H == 1
    expected = values_and_gradients(r, lambda given: run(given, "reference"))
    assert_all_near(values_and_gradients(crossed, lambda given: run(given, "torch")), expected)
