"""Locked dropout: one mask a sequence."""

from __future__ import annotations

import math

import pytest
import torch

from elman.errors import OptionError, ShapeError
from elman.layers.dropout import LockedDropout

T, B, H = 5, 30, 200


@pytest.mark.parametrize("p", [0.2, 0.7])
def test_a_unit_is_dropped_for_a_whole_sequence_and_the_rest_scaled(p: float) -> None:
    torch.manual_seed(1)
    x = 2.0 ** torch.randint(-3, 4, (T, B, H), dtype=torch.float64)  # ratios are exact
    ratio = LockedDropout(p)(x) / x
    assert bool((ratio == ratio[0]).all()), "one mask for all steps"
    kept = ratio[0] != 0
    share = float((~kept).double().mean())
    assert abs(share - p) < 5 * math.sqrt(p * (1 - p) / kept.numel())
    torch.testing.assert_close(ratio[0][kept], torch.full_like(ratio[0][kept], 1 / (1 - p)))
    assert not torch.equal(kept[0], kept[1]), "every row has a mask of its own"


def test_every_call_draws_another_mask() -> None:
    dropout, x = LockedDropout(0.5), torch.ones(T, B, H)
    assert not torch.equal(dropout(x), dropout(x))


def test_without_time_it_is_ordinary_dropout() -> None:
    torch.manual_seed(3)
    locked = LockedDropout(0.5)(torch.ones(B, H))
    assert locked.shape == (B, H)
    assert set(locked.unique().tolist()) == {0.0, 2.0}
    assert not torch.equal(locked[0], locked[1])


def test_in_evaluation_and_at_zero_nothing_is_dropped_and_nothing_drawn() -> None:
    x = torch.rand(T, B, H)
    before = torch.get_rng_state()
    assert LockedDropout(0.5).eval()(x) is x
    assert LockedDropout(0.0)(x) is x
    assert torch.equal(torch.get_rng_state(), before)


def test_the_gradient_is_the_mask() -> None:
    x = torch.rand(T, B, H, requires_grad=True)
    y = LockedDropout(0.5)(x)
    y.sum().backward()
    assert x.grad is not None
    torch.testing.assert_close(x.grad * x.detach(), y.detach())


def test_what_it_cannot_take_is_refused_in_words() -> None:
    with pytest.raises(OptionError, match=r"p must lie in \[0, 1\), got 1"):
        LockedDropout(1)
    with pytest.raises(ShapeError, match=r"input must be \(T, B, H\) or \(B, H\), got \(4,\)"):
        LockedDropout(0.5)(torch.ones(4))


def test_it_says_its_share() -> None:
    assert repr(LockedDropout(0.25)) == "LockedDropout(p=0.25)"
