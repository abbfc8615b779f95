"""Several targets: their loss is the weighted sum of those of each, over the rows that have it."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor

from battery import assert_near, draw
from elman.errors import OptionError, ShapeError
from elman.networks.objectives import (
    CRF,
    Classification,
    Joint,
    Labelling,
    Regression,
    StepJoint,
    StepRegression,
    Tagging,
    objective_from_json,
)
from joints import joint

T, B = 6, 5
LENGTHS = torch.tensor([4, 0, 6, 1, 3])
ONES = torch.ones(B, dtype=torch.int64)
ABSENT = torch.nan


def drawn(crf: CRF) -> CRF:
    with torch.no_grad():
        for weight in crf.double().parameters():
            weight.normal_()
    return crf


def row_targets() -> tuple[Tensor, Tensor, Tensor]:
    """A class, two numbers and three labels of each row."""
    return torch.randint(0, 3, (B,)), draw(B, 2), (torch.rand(B, 3) < 0.5).double()


def side_by_side(*targets: Tensor) -> Tensor:
    """Encode targets as a feature of several does: ids have no axis of columns of their own."""
    own = [each if each.is_floating_point() else each.double()[..., None] for each in targets]
    return torch.cat(own, -1)


def test_the_loss_of_rows_is_the_weighted_sum_of_each_on_its_own_outputs() -> None:
    classes, numbers, labels = row_targets()
    outputs = draw(B, 8).requires_grad_()
    own = outputs[:, :3], outputs[:, 3:5], outputs[:, 5:]
    expected = (
        2 * Classification(3, label_smoothing=0.1).loss(own[0], classes, ONES)
        + 0.5 * Regression(2, loss="huber").loss(own[1], numbers, ONES)
        + Labelling(3, label_weights=[1, 2, 3]).loss(own[2], labels, ONES)
    )
    several = joint(
        Classification(3, label_smoothing=0.1),
        Regression(2, loss="huber"),
        Labelling(3, label_weights=[1, 2, 3]),
        weights=[2, 0.5, 1],
    )
    loss = several.loss(outputs, side_by_side(classes, numbers, labels), ONES)
    assert several.output_sizes == [3, 2, 3]
    assert_near(loss, expected, "loss")
    (ours,), (theirs,) = (torch.autograd.grad(each, outputs) for each in (loss, expected))
    assert_near(ours, theirs, "gradient")


def test_the_loss_of_steps_is_the_weighted_sum_too_with_the_gradient_of_every_parameter() -> None:
    crf, tags, more = drawn(CRF(3)), torch.randint(0, 2, (T, B)), torch.randint(0, 3, (T, B))
    numbers = draw(T, B, 2)
    outputs = draw(T, B, 7).requires_grad_()
    expected = (
        Tagging(2).loss(outputs[..., :2], tags, LENGTHS)
        + 3 * crf.loss(outputs[..., 2:5], more, LENGTHS)
        + StepRegression(2).loss(outputs[..., 5:], numbers, LENGTHS)
    )
    several = joint(Tagging(2), crf, StepRegression(2), weights=[1, 3, 1])
    loss = several.loss(outputs, side_by_side(tags, more, numbers), LENGTHS)
    assert_near(loss, expected, "loss")
    learned = [outputs, *crf.parameters()]
    assert len([*several.parameters()]) == 3
    for ours, theirs in zip(
        *(torch.autograd.grad(each, learned) for each in (loss, expected)), strict=True
    ):
        assert_near(ours, theirs, "gradient")


def test_a_row_that_lacks_a_target_trains_the_others_only() -> None:
    classes, numbers, labels = row_targets()
    target = side_by_side(classes, numbers, labels)
    target[[0, 3], 0] = ABSENT
    target[2, 1:3] = ABSENT
    outputs = draw(B, 8).requires_grad_()
    expected = (
        Classification(3).loss(outputs[[1, 2, 4], :3], classes[[1, 2, 4]], ONES[:3])
        + Regression(2).loss(outputs[[0, 1, 3, 4], 3:5], numbers[[0, 1, 3, 4]], ONES[:4])
        + Labelling(3).loss(outputs[:, 5:], labels, ONES)
    )
    several = joint(Classification(3), Regression(2), Labelling(3))
    loss = several.loss(outputs, target, ONES)
    assert_near(loss, expected, "loss")
    (gradient,) = torch.autograd.grad(loss, outputs)
    assert bool((gradient[[0, 3], :3] == 0).all())
    assert bool((gradient[2, 3:5] == 0).all())
    assert bool((gradient[[0, 3], 3:] != 0).any())


def test_a_sequence_that_lacks_a_target_trains_the_others_only() -> None:
    crf, tags, numbers = drawn(CRF(3)), torch.randint(0, 3, (T, B)), draw(T, B, 1)
    target = side_by_side(tags, numbers)
    target[:, 2, 0] = ABSENT
    target[:, [0, 4], 1] = ABSENT
    outputs = draw(T, B, 4)
    known, others = [0, 1, 3, 4], [1, 2, 3]
    expected = crf.loss(outputs[:, known, :3], tags[:, known], LENGTHS[known])
    expected = expected + StepRegression(1).loss(
        outputs[:, others, 3:], numbers[:, others], LENGTHS[others]
    )
    assert_near(joint(crf, StepRegression(1)).loss(outputs, target, LENGTHS), expected, "loss")


@pytest.mark.parametrize(
    "several", [joint(Classification(3), Regression(2)), joint(CRF(3), StepRegression(2))]
)
def test_a_batch_without_a_target_loses_nothing_and_can_be_differentiated(
    several: Joint | StepJoint,
) -> None:
    shape = (T, B) if several.per_step else (B,)
    lengths = LENGTHS if several.per_step else ONES
    outputs = draw(*shape, 5, dtype=torch.float32).requires_grad_()
    loss = several.loss(outputs, torch.full((*shape, 3), ABSENT), lengths)
    assert float(loss.detach()) == 0
    (gradient,) = torch.autograd.grad(loss, outputs)
    assert bool((gradient == 0).all())


def test_answers_stand_side_by_side_and_probabilities_one_after_the_other() -> None:
    outputs = draw(B, 8)
    several = joint(Classification(3), Regression(2), Labelling(3))
    classes = Classification(3).answers(outputs[:, :3], ONES)
    for row, answer in enumerate(several.answers(outputs, ONES)):
        assert answer[0] == classes[row]
        assert torch.equal(answer[1:3], outputs[row, 3:5])
        assert torch.equal(answer[3:], (outputs[row, 5:] > 0).double())
    rows = several.probabilities(outputs, ONES)
    assert rows is not None
    for row, (likely, none, labels) in enumerate(rows):
        assert none is None
        assert likely is not None
        assert torch.equal(likely, outputs[row, :3].softmax(-1))
        assert labels is not None
        assert torch.equal(labels, outputs[row, 5:].sigmoid())
    assert joint(Regression(2), Regression(1)).probabilities(outputs[:, :3], ONES) is None


def test_ids_survive_outputs_of_half_precision() -> None:
    outputs = torch.zeros(1, 1001, dtype=torch.bfloat16)
    outputs[0, 999] = 1
    (answer,) = joint(Classification(1000), Regression(1)).answers(outputs, ONES[:1])
    assert answer.tolist() == [999, 0]


def test_tags_are_cut_at_the_end_of_their_row() -> None:
    outputs = draw(T, B, 5)
    several = joint(Tagging(3), StepRegression(2))
    for row, answer in enumerate(several.answers(outputs, LENGTHS)):
        length = int(LENGTHS[row])
        assert torch.equal(answer[:, 0], outputs[:length, row, :3].argmax(-1).double())
        assert torch.equal(answer[:, 1:], outputs[:length, row, 3:])


def test_base_rates_are_those_of_each_over_the_rows_that_have_it() -> None:
    rows = [[0.0, 0.3], [1.0, 0.1], [1.0, ABSENT], [ABSENT, 2.0]]
    several = joint(Classification(2), Regression(1))
    rates = several.base_rates(torch.tensor(rows))
    alone = Classification(2).base_rates([torch.tensor(0), torch.tensor(1), torch.tensor(1)])
    assert rates is not None
    assert torch.equal(rates, torch.cat([alone, torch.zeros(1)]))
    assert joint(Regression(1), Regression(1)).base_rates(torch.tensor(rows)) is None


def test_a_field_among_them_keeps_its_learned_scores_in_the_weights() -> None:
    several = joint(Tagging(2), drawn(CRF(3)))
    again = objective_from_json(several.to_json()).double()
    again.load_state_dict(several.state_dict())
    outputs = draw(T, B, 5)
    for ours, theirs in zip(
        several.answers(outputs, LENGTHS), again.answers(outputs, LENGTHS), strict=True
    ):
        assert torch.equal(ours, theirs)


def state(**changes: Any) -> dict[str, Any]:
    whole = {
        "objective": {"name": "regression", "size": 1},
        "columns": 1,
        "ids": False,
        "weight": 1.0,
    }
    return whole | changes


@pytest.mark.parametrize(
    ("parts", "words"),
    [
        ([], "parts must name at least one target"),
        ([state(weight=0.0)], "the weight of a loss must be above 0, got 0.0"),
        ([state(weight=float("inf"))], "the weight of a loss must be above 0, got inf"),
        (
            [state(objective={"name": "tagging", "size": 2})],
            "joint is for one answer a row, and tagging has targets of another form, step",
        ),
    ],
)
def test_what_makes_no_sense_is_refused(parts: list[dict[str, Any]], words: str) -> None:
    with pytest.raises(OptionError, match=words):
        Joint(parts)


def test_a_target_of_other_columns_is_refused() -> None:
    with pytest.raises(ShapeError, match=r"target must be \(B, n\) = \(5, 3\), got \(5, 2\)"):
        joint(Classification(3), Regression(2)).loss(draw(B, 5), draw(B, 2), ONES)
