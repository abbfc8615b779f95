"""One vector of all steps, against a loop over rows."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor, nn

import elman
from battery import assert_near, draw
from elman.errors import OptionError
from elman.networks.pooling import POOLINGS, AttentionPooling, LastPooling, pooling

T, B, H = 6, 5, 4
LENGTHS = torch.tensor([4, 0, 6, 1, 3])
ENDED = torch.arange(T).unsqueeze(1) >= LENGTHS
every_pooling = pytest.mark.parametrize("kind", POOLINGS)


def built(kind: str) -> nn.Module:
    return pooling(kind, elman.GRU(3, H)).double()


def of_one_row(kind: str, module: Any, steps: Tensor) -> Tensor:
    if kind == "last":
        return steps[-1]
    if kind == "mean":
        return steps.mean(0)
    if kind == "max":
        return steps.max(0).values
    energies = torch.stack([module.query(torch.tanh(module.key(h))) for h in steps])
    return (energies.exp() / energies.exp().sum() * steps).sum(0)


@every_pooling
def test_a_row_is_pooled_over_its_own_steps(kind: str) -> None:
    module, hidden = built(kind), draw(T, B, H)
    pooled = module(hidden, LENGTHS)
    for row, length in enumerate(LENGTHS.tolist()):
        expected = torch.zeros(H, dtype=torch.float64)
        if length:
            expected = of_one_row(kind, module, hidden[:length, row])
        assert_near(pooled[row], expected, f"row {row}")


@every_pooling
def test_padding_reaches_neither_value_nor_gradient(kind: str) -> None:
    module, hidden = built(kind), draw(T, B, H)
    hidden[ENDED] = torch.nan
    hidden.requires_grad_()
    pooled = module(hidden, LENGTHS)
    loss = (pooled * draw(B, H)).sum()
    for gradient in torch.autograd.grad(loss, [hidden, *module.parameters()]):
        assert bool(gradient.isfinite().all())
    (gradient,) = torch.autograd.grad(module(hidden, LENGTHS).sum(), hidden)
    assert bool((gradient[ENDED] == 0).all())
    assert bool((pooled[1] == 0).all())


@every_pooling
def test_without_steps_there_is_nothing_but_zeros(kind: str) -> None:
    nothing = torch.zeros(B, dtype=torch.int64)
    pooled = built(kind)(draw(0, B, H), nothing)
    assert torch.equal(pooled, torch.zeros(B, H).double())


def test_attention_sums_to_one_over_real_steps() -> None:
    module, hidden = AttentionPooling(H).double(), draw(T, B, H, scale=30)
    hidden[ENDED] = torch.nan
    weights = module.weights(hidden, LENGTHS)
    assert bool((weights[ENDED] == 0).all())
    assert bool((weights[~ENDED] > 0).all())
    assert_near(weights.sum(0), (LENGTHS > 0).double(), "sum")


def test_last_is_the_forward_directions_last_and_the_backward_directions_first() -> None:
    recurrent = elman.LSTM(3, [5, H], bidirectional=True, dtype=torch.float64)
    hidden, (h, _) = recurrent(draw(T, B, 3), lengths=LENGTHS)
    pooled = pooling("last", recurrent)(hidden, LENGTHS)
    assert torch.equal(pooled, h[-1].transpose(0, 1).flatten(1))


def test_last_takes_two_unlike_layers_apart() -> None:
    recurrent = elman.Bidirectional(elman.LSTM(3, 5, proj_size=2), elman.GRU(3, H)).double()
    hidden, ((ahead, _), back) = recurrent(draw(T, B, 3), lengths=LENGTHS)
    pooled = pooling("last", recurrent)(hidden, LENGTHS)
    assert torch.equal(pooled, torch.cat([ahead[-1], back[-1]], 1))


def test_last_of_mixed_directions_is_refused() -> None:
    recurrent = elman.Bidirectional(elman.GRU(3, H), elman.GRU(3, H), merge="sum")
    with pytest.raises(OptionError, match="merge='sum' mixes the two; use merge='concat'"):
        pooling("last", recurrent)
    assert pooling("mean", recurrent)(draw(T, B, H), LENGTHS).shape == (B, H)


def test_an_unknown_pooling_is_refused() -> None:
    with pytest.raises(OptionError, match="unknown pooling 'men'; did you mean 'mean'"):
        pooling("men", elman.GRU(3, H))


def test_last_says_what_reads_forward() -> None:
    assert LastPooling(3).extra_repr() == "forward_size=3"
