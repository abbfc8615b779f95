"""How often each answer is right: where an output layer begins, which it need not learn first."""

from __future__ import annotations

from typing import Any

import torch

from elman.data.table import Table
from elman.tasks.task import Task

_COUNTED = frozenset(
    {
        "classification",
        "conditional-language-model",
        "crf",
        "labelling",
        "language-model",
        "tagging",
    }
)
"""Objectives whose answers are names that can be counted."""


def base_rates(task: Task, train: Table) -> torch.Tensor | None:
    """Measure how often each answer is right, as the outputs that predict just that, (O,).

        b(k) = log (n(k) + ½)                          classes and tags, up to a constant
        b(k) = log (n(k) + ½) / (N − n(k) + ½)         labels and keys, each by itself

    An output layer whose bias begins there need not learn first how rare a class is.

    Args:
        task: what is asked.
        train: the training part.

    Returns:
        The outputs; None for numbers, which are scaled to a mean of zero, and where the answer is
        not counted step by step.
    """
    name = task.objective["name"]
    columns = task.input_columns if task.predicts_next else task.target_columns
    target: Any = task.target
    if name == "roll":
        rates: torch.Tensor = target.log_odds(train.values(columns))
        return rates
    if name not in _COUNTED:
        return None
    writes = name == "conditional-language-model"
    size = int(task.objective["size"]) + writes
    counts: torch.Tensor = torch.zeros(size, dtype=torch.float64)
    rows = 0
    for value in train.values(columns):
        encoded = target.encode(value)
        rows += 1
        if name == "labelling":
            counts += encoded.double()
        else:
            ids = encoded if encoded.ndim < 2 else encoded[:, 0]
            counts += torch.bincount(ids.reshape(-1), minlength=size)
    if writes:
        counts[-1] = rows  # a boundary ends each
    others = rows - counts if name == "labelling" else counts.sum() + 0.5 * (size - 1)
    found: torch.Tensor = ((counts + 0.5) / (others + 0.5)).log().float()
    return found
