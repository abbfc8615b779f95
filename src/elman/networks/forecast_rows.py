"""What both kinds of forecasters ask of the rows they are given."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from elman.errors import OptionError
from elman.sequence.ragged import checked_lengths


def check_generators(generators: Sequence[torch.Generator], x: Tensor) -> None:
    """Refuse generators that are not one for each row of x, (T, B, columns).

    Raises:
        OptionError: they are more or fewer.
    """
    if len(generators) != x.size(1):
        raise OptionError(f"generators must be one a row, {x.size(1)}; got {len(generators)}.")


def past_lengths(x: Tensor, lengths: Tensor | Sequence[int] | None, horizon: int) -> Tensor:
    """Return the number of steps before each horizon, (B,), on the device of x.

    Args:
        x: (T, B, columns).
        lengths: steps of each row, the horizon included, (B,); None means T for all.
        horizon: H.

    Raises:
        OptionError: lengths are out of range, or less than the horizon.
    """
    rows = checked_lengths([len(x)] * x.size(1) if lengths is None else lengths, x)
    past = rows.to(x.device) - horizon
    if len(past) and int(past.min()) < 0:
        raise OptionError(
            f"lengths must be at least the horizon, {horizon}, got {int(past.min()) + horizon}."
        )
    return past
