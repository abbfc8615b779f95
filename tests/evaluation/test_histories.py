"""The scales of many forecasts of one series, read once."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from elman.errors import DataError, OptionError
from elman.evaluation.histories import scales_of
from elman.evaluation.regression import seasonal_naive_error


@pytest.mark.parametrize("season", [1, 3, 12])
def test_histories_read_together_have_the_scales_that_each_has_alone(season: int) -> None:
    random = np.random.default_rng(1)
    one, other = random.normal(size=(40, 2)), random.normal(size=(25, 2))
    one[random.random(one.shape) < 0.3] = np.nan
    other[:9] = 5.0
    histories = [one[:30], other[:8], one[:2], other, one, one[3:20], other[:0], one[:14].copy()]
    for history, scale in zip(histories, scales_of(histories, season), strict=True):
        try:
            expected = seasonal_naive_error([history], season)
        except DataError:
            assert scale is None
        else:
            if (expected > 0).all():
                assert scale == pytest.approx(expected, rel=1e-12)
            else:
                assert scale is None


def test_the_differences_are_those_of_the_longest_not_of_all(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    values = np.random.default_rng(1).normal(size=(2_000, 1))
    read: list[int] = []
    isnan = np.isnan

    def counted(array: Any) -> Any:
        read.append(np.size(array))
        return isnan(array)

    monkeypatch.setattr(np, "isnan", counted)
    scales_of([values[:step] for step in range(1_500, 2_000, 10)], 7)
    assert read == [1_990 - 7]


def test_a_season_of_no_step_is_refused() -> None:
    with pytest.raises(OptionError, match="at least 1 step"):
        scales_of([np.zeros((3, 1))], 0)
