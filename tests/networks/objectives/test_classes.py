"""Classes, labels and numbers, a row and a step, against their equations and torch's losses."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch
from torch import nn

from battery import assert_near, draw
from elman.errors import OptionError
from elman.features.roll import RollFeature
from elman.networks.objectives import (
    Classification,
    Labelling,
    LanguageModel,
    Regression,
    Roll,
    StepRegression,
    Tagging,
)

B, N = 5, 3
ONES = torch.ones(B, dtype=torch.int64)
OUTPUTS = torch.tensor([[2.0, -1.0, 0.5], [0.0, 0.0, 0.0]], dtype=torch.float64)
TARGET = torch.tensor([2, 1])
TWO = torch.tensor([1, 1])


def test_cross_entropy_by_hand() -> None:
    first = math.log(math.exp(2) + math.exp(-1) + math.exp(0.5)) - 0.5
    expected = torch.tensor((first + math.log(3)) / 2, dtype=torch.float64)
    assert_near(Classification(N).loss(OUTPUTS, TARGET, TWO), expected, "loss")


def test_a_class_weight_multiplies_what_its_examples_lose_and_the_mean_is_over_all() -> None:
    plain = [Classification(N).loss(OUTPUTS[i : i + 1], TARGET[i : i + 1], TWO[:1]) for i in (0, 1)]
    weighted = Classification(N, class_weights=[1, 4, 0.5]).loss(OUTPUTS, TARGET, TWO)
    assert_near(weighted, (0.5 * plain[0] + 4 * plain[1]) / 2, "loss")


def test_smoothing_moves_its_share_of_the_truth_to_all_classes() -> None:
    log_p = OUTPUTS.log_softmax(-1)
    truth = torch.full((2, N), 0.3 / N, dtype=torch.float64)
    truth[[0, 1], TARGET] += 0.7
    smoothed = Classification(N, label_smoothing=0.3).loss(OUTPUTS, TARGET, TWO)
    assert_near(smoothed, -(truth * log_p).sum() / 2, "loss")


def test_without_weights_it_is_torchs_loss() -> None:
    outputs, target = draw(7, N), torch.randint(0, N, (7,))
    expected = nn.CrossEntropyLoss(label_smoothing=0.2)(outputs, target)
    ours = Classification(N, label_smoothing=0.2).loss(outputs, target, torch.ones(7).long())
    assert_near(ours, expected, "loss")


@pytest.mark.parametrize("build", [Classification, Tagging])
@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"class_weights": [1, 2]}, "class_weights must be one per class, 3 numbers; got 2"),
        ({"class_weights": [1, -1, 1]}, "class_weights must be numbers of at least 0.* got -1"),
        ({"class_weights": [0, 0, 0]}, "not all 0; got 0"),
        (
            {"class_weights": [1, math.nan, 1]},
            "class_weights must be numbers of at least 0.* got nan",
        ),
        ({"label_smoothing": 1.0}, r"label_smoothing must lie in \[0, 1\), got 1.0"),
    ],
)
def test_wrong_options_are_refused(build: Any, options: dict[str, Any], words: str) -> None:
    with pytest.raises(OptionError, match=words):
        build(N, **options)


@pytest.mark.parametrize(
    ("loss", "expected"), [("squared", 6.5 / 2), ("absolute", 3.0 / 2), ("huber", 2.125 / 2)]
)
def test_regression_by_hand(loss: str, expected: float) -> None:
    outputs, target = torch.tensor([[3.0, 1.0]]), torch.tensor([[0.5, 0.5]])  # off by 2.5 and 0.5
    squared = Regression(2, loss=loss).loss(outputs, target, TWO[:1])
    assert float(squared) == expected
    a_step = StepRegression(2, loss=loss).loss(outputs[None], target[None], TWO[:1])
    assert float(a_step) == expected


def test_an_unknown_loss_is_refused() -> None:
    with pytest.raises(OptionError, match="unknown loss 'sqared'; did you mean 'squared'"):
        Regression(1, loss="sqared")


def test_labels_are_independent_bernoulli_variables() -> None:
    p, y = OUTPUTS.sigmoid(), torch.tensor([[1.0, 0, 1], [0, 0, 1]], dtype=torch.float64)
    nll = -(y * p.log() + (1 - y) * (1 - p).log())
    assert_near(Labelling(N).loss(OUTPUTS, y, TWO), nll.sum() / 2, "loss")
    weights = torch.tensor([1, 4, 0.5], dtype=torch.float64)
    weighted = Labelling(N, label_weights=[1, 4, 0.5]).loss(OUTPUTS, y, TWO)
    assert_near(weighted, torch.where(y == 1, weights, 1).mul(nll).sum() / 2, "weighted")


def test_a_label_weight_is_checked() -> None:
    with pytest.raises(OptionError, match="label_weights must be one per class, 3 numbers; got 1"):
        Labelling(N, label_weights=[1.0])


def test_a_row_s_class_and_a_steps_tag_are_the_same_question() -> None:
    outputs, target = draw(B, N), torch.randint(0, N, (B,))
    row = Classification(N, class_weights=[1, 2, 3], label_smoothing=0.1)
    step = Tagging(N, class_weights=[1, 2, 3], label_smoothing=0.1)
    as_steps = step.loss(outputs.unsqueeze(1), target.unsqueeze(1), torch.tensor([B]))
    assert_near(as_steps, row.loss(outputs, target, ONES), "loss")


def test_the_perplexity_of_uniform_guesses_is_the_vocabulary() -> None:
    model, lengths = LanguageModel(7), torch.tensor([3, 1])
    guesses = torch.zeros(3, 2, 7, dtype=torch.float64)
    target = torch.randint(0, 7, (3, 2))
    seven = torch.tensor(7.0, dtype=torch.float64)
    assert_near(model.perplexity(guesses, target, lengths), seven, "perplexity")
    nll = model.step_nll(guesses, target, lengths)
    expected = torch.tensor([[1, 1], [1, 0], [1, 0]], dtype=torch.float64) * math.log(7)
    assert_near(nll, expected, "nll")


def test_a_roll_loses_what_its_feature_says() -> None:
    outputs, target = draw(6, B, 88), (torch.rand(6, B, 88) < 0.3).double()
    lengths = torch.tensor([4, 0, 6, 1, 3])
    ours = Roll().loss(outputs, target, lengths)
    assert torch.equal(ours, RollFeature().loss(outputs, target, lengths))
    (answer,) = Roll().answers(outputs[:, :1], lengths[:1])
    assert RollFeature().decode(answer).shape == (4, 88)
