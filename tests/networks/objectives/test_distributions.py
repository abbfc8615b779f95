"""The distributions of a forecast, against torch.distributions and scipy.stats."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from scipy import integrate, stats
from torch import Tensor

from battery import assert_near, draw
from elman.errors import DataError, OptionError
from elman.networks.objectives.distributions import (
    DISTRIBUTIONS,
    Distribution,
    Gaussian,
    NegativeBinomial,
    Quantiles,
    StudentT,
    distribution_from_json,
)

LEVELS = (0.001, 0.1, 0.37, 0.5, 0.9, 0.999)
FAMILIES: dict[str, Callable[[], Distribution]] = {
    "gaussian": Gaussian,
    "student-t": StudentT,
    "negative-binomial": NegativeBinomial,
    "quantiles": lambda: Quantiles([0.1, 0.3, 0.6, 0.9]),
}
every_family = pytest.mark.parametrize("name", FAMILIES)
every_density = pytest.mark.parametrize("name", ["gaussian", "student-t", "negative-binomial"])


def in_scipy(name: str, parameters: Tensor) -> Any:
    """Give scipy's own distribution of parameters (…, P)."""
    first, second, *third = parameters.numpy().T
    if name == "gaussian":
        return stats.norm(first, second)
    if name == "student-t":
        return stats.t(third[0], first, second)
    return stats.nbinom(1 / second, 1 / (1 + second * first))


def some_parameters(name: str, rows: int = 7, scale: float = 3.0) -> tuple[Distribution, Tensor]:
    family = FAMILIES[name]()
    return family, family.parameters(
        draw(rows, family.size), torch.tensor(scale, dtype=torch.float64)
    )


def test_all_of_them_are_tested_here() -> None:
    assert set(FAMILIES) == set(DISTRIBUTIONS)


def test_raw_numbers_become_parameters_as_deepar_has_them() -> None:
    raw, scale = torch.tensor([-0.7, 0.4]).double(), torch.tensor(9.0).double()
    soft = math.log1p(math.exp(0.4)) + 1e-4
    mean, deviation = Gaussian().parameters(raw, scale).tolist()
    assert (mean, deviation) == pytest.approx((-6.3, 9 * soft))
    mean, shape = NegativeBinomial().parameters(raw, scale).tolist()
    assert (mean, shape) == pytest.approx((9 * (math.log1p(math.exp(-0.7)) + 1e-4), soft / 3))
    raw = torch.tensor([-0.7, 0.4, -50.0]).double()
    location, spread, freedom = StudentT().parameters(raw, scale).tolist()
    assert (location, spread, freedom) == pytest.approx((-6.3, 9 * soft, 2 + 1e-4))


@every_density
def test_its_density_is_that_of_scipy(name: str) -> None:
    family, parameters = some_parameters(name)
    value = torch.tensor([0, 1, 2, 3, 9, 30, 400]).double()
    its = in_scipy(name, parameters)
    expected = (its.logpmf if name == "negative-binomial" else its.logpdf)(value.numpy())
    assert_near(family.log_prob(parameters, value), torch.from_numpy(expected), "log p")


def test_its_density_is_that_of_torch() -> None:
    value = draw(7)
    family, parameters = some_parameters("gaussian")
    expected = torch.distributions.Normal(*parameters.unbind(-1)).log_prob(value)
    assert_near(family.log_prob(parameters, value), expected, "Gaussian")
    family, parameters = some_parameters("student-t")
    location, spread, freedom = parameters.unbind(-1)
    expected = torch.distributions.StudentT(freedom, location, spread).log_prob(value)
    assert_near(family.log_prob(parameters, value), expected, "Student's t")
    family, parameters = some_parameters("negative-binomial")
    mean, shape = parameters.unbind(-1)
    theirs = torch.distributions.NegativeBinomial(1 / shape, logits=(mean * shape).log())
    counts = torch.arange(7).double()
    assert_near(family.log_prob(parameters, counts), theirs.log_prob(counts), "negative binomial")


@every_density
def test_a_density_holds_one_whole(name: str) -> None:
    family, parameters = some_parameters(name, rows=1)

    def density(y: float) -> float:
        return float(family.log_prob(parameters[0], torch.tensor(y).double()).exp())

    if name == "negative-binomial":
        assert sum(density(y) for y in range(500)) == pytest.approx(1)
    else:
        assert integrate.quad(density, -np.inf, np.inf)[0] == pytest.approx(1)


