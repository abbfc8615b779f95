"""Piano rolls: checking, notes, likelihood, sampling."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from elman.errors import DataError, OptionError, ShapeError
from elman.features.roll import KEYS, HeldNote, RollFeature, as_roll, held_notes, note_name

rolls = hnp.arrays(
    np.uint8, st.tuples(st.integers(0, 9), st.just(KEYS)), elements=st.integers(0, 1)
)
feature = RollFeature()


def roll_of(*notes: HeldNote, frames: int) -> np.ndarray:
    roll = np.zeros((frames, KEYS), np.uint8)
    for note, start, end in notes:
        roll[start:end, note - 21] = 1
    return roll


def test_notes_have_the_names_of_musicians() -> None:
    names = [note_name(note) for note in (21, 59, 60, 61, 108)]
    assert names == ["A0", "B3", "C4", "C♯4", "C8"]


def test_a_held_key_is_one_note_and_a_key_after_a_rest_is_another() -> None:
    notes = [HeldNote(21, 0, 1), HeldNote(60, 0, 3), HeldNote(108, 2, 5), HeldNote(60, 4, 5)]
    assert held_notes(roll_of(*notes, frames=5)) == notes


@given(rolls)
def test_the_held_notes_of_a_roll_restore_the_roll(roll: np.ndarray) -> None:
    assert np.array_equal(roll_of(*held_notes(roll), frames=len(roll)), roll)


@given(rolls)
def test_decoding_undoes_encoding(roll: np.ndarray) -> None:
    encoded = feature.encode(roll)
    assert encoded.dtype == torch.float32
    assert np.array_equal(feature.decode(encoded), roll)
    assert feature.decode(encoded).dtype == np.uint8


@pytest.mark.parametrize("dtype", [bool, np.int64, np.float32, np.uint8])
def test_every_numeric_type_of_zeros_and_ones_is_a_roll(dtype: type) -> None:
    roll = np.eye(3, KEYS).astype(dtype)
    assert np.array_equal(as_roll(roll), np.eye(3, KEYS))


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (2, r"0 \(silent\) and 1 \(sounding\) only, got 2.0 at frame 1, key 39 \(C4\)"),
        (0.5, r"got 0.5 at frame 1, key 39"),
        (-1, r"got -1.0 at frame 1"),
        (math.nan, r"got nan at frame 1, key 39 \(C4\); 1 such values in all"),
    ],
)
def test_a_value_that_is_neither_zero_nor_one_is_refused_with_its_place(
    value: float, words: str
) -> None:
    roll = np.zeros((3, KEYS))
    roll[1, 39] = value
    with pytest.raises(DataError, match=words):
        feature.encode(roll)
    with pytest.raises(DataError, match=words):
        feature.decode(torch.from_numpy(roll))


@pytest.mark.parametrize("shape", [(5, 87), (KEYS,), (2, 5, KEYS), (KEYS, 5)])
def test_a_roll_of_another_shape_is_refused_by_its_axes(shape: tuple[int, ...]) -> None:
    with pytest.raises(ShapeError, match=r"roll must be \(T, keys\) = \(T, 88\).*A0 up, got \("):
        feature.encode(np.zeros(shape))


def test_values_that_are_no_numbers_are_refused() -> None:
    with pytest.raises(DataError, match="must hold the numbers 0 and 1, got values of type <U1"):
        as_roll(np.full((2, KEYS), "x"))


def test_fitting_checks_every_roll_and_names_the_wrong_one() -> None:
    assert feature.fit([np.zeros((2, KEYS)), np.zeros((0, KEYS))]) is feature
    with pytest.raises(ShapeError, match=r"roll 1 must be .* got \(2, 12\)"):
        feature.fit([np.zeros((2, KEYS)), np.zeros((2, 12))])
    with pytest.raises(DataError, match="at least one roll to fit on, got none"):
        feature.fit([])


def test_the_likelihood_of_a_frame_is_the_sum_over_keys_in_nats() -> None:
    probability = torch.rand(4, 3, KEYS, dtype=torch.float64) * 0.98 + 0.01
    target = torch.bernoulli(probability)
    expected = -torch.where(target == 1, probability, 1 - probability).log().sum(dim=-1)
    torch.testing.assert_close(feature.frame_nll(torch.logit(probability), target), expected)


def test_indifferent_logits_cost_88_times_the_logarithm_of_two() -> None:
    loss = feature.loss(torch.zeros(5, 2, KEYS), torch.ones(5, 2, KEYS), torch.tensor([5, 2]))
    assert loss.item() == pytest.approx(88 * math.log(2), rel=1e-6)


def test_the_loss_is_the_mean_over_real_frames_and_not_over_rows() -> None:
    logits = torch.randn(6, 3, KEYS, dtype=torch.float64)
    target = torch.bernoulli(torch.full_like(logits, 0.1))
    lengths = torch.tensor([6, 0, 2])
    nll = feature.frame_nll(logits, target)
    expected = (nll[:, 0].sum() + nll[:2, 2].sum()) / 8
    torch.testing.assert_close(feature.loss(logits, target, lengths), expected)


def test_nan_in_padding_changes_neither_the_loss_nor_a_gradient() -> None:
    lengths = torch.tensor([4, 0, 3])
    padding = torch.arange(4)[:, None] >= lengths
    clean = torch.randn(4, 3, KEYS, dtype=torch.float64)
    target = torch.bernoulli(torch.full_like(clean, 0.1))

    def loss_and_gradient(
        logits: torch.Tensor, target: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        logits = logits.clone().requires_grad_()
        loss = feature.loss(logits, target, lengths)
        return loss.detach(), torch.autograd.grad(loss, logits)[0]

    loss, gradient = loss_and_gradient(clean, target)
    poisoned = clean.masked_fill(padding[..., None], math.nan)
    poisoned_target = target.masked_fill(padding[..., None], math.nan)
    again, gradient_again = loss_and_gradient(poisoned, poisoned_target)
    assert torch.equal(again, loss)
    assert torch.equal(gradient_again, gradient)
    assert not gradient[padding].any()
    assert gradient[~padding].all()


def test_a_batch_without_a_real_frame_has_loss_and_gradient_zero() -> None:
    logits = torch.full((2, 1, KEYS), math.nan, requires_grad=True)
    loss = feature.loss(logits, torch.zeros(2, 1, KEYS), torch.tensor([0]))
    loss.backward()
    assert loss.item() == 0
    assert logits.grad is not None
    assert not logits.grad.any()


@pytest.mark.parametrize(
    ("logits", "target", "lengths", "error", "words"),
    [
        (
            (3, 2, 87),
            (3, 2, 87),
            [3, 1],
            ShapeError,
            r"logits must be \(T, B, keys\).*\(3, 2, 87\)",
        ),
        ((3, KEYS), (3, KEYS), [3], ShapeError, r"logits must be \(T, B, keys\).*\(3, 88\)"),
        ((3, 2, KEYS), (2, 2, KEYS), [3, 1], ShapeError, r"target must be .*got \(2, 2, 88\)"),
        (
            (3, 2, KEYS),
            (3, 2, KEYS),
            [3],
            ShapeError,
            r"lengths must be \(B,\) = \(2,\), got \(1,\)",
        ),
        ((3, 2, KEYS), (3, 2, KEYS), [3, 4], OptionError, r"0 … T = 3, got 4 at row 1"),
        ((3, 2, KEYS), (3, 2, KEYS), [-1, 2], OptionError, r"0 … T = 3, got -1 at row 0"),
    ],
)
def test_a_loss_of_other_shapes_names_them(
    logits: tuple[int, ...],
    target: tuple[int, ...],
    lengths: list[int],
    error: type[Exception],
    words: str,
) -> None:
    with pytest.raises(error, match=words):
        feature.loss(torch.zeros(logits), torch.zeros(target), torch.tensor(lengths))


def test_samples_are_as_frequent_as_their_probability_and_follow_from_the_generator() -> None:
    probability = torch.linspace(0.05, 0.95, KEYS)
    logits = torch.logit(probability).expand(20_000, KEYS)
    frames = feature.sample(logits, torch.Generator().manual_seed(5))
    assert set(frames.unique().tolist()) == {0.0, 1.0}
    # Five standard errors of a frequency over 20,000 draws.
    assert (frames.mean(dim=0) - probability).abs().max() < 5 * math.sqrt(0.25 / 20_000)
    again = feature.sample(logits, torch.Generator().manual_seed(5))
    other = feature.sample(logits, torch.Generator().manual_seed(6))
    assert torch.equal(frames, again)
    assert not torch.equal(frames, other)


def test_a_feature_is_restored_from_its_json() -> None:
    state = json.loads(json.dumps(feature.to_json()))
    assert RollFeature.from_json(state).to_json() == feature.to_json()


def test_json_of_another_feature_is_refused() -> None:
    with pytest.raises(DataError, match=r"reads rolls described by .*'lowest_note': 21.*got"):
        RollFeature.from_json({"kind": "roll", "keys": 128, "lowest_note": 0})


def test_log_odds_predict_how_often_each_key_sounds() -> None:
    rolls = [np.zeros((6, 88), np.uint8), np.zeros((3, 88), np.uint8)]
    rolls[0][:4, 5] = 1
    rolls[1][:, 5] = 1
    odds = feature.log_odds(rolls)
    assert odds[5].item() == pytest.approx(np.log(7.5 / 2.5))
    assert odds[6].item() == pytest.approx(np.log(0.5 / 9.5))
    assert torch.isfinite(odds).all()
