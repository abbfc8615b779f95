"""Naive forecasts of a window: what needs no network, and what a network begins from."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor

LAST, MEAN, DRIFT = "last", "mean", "drift"

_RATES = (0.03, 0.1, 0.3)
"""Rates at which levels are smoothed: from a slow one to that of what changes soon."""


def naive_names(seasons: Sequence[int]) -> list[str]:
    """Name the naive forecasts.

    >>> naive_names([24, 168])
    ['last', 'mean', 'drift', 'season 24', 'season 168']
    """
    return [LAST, MEAN, DRIFT, *(f"season {season}" for season in seasons)]


def season_of(name: str) -> int | None:
    """Return the season whose values a naive forecast repeats; None for the others.

    >>> season_of("season 24")
    24
    """
    return int(name.removeprefix("season ")) if name.startswith("season ") else None


def in_words(name: str) -> str:
    """Say what a naive forecast is.

    >>> in_words("season 24")
    'the value 24 steps before'
    """
    if (season := season_of(name)) is not None:
        return f"the value {season} steps before"
    return {LAST: "the last value", MEAN: "the mean of the window", DRIFT: "the drift"}[name]


class Paths(NamedTuple):
    """Forecasts of a batch of windows."""

    naive: Tensor
    """Those of `naive_names`, (forecasts, H, B, n)."""
    others: Tensor
    """Those that combine them, (others, H, B, n)."""


def naive_paths(
    past: Tensor,
    horizon: int,
    seasons: Sequence[int],
    unknown: Tensor,
    window: int | None = None,
) -> Paths:
    """Forecast windows naively.

        last        y(t)                                    t the last step of the window
        mean        the mean of the window
        drift       y(t) + h (y(t) − y(s)) / (t − s)        s its first observed step
        season L    y(t + h − L ⌈h/L⌉)

    and, of each season that the window has twice, with l and l' the means of the last season and
    of the one before: the season on the last level, y(t + h − L) + l − l'; on the last value,
    y(t + h − L) + y(t) − y(t − L); and the mean shape of all seasons on the last level. In place
    of a missing value stands the one a season earlier, else the last one. Last, the mean shapes of
    all seasons together on a level smoothed at several rates α, Σ (1 − α)ᵏ z(t − k) / Σ (1 − α)ᵏ
    of z, the values without these shapes.

    Args:
        past: windows, (P, B, n), NaN where a value is missing.
        horizon: H.
        seasons: their lengths; one longer than the window is as the last value.
        unknown: forecast where a window has no value, (n,).
        window: steps of a whole window, where these are its beginning; then the forecasts are as
            many as those of the whole.

    Source: Hyndman and Athanasopoulos 2021, Forecasting: Principles and Practice, 3rd ed., §5.2;
    the seasonal ones with a level: Hyndman et al. 2008, ch. 2, unsmoothed.
    """
    last, mean, slope = _ends(past, unknown)
    ahead = torch.arange(1, horizon + 1, device=past.device, dtype=past.dtype).view(-1, 1, 1)
    flat = last.expand(horizon, -1, -1)
    naive = [flat, mean.expand(horizon, -1, -1), last + ahead * slope]
    others: list[Tensor] = []
    for season in seasons:
        twice = (window or len(past)) >= 2 * season
        seasonal, combined = _of_season(past, horizon, season, last, 3 if twice else 0)
        naive.append(seasonal)
        others += combined
    others += _smoothed(past, horizon, seasons, mean)
    return Paths(torch.stack(naive), torch.stack(others))


def _ends(past: Tensor, unknown: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Return the last value, the mean and the slope between the observed ends, (B, n) each."""
    observed = ~past.isnan()
    if bool(observed.all()):
        return past[-1], _mean(past, 0), (past[-1] - past[0]) / max(1, len(past) - 1)
    nothing = ~observed.any(0)
    last = _last_observed(past)[-1].where(~nothing, unknown)
    mean = _mean(past, 0).where(~nothing, unknown)
    steps = torch.arange(len(past), device=past.device).view(-1, 1, 1)
    first_step = steps.where(observed, len(past)).amin(0).clamp(max=len(past) - 1)
    last_step = steps.where(observed, -1).amax(0)
    first = past.gather(0, first_step.unsqueeze(0))[0].where(~nothing, last)
    return last, mean, (last - first) / (last_step - first_step).clamp(min=1)


