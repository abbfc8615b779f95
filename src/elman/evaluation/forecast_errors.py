"""Errors of forecasts: of points, of quantiles, of intervals."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import ArrayLike, NDArray

Numbers = NDArray[np.float64]


def smape(truths: ArrayLike, predictions: ArrayLike) -> float:
    """Return the symmetric mean absolute percentage error, a share from 0 to 2.

        sMAPE = mean 2 |y − ŷ| / (|y| + |ŷ|)          0 where y = ŷ = 0

    over the values that are not missing.

    Args:
        truths: y, any shape, NaN where a value is missing; at least one is not.
        predictions: ŷ, of the same shape.

    Source: Makridakis, Spiliotis and Assimakopoulos 2020, doi:10.1016/j.ijforecast.2019.04.014,
    which gives it in per cent, from 0 to 200.

    >>> round(smape([1.0, 4.0, float("nan")], [3.0, 4.0, 7.0]), 3)
    0.5
    """
    y, predicted = observed(truths, predictions)
    size = np.abs(y) + np.abs(predicted)
    return float(np.mean(2 * np.abs(y - predicted) / np.where(size > 0, size, 1)))


def weighted_quantile_loss(truths: ArrayLike, quantiles: Mapping[float, ArrayLike]) -> float | None:
    """Return the mean over levels of the weighted quantile loss; None where every truth is 0.

        wQL(q) = 2 Σ ρ(q) / Σ |y|
        ρ(q)   = q (y − z) where y ≥ z, else (1 − q) (z − y)         z the quantile of level q

    with sums over the values that are not missing. For the median alone it is Σ |y − z| / Σ |y|;
    over many levels it approximates the continuous ranked probability score over mean |y|.

    Args:
        truths: y, any shape, NaN where a value is missing.
        quantiles: level → z, of the same shape.

    Source: Salinas et al. 2020, arXiv:1704.04110, §4, the ρ-risk of single steps; `wQuantileLoss`
    of GluonTS, Alexandrov et al. 2019, arXiv:1906.05264.

    >>> weighted_quantile_loss([2.0, 8.0], {0.5: [3.0, 6.0]})
    0.3
    """
    losses = []
    for level, predictions in quantiles.items():
        y, z = observed(truths, predictions)
        total = float(np.abs(y).sum())
        if total == 0:
            return None
        losses.append(2 * float(np.maximum(level * (y - z), (level - 1) * (y - z)).sum()) / total)
    return float(np.mean(losses))


def coverage(truths: ArrayLike, low: ArrayLike, high: ArrayLike) -> float:
    """Return the share of the truths that lie in their interval, ends included.

    Args:
        truths: any shape, NaN where a value is missing; at least one is not.
        low: the lower ends, of the same shape.
        high: the upper ends, likewise.

    >>> coverage([1.0, 5.0, 9.0, float("nan")], [1.0, 1.0, 1.0, 1.0], [4.0, 5.0, 6.0, 7.0])
    0.6666666666666666
    """
    y, below = observed(truths, low)
    _, above = observed(truths, high)
    return float(np.mean((below <= y) & (y <= above)))


def observed(truths: ArrayLike, predictions: ArrayLike) -> tuple[Numbers, Numbers]:
    """Return the truths that are not missing and their predictions, (N,) each."""
    y, predicted = np.asarray(truths, np.float64), np.asarray(predictions, np.float64)
    known = ~np.isnan(y)
    return y[known], predicted[known]
