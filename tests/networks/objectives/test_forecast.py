"""The objective of a forecast: means over what is observed, and what a forecaster asks of it."""

from __future__ import annotations

import json
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from battery import assert_near, draw
from elman.batches.batching import Batch
from elman.errors import DataError, OptionError, ShapeError
from elman.networks.objectives.distributions import DISTRIBUTIONS
from elman.networks.objectives.forecast import ForecastObjective

H, B, N = 5, 3, 2
LENGTHS = torch.tensor([9, 0, 4])
NAN = float("nan")
every_distribution = pytest.mark.parametrize("name", list(DISTRIBUTIONS))


def drawn(objective: ForecastObjective) -> tuple[Tensor, Tensor, Tensor]:
    """Draw raw numbers, a scale a row and value, and counts as truths."""
    scale = torch.tensor([[0.5, 3.0], [20.0, 1.0], [7.0, 400.0]]).double()
    target = (scale * torch.rand(H, B, N, dtype=torch.float64) * 3).round()
    return draw(H, B, objective.head_size), scale, target


@every_distribution
def test_the_loss_is_the_mean_over_values_step_by_step_and_row_by_row(name: str) -> None:
    objective = ForecastObjective(name, N)
    raw, scale, target = drawn(objective)
    total = 0.0
    family = objective.distribution
    for row in range(B):
        for value in range(N):
            its = raw[:, row, value * family.size : (value + 1) * family.size]
            nu = scale[row, value]
            parameters = family.parameters(its, nu)
            total += float(family.loss(parameters, nu, target[:, row, value]).sum())
    loss = objective.loss(objective.scaled(raw, scale), target, LENGTHS)
    assert_near(loss, torch.tensor(total / (H * B * N), dtype=torch.float64), "loss")


@every_distribution
def test_what_is_missing_counts_nothing_and_reaches_no_gradient(name: str) -> None:
    objective = ForecastObjective(name, N)
    raw, scale, target = drawn(objective)
    missing = torch.zeros(H, B, N, dtype=torch.bool)
    missing[3:, 0], missing[:, 1, 1], missing[2, 2, 0] = True, True, True
    target[missing] = NAN
    outputs = objective.scaled(raw, scale).detach()
    poisoned = outputs.unflatten(-1, (N, -1)).clone()
    poisoned[missing] = NAN
    poisoned = poisoned.flatten(-2).requires_grad_()
    loss = objective.loss(poisoned, target, LENGTHS)
    single = [
        objective.loss(outputs[h : h + 1, b : b + 1], one_value(target, h, b, n), LENGTHS[:1])
        for h, b, n in (~missing).nonzero().tolist()
    ]
    assert_near(loss, torch.stack(single).mean(), "loss")
    (gradient,) = torch.autograd.grad(loss, poisoned)
    assert bool(gradient.isfinite().all())
    there = gradient.unflatten(-1, (N, -1))
    assert bool((there[missing] == 0).all())
    assert bool((there[~missing].abs().sum(-1) > 0).all())


def test_a_batch_weighs_as_many_values_as_it_has() -> None:
    target = torch.tensor([[[1.0], [NAN]], [[NAN], [2.0]], [[3.0], [NAN]]])
    batch = Batch(torch.zeros(4, 2, 1), target, torch.tensor([4, 2]))
    assert ForecastObjective().weight(batch) == 3


def one_value(target: Tensor, h: int, b: int, n: int) -> Tensor:
    alone = torch.full((1, 1, N), NAN, dtype=target.dtype)
    alone[0, 0, n] = target[h, b, n]
    return alone


@every_distribution
@pytest.mark.parametrize("horizon", [0, H])
def test_where_nothing_is_observed_nothing_is_lost(name: str, horizon: int) -> None:
    objective = ForecastObjective(name, N)
    outputs = draw(horizon, B, objective.output_size).requires_grad_()
    target = torch.full((horizon, B, N), NAN, dtype=torch.float64)
    loss = objective.loss(outputs, target, LENGTHS)
    (gradient,) = torch.autograd.grad(loss, outputs)
    assert float(loss.detach()) == 0
    assert bool((gradient == 0).all())


@every_distribution
def test_scales_go_out_with_the_outputs_and_come_back(name: str) -> None:
    objective = ForecastObjective(name, N)
    raw, scale, _ = drawn(objective)
    outputs = objective.scaled(raw, scale)
    assert outputs.shape == (H, B, objective.output_size)
    family = objective.distribution
    expected = family.parameters(raw.unflatten(-1, (N, -1)), scale)
    assert_near(objective.parameters_of(outputs), expected, "parameters")
    whole = objective.scaled(raw, scale.expand(H, B, N))
    assert torch.equal(outputs, whole)
    plain = objective.parameters_of(objective.scaled(raw))
    assert_near(plain, family.parameters(raw.unflatten(-1, (N, -1)), scale / scale), "unscaled")


def test_a_large_scale_survives_outputs_in_half_precision() -> None:
    raw, scale = torch.zeros(1, 1, 2, dtype=torch.bfloat16), torch.tensor([[123_456.0]])
    outputs = ForecastObjective("gaussian").scaled(raw + 1, scale)
    assert ForecastObjective("gaussian").mean(outputs).item() == pytest.approx(123_456, rel=1e-5)


