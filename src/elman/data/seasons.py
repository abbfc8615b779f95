"""Seasons of series, found by autocorrelation."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

Numbers = NDArray[np.float64]

MOST = 3
"""Greatest number of seasons that are found."""

_SERIES = 64
"""Greatest number of series that are read, evenly spread over all."""

_STEPS = 100_000
"""Greatest number of steps that are read of a series, its last ones."""

_LEAST_REPEATS = 3
"""How often a season must have been seen."""

_LEAST_STRENGTH = 0.25
"""Least autocorrelation at a season of the values less their moving mean over it."""

_ERRORS = 1.5
"""How many times √(season / steps), about three standard errors for values that wander, that
autocorrelation must be."""

_WANDERS = 4
"""A shorter season must be as clear as one of so many steps: noise seems to have some of these."""

_BURSTS = 9.0
"""Kurtosis above which a series is as short as if it had fewer steps: few of them say anything."""

_AS_STRONG = 0.85
"""A season is taken rather than a longer one that is stronger by less than this."""

_STANDS_OUT = 0.1
"""How much a longer season must be stronger than the lags one shorter season beside it."""

_FAR_SHORTER = 7
"""A season beneath another is shorter by this factor at least, as a day of a week is …"""

_CLEAR = 0.5
"""… and has at least this autocorrelation."""

_ALL = 200
"""All peaks of the autocorrelation up to this lag are looked at …"""

_HIGHEST = 50
"""… and of the longer ones so many."""

_ROUNDING = 1e-12
"""Least share of the mean square that is variance, not rounding."""

_CLIPPED = 6.0
"""Values are clipped at so many robust standard deviations from their median."""


def find_seasons(series: Sequence[ArrayLike], longest: int | None = None) -> list[int]:
    """Find the lengths of the seasons of series, the shortest first; none where there is none.

    A season is a peak of the autocorrelation of the values less their moving mean over that very
    season, far above what values that merely wander have, and a longer one stands out from the
    lags beside it that are one shorter season away: a week from six and eight days. Outliers are
    clipped, missing values left out.

    Args:
        series: values of each, (T,), NaN where missing; a season is one of most of them.
        longest: greatest length; None for a third of the median length of the series.

    Source: Box and Jenkins 1970, ch. 2, for the autocorrelation and its standard error.

    >>> import numpy as np
    >>> find_seasons([np.sin(np.arange(200) * np.pi / 6)])
    [12]
    """
    chosen = np.linspace(0, len(series) - 1, min(len(series), _SERIES)).round().astype(int)
    read = [np.asarray(series[place], np.float64)[-_STEPS:] for place in chosen]
    read = [_clipped(each) for each in read if (~np.isnan(each)).sum() >= 2 * _LEAST_REPEATS]
    if not read:
        return []
    most = int(np.median([len(each) for each in read])) // _LEAST_REPEATS
    most = most if longest is None else min(most, longest)
    read = [each for each in read if len(each) > most + 2]
    strengths = {lag: _strength(read, lag) for lag in _candidates(read, most)}
    strong = {lag: value for lag, value in strengths.items() if value >= _threshold(read, lag)}
    seasons: list[int] = []
    weaker = dict(strong)
    while strong and len(seasons) < MOST:
        highest = max(strong.values())
        first = min(lag for lag, value in strong.items() if value >= _AS_STRONG * highest)
        seasons.append(_sharpened(read, first, most))
        strong = {
            lag: value
            for lag, value in strong.items()
            if lag >= 2 * seasons[-1] and value - _beside(read, lag, seasons[-1]) >= _STANDS_OUT
        }
    return [*_beneath(read, weaker, seasons), *seasons][:MOST]


def autocorrelation(values: ArrayLike, most: int) -> Numbers:
    """Return the autocorrelation at lags 0 … most, each over the pairs of observed values.

    Args:
        values: (T,), NaN where missing.
        most: the greatest lag, less than T.

    >>> autocorrelation([1.0, -1.0, 1.0, -1.0], 2).tolist()
    [1.0, -1.0, 1.0]
    """
    values = np.asarray(values, np.float64)
    observed = ~np.isnan(values)
    if not observed.any():
        return np.zeros(most + 1)
    centred = np.where(observed, values - values[observed].mean(), 0.0)
    size = 1 << (2 * len(values) - 1).bit_length()
    spectrum, marks = np.fft.rfft(centred, size), np.fft.rfft(observed.astype(float), size)
    products = np.fft.irfft(np.abs(spectrum) ** 2, size)[: most + 1]
    pairs = np.fft.irfft(np.abs(marks) ** 2, size)[: most + 1].round()
    variance = products[0] / max(pairs[0], 1)
    if variance <= _ROUNDING * max(1e-300, float(np.square(values[observed]).mean())):
        return np.zeros(most + 1)
    covariance = np.where(pairs > 0, products / np.maximum(pairs, 1), 0.0)
    return np.asarray((covariance / variance).round(12))


def _candidates(series: Sequence[Numbers], most: int) -> list[int]:
    """Return the lags at which the autocorrelation has a peak, less a slow mean or as it is.

    Of the long ones only the highest peaks are returned.
    """
    found: set[int] = set()
    height: dict[int, float] = {}
    for prepared in (
        [_less_mean(each, len(each)) for each in series],
        [_less_mean(each, max(3, len(each) // 12)) for each in series],
        [np.diff(each) for each in series],
    ):
        correlation = np.median([autocorrelation(each, most + 1) for each in prepared], axis=0)
        for lag in range(2, most + 1):
            if (
                correlation[lag] > 0
                and correlation[lag] >= correlation[max(1, lag - 2) : lag + 3].max()
            ):
                found.add(lag)
                height[lag] = max(height.get(lag, 0.0), float(correlation[lag]))
    longer = sorted((lag for lag in found if lag > _ALL), key=lambda lag: -height[lag])
    return sorted([lag for lag in found if lag <= _ALL] + longer[:_HIGHEST])


def _sharpened(series: Sequence[Numbers], season: int, most: int) -> int:
    """Return the season near another whose autocorrelation is highest."""
    near = range(max(2, season - season // 8), min(most, season + season // 8) + 1)
    return max(near, key=lambda lag: _strength(series, lag))


def _beneath(
    series: Sequence[Numbers], strong: dict[int, float], seasons: Sequence[int]
) -> list[int]:
    """Return a far shorter season within the shortest found, if its values repeat it by themselves.

    So a day is found within a week whose days are unlike.
    """
    shorter = {
        lag: value
        for lag, value in strong.items()
        if seasons and _FAR_SHORTER * lag <= seasons[0] and value >= _CLEAR
    }
    if not shorter:
        return []
    least = _AS_STRONG * max(shorter.values())
    first = min(lag for lag, value in shorter.items() if value >= least)
    return [_sharpened(series, first, seasons[0] // _FAR_SHORTER)]


def _strength(series: Sequence[Numbers], season: int) -> float:
    """Return the autocorrelation at a season, less the moving mean over it; the median."""
    return _correlation(series, season, season)


def _beside(series: Sequence[Numbers], lag: int, season: int) -> float:
    """Return the higher autocorrelation of the lags one shorter season away."""
    return max(_correlation(series, lag, place) for place in (lag - season, lag + season))


def _correlation(series: Sequence[Numbers], steps: int, lag: int) -> float:
    """Return the autocorrelation at a lag, less the moving mean over some steps; the median."""
    found = []
    for values in series:
        rest = _less_mean(values, steps)
        observed = ~np.isnan(rest)
        centred = np.where(observed, rest - rest[observed].mean(), 0.0)
        pairs = int((observed[lag:] & observed[:-lag]).sum())
        square = float(np.square(values[observed]).mean())
        variance = float(np.square(centred).sum()) / int(observed.sum())
        known = pairs > 0 and variance > _ROUNDING * max(1e-300, square)
        found.append(float(centred[lag:] @ centred[:-lag]) / pairs / variance if known else 0.0)
    return float(np.median(found))


def _threshold(series: Sequence[Numbers], season: int) -> float:
    """Return the least autocorrelation that is not by chance."""
    steps = float(np.median([_telling_steps(each) for each in series]))
    return float(
        max(_LEAST_STRENGTH, _ERRORS * (max(season, _WANDERS) / steps / len(series)) ** 0.5)
    )


def _telling_steps(values: Numbers) -> float:
    """Return the number of steps, less where a few of them hold most of the variance."""
    squares = np.square(values - np.nanmean(values))
    variance = float(np.nanmean(squares))
    if variance <= 0:
        return float(len(values))
    kurtosis = float(np.nanmean(np.square(squares / variance)))
    return float(len(values) * min(1.0, _BURSTS / kurtosis))


def _clipped(values: Numbers) -> Numbers:
    """Clip outliers, by the median of the absolute deviations."""
    median = np.nanmedian(values)
    spread = 1.4826 * np.nanmedian(np.abs(values - median))
    if spread <= 0:
        return values
    return np.clip(values, median - _CLIPPED * spread, median + _CLIPPED * spread)


def _less_mean(values: Numbers, steps: int) -> Numbers:
    """Subtract the mean over the observed steps around each, half of them on either side."""
    observed = (~np.isnan(values)).astype(float)
    sums = np.cumsum(np.concatenate([[0.0], np.where(observed > 0, values, 0.0)]))
    counts = np.cumsum(np.concatenate([[0.0], observed]))
    places = np.arange(len(values))
    first, last = (places - steps // 2).clip(0), (places + (steps + 1) // 2).clip(max=len(values))
    mean = (sums[last] - sums[first]) / np.maximum(counts[last] - counts[first], 1)
    return np.asarray(values - mean)
