"""The network that forecasts: its equations, its blindness to the future, and its paths."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor

from elman.errors import OptionError
from elman.features.feature import Encoding
from elman.features.forecast_columns import Layout
from elman.networks import build_network
from elman.networks.forecaster import Forecaster
from elman.networks.objectives import ForecastObjective

N, PAST, KNOWN, ITEMS = 2, 1, 3, 5
LAYOUT = Layout(N, PAST, KNOWN, ITEMS)
NAMED = Layout(N, PAST, KNOWN, ITEMS, past_ids=(4, 3), known_ids=(6,))
P, H, B, S = 7, 4, 3, 11


def forecaster(
    distribution: str = "gaussian", *, layout: Layout = LAYOUT, seed: int = 1, **options: Any
) -> Forecaster:
    torch.manual_seed(seed)
    network = {"hidden_size": 6, "cell": "lstm", "num_layers": 2} | {
        name: options.pop(name) for name in ("highway", "output_dropout") if name in options
    }
    built = build_network(
        "encoder-decoder",
        Encoding(),
        ForecastObjective(distribution, layout.values),
        forecast={"layout": layout, "horizon": H, **options},
        **network,
    ).eval()
    assert isinstance(built, Forecaster)
    if built.highway is not None:
        torch.nn.init.normal_(built.highway.weight, std=0.2)
    return built


def windows(seed: int = 2, *, layout: Layout = LAYOUT) -> tuple[Tensor, Tensor, Tensor]:
    """Three windows, two of them shorter; behind a row's end NaN."""
    torch.manual_seed(seed)
    x = torch.randn(P + H, B, N + PAST + KNOWN) * 3 + 5
    x[2, 0, 0] = torch.nan
    names = [torch.randint(count, (P + H, B, 1)).float() for count in layout.ids[:-1]]
    x = torch.cat([x, *names, torch.tensor([0.0, 3, 1]).expand(P + H, B).unsqueeze(-1)], -1)
    lengths = torch.tensor([P + H, 3 + H, 1 + H])
    for row, length in enumerate(lengths.tolist()):
        x[length:, row] = torch.nan
    return x, lengths, torch.randn(H, B, N) * 3 + 5


def generators() -> list[torch.Generator]:
    return [torch.Generator().manual_seed(row) for row in range(B)]


variants = pytest.mark.parametrize(
    "options",
    [
        {},
        {"feedback": False},
        {"scaling": "standard", "highway": 3},
        {"scaling": "standard", "highway": 9, "feedback": False},
        {"scaling": "global", "means": [1.0, 2.0], "deviations": [3.0, 4.0]},
        {"layout": NAMED},
        {"layout": NAMED, "feedback": False},
    ],
    ids=str,
)


@variants
def test_a_forecast_never_sees_the_future(options: dict[str, Any]) -> None:
    network = forecaster(**options)
    x, lengths, target = windows(layout=network.layout)
    told = target if network.feedback else torch.full_like(target, torch.nan)
    clean, _ = network(x, lengths=lengths, target=told)
    poisoned = x.clone()
    for row, length in enumerate(lengths.tolist()):
        poisoned[length - H : length, row, : N + PAST] = 1e9
        poisoned[length - H : length, row, N + PAST + KNOWN :][
            ..., : len(network.layout.past_ids)
        ] = 1e9
    outputs, _ = network(poisoned, lengths=lengths, target=told)
    assert torch.equal(outputs, clean)
    if network.feedback:
        paths = [
            network.sample(each, lengths, horizon=H, count=S, generators=generators())
            for each in (x, poisoned)
        ]
        assert torch.equal(*paths)


@variants
def test_no_step_sees_its_own_truth_or_a_later_one(options: dict[str, Any]) -> None:
    network = forecaster(**options)
    x, lengths, target = windows(layout=network.layout)
    clean, _ = network(x, lengths=lengths, target=target)
    poisoned = target.clone()
    poisoned[2:] = 1e9
    outputs, _ = network(x, lengths=lengths, target=poisoned)
    assert torch.equal(outputs[:3], clean[:3])


@variants
def test_a_row_is_forecast_alike_alone_and_beside_longer_ones(options: dict[str, Any]) -> None:
    network = forecaster(**options)
    x, lengths, target = windows(layout=network.layout)
    together, _ = network(x, lengths=lengths, target=target)
    for row, length in enumerate(lengths.tolist()):
        alone, _ = network(
            x[:length, row : row + 1],
            lengths=lengths[row : row + 1],
            target=target[:, row : row + 1],
        )
        torch.testing.assert_close(together[:, row : row + 1], alone)


