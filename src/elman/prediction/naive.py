"""Naive forecasts from the ends of histories, beside which every forecast is measured."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from elman.networks.naive import DRIFT, LAST, MEAN, in_words, naive_names, season_of

Numbers = NDArray[np.float64]


def naive_forecasts(
    histories: Sequence[Numbers], horizon: int, seasons: Sequence[int], window: int
) -> dict[str, list[Numbers]]:
    """Return the naive forecasts of every history: what each is, in words → (H, n) per history.

    Args:
        histories: in the order of time, (T, n) each, NaN where a value is missing.
        horizon: H, steps ahead.
        seasons: lengths of the seasons.
        window: steps over which the mean and the drift are taken.
    """
    recent = [history[-window:] for history in histories]
    forecasts: dict[str, list[Numbers]] = {}
    for name in naive_names(seasons):
        season = season_of(name)
        if season is None:
            forecasts[in_words(name)] = [_OF_WINDOW[name](each, horizon) for each in recent]
        else:
            forecasts[in_words(name)] = [seasonal_naive(h, horizon, season) for h in histories]
    return forecasts


def seasonal_naive(history: Numbers, horizon: int, season: int = 1) -> Numbers:
    """Repeat for every step ahead the value one season before, (H, n).

    Where that value is missing, the one a season earlier is taken, and so on; where all are
    missing, the last known value; NaN in a column without values.

    Args:
        history: in the order of time, (T, n), NaN where a value is missing.
        horizon: H, steps ahead.
        season: steps of a season.

    Source: Hyndman and Athanasopoulos 2021, Forecasting: Principles and Practice, 3rd ed., §5.2.

    >>> seasonal_naive(np.array([[1.0], [2.0], [3.0], [4.0]]), horizon=3, season=2).ravel().tolist()
    [3.0, 4.0, 3.0]
    """
    naive = np.full((horizon, history.shape[1]), np.nan)
    place = len(history) - season + np.arange(horizon) % season
    while (place >= 0).any():
        before = history[place.clip(0)]
        naive = np.where(np.isnan(naive) & (place >= 0)[:, None], before, naive)
        if not np.isnan(naive).any():
            return naive
        place = place - season
    for column, values in enumerate(history.T):
        observed = np.flatnonzero(~np.isnan(values))
        if len(observed):
            gaps = np.isnan(naive[:, column])
            naive[gaps, column] = values[observed[-1]]
    return naive


def _last(history: Numbers, horizon: int) -> Numbers:
    return seasonal_naive(history, horizon)


def _mean(history: Numbers, horizon: int) -> Numbers:
    observed = ~np.isnan(history)
    sums = np.where(observed, history, 0.0).sum(0)
    mean = np.divide(sums, observed.sum(0), out=np.full(len(sums), np.nan), where=observed.any(0))
    return np.repeat(mean[None], horizon, axis=0)


def _drift(history: Numbers, horizon: int) -> Numbers:
    """Continue the line through the first and the last observed value, (H, n)."""
    naive = _last(history, horizon)
    ahead = np.arange(1, horizon + 1)
    for column, values in enumerate(history.T):
        observed = np.flatnonzero(~np.isnan(values))
        if len(observed) > 1:
            first, last = observed[0], observed[-1]
            naive[:, column] += ahead * (values[last] - values[first]) / (last - first)
    return naive


_OF_WINDOW: dict[str, Callable[[Numbers, int], Numbers]] = {LAST: _last, MEAN: _mean, DRIFT: _drift}
