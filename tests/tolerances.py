"""How near two computations of the same numbers must be: one table, each entry with its why.

No environment variable and no mode loosens it. An error is measured as the greatest difference
over a whole tensor, in units of ε · max(1, greatest value expected); ε is the distance from 1 to
the next number of the dtype.
"""

from __future__ import annotations

from typing import NamedTuple

import torch


class Tolerance(NamedTuple):
    """How much may lie between two computations.

    Args:
        factor: in the unit its kind names.
        why: what makes the difference, and what was measured.
    """

    factor: float
    why: str


TOLERANCES: dict[tuple[torch.dtype, str], Tolerance] = {
    (torch.float64, "same equations"): Tolerance(
        128,
        "ε. Sums are taken in another order (a kernel, a batch, two halves), and up to 7 steps, "
        "3 layers and a backward pass carry the difference on; at most 43 was measured.",
    ),
    (torch.float32, "same equations"): Tolerance(
        128,
        "ε. As in float64: the order of the sums alone differs.",
    ),
    (torch.float32, "as near as torch.nn"): Tolerance(
        4,
        "times torch.nn's own distance from the float64 truth, beyond one ε. Both are the greatest "
        "of a few dozen rounding errors of one size; which of the two comes out larger is chance, "
        "and at most 2.3 was measured.",
    ),
    (torch.float32, "truth"): Tolerance(
        128,
        "ε, where torch.nn has no such cell to be measured against: float32 against the same "
        "equations in float64; at most 38 was measured, with every option at once.",
    ),
}


def factor(dtype: torch.dtype, kind: str) -> float:
    """Look up how much may lie between two computations of a kind."""
    return TOLERANCES[dtype, kind].factor


def unit(expected: torch.Tensor, dtype: torch.dtype) -> float:
    """Give the size of one rounding error of the dtype at the values expected."""
    greatest = float(expected.detach().abs().max()) if expected.numel() else 0.0
    return torch.finfo(dtype).eps * max(1.0, greatest)