@pytest.mark.parametrize("layout", [LAYOUT, NAMED])
@pytest.mark.parametrize("highway", [0, 3])
def test_teacher_forcing_is_the_paths_own_recurrence(highway: int, layout: Layout) -> None:
    """Told a drawn path as truth, the network gives the distributions the path was drawn from."""
    network = forecaster(highway=highway, scaling="standard", layout=layout)
    x, lengths, _ = windows(layout=layout)
    drawn_from: list[Tensor] = []
    draw = network.objective.sample

    def watched(outputs: Tensor, count: int, generator: torch.Generator) -> Tensor:
        drawn_from.append(outputs)
        return draw(outputs, count, generator)

    network.objective.sample = watched  # type: ignore[method-assign]
    (path,) = network.sample(x, lengths, horizon=H, count=1, generators=generators())
    forced, _ = network(x, lengths=lengths, target=path)
    torch.testing.assert_close(torch.cat(drawn_from).unflatten(0, (H, B)), forced)


@pytest.mark.parametrize("past", [1, 0])
@pytest.mark.parametrize("feedback", [True, False])
def test_categories_are_read_as_a_network_built_by_hand_reads_them(
    feedback: bool, past: int
) -> None:
    """One value, past number or none, past name, known name and static name; no items, one row."""
    layout = Layout(1, past, 1, 0, past_ids=(4,), known_ids=(3, 5))
    torch.manual_seed(3)
    network = build_network(
        "encoder-decoder",
        Encoding(),
        ForecastObjective("gaussian", 1),
        forecast={"layout": layout, "horizon": 2, "feedback": feedback},
        hidden_size=6,
        cell="gru",
    ).eval()
    assert isinstance(network, Forecaster)
    values, prices, known = [2.0, 4.0, 6.0], [0.5, -1.0, 2.0], [0.1, 0.2, 0.3, 0.4, 0.5]
    sky, promo, region, truth = [1, 3, 2], [2, 0, 1, 1, 2], 4, [8.0, 1.0]
    ahead = [[torch.nan, 0.0, known[step], 0, promo[step], region] for step in (3, 4)]
    before = zip(values, prices, known, sky, promo, [region] * 3, strict=False)
    x = torch.tensor([*map(list, before), *ahead]).unsqueeze(1)
    x = x if past else torch.cat([x[..., :1], x[..., 2:]], -1)
    outputs, _ = network(x, target=torch.tensor(truth).reshape(2, 1, 1))

    scale = 4.0  # the mean of the past
    of_sky, of_promo, of_region = network.inputs.tables
    zero = torch.zeros(1)
    states = []
    gru = torch.nn.GRU(network.inputs.size, 6)
    gru.load_state_dict(network.recurrent.state_dict())
    state = torch.zeros(1, 6)
    for step in range(5):
        z = seen = price = inside = zero
        cloud = of_sky.weight[0]  # nothing is known before the first step
        if 0 < step <= 3:
            z, seen, inside = torch.tensor([values[step - 1] / scale]), zero + 1, zero + 1
            price, cloud = torch.tensor([prices[step - 1]]), of_sky.weight[sky[step - 1]]
        elif step > 3 and feedback:
            z, seen = torch.tensor([truth[step - 4] / scale]), zero + 1
        names = [cloud, of_promo.weight[promo[step]], of_region.weight[region]]
        numbers = [price, inside] if past else [inside]
        read = torch.cat([z, seen, *numbers, torch.tensor([known[step]]), *names])
        _, state = gru(read.unsqueeze(0), state)
        states.append(state[0])
    raw = network.head(torch.stack(states[3:]))
    torch.testing.assert_close(network.objective.mean(outputs).flatten(), raw[:, 0] * scale)


def test_scales_are_those_of_what_is_observed() -> None:
    values = torch.tensor([[1.0, -3.0], [torch.nan, 5.0], [3.0, 1.0]]).unsqueeze(1)
    mean = forecaster().scales(values)
    assert mean.scale.tolist() == [[2.0, 3.0]]
    assert mean.shift.tolist() == [[0.0, 0.0]]
    standard = forecaster(scaling="standard").scales(values)
    torch.testing.assert_close(standard.shift, torch.tensor([[2.0, 1.0]]))
    torch.testing.assert_close(standard.scale, torch.tensor([[1.0, (32 / 3) ** 0.5]]))


