"""Who runs a recurrence, and why another does not."""

from __future__ import annotations

import pytest
import torch

import elman
from battery import LENGTHS, Variant, draw_recurrence
from elman.cells import cell
from elman.errors import BackendError, OptionError
from elman.sequence import BACKENDS, backends, choose, run

PLAIN = Variant(cell("gru"), False)
PEEPHOLE = Variant(cell("lstm", peephole=True), False)


def test_auto_takes_the_first_backend_that_can() -> None:
    assert choose(draw_recurrence(PLAIN)).name == "torch"
    assert choose(draw_recurrence(PEEPHOLE)).name == "reference"


@pytest.mark.parametrize("name", list(BACKENDS))
def test_a_backend_asked_for_by_name_is_the_one_that_runs(name: str) -> None:
    assert choose(draw_recurrence(PLAIN), name).name == name


def test_the_status_of_every_backend_is_told_in_the_order_of_preference() -> None:
    statuses = backends(draw_recurrence(PEEPHOLE))
    assert [status.name for status in statuses] == list(BACKENDS)
    assert [status.why_not for status in statuses] == ["PyTorch's kernels have no peephole", None]


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


def test_an_unknown_backend_is_refused_and_the_near_miss_offered() -> None:
    with pytest.raises(OptionError, match=r"unknown backend 'referense'; did you mean 'reference'"):
        run(draw_recurrence(PLAIN), "referense")


def test_a_traced_recurrence_keeps_its_trace_in_the_order_of_time_when_it_runs_backward() -> None:
    result = run(draw_recurrence(PLAIN, lengths=LENGTHS, reverse=True, trace=True))
    assert result.trace is not None
    assert torch.equal(result.trace.state.hidden, result.output)
