"""Windows of series: what they hold, and what they never do."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor

from elman.batches.forecast_windows import (
    ForecastWindows,
    Origins,
    folded_origins,
    origins_between,
    training_origins,
    weights_of,
)
from elman.errors import DataError
from elman.features.forecast import ForecastFeature
from elman.features.forecast_columns import Layout

LAYOUT = Layout(values=1, past=1, known=1, items=0)


def ramp(steps: int, begin: float = 0.0) -> Tensor:
    """Value t, past covariate 100 + t, known covariate 200 + t."""
    t = torch.arange(steps, dtype=torch.float32) + begin
    return torch.stack([t, 100 + t, 200 + t], 1)


def cut(
    series: list[Tensor], origins: Origins, window: int = 3, horizon: int = 2
) -> ForecastWindows:
    return ForecastWindows(series, origins, LAYOUT, window=window, horizon=horizon, batch_size=2)


def test_a_window_is_its_past_and_of_the_future_what_is_known() -> None:
    windows = cut([ramp(9)], Origins(np.array([0]), np.array([5])))
    (batch,) = windows.epoch(0)
    assert str(batch.input[:, 0, 0].tolist()) == "[2.0, 3.0, 4.0, nan, nan]"
    assert batch.input[:, 0, 1].tolist() == [102.0, 103.0, 104.0, 0.0, 0.0]
    assert batch.input[:, 0, 2].tolist() == [202.0, 203.0, 204.0, 205.0, 206.0]
    assert batch.target[:, 0, 0].tolist() == [5.0, 6.0]


def test_a_short_past_is_a_shorter_row_of_its_own_series() -> None:
    windows = cut([ramp(9), ramp(4, 50.0)], Origins(np.array([0, 1]), np.array([6, 1])))
    (batch,) = windows.epoch(0)
    assert batch.lengths.tolist() == [5, 3]
    assert batch.input[0, 1].tolist() == [50.0, 150.0, 250.0]
    assert batch.target[:, 1, 0].tolist() == [51.0, 52.0]
    assert batch.input[3:, 1].tolist() == [[0.0] * 3] * 2


def test_the_future_is_in_the_target_alone() -> None:
    clean, poisoned = ramp(9), ramp(9)
    poisoned[5:, :2] = 1e9
    batches = [
        next(cut([s], Origins(np.array([0]), np.array([5]))).epoch(0)) for s in (clean, poisoned)
    ]
    assert torch.equal(batches[0].input.nan_to_num(-1), batches[1].input.nan_to_num(-1))


def test_past_names_are_hidden_in_the_horizon_and_known_ones_are_not() -> None:
    layout = Layout(values=1, past=1, known=1, items=2, past_ids=(9,), known_ids=(9,))
    t = torch.arange(9, dtype=torch.float32)
    series = torch.cat([ramp(9), torch.stack([t, t, torch.ones(9)], 1)], 1)
    origins = Origins(np.array([0]), np.array([5]))
    windows = ForecastWindows([series], origins, layout, window=3, horizon=2, batch_size=1)
    (batch,) = windows.epoch(0)
    assert batch.input[:, 0, 3].tolist() == [2, 3, 4, 0, 0]
    assert batch.input[:, 0, 4].tolist() == [2, 3, 4, 5, 6]
    assert batch.input[:, 0, 5].tolist() == [1] * 5


def test_windows_without_a_value_to_be_forecast_are_left_out() -> None:
    series = ramp(9)
    series[5:7, 0] = torch.nan
    windows = cut([series], Origins(np.array([0, 0]), np.array([5, 6])))
    assert windows.origins.step.tolist() == [6]
    with pytest.raises(DataError, match="every value to forecast is missing"):
        cut([series], Origins(np.array([0]), np.array([5])))


def test_epochs_draw_anew_by_seed_and_the_same_epoch_is_the_same() -> None:
    origins = origins_between(np.array([3]), np.array([40]), 1)
    windows = ForecastWindows(
        [ramp(50)],
        origins,
        LAYOUT,
        window=3,
        horizon=2,
        batch_size=4,
        seed=7,
        shuffle=True,
        most=10,
    )
    epochs = [torch.cat([b.target[0, :, 0] for b in windows.epoch(n)]).tolist() for n in (0, 1, 0)]
    assert len(windows) == 3
    assert len(set(epochs[0])) == 10
    assert epochs[0] == epochs[2] != epochs[1]


def test_origins_follow_each_other_by_the_stride() -> None:
    found = origins_between(np.array([3, 5]), np.array([9, 4]), 3)
    assert found.series.tolist() == [0, 0, 0]
    assert found.step.tolist() == [3, 6, 9]


def test_training_reads_full_windows_and_of_short_series_the_second_half() -> None:
    feature = ForecastFeature(targets=["y"], horizon=2, window=6)
    found = training_origins(feature, [10, 7])
    assert found.step[found.series == 0].tolist() == [4, 5, 6, 7, 8]
    assert found.step[found.series == 1].tolist() == [3, 4, 5]


def folded(
    first: list[int], held: list[int], stop: list[int], horizon: int, folds: int
) -> tuple[Origins, Origins]:
    return folded_origins(*map(np.array, (first, held, stop)), horizon=horizon, folds=folds)


def by_member(origins: Origins, member: int, series: int = 0) -> list[int]:
    assert origins.member is not None
    steps: list[int] = origins.step[
        (origins.member == member) & (origins.series == series)
    ].tolist()
    return steps


def test_members_learn_from_what_the_others_are_validated_on_by_hand() -> None:
    # Steps 4 … 15 of 16, the last part from 12: parts 4–7, 8–11, 12–15.
    learned, validated = folded([4], [12], [16], horizon=2, folds=3)
    assert [by_member(validated, m) for m in range(3)] == [[4, 5, 6], [8, 9, 10], [12, 13, 14]]
    assert by_member(learned, 0) == [8, 9, 10, 11, 12, 13, 14]
    assert by_member(learned, 1) == [4, 5, 6, 12, 13, 14]
    assert by_member(learned, 2) == [4, 5, 6, 7, 8, 9, 10]


@pytest.mark.parametrize("seed", range(15))
def test_no_member_learns_from_a_step_that_it_is_validated_on(seed: int) -> None:
    random = np.random.default_rng(seed)
    horizon, folds = int(random.integers(1, 6)), int(random.integers(2, 6))
    stop = random.integers(3, 60, 8)
    held = np.maximum(1, stop - random.integers(0, 12, 8))
    first = np.minimum(random.integers(1, 9, 8), held)
    learned, validated = folded_origins(first, held, stop, horizon, folds)
    assert learned.member is not None
    assert validated.member is not None
    for member in range(folds):
        for series in range(8):
            used = {
                step + ahead
                for step in by_member(learned, member, series)
                for ahead in range(horizon)
            }
            own = {
                step + ahead
                for step in by_member(validated, member, series)
                for ahead in range(horizon)
            }
            assert not used & own
            assert all(first[series] <= step < stop[series] for step in used | own)
            if member == folds - 1:  # the last part is the validation part, all of it
                assert by_member(validated, member, series) == list(
                    range(held[series], stop[series] - horizon + 1)
                )
                assert all(step < held[series] for step in used)


def test_series_too_short_for_parts_are_learned_from_all_the_same() -> None:
    learned, validated = folded([1, 3], [3, 20], [5, 20], horizon=2, folds=4)
    assert by_member(validated, 3) == [3]
    assert by_member(validated, 0) == []
    assert by_member(learned, 0) == [1, 2, 3]  # parts of no step: nothing is held out
    # A series without a validation part: the last member learns from all of it.
    assert by_member(validated, 3, 1) == []
    assert by_member(learned, 3, 1) == list(range(3, 19))
    nothing = folded([4], [4], [5], horizon=2, folds=2)
    assert [len(each.step) for each in nothing] == [0, 0]


def test_a_batch_says_which_member_each_row_is_for() -> None:
    origins = Origins(np.array([0, 0]), np.array([5, 3]), np.array([2, 1]))
    (batch,) = cut([ramp(9)], origins).epoch(0)
    assert batch.input[:, :, -1].unique(dim=0).tolist() == [[2.0, 1.0]]
    assert origins.take(np.array([1])).member.tolist() == [1]  # type: ignore[union-attr]


def test_horizons_that_overlap_count_as_what_they_cover() -> None:
    def independent(series: list[int], steps: list[int]) -> float:
        return Origins(np.array(series), np.array(steps)).independent(4)

    assert independent([], []) == 0
    assert independent([0], [9]) == 1
    assert independent([0, 0, 0], [8, 4, 12]) == 3
    assert independent([0, 0, 0, 0, 0], [4, 5, 6, 7, 8]) == 2
    assert independent([0, 0], [3, 90]) == 2
    assert independent([0, 1, 0], [3, 3, 4]) == 2.25


def drawn(sampling: str, epochs: int = 40) -> list[float]:
    """The share of windows of a long series of ones, a short one of threes and one of nines."""
    lengths = [120, 24, 24]
    series = [
        torch.full((steps, 2), value) for steps, value in zip(lengths, (1.0, 3.0, 9.0), strict=True)
    ]
    origins = origins_between(np.array([4] * 3), np.array(lengths) - 4, 1)
    weights = weights_of(sampling, series, origins, 1)
    windows = ForecastWindows(
        series,
        origins,
        Layout(1, 0, 1, 0),
        window=4,
        horizon=4,
        batch_size=50,
        shuffle=True,
        weights=weights,
    )
    batches = [batch for epoch in range(epochs) for batch in windows.epoch(epoch)]
    firsts = torch.cat([batch.target[0, :, 0] for batch in batches])
    return [float((firsts == value).double().mean()) for value in (1.0, 3.0, 9.0)]


def test_windows_are_drawn_all_alike_or_by_series_or_by_scale() -> None:
    counts = np.array([113, 17, 17])
    assert drawn("windows") == pytest.approx(counts / 147)
    assert drawn("series") == pytest.approx([1 / 3] * 3, abs=0.03)
    by_scale = counts * [1, 3, 9]
    assert drawn("scale") == pytest.approx(by_scale / by_scale.sum(), abs=0.03)


def test_series_of_zeros_are_drawn_all_alike() -> None:
    series = [torch.zeros(9, 1), torch.zeros(9, 1)]
    origins = origins_between(np.array([2, 2]), np.array([6, 6]), 1)
    assert weights_of("scale", series, origins, 1) is None
