"""Every network and every objective learns one batch by heart."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor

from elman.features.feature import Encoding
from elman.networks import Network, build_network
from elman.networks.objectives import (
    CRF,
    CTC,
    Classification,
    Labelling,
    LanguageModel,
    Objective,
    Regression,
    Roll,
    StepRegression,
    Tagging,
)
from joints import joint

T, B = 6, 4
LEARNED = 0.01  # a loss at which there is no more to learn, below what any test asks for
LENGTHS = torch.tensor([6, 3, 5, 4])
WORDS, LETTERS, NUMBERS = Encoding(ids=(9,)), Encoding(ids=(9,), characters=(7, 3)), 3


def sequences(encoding: Encoding) -> Tensor:
    if encoding.picture:
        return torch.randn(T, B, *encoding.picture)
    if encoding.characters:
        x = torch.randint(0, 7, (T, B, 4))
        x[0, :, 0] = torch.arange(B)  # rows differ from their first step on
        return x
    if encoding.ids:
        return torch.cat([torch.arange(B).unsqueeze(0), torch.randint(0, 9, (T - 1, B))])
    return torch.randn(T, B, encoding.numbers)


def learn(network: Network, x: Tensor, target: Tensor, lengths: Tensor, steps: int) -> float:
    optimizer = torch.optim.Adam(network.parameters(), 0.02)
    loss = torch.zeros(())
    for _ in range(steps):
        optimizer.zero_grad()
        outputs, _ = network(x, lengths=lengths)
        assert network.objective is not None
        loss = network.objective.loss(outputs, target, lengths)
        if loss.item() < LEARNED:
            break
        loss.backward()
        optimizer.step()
    return loss.item()


def answers(network: Network, x: Tensor, lengths: Tensor) -> list[Tensor]:
    assert network.objective is not None
    with torch.no_grad():
        return network.objective.answers(network.eval()(x, lengths=lengths)[0], lengths)


@pytest.mark.sampled(2)
@pytest.mark.parametrize("cell", ["simple", "gru", "lstm"])
@pytest.mark.parametrize("pooling", ["last", "mean", "max", "attention"])
def test_many_to_one_learns_a_batch(cell: str, pooling: str) -> None:
    net = build_network(
        "many-to-one", WORDS, Classification(3), cell=cell, hidden_size=12, pooling=pooling
    )
    x, target = sequences(WORDS), torch.tensor([0, 2, 1, 2])
    assert learn(net, x, target, LENGTHS, 80) < 0.1
    assert [int(answer) for answer in answers(net, x, LENGTHS)] == target.tolist()


@pytest.mark.parametrize(
    ("objective", "target"),
    [
        (Labelling(3), torch.tensor([[1.0, 0, 1], [0, 0, 1], [1, 1, 1], [0, 0, 0]])),
        (Regression(2), torch.tensor([[0.3, -1.0], [1, 1], [-0.5, 0.2], [0, 0.7]])),
    ],
)
def test_rows_get_their_labels_and_their_numbers(objective: Objective, target: Tensor) -> None:
    encoding = Encoding(numbers=NUMBERS)
    net = build_network("many-to-one", encoding, objective, hidden_size=12, bidirectional=True)
    x = sequences(encoding)
    assert learn(net, x, target, LENGTHS, 150) < 0.1
    found = torch.stack(answers(net, x, LENGTHS))
    torch.testing.assert_close(found, target, atol=0.2, rtol=0)


@pytest.mark.parametrize(
    "encoding", [Encoding(numbers=2, ids=(5,)), Encoding(picture=(1, 8, 8)), WORDS], ids=str
)
def test_one_to_one_learns_a_batch(encoding: Encoding) -> None:
    net = build_network("one-to-one", encoding, Classification(3), head=[16], embedding_size=8)
    x = torch.tensor([2, 5, 7, 1]) if encoding == WORDS else torch.randn(B, 1, 8, 8)
    if encoding.numbers:
        x = torch.cat([torch.randn(B, 2), torch.randint(0, 5, (B, 1))], 1)
    target, ones = torch.tensor([0, 2, 1, 2]), torch.ones(B, dtype=torch.int64)
    assert learn(net, x, target, ones, 60) < 0.1
    assert [int(answer) for answer in answers(net, x, ones)] == target.tolist()


@pytest.mark.parametrize(
    ("encoding", "objective", "options"),
    [
        (WORDS, Tagging, {"cell": "simple"}),
        (WORDS, Tagging, {"cell": "lstm", "delay": 2}),
        (WORDS, CRF, {"cell": "lstm"}),
        (LETTERS, CRF, {"bidirectional": True}),
        (Encoding(picture=(1, 8, 8)), Tagging, {"picture_size": 32}),
    ],
)
def test_steps_get_their_tags(
    encoding: Encoding, objective: Callable[[int], Objective], options: dict[str, Any]
) -> None:
    net = build_network(
        "many-to-many", encoding, objective(4), hidden_size=24, embedding_size=8, **options
    )
    x, target = sequences(encoding), torch.randint(0, 4, (T, B))
    assert learn(net, x, target, LENGTHS, 80) < 0.25
    for row, answer in enumerate(answers(net, x, LENGTHS)):
        assert answer.tolist() == target[: LENGTHS[row], row].tolist()


NAN = torch.nan
CLASSES = torch.tensor([[0.0], [2], [1], [2]])
AMOUNTS = torch.tensor([[0.3], [NAN], [-0.5], [0.7]])
LABELS = torch.tensor([[1.0, 0], [0, 1], [1, 1], [0, 0]])
SEVERAL = {
    "a class and a number": ([Classification(3), Regression(1)], [CLASSES, AMOUNTS]),
    "a class and labels": ([Classification(3), Labelling(2)], [CLASSES, LABELS]),
    "all three": (
        [Classification(3), Regression(1), Labelling(2)],
        [CLASSES, AMOUNTS, LABELS],
    ),
}


@pytest.mark.sampled(3)
@pytest.mark.parametrize(
    ("several", "category", "head"),
    [
        *[(several, "one-to-one", [12]) for several in SEVERAL],
        *[(several, "many-to-one", []) for several in SEVERAL],
        ("all three", "many-to-one", [12]),
    ],
)
def test_several_targets_of_a_row_are_learned_together(
    several: str, category: str, head: list[int]
) -> None:
    objectives, targets = SEVERAL[several]
    of_rows = category == "one-to-one"
    encoding = Encoding(numbers=NUMBERS)
    options = {"head": head, "activation": "tanh"} | ({} if of_rows else {"hidden_size": 12})
    net = build_network(category, encoding, joint(*objectives), **options)
    x = torch.randn(B, NUMBERS) if of_rows else sequences(encoding)
    lengths = torch.ones(B, dtype=torch.int64) if of_rows else LENGTHS
    target = torch.cat(targets, -1)
    assert learn(net, x, target, lengths, 200) < 0.1
    found, known = torch.stack(answers(net, x, lengths)), ~target.isnan()
    torch.testing.assert_close(found[known], target[known], atol=0.3, rtol=0)


@pytest.mark.parametrize(
    ("objectives", "head"),
    [
        ([Tagging(4), Tagging(2)], []),
        ([Tagging(4), CRF(2)], [16]),
        ([Tagging(4), StepRegression(1)], []),
    ],
)
def test_several_targets_of_a_step_are_learned_together(
    objectives: list[Objective], head: list[int]
) -> None:
    net = build_network(
        "many-to-many", WORDS, joint(*objectives), hidden_size=24, embedding_size=8, head=head
    )
    x = sequences(WORDS)
    target = torch.stack([torch.randint(0, 4, (T, B)), torch.randint(0, 2, (T, B))], -1).float()
    target[:, 1, 1] = NAN
    assert learn(net, x, target, LENGTHS, 150) < 0.25
    for row, answer in enumerate(answers(net, x, LENGTHS)):
        expected = target[: LENGTHS[row], row]
        known = ~expected.isnan()
        torch.testing.assert_close(answer[known], expected[known], atol=0.4, rtol=0)


def test_a_constrained_field_learns_spans() -> None:
    names = ["O", "B-X", "I-X"]
    crf = CRF(3, names=names, scheme="BIO")
    net = build_network("many-to-many", WORDS, crf, hidden_size=16, bidirectional=True)
    x, target = sequences(WORDS), torch.tensor([[0, 1, 2, 2, 0, 1]] * B).t()
    assert learn(net, x, target, LENGTHS, 80) < 0.1
    for row, answer in enumerate(answers(net, x, LENGTHS)):
        assert answer.tolist() == target[: LENGTHS[row], row].tolist()


def test_a_sequence_is_transcribed_without_an_alignment() -> None:
    encoding = Encoding(numbers=NUMBERS)
    net = build_network("many-to-many", encoding, CTC(4), hidden_size=24, bidirectional=True)
    x = sequences(encoding)
    target = torch.tensor([[0, 3, -1], [1, -1, -1], [2, 2, 1], [3, 0, -1]]).t()
    assert learn(net, x, target, LENGTHS, 150) < 0.2
    found = [answer.tolist() for answer in answers(net, x, LENGTHS)]
    assert found == [[0, 3], [1], [2, 2, 1], [3, 0]]


@pytest.mark.parametrize("tied", [False, True])
def test_a_language_model_learns_what_comes_next(tied: bool) -> None:
    model = LanguageModel(9)
    net = build_network("many-to-many", WORDS, model, hidden_size=24, tie_embeddings=tied)
    text = torch.randint(0, 9, (T + 1, B))
    text[0] = torch.arange(B)
    assert learn(net, text[:-1], text[1:], LENGTHS, 100) < 0.25


def test_samples_and_notes_are_predicted_step_by_step() -> None:
    numbers = Encoding(numbers=NUMBERS)
    net = build_network("many-to-many", numbers, StepRegression(2), hidden_size=24)
    assert learn(net, sequences(numbers), torch.randn(T, B, 2), LENGTHS, 100) < 0.1
    rolls = (torch.rand(T + 1, B, 88) < 0.1).float()
    net = build_network("many-to-many", Encoding(numbers=88), Roll(), hidden_size=48)
    assert learn(net, rolls[:-1], rolls[1:], LENGTHS, 100) < 2  # of 88 keys: silence alone loses 30
