"""Naive forecasts of a window: by hand, with gaps, and beside those of NumPy."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor

from elman.networks.naive import combined_count, in_words, naive_names, naive_paths
from elman.prediction.naive import naive_forecasts

NAN = float("nan")


def window(*values: float) -> Tensor:
    """One row of one value a step, (P, 1, 1)."""
    return torch.tensor(values, dtype=torch.float32).view(-1, 1, 1)


def by_name(past: Tensor, horizon: int, *seasons: int, unknown: float = -1.0) -> dict[str, list]:
    paths = naive_paths(past, horizon, seasons, torch.full((past.size(-1),), unknown))
    return {
        name: each[:, 0, 0].tolist()
        for name, each in zip(naive_names(seasons), paths.naive, strict=True)
    }


def combined(past: Tensor, horizon: int, season: int) -> list[list[float]]:
    paths = naive_paths(past, horizon, [season], torch.zeros(1))
    return [each[:, 0, 0].tolist() for each in paths.others]


def test_the_naive_forecasts_of_a_window_by_hand() -> None:
    assert by_name(window(1, 5, 3, 6, 2, 7), 4, 2, 3) == {
        "last": [7] * 4,
        "mean": [4] * 4,
        "drift": pytest.approx([8.2, 9.4, 10.6, 11.8]),
        "season 2": [2, 7, 2, 7],
        "season 3": [6, 2, 7, 6],
    }


def test_the_season_on_another_level_by_hand() -> None:
    rise, since, shape = combined(window(1, 3, 5, 9), 3, 2)[:3]
    assert rise == [5 + 5, 9 + 5, 5 + 5]  # the last season's mean is 7, that before it 2
    assert since == [5 + 6, 9 + 6, 5 + 6]  # the last value is 6 above that a season before
    assert shape == [7 - 1.5, 7 + 1.5, 7 - 1.5]  # seasons less their means: ∓1 and ∓2


def test_shapes_on_smoothed_levels_by_hand() -> None:
    # Less the mean 4.5 and the shape, 1.5 below and above: -2, -3, 2 and 3.
    found = combined(window(1, 3, 5, 9), 3, 2)[3:]
    for rate, values in zip((0.03, 0.1, 0.3), found, strict=True):
        weights = [(1 - rate) ** age for age in (3, 2, 1, 0)]
        level = (-2 * weights[0] - 3 * weights[1] + 2 * weights[2] + 3) / sum(weights)
        assert values == pytest.approx([3 + level, 6 + level, 3 + level])


def test_of_a_day_and_a_week_the_smoothed_level_has_both_shapes() -> None:
    steps = torch.arange(8 * 12.0)
    values = 5.0 + (steps % 4) + 10.0 * (steps % 12 // 4)
    paths = naive_paths(values.view(-1, 1, 1), 12, [4, 12], torch.zeros(1))
    for smoothed in paths.others[-3:]:
        torch.testing.assert_close(smoothed[:, 0, 0], values[:12])


def test_a_level_is_smoothed_over_the_values_that_are_there() -> None:
    (slow, _, fast) = combined(window(7, NAN, 1, NAN, 1, NAN), 1, 9)
    weights = [(1 - 0.3) ** age for age in (5, 3, 1)]
    assert fast == pytest.approx([(7 * weights[0] + weights[1] + weights[2]) / sum(weights)])
    assert 1 < fast[0] < slow[0] < 3


def test_a_missing_value_is_that_of_a_season_before_and_else_the_last_one() -> None:
    found = by_name(window(1, 2, 3, NAN, 5, NAN), 3, 3)
    assert found["season 3"] == [1, 5, 3]
    assert found["last"] == [5] * 3
    assert found["mean"] == [2.75] * 3
    assert found["drift"] == [6, 7, 8]
    assert by_name(window(NAN, 2, NAN, 5), 2, 2)["season 2"] == [5, 5]


def test_the_drift_is_that_between_the_observed_ends() -> None:
    assert by_name(window(NAN, 4, NAN, 10, NAN), 2)["drift"] == [13, 16]
    assert by_name(window(NAN, 4, NAN), 2)["drift"] == [4, 4]


def test_a_window_without_a_value_is_forecast_as_what_is_usual() -> None:
    found = by_name(window(*[NAN] * 6), 2, 3, 9, unknown=8.0)
    assert all(values == [8, 8] for values in found.values()), found


def test_a_season_longer_than_the_window_repeats_the_last_value() -> None:
    assert by_name(window(1, 2, 3), 2, 4)["season 4"] == [3, 3]


def test_a_season_that_the_window_has_once_is_not_combined() -> None:
    for steps in (3, 5, 6, 9):
        past = torch.arange(float(steps)).view(-1, 1, 1)
        assert len(combined(past, 2, 3)) == combined_count(steps, [3]) == (6 if steps >= 6 else 3)


def test_the_beginning_of_a_window_has_as_many_as_the_whole() -> None:
    past = torch.randn(24, 3, 1, generator=torch.manual_seed(1))
    whole = naive_paths(past, 2, [3, 6, 12], torch.zeros(1))
    begun = naive_paths(past[:17], 2, [3, 6, 12], torch.zeros(1), window=24)
    assert len(begun.others) == len(whole.others)
    # Twelve steps come once in seventeen: in their combinations stands the season itself.
    assert torch.equal(begun.others[6], begun.naive[-1])
    assert torch.equal(begun.others[8], begun.naive[-1])


@pytest.mark.parametrize("seed", range(20))
def test_gaps_anywhere_leave_every_forecast_finite(seed: int) -> None:
    random = torch.Generator().manual_seed(seed)
    past = torch.randn(14, 9, 2, generator=random)
    gone = torch.rand(past.shape, generator=random) < seed / 19
    paths = naive_paths(past.where(~gone, torch.nan), 5, [2, 3, 7, 14, 20], torch.zeros(2))
    assert paths.naive.isfinite().all()
    assert paths.others.isfinite().all()


def test_gaps_of_a_row_leave_the_bits_of_the_others() -> None:
    past = torch.randn(31, 5, 1, generator=torch.manual_seed(3)) * 1e3
    whole = naive_paths(past, 9, [3, 7], torch.zeros(1))
    past[4:9, 2] = NAN
    found = naive_paths(past, 9, [3, 7], torch.zeros(1))
    others = [0, 1, 3, 4]
    assert torch.equal(found.naive[:, :, others], whole.naive[:, :, others])
    assert torch.equal(found.others[:, :, others], whole.others[:, :, others])


@pytest.mark.parametrize("seasons", [[], [1 + 1], [3, 7], [5, 12]])
def test_they_are_those_that_scores_are_set_beside(seasons: list[int]) -> None:
    random = np.random.default_rng(3)
    histories = [random.normal(size=(steps, 2)) * 4 + 10 for steps in (12, 17, 40)]
    histories[1][0, 0] = histories[2][-12 + 1 - 1 - max([*seasons, 1]), 1] = np.nan
    window, horizon = 12, 9
    past = torch.stack([torch.from_numpy(each[-window:]) for each in histories], 1)
    ours = naive_paths(past, horizon, seasons, torch.zeros(2)).naive.numpy()
    theirs = naive_forecasts(histories, horizon, seasons, window)
    assert list(theirs) == [in_words(name) for name in naive_names(seasons)]
    for name, mine, other in zip(theirs, ours, theirs.values(), strict=True):
        np.testing.assert_allclose(mine, np.stack(other, 1), rtol=1e-12, err_msg=name)
