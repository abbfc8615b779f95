"""The errors that forecasts are scaled by: those of the seasonal naive forecast in each history."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from elman.errors import OptionError

Numbers = NDArray[np.float64]


def scales_of(histories: Sequence[Numbers], season: int) -> list[Numbers | None]:
    """Return the `seasonal_naive_error` of each history, (k,); None where it is undefined or 0.

    Histories that begin at the same place in memory, as those of rolling origins do, are read once
    together: the time is that of the longest, not of all.

    Args:
        histories: in the order of time, (T, k) each, NaN where a value is missing.
        season: steps in a season.

    Raises:
        OptionError: season < 1.
    """
    if season < 1:
        raise OptionError(f"season must be at least 1 step, got {season}.")
    together: dict[tuple[object, ...], list[int]] = {}
    for row, history in enumerate(histories):
        place = history.__array_interface__["data"][0], history.strides, history.shape[1]
        together.setdefault(place, []).append(row)
    scales: list[Numbers | None] = [None] * len(histories)
    for rows in together.values():
        longest = max((histories[row] for row in rows), key=len)
        changes = np.abs(longest[season:] - longest[:-season])
        observed = ~np.isnan(changes)
        sums = np.where(observed, changes, 0.0).cumsum(0)
        counts = observed.cumsum(0)
        for row in rows:
            last = len(histories[row]) - season - 1
            if last >= 0 and counts[last].all() and (sums[last] > 0).all():
                scales[row] = sums[last] / counts[last]
    return scales
