"""The forecaster that reads segments: it begins naively and never sees the future."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor

from elman.errors import OptionError, ShapeError
from elman.features.feature import Encoding
from elman.features.forecast_columns import Layout
from elman.networks import build_network
from elman.networks.naive import naive_names, naive_paths
from elman.networks.objectives import ForecastObjective
from elman.networks.segments import SegmentForecaster

LAYOUT = Layout(values=2, past=1, known=3, items=5, past_ids=(4, 3), known_ids=(6,))
PLAIN = Layout(values=2, past=0, known=0, items=0)
LEVELS = (0.05, 0.1, 0.5, 0.9, 0.95)
P, H, B = 12, 5, 4
SEASONS = (3, 7)
NAMES = naive_names(SEASONS)

named = pytest.mark.parametrize("name", NAMES)


def forecaster(
    layout: Layout = LAYOUT,
    *,
    name: str = "last",
    distribution: str = "quantiles",
    trained: bool = False,
    **options: Any,
) -> SegmentForecaster:
    """A network; trained, in that its weights and calibration are anything."""
    torch.manual_seed(1)
    levels = LEVELS if distribution == "quantiles" else None
    forecast = {"horizon": H, "window": P, "segment": 3, "seasons": SEASONS} | options
    built = build_network(
        "encoder-decoder",
        Encoding(),
        ForecastObjective(distribution, layout.values, levels),
        forecast={"layout": layout, **forecast},
        hidden_size=6,
        cell="gru",
    ).eval()
    assert isinstance(built, SegmentForecaster)
    built.correct(name)
    if trained:
        for weight in built.parameters():
            torch.nn.init.normal_(weight, std=0.3)
        built.calibration.set_share(0.7)
        added = torch.randn_like(built.calibration.added)
        added[..., len(LEVELS) // 2] = 0.0  # the median's
        built.calibration.set_quantiles(added)
    return built


def windows(
    layout: Layout = LAYOUT, seed: int = 2, gaps: float = 0.2, level: float = 50.0
) -> tuple[Tensor, Tensor]:
    """Rows with a full past, a longer, a shorter and the shortest; NaN behind a row's end."""
    torch.manual_seed(seed)
    steps = P + 4 + H
    x = torch.randn(steps, B, layout.numbers) * 3 + level
    values = x[..., : layout.values]
    values.masked_fill_(torch.rand(values.shape) < gaps, torch.nan)
    names = [torch.randint(count, (steps, B, 1)).float() for count in layout.ids]
    x = torch.cat([x, *names], -1)
    lengths = torch.tensor([P + H, P + 4 + H, 4 + H, 1 + H])
    for row, length in enumerate(lengths.tolist()):
        x[length:, row] = torch.nan
    return x, lengths


def pasts(x: Tensor, lengths: Tensor, values: int) -> Tensor:
    """The last P values before each horizon, NaN where there is none, (P, B, n)."""
    past = torch.full((P, len(lengths), values), torch.nan)
    for row, length in enumerate(lengths.tolist()):
        known = x[max(0, length - H - P) : length - H, row, :values]
        past[P - len(known) :, row] = known
    return past


def medians(network: SegmentForecaster, x: Tensor, lengths: Tensor) -> Tensor:
    outputs, _ = network(x, lengths=lengths)
    return network.objective.quantile(outputs, 0.5).detach()


@named
@pytest.mark.parametrize("layout", [LAYOUT, PLAIN], ids=["covariates", "values"])
@pytest.mark.parametrize("distribution", ["quantiles", "gaussian", "student-t"])
def test_an_untrained_network_is_the_naive_forecast_to_the_bit(
    name: str, layout: Layout, distribution: str
) -> None:
    for seed, gaps, level, members in ((2, 0.0, 50, 1), (3, 0.4, 0, 3), (4, 1.0, 0, 2)):
        network = forecaster(layout, name=name, distribution=distribution, members=members)
        x, lengths = windows(layout, seed, gaps, level)
        naive = naive_paths(pasts(x, lengths, 2), H, SEASONS, network.means).naive
        assert torch.equal(medians(network, x, lengths), naive[NAMES.index(name)])
        network.train()
        assert torch.equal(medians(network, x, lengths), naive[NAMES.index(name)])


@named
def test_a_network_whose_correction_is_not_kept_is_the_naive_forecast_to_the_bit(name: str) -> None:
    network = forecaster(name=name, trained=True)
    network.calibration.set_share(0.0)
    x, lengths = windows(level=0.0)
    naive, _ = network.naive_forecasts(x, lengths, H)
    assert torch.equal(medians(network, x, lengths), naive[NAMES.index(name)])


