"""Forecasts of series, from their ends or from given origins."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from elman.batches.batching import Batch
from elman.batches.forecast_windows import ForecastWindows, Origins
from elman.data.frequency import Frequency, show_time
from elman.data.grids import continued
from elman.data.table import Table
from elman.data.times import as_objects, as_written
from elman.errors import DataError, OptionError, counted
from elman.experiment.forecast import ForecastSpec
from elman.experiment.training import checked_seed
from elman.features.checks import blank
from elman.features.forecast import ForecastFeature
from elman.features.forecast_columns import Cells
from elman.networks.objectives.distributions.quantiles import DECILES
from elman.tasks.task import Task

PATHS_AT_ONCE = 16_384
"""Rows times paths of a batch at most, unless one row has more."""


@dataclass(frozen=True)
class ForecastOptions:
    """How forecasts are made and measured.

    Attributes:
        samples: sampled paths per forecast.
        levels: of the quantiles, ascending.
        seed: of sampling.
        paths: sampled paths that are returned, of each forecast.
        stride: steps from one measured forecast to the next of the same series; None for the
            horizon.
        standardised: whether scores are of values standardised by the training part.
    """

    samples: int = 200
    levels: tuple[float, ...] = DECILES
    seed: int = 1
    paths: int = 0
    stride: int | None = None
    standardised: bool = False

    @classmethod
    def of(cls, spec: ForecastSpec) -> ForecastOptions:
        """Return the options that an experiment states."""
        levels = spec.levels or ([0.5] if spec.distribution == "point" else DECILES)
        return cls(
            samples=spec.samples,
            levels=tuple(levels),
            stride=spec.stride,
            standardised=spec.standardised,
        )


class Forecasts(NamedTuple):
    """Forecasts of the same horizon, one per origin."""

    mean: NDArray[np.float64]
    """(origins, H, n)"""
    quantiles: dict[float, NDArray[np.float64]]
    """Level → (origins, H, n)."""
    paths: NDArray[np.float64]
    """(paths, origins, H, n)"""


@torch.no_grad()
def forecast(
    network: Any,
    feature: ForecastFeature,
    series: Sequence[Tensor],
    origins: Origins,
    horizon: int,
    options: ForecastOptions,
    batch_size: int,
    *,
    done: Callable[[str, int], None] | None = None,
) -> Forecasts:
    """Forecast series from some origins.

    Args:
        network: a forecaster; left in evaluation mode.
        feature: of the series.
        series: encoded, each with all steps of the horizons asked for.
        origins: the first step ahead of each forecast.
        horizon: H.
        options: paths, levels and seed. The paths of the k-th origin depend on seed and k alone.
        batch_size: origins at a time.
        done: called after every batch with a message, empty, and how many origins it had.

    Raises:
        OptionError: the network predicts fewer steps at once, a level was not trained, or there are
            no paths.
    """
    network.eval()
    _check_asked(network, horizon, options)
    device = next(network.parameters()).device
    windows = ForecastWindows(
        series,
        origins,
        feature.layout,
        window=feature.window,
        horizon=horizon,
        batch_size=batch_size,
        unanswered=True,
    )
    if network.feedback:
        sampled = max(options.samples, options.paths)
        batch_size = max(1, min(batch_size, PATHS_AT_ONCE // sampled))
    means: list[NDArray[np.float64]] = []
    paths: list[NDArray[np.float64]] = []
    quantiles: dict[float, list[NDArray[np.float64]]] = {level: [] for level in options.levels}
    for start in range(0, len(origins.step), batch_size):
        rows = np.arange(start, min(start + batch_size, len(origins.step)))
        batch = windows.cut(origins.take(rows)).to(device)
        mean, by_level, drawn = _forecast_batch(network, feature, batch, rows, horizon, options)
        means.append(mean.swapaxes(0, 1))
        paths.append(drawn.swapaxes(1, 2))
        for level, values in zip(options.levels, by_level, strict=True):
            quantiles[level].append(values.swapaxes(0, 1))
        if done is not None:
            done("", len(rows))
    return Forecasts(
        np.concatenate(means),
        {level: np.concatenate(batches) for level, batches in quantiles.items()},
        np.concatenate(paths, 1),
    )


def _check_asked(network: Any, horizon: int, options: ForecastOptions) -> None:
    """Refuse a horizon or paths that a network does not have; see `forecast`."""
    if horizon < 1:
        raise OptionError(f"horizon must be at least 1, got {horizon}.")
    if not network.feedback and horizon > network.horizon:
        raise OptionError(
            f"this model predicts {counted(network.horizon, 'step')} ahead at once, got horizon="
            f"{horizon}; train it with --horizon {horizon}, or with forecast.feedback = true, "
            "which reaches any horizon."
        )
    if options.paths and not network.has_paths:
        raise OptionError(
            "this model has no paths: without feedback the values of a density, or of a point "
            "forecast, are independent of each other. Leave --paths (paths=) out, or train with "
            "forecast.distribution = 'quantiles', or with forecast.feedback = true."
        )


def _forecast_batch(
    network: Any,
    feature: ForecastFeature,
    batch: Batch,
    rows: NDArray[np.int64],
    horizon: int,
    options: ForecastOptions,
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Return the means of a batch's forecasts, (H, B, n), quantiles and paths, (…, H, B, n)."""
    sampled = options.samples if network.feedback else 0
    paths = np.empty((0, horizon, len(rows), network.layout.values))
    if count := max(sampled, options.paths):
        drawn = network.sample(
            batch.input,
            batch.lengths,
            horizon=horizon,
            count=count,
            generators=[_generator(options.seed, int(row), batch.input.device) for row in rows],
        )
        paths = feature.in_units(_numbers(drawn))
    if network.feedback:
        measured = paths[:sampled]
        quantiles = np.quantile(measured, options.levels, axis=0)
        return measured.mean(0), quantiles, paths[: options.paths]
    unknown = torch.full_like(batch.target, torch.nan)
    outputs, _ = network(batch.input, lengths=batch.lengths, target=unknown)
    distribution, parameters = (
        network.objective.distribution,
        network.objective.parameters_of(outputs),
    )
    by_level = [_numbers(distribution.quantile(parameters, level)) for level in options.levels]
    if feature.logarithms:  # the mean of values is not that of their logarithms
        parameters = parameters.double().exp()
    mean = _numbers(distribution.mean(parameters))
    return mean, feature.in_units(np.stack(by_level)), paths