@every_density
@pytest.mark.parametrize("scale", [0.2, 3.0, 5000.0])
def test_its_quantiles_are_those_of_scipy(name: str, scale: float) -> None:
    family, parameters = some_parameters(name, scale=scale)
    for level in LEVELS:
        expected = torch.from_numpy(in_scipy(name, parameters).ppf(level))
        assert_near(family.quantile(parameters, level), expected, f"quantile {level}")


def test_the_quantile_of_a_count_is_the_first_whose_cumulative_probability_reaches_the_level() -> (
    None
):
    family, parameters = some_parameters("negative-binomial", rows=5, scale=20.0)
    counts = torch.arange(2000).double()
    cumulative = family.log_prob(parameters.unsqueeze(1), counts).exp().cumsum(1)
    for level in LEVELS:
        first = (cumulative >= level).double().argmax(1).double()
        assert torch.equal(family.quantile(parameters, level), first), level


def test_a_count_that_reaches_the_level_exactly_is_its_quantile() -> None:
    # Mean 1 and shape 1: heads before the first tail of a fair coin; half of all have none.
    fair = torch.tensor([1.0, 1.0]).double()
    assert [NegativeBinomial().quantile(fair, q).item() for q in (0.5, 0.75, 0.76)] == [0, 1, 2]


def test_almost_poisson_counts_keep_their_precision_in_float32() -> None:
    parameters = torch.tensor([[40.0, 1e-7], [3e5, 1e-9]])
    value = torch.tensor([38.0, 300_100.0])
    expected = stats.poisson(parameters[:, 0].numpy()).logpmf(value.numpy())
    ours = NegativeBinomial().log_prob(parameters, value)
    assert ours.dtype == torch.float32
    assert ours.tolist() == pytest.approx(expected.tolist(), rel=1e-3)


def test_students_t_with_many_degrees_of_freedom_is_normal_in_float32() -> None:
    ours = StudentT().log_prob(torch.tensor([1.0, 2.0, 1e6]), torch.tensor(4.0))
    assert float(ours) == pytest.approx(stats.norm(1, 2).logpdf(4), abs=1e-5)


@every_density
def test_samples_have_the_mean_and_the_quantiles_of_the_distribution(name: str) -> None:
    family, count = FAMILIES[name](), 40_000
    parameters = torch.tensor(
        {
            "gaussian": [[-2.0, 0.5], [7.0, 3.0]],
            "student-t": [[-2.0, 0.5, 5.0], [7.0, 3.0, 9.0]],
            "negative-binomial": [[0.3, 2.0], [12.0, 0.25]],
        }[name]
    ).double()
    samples = family.sample(parameters, count, torch.Generator().manual_seed(3))
    its = in_scipy(name, parameters)
    assert samples.shape == (count, 2)
    assert family.mean(parameters).tolist() == pytest.approx(its.mean().tolist())
    error = torch.from_numpy(its.std()) / count**0.5
    assert bool(((samples.mean(0) - family.mean(parameters)).abs() < 4 * error).all())
    assert samples.std(0).tolist() == pytest.approx(its.std().tolist(), rel=0.05)
    for level in (0.1, 0.5, 0.9):
        reached = (samples <= family.quantile(parameters, level)).double().mean(0)
        expected = its.cdf(family.quantile(parameters, level).numpy())
        assert reached.tolist() == pytest.approx(expected.tolist(), abs=0.01)


@every_family
def test_one_seed_draws_one_sample_and_the_global_generator_is_left_alone(name: str) -> None:
    family, parameters = some_parameters(name)
    before = torch.get_rng_state()
    first, second = (family.sample(parameters, 3, torch.Generator().manual_seed(5)) for _ in "ab")
    assert torch.equal(first, second)
    assert torch.equal(torch.get_rng_state(), before)
    assert not torch.equal(first, family.sample(parameters, 3, torch.Generator().manual_seed(6)))


