"""Numbers over time."""

from __future__ import annotations

import datetime
import math

import numpy as np
import pytest
import torch

from elman.errors import DataError, OptionError
from elman.features.series import SeriesFeature


def test_columns_are_standardised_over_all_steps_of_all_series() -> None:
    random = np.random.default_rng(2)
    series = [random.normal([1, 50], [2, 9], (steps, 2)) for steps in (5, 0, 11, 3)]
    feature = SeriesFeature().fit(series)
    every = np.concatenate(series)
    for one in series:
        expected = (one - every.mean(axis=0)) / every.std(axis=0)
        np.testing.assert_allclose(feature.encode(one), expected, rtol=1e-5, atol=1e-6)
        np.testing.assert_allclose(feature.decode(feature.encode(one)), one, rtol=1e-5)
    assert feature.notes == ["1 of 4 series have no steps."]
    assert feature.description == "2 numbers a step"


@pytest.mark.parametrize(
    "value",
    [
        [[1, 4], [2, 5], [3, 6]],
        np.array([[1, 4], [2, 5], [3, 6]], np.int16),
        torch.tensor([[1.0, 4], [2, 5], [3, 6]]),
        [np.array([1, 4]), np.array([2, 5]), np.array([3, 6])],
        [["1", "4"], [2, 5.0], [True + 2, 6]],
    ],
)
def test_rows_over_time_are_steps(value: object) -> None:
    feature = SeriesFeature(scale="none").fit([value])
    assert feature.encode(value).tolist() == [[1, 4], [2, 5], [3, 6]]


def test_several_columns_are_cells_side_by_side() -> None:
    feature = SeriesFeature(scale="none", columns=["x", "y"]).fit([[[1, 2, 3], [4, 5, 6]]])
    assert feature.encode([[1, 2, 3], [4, 5, 6]]).tolist() == [[1, 4], [2, 5], [3, 6]]
    wide = SeriesFeature(scale="none", columns=["x", "y"]).fit([[[[1, 2]], [3]]])
    assert wide.encode([[[1, 2]], [3]]).tolist() == [[1, 2, 3]]


def test_a_missing_number_is_marked_if_training_has_missing_numbers() -> None:
    feature = SeriesFeature(columns=["x", "y"]).fit([[[1.0, 3.0], [5.0, None]]])
    encoded = feature.encode([[1, 3], [math.nan, 5]])
    assert encoded.tolist() == [[-1, 0, 1], [1, 0, 0]]
    assert feature.encoding.numbers == 3
    assert np.array_equal(feature.decode(encoded), [[1, math.nan], [3, 5]], equal_nan=True)
    with pytest.raises(DataError, match="column 'x' at step 1 is missing, but the training rows"):
        feature.encode([[1, None], [5, 5]])


def test_times_give_the_intervals_between_steps() -> None:
    feature = SeriesFeature(scale="none", columns=["x", "at"], time="at")
    feature.fit([[[7, 8, 9], [10, 12, 16]], [[5], [3]]])  # intervals 2 and 4: 3 on average
    encoded = feature.encode([[7, 8, 9], [0, 0, 9]])
    np.testing.assert_allclose(encoded[:, 1], [0, 0, math.log(4)], rtol=1e-6)
    assert encoded[:, 0].tolist() == [7, 8, 9]
    assert feature.encoding.numbers == 2


@pytest.mark.parametrize(
    "times",
    [
        [datetime.datetime(2020, 3, 28), datetime.datetime(2020, 3, 30)],
        [datetime.date(2020, 3, 28), datetime.date(2020, 3, 30)],
        ["2020-03-28", "2020-03-30"],
        ["28.03.2020 10:00", "30.03.2020 10:00"],
        np.array(["2020-03-28", "2020-03-30"], "M8[D]"),
        list(np.array(["2020-03-28", "2020-03-30"], "M8[ns]")),
        [
            datetime.datetime(2020, 3, 28, tzinfo=datetime.UTC),
            datetime.datetime(2020, 3, 30, tzinfo=datetime.UTC),
        ],
    ],
)
def test_dates_of_every_type_are_times_in_seconds(times: object) -> None:
    feature = SeriesFeature(columns=["x", "at"], time="at").fit([[[1, 2], times]])
    assert feature.to_json()["learned"]["mean_interval"] == 2 * 86_400


