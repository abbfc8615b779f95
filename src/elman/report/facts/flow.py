"""The gradient flow of a trained model, measured on a few rows of its validation part."""

from __future__ import annotations

from typing import Any

import numpy as np

from elman.batches.batching import Batch
from elman.data.table import Table
from elman.inspection.model_flow import model_gradient_flow
from elman.models.model import Model
from elman.report.run.facts import Flow
from elman.tasks.batches import evaluation_batches, is_stream

ROWS, CANDIDATES = 8, 64
"""Rows that are read, and those they are chosen from."""
MOST_STEPS = 4_000
"""Steps of all these rows together: of long rows there are fewer."""
CUT = 1_000
"""Steps that are read of a row whose every step has a target."""
FEWEST_STEPS = 3
"""Steps of the shortest row whose gradient flow makes a curve."""


def flow_of(model: Model, table: Table) -> Flow | None:
    """Measure the gradient flow of a model on a few rows; None where there is none to see.

    Args:
        model: trained; nothing of it is changed.
        table: rows with their answers. Those that are read have the median number of steps at
            least, so that the curve is long and of common rows.
    """
    network: Any = model.network
    has_flow = model.task.category in {"many-to-one", "many-to-many", "encoder-decoder"}
    batch = _batch(model, table) if has_flow and not model.task.forecasts else None
    if batch is None:
        return None
    directions = model_gradient_flow(network, batch)
    if not all(
        bool(flow.hidden.isfinite().all() & flow.hidden.any()) for flow in directions.values()
    ):
        return None
    per_step = model.task.category == "many-to-many"
    if model.task.category == "encoder-decoder":
        attends = network.decoder.attention is not None
        return Flow(directions, False, "attention" if attends else "last", of_encoder=True)
    return Flow(
        directions,
        per_step,
        pooling="last" if per_step else model.experiment.network.pooling,
        delay=network.delay if per_step else 0,
    )


def _batch(model: Model, table: Table) -> Batch | None:
    """Read a few rows with enough steps; None where there are none."""
    task = model.task
    if is_stream(task):
        batch = next(iter(evaluation_batches(task, table, 1).epoch(0)))
        return batch if len(batch.input) >= FEWEST_STEPS else None
    places = np.linspace(0, len(table) - 1, min(len(table), CANDIDATES)).astype(np.int64)
    some = table.select(places)
    steps = [len(task.input.encode(value)) for value in some.values(task.input_columns)]
    enough = max(FEWEST_STEPS, float(np.median(steps)))
    rows = [row for row, count in enumerate(steps) if count >= enough][:ROWS]
    if not rows:
        return None
    rows = rows[: max(1, MOST_STEPS // max(steps[row] for row in rows))]
    batch = next(iter(evaluation_batches(task, some.select(rows), len(rows)).epoch(0)))
    if not batch.per_step or task.objective["name"] == "crf":  # whose tags may not end anywhere
        return batch
    return batch._replace(
        input=batch.input[:CUT],
        target=batch.target[:CUT],
        lengths=batch.lengths.clamp(max=CUT),
    )
