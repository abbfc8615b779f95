"""Numbers as their logarithms."""

from __future__ import annotations

import math

import numpy as np

from elman.features.logarithms import Logarithms

NAN = float("nan")


def test_logarithms_are_those_of_the_numbers_and_lead_back() -> None:
    numbers = np.array([[1.0, 20.0], [math.e, NAN]])
    found = Logarithms.fitted(2, [numbers])
    np.testing.assert_allclose(found.code(numbers), [[0.0, math.log(20.0)], [1.0, NAN]])
    np.testing.assert_allclose(found.uncode(found.code(numbers)), numbers)


def test_what_has_no_logarithm_is_read_as_the_lowest_learned() -> None:
    found = Logarithms.fitted(2, [np.array([[0.0, 9.0], [4.0, -1.0]]), np.array([[3.0, NAN]])])
    assert found.lowest.tolist() == [3.0, 9.0]
    later = found.uncode(found.code(np.array([[0.0, -5.0], [2.0, 8.0]])))
    np.testing.assert_allclose(later, [[3.0, 9.0], [2.0, 8.0]])


def test_without_a_number_above_zero_the_lowest_is_one() -> None:
    assert Logarithms.fitted(1, [np.array([[0.0], [NAN]])]).lowest.tolist() == [1.0]
    assert Logarithms.fitted(1, []).lowest.tolist() == [1.0]