def forecast_ends(
    task: Task,
    network: Any,
    table: Table,
    horizon: int,
    options: ForecastOptions,
    batch_size: int,
    *,
    written: bool = False,
) -> dict[str, list[Any]]:
    """Forecast what comes after the last known value of every series.

    Args:
        task: with the feature.
        network: a forecaster.
        table: series, a row each; steps at the end without a value hold the known covariates of
            the steps ahead.
        horizon: steps ahead.
        options: of the forecast.
        batch_size: series at a time.
        written: whether times are as the data writes them, not dates of Python.

    Returns:
        Name of a column → its values, one per series and step: the item and the time, if any,
        `step` from 1, the mean, each quantile, named by its level, and each path, `path 1` and so
        on; of several targets each of these names begins with the target's.

    Raises:
        DataError: a series has no value, or a known covariate lacks values for the steps ahead.
        OptionError: the horizon or a level is not available.
    """
    table.require(task.input_columns)
    feature: Any = task.input
    frequency: Frequency | None = feature.steps
    encoded, steps, clocks, items = [], [], [], []
    for extended, numbers, origin in _all_extended(task, table, horizon):
        encoded.append(numbers)
        steps.append(origin)
        items += extended.item
        if frequency is not None:
            clocks += [np.asarray(times)[-horizon:] for times in extended.time]
    origins = Origins(np.arange(len(encoded)), np.array(steps, np.int64))
    forecasts = forecast(network, feature, encoded, origins, horizon, options, batch_size)
    columns: dict[str, list[Any]] = {}
    if feature.several:
        columns[task.input_columns[-1]] = [item for item in items for _ in range(horizon)]
    if clocks and frequency is not None:
        name = task.input_columns[-1 - feature.several]
        shown = as_written if written else as_objects
        columns[name] = shown(np.concatenate(clocks), feature.time_format, feature.time_zone)
    columns["step"] = list(range(1, horizon + 1)) * len(encoded)
    for place, target in enumerate(feature.targets):
        prefix = f"{target} " if len(feature.targets) > 1 else ""
        columns[f"{prefix}mean"] = forecasts.mean[..., place].ravel().tolist()
        for level, values in forecasts.quantiles.items():
            columns[f"{prefix}{level:g}"] = values[..., place].ravel().tolist()
        for number, path in enumerate(forecasts.paths, start=1):
            columns[f"{prefix}path {number}"] = path[..., place].ravel().tolist()
    return columns