@named
@pytest.mark.parametrize("members", [1, 3])
def test_the_future_is_not_read(name: str, members: int) -> None:
    network = forecaster(name=name, trained=True, members=members)
    x, lengths = windows()
    expected, _ = network(x, lengths=lengths)
    own, ids = LAYOUT.values + LAYOUT.past, LAYOUT.numbers
    for poison in (1e30, torch.nan, torch.inf):
        poisoned = x.clone()
        for row, length in enumerate(lengths.tolist()):
            ahead = poisoned[length - H : length, row]
            ahead[:, :own] = poison
            ahead[:, ids : ids + len(LAYOUT.past_ids)] = 99  # no id
        outputs, _ = network(poisoned, lengths=lengths)
        assert torch.equal(outputs, expected)
        told = torch.full((H, B, LAYOUT.values), poison)
        outputs, _ = network(poisoned, lengths=lengths, target=told)
        assert torch.equal(outputs, expected)


def test_what_is_known_of_the_future_is_read() -> None:
    network = forecaster(trained=True)
    x, lengths = windows()
    expected, _ = network(x, lengths=lengths)
    own = LAYOUT.values + LAYOUT.past
    for column in (own, own + 1, LAYOUT.numbers + 2):  # the last is a category
        changed = x.clone()
        changed[P + H - 1, 0, column] = 3.0 if x[P + H - 1, 0, column] != 3 else 4.0
        outputs, _ = network(changed, lengths=lengths)
        assert not torch.equal(outputs[-1, 0], expected[-1, 0])
        assert torch.equal(outputs[:, 1:], expected[:, 1:])


@named
def test_a_row_does_not_depend_on_the_others_nor_on_its_padding(name: str) -> None:
    network = forecaster(name=name, trained=True)
    x, lengths = windows()
    together = medians(network, x, lengths)
    for row, length in enumerate(lengths.tolist()):
        alone = medians(network, x[:length, row : row + 1], lengths[row : row + 1])
        torch.testing.assert_close(alone[:, 0], together[:, row], rtol=1e-6, atol=1e-5)


@pytest.mark.parametrize("place", ["first", "last", "a season", "all", "all but one", "none"])
def test_missing_values_at_every_place_leave_forecasts_loss_and_gradients_finite(
    place: str,
) -> None:
    x, lengths = windows(gaps=0.0)
    gone = {
        "first": [0],
        "last": [P - 1],
        "a season": list(range(P - 7, P)),
        "all": list(range(P)),
        "all but one": [step for step in range(P) if step != 4],
        "none": [],
    }[place]
    x[gone, :, :2] = torch.nan
    for name in NAMES:
        network = forecaster(name=name, trained=True).train()
        outputs, _ = network(x, lengths=lengths)
        target = torch.full((H, B, 2), 40.0)
        target[0] = torch.nan
        loss = network.objective.loss(outputs, target, lengths - H)
        loss.backward()
        assert medians(network.eval(), x, lengths).isfinite().all()
        assert loss.isfinite()
        assert all(w.grad is None or w.grad.isfinite().all() for w in network.parameters())


@pytest.mark.parametrize("values", [0.0, 7.0, -1e9, 1e-20], ids=str)
def test_a_constant_window_is_forecast_as_it_is(values: float) -> None:
    for name in NAMES:
        x, lengths = torch.full((P + H, 1, 2), values), torch.tensor([P + H])
        found = medians(forecaster(PLAIN, name=name), x, lengths)
        torch.testing.assert_close(found, torch.full((H, 1, 2), values), rtol=1e-6, atol=0)
        outputs, _ = forecaster(PLAIN, name=name, trained=True)(x, lengths=lengths)
        assert outputs.isfinite().all()


def test_zeros_with_a_burst_are_forecast_in_finite_numbers() -> None:
    for place in range(P):
        x, lengths = torch.zeros(P + H, 1, 2), torch.tensor([P + H])
        x[place] = 1e30 if place % 2 else 1e4
        outputs, _ = forecaster(PLAIN, trained=True)(x, lengths=lengths)
        assert outputs.isfinite().all()


@named
def test_a_window_times_a_million_and_a_billion_higher_is_forecast_so(name: str) -> None:
    # 1e9 has 64 as its distance to the next number of 32 bits, 2e-5 of the values' spread: so
    # much the window itself is rounded by, and means of it by a few times as much.
    network, scaled = (forecaster(PLAIN, name=name, trained=True) for _ in range(2))
    x, lengths = windows(PLAIN, gaps=0.1)
    network.means.fill_(50.0)
    network.deviations.fill_(3.0)
    scaled.means.fill_(50.0 * 1e6 + 1e9)
    scaled.deviations.fill_(3.0 * 1e6)
    expected = medians(network, x, lengths) * 1e6 + 1e9
    found = medians(scaled, (x.double() * 1e6 + 1e9).float(), lengths)
    assert ((found - expected).abs() < 2e-3 * 3e6).all()


