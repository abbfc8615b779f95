"""How much each token of a text contributed to the prediction."""

from __future__ import annotations

from elman.batches.batching import Batch
from elman.data.table import Table
from elman.features.feature import Feature
from elman.inspection.integrated_gradients import POINTS, integrated_gradients
from elman.models.model import Model
from elman.networks.ensemble import members_of

MOST_STEPS, FEWEST_POINTS = 100_000, 10
"""Steps of all points of a path together; a long text has fewer points, but not fewer than this."""


def weights_of_tokens(model: Model, table: Table, row: int, steps: int) -> list[float]:
    """Return what each token of a row adds to the output of the predicted class.

    Args:
        model: many-to-one, of classes.
        table: with the row.
        row: its number.
        steps: its number of tokens, by which the points of the path are chosen.
    """

    def batch_of(rows: int) -> Batch:
        batches, _ = model.task.input_batches(table.select([row] * rows), rows)
        return next(batches)

    network = members_of(model.network)[0]
    points = min(POINTS, max(FEWEST_POINTS, MOST_STEPS // steps))
    found = integrated_gradients(network, batch_of, network.inputs, points=points)
    weights: list[float] = found.weights[0].tolist()
    return weights


def note_of_weights(feature: Feature) -> str:
    """Say what a weight is.

    Args:
        feature: of the text.
    """
    token = "word" if feature.is_text else "symbol"
    if feature.spelled or feature.joined:
        token = "character" if feature.spelled else "byte pair"
    return (
        f"Integrated gradients of each {token} (Sundararajan et al. 2017): what its vector adds to "
        "the output of the predicted class on the way from zeros to what it is. Together they add "
        "up to what the text makes of that output."
    )
