"""Learning rates by time and by the losses so far."""

from __future__ import annotations

import math

import pytest

from elman.experiment.training import TrainingSettings
from elman.training.schedule import count_plateaus, learning_rate


def test_a_constant_rate_stays() -> None:
    settings = TrainingSettings(learning_rate=0.3)
    assert [learning_rate(settings, t, []) for t in (0.1, 7.0, 200.0)] == [0.3, 0.3, 0.3]


def test_cosine_falls_from_the_highest_over_the_middle_to_the_lowest() -> None:
    settings = TrainingSettings(
        learning_rate=0.3, schedule="cosine", epochs=8, minimum_learning_rate=0.1
    )
    assert learning_rate(settings, 0.0, []) == 0.3
    assert learning_rate(settings, 4.0, []) == pytest.approx(0.2, rel=1e-12)
    assert learning_rate(settings, 8.0, []) == pytest.approx(0.1, rel=1e-12)
    expected = 0.1 + 0.2 * (1 + math.cos(math.pi / 4)) / 2
    assert learning_rate(settings, 2.0, []) == pytest.approx(expected, rel=1e-12)


def test_warm_up_rises_linearly_and_then_leaves_the_schedule_alone() -> None:
    settings = TrainingSettings(learning_rate=0.3, warmup_epochs=2.0)
    rates = [learning_rate(settings, t, []) for t in (0.5, 1.0, 2.0, 3.0)]
    assert rates == pytest.approx([0.075, 0.15, 0.3, 0.3], rel=1e-12)


def test_plateau_multiplies_by_its_factor_down_to_the_lowest() -> None:
    settings = TrainingSettings(
        learning_rate=0.4,
        schedule="plateau",
        plateau_factor=0.5,
        plateau_patience=2,
        minimum_learning_rate=0.15,
    )
    losses = [5.0, 4.0, 4.5, 4.0, 3.0, 3.0, 3.0, 3.1, 3.2]
    rates = [learning_rate(settings, 1.0, losses[:n]) for n in range(len(losses) + 1)]
    assert rates == [0.4, 0.4, 0.4, 0.4, 0.2, 0.2, 0.2, 0.15, 0.15, 0.15]


def test_a_plateau_is_so_many_epochs_without_a_new_low() -> None:
    assert count_plateaus([], 1) == 0
    assert count_plateaus([3.0, 2.0, 1.0], 1) == 0
    assert count_plateaus([1.0, 1.0, 1.0], 1) == 2
    assert count_plateaus([3.0, 2.0, 2.5, 2.5, 1.0, 1.5, 1.5], 2) == 2