@every_distribution
def test_one_step_of_a_horizon_is_asked_as_the_whole_is(name: str) -> None:
    objective = ForecastObjective(name, N)
    raw, scale, _ = drawn(objective)
    outputs = objective.scaled(raw, scale)
    step = objective.scaled(raw[1], scale)
    assert torch.equal(objective.mean(step), objective.mean(outputs)[1])
    assert torch.equal(objective.quantile(step, 0.3), objective.quantile(outputs, 0.3)[1])
    seeds = [torch.Generator().manual_seed(1) for _ in "ab"]
    assert objective.sample(step, 4, seeds[0]).shape == (4, B, N)
    assert objective.sample(outputs, 4, seeds[1]).shape == (4, H, B, N)


@every_distribution
def test_the_answers_are_the_medians_of_each_row(name: str) -> None:
    objective = ForecastObjective(name, N)
    raw, scale, _ = drawn(objective)
    outputs = objective.scaled(raw, scale)
    answers = objective.answers(outputs, LENGTHS)
    assert [tuple(answer.shape) for answer in answers] == [(H, N)] * B
    assert torch.equal(torch.stack(answers, 1), objective.quantile(outputs, 0.5))
    assert objective.probabilities(outputs, LENGTHS) is None


@pytest.mark.parametrize(("name", "low", "high"), [("gaussian", 3.0, 2.0), ("quantiles", 3.0, 2.0)])
def test_a_network_of_constants_learns_the_distribution_of_its_data(
    name: str, low: float, high: float
) -> None:
    generator = torch.Generator().manual_seed(11)
    noise = torch.randn(1, 1500, 1, generator=generator, dtype=torch.float64)
    target, lengths = low + high * noise, torch.ones(1500, dtype=torch.int64)
    objective = ForecastObjective(name)
    raw = nn.Parameter(torch.zeros(objective.head_size, dtype=torch.float64))
    optimizer = torch.optim.Adam([raw], lr=0.1)
    scale = torch.full((1500, 1), 5.0, dtype=torch.float64)
    for _ in range(150):
        optimizer.zero_grad()
        outputs = objective.scaled(raw.expand(1, 1500, -1), scale)
        objective.loss(outputs, target, lengths).backward()
        optimizer.step()
    outputs = objective.scaled(raw.detach().expand(1, 1, -1), scale[:1])
    for level, expected in ((0.1, low - 1.2816 * high), (0.5, low), (0.9, low + 1.2816 * high)):
        assert objective.quantile(outputs, level).item() == pytest.approx(expected, abs=0.2)


@every_distribution
def test_what_it_says_of_itself_builds_it_anew(name: str) -> None:
    levels = [0.2, 0.5, 0.8] if name == "quantiles" else None
    described = ForecastObjective(name, 3, levels).to_json()
    assert described == {
        "name": "forecast",
        "distribution": name,
        "values": 3,
        "quantiles": levels,
    }
    options: dict[str, Any] = json.loads(json.dumps(described))
    assert options.pop("name") == ForecastObjective.name
    assert ForecastObjective(**options).to_json() == described


def test_it_learns_nothing_of_its_own() -> None:
    assert list(ForecastObjective("student-t").parameters()) == []


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"distribution": "normal"}, "unknown distribution 'normal'"),
        ({"values": 0}, "values must be a whole number of at least 1, got 0"),
        ({"quantiles": [0.5]}, "are for distribution='quantiles', got 'gaussian'"),
        ({"distribution": "quantiles", "quantiles": [0.9]}, "must have 0.5 among or between"),
    ],
)
def test_options_that_make_no_sense_are_refused(options: dict[str, Any], words: str) -> None:
    with pytest.raises(OptionError, match=words):
        ForecastObjective(**options)


def test_outputs_targets_and_scales_of_other_axes_are_refused() -> None:
    objective = ForecastObjective("gaussian", N)
    outputs, target = draw(H, B, 8), draw(H, B, N)
    with pytest.raises(
        ShapeError, match=r"outputs must be \(H, B, O\) with O = 8, got \(5, 3, 4\)"
    ):
        objective.loss(draw(H, B, 4), target, LENGTHS)
    with pytest.raises(ShapeError, match=r"target must be \(H, B, n\) = \(5, 3, 2\), got \(5, 3\)"):
        objective.loss(outputs, target[..., 0], LENGTHS)
    with pytest.raises(OptionError, match=r"target must hold floating-point .* got torch\.int64"):
        objective.loss(outputs, target.long(), LENGTHS)
    with pytest.raises(ShapeError, match=r"lengths must be \(B,\) = \(3,\), one a row"):
        objective.answers(outputs, LENGTHS[:2])
    with pytest.raises(ShapeError, match=r"outputs must be \(…, O\) with O = 8, got \(5, 3, 4\)"):
        objective.mean(draw(H, B, 4))
    with pytest.raises(ShapeError, match=r"raw must be \(…, n·P\) with n·P = 4, got \(5, 3, 8\)"):
        objective.scaled(outputs)
    with pytest.raises(ShapeError, match=r"scale must be \(…, n\), .* \(4, 2\) and"):
        objective.scaled(draw(H, B, 4), torch.ones(4, N))
    for wrong in (0.0, -2.0, NAN):
        with pytest.raises(DataError, match=f"scale must be a number above 0, got {wrong:g}; use"):
            objective.scaled(draw(H, B, 4), torch.tensor([[1.0, wrong]]))
    with pytest.raises(OptionError, match="count must be a whole number of at least 1, got 0"):
        objective.sample(outputs, 0, torch.Generator())
