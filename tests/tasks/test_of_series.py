"""What is chosen for one answer about a series of numbers."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from elman.experiment import Experiment
from elman.experiment.network import Convolution
from elman.experiment.training import TrainingSettings
from elman.runs.run import prepare
from elman.tasks.of_series import convolutions_for


def chosen(rows: int = 60, steps: int = 9, *, number: bool = False, **settings: Any) -> Experiment:
    random = np.random.default_rng(1)
    source = {
        "x": [random.normal(size=steps).tolist() for _ in range(rows)],
        "speaker": [f"s{row % 9}" for row in range(rows)],
        "y": random.normal(size=rows).tolist() if number else ["a", "b"] * (rows // 2),
    }
    whole = Experiment.from_values({"data": {}}, origin="the experiment")
    return prepare(whole.override({"input": "x", "target": "y", **settings}), source).experiment


@pytest.mark.parametrize("steps", [1, 7, 24, 160, 161, 361, 1_460, 20_000])
def test_long_series_are_strided_so_that_the_recurrent_layers_take_fewer_steps(steps: int) -> None:
    layers = [Convolution(**layer) for layer in convolutions_for(steps)]
    stride = np.prod([layer.stride for layer in layers])
    assert stride == (1 if steps <= 160 else 2 if steps <= 400 else 4 if steps <= 800 else 8)


def test_few_series_are_folded_augmented_smoothed_and_trained_to_the_end() -> None:
    made = chosen()
    assert made.training.folds == 5
    assert made.training.select == "last"
    assert made.training.augment_jitter > 0
    assert made.network.label_smoothing == 0.1
    assert made.network.own_scale
    assert len(made.network.convolutions) == 3


def test_a_number_is_not_smoothed_and_its_series_keep_their_level() -> None:
    made = chosen(number=True)
    assert made.training.folds == 5
    assert made.network.label_smoothing == 0
    assert made.training.augment_scale == 0
    assert made.training.augment_jitter > 0


def test_a_handful_of_series_is_not_folded_nor_are_a_few_groups_of_them() -> None:
    assert chosen(rows=8).training.folds == 0
    assert chosen(rows=8).network.convolutions
    assert chosen(group="speaker").training.folds == 0
    assert chosen(rows=60).training.folds == 5


def test_enough_validation_rows_are_not_folded() -> None:
    assert chosen(rows=700).training.folds == 0
    assert chosen(rows=700).network.convolutions


@pytest.mark.parametrize(("steps", "convolved"), [(3, False), (170, True)])
def test_of_many_series_only_long_ones_are_convolved(steps: int, convolved: bool) -> None:
    made = chosen(rows=2_700, steps=steps)
    assert bool(made.network.convolutions) is convolved
    assert bool(made.training.augment_jitter) is convolved


def test_no_convolutions_asked_for_leaves_all_as_it_is_for_other_inputs() -> None:
    made = chosen(convolutions=[])
    plain = TrainingSettings()
    assert not made.network.convolutions
    assert not made.network.own_scale
    assert made.training.folds == plain.folds
    assert made.training.augment_jitter == plain.augment_jitter
    assert made.training.patience > 0


@pytest.mark.parametrize("given", [{"patience": 7}, {"select": "score"}])
def test_a_selection_that_is_asked_for_is_kept(given: dict[str, Any]) -> None:
    made = chosen(**given)
    for name, value in given.items():
        assert getattr(made.training, name) == value
    assert made.training.select != "last"


@pytest.mark.parametrize("given", [{"split_order": "time"}, {"folds": 0}])
def test_rows_in_the_order_of_time_are_not_folded_nor_where_it_is_said(
    given: dict[str, Any],
) -> None:
    assert chosen(**given).training.folds == 0
