"""Seasons, segments and windows that follow from the series."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from elman.data.table import Spans, Table
from elman.experiment.forecast import ForecastSpec
from elman.experiment.network import NetworkSpec
from elman.runs.run import prepare
from elman.runs.train import experiment_for
from elman.tasks.seasons import segment_for, segments_of, window_for
from forecast_runs import SETTINGS, Numbers, rows_of, walk, week


def found(rows: dict[str, list[Any]], **settings: Any) -> tuple[list[int], str]:
    experiment, source = experiment_for(rows, SETTINGS | settings)
    ready = prepare(experiment, source)
    return list(ready.task.series.seasons), " ".join(ready.task.notes)  # type: ignore[attr-defined]


def days(values: Numbers) -> dict[str, list[Any]]:
    dates = np.datetime64("2021-03-01") + np.arange(len(values))
    return {"t": dates.astype(str).tolist(), "y": values.tolist()}


def test_a_season_is_found_whatever_the_time_is_and_said() -> None:
    for rows in (rows_of(week(120)), days(week(120))):
        assert found(rows)[0] == [7]
        assert "season found in the data: 7 steps" in found(rows)[1]


def test_no_season_is_said_too_and_one_given_is_not_sought() -> None:
    assert found(rows_of(walk(200, 1)))[0] == []
    assert "no season found in the data" in found(rows_of(walk(200, 1)))[1]
    assert found(rows_of(week(120)), season=5) == ([5], "")
    assert found(rows_of(week(120)), season=1) == ([], "")


def test_seasons_are_those_of_the_training_part() -> None:
    values = walk(300, 1) * 0.1
    values[240:] = week(60) * 100  # validation and test
    assert found(rows_of(values))[0] == []


def test_a_season_near_one_of_the_calendar_is_that_one() -> None:
    steps = np.arange(1_500)
    values = np.sin(2 * np.pi * steps / 363) + 0.05 * walk(1_500, 2) ** 0
    assert found(days(values))[0] == [365]


def test_short_series_have_the_usual_season_of_their_frequency() -> None:
    assert found(days(walk(26, 1)))[0] == [7]
    assert found(rows_of(walk(26, 1)))[0] == []


@pytest.mark.parametrize(
    ("forecast", "network", "seasons", "segment"),
    [
        ({}, {}, [24, 168], 24),
        ({}, {}, [365], None),
        ({}, {}, [], None),
        ({"segment": 5}, {}, [24], 5),
        ({"segment": 0}, {}, [24], 0),
        ({"feedback": True}, {}, [24], 0),
        ({"distribution": "gaussian"}, {}, [24], 0),
        ({"scaling": "standard"}, {}, [24], 0),
        ({}, {"highway": 3}, [24], 0),
    ],
    ids=str,
)
def test_a_segment_is_the_shortest_season_unless_steps_are_read(
    forecast: dict[str, Any], network: dict[str, Any], seasons: list[int], segment: int | None
) -> None:
    assert segment_for(ForecastSpec(**forecast), NetworkSpec(**network), seasons) == segment


def of_steps(steps: int, series: int = 1) -> Table:
    table = Table.from_columns({"y": [[0.0] * steps] * series}, origin="y")
    zeros = np.zeros(series, np.int64)
    table.spans = Spans(zeros, zeros, np.full(series, steps))
    return table


@pytest.mark.parametrize(
    ("steps", "seasons", "segment", "window"),
    [
        (2_000, [24, 168], 24, 336),  # two weeks
        (300, [24, 168], 24, 48),  # no room for two weeks
        (2_000, [7], 7, 28),  # the least of 32 steps, in whole weeks
        (2_000, [], None, 32),
        (2_000, [7], 0, 14),  # step by step
        (30, [], None, 12),
        (24, [7], 7, 7),
        (10, [], None, 1),
    ],
)
def test_a_window_is_two_of_the_longest_season_that_fits(
    steps: int, seasons: list[int], segment: int | None, window: int
) -> None:
    assert window_for(4, seasons, segment, of_steps(steps)) == window


@pytest.mark.parametrize(
    ("series", "steps", "window"),
    [
        (7, 2_000, 336),  # few series
        (8, 2_000, 504),
        (200, 600, 504),  # 48 origins after the window, of each of 200 series
        (200, 590, 336),  # fewer than a horizon of them
        (20, 600, 336),  # windows are few
    ],
)
def test_many_series_have_windows_of_three_of_the_longest_season_where_these_are_plenty(
    series: int, steps: int, window: int
) -> None:
    assert window_for(48, [24, 168], 24, of_steps(steps, series)) == window


def test_a_window_without_a_season_has_two_dozen_segments() -> None:
    assert [segments_of(window, None) for window in (1, 32, 240)] == [1, 1, 10]
    assert segments_of(240, 7) == 7
    assert segments_of(240, 0) == 0
