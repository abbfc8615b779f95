"""How much of a series a forecast reads: its seasons, segments and windows."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from elman.data.frequency import Frequency
from elman.data.levels import spread_grows_with_level
from elman.data.seasons import find_seasons
from elman.data.table import Table
from elman.errors import counted
from elman.experiment.data import DataSpec
from elman.experiment.forecast import LOGARITHMIC, ForecastSpec
from elman.experiment.network import NetworkSpec
from elman.features.forecast import ForecastFeature
from elman.tasks.task import Task

_MANY_SERIES = 8
"""Series of which there may be enough windows for longer ones."""

_PLENTY_OF_WINDOWS = 2_000
"""Windows that many series must have if these are to be longer."""

_LONGEST_SEGMENT = 64
"""A season that is longer is no segment."""

_SEGMENTS = 24
"""Segments of a window that has no season to be cut at."""

_NEAR = 0.04
"""A season that is found this near to one of the calendar is that one."""

LONGEST_WINDOW = 4_000
"""Steps of a window that is not given: twice the longest season that is looked for."""

_SHORTEST_WINDOW = 32
"""Steps of a window, if the series are long enough."""


def found_seasons(data: DataSpec, frequency: Frequency | None, train: Table) -> list[int]:
    """Find the seasons of series; those that are nearly of the calendar are.

    Where series are too short to show the usual season of their frequency, it is taken for one.

    Args:
        data: with the targets.
        frequency: of the steps, if known.
        train: series, a row each.
    """
    series = [each for name in data.target for each in _known(name, train)]
    lengths = [] if frequency is None else frequency.seasons
    longest = max(LONGEST_WINDOW, 2 * data.window, 2 * data.horizon) // 2
    found = {_of_calendar(season, lengths) for season in find_seasons(series, longest)}
    usual = 1 if frequency is None else frequency.season
    steps = int(np.median([len(each) for each in series]))
    if not found and usual > 1 and usual < steps - data.horizon < 4 * usual:
        found = {usual}
    return sorted(found)


def _of_calendar(season: int, lengths: list[int]) -> int:
    """Return a season of the calendar that is nearly as long, or the season itself."""
    near = [length for length in lengths if abs(season - length) <= _NEAR * length]
    return min(near, key=lambda length: abs(season - length), default=season)


def notes_of_seasons(data: DataSpec, seasons: list[int]) -> list[str]:
    """Say which seasons were found, where none is given."""
    if "season" in data.model_fields_set:
        return []
    if not seasons:
        return [
            "no season found in the data: say --set season=STEPS (data.season) if there is one."
        ]
    steps = " and ".join(f"{season:,}" for season in seasons)
    return [f"{'season' if len(seasons) == 1 else 'seasons'} found in the data: {steps} steps."]


def segment_for(forecast: ForecastSpec, network: NetworkSpec, seasons: list[int]) -> int | None:
    """Return the steps that are read at a time; 0 for one after the other, None to be found."""
    if forecast.segment is not None:
        return forecast.segment
    if forecast.feeds_back or network.highway or "scaling" in forecast.model_fields_set:
        return 0
    return next((season for season in seasons if season <= _LONGEST_SEGMENT), None)


def transform_for(
    data: DataSpec,
    forecast: ForecastSpec,
    segment: int | None,
    seasons: list[int],
    train: Table,
) -> str:
    """Return the transform that is asked for, or that suits the training rows.

    Args:
        data: with the targets.
        forecast: with the transform, if it is given.
        segment: steps read at a time.
        seasons: their lengths.
        train: series, a row each.
    """
    if forecast.transform is not None:
        return forecast.transform
    if segment == 0 or forecast.distribution not in LOGARITHMIC or forecast.standardised:
        return "none"
    season = min(seasons, default=1)
    grow = [spread_grows_with_level(_known(name, train), season) for name in data.target]
    return "log" if all(grow) else "none"


def _known(name: str, train: Table) -> list[NDArray[np.float64]]:
    """Return the training values of a column, series by series."""
    assert train.spans is not None, "the parts of a forecast have spans"
    cells = zip(train.column(name), train.spans.stop, strict=True)
    return [np.asarray(cell, np.float64)[: int(end)] for cell, end in cells]


def window_for(horizon: int, seasons: list[int], segment: int | None, train: Table) -> int:
    """Return the window length: two horizons or two of the longest season that the series have.

    Of many series it is three of the longest season, where these leave windows in plenty.

    Args:
        horizon: steps ahead.
        seasons: their lengths.
        segment: steps read at a time, of which a window is a multiple.
        train: series, a row each.
    """
    assert train.spans is not None, "the parts of a forecast have spans"
    steps = int(np.median(train.spans.stop))
    room = max(1, int(0.8 * steps) - horizon - 8)
    least = 2 * horizon if segment == 0 else max(2 * horizon, _SHORTEST_WINDOW)
    fitting = [2 * season for season in seasons if 2 * season <= room]
    window = max(1, min(max([least, *fitting]), room))
    if len(train) >= _MANY_SERIES:
        most = steps - horizon - max(horizon, _PLENTY_OF_WINDOWS // len(train))
        window = max([window, *(3 * season for season in seasons if 3 * season <= most)])
    if not segment:
        return window
    return max(segment, window // segment * segment)


def segments_of(window: int, segment: int | None) -> int:
    """Return the steps of a segment: those given, or such that a window has some two dozen."""
    if segment is None:
        return max(1, round(window / _SEGMENTS))
    return segment


def notes_of_transform(feature: ForecastFeature, forecast: ForecastSpec) -> list[str]:
    """Say that logarithms were chosen."""
    if not feature.logarithms or forecast.transform is not None:
        return []
    return [
        f"{', '.join(feature.targets)}: values vary in proportion to their level, so their "
        "logarithms are learned; forecast.transform = 'none' leaves them as they are."
    ]


def notes_of_logarithms(task: Task, table: Table) -> list[str]:
    """Say how many values have no logarithm, where logarithms are forecast."""
    feature: Any = task.input
    if not feature.logarithms:
        return []
    counts = [int((feature.values_of(v) <= 0).sum()) for v in table.values(task.input_columns)]
    if not sum(counts):
        return []
    first = next(row for row, count in enumerate(counts) if count)
    return [
        f"{counted(sum(counts), 'value')} of {', '.join(feature.targets)} not above 0, first in "
        f"the series that begins at {table.where(first)}: this model forecasts logarithms, and "
        "reads them as the lowest training value. Train with forecast.transform = 'none' if such "
        "values are usual."
    ]
