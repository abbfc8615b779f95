"""Series whose values vary the more, the higher they are."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

_BLOCK = 12
"""Steps over which level and spread are measured where there is no season."""

_FEWEST = 6
"""Blocks from which on a series shows how they go together."""

_RANGE = 1.5
"""Least ratio of the highest level to the lowest."""

_SLOPES = (0.7, 1.5)
"""Exponents with which spread may grow with level, 1 being in proportion."""

_CORRELATION = 0.7
"""Least correlation of the logarithms of level and spread."""


def spread_grows_with_level(series: Sequence[Floats], season: int) -> bool:
    """Tell whether most series vary in proportion to their level, so that logarithms suit them.

        ln sᵢ ≈ a + b ln mᵢ                 b between 0.7 and 1.5, correlation at least 0.7

    with the mean mᵢ and the standard deviation sᵢ of every season, or of every 12 steps. Series
    with a value that is not above 0 do not; nor do those whose level hardly changes, or that are
    too short to tell.

    Args:
        series: values, (T,), NaN where missing.
        season: its length; 1 for none.

    Source: Guerrero 1993, doi:10.1002/for.3980120104, who chooses λ = 1 − b.
    """
    if not series or any((each <= 0).any() for each in series):
        return False
    found = [_grows(each, season if season > 1 else _BLOCK) for each in series]
    return 2 * sum(found) > len(found)


def _grows(values: Floats, block: int) -> bool:
    count = len(values) // block
    if count < _FEWEST:
        return False
    blocks = values[len(values) - count * block :].reshape(count, block)
    blocks = blocks[(~np.isnan(blocks)).sum(1) > block / 2]
    if len(blocks) < _FEWEST:
        return False
    level, spread = np.nanmean(blocks, 1), np.nanstd(blocks, 1)
    if level.max() < _RANGE * level.min() or not (spread > 0).all():
        return False
    x, y = (np.log(each) - np.log(each).mean() for each in (level, spread))
    slope = float((x * y).sum() / (x * x).sum())
    correlation = slope * float(np.sqrt((x * x).sum() / max((y * y).sum(), 1e-300)))
    return _SLOPES[0] <= slope <= _SLOPES[1] and correlation >= _CORRELATION
