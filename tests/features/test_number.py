"""One number, or several columns of numbers."""

from __future__ import annotations

import datetime
import math
from decimal import Decimal

import numpy as np
import pytest
import torch
from sklearn.preprocessing import StandardScaler

from elman.errors import DataError, OptionError
from elman.features.number import NumberFeature


def test_a_number_is_standardised_as_scikit_learn_does() -> None:
    values = np.random.default_rng(3).normal(7, 2, 50)
    feature = NumberFeature().fit(values)
    expected = StandardScaler().fit_transform(values[:, None])[:, 0]
    encoded = torch.cat([feature.encode(value) for value in values])
    np.testing.assert_allclose(encoded, expected, rtol=1e-6)
    assert feature.decode(feature.encode(values[4])) == pytest.approx(values[4], rel=1e-6)


def test_the_logarithm_of_one_plus_x_is_inverted_by_decoding() -> None:
    feature = NumberFeature(scale="log").fit([0, math.e - 1])
    assert feature.encode(0).item() == pytest.approx(-1)
    assert feature.decode(torch.tensor([1.0])) == pytest.approx(math.e - 1, rel=1e-6)
    with pytest.raises(
        DataError, match=r"needs numbers of at least 0, and the number is -3.0; use scale="
    ):
        feature.encode(-3)


def test_without_a_scale_numbers_stay_as_they_are() -> None:
    assert NumberFeature(scale="none").fit([5, 9]).encode(-7.5).tolist() == [-7.5]


def test_several_columns_are_scaled_each_by_its_own() -> None:
    feature = NumberFeature(as_target=True, columns=["x", "y"]).fit([[1, 10], [3, 50]])
    assert feature.encode([3, 10]).tolist() == [1.0, -1.0]
    assert feature.encode({"y": 10, "x": 3}).tolist() == [1.0, -1.0]
    assert feature.decode(torch.tensor([1.0, -1.0])) == [3.0, 10.0]
    assert feature.description == "2 numbers"


@pytest.mark.parametrize(
    "value", [2, 2.0, "2", " 2.0 ", True + 1, Decimal(2), np.int8(2), np.float32(2)]
)
def test_every_form_of_a_number_is_read(value: object) -> None:
    assert NumberFeature(scale="none").fit([1]).encode(value).tolist() == [2.0]


def test_a_missing_number_is_the_mean_with_a_mark_if_training_has_missing_numbers() -> None:
    feature = NumberFeature().fit([1, None, 3, ""])
    assert feature.encode(None).tolist() == [0.0, 1.0]
    assert feature.encode(3).tolist() == [1.0, 0.0]
    assert feature.encoding.numbers == 2
    assert math.isnan(feature.decode(feature.encode(None)))  # type: ignore[arg-type]
    with pytest.raises(DataError, match="the number is missing, but the training rows have no"):
        NumberFeature().fit([1, 3]).encode(None)


@pytest.mark.parametrize("value", [None, math.nan, ""])
def test_a_missing_target_is_refused(value: object) -> None:
    with pytest.raises(DataError, match="the number is missing, and a target must not be missing"):
        NumberFeature(as_target=True).fit([1, value])
    with pytest.raises(DataError, match="column 'y' is missing, and a target must not be missing"):
        NumberFeature(as_target=True, columns=["x", "y"]).fit([[1, value]])


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (
            "12 kg",
            "the number must be a number, got '12 kg'; correct it, or set the kind to 'category'",
        ),
        (
            math.inf,
            r"the number is inf, beyond the largest number that a network can read, 3.4e\+38",
        ),
        ("-inf", "the number is '-inf', beyond"),
        (10**400, "beyond the largest number"),
        (1e39, r"the number is 1e\+39, beyond"),
        (datetime.date(2020, 1, 2), r"got the time datetime.date\(2020, 1, 2\); name .*--time"),
        (np.datetime64("2020-01-02"), "got the time .*--time"),
        ([1], r"the number must be a number, got \[1\]"),
        (1 + 2j, "the number must be a number"),
        (np.complex64(1), "the number must be a number"),
    ],
)
def test_what_is_no_number_is_refused(value: object, words: str) -> None:
    with pytest.raises(DataError, match=words):
        NumberFeature().fit([1, 2]).encode(value)


@pytest.mark.parametrize("value", [[1], [1, 2, 3], 5, "12", {"x": 1}, None])
def test_cells_that_are_not_one_a_column_are_refused(value: object) -> None:
    feature = NumberFeature(columns=["x", "y"]).fit([[1, 2]])
    with pytest.raises(DataError, match=r"list of 2 cells, x, y|must have the columns x, y"):
        feature.encode(value)


def test_a_single_row_is_accepted_and_noted_as_constant() -> None:
    feature = NumberFeature().fit([4])
    assert feature.encode(5).tolist() == [1.0]
    assert feature.notes[0].startswith("the number is constant over the training rows")


def test_options_out_of_range_are_refused() -> None:
    with pytest.raises(OptionError, match="unknown scale 'standart'; did you mean 'standard'"):
        NumberFeature(scale="standart")  # type: ignore[arg-type]
    with pytest.raises(OptionError, match="columns is for several columns"):
        NumberFeature(columns=["x"])
