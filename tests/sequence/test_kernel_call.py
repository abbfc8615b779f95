"""What a call of the kernels is told, by the kernel's name: a made-up name is never guessed at."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch

from battery import draw
from elman.cells import KERNELS
from elman.errors import OptionError
from elman.sequence.kernel_call import RUN_TENSORS, SHARED_TENSORS, Call, Run, kept_widths, spell
from elman.sequence.kernel_run import lay_out_all
from elman.sequence.packing import laid_out, lay_out
from elman.sequence.second_order import by_reference

H = 5
WORDS = r"unknown kernel 'lstn'; did you mean 'lstm'\? Known kernels: coupled_lstm, gru_reset_aft"


def made_up() -> Run:
    return Run("lstn", "tanh", reverse=False, rates=(0.0, 0.0))


def tensors() -> list[torch.Tensor | None]:
    """Give the tensors of a call with the weights of a GRU."""
    own = dict.fromkeys(RUN_TENSORS)
    own |= {"x": draw(2, 3, 4), "input": draw(3 * H, 4), "hidden": draw(3 * H, H)}
    return [*own.values(), *[None] * len(SHARED_TENSORS)]


def calls_the_operator() -> None:
    given = tensors()
    text = spell(Call((made_up(),), ""), given)
    torch.ops.elman.recurrence([tensor for tensor in given if tensor is not None], text)


USES: dict[str, Callable[[], object]] = {
    "the gates of a run": lambda: made_up().gates,
    "the state of a run": lambda: made_up().has_cell,
    "the values of a call": lambda: Call((made_up(),), "").values,
    "what is kept": lambda: kept_widths(made_up(), "gradient", H, zoned=False),
    "weights laid out": lambda: lay_out("lstn", "tanh", tensors()[1:7]),
    "weights found laid out": lambda: laid_out("lstn", "tanh", tensors()[1:7], 1),
    "the weights of a call": lambda: lay_out_all(tensors(), Call((made_up(),), "gradient")),
    "the reference": lambda: by_reference(
        tensors(), [draw(2, 3, H), None], Call((made_up(),), "gradient"), [False] * 16
    ),
    "the operator": calls_the_operator,
}


@pytest.mark.parametrize("use", USES)
def test_an_unknown_kernel_is_an_error_in_words(use: str) -> None:
    with pytest.raises(OptionError, match=WORDS):
        USES[use]()


@pytest.mark.parametrize(
    ("kernel", "gates", "has_cell", "kept"),
    [
        ("simple", 1, False, []),
        ("lstm", 4, True, [4 * H, H]),
        ("coupled_lstm", 3, True, [3 * H, H]),
        ("gru_reset_after", 3, False, [4 * H]),
        ("gru_reset_before", 3, False, [3 * H]),
    ],
)
def test_each_kernel_has_its_own_sizes(
    kernel: str, gates: int, has_cell: bool, kept: list[int]
) -> None:
    run = Run(kernel, "tanh", reverse=False, rates=(0.0, 0.0))
    assert (run.gates, run.has_cell) == (gates, has_cell)
    assert kept_widths(run, "gradient", H, zoned=False) == kept
    assert kept_widths(run, "", H, zoned=True) == []


def test_every_kernel_has_sizes_in_the_test_above() -> None:
    assert len(KERNELS) == 5


def test_the_simple_kernel_keeps_its_sums_where_h_does_not_tell_them() -> None:
    run = Run("simple", "tanh", reverse=False, rates=(0.0, 0.0))
    assert kept_widths(run, "gradient", H, zoned=True) == [H]
    assert kept_widths(run, "trace", H, zoned=False) == [H]
