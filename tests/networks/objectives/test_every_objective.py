"""What every objective promises: padding is never read, empty rows count for nothing, JSON."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor

from battery import assert_near, draw
from elman.errors import DataError, OptionError, ShapeError
from elman.networks.objectives import (
    CRF,
    CTC,
    OBJECTIVES,
    Classification,
    Labelling,
    LanguageModel,
    Objective,
    Regression,
    Roll,
    StepRegression,
    Tagging,
    objective_from_json,
)
from joints import joint

T, B, N = 6, 5, 3
LENGTHS = torch.tensor([4, 0, 6, 1, 3])
ONES = torch.ones(B, dtype=torch.int64)


def ids(*shape: int) -> Tensor:
    return torch.randint(0, N, shape)


def multi_hot(*shape: int) -> Tensor:
    return (torch.rand(shape) < 0.5).double()


def symbols() -> Tensor:
    """Draw symbols that fit into the rows: no more than half the steps of each."""
    target = torch.full((3, B), -1)
    for row, length in enumerate(LENGTHS.tolist()):
        target[: length // 2, row] = ids(length // 2)
    return target


STEPS: dict[str, tuple[Callable[[], Objective], Callable[[], Tensor]]] = {
    "tagging": (
        lambda: Tagging(N, class_weights=[1, 2, 0.5], label_smoothing=0.1),
        lambda: ids(T, B),
    ),
    "language-model": (lambda: LanguageModel(N), lambda: ids(T, B)),
    "crf": (lambda: with_transitions(CRF(N)), lambda: ids(T, B)),
    "ctc": (lambda: CTC(N), symbols),
    "step-regression": (lambda: StepRegression(N, loss="huber"), lambda: draw(T, B, N)),
    "roll": (Roll, lambda: multi_hot(T, B, 88)),
    "step-joint": (
        lambda: joint(with_transitions(CRF(N)), StepRegression(2), weights=[2.0, 0.5]),
        lambda: torch.cat([ids(T, B, 1).double(), draw(T, B, 2)], -1),
    ),
}
ROWS: dict[str, tuple[Callable[[], Objective], Callable[[], Tensor]]] = {
    "classification": (
        lambda: Classification(N, class_weights=[1, 2, 0.5], label_smoothing=0.1),
        lambda: ids(B),
    ),
    "labelling": (
        lambda: Labelling(N, label_weights=[1, 2, 0.5]),
        lambda: multi_hot(B, N),
    ),
    "regression": (lambda: Regression(N, loss="absolute"), lambda: draw(B, N)),
    "joint": (
        lambda: joint(Classification(2), Regression(1), weights=[2.0, 0.5]),
        lambda: torch.cat([torch.randint(0, 2, (B, 1)).double(), draw(B, 1)], -1),
    ),
}
ELSEWHERE = {"conditional-language-model", "forecast"}  # their targets have steps of their own
every_step_objective = pytest.mark.parametrize("name", STEPS)
every_row_objective = pytest.mark.parametrize("name", ROWS)
every_objective = pytest.mark.parametrize("name", [*STEPS, *ROWS])
of_one_target = [name for name in (*STEPS, *ROWS) if not name.endswith("joint")]


def with_transitions(crf: CRF) -> CRF:
    with torch.no_grad():
        for weight in crf.double().parameters():
            weight.normal_()
    return crf


def alone(target: Tensor, row: int, length: int, name: str) -> Tensor:
    if name == "ctc":
        return target[:, row : row + 1]
    return target[:length, row : row + 1]


def poisoned(outputs: Tensor, target: Tensor, name: str) -> tuple[Tensor, Tensor]:
    ended = torch.arange(T).unsqueeze(1) >= LENGTHS
    outputs, target = outputs.clone(), target.clone()
    outputs[ended] = torch.nan
    if target.is_floating_point():
        target[ended] = torch.nan
    elif name != "ctc":
        target[ended] = 10**6
    return outputs, target


def test_an_objective_without_a_loss_cannot_be_made() -> None:
    class Unfinished(Tagging):
        loss = Objective.loss

    with pytest.raises(TypeError, match=r"abstract method '?loss"):
        Unfinished(N)


def test_all_of_them_are_tested_here() -> None:
    assert {*STEPS, *ROWS, *ELSEWHERE} == set(OBJECTIVES)


@every_step_objective
def test_padding_reaches_neither_loss_nor_gradient_nor_answers(name: str) -> None:
    objective, target = STEPS[name][0](), STEPS[name][1]()
    clean = draw(T, B, objective.output_size)
    outputs, padded = poisoned(clean, target, name)
    clean.requires_grad_()
    outputs.requires_grad_()
    ended = torch.arange(T).unsqueeze(1) >= LENGTHS
    expected = objective.loss(clean, target, LENGTHS)
    loss = objective.loss(outputs, padded, LENGTHS)
    assert_near(loss, expected, "loss")
    learned = [*objective.parameters()]
    grads = torch.autograd.grad(loss, [outputs, *learned])
    assert all(bool(gradient.isfinite().all()) for gradient in grads)
    assert bool((grads[0][ended] == 0).all())
    for ours, theirs in zip(grads, torch.autograd.grad(expected, [clean, *learned]), strict=True):
        assert_near(ours, theirs, "gradient")
    for rows in (objective.answers, objective.probabilities):
        ours, theirs = rows(outputs.detach(), LENGTHS), rows(clean.detach(), LENGTHS)
        assert (ours is None) == (theirs is None)
        for row, (one, other) in enumerate(zip(ours or [], theirs or [], strict=True)):
            if name == "step-joint" and rows == objective.probabilities:
                assert one[1] is other[1] is None
                one, other = one[0], other[0]
            assert torch.equal(one, other), f"row {row}"


@every_step_objective
def test_a_batch_is_the_mean_of_its_rows_by_what_each_counts(name: str) -> None:
    objective, target = STEPS[name][0](), STEPS[name][1]()
    outputs = draw(T, B, objective.output_size)
    total = torch.zeros((), dtype=torch.float64)
    for row, length in enumerate(LENGTHS.tolist()):
        its = objective.loss(
            outputs[:length, row : row + 1],
            alone(target, row, length, name),
            LENGTHS[row : row + 1],
        )
        total += its * (1 if name == "ctc" else length)
        answer = objective.answers(outputs, LENGTHS)[row]
        (its_own,) = objective.answers(outputs[:length, row : row + 1], LENGTHS[row : row + 1])
        assert torch.equal(answer, its_own)
    count = B if name == "ctc" else int(LENGTHS.sum())
    assert_near(objective.loss(outputs, target, LENGTHS), total / count, "loss")


@every_step_objective
@pytest.mark.parametrize("steps", [0, T])
def test_a_batch_without_steps_loses_nothing_and_can_be_differentiated(
    name: str, steps: int
) -> None:
    objective, target = STEPS[name][0](), STEPS[name][1]()[:steps]
    target = torch.full((0, B), -1) if name == "ctc" else target
    outputs = torch.full((steps, B, objective.output_size), torch.nan, dtype=torch.float64)
    outputs.requires_grad_()
    nothing = torch.zeros(B, dtype=torch.int64)
    loss = objective.loss(outputs, target, nothing)
    assert float(loss.detach()) == 0
    (gradient,) = torch.autograd.grad(loss, outputs)
    assert bool((gradient == 0).all())
    answers = objective.answers(outputs.detach(), nothing)
    assert [len(answer) for answer in answers] == [0] * B
    for row in objective.probabilities(outputs.detach(), nothing) or []:
        assert len(row[0] if isinstance(row, tuple) else row) == 0


@every_row_objective
def test_a_batch_of_rows_is_the_mean_of_its_rows(name: str) -> None:
    objective, target = ROWS[name][0](), ROWS[name][1]()
    outputs = draw(B, N)
    losses = [
        objective.loss(outputs[row : row + 1], target[row : row + 1], ONES[:1]) for row in range(B)
    ]
    assert_near(objective.loss(outputs, target, ONES), torch.stack(losses).mean(), "loss")


@pytest.mark.parametrize("name", of_one_target)
def test_probabilities_lie_in_0_to_1_and_agree_with_the_answers(name: str) -> None:
    objective = ({**STEPS, **ROWS})[name][0]()
    shape = (T, B) if name in STEPS else (B,)
    outputs = draw(*shape, objective.output_size)
    lengths = LENGTHS if name in STEPS else ONES
    rows = objective.probabilities(outputs, lengths)
    if name in {"regression", "step-regression"}:
        assert rows is None
        return
    assert rows is not None
    answers = objective.answers(outputs, lengths)
    for row, answer in zip(rows, answers, strict=True):
        assert bool(((row >= 0) & (row <= 1)).all())
        if name in {"labelling", "roll"}:
            assert torch.equal((row > 0.5).double(), answer)
        else:
            assert_near(row.sum(-1), torch.ones(row.shape[:-1]).double(), "sum")
        if name in {"classification", "tagging", "language-model"}:
            assert torch.equal(row.argmax(-1), answer)


@every_objective
def test_what_it_says_of_itself_builds_it_anew(name: str) -> None:
    objective = ({**STEPS, **ROWS})[name][0]()
    described = objective.to_json()
    again = objective_from_json(described)
    assert type(again) is type(objective)
    assert described["name"] == name
    assert again.to_json() == described
    assert again.output_size == objective.output_size


@every_objective
def test_outputs_of_wrong_axes_are_refused(name: str) -> None:
    objective, target = ({**STEPS, **ROWS})[name]
    lengths = LENGTHS if name in STEPS else ONES
    axes = r"\(T, B, O\)" if name in STEPS else r"\(B, O\)"
    for shape in ((B,), (T, B, 2), (1, T, B, N)):
        words = rf"(outputs|logits) must be ({axes} with O|\(T, B, keys\)) = .* got \({shape[0]},"
        with pytest.raises(ShapeError, match=words):
            objective().loss(torch.zeros(shape), target(), lengths)


@pytest.mark.parametrize(
    ("objective", "target", "error", "words"),
    [
        (Classification(N), ids(B, 1), ShapeError, r"target must be \(B\) = \(5,\), got \(5, 1\)"),
        (Classification(N), draw(B), OptionError, "target must hold ids, int64, got torch.float64"),
        (Regression(N), draw(B), ShapeError, r"target must be \(B, n\) = \(5, 3\), got \(5,\)"),
        (Labelling(N), ids(B, N), OptionError, "hold floating-point numbers, got torch.int64"),
    ],
)
def test_a_target_of_another_kind_is_refused(
    objective: Objective, target: Tensor, error: type[Exception], words: str
) -> None:
    with pytest.raises(error, match=words):
        objective.loss(draw(B, N), target, ONES)


@pytest.mark.parametrize("objective", [Classification(N), Labelling(N), Regression(N)])
def test_lengths_are_one_a_row(objective: Objective) -> None:
    with pytest.raises(ShapeError, match=r"lengths must be \(B,\) = \(5,\), one a row"):
        objective.answers(draw(B, N), torch.ones(4, dtype=torch.int64))


@pytest.mark.parametrize("objective", [Tagging(N), CRF(N), CTC(N), StepRegression(N)])
def test_lengths_lie_within_the_steps(objective: Objective) -> None:
    with pytest.raises(OptionError, match="lengths must lie in 0 … T = 6, got 7 at row 2"):
        objective.answers(draw(T, B, objective.output_size), torch.tensor([1, 2, 7, 3, 4]))


@pytest.mark.parametrize(
    ("state", "error", "words"),
    [
        ({"name": "taging", "size": 3}, OptionError, "unknown objective 'taging'; did you mean"),
        ({"size": 3}, OptionError, "unknown objective None"),
        ({"name": "crf"}, DataError, "objective 'crf' cannot be built from {}"),
        ({"name": "crf", "size": 3, "weights": 1}, DataError, "cannot be built from"),
        ({"name": "crf", "size": 0}, OptionError, "size must be a whole number of at least 1"),
    ],
)
def test_a_malformed_description_is_refused(
    state: dict[str, Any], error: type[Exception], words: str
) -> None:
    with pytest.raises(error, match=words):
        objective_from_json(state)
