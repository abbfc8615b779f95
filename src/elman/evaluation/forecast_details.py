"""Where forecasts are good and where not: by step ahead, by series and by level."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.float64]

RANKED = 3
"""Number of series that are listed as the best, as the median ones and as the worst."""


def errors_by_step(
    truths: Sequence[Numbers],
    predictions: Sequence[Numbers],
    scales: Sequence[Numbers | None] | None = None,
) -> list[float | None]:
    """Return the mean absolute error of every step ahead; None where no value is observed.

    Args:
        truths: true values of each forecast, (H, k), NaN where one is missing.
        predictions: likewise.
        scales: what the errors of each forecast are divided by, (k,); forecasts without are left
            out. None for errors as they are.

    >>> errors_by_step([np.array([[1.0], [np.nan]])], [np.array([[3.0], [4.0]])])
    [2.0, None]
    """
    units = [1.0] * len(truths) if scales is None else scales
    return _means_by_step(
        [
            np.abs(truth - predicted) / unit
            for truth, predicted, unit in zip(truths, predictions, units, strict=True)
            if unit is not None
        ]
    )


def coverage_by_step(
    truths: Sequence[Numbers], low: Sequence[Numbers], high: Sequence[Numbers]
) -> list[float | None]:
    """Return the share of true values that lie in their interval, of every step ahead.

    Args:
        truths: true values of each forecast, (H, k), NaN where one is missing.
        low: lower ends, likewise.
        high: upper ends, likewise.
    """
    inside = []
    for truth, below, above in zip(truths, low, high, strict=True):
        within = ((below <= truth) & (truth <= above)).astype(np.float64)
        inside.append(np.where(np.isnan(truth), np.nan, within))
    return _means_by_step(inside)


def shares_below(
    truths: Sequence[Numbers], quantiles: Mapping[float, Sequence[Numbers]]
) -> list[list[float]]:
    """Return every level with the share of true values that do not exceed its quantile.

    Args:
        truths: true values of each forecast, (H, k), NaN where one is missing.
        quantiles: level → forecasts, likewise.
    """
    values = np.concatenate([truth.ravel() for truth in truths])
    known = ~np.isnan(values)
    shares = []
    for level, forecasts in sorted(quantiles.items()):
        bound = np.concatenate([each.ravel() for each in forecasts])
        shares.append([level, float((values <= bound)[known].mean())])
    return shares


def ranking(
    model: Mapping[Any, Mapping[str, float]],
    naive: Mapping[Any, Mapping[str, float]] | None,
    by: str,
) -> dict[str, Any]:
    """Rank the series by a score, and list the best, the median and the worst ones.

    Args:
        model: series → its scores.
        naive: likewise of the best naive forecast, if there is one.
        by: name of a score of which less is better.

    Returns:
        `by`; `of`, how many series have the score; `rows`, one a listed series: `series`, `place`
        (`best`, `median` or `worst`; empty for one that lies between), and the scores of `model`
        and `naive`.
    """
    order = sorted((item for item in model if by in model[item]), key=lambda item: model[item][by])
    middle = (len(order) - 1) // 2
    places = {middle: "median", 0: "best", len(order) - 1: "worst"} if len(order) > 1 else {}
    listed = range(len(order))
    if len(order) > 3 * RANKED:
        around = range(middle - RANKED // 2, middle - RANKED // 2 + RANKED)
        groups = {"best": listed[:RANKED], "median": around, "worst": listed[-RANKED:]}
        places = {row: place for place, rows in groups.items() for row in rows}
    rows = [
        {
            "series": order[row],
            "place": places.get(row, ""),
            "model": model[order[row]][by],
            "naive": None if naive is None else naive[order[row]].get(by),
        }
        for row in listed
        if len(order) <= 3 * RANKED or row in places
    ]
    return {"by": by, "of": len(order), "rows": rows}


def _means_by_step(values: Sequence[Numbers]) -> list[float | None]:
    """Average (H, k) each over forecasts and columns, step by step, without what is missing."""
    steps = max((len(each) for each in values), default=0)
    sums, counts = np.zeros(steps), np.zeros(steps)
    for each in values:
        sums[: len(each)] += np.nansum(each, 1)
        counts[: len(each)] += (~np.isnan(each)).sum(1)
    return [
        total / count if count else None
        for total, count in zip(sums.tolist(), counts.tolist(), strict=True)
    ]
