"""Settings of forecasters that read segments follow from the number of steps."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from elman.data.table import Spans, Table
from elman.experiment.forecast import ForecastSpec
from elman.tasks.segments import settings_of_segments


def settings(series: int, steps: int, **asked: Any) -> dict[str, Any]:
    table = Table.from_columns({"y": [[0.0]] * series}, origin="y")
    zeros = np.zeros(series, np.int64)
    table.spans = Spans(zeros, zeros, np.full(series, steps))
    feature: Any = SimpleNamespace(horizon=24, window=168)
    return settings_of_segments(ForecastSpec(**asked), feature, table)


@pytest.mark.parametrize(
    ("series", "steps", "folds"),
    [
        (1, 3_839, 5),  # a step less than 160 horizons
        (1, 3_840, 0),
        (10, 383, 5),
        (10, 384, 0),
    ],
)
def test_few_steps_have_folds(series: int, steps: int, folds: int) -> None:
    assert settings(series, steps)["forecast.folds"] == folds


def test_whoever_asks_for_members_gets_no_folds() -> None:
    assert settings(1, 1_000, members=2)["forecast.folds"] == 0


def test_networks_of_a_thousand_updates_see_many_windows_a_few_times() -> None:
    assert settings(300, 300)["training.epochs"] == 7
    assert settings(1, 5_000)["training.epochs"] == 27
