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

    def take(self, rows: NDArray[np.int64]) -> Origins:
        """Return some of the origins."""
        return Origins(self.series[rows], self.step[rows])


class ForecastWindows:
    """Batches of windows of series.

        input   past (the window, or as much as exists), then horizon, (P + H, B, columns)
        target  the values of the horizon, (H, B, n), NaN where one is missing

    In the horizon the input's values are missing, and its past covariates and past ids 0: the
    future is in the target alone. Windows whose whole target is missing are left out.

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

    def __len__(self) -> int:
        """Number of batches per epoch."""
        return math.ceil(self._windows / self.batch_size)

    def epoch(self, n: int) -> Iterator[Batch]:
        """Yield the batches of epoch n, n ≥ 0."""
        count = len(self.origins.step)
        if self.shuffle:
            order = np.random.default_rng([self.seed, n]).permutation(count)[: self._windows]
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
        target = self._flat[torch.from_numpy(first + np.arange(horizon)[:, None])]
        lengths = torch.from_numpy(past + horizon)
        return Batch(x, target[..., : layout.values].clone(), lengths, per_step=False)

    def _has_target(self, origins: Origins) -> NDArray[np.bool_]:
        """Tell which windows have an observed value in their horizon."""
        observed = (~self._flat[:, : self.layout.values].isnan()).any(1).numpy()
        before = np.concatenate([[0], np.cumsum(observed)])
        first = self._begins[origins.series] + origins.step
        return np.asarray(before[first + self.horizon] > before[first])


def training_origins(feature: ForecastFeature, lengths: Sequence[int]) -> Origins:
    """List the origins of training windows: all with a full past in every series.

    In a short series all origins in its second half are used, even without a full past.
    """
    longest = np.asarray(lengths) - feature.horizon
    first = np.minimum(feature.window, np.maximum(1, (longest + 1) // 2))
    return origins_between(first, longest, 1)


def origins_between(first: NDArray[np.int64], last: NDArray[np.int64], stride: int) -> Origins:
    """List origins from a first to a last step of every series, `stride` steps apart."""
    counts = np.maximum(0, (last - first) // stride + 1)
    series = np.repeat(np.arange(len(counts)), counts)
    within = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
    return Origins(series, first[series] + within * stride)
