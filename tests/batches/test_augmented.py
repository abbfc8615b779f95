"""Series that are changed a little in every epoch: how, and that nothing else is."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

import elman
from elman.batches.augmented import AUGMENTATIONS, AugmentedBatches
from elman.batches.batching import BucketedBatches, Example
from elman.errors import ExperimentError
from elman.experiment.training import TrainingSettings

LENGTHS = (9, 1, 14, 6, 2)
NUMBERS = 2


def rows() -> list[Tensor]:
    """Two numbers and a mark a step; the first number is the step, the mark is at every third."""
    return [
        torch.stack(
            [torch.arange(n), torch.full((n,), float(n)), (torch.arange(n) % 3 == 0)], -1
        ).float()
        for n in LENGTHS
    ]


def batches(seed: int = 3, **settings: Any) -> AugmentedBatches:
    examples = [Example(x, torch.tensor(row)) for row, x in enumerate(rows())]
    plain = BucketedBatches(examples, 2, seed=seed, targets="row")
    return AugmentedBatches(plain, TrainingSettings(**settings), numbers=NUMBERS, seed=seed)


def by_row(given: AugmentedBatches, epoch: int) -> dict[int, Tensor]:
    """Return the real steps of each row, by its target."""
    found = {}
    for batch in given.epoch(epoch):
        for place, (row, length) in enumerate(zip(batch.target, batch.lengths, strict=True)):
            found[int(row)] = batch.input[: int(length), place]
    return found


EACH = {
    "augment_jitter": 0.1,
    "augment_scale": 0.2,
    "augment_shift": 0.3,
    "augment_crop": 0.4,
    "augment_warp": 0.3,
}


def test_the_names_are_all_that_there_are() -> None:
    names = {name for name in TrainingSettings.model_fields if name.startswith("augment_")}
    assert names == {*AUGMENTATIONS, "augment_transpose"}
    assert EACH.keys() == {*AUGMENTATIONS}


@pytest.mark.parametrize("name", EACH)
def test_an_epoch_is_the_same_again_and_another_epoch_or_seed_differs(name: str) -> None:
    one, again = (by_row(batches(**{name: EACH[name]}), 4) for _ in range(2))
    assert all(torch.equal(one[row], again[row]) for row in one)
    others = by_row(batches(**{name: EACH[name]}), 5), by_row(batches(4, **{name: EACH[name]}), 4)
    for other in others:
        assert any(
            len(one[row]) != len(other[row]) or not torch.equal(one[row], other[row]) for row in one
        )


@pytest.mark.parametrize("name", EACH)
def test_marks_stay_marks_and_every_row_keeps_its_target(name: str) -> None:
    found = by_row(batches(**{name: EACH[name]}), 1)
    assert sorted(found) == [0, 1, 2, 3, 4]
    for x in found.values():
        assert set(x[:, 2].tolist()) <= {0.0, 1.0}
        assert bool(x.isfinite().all())


def test_jitter_has_its_deviation_and_leaves_the_steps() -> None:
    noise = [
        x[:, :2] - rows()[row][:, :2]
        for epoch in range(60)
        for row, x in by_row(batches(augment_jitter=0.1), epoch).items()
    ]
    assert float(torch.cat(noise).std()) == pytest.approx(0.1, rel=0.05)
    assert abs(float(torch.cat(noise).mean())) < 0.01


def test_scale_is_one_factor_a_row() -> None:
    for row, x in by_row(batches(augment_scale=0.2), 0).items():
        factor = x[0, 1] / LENGTHS[row]
        torch.testing.assert_close(x[:, :2], rows()[row][:, :2] * factor)
        assert factor != 1


def test_a_shift_moves_all_steps_and_repeats_the_end_values() -> None:
    shifts = set()
    for epoch in range(80):
        x = by_row(batches(augment_shift=0.3), epoch)[2]  # 14 steps: at most 4 in either direction
        shift = int(torch.arange(14)[7] - x[7, 0])
        expected = (torch.arange(14) - shift).clamp(0, 13).float()
        assert torch.equal(x[:, 0], expected)
        shifts.add(shift)
    assert shifts == set(range(-4, 5))


def test_a_crop_keeps_consecutive_steps_and_at_least_one() -> None:
    lengths = set()
    for epoch in range(30):
        found = by_row(batches(augment_crop=0.4), epoch)
        assert len(found[1]) == 1
        first = int(found[2][0, 0])
        assert found[2][:, 0].tolist() == list(range(first, first + len(found[2])))
        lengths.add(len(found[2]))
    assert min(lengths) >= 8
    assert max(lengths) <= 14
    assert len(lengths) > 3


def test_a_warp_keeps_the_ends_and_the_order_of_the_steps() -> None:
    x = by_row(batches(augment_warp=0.3), 2)[2][:, 0]
    assert float(x[0]) == 0
    assert float(x[-1]) == pytest.approx(13)
    assert bool((x.diff() > 0).all())
    assert not torch.allclose(x, torch.arange(14).float())


def test_padding_is_not_read_by_a_row_beside_a_longer_one() -> None:
    settings = {name: value for name, value in EACH.items() if name != "augment_jitter"}
    for epoch in range(20):
        for row, x in by_row(batches(**settings), epoch).items():
            level = x[:, 1] / x[0, 1]  # the second number is the same at all steps of a row
            torch.testing.assert_close(level, torch.ones_like(level), msg=f"row {row}")


def test_rows_that_are_no_series_of_numbers_refuse_it_in_words(tmp_path: Any) -> None:
    table = {"text": ["good film", "bad film"] * 20, "label": ["yes", "no"] * 20}
    with pytest.raises(ExperimentError, match=r"training\.augment_jitter = 0\.1 changes series of"):
        elman.train(table, target="label", augment_jitter=0.1, out=tmp_path)


def test_a_model_trains_on_augmented_series_and_twice_to_the_same_numbers(tmp_path: Any) -> None:
    random = np.random.default_rng(1)
    table = {
        "x": [
            random.normal(row % 2, 1, size=int(random.integers(3, 9))).tolist() for row in range(30)
        ],
        "label": ["low", "high"] * 15,
    }
    options = {"target": "label", "epochs": 3, "folds": 0, "hidden_size": 8, **EACH}
    scores = [
        elman.train(table, out=tmp_path / name, **options).evaluate(table) for name in ("a", "b")
    ]
    assert scores[0] == scores[1]
