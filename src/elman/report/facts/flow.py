"""The gradient flow of a trained model, measured on a few rows of its validation part."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import singledispatch
from typing import Any

import numpy as np
from torch import nn

from elman.batches.batching import Batch
from elman.batches.inputs import cut_steps
from elman.data.table import Table
from elman.inspection.gradient_flow import GradientFlow
from elman.inspection.model_flow import model_gradient_flow
from elman.models.model import Model
from elman.networks import EncoderDecoder, ManyToMany, ManyToOne
from elman.networks.ensemble import members_of
from elman.networks.joined import JoinedToOne
from elman.report.run.facts import Flow
from elman.tasks.next_step import NextStepTask
from elman.tasks.task import Task

Directions = Mapping[str, GradientFlow]

ROWS, CANDIDATES = 8, 64
"""Rows that are measured, and those they are chosen from."""
MOST_STEPS = 4_000
"""Maximum number of steps of all these rows together; long rows are fewer."""
CUT = 1_000
"""Maximum number of steps of a row with a target at every step."""
FEWEST_STEPS = 3
"""Minimum number of steps of a row for a curve of the gradient flow."""


def flow_of(model: Model, table: Table) -> Flow | None:
    """Measure the gradient flow of a model on a few rows; None where there is none.

    Where several networks answer together, it is that of the first.

    Args:
        model: trained; nothing of it is changed.
        table: rows with their targets. Those that are measured have at least the median number of
            steps, so that the curve is long and typical.
    """
    network = members_of(model.network)[0]
    describe = _FLOWS.get(type(network))
    batch = None if describe is None else _batch(model.task, table)
    if describe is None or batch is None or _reads_twice(network):
        return None
    directions = model_gradient_flow(network, batch)
    if not all(
        bool(flow.hidden.isfinite().all() & flow.hidden.any()) for flow in directions.values()
    ):
        return None
    return describe(network, directions, model)


def _reads_twice(network: Any) -> bool:
    """Tell whether the same layers read several sequences of a row, which share one gradient."""
    return isinstance(network, JoinedToOne) and network.reads.count(network.reads[0]) > 1


def _of_many_to_one(network: Any, directions: Directions, model: Model) -> Flow:
    del network
    return Flow(directions, False, pooling=model.experiment.network.pooling)


def _of_many_to_many(network: Any, directions: Directions, model: Model) -> Flow:
    del model
    return Flow(directions, True, delay=network.delay)


def _of_encoder_decoder(network: Any, directions: Directions, model: Model) -> Flow:
    del model
    reader = "last" if network.decoder.attention is None else "attention"
    return Flow(directions, False, reader, of_encoder=True)


_FLOWS: Mapping[type[nn.Module], Callable[[Any, Directions, Model], Flow]] = {
    ManyToOne: _of_many_to_one,
    JoinedToOne: _of_many_to_one,
    ManyToMany: _of_many_to_many,
    EncoderDecoder: _of_encoder_decoder,
}
"""Class of a network → its flow; other networks read no sequence, or forecast."""


@singledispatch
def _batch(task: Task, table: Table) -> Batch | None:
    """Batch a few rows with enough steps; None where there are none."""
    places = np.linspace(0, len(table) - 1, min(len(table), CANDIDATES)).astype(np.int64)
    candidates = table.select(places)
    encoded = map(task.input.encode, candidates.values(task.input_columns))
    steps = list(map(task.input_layout.steps, encoded))
    enough = max(FEWEST_STEPS, float(np.median(steps)))
    rows = [row for row, count in enumerate(steps) if count >= enough][:ROWS]
    if not rows:
        return None
    rows = rows[: max(1, MOST_STEPS // max(steps[row] for row in rows))]
    batch = next(iter(task.evaluation_batches(candidates.select(rows), len(rows)).epoch(0)))
    if not batch.per_step or not task.can_be_cut:
        return batch
    return batch._replace(
        input=cut_steps(batch.input, 0, CUT),
        target=batch.target[:CUT],
        lengths=batch.lengths.clamp(max=CUT),
    )


@_batch.register
def _(task: NextStepTask, table: Table) -> Batch | None:
    batch = next(iter(task.evaluation_batches(table, 1).epoch(0)))
    return batch if len(batch.input) >= FEWEST_STEPS else None
