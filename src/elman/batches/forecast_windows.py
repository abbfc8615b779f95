"""Windows of series, each a past and the horizon after it, cut batch by batch."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from elman.batches.batching import Batch
from elman.errors import DataError, OptionError
from elman.features.forecast import ForecastFeature
from elman.features.forecast_columns import Layout

MOST_WINDOWS = 20_000
"""Greatest number of windows per epoch: sampled anew for each in training, else evenly spaced."""


class Origins(NamedTuple):
    """The origins of forecasts: a series and the first step of the horizon each."""

    series: NDArray[np.int64]
    """Number of the series of each origin, (windows,)."""
    step: NDArray[np.int64]
    """The first step of its horizon, (windows,)."""
    member: NDArray[np.int64] | None = None
    """Number of the member of a forecaster that each is for, (windows,); None for all."""

    def take(self, rows: NDArray[np.int64]) -> Origins:
        """Return some of the origins."""
        member = None if self.member is None else self.member[rows]
        return Origins(self.series[rows], self.step[rows], member)

    def independent(self, horizon: int) -> float:
        """Return how many horizons that do not overlap the origins cover, about."""
        order = np.lexsort((self.step, self.series))
        series, step = self.series[order], self.step[order]
        apart = np.where(np.diff(series) == 0, np.diff(step), horizon)
        return float(np.minimum(apart, horizon).sum() / horizon + 1) if len(step) else 0.0


class ForecastWindows:
    """Batches of windows of series.

        input   past (the window, or as much as exists), then horizon, (P + H, B, columns)
        target  the values of the horizon, (H, B, n), NaN where one is missing

    In the horizon the input's values are missing, and its past covariates and past ids 0: the
    future is in the target alone. Origins for single members of a forecaster add a column to the
    input, with the number of each row's member. Windows whose whole target is missing are left out.

    Args:
        series: series encoded by a `ForecastFeature`, (T, columns) each.
        origins: origins of the windows.
        layout: meaning of the columns.
        window: window length, the greatest number of past steps.
        horizon: H.
        batch_size: rows per batch; one batch of an epoch may have fewer.
        seed: random seed of the order.
        shuffle: whether the order of windows, and the sample where they are many, changes from
            epoch to epoch; else they keep their order.
        most: greatest number of windows per epoch; None for all.
        unanswered: whether windows whose whole target is missing are kept.
        weights: how often windows of each series are drawn, (series,), if they are shuffled: with
            replacement, in proportion; None draws every window once, or as many as `most`.

    Raises:
        DataError: every target is missing.
        OptionError: batch_size is less than 1.
    """

    def __init__(
        self,
        series: Sequence[Tensor],
        origins: Origins,
        layout: Layout,
        *,
        window: int,
        horizon: int,
        batch_size: int,
        seed: int = 0,
        shuffle: bool = False,
        most: int | None = MOST_WINDOWS,
        unanswered: bool = False,
        weights: NDArray[np.float64] | None = None,
    ) -> None:
        if batch_size < 1:
            raise OptionError(f"batch_size must be at least 1, got {batch_size}.")
        self.layout, self.window, self.horizon = layout, window, horizon
        self.batch_size, self.seed, self.shuffle = batch_size, seed, shuffle
        self._flat = torch.cat(list(series))
        lengths = [len(each) for each in series]
        self._begins = np.concatenate([[0], np.cumsum(lengths)])[:-1].astype(np.int64)
        self.origins = origins
        if not unanswered:
            self.origins = origins.take(np.flatnonzero(self._has_target(origins)))
        count = len(self.origins.step)
        if not count:
            raise DataError(
                "every value to forecast is missing; fill some in, or remove the series."
            )
        self._windows = count if most is None else min(count, most)
        self._weights = None if weights is None else weights[self.origins.series]

    def __len__(self) -> int:
        """Number of batches per epoch."""
        return math.ceil(self._windows / self.batch_size)

    def epoch(self, n: int) -> Iterator[Batch]:
        """Yield the batches of epoch n, n ≥ 0."""
        count = len(self.origins.step)
        random = np.random.default_rng([self.seed, n])
        if self.shuffle and self._weights is not None:
            order = random.choice(count, self._windows, p=self._weights / self._weights.sum())
        elif self.shuffle:
            order = random.permutation(count)[: self._windows]
        else:
            order = np.linspace(0, count - 1, self._windows).round().astype(np.int64)
        for start in range(0, len(order), self.batch_size):
            yield self.cut(self.origins.take(order[start : start + self.batch_size]))

    def cut(self, origins: Origins) -> Batch:
        """Cut the windows of some origins, side by side."""
        layout, horizon = self.layout, self.horizon
        first = self._begins[origins.series] + origins.step
        past = np.minimum(origins.step, self.window)
        steps = np.arange(int(past.max(initial=0)) + horizon)[:, None]
        times = first - past + steps
        x = self._flat[torch.from_numpy(np.minimum(times, first + horizon - 1))]
        future = torch.from_numpy(steps >= past)
        padding = torch.from_numpy(steps >= past + horizon)
        x[..., : layout.values].masked_fill_(future.unsqueeze(-1), torch.nan)
        for first_column, count in (
            (layout.values, layout.past),
            (layout.numbers, len(layout.past_ids)),
        ):
            x[..., first_column : first_column + count].masked_fill_(future.unsqueeze(-1), 0.0)
        x.masked_fill_(padding.unsqueeze(-1), 0.0)
        if origins.member is not None:
            member = torch.from_numpy(origins.member).float()
            x = torch.cat([x, member.expand(len(x), -1).unsqueeze(-1)], -1)
        target = self._flat[torch.from_numpy(first + np.arange(horizon)[:, None])]
        lengths = torch.from_numpy(past + horizon)
        return Batch(x, target[..., : layout.values].clone(), lengths, per_step=False)

    def _has_target(self, origins: Origins) -> NDArray[np.bool_]:
        """Tell which windows have an observed value in their horizon."""
        observed = (~self._flat[:, : self.layout.values].isnan()).any(1).numpy()
        before = np.concatenate([[0], np.cumsum(observed)])
        first = self._begins[origins.series] + origins.step
        return np.asarray(before[first + self.horizon] > before[first])


def weights_of(
    sampling: str | None, series: Sequence[Tensor], origins: Origins, values: int
) -> NDArray[np.float64] | None:
    """Return how often windows of each series are drawn, (series,); None where each is once.

    Args:
        sampling: `windows`; `series`, so that each series gives as many as another; or `scale`, in
            proportion to its mean absolute value.
        series: encoded, the values first.
        origins: of the windows.
        values: n.

    Source: `scale`: Salinas et al. 2020, arXiv:1704.04110, §3.3.
    """
    if sampling in (None, "windows"):
        return None
    if sampling == "series":
        counts = np.bincount(origins.series, minlength=len(series))
        return np.asarray(1.0 / np.maximum(1, counts))
    sizes = [float(each[:, :values].abs().nanmean()) for each in series]
    known = np.nan_to_num(np.array(sizes))
    return known if known.any() else None


def training_origins(feature: ForecastFeature, lengths: Sequence[int]) -> Origins:
    """List the origins of training windows: all with a full past in every series.

    In a short series all origins in its second half are used, even without a full past.
    """
    steps = np.asarray(lengths)
    return origins_between(training_origins_begin(feature, steps), steps - feature.horizon, 1)


def training_origins_begin(
    feature: ForecastFeature, lengths: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Return the first origin of a training window in every series."""
    longest = lengths - feature.horizon
    return np.minimum(feature.window, np.maximum(1, (longest + 1) // 2))


def folded_origins(
    first: NDArray[np.int64],
    held: NDArray[np.int64],
    stop: NDArray[np.int64],
    horizon: int,
    folds: int,
) -> tuple[Origins, Origins]:
    """List the origins that each member learns from, and those that it is validated on.

    The steps of a series are cut into as many parts as there are members: its last part is that
    from `held`, the others are of equal length. A member learns from all horizons that have no
    step in its own part, and is validated on those that lie in it.

    Args:
        first: the first origin in every series.
        held: the first step of the last part; `stop` where a series has none.
        stop: the number of steps.
        horizon: H.
        folds: number of parts, of members.
    """
    origins = origins_between(first, stop - horizon, 1)
    rows = origins.series
    share = np.arange(folds) / max(1, folds - 1)
    edges = first[:, None] + (np.maximum(held - first, 0)[:, None] * share).astype(np.int64)
    edges = np.concatenate([edges, stop[:, None]], 1)[rows]
    begins, ends = origins.step[:, None], origins.step[:, None] + horizon
    meets = (begins < edges[:, 1:]) & (ends > edges[:, :-1])
    inside = (begins >= edges[:, :-1]) & (ends <= edges[:, 1:])
    learned, validated = np.nonzero(~meets), np.nonzero(inside)
    return (
        origins.take(learned[0])._replace(member=learned[1]),
        origins.take(validated[0])._replace(member=validated[1]),
    )


def origins_between(first: NDArray[np.int64], last: NDArray[np.int64], stride: int) -> Origins:
    """List origins from a first to a last step of every series, `stride` steps apart."""
    counts = np.maximum(0, (last - first) // stride + 1)
    series = np.repeat(np.arange(len(counts)), counts)
    within = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
    return Origins(series, first[series] + within * stride)


def origins_spread(first: NDArray[np.int64], last: NDArray[np.int64], most: int) -> Origins:
    """List origins evenly spread from a first to a last step of every series.

    Args:
        first: the first origin of every series.
        last: the last one; before the first where a series has none.
        most: origins of a series, at most; a series with fewer steps has one at each.

    >>> origins_spread(np.array([10, 4]), np.array([20, 5]), 3).step.tolist()
    [10, 15, 20, 4, 5]
    """
    counts = np.clip(last - first + 1, 0, most)
    series = np.repeat(np.arange(len(counts)), counts)
    within = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
    share = within / np.maximum(1, counts - 1)[series]
    return Origins(series, first[series] + np.round((last - first)[series] * share).astype(int))
