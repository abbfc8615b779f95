"""A call of Elman's kernels: its tensors, their order, and its outputs.

A call runs one recurrence, or the two directions of a layer side by side. It takes a flat list of
tensors — `RUN_TENSORS` of every run, then `SHARED_TENSORS`, None where there is none — and returns
a flat list:

    y, then h (and c) of every run, then what is kept of every run

with y (T, B, P₁ + P₂), h (1, B, P) and c (1, B, H). Kept for the backward pass are gates (N, ·) and
cells (N, H) in the order in which the kernel computed the rows, N = Σ lengths; for a trace the
same (T, B, ·) in the order of time.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import NamedTuple, TypeVar

from torch import Tensor

from elman.cells import Cell, cell_of_kernel
from elman.sequence.packing import WEIGHTS

RUN_TENSORS = ("x", *WEIGHTS, "mask", "h0", "c0", "fresh_h", "fresh_c", "keep_h", "keep_c")
SHARED_TENSORS = ("lengths", "resets")
DIFFERENTIABLE = ("x", *WEIGHTS, "h0", "c0", "fresh_h", "fresh_c")

Tensors = Sequence[Tensor | None]
Each = TypeVar("Each")


class Run(NamedTuple):
    """One recurrence of a call, without its tensors.

    Args:
        kernel: one of `elman.cells.KERNELS`.
        nonlinearity: nonlinearity of the simple cell; tanh for other cells.
        reverse: run each row from its own end to its beginning.
        rates: zoneout's share of the old h and c that is kept where there is no mask.
    """

    kernel: str
    nonlinearity: str
    reverse: bool
    rates: tuple[float, float]

    @property
    def cell(self) -> Cell:
        """The cell that the kernel computes; an unknown kernel is an OptionError."""
        return cell_of_kernel(self.kernel)

    @property
    def gates(self) -> int:
        """G: how many blocks of rows the weights have."""
        return len(self.cell.gates)

    @property
    def has_cell(self) -> bool:
        """Tell whether the state has a part c."""
        return self.cell.has_cell_state


class Call(NamedTuple):
    """One or two runs, and what is kept of them: nothing, "gradient" or "trace"."""

    runs: tuple[Run, ...]
    keep: str

    @property
    def values(self) -> int:
        """How many of the outputs are values: y, and h and c of every run."""
        return 1 + sum([1 + run.has_cell for run in self.runs])


def spell(call: Call, tensors: Tensors) -> str:
    """Write a call and the presence of its tensors as the text that PyTorch's operator takes."""
    runs = [
        f"{run.kernel} {run.nonlinearity} {int(run.reverse)} {run.rates[0]} {run.rates[1]}"
        for run in call.runs
    ]
    flags = spell_flags([tensor is not None for tensor in tensors])
    return "|".join([call.keep, flags, *runs])


@lru_cache(maxsize=1024)
def read(text: str) -> tuple[Call, list[bool]]:
    """Read what `spell` wrote: the call, and for each of its tensors whether it is present."""
    keep, flags, *runs = text.split("|")
    words = [run.split() for run in runs]
    return Call(
        tuple(
            Run(kernel, g, reverse == "1", (float(rate_h), float(rate_c)))
            for kernel, g, reverse, rate_h, rate_c in words
        ),
        keep,
    ), read_flags(flags)


def spell_flags(flags: Sequence[bool]) -> str:
    """Write flags as one 0 or 1 each."""
    return "".join(["1" if flag else "0" for flag in flags])


def read_flags(text: str) -> list[bool]:
    """Read what `spell_flags` wrote."""
    return [letter == "1" for letter in text]


def spread(present: Sequence[Each], flags: Sequence[bool]) -> list[Each | None]:
    """Put the tensors that are present at their places, None elsewhere."""
    rest: Iterator[Each] = iter(present)
    return [next(rest) if flag else None for flag in flags]


def kept_widths(run: Run, keep: str, units: int, *, zoned: bool) -> list[int]:
    """Return how many numbers a row of the kept gates and cells has; none where nothing is kept."""
    if not keep:
        return []
    kernel = run.cell.kernel
    assert kernel is not None, "a cell of KERNELS has one"
    if kernel.follows_from_output and not zoned and keep != "trace":
        return []
    return [len(kernel.kept) * units, *[units] * run.has_cell]


def is_zoned(run: Run, own: Tensors) -> bool:
    """Tell whether a run has zoneout, by rates or by masks."""
    return any(run.rates) or own[-2] is not None or own[-1] is not None


def of_run(listed: Sequence[Each], place: int) -> Sequence[Each]:
    """Return what belongs to the `RUN_TENSORS` of one run, out of a list for a whole call."""
    return listed[place * len(RUN_TENSORS) : (place + 1) * len(RUN_TENSORS)]
