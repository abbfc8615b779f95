"""Values that vary in proportion to their level, and values that do not."""

from __future__ import annotations

import numpy as np
import pytest

from elman.data.levels import Floats, spread_grows_with_level

SHAPE = np.array([0.0, 1.0, 3.0, 2.0, 2.5, -2.0, -3.0, 0.5, 1.0, -1.0, -2.0, -2.0])


def seasons(steps: int, power: float, seed: int = 0, growth: float = 3.0) -> Floats:
    """A level that grows evenly, with a shape and noise in proportion to a power of it."""
    level = np.linspace(1.0, growth, steps)
    varies = np.resize(SHAPE, steps) + np.random.default_rng(seed).normal(size=steps)
    return np.asarray(100 * level + 5 * level**power * varies)


def test_a_spread_in_proportion_to_the_level_is_seen() -> None:
    assert spread_grows_with_level([seasons(240, 1.0)], 12)
    assert spread_grows_with_level([seasons(240, 1.0)], 1)


@pytest.mark.parametrize("power", [0.0, 0.3])
def test_a_spread_that_grows_less_is_not(power: float) -> None:
    assert not spread_grows_with_level([seasons(240, power)], 12)


def test_the_unit_does_not_matter() -> None:
    for unit in (1e-9, 1.0, 1e12):
        assert spread_grows_with_level([seasons(240, 1.0) * unit], 12)


def test_a_level_that_hardly_changes_shows_nothing() -> None:
    assert not spread_grows_with_level([seasons(240, 1.0, growth=1.3)], 12)


def test_a_value_at_zero_or_below_has_no_logarithm() -> None:
    for value in (0.0, -1.0):
        values = seasons(240, 1.0)
        values[17] = value
        assert not spread_grows_with_level([values], 12)


def test_gaps_are_left_out_and_short_or_flat_series_show_nothing() -> None:
    gaps = seasons(240, 1.0)
    gaps[np.random.default_rng(1).choice(240, 60, replace=False)] = np.nan
    assert spread_grows_with_level([gaps], 12)
    assert not spread_grows_with_level([np.full(240, np.nan)], 12)
    assert not spread_grows_with_level([np.full(240, 7.0)], 12)
    assert not spread_grows_with_level([seasons(60, 1.0)], 12)
    assert not spread_grows_with_level([], 12)


def test_most_series_decide() -> None:
    growing, steady = seasons(240, 1.0), seasons(240, 0.0)
    assert spread_grows_with_level([growing, growing, steady], 12)
    assert not spread_grows_with_level([growing, steady, steady], 12)


def test_a_random_walk_of_numbers_is_none_of_returns_is() -> None:
    steps = np.random.default_rng(3).normal(size=3_000)
    assert not spread_grows_with_level([1_000 + 2 * steps.cumsum()], 1)
    assert spread_grows_with_level([np.exp(0.02 * steps.cumsum())], 1)
