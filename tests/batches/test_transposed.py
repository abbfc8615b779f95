"""From rolls to batches: cutting and transposition."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from elman.batches.transposed import (
    transposed,
    transpositions,
)
from elman.experiment.training import TrainingSettings
from elman.features.roll import RollFeature
from rolls import evaluation_batches, training_batches


def random_rolls(*lengths: int, keys: slice = slice(20, 60)) -> list[np.ndarray]:
    random = np.random.default_rng(7)
    rolls = [np.zeros((length, 88), np.uint8) for length in lengths]
    for roll in rolls:
        roll[:, keys] = random.random(roll[:, keys].shape) < 0.1
    return rolls


def test_transposing_moves_every_note_by_the_same_interval() -> None:
    (roll,) = random_rolls(9)
    for semitones in (-3, 0, 5):
        moved = transposed(roll, semitones)
        assert (
            np.argwhere(moved).tolist() == (np.argwhere(roll) + np.array([0, semitones])).tolist()
        )


def test_no_note_ever_leaves_the_keyboard() -> None:
    roll = np.zeros((4, 88), np.uint8)
    roll[0, 2] = roll[3, 86] = 1
    assert list(transpositions(roll, 5)) == [-2, -1, 0, 1]
    assert list(transpositions(roll, 1)) == [-1, 0, 1]
    assert list(transpositions(np.zeros((4, 88), np.uint8), 5)) == [0]


def test_augmented_pieces_are_transpositions_of_the_originals_and_change_from_epoch_to_epoch() -> (
    None
):
    rolls = random_rolls(5, 7, 11)
    batches = training_batches(
        rolls, RollFeature(), TrainingSettings(augment_transpose=4, batch_size=2), seed=3
    )
    assert len(batches) == 2
    seen = set()
    for epoch in range(4):
        moves = []
        for batch in batches.epoch(epoch):
            for row, length in enumerate(batch.lengths.tolist()):
                target = batch.target[:length, row].numpy()
                (original,) = [roll for roll in rolls if len(roll) == length]
                moves += [
                    (length, move)
                    for move in range(-4, 5)
                    if np.array_equal(transposed(original, move), target)
                ]
        assert sorted(length for length, _ in moves) == [5, 7, 11]
        seen.add(tuple(sorted(moves)))
    assert len(seen) > 1


def test_augmentation_follows_from_seed_and_epoch_alone() -> None:
    rolls = random_rolls(5, 7, 11)
    settings = TrainingSettings(augment_transpose=4, batch_size=2)

    def epoch(seed: int, n: int) -> torch.Tensor:
        batches = training_batches(rolls, RollFeature(), settings, seed)
        return torch.cat([batch.target.flatten() for batch in batches.epoch(n)])

    assert torch.equal(epoch(1, 2), epoch(1, 2))
    assert not torch.equal(epoch(1, 2), epoch(2, 2))


@pytest.mark.parametrize(("carry_state", "greatest"), [(True, 13), (False, 4)])
def test_sequences_are_cut_here_only_where_chunks_do_not_carry_their_state(
    carry_state: bool, greatest: int
) -> None:
    settings = TrainingSettings(chunk_length=4, carry_state=carry_state)
    batches = training_batches(random_rolls(13, 3), RollFeature(), settings, seed=1)
    lengths = torch.cat([batch.lengths for batch in batches.epoch(0)])
    assert int(lengths.max()) == greatest
    assert int(lengths.sum()) == 16


def test_evaluation_always_sees_whole_pieces_in_the_same_order() -> None:
    batches = evaluation_batches(random_rolls(13, 3, 8), RollFeature(), batch_size=2)
    for epoch in (0, 5):
        assert [batch.lengths.tolist() for batch in batches.epoch(epoch)] == [[3, 8], [13]]