@every_family
def test_what_is_drawn_has_the_axes_and_the_type_of_the_parameters(name: str) -> None:
    family = FAMILIES[name]()
    parameters = family.parameters(
        draw(4, 3, 2, family.size, dtype=torch.float32), torch.full((3, 2), 2.0)
    )
    generator = torch.Generator().manual_seed(1)
    for value, shape in (
        (family.sample(parameters, 5, generator), (5, 4, 3, 2)),
        (family.mean(parameters), (4, 3, 2)),
        (family.quantile(parameters, 0.5), (4, 3, 2)),
    ):
        assert (tuple(value.shape), value.dtype) == (shape, torch.float32)


@every_family
def test_a_scale_multiplies_what_is_expected(name: str) -> None:
    family, raw = FAMILIES[name](), draw(7, FAMILIES[name]().size)
    means = [family.mean(family.parameters(raw, torch.tensor(s).double())) for s in (1.0, 250.0)]
    assert_near(means[1], 250 * means[0], "mean")


@every_family
def test_the_gradient_of_the_loss_agrees_with_finite_differences(
    name: str,
) -> None:
    family, scale = FAMILIES[name](), torch.tensor([0.5, 2.0, 30.0]).double()
    raw, value = draw(3, family.size).requires_grad_(), torch.tensor([0, 3, 17]).double()

    def loss(raw: Tensor) -> Tensor:
        return family.loss(family.parameters(raw, scale), scale, value)

    assert torch.autograd.gradcheck(loss, raw)


@every_family
@pytest.mark.parametrize("far", [-1e4, 1e4])
def test_raw_numbers_far_out_leave_loss_and_gradient_finite_in_float32(
    name: str, far: float
) -> None:
    family = FAMILIES[name]()
    scale, value = torch.tensor(2.0), torch.tensor([0.0, 5.0])
    for place in range(family.size):
        raw = torch.zeros(2, family.size)
        raw[:, place] = far
        raw.requires_grad_()
        loss = family.loss(family.parameters(raw, scale), scale, value).sum()
        (gradient,) = torch.autograd.grad(loss, raw)
        assert math.isfinite(float(loss.detach())), place
        assert bool(gradient.isfinite().all()), place


def test_counts_alone_have_a_probability_among_counts() -> None:
    family, parameters = some_parameters("negative-binomial", rows=2)
    for wrong in (2.5, -1.0):
        words = rf"counts 0, 1, 2, …, got {wrong:g}\. Use 'gaussian' or 'student-t'"
        with pytest.raises(DataError, match=words):
            family.log_prob(parameters, torch.tensor([1.0, wrong]).double())


def test_quantiles_rise_whatever_the_raw_numbers() -> None:
    for levels in ([0.1, 0.5, 0.9], [0.05, 0.4, 0.55, 0.8], [0.5, 0.7], [0.2, 0.5]):
        family = Quantiles(levels)
        raw = draw(50, len(levels), scale=5.0)
        quantiles = family.parameters(raw, torch.tensor(3.0).double())
        assert bool((quantiles.diff(dim=-1) > 0).all())
        middle = min(range(len(levels)), key=lambda k: abs(levels[k] - 0.5))
        assert_near(quantiles[:, middle], 3 * raw[:, middle], "the middle one")


def test_the_pinball_loss_by_hand() -> None:
    quantiles, scale = torch.tensor([[1.0, 4.0, 6.0]]).double(), torch.tensor([2.0]).double()
    loss = Quantiles([0.1, 0.5, 0.9]).loss(quantiles, scale, torch.tensor([5.0]).double())
    # 5 lies 4 above the first, 1 above the second, 1 below the third.
    expected = 2 * (0.1 * 4 + 0.5 * 1 + 0.1 * 1) / 3 / 2
    assert loss.tolist() == pytest.approx([expected])


def test_the_median_alone_is_learned_by_the_absolute_error() -> None:
    value, median = draw(7), draw(7, 1)
    loss = Quantiles([0.5]).loss(median, torch.ones(7).double(), value)
    assert_near(loss, (value - median[:, 0]).abs(), "loss")
    assert torch.equal(Quantiles([0.5]).quantile(median, 0.5), median[:, 0])


