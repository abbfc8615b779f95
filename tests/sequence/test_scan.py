"""The scan: its kernel, its doubling and the step functions are one and the same recurrence."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.autograd import gradcheck, gradgradcheck

import elman
from battery import (
    LENGTHS,
    VARIANTS,
    B,
    T,
    Variant,
    assert_all_near,
    assert_near,
    assert_same_bits,
    both_directions,
    draw,
    draw_recurrence,
    on,
    row_by_row,
    to_dtype,
    values_and_gradients,
)
from elman.cells import CELLS, SCAN_KERNELS
from elman.errors import BackendError
from elman.sequence import BACKENDS, backends, choose, linear_scan, run
from elman.sequence.linear_scan import LinearScan, by_doubling

W = 22
KINDS = ("real", "complex", *SCAN_KERNELS)
SCANNED = [variant for variant in VARIANTS if variant.cell.scan is not None]
every_kind = pytest.mark.parametrize("kind", KINDS)
every_scanned = pytest.mark.parametrize("variant", SCANNED, ids=str)
LAYERS: dict[str, Callable[..., Any]] = {
    "mingru": elman.MinGRU,
    "minlstm": elman.MinLSTM,
    "lru": elman.LRU,
    "slstm": elman.SLSTM,
}
every_layer = pytest.mark.parametrize("name", LAYERS)


def draw_scan(kind: str, *, ragged: bool = True, cuts: bool = True, one_a: bool = False) -> Any:
    """Draw a scan whose tensors are leaves, in float64; padding of a and b is large."""
    blocks = len(SCAN_KERNELS[kind].gates) if kind in SCAN_KERNELS else 1
    a = None if kind in SCAN_KERNELS else 0.9 * torch.rand(1 if one_a else T, 1 if one_a else B, W)
    lengths = torch.tensor(LENGTHS) if ragged else None
    return LinearScan(
        None if a is None else a.double().requires_grad_(),
        draw(T, B, blocks * W).requires_grad_(),
        draw(B, W).requires_grad_(),
        draw(B, W).requires_grad_(),
        lengths,
        torch.rand(T, B) < 0.3 if cuts else None,
        False,
        kind,
    )


def values_and_slopes(scan: LinearScan, runner: Any) -> dict[str, Tensor]:
    """Run a scan; name its values and the gradient of all it was given."""
    leaves = {n: t for n, t in zip(scan._fields, scan.tensors, strict=False) if t is not None}
    states, last = runner(scan)
    generator = torch.Generator().manual_seed(3)
    weights = [torch.randn(v.shape, generator=generator, dtype=v.dtype) for v in (states, last)]
    weighted = (states * weights[0]).sum() + (last * weights[1]).sum()
    slopes = torch.autograd.grad(weighted, list(leaves.values()), materialize_grads=True)
    named = {f"gradient of {n}": g for n, g in zip(leaves, slopes, strict=True)}
    return {"states": states, "last": last} | named


@pytest.mark.parametrize("one_a", [False, True], ids=["", "one a"])
@both_directions
@every_kind
def test_the_kernel_and_doubling_give_the_same_values_and_gradients(
    kind: str, reverse: bool, one_a: bool
) -> None:
    for ragged, cuts in ((False, False), (True, False), (False, True), (True, True)):
        scan = draw_scan(kind, ragged=ragged, cuts=cuts, one_a=one_a)._replace(reverse=reverse)
        assert linear_scan.has_kernel(scan)
        found = values_and_slopes(scan, linear_scan.linear_scan)
        assert_all_near(found, values_and_slopes(scan, by_doubling))


@every_scanned
def test_where_there_is_no_kernel_the_scan_is_done_by_doubling(
    variant: Variant, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(linear_scan, "has_kernel", lambda _: False)
    monkeypatch.setattr(linear_scan, "forward", None)
    for reverse in (False, True):
        r = draw_recurrence(variant, reverse=reverse, lengths=LENGTHS, cuts=True)
        assert_all_near(values_and_gradients(r, on("scan")), values_and_gradients(r, row_by_row))


@every_scanned
def test_the_kernel_runs_what_auto_runs(variant: Variant, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(linear_scan, "by_doubling", None)
    r = to_dtype(draw_recurrence(variant), torch.float32)
    assert choose(r).name == "scan"
    run(r)


@every_kind
def test_first_and_second_derivatives_are_those_of_finite_differences(kind: str) -> None:
    scan = draw_scan(kind)
    tensors = [t for t in scan.tensors if t is not None]

    def values(*given: Tensor) -> tuple[Tensor, Tensor]:
        filled = [None] * (4 - len(given)) + list(given)
        return linear_scan.linear_scan(scan.with_tensors(filled))

    assert gradcheck(values, tensors, fast_mode=True)
    assert gradgradcheck(values, tensors, fast_mode=True)


@pytest.mark.sampled(3)
@both_directions
@every_kind
def test_both_operators_keep_what_they_promise_pytorch(kind: str, reverse: bool) -> None:
    scan = draw_scan(kind)._replace(reverse=reverse)
    torch.library.opcheck(torch.ops.elman.scan, tuple(scan))
    plain = scan.with_tensors([None if t is None else t.detach() for t in scan.tensors])
    states, last = linear_scan.forward(plain)
    given = (*plain, states, torch.ones_like(states), torch.ones_like(last))
    torch.library.opcheck(torch.ops.elman.scan_backward, given)


@pytest.mark.sampled(3)
@pytest.mark.parametrize("name", ["mingru", "minlstm", "lru"])
def test_a_compiled_layer_has_the_scan_in_its_graph_and_the_same_numbers(name: str) -> None:
    torch.manual_seed(0)
    layer = LAYERS[name](3, 7, dtype=torch.float64)
    compiled = torch.compile(layer, backend="aot_eager", fullgraph=True)
    x = draw(T, B, 3)
    lengths = torch.tensor(LENGTHS)
    found = []
    for call in (layer, compiled):
        leaf = x.clone().requires_grad_()
        y, _ = call(leaf, lengths=lengths)
        y.square().sum().backward()
        found.append({"y": y, "gradient of x": leaf.grad})
    assert_all_near(found[1], found[0])


@pytest.mark.filterwarnings("ignore:.torch.jit.script. is deprecated")  # torch.func.jvp's own
@every_scanned
def test_the_scan_obeys_transforms_of_functions(variant: Variant) -> None:
    r = draw_recurrence(variant, lengths=LENGTHS)
    x = r.x.nan_to_num(0.5)

    def output(given: Tensor) -> Tensor:
        return run(replace(r, x=given)).output

    many = torch.stack([x, 2 * x])
    assert_near(torch.func.vmap(output)(many)[1], output(2 * x), "vmap")
    direction = draw(*x.shape)
    _, slope = torch.func.jvp(output, (x,), (direction,))
    step = 1e-6
    ahead, behind = output(x + step * direction), output(x - step * direction)
    assert float((slope - (ahead - behind) / (2 * step)).abs().max()) < 1e-6


@pytest.mark.filterwarnings("ignore:.torch.jit.script. is deprecated")  # torch.func's own
@pytest.mark.parametrize("ragged", [False, True], ids=["", "ragged"])
@every_layer
def test_gradients_of_many_cotangents_at_once_are_those_of_one_at_a_time(
    name: str, ragged: bool
) -> None:
    layer, x = LAYERS[name](3, 4).double(), draw(5, 2, 3).requires_grad_()
    y = layer(x, lengths=[5, 3] if ragged else None)[0]
    cotangents = torch.randn(4, *y.shape, dtype=y.dtype)

    def slope(cotangent: Tensor, *, batched: bool = False) -> Tensor:
        return torch.autograd.grad(y, x, cotangent, retain_graph=True, is_grads_batched=batched)[0]

    in_turn = torch.stack([slope(each) for each in cotangents])
    assert_near(slope(cotangents, batched=True), in_turn, "is_grads_batched")
    assert_near(torch.func.vmap(slope)(cotangents), in_turn, "torch.func.vmap")


@pytest.mark.parametrize("name", ["mingru", "minlstm", "lru"])
@pytest.mark.parametrize("how", ["bfloat16", "autocast"])
def test_half_precision_scans_in_float32(name: str, how: str) -> None:
    torch.manual_seed(0)
    layer = LAYERS[name](3, 7)
    x = torch.randn(200, 2, 3)
    truth = layer(x)[0].detach()
    if how == "bfloat16":
        y = layer.bfloat16()(x.bfloat16())[0]
        assert y.dtype is torch.bfloat16
    else:
        with torch.autocast("cpu"):
            y = layer(x)[0]
    assert float((y.detach().float() - truth).abs().max() / truth.abs().max()) < 0.05


def test_a_that_is_expanded_or_lies_askew_gives_the_same_bits() -> None:
    scan = draw_scan("real", cuts=False)
    plain = scan._replace(a=scan.a.detach(), b=scan.b.detach())
    expected = linear_scan.forward(plain)
    askew = plain.a.transpose(0, 2).contiguous().transpose(0, 2)
    assert_same_bits(linear_scan.forward(plain._replace(a=askew))[0], expected[0], "states")
    row = plain.a[:, :1]
    wide = row.expand(T, B, W)
    whole = linear_scan.forward(plain._replace(a=wide.contiguous()))[0]
    for a in (row, wide):
        assert_same_bits(linear_scan.forward(plain._replace(a=a))[0], whole, "states")


@every_layer
def test_step_by_step_with_the_state_passed_on_gives_the_whole(name: str) -> None:
    torch.manual_seed(0)
    layer = LAYERS[name](3, 7, 2, dtype=torch.float64)
    x = draw(9, B, 3)
    whole, last = layer(x)
    state, outputs = None, []
    for step in x.split(1):
        y, state = layer(step, state)
        outputs.append(y)
    assert_near(torch.cat(outputs), whole, "outputs")
    parts = [(state, last)] if isinstance(last, Tensor) else zip(state, last, strict=True)
    for mine, theirs in parts:
        assert_near(mine, theirs, "last state")


@every_layer
def test_a_layer_is_the_same_on_the_reference_in_every_way_of_calling_it(name: str) -> None:
    torch.manual_seed(0)
    layer = LAYERS[name](3, 7, 2, bidirectional=True, batch_first=True).double()
    x = draw(B, T, 3)
    resets = torch.rand(B, T) < 0.3
    called = {"lengths": LENGTHS, "resets": resets, "return_trace": True}
    y, state, traces = layer(x, **called)
    layer.backend = "reference"
    y_slow, state_slow, traces_slow = layer(x, **called)
    assert_near(y, y_slow, "outputs")
    parts = zip(state, state_slow, strict=True)
    for mine, theirs in [(state, state_slow)] if isinstance(state, Tensor) else parts:
        assert_near(mine, theirs, "last state")
    for ours, others in zip(traces, traces_slow, strict=True):
        for trace, slow in zip(ours, others, strict=True):
            assert trace.gates._fields == slow.gates._fields
            for kind in (0, 1):
                for field, mine in trace[kind]._asdict().items():
                    assert_near(mine, getattr(slow[kind], field), field)


def test_a_scan_says_what_it_cannot_run() -> None:
    reasons = {
        name: BACKENDS["scan"].why_not(draw_recurrence(Variant(CELLS[name].variant(), False)))
        for name in ("gru", "slstm", "mingru")
    }
    assert reasons == {
        "gru": "the gates of the gru cell read the state before them, step by step",
        "slstm": "the gates of the slstm cell read the state before them, step by step",
        "mingru": None,
    }
    lru = draw_recurrence(Variant(CELLS["lru"].variant(), False), zoneout="masks")
    assert "keeps no old state of the lru cell by zoneout" in str(BACKENDS["scan"].why_not(lru))
    empty = draw_recurrence(Variant(CELLS["mingru"].variant(), False), steps=0)
    assert "at least one step" in str(BACKENDS["scan"].why_not(empty))
    with pytest.raises(BackendError, match="backend='scan' cannot run this gru"):
        elman.GRU(3, 5, backend="scan")(torch.zeros(4, 2, 3))


def test_a_stepper_says_that_a_scanned_layer_is_called_instead() -> None:
    with pytest.raises(BackendError, match="no equation for the step of mingru"):
        elman.MinGRU(3, 5).stepper()


def test_scan_stands_before_what_is_slower() -> None:
    assert [status.name for status in backends()] == ["native", "scan", "torch", "reference"]