def test_members_are_averaged_and_each_answers_alone_when_asked() -> None:
    network = forecaster(PLAIN, trained=True, members=3)
    network.calibration.set_share(1.0)
    network.calibration.corrects.fill_(False)
    x, lengths = windows(PLAIN)
    alone = []
    for number in range(3):
        asked = torch.cat([x, torch.full((*x.shape[:2], 1), float(number))], -1)
        alone.append(medians(network, asked, lengths))
    assert not torch.equal(alone[0], alone[1])
    torch.testing.assert_close(medians(network, x, lengths), sum(alone) / 3)
    mixed = torch.cat([x, torch.tensor([2.0, 0, 1, 0]).expand(len(x), B).unsqueeze(-1)], -1)
    expected = torch.stack([alone[2][:, 0], alone[0][:, 1], alone[1][:, 2], alone[0][:, 3]], 1)
    torch.testing.assert_close(medians(network, mixed, lengths), expected)


def test_a_member_learns_from_its_own_rows_alone() -> None:
    network = forecaster(PLAIN, trained=True, members=3).train()
    x, lengths = windows(PLAIN)
    asked = torch.cat([x, torch.full((*x.shape[:2], 1), 1.0)], -1)
    outputs, _ = network(asked, lengths=lengths)
    outputs.sum().backward()
    learned = [any(w.grad is not None for w in each.parameters()) for each in network.members]
    assert learned == [False, True, False]


def test_calibration_has_no_part_in_training() -> None:
    network = forecaster(PLAIN, trained=True)
    x, lengths = windows(PLAIN)
    before = medians(network.train(), x, lengths)
    network.calibration.set_share(0.0)
    assert torch.equal(medians(network, x, lengths), before)


def test_a_shorter_horizon_is_the_beginning_of_the_whole_one() -> None:
    network = forecaster(PLAIN, trained=True)
    x, lengths = windows(PLAIN)
    whole = medians(network, x, lengths)
    outputs, _ = network(x, lengths=lengths - 3, target=torch.zeros(H - 3, B, 2))
    torch.testing.assert_close(network.objective.quantile(outputs, 0.5), whole[: H - 3])


def test_what_it_cannot_take_is_refused_in_words() -> None:
    network = forecaster(PLAIN)
    x, lengths = windows(PLAIN)
    with pytest.raises(OptionError, match="unknown naive forecast 'season 5'"):
        network.correct("season 5")
    with pytest.raises(OptionError, match="the horizon is at most 5 steps, got 6"):
        network(x, lengths=lengths, target=torch.zeros(6, B, 2))
    with pytest.raises(ShapeError, match="columns = 2"):
        network(x[..., :1], lengths=lengths)
    with pytest.raises(OptionError, match="at least the horizon, 5, got 4"):
        network(x, lengths=torch.tensor([P + H, P, 4, 9]))
    with pytest.raises(OptionError, match="starts at 0 and cannot be added"):
        forecaster(PLAIN, distribution="negative-binomial")


def test_the_errors_of_naive_forecasts_at_the_end_of_a_window_are_read() -> None:
    network = forecaster(PLAIN)
    x, lengths = windows(PLAIN, gaps=0.0)
    read: list[Tensor] = []
    network.readers[0].register_forward_pre_hook(lambda _, args: read.append(args[0].features))
    network(x, lengths=lengths)
    past = pasts(x, lengths, 2)[:, :1]  # the first row has a full past
    steps = min(H, P // 4)
    before = naive_paths(past[:-steps], steps, SEASONS, network.means, P)
    errors = (torch.cat([before.naive, before.others]) - past[-steps:]).abs().mean(1)
    _, scale = network.naive_forecasts(x, lengths, H)
    expected = (errors[:, 0] / scale[0] + 0.05).log()
    torch.testing.assert_close(read[0][0, 4:].view(-1, 2), expected)


def test_the_mixture_of_naive_forecasts_differs_by_window() -> None:
    network = forecaster(PLAIN)
    reader = network.readers[0]
    with torch.no_grad():
        reader.mixture.weight[1].fill_(1.0)  # of the mean of the window, at every step
    x, lengths = windows(PLAIN, gaps=0.0)
    naive, _ = network.naive_forecasts(x, lengths, H)
    last, mean = naive[NAMES.index("last")], naive[NAMES.index("mean")]
    # All but the last row, whose window has one value.
    shares = ((medians(network, x, lengths) - last) / (mean - last))[0, :-1]
    torch.testing.assert_close(shares[:, 0], shares[:, 1], rtol=1e-3, atol=1e-3)
    assert len({round(float(share), 4) for share in shares[:, 0]}) == B - 1