def test_the_pinball_loss_is_least_at_the_quantiles_of_the_data() -> None:
    generator = torch.Generator().manual_seed(2)
    data = torch.randn(2001, generator=generator, dtype=torch.float64)
    family, one = Quantiles([0.1, 0.5, 0.9]), torch.tensor(1.0).double()
    raw = torch.zeros(3, dtype=torch.float64, requires_grad=True)
    optimizer = torch.optim.LBFGS([raw], max_iter=200, line_search_fn="strong_wolfe")

    def closure() -> Tensor:
        optimizer.zero_grad()
        loss = family.loss(family.parameters(raw, one), one, data).mean()
        loss.backward()
        return loss

    optimizer.step(closure)
    learned = family.parameters(raw.detach(), one)
    expected = torch.quantile(data, torch.tensor([0.1, 0.5, 0.9]).double())
    assert learned.tolist() == pytest.approx(expected.tolist(), abs=0.02)


def test_between_two_levels_the_quantiles_lie_on_a_line_and_outside_they_stay() -> None:
    family = Quantiles([0.1, 0.5, 0.8])
    known = torch.tensor([[1.0, 3.0, 9.0], [0.0, 1.0, 2.0]]).double()
    for level, expected in (
        (0.1, [1.0, 0.0]),
        (0.2, [1.5, 0.25]),
        (0.5, [3.0, 1.0]),
        (0.65, [6.0, 1.5]),
        (0.8, [9.0, 2.0]),
    ):
        assert family.quantile(known, level).tolist() == pytest.approx(expected), level
    # The area below the quantile function: held ends and two trapezia.
    mean = 0.1 * 1 + 0.4 * 2 + 0.3 * 6 + 0.2 * 9
    assert family.mean(known)[0].item() == pytest.approx(mean)
    samples = family.sample(known, 40_000, torch.Generator().manual_seed(4))
    assert samples[:, 0].mean().item() == pytest.approx(mean, abs=0.06)
    assert (samples[:, 0].min().item(), samples[:, 0].max().item()) == (1.0, 9.0)
    assert (samples[:, 0] <= 3).double().mean().item() == pytest.approx(0.5, abs=0.01)


def test_what_a_set_of_quantiles_cannot_say_is_refused_in_words() -> None:
    family, parameters = some_parameters("quantiles")
    with pytest.raises(OptionError, match=r"only quantiles between 0\.1 and 0\.9 .* got 0\.95"):
        family.quantile(parameters, 0.95)
    with pytest.raises(OptionError, match="distribution='quantiles' has no density"):
        family.log_prob(parameters, parameters[:, 0])


@pytest.mark.parametrize(
    ("levels", "words"),
    [
        ([], r"must ascend, got \[\]"),
        ([0.5, 0.5], r"must ascend, got \[0.5, 0.5\]"),
        ([0.9, 0.5], r"must ascend"),
        ([0.7, 0.9], r"must have 0.5 among or between them, got \[0.7, 0.9\]"),
        ([0.5, 1.0], r"level of a quantile must lie between 0 and 1, got 1.0"),
        ([0.5, "0.9"], r"must lie between 0 and 1, got '0.9'"),
    ],
)
def test_levels_that_are_none_are_refused(levels: list[float], words: str) -> None:
    with pytest.raises(OptionError, match=words):
        Quantiles(levels)


@every_family
@pytest.mark.parametrize("level", [0, 1, -0.1, True, math.nan])
def test_a_quantile_needs_a_level_between_0_and_1(name: str, level: float) -> None:
    family, parameters = some_parameters(name)
    with pytest.raises(OptionError, match="level of a quantile must lie between 0 and 1, got"):
        family.quantile(parameters, level)


@every_family
def test_what_it_says_of_itself_builds_it_anew(name: str) -> None:
    described = FAMILIES[name]().to_json()
    again = distribution_from_json(described)
    assert described["name"] == name
    assert (type(again), again.to_json()) == (DISTRIBUTIONS[name], described)


def test_a_malformed_description_is_refused() -> None:
    with pytest.raises(
        OptionError, match="unknown distribution 'gausian'; did you mean 'gaussian'"
    ):
        distribution_from_json({"name": "gausian"})
    with pytest.raises(DataError, match=r"'gaussian' cannot be built from \{'nu': 3\}"):
        distribution_from_json({"name": "gaussian", "nu": 3})
