"""Base rates of classes and labels, from which the bias of an output layer starts."""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor


def counts_of(targets: Iterable[Tensor], size: int) -> tuple[Tensor, int]:
    """Count how often each id occurs, (size,) in float64, and how many rows there are.

    Args:
        targets: ids, (), (T,), or (T, 1 + C) with the id first.
        size: number of ids.
    """
    counts = torch.zeros(size, dtype=torch.float64)
    rows = 0
    for encoded in targets:
        ids = encoded if encoded.ndim < 2 else encoded[:, 0]
        counts += torch.bincount(ids.reshape(-1), minlength=size)
        rows += 1
    return counts, rows


def logits_of(counts: Tensor) -> Tensor:
    """Return the logits of classes from their counts: log (n(k) + ½), up to a constant."""
    total = counts.sum() + 0.5 * len(counts)
    return ((counts + 0.5) / total).log().float()


def class_rates(targets: Iterable[Tensor], size: int) -> Tensor:
    """Return the logits of classes, tags or elements, one per row or per step."""
    return logits_of(counts_of(targets, size)[0])


def label_rates(targets: Iterable[Tensor], size: int) -> Tensor:
    """Return the log-odds of labels, each by itself: log (n(k) + ½) / (N − n(k) + ½)."""
    counts, rows = torch.zeros(size, dtype=torch.float64), 0
    for encoded in targets:
        counts += encoded.double()
        rows += 1
    return ((counts + 0.5) / (rows - counts + 0.5)).log().float()