def test_equal_times_are_noted() -> None:
    feature = SeriesFeature(columns=["x", "at"], time="at").fit([[[1, 2], [5, 5]]])
    assert feature.notes == ["all steps have the same time in column 'at': Δt is 0."]
    assert feature.encode([[1, 2], [5, 5]])[:, 1].tolist() == [0, 0]


def test_a_series_without_steps_keeps_its_columns() -> None:
    feature = SeriesFeature().fit([np.ones((3, 4))])
    assert feature.encode([]).shape == (0, 4)
    assert feature.decode(feature.encode([])).shape == (0, 4)


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ([1, "two"], "the series at step 1 must be a number, got 'two'"),
        ([1, math.inf], r"the series holds \[inf\] at step 1, beyond the largest"),
        ([[1, 2], [3]], "equally many numbers at every step, got 2 at step 0 and 1 at step 1"),
        ([[1, 2], [3, 4]], "the series must have 1 numbers a step, .* got 2"),
        (np.zeros((2, 3, 4)), r"must be numbers over time, .* got axes \(2, 3, 4\)"),
        (["2020-01-01"], "the series at step 0 must be a number, got '2020-01-01'"),
        ([datetime.date(2020, 1, 1)], "the series at step 0 must be .* got the time"),
        (np.array(["2020-01-01"], "M8[D]"), "the series at step 0 must be .* got the time"),
        ("1 2 3", "the series must be a list of numbers over time, got '1 2 3'"),
        (None, "must be a list of numbers over time, got None"),
        (5, "must be a list of numbers over time, got 5"),
    ],
)
def test_what_is_no_series_is_refused(value: object, words: str) -> None:
    with pytest.raises(DataError, match=words):
        SeriesFeature().fit([[1.0, 2.0]]).encode(value)


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ([[1, 2], [1, 2, 3], [1, 2]], "columns 'x' and 'y' must have the same .* got 2 and 3"),
        ([[1, 2], [1, 2], [1]], "columns 'x' and 'at' must have the same .* got 2 and 1"),
        ([[1, 2], [1, 2], [2, 1]], "column 'at' goes back at step 1, to 1 from 2; sort the steps"),
        ([[1, 2], [1, 2], [2, None]], "column 'at' is missing at step 1; every step must have"),
        ([[1, 2], [1, 2], ["a", "b"]], "column 'at' at step 0, column times: 'a' is not a time"),
        ([[1, 2], [1, 2], 5], "column 'at' must be a list of times, got 5"),
        ([[1, 2], [1, 2]], "a value must be the list of 3 cells, x, y, at"),
    ],
)
def test_columns_that_do_not_match_are_refused_by_name(value: object, words: str) -> None:
    feature = SeriesFeature(columns=["x", "y", "at"], time="at").fit([[[1, 2], [1, 3], [1, 2]]])
    with pytest.raises(DataError, match=words):
        feature.encode(value)


def test_a_target_must_not_be_missing_at_any_step() -> None:
    with pytest.raises(DataError, match="the series at step 1 is missing, and a target must not"):
        SeriesFeature(as_target=True).fit([[1.0, None]])


def test_series_without_any_step_are_refused() -> None:
    with pytest.raises(DataError, match="there is no step in the 2 training series"):
        SeriesFeature().fit([[], []])


def test_options_out_of_range_are_refused() -> None:
    with pytest.raises(OptionError, match="unknown column 'when'; did you mean 'then'"):
        SeriesFeature(columns=["x", "then"], time="when")
    with pytest.raises(OptionError, match="a target has none"):
        SeriesFeature(columns=["x", "at"], time="at", as_target=True)
    with pytest.raises(OptionError, match="columns is for several columns"):
        SeriesFeature(columns=["x"])