@pytest.mark.parametrize("scaling", ["mean", "standard", "global"])
def test_a_past_of_nothing_of_zeros_or_of_one_value_has_a_scale(scaling: str) -> None:
    network = forecaster(scaling=scaling, sizes=[7.0, 7.0], deviations=[7.0, 7.0])
    for value in (torch.nan, 0.0):
        scales = network.scales(torch.full((3, 1, N), value))
        assert scales.scale.tolist() == [[7.0, 7.0]]
        assert scales.shift.tolist() == [[0.0, 0.0]]
    assert (network.scales(torch.full((3, 1, N), 4.0)).scale > 0).all()


def test_forecasts_scale_with_their_series() -> None:
    layout = Layout(N, 0, KNOWN, 0)
    x, lengths, target = windows()
    x = torch.cat([x[..., :N], x[..., N + PAST : N + PAST + KNOWN]], -1)
    larger = x.clone()
    larger[..., :N] *= 1000
    for scaling in ("mean", "standard"):
        network = forecaster(layout=layout, scaling=scaling)
        outputs = [
            network(each, lengths=lengths, target=target * by)[0]
            for each, by in ((x, 1), (larger, 1000))
        ]
        means = [network.objective.mean(each) for each in outputs]
        torch.testing.assert_close(means[1], 1000 * means[0], rtol=1e-3, atol=1e-1)


def test_the_highway_is_a_linear_function_of_the_values_before() -> None:
    network = forecaster(feedback=False, highway=2, scaling="global")
    x, lengths, target = windows()
    with torch.no_grad():
        outputs, _ = network(x, lengths=lengths, target=target)
        weight = network.highway.weight.clone()  # type: ignore[union-attr]
        network.highway.weight.zero_()  # type: ignore[union-attr]
        without, _ = network(x, lengths=lengths, target=target)
    added = (network.objective.mean(outputs) - network.objective.mean(without))[:, 0]
    last = x[P - 2 : P, 0, :N]
    torch.testing.assert_close(added, weight @ last)


def test_a_rows_paths_depend_on_its_generator_and_not_on_the_rows_beside_it() -> None:
    network = forecaster()
    x, lengths, _ = windows()
    together = network.sample(x, lengths, horizon=H, count=S, generators=generators())
    assert together.shape == (S, H, B, N)
    for row, length in enumerate(lengths.tolist()):
        alone = network.sample(
            x[:length, row : row + 1],
            lengths[row : row + 1],
            horizon=H,
            count=S,
            generators=generators()[row : row + 1],
        )
        torch.testing.assert_close(together[:, :, row], alone[:, :, 0], rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"bidirectional": True}, "bidirectional=True has no meaning in a forecaster"),
        ({"pooling": "max"}, "pooling='max' has no meaning"),
        ({"decoder": {"attention": "dot"}}, "options of a decoder are for networks that write"),
        ({"forecast": None}, "needs forecast="),
        ({"dropout_kind": "locked", "output_dropout": 0.1}, "output_dropout of kind 'locked'"),
    ],
)
def test_what_no_forecaster_has_is_refused(options: dict[str, Any], words: str) -> None:
    given: dict[str, Any] = {
        "forecast": {"layout": LAYOUT, "horizon": H},
        "hidden_size": 3,
    } | options
    with pytest.raises(OptionError, match=words):
        build_network("encoder-decoder", Encoding(), ForecastObjective("gaussian", N), **given)


@pytest.mark.parametrize("options", [{"scaling": "standard"}, {"highway": 2}])
def test_counts_are_not_shifted(options: dict[str, Any]) -> None:
    with pytest.raises(OptionError, match="starts at 0 and cannot be shifted"):
        forecaster("negative-binomial", **options)


def test_feedback_without_a_target_and_paths_without_feedback_are_refused() -> None:
    x, lengths, _ = windows()
    with pytest.raises(OptionError, match="give the target, or sample paths"):
        forecaster()(x, lengths=lengths)
    with pytest.raises(OptionError, match="there are no paths"):
        forecaster(feedback=False).sample(x, lengths, horizon=H, count=S, generators=generators())