def combined_count(window: int, seasons: Sequence[int]) -> int:
    """Count the forecasts beside the naive ones of `naive_paths`, for windows of that length."""
    return 3 * sum(window >= 2 * season for season in seasons) + len(_RATES)


def _of_season(
    past: Tensor, horizon: int, season: int, last: Tensor, count: int
) -> tuple[Tensor, list[Tensor]]:
    """Return the seasonal naive forecast, and `count` that combine it with levels."""
    place = torch.arange(horizon, device=past.device) % season
    repeats = len(past) // season
    if not repeats:
        flat = last.expand(horizon, -1, -1)
        return flat, [flat] * count
    # (repeats, season, B, n), the last repeat complete
    by_season = past[len(past) - repeats * season :].unflatten(0, (repeats, season))
    ended = _last_observed(by_season)
    shape = ended[-1].where(~ended[-1].isnan(), last)
    seasonal = shape[place]
    if repeats < 2:
        return seasonal, [seasonal] * count
    level, before = _mean(by_season[-1], 0), _mean(by_season[-2], 0)
    rise = (level - before).nan_to_num(0.0)
    since = (last - ended[-2][-1]).where(~ended[-2][-1].isnan(), 0.0)
    shapes = _mean(by_season - _mean(by_season, 1).unsqueeze(1), 0)
    level = level.where(~level.isnan(), last)
    mean_shape = (shapes.nan_to_num(0.0) + level)[place]
    return seasonal, [seasonal + rise, seasonal + since, mean_shape]


def _smoothed(past: Tensor, horizon: int, seasons: Sequence[int], mean: Tensor) -> list[Tensor]:
    """Return the mean shapes of all seasons together, on levels smoothed at several rates."""
    rest, shape = past - mean, past.new_zeros(horizon, *mean.shape)
    before = torch.arange(-len(past), 0, device=past.device)
    for season in seasons:
        repeats = len(past) // season
        if repeats < 2:
            continue
        by_season = rest[len(past) - repeats * season :].unflatten(0, (repeats, season))
        of_season = _mean(by_season - _mean(by_season, 1).unsqueeze(1), 0).nan_to_num(0.0)
        rest = rest - of_season[before % season]
        shape = shape + of_season[torch.arange(horizon, device=past.device) % season]
    observed, age = ~rest.isnan(), -1 - before
    found = []
    for rate in _RATES:
        weights = ((1 - rate) ** age).view(-1, 1, 1) * observed
        level = (rest.nan_to_num(0.0) * weights).sum(0) / weights.sum(0).clamp(min=1e-30)
        found.append(shape + level + mean)
    return found


def _mean(values: Tensor, axis: int) -> Tensor:
    """Return the mean over what is observed, NaN where nothing is."""
    if not bool(values.isnan().any()):
        # In the order, and so to the bits, of the masked sum below.
        return values.contiguous().sum(axis) / values.size(axis)
    observed = ~values.isnan()
    mean: Tensor = values.where(observed, 0).sum(axis) / observed.sum(axis)
    return mean


def _last_observed(values: Tensor) -> Tensor:
    """Put the last observed value in place of missing ones along the first axis; NaN before it."""
    observed = ~values.isnan()
    if bool(observed.all()):
        return values
    steps = torch.arange(len(values), device=values.device).view(-1, *[1] * (values.dim() - 1))
    place = steps.where(observed, -1).cummax(0).values
    return values.gather(0, place.clamp(min=0)).where(place >= 0, torch.nan)
