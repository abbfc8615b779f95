"""Measuring predictions of piano rolls."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from elman.batches.batching import Batch
from elman.features.roll import RollFeature
from elman.prediction.rolls import measure
from rolls import evaluation_batches

FEATURE = RollFeature()
CPU = torch.device("cpu")


class Says(nn.Module):
    """Returns given logits whatever it hears."""

    def __init__(self, logits: Tensor) -> None:
        super().__init__()
        self.logits = logits

    def forward(self, x: Tensor, *, lengths: Tensor) -> tuple[Tensor, None]:  # noqa: ARG002
        return self.logits, None


def batch_of(target: Tensor, *lengths: int) -> Batch:
    return Batch(torch.zeros_like(target), target, torch.tensor(lengths))


def test_an_even_guess_costs_88_bits_a_frame() -> None:
    pieces = [np.zeros((length, 88), np.uint8) for length in (5, 3)]
    (batch,) = evaluation_batches(pieces, FEATURE, 2).epoch(0)
    metrics = measure(Says(torch.zeros(5, 2, 88)), FEATURE.frame_nll, [batch], CPU)
    assert metrics.nll == pytest.approx(88 * math.log(2), rel=1e-6)
    assert metrics.frames == 8


def test_accuracy_and_f1_count_hits_false_alarms_and_misses_but_no_silence() -> None:
    target, logits = torch.zeros(2, 1, 88), torch.full((2, 1, 88), -3.0)
    target[0, 0, [10, 20, 30]] = 1.0
    logits[0, 0, [10, 20, 40]] = 3.0
    target[1, 0, 50] = 1.0
    logits[1, 0, [50, 51, 52]] = 3.0
    metrics = measure(Says(logits), FEATURE.frame_nll, [batch_of(target, 2)], CPU)
    assert metrics.accuracy == 3 / (3 + 3 + 1)
    assert metrics.f1 == 2 * 3 / (2 * 3 + 3 + 1)


def test_padding_is_neither_counted_nor_read() -> None:
    target, logits = torch.zeros(4, 2, 88), torch.full((4, 2, 88), -3.0)
    target[:, :, 10] = 1.0
    logits[:, :, 10] = 3.0
    target[2:, 1] = logits[2:, 1] = float("nan")
    metrics = measure(Says(logits), FEATURE.frame_nll, [batch_of(target, 4, 2)], CPU)
    assert metrics.frames == 6
    assert metrics.accuracy == metrics.f1 == 1.0
    assert metrics.nll == pytest.approx(88 * math.log1p(math.exp(-3.0)), rel=1e-6)


def test_silence_foretold_is_perfect() -> None:
    silence = torch.zeros(3, 1, 88)
    metrics = measure(Says(silence - 1), FEATURE.frame_nll, [batch_of(silence, 3)], CPU)
    assert (metrics.accuracy, metrics.f1) == (1.0, 1.0)
