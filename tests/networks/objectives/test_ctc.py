"""Connectionist temporal classification against every path there is."""

from __future__ import annotations

import math
from itertools import product

import pytest
import torch
from torch import Tensor

from battery import assert_near, draw
from elman.errors import DataError, OptionError, ShapeError
from elman.networks.objectives import CTC
from elman.networks.objectives.ctc import best_path, prefix_beam_search

T, N = 5, 2
BLANK = N


def collapse(path: tuple[int, ...]) -> tuple[int, ...]:
    merged = [s for i, s in enumerate(path) if i == 0 or s != path[i - 1]]
    return tuple(s for s in merged if s != BLANK)


def sums(outputs: Tensor) -> dict[tuple[int, ...], float]:
    """Sum the probability of every path, (T, n + 1), by what it collapses to."""
    p = outputs.double().softmax(-1)
    found: dict[tuple[int, ...], float] = {}
    for path in product(range(N + 1), repeat=len(outputs)):
        share = math.prod(float(p[t, s]) for t, s in enumerate(path))
        found[collapse(path)] = found.get(collapse(path), 0.0) + share
    return found


@pytest.mark.parametrize("symbols", [[], [0], [1, 1], [0, 1, 0], [1, 1, 1]])
def test_the_loss_sums_over_every_path_that_collapses_to_the_target(symbols: list[int]) -> None:
    outputs = draw(T, 1, N + 1)
    target = torch.tensor(symbols, dtype=torch.int64).reshape(-1, 1)
    loss = CTC(N).loss(outputs, target, torch.tensor([T]))
    expected = -math.log(sums(outputs[:, 0])[tuple(symbols)])
    assert_near(loss, torch.tensor(expected, dtype=torch.float64), "loss")


def test_a_batch_has_targets_of_its_own_lengths() -> None:
    outputs, lengths = draw(T, 3, N + 1), torch.tensor([5, 2, 0])
    target = torch.tensor([[0, 1, -1], [0, -1, -1]])
    expected = -math.log(sums(outputs[:, 0])[0, 0]) - math.log(sums(outputs[:2, 1])[(1,)])
    loss = CTC(N).loss(outputs, target, lengths)
    assert_near(loss, torch.tensor(expected / 3, dtype=torch.float64), "loss")


@pytest.mark.parametrize("_", range(10))
def test_a_beam_of_every_prefix_finds_the_most_likely_sequence_and_its_probability(_: int) -> None:
    outputs = draw(T, N + 1, scale=1.0)
    found, log_probability = prefix_beam_search(outputs.log_softmax(-1).numpy(), BLANK, 10_000)
    every = sums(outputs)
    assert tuple(found) == max(every, key=lambda symbols: every[symbols])
    assert math.isclose(math.exp(log_probability), max(every.values()), rel_tol=1e-12)


def test_a_beam_finds_what_the_best_path_misses() -> None:
    # Two steps of 0.6 blank and 0.4 symbol: the best path is empty (0.36), the symbol has 0.64.
    outputs = torch.tensor([[0.4, 1e-9, 0.6]] * 2).log().unsqueeze(1)
    two = torch.tensor([2])
    assert CTC(N, beam_width=0).answers(outputs, two)[0].tolist() == []
    assert CTC(N).answers(outputs, two)[0].tolist() == [0]


def test_the_best_path_is_the_likeliest_output_of_every_step_collapsed() -> None:
    for _ in range(10):
        outputs = draw(7, N + 1, scale=1.0)
        path = tuple(outputs.argmax(-1).tolist())
        assert tuple(best_path(outputs, BLANK).tolist()) == collapse(path)


def test_a_narrow_beam_finds_a_sequence_of_a_certain_network() -> None:
    path = [0, 0, BLANK, 0, 1, 1, BLANK]
    outputs = torch.full((7, N + 1), -20.0)
    outputs[range(7), path] = 20.0
    for width in (0, 1, 16):
        (answer,) = CTC(N, beam_width=width).answers(outputs.unsqueeze(1), torch.tensor([7]))
        assert answer.tolist() == [0, 0, 1]


def test_impossible_outputs_are_followed_nowhere() -> None:
    certain = torch.tensor([[0.0, -math.inf, -math.inf], [-math.inf, -math.inf, 0.0]])
    assert prefix_beam_search(certain.numpy(), BLANK, 16) == ([0], 0.0)


def test_symbols_that_do_not_fit_into_the_steps_are_refused() -> None:
    target = torch.tensor([[0, 1], [1, 1], [-1, 1]])
    words = "row 1 of the batch has 4 steps, and its 3 symbols, 2 of them .* need 5;"
    with pytest.raises(DataError, match=words):
        CTC(N).loss(draw(T, 2, N + 1), target, torch.tensor([5, 4]))
    assert float(CTC(N).loss(draw(T, 2, N + 1), target, torch.tensor([5, 5]))) > 0


@pytest.mark.parametrize(
    ("target", "error", "words"),
    [
        (torch.zeros(2, 3).long(), ShapeError, r"target must be \(S, B\) with B = 1.*\(2, 3\)"),
        (torch.zeros(2, 1), OptionError, "target must hold ids, int64, got torch.float32"),
        (torch.tensor([[BLANK]]), OptionError, "target must hold ids below n = 2, got 2"),
    ],
)
def test_a_malformed_target_is_refused(target: Tensor, error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words):
        CTC(N).loss(draw(T, 1, N + 1), target, torch.tensor([T]))


@pytest.mark.parametrize("width", [-1, 1.5, True])
def test_a_beam_of_no_width_is_refused(width: int) -> None:
    with pytest.raises(
        OptionError, match=f"beam_width must be a whole number of at least 0, got {width}"
    ):
        CTC(N, beam_width=width)
