"""Scaling of numeric columns."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from elman.errors import DataError
from elman.features.scaling import Moments, Scaling

tables = hnp.arrays(
    np.float64,
    st.tuples(st.integers(2, 30), st.just(3)),
    elements=st.floats(-1e6, 1e6) | st.just(float("nan")),
)


@given(tables, st.integers(1, 29))
def test_moments_of_pieces_are_those_of_the_whole(table: np.ndarray, cut: int) -> None:
    table[0] = [1, 2, 3]
    moments = Moments(3)
    moments.add(table[:cut])
    moments.add(table[cut:])
    scaling, _ = moments.scaling("standard", "abc")
    np.testing.assert_allclose(scaling.mean, np.nanmean(table, axis=0), rtol=1e-9, atol=1e-9)
    varied = np.nanstd(table, axis=0) > 1e-6
    np.testing.assert_allclose(
        scaling.sd[varied], np.nanstd(table, axis=0)[varied], rtol=1e-6, atol=1e-9
    )
    assert scaling.gaps.tolist() == np.isnan(table).any(axis=0).tolist()


def test_rows_added_one_by_one_give_the_moments_of_the_whole() -> None:
    table = np.random.default_rng(1).normal(5, 3, (10_000, 2))
    moments = Moments(2)
    for row in table:
        moments.add_row(row)
    scaling, notes = moments.scaling("standard", "ab")
    np.testing.assert_allclose(scaling.mean, table.mean(axis=0), rtol=1e-12)
    np.testing.assert_allclose(scaling.sd, table.std(axis=0), rtol=1e-12)
    assert notes == []


@pytest.mark.parametrize("constant", [0.0, 0.1, 1e9, -7.3e-12])
def test_a_constant_column_is_shifted_not_divided_and_noted(constant: float) -> None:
    moments = Moments(1)
    moments.add(np.full((1_000, 1), constant))
    scaling, notes = moments.scaling("standard", ["column 'x'"])
    assert scaling.sd.tolist() == [1.0]
    assert scaling.encode(np.array([[constant]]), ["x"])[0, 0] == pytest.approx(0, abs=1e-6)
    assert notes == [
        "column 'x' is constant over the training rows, so nothing can be learned from it; only "
        "its mean is subtracted."
    ]


@pytest.mark.parametrize(("method", "replacement"), [("standard", "the mean"), ("none", "0")])
def test_missing_values_are_counted_and_noted(method: str, replacement: str) -> None:
    moments = Moments(2)
    moments.add(np.array([[1.0, 2.0], [np.nan, 3.0], [4.0, 5.0]]))
    moments.add_row([np.nan, 1.0])
    _, notes = moments.scaling(method, ["column 'x'", "column 'y'"])
    assert notes == [
        f"column 'x': 2 of 4 training values missing: replaced by {replacement} and "
        "marked as missing."
    ]


def test_a_missing_value_is_zero_with_a_mark_if_training_has_missing_values() -> None:
    moments = Moments(2)
    moments.add(np.array([[1, 5], [3, np.nan]]))
    scaling, _ = moments.scaling("none", "ab")
    encoded = scaling.encode(np.array([[2, np.nan], [4, 6]]), "ab")
    assert encoded.tolist() == [[2, 0, 1], [4, 6, 0]]
    assert np.array_equal(scaling.decode(encoded), [[2, np.nan], [4, 6]], equal_nan=True)


def test_a_value_missing_only_after_training_is_refused_with_its_step() -> None:
    moments = Moments(2)
    moments.add(np.array([[1, 5], [3, np.nan]]))
    scaling, _ = moments.scaling("standard", "ab")
    with pytest.raises(DataError, match="column 'a' at step 1 is missing, but the training rows"):
        scaling.encode(np.array([[2, 2], [np.nan, 6]]), ["column 'a'", "column 'b'"])


def test_a_column_without_a_number_is_refused() -> None:
    moments = Moments(2)
    moments.add(np.array([[1, np.nan], [3, np.nan]]))
    with pytest.raises(DataError, match="column 'b' is missing in all training rows; leave"):
        moments.scaling("standard", ["column 'a'", "column 'b'"])


def test_a_scale_that_does_not_exist_or_fit_is_refused() -> None:
    state = Scaling("log", np.zeros(1), np.ones(1), np.zeros(1, np.bool_)).to_json()
    assert Scaling.from_json(state, "number").to_json() == state
    with pytest.raises(DataError, match="its scaling method is 'cube'"):
        Scaling.from_json({**state, "method": "cube"}, "number")
    with pytest.raises(DataError, match="each column must have a mean"):
        Scaling.from_json({**state, "sd": []}, "number")