def check_ahead(task: Task, table: Table, horizon: int) -> None:
    """Refuse series of which something that a forecast needs is not there.

    Args:
        task: with the feature.
        table: series, a row each.
        horizon: steps ahead.

    Raises:
        DataError: a series has no value, or a known covariate lacks values for the steps ahead.
    """
    for _ in _all_extended(task, table, horizon):
        pass


def _all_extended(task: Task, table: Table, horizon: int) -> Iterator[tuple[Cells, Tensor, int]]:
    """Yield every series as `_extended` returns it, and encoded; an error names the series."""
    feature: Any = task.input
    for row, value in enumerate(table.values(task.input_columns)):
        try:
            extended, origin = _extended(feature, feature.cells(value), horizon)
            encoded = feature.encode(extended.value)
        except DataError as error:
            raise DataError(f"the series that begins at {table.where(row)}: {error}") from error
        yield extended, encoded, origin


def with_quantiles(
    options: ForecastOptions, quantiles: Sequence[float], seed: int, paths: int = 0
) -> ForecastOptions:
    """Return the options with other levels, another seed and a number of paths.

    Raises:
        OptionError: there is no level, one lies outside 0 … 1, or is given twice, or the number of
            paths is below 0.
    """
    if paths < 0:
        raise OptionError(f"paths must be at least 0, got {paths}.")
    levels = sorted({float(level) for level in quantiles})
    if not levels or len(levels) < len(quantiles) or not 0 < levels[0] <= levels[-1] < 1:
        raise OptionError(
            "quantiles must be levels between 0 and 1, each given once, as 0.1,0.5,0.9; got "
            f"{', '.join(map(str, quantiles)) or 'none'}."
        )
    return replace(options, levels=tuple(levels), seed=checked_seed(seed), paths=paths)


def _extended(feature: ForecastFeature, cells: Cells, horizon: int) -> tuple[Cells, int]:
    """Cut a series after its last known value, and append the covariates known of the horizon."""
    targets = [np.asarray(cell, np.float64) for cell in cells.targets]
    observed = np.flatnonzero(~np.isnan(np.stack(targets)).all(0))
    if not len(observed):
        raise DataError(f"{', '.join(feature.targets)}: there is no value to forecast from.")
    origin = int(observed[-1]) + 1
    end = origin + horizon
    times = cells.time
    if feature.steps is not None:
        times = [
            continued(np.asarray(each), feature.steps, feature.time_zone, end) for each in times
        ]
    for name, present in _known_ahead(feature, cells, origin, end):
        if present < horizon:
            last = f"step {origin - 1}"
            if times and feature.steps is not None:
                last = show_time(np.atleast_1d(times[0][origin - 1])[-1], feature.steps)
            raise DataError(
                f"{name} must be known of the {counted(horizon, 'step')} after {last}, and "
                f"{present} of them are there. Add rows with {name} filled in and "
                f"{', '.join(feature.targets)} left empty, or ask for a shorter horizon."
            )
    cut = [np.asarray(target)[:origin] for target in cells.targets]
    if not (cells.known or cells.known_categories or feature.timed):
        ahead = np.full(horizon, np.nan)  # nothing else says how long the horizon is
        cut = [np.concatenate([target[:origin], ahead]) for target in targets]
    extended = cells._replace(
        targets=cut,
        past=[cell[:origin] for cell in cells.past],
        known=[cell[:end] for cell in cells.known],
        past_categories=[cell[:origin] for cell in cells.past_categories],
        known_categories=[cell[:end] for cell in cells.known_categories],
        time=times,
    )
    return extended, origin


def _known_ahead(
    feature: ForecastFeature, cells: Cells, origin: int, end: int
) -> Iterator[tuple[str, int]]:
    """Count of each known covariate the steps of the horizon that it covers.

    A blank name counts as known where training rows have blank ones, too: no holiday, say.
    """
    for name, cell in zip(feature.known, cells.known, strict=True):
        yield name, int((~np.isnan(np.asarray(cell, np.float64)[origin:end])).sum())
    for name, cell in zip(feature.known_categories, cells.known_categories, strict=True):
        ahead = list(cell[origin:end])
        gaps = feature.categories.has_gaps(name)
        yield name, len(ahead) if gaps else sum(not blank(each) for each in ahead)


def _numbers(tensor: Tensor) -> NDArray[np.float64]:
    return np.asarray(tensor.double().cpu().numpy())


def _generator(seed: int, row: int, device: torch.device) -> torch.Generator:
    """Return a generator of its own for a row."""
    (state,) = np.random.SeedSequence([seed, row]).generate_state(1, np.uint64)
    return torch.Generator(device).manual_seed(int(state >> np.uint64(1)))
