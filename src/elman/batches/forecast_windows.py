"""Windows of series, each a past and the horizon after it, cut when a batch asks for them."""

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
from elman.features.forecast import ForecastFeature, Layout

MOST_WINDOWS = 20_000
"""Windows of an epoch at most, drawn anew for each; of a part that is validated, evenly spread."""


class Origins(NamedTuple):
    """From where forecasts are made: the first step ahead of each."""

    series: NDArray[np.int64]
    """Which series each is of, (windows,)."""
    step: NDArray[np.int64]
    """The first step of its horizon, (windows,)."""

    def take(self, rows: NDArray[np.int64]) -> Origins:
        """Return some of them."""
        return Origins(self.series[rows], self.step[rows])


class ForecastWindows:
    """Batches of windows of series that lie in one block of memory.

        input   past (window, or as much as there is), then horizon, (P + H, B, columns)
        target  the values of the horizon, (H, B, n), NaN where one is missing

    In the horizon the input's values are missing and its past covariates 0: the future is in the
    target alone. Windows without a value to be forecast are left out.

    Args:
        series: encoded by a `ForecastFeature`, (T, columns) each.
        origins: of the windows.
        layout: what the columns are.
        window: steps of the past at most.
        horizon: H.
        batch_size: rows a batch; one batch of an epoch may have fewer.
        seed: of the order.
        shuffle: whether windows change places from epoch to epoch, and are drawn anew where they
            are many; else they stand in their order.
        most: windows of an epoch at most; None for all.
        unanswered: whether windows without a value to be forecast stay.

    Raises:
        DataError: there is no window with a value to be forecast.
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
            self.origins = origins.take(np.flatnonzero(self._answerable(origins)))
        count = len(self.origins.step)
        if not count:
            raise DataError(
                "every value to be forecast is missing; fill some in, or take the series out."
            )
        self._windows = count if most is None else min(count, most)

    def __len__(self) -> int:
        """Batches an epoch."""
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
        """Cut some windows out, side by side."""
        layout, horizon = self.layout, self.horizon
        first = self._begins[origins.series] + origins.step
        past = np.minimum(origins.step, self.window)
        steps = np.arange(int(past.max(initial=0)) + horizon)[:, None]
        at = first - past + steps
        x = self._flat[torch.from_numpy(np.minimum(at, first + horizon - 1))]
        ahead, behind = torch.from_numpy(steps >= past), torch.from_numpy(steps >= past + horizon)
        covariates = layout.values + layout.past
        x[..., : layout.values].masked_fill_(ahead.unsqueeze(-1), torch.nan)
        x[..., layout.values : covariates].masked_fill_(ahead.unsqueeze(-1), 0.0)
        x.masked_fill_(behind.unsqueeze(-1), 0.0)
        target = self._flat[torch.from_numpy(first + np.arange(horizon)[:, None])]
        lengths = torch.from_numpy(past + horizon)
        return Batch(x, target[..., : layout.values].clone(), lengths, per_step=False)

    def _answerable(self, origins: Origins) -> NDArray[np.bool_]:
        """Tell which windows have a value to be forecast."""
        observed = (~self._flat[:, : self.layout.values].isnan()).any(1).numpy()
        before = np.concatenate([[0], np.cumsum(observed)])
        first = self._begins[origins.series] + origins.step
        return np.asarray(before[first + self.horizon] > before[first])


def training_origins(feature: ForecastFeature, lengths: Sequence[int]) -> Origins:
    """List the windows that can be learned from: those with a full past, of every series.

    Of a short series all in its second half are taken, be their past full or not.
    """
    longest = np.asarray(lengths) - feature.horizon
    first = np.minimum(feature.window, np.maximum(1, (longest + 1) // 2))
    return origins_between(first, longest, 1)


def origins_between(first: NDArray[np.int64], last: NDArray[np.int64], stride: int) -> Origins:
    """List origins from the first to the last step of every series, so many steps apart."""
    counts = np.maximum(0, (last - first) // stride + 1)
    series = np.repeat(np.arange(len(counts)), counts)
    within = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
    return Origins(series, first[series] + within * stride)
