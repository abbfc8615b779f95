"""Random masks of the regularisers inside a recurrence, sampled here, applied in `sequence`."""

from __future__ import annotations

import torch
from torch import Tensor


def recurrent_dropout_mask(hidden: Tensor, probability: float) -> Tensor:
    """Sample one mask for a whole sequence: 0 with probability p, else 1 / (1 − p).

    Args:
        hidden: gives shape, dtype and device, (B, P).
        probability: p, the share of units dropped.

    Source: Gal & Ghahramani 2016, arXiv:1512.05287.
    """
    keep = 1 - probability
    return torch.empty_like(hidden).bernoulli_(keep) / keep


def zoneout_mask(part: Tensor, probability: float, steps: int) -> Tensor:
    """Sample, for every step, the units that keep their old state: 1 with probability p, else 0.

    Args:
        part: one part of the state; gives shape, dtype and device, (B, ·).
        probability: p, the share of units that keep their old state.
        steps: T.

    Returns:
        The mask, (T, B, ·).

    Source: Krueger et al. 2017, arXiv:1606.01305.
    """
    return part.new_empty(steps, *part.shape).bernoulli_(probability)
