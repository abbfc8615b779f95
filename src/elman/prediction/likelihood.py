"""The likelihood of the true outputs of a network that writes."""

from __future__ import annotations

from typing import Any

import torch

from elman.data.table import Table
from elman.tasks.task import Task


@torch.no_grad()
def likelihood(
    task: Task, network: Any, table: Table, batch_size: int
) -> tuple[list[list[int]], list[list[int]], float]:
    """Measure the likelihood of the targets under teacher forcing.

    Returns:
        The target symbols of every row, the boundary last; the most likely symbol at each step,
        given the true ones before it; and the mean negative log-likelihood of a symbol in nats,
        boundaries included.
    """
    network.eval()
    device = next(network.parameters()).device
    truths: list[list[int]] = []
    predicted: list[list[int]] = []
    nats = 0.0
    for batch in task.evaluation_batches(table, batch_size).epoch(0):
        batch = batch.to(device)
        outputs, _ = network(batch.input, lengths=batch.lengths, target=batch.target)
        nats += float(network.objective.step_nll(outputs, batch.target).double().sum())
        forced = network.objective.teacher_forced(batch.target, outputs.size(1))
        likeliest = outputs.argmax(-1)
        for row, steps in enumerate(forced.lengths.tolist()):
            truths.append(forced.written[:steps, row].tolist())
            predicted.append(likeliest[:steps, row].tolist())
    return truths, predicted, nats / sum(map(len, truths))
