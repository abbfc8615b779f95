"""Decoding with one hypothesis a row: greedy, or by sampling."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from elman.networks.decoding.constraints import Constraints
from elman.networks.decoding.hypotheses import Outcomes
from elman.networks.decoding.step import Step, select_rows

Choose = Callable[[Tensor, Tensor], Tensor]
"""Log-probabilities (N, V) and the batch row of each (N,) → ids (N,), on the CPU."""


def likeliest(log_probabilities: Tensor, rows: Tensor) -> Tensor:  # noqa: ARG001 - a `Choose`
    """Choose the most likely symbol of every row; among equals the lowest id."""
    return log_probabilities.argmax(-1).cpu()


def write_singly(
    step: Step,
    state: Any,
    first: Tensor,
    constraints: Constraints,
    choose: Choose,
    outcomes: Outcomes,
) -> None:
    """Decode every row symbol by symbol; a row that has ended leaves the batch.

    Args:
        step: one step of the network.
        state: the initial state, B rows.
        first: the id before the first symbol, (B,).
        constraints: constraints on the next symbol.
        choose: chooses the next symbol.
        outcomes: collects one hypothesis a row.
    """
    end, max_length = constraints.end, constraints.max_length
    rows = torch.arange(len(first))
    written = torch.empty(len(first), max_length, dtype=torch.int64)
    total = torch.zeros(len(first), dtype=torch.float64)
    ids = first
    for length in range(max_length if end is None else max_length + 1):
        if not len(rows):
            return
        logits, state = step(ids, state)
        log_p = constraints.log_probabilities(logits, rows, written[:, :length])
        chosen = choose(log_p, rows)
        gained = log_p.gather(1, chosen.to(log_p.device)[:, None])[:, 0].cpu().double()
        stuck = gained == -torch.inf
        ended = ~stuck & (chosen == end) if end is not None else torch.zeros_like(stuck)
        outcomes.add(rows[ended], written[ended, :length], (total + gained)[ended], finished=True)
        outcomes.add(rows[stuck], written[stuck, :length], total[stuck], finished=False)
        if bool((ended | stuck).any()):
            alive = (~(ended | stuck)).nonzero().flatten()
            rows, written, total = rows[alive], written[alive], total[alive]
            chosen, gained = chosen[alive], gained[alive]
            state = select_rows(state, alive.to(first.device))
        if length < max_length:
            written[:, length] = chosen
            total += gained
            ids = chosen.to(first.device)
    outcomes.add(rows, written, total, finished=False)
