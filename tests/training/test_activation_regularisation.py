"""Penalties on the outputs of a recurrent part."""

from __future__ import annotations

import math
from itertools import pairwise

import pytest
import torch
from torch import Tensor, nn

import elman
from elman.errors import OptionError
from elman.networks import ManyToMany, many_to_many
from elman.training.activation_regularisation import (
    activation_penalty,
    activation_regularisation,
)

T, B, H = 6, 3, 5
LENGTHS = torch.tensor([6, 1, 4])


def by_hand(outputs: Tensor, alpha: float, beta: float) -> float:
    """The two sums over single rows, step by step."""
    squares, changes = [], []
    for row, length in enumerate(LENGTHS.tolist()):
        h = outputs[:length, row].tolist()
        squares += [value**2 for step in h for value in step]
        for before, after in pairwise(h):
            changes += [(b - a) ** 2 for a, b in zip(before, after, strict=True)]
    return alpha * sum(squares) / len(squares) + beta * sum(changes) / len(changes)


@pytest.mark.parametrize(("alpha", "beta"), [(2.0, 0.0), (0.0, 3.0), (2.0, 3.0)])
def test_the_penalty_is_that_of_a_loop_over_rows_and_steps(alpha: float, beta: float) -> None:
    outputs = torch.randn(T, B, H, dtype=torch.float64)
    real = torch.arange(T)[:, None] < LENGTHS
    outputs = outputs.where(real[..., None], 0)
    found = activation_penalty(outputs, LENGTHS, alpha=alpha, beta=beta)
    assert float(found) == pytest.approx(by_hand(outputs, alpha, beta), rel=1e-12)


def test_padding_is_not_read() -> None:
    outputs = torch.randn(T, B, H)
    poisoned = outputs.clone()
    poisoned[1:, 1] = poisoned[4:, 2] = math.nan
    poisoned.requires_grad_()
    penalty = activation_penalty(poisoned, LENGTHS, alpha=2.0, beta=3.0)
    assert torch.equal(penalty, activation_penalty(outputs, LENGTHS, alpha=2.0, beta=3.0))
    penalty.backward()
    assert poisoned.grad is not None
    assert bool(poisoned.grad.isfinite().all())


def test_rows_of_one_step_have_no_change_to_pay_for() -> None:
    assert float(activation_penalty(torch.ones(1, B, H), None, alpha=0.0, beta=3.0)) == 0.0


def test_half_precision_is_summed_in_single() -> None:
    penalty = activation_penalty(torch.full((T, B, H), 300.0).half(), None, alpha=1.0, beta=0.0)
    assert float(penalty) == 90000.0


@pytest.mark.parametrize("delay", [0, 2])
def test_a_network_pays_for_what_its_recurrent_part_gives(delay: int) -> None:
    torch.manual_seed(4)
    network = many_to_many(cell="lstm", input_size=3, output_size=2, hidden_size=H, delay=delay)
    x = torch.randn(T, B, 3)
    with activation_regularisation(network, alpha=2.0, beta=3.0) as penalty:
        network(x, lengths=LENGTHS)
        found = penalty()
    longer = torch.cat([x, torch.zeros(delay, B, 3)])
    x_real = longer.where((torch.arange(T + delay)[:, None] < LENGTHS)[..., None], 0)
    h, _ = network.recurrent(x_real, lengths=LENGTHS + delay)
    torch.testing.assert_close(found, activation_penalty(h, LENGTHS + delay, alpha=2.0, beta=3.0))
    assert not network.recurrent._forward_hooks, "the network is watched no longer"


def test_without_numbers_nothing_is_watched_and_nothing_paid() -> None:
    network = ManyToMany(elman.GRU(3, 5), elman.MLP([5, 2]))
    with activation_regularisation(network, alpha=0.0, beta=0.0) as penalty:
        assert not network.recurrent._forward_hooks
        assert penalty() == 0.0


def test_a_network_without_a_recurrent_part_is_refused_in_words() -> None:
    with (
        pytest.raises(
            OptionError, match="network with one recurrent part, and this network has none"
        ),
        activation_regularisation(nn.Linear(3, 2), alpha=1.0, beta=0.0),
    ):
        pass
