"""Symbols and the boundary behind them, against sums over rows done by hand."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from battery import assert_near, draw
from elman.batches.batching import Batch
from elman.errors import DataError, OptionError, ShapeError
from elman.networks.objectives import ConditionalLanguageModel, objective_from_json

U, B, V = 4, 5, 3
ROWS = [[2, 0], [], [1, 1, 0, 2], [0], [2, 1, 0]]
TARGET = torch.tensor([row + [-1] * (U - len(row)) for row in ROWS]).t()
SIZES = torch.tensor([len(row) + 1 for row in ROWS])
ENDED = torch.arange(U + 1).unsqueeze(1) >= SIZES
ONES = torch.ones(B, dtype=torch.int64)


def by_hand(outputs: Tensor, smoothing: float) -> list[list[float]]:
    """Return − Σ q log p of every symbol of every row, its boundary included."""
    found = []
    for row, symbols in enumerate(ROWS):
        its = []
        for u, symbol in enumerate([*symbols, V]):
            scores = outputs[u, row].tolist()
            total = math.log(sum(math.exp(score) for score in scores))
            nll = [total - score for score in scores]
            its.append((1 - smoothing) * nll[symbol] + smoothing * sum(nll) / (V + 1))
        found.append(its)
    return found


def test_the_boundary_is_read_first_and_written_last() -> None:
    read, written, lengths = ConditionalLanguageModel(V).teacher_forced(TARGET, B)
    assert lengths.tolist() == SIZES.tolist()
    for row, symbols in enumerate(ROWS):
        length = int(lengths[row])
        assert read[:, row].tolist() == [V, *symbols] + [V] * (U + 1 - length)
        assert written[:, row].tolist() == [*symbols, V] + [-1] * (U + 1 - length)


@pytest.mark.parametrize("smoothing", [0.0, 0.1])
def test_the_loss_is_the_mean_over_every_symbol_and_boundary(smoothing: float) -> None:
    outputs = draw(U + 1, B, V + 1, scale=2.0)
    losses = [each for row in by_hand(outputs, smoothing) for each in row]
    objective = ConditionalLanguageModel(V, label_smoothing=smoothing)
    expected = torch.tensor(sum(losses) / len(losses), dtype=torch.float64)
    assert_near(objective.loss(outputs, TARGET, ONES), expected, "loss")
    assert len(losses) == objective.weight(Batch(outputs, TARGET, ONES, per_step=False))


def test_a_step_costs_its_negative_log_likelihood_and_padding_nothing() -> None:
    outputs = draw(U + 1, B, V + 1, scale=2.0)
    nll = ConditionalLanguageModel(V, label_smoothing=0.1).step_nll(outputs, TARGET)
    for row, losses in enumerate(by_hand(outputs, 0.0)):
        padded = torch.tensor(losses + [0.0] * (U + 1 - len(losses)), dtype=torch.float64)
        assert_near(nll[:, row], padded, f"row {row}")


def test_padding_reaches_neither_loss_nor_gradient() -> None:
    objective = ConditionalLanguageModel(V, label_smoothing=0.1)
    clean = draw(U + 1, B, V + 1)
    outputs = clean.clone()
    outputs[ENDED] = torch.nan
    outputs.requires_grad_()
    loss = objective.loss(outputs, TARGET, ONES)
    assert_near(loss, objective.loss(clean, TARGET, ONES), "loss")
    (gradient,) = torch.autograd.grad(loss, outputs)
    assert bool((gradient[ENDED] == 0).all())
    assert bool((gradient[~ENDED] != 0).any(-1).all())


def test_a_longer_padding_changes_nothing() -> None:
    objective, outputs = ConditionalLanguageModel(V), draw(U + 3, B, V + 1)
    longer = torch.cat([TARGET, torch.full((2, B), -1)])
    expected = objective.loss(outputs[: U + 1], TARGET, ONES)
    assert_near(objective.loss(outputs, longer, ONES), expected, "loss")


def test_rows_may_all_be_empty_and_batches_too() -> None:
    objective, nothing = ConditionalLanguageModel(V), torch.zeros(0, B, dtype=torch.int64)
    outputs = draw(1, B, V + 1).requires_grad_()
    expected = -outputs.log_softmax(-1)[0, :, V].mean()
    assert_near(objective.loss(outputs, nothing, ONES), expected, "loss of boundaries alone")
    empty = objective.loss(outputs[:, :0], nothing[:, :0], ONES[:0])
    assert empty.item() == 0


def test_answers_end_before_the_first_boundary() -> None:
    likeliest = torch.tensor([[1, 3, 2, 3], [3, 3, 3, 3], [0, 1, 2, 0]]).t()
    outputs = torch.nn.functional.one_hot(likeliest, V + 1).double()
    objective, ones = ConditionalLanguageModel(V), ONES[:3]
    assert [row.tolist() for row in objective.answers(outputs, ones)] == [[1], [], [0, 1, 2, 0]]
    rows = objective.probabilities(outputs, ones)
    assert [len(row) for row in rows] == [2, 1, 4]
    for row, size in enumerate([2, 1, 4]):
        assert_near(rows[row], outputs[:size, row].softmax(-1), f"row {row}")


def test_what_it_says_of_itself_builds_it_anew() -> None:
    described = ConditionalLanguageModel(V, label_smoothing=0.2).to_json()
    assert described == {"name": "conditional-language-model", "size": V, "label_smoothing": 0.2}
    again = objective_from_json(described)
    assert isinstance(again, ConditionalLanguageModel)
    assert (again.output_size, again.boundary, again.label_smoothing) == (V + 1, V, 0.2)


@pytest.mark.parametrize(
    ("target", "error", "words"),
    [
        (TARGET[:, :4], ShapeError, r"target must be \(U, B\) with B = 5, padded with −1, got \(4"),
        (TARGET.flatten(), ShapeError, r"target must be \(U, B\) with B = 5, .* got \(20,\)"),
        (TARGET.double(), OptionError, "target must hold ids, int64, got torch.float64"),
        (TARGET + 1, OptionError, "must hold ids in 0 … 2, and −1 as padding, got 3"),
        (TARGET - 1, OptionError, "must hold ids in 0 … 2, and −1 as padding, got -2"),
        (TARGET.flip(0), DataError, "row 0 of the target has symbols after a −1"),
        (TARGET[:3], ShapeError, r"one step more than the target's U = 3, got \(5, 5, 4\)"),
    ],
)
def test_a_target_that_is_none_is_refused(
    target: Tensor, error: type[Exception], words: str
) -> None:
    with pytest.raises(error, match=words):
        ConditionalLanguageModel(V).loss(draw(U + 1, B, V + 1), target, ONES)


def test_outputs_lengths_and_options_that_are_none_are_refused() -> None:
    objective, outputs = ConditionalLanguageModel(V), draw(U + 1, B, V + 1)
    for wrong in (outputs[..., 1:], outputs[0], outputs[:0]):
        words = r"outputs must be \(U \+ 1, B, V \+ 1\) with V \+ 1 = 4, got \("
        with pytest.raises(ShapeError, match=words):
            objective.answers(wrong, ONES)
    with pytest.raises(ShapeError, match=r"lengths must be \(B,\) = \(5,\), one a row, got \(4,\)"):
        objective.loss(outputs, TARGET, ONES[:4])
    with pytest.raises(OptionError, match=r"label_smoothing must lie in \[0, 1\), got 1"):
        ConditionalLanguageModel(V, label_smoothing=1)
    with pytest.raises(OptionError, match="size must be a whole number of at least 1, got 0"):
        ConditionalLanguageModel(0)
