"""Who runs a recurrence, and why another does not."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

import elman
from battery import LENGTHS, Variant, assert_near, assert_same_bits, draw_recurrence
from elman.cells import cell
from elman.errors import BackendError, OptionError
from elman.sequence import BACKENDS, backends, choose, run, run_layer

PLAIN = Variant(cell("gru"), False)
PEEPHOLE = Variant(cell("lstm", peephole=True), False)
SCANNED = Variant(cell("mingru"), False)


def test_auto_takes_the_first_backend_that_can() -> None:
    assert choose(draw_recurrence(PLAIN)).name == "native"
    assert choose(draw_recurrence(PLAIN, layer_norm=True)).name == "reference"
    assert choose(draw_recurrence(SCANNED)).name == "scan"
    with torch.autocast("cpu", torch.bfloat16):
        assert choose(draw_recurrence(PLAIN)).name == "torch"


@pytest.mark.parametrize("name", list(BACKENDS))
def test_a_backend_asked_for_by_name_is_the_one_that_runs(name: str) -> None:
    r = draw_recurrence(SCANNED if name == "scan" else PLAIN)
    assert choose(r, name).name == name


def test_the_status_of_every_backend_is_told_in_the_order_of_preference() -> None:
    statuses = backends(draw_recurrence(PEEPHOLE))
    assert [status.name for status in statuses] == list(BACKENDS)
    reasons = [status.why_not for status in statuses]
    reads_state = "the gates of the lstm cell read the state before them, step by step"
    assert reasons == [None, reads_state, "PyTorch's kernels have no peephole", None]


def test_without_a_recurrence_no_backend_has_a_reason() -> None:
    assert {status.why_not for status in elman.backends()} == {None}
    assert all(status.summary for status in elman.backends())


def test_a_backend_that_cannot_raises_with_the_reason_and_the_way_out() -> None:
    words = (
        r"backend='torch' cannot run this lstm\(peephole=True, coupled_gates=False\): PyTorch's "
        r"kernels have no peephole\. Use backend='auto' to fall back to one that can\."
    )
    with pytest.raises(BackendError, match=words):
        run(draw_recurrence(PEEPHOLE), "torch")
    with pytest.raises(BackendError, match=words):
        run(draw_recurrence(PEEPHOLE, reverse=True), "torch")


def test_the_recurrences_of_a_layer_have_their_outputs_side_by_side() -> None:
    ahead, back = draw_recurrence(PLAIN), draw_recurrence(PEEPHOLE, reverse=True)
    back = replace(back, x=ahead.x)
    expected = [run(ahead, "reference"), run(back, "reference")]
    for backend in ("native", "reference", "auto"):
        output, states, traces = run_layer([ahead, back], backend)
        assert_near(output, torch.cat([result.output for result in expected], dim=-1), backend)
        assert traces == [None, None]
        for state, result in zip(states, expected, strict=True):
            assert type(state) is type(result.state)
            for part, its in zip(state, result.state, strict=True):
                assert_near(part, its.unsqueeze(0), backend)


def test_recurrences_that_no_backend_runs_together_have_one_each() -> None:
    ahead, back = draw_recurrence(PLAIN), draw_recurrence(PLAIN, layer_norm=True, reverse=True)
    assert [choose(each).name for each in (ahead, back)] == ["native", "reference"]
    output = run_layer([ahead, back]).output
    expected = [run(ahead, "native").output, run(back, "reference").output]
    assert_same_bits(output, torch.cat(expected, dim=-1), "output")


def test_without_a_state_a_recurrence_begins_and_begins_anew_at_zero() -> None:
    r = draw_recurrence(PEEPHOLE, cuts=True)
    zeros = type(r.state)(*[torch.zeros_like(part) for part in r.state])
    for backend in ("native", "reference"):
        found = run(replace(r, state=None, fresh=None), backend)
        assert_same_bits(
            found.output, run(replace(r, state=zeros, fresh=zeros), backend).output, "y"
        )


def test_an_unknown_backend_is_refused_and_the_near_miss_offered() -> None:
    with pytest.raises(OptionError, match=r"unknown backend 'referense'; did you mean 'reference'"):
        run(draw_recurrence(PLAIN), "referense")


def test_a_traced_recurrence_keeps_its_trace_in_the_order_of_time_when_it_runs_backward() -> None:
    result = run(draw_recurrence(PLAIN, lengths=LENGTHS, reverse=True, trace=True))
    assert result.trace is not None
    assert torch.equal(result.trace.state.hidden, result.output)
