"""Seasons of series: those that are there, and none where there is none."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from elman.data.seasons import autocorrelation, find_seasons

Numbers = NDArray[np.float64]


def seasonal(steps: int, *seasons: int, seed: int = 0, noise: float = 0.4) -> Numbers:
    """A random shape of each season, repeated, with noise; that of the shortest varies most."""
    random = np.random.default_rng([seed, *seasons])
    values = noise * random.normal(size=steps)
    for number, season in enumerate(seasons, start=1):
        shape = random.normal(size=season).cumsum()  # smooth, as of a day
        shape -= np.linspace(0, shape[-1] - shape[0], season)
        values += np.resize((shape - shape.mean()) / shape.std() / number**0.5, steps)
    return values


lengths = pytest.mark.parametrize(
    ("seasons", "steps"),
    [((4,), 100), ((7,), 120), ((12,), 140), ((24,), 500), ((52,), 300), ((24, 168), 2_000)],
    ids=str,
)


@lengths
def test_a_season_is_found(seasons: tuple[int, ...], steps: int) -> None:
    found = [find_seasons([seasonal(steps, *seasons, seed=seed)]) for seed in range(3)]
    assert found == [list(seasons)] * 3


@lengths
def test_a_season_is_found_upon_a_trend(seasons: tuple[int, ...], steps: int) -> None:
    values = seasonal(steps, *seasons) + np.linspace(0, 20, steps)
    assert find_seasons([values]) == list(seasons)
    assert find_seasons([values * 1e6 + 1e9]) == list(seasons)


@lengths
def test_a_season_is_found_under_noise(seasons: tuple[int, ...], steps: int) -> None:
    many = [seasonal(steps, *seasons, seed=seed, noise=0.8) for seed in range(3)]
    assert find_seasons(many) == list(seasons)


@lengths
def test_a_season_is_found_beside_gaps_and_outliers(seasons: tuple[int, ...], steps: int) -> None:
    steps *= 2
    values = seasonal(steps, *seasons)
    random = np.random.default_rng(1)
    values[random.choice(steps, steps // 200)] = 1e6
    values[random.choice(steps, steps // 10)] = np.nan
    assert find_seasons([values]) == list(seasons)


def test_a_season_is_one_of_most_series() -> None:
    with_season = [seasonal(120, 7, seed=seed) for seed in range(5)]
    without = [np.random.default_rng(seed).normal(size=120) for seed in range(5)]
    assert find_seasons(with_season + without[:2]) == [7]
    assert find_seasons(with_season[:2] + without) == []


def test_no_season_is_longer_than_asked() -> None:
    values = seasonal(500, 24)
    assert find_seasons([values], longest=24) == [24]
    assert 24 not in find_seasons([values], longest=23)


def test_a_season_must_be_seen_three_times() -> None:
    assert find_seasons([seasonal(35, 12, noise=0.1)]) == []


WITHOUT = {
    "white noise": lambda random, steps: random.normal(size=steps),
    "a random walk": lambda random, steps: random.normal(size=steps).cumsum(),
    "a trend": lambda random, steps: np.arange(steps) * 0.3 + random.normal(size=steps),
    "a curve": lambda random, steps: (np.arange(steps) / steps) ** 2 + 0.01 * random.normal(),
    "what remembers": lambda random, steps: np.convolve(
        random.normal(size=steps), 0.8 ** np.arange(30)
    )[:steps],
    "bursts": lambda random, steps: (random.random(steps) < 0.05) * random.gamma(1, 5, steps),
}


@pytest.mark.parametrize(("steps", "seeds"), [(60, 50), (250, 20), (1_000, 5)])
@pytest.mark.parametrize("kind", WITHOUT)
def test_where_there_is_no_season_none_is_found(kind: str, steps: int, seeds: int) -> None:
    draws = [WITHOUT[kind](np.random.default_rng(seed), steps) for seed in range(seeds)]
    false = [found for found in map(find_seasons, ([each] for each in draws)) if found]
    assert len(false) <= seeds / 25, false


@pytest.mark.parametrize(
    "values",
    [
        [],
        [1.0],
        [1.0, 2.0],
        [5.0] * 80,
        [np.nan] * 80,
        [np.nan] * 70 + [1.0, 2.0],
        [*range(20), *[np.nan] * 60],
        [1.0, np.nan] * 40,
        [0.0] * 79 + [1.0],
        list(range(80)),
    ],
    ids=lambda values: f"{len(values)} {values[:2]} …",
)
def test_series_that_say_nothing_have_no_season(values: list[float]) -> None:
    assert find_seasons([values]) == []
    assert find_seasons([values, values]) == []


def test_no_series_has_no_season() -> None:
    assert find_seasons([]) == []


def test_every_other_step_may_be_missing() -> None:
    values = seasonal(600, 24)
    values[::2] = np.nan
    assert find_seasons([values]) == [24]


def test_the_autocorrelation_by_hand() -> None:
    # Less their mean 2: −1, 1, 0, 0; the products at lag 1 are −1, 0, 0, at lag 2 0, 0.
    assert autocorrelation([1.0, 3.0, 2.0, 2.0], 2).tolist() == pytest.approx([1, -2 / 3, 0])


def test_the_autocorrelation_is_over_the_pairs_that_are_observed() -> None:
    # The mean is 0, the variance 1; pairs at lag 2 are (1, −1) and (−1, 1).
    values = [1.0, np.nan, -1.0, np.nan, 1.0, -1.0]
    assert autocorrelation(values, 2)[2] == pytest.approx((-1 - 1) / 2)
    assert autocorrelation([np.nan] * 4, 2).tolist() == [0, 0, 0]
