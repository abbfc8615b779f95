"""Claims about the measured gradient: hand-worked numbers, then torch's own autograd."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

import elman
from elman.errors import OptionError, ShapeError
from elman.features.roll import RollFeature
from elman.inspection.gradient_flow import GradientFlow, gradient_flow

T, B, I, H, O = 11, 3, 5, 7, 2  # noqa: E741


def half_square(output: Tensor, target: Tensor) -> Tensor:
    return ((output - target) ** 2).sum(dim=-1) / 2


def reading(output: Tensor, _: Tensor) -> Tensor:
    return output.sum(dim=-1)


def network(cell: type[nn.Module], **options: object) -> elman.ManyToMany:
    torch.manual_seed(3)
    recurrent = cell(I, H, dtype=torch.float64, **options)
    return elman.ManyToMany(recurrent, elman.MLP([recurrent.output_size, O]).double())


def sequences(seed: int = 5) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(seed)
    x = torch.randn(T, B, I, generator=generator, dtype=torch.float64)
    return x, torch.randn(T, B, O, generator=generator, dtype=torch.float64)


def linear_network(rho: float) -> elman.ManyToMany:
    """h(t) = x(t) + ρ h(t−1), read as it is."""
    rnn = elman.SimpleRNN(H, H, nonlinearity="identity", bias=False)
    with torch.no_grad():
        rnn.weight_ih_l0.copy_(torch.eye(H))
        rnn.weight_hh_l0.copy_(rho * torch.eye(H))
    return elman.ManyToMany(rnn, nn.Identity())


@pytest.mark.parametrize("rho", [0.5, 1.0, 1.25])
def test_a_linear_cell_with_r_equal_to_rho_times_identity_falls_by_rho_a_step(rho: float) -> None:
    flow = gradient_flow(linear_network(rho), torch.randn(T, B, H), torch.zeros(T, B, H), reading)

    # ∂/∂h(T) of a sum over H units is a vector of ones, whose norm is √H.
    torch.testing.assert_close(flow.hidden, H**0.5 * torch.tensor(rho).double() ** torch.arange(T))
    assert flow.distance.tolist() == list(range(T))
    assert flow.cell is None
    assert flow.rows == B


def test_the_norms_of_rows_are_summarised_by_their_geometric_mean() -> None:
    """The loss of row b reads b + 1 times its state, so the rows' norms are 1, 2, 3 times √H."""
    scale = torch.tensor([1.0, 2.0, 3.0], dtype=torch.float64)
    flow = gradient_flow(
        linear_network(0.5),
        torch.zeros(2, B, H),
        torch.zeros(2, B, H),
        lambda output, _: output.sum(dim=-1) * scale,
    )

    mean = 6 ** (1 / 3) * H**0.5
    torch.testing.assert_close(flow.hidden, torch.tensor([mean, mean / 2], dtype=torch.float64))


def step_by_step(cell: nn.Module, head: nn.Module, x: Tensor, target: Tensor) -> GradientFlow:
    """The same measurement with torch.nn's own cell, (h, c) of each step a leaf of its own."""
    pair = isinstance(cell, nn.LSTMCell)
    hidden, memory = [], []
    for row in range(x.size(1)):
        zero = x.new_zeros(1, H)
        state = (zero, zero) if pair else zero
        states = []
        for frame in x[:, row]:
            state = cell(frame[None], state)
            states.append(state if pair else (state,))
        loss = half_square(head(states[-1][0]), target[-1, row : row + 1]).sum()
        for parts, part in ((hidden, 0), (memory, 1))[: 1 + pair]:
            # c(t) enters h(t) within step t; the state handed on holds both as variables.
            nodes = [nodes[part] for nodes in states]
            direct = torch.autograd.grad(loss, nodes, retain_graph=True)
            if part == 1:
                above = torch.autograd.grad(loss, [s[0] for s in states], retain_graph=True)
                within = [
                    torch.autograd.grad(h, c, grad_outputs=g, retain_graph=True)[0]
                    for (h, c), g in zip(states, above, strict=True)
                ]
                direct = [total - inner for total, inner in zip(direct, within, strict=True)]
            parts.append(torch.stack([gradient.norm() for gradient in direct]).flip(0))
    mean = [torch.stack(rows).log().mean(dim=0).exp() for rows in (hidden, memory) if rows]
    return GradientFlow(torch.arange(len(x)), mean[0], mean[1] if pair else None, x.size(1))


@pytest.mark.parametrize(
    ("layer", "twin"),
    [(elman.SimpleRNN, nn.RNNCell), (elman.GRU, nn.GRUCell), (elman.LSTM, nn.LSTMCell)],
)
def test_every_norm_equals_that_of_torch_autograd(
    layer: type[nn.Module], twin: type[nn.Module]
) -> None:
    ours = network(layer)
    cell = twin(I, H, dtype=torch.float64)
    weights = ours.recurrent.state_dict()
    cell.load_state_dict({name.removesuffix("_l0"): value for name, value in weights.items()})
    x, target = sequences()

    flow = gradient_flow(ours, x, target, half_square)

    expected = step_by_step(cell, ours.head, x, target)
    torch.testing.assert_close(flow.hidden, expected.hidden)
    assert (flow.cell is None) == (expected.cell is None)
    if flow.cell is not None and expected.cell is not None:
        # c(T) is read by nothing: zero for us, rounding's remains for the difference above.
        assert flow.cell[0] == 0
        torch.testing.assert_close(flow.cell[1:], expected.cell[1:])


def test_the_last_layers_gradient_does_not_see_the_layers_below() -> None:
    """The top layer alone, fed with what the layer below put out, has the same gradient flow."""
    stack = network(elman.GRU, num_layers=2)
    x, target = sequences()
    below, above = elman.GRU(I, H).double(), elman.GRU(H, H).double()
    for layer, name in ((below, "_l0"), (above, "_l1")):
        weights = stack.recurrent.state_dict().items()
        mine = {k.replace(name, "_l0"): v for k, v in weights if k.endswith(name)}
        layer.load_state_dict(mine)
    top = elman.ManyToMany(above, stack.head)

    flow = gradient_flow(stack, x, target, half_square)

    expected = gradient_flow(top, below(x)[0], target, half_square)
    torch.testing.assert_close(flow.hidden, expected.hidden)


def test_a_lower_layers_state_is_read_only_from_the_next_step_on() -> None:
    stack = network(elman.SimpleRNN, num_layers=2)
    x, target = sequences()

    lower = gradient_flow(stack, x, target, half_square, layer=0)

    assert lower.hidden[0] == 0
    assert (lower.hidden[1:] > 0).all()
    last = gradient_flow(stack, x, target, half_square)
    torch.testing.assert_close(
        gradient_flow(stack, x, target, half_square, layer=1).hidden, last.hidden
    )


def test_layers_of_unlike_sizes_have_a_gradient_each() -> None:
    torch.manual_seed(3)
    recurrent = elman.LSTM(I, [H, 3])
    unlike = elman.ManyToMany(recurrent, elman.MLP([3, O]))
    x, target = sequences()

    flows = [gradient_flow(unlike, x, target, half_square, layer=layer) for layer in (0, 1)]

    assert all((flow.hidden[1:] > 0).all() for flow in flows)
    assert not torch.equal(flows[0].hidden, flows[1].hidden)


def test_rows_of_a_ragged_batch_count_at_their_own_distances_and_padding_is_never_read() -> None:
    ours = network(elman.GRU)
    x, target = sequences()
    lengths = [4, 0, T]
    for row, length in enumerate(lengths):
        x[length:, row] = target[length:, row] = float("nan")

    flow = gradient_flow(ours, x, target, half_square, lengths=lengths)

    short = gradient_flow(ours, x[:4, :1], target[:4, :1], half_square).hidden
    long = gradient_flow(ours, x[:, 2:], target[:, 2:], half_square).hidden
    torch.testing.assert_close(flow.hidden[:4], (short * long[:4]).sqrt())
    torch.testing.assert_close(flow.hidden[4:], long[4:])
    assert flow.rows == 2


def test_a_gradient_far_below_float32_is_measured_and_not_zero() -> None:
    flow = gradient_flow(
        linear_network(0.01), torch.zeros(41, 1, H), torch.zeros(41, 1, H), reading
    )

    assert flow.hidden[-1].item() == pytest.approx(H**0.5 * 1e-80, rel=1e-4)


def test_the_network_is_left_as_it_was_even_where_gradients_are_switched_off() -> None:
    ours = network(elman.LSTM).train()
    ours.requires_grad_(False)
    x, target = sequences()
    before = {name: value.clone() for name, value in ours.state_dict().items()}

    with torch.no_grad():
        flow = gradient_flow(ours, x, target, half_square)

    assert (flow.hidden > 0).all()
    assert ours.training
    assert all(parameter.grad is None for parameter in ours.parameters())
    for name, value in ours.state_dict().items():
        assert torch.equal(value, before[name])


def test_a_piano_rolls_own_loss_is_taken_as_it_is() -> None:
    torch.manual_seed(3)
    ours = elman.ManyToMany(elman.SimpleRNN(88, H), elman.MLP([H, 88]))
    roll = (torch.rand(5, 2, 88) < 0.05).float()

    flow = gradient_flow(ours, roll, roll, RollFeature().frame_nll)

    assert (flow.hidden > 0).all()


def test_the_example_of_the_guide_prints_what_it_says(capsys: pytest.CaptureFixture[str]) -> None:
    guide = Path(__file__).parents[2] / "docs" / "vanishing-gradient.md"
    (example,) = re.findall(r"```python\n(.*?)```", guide.read_text(encoding="utf-8"), re.DOTALL)
    exec(example, {})
    said = re.findall(r"^# (.*)$", example, re.MULTILINE)
    assert capsys.readouterr().out.splitlines() == said


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (
            {"bidirectional": True},
            r"backward layer of a bidirectional network .*bidirectional=False",
        ),
        ({"layer": 2}, r"layer must lie in 0 … 1, or count from the last as -1 does, got 2"),
        ({"layer": -3}, r"layer must lie in 0 … 1, .* got -3"),
        (
            {"delay": 2},
            r"with delay=2 is not the target's own step. Build the network with delay=0",
        ),
        ({"lengths": [0, 0, 0]}, r"needs a row of at least one step"),
        ({"lengths": [1, 2, T + 1]}, rf"lengths must lie in 0 … T = {T}, got {T + 1} at row 2"),
    ],
)
def test_what_has_no_gradient_flow_is_refused_in_words(
    options: dict[str, object], words: str
) -> None:
    settings = {name: options.pop(name) for name in ("layer", "lengths") if name in options}
    delay = int(str(options.pop("delay", 0)))
    recurrent = elman.GRU(I, H, num_layers=2, **options)
    ours = elman.ManyToMany(recurrent, elman.MLP([recurrent.output_size, O]), delay=delay)
    x, target = sequences()
    with pytest.raises(OptionError, match=words):
        gradient_flow(ours, x, target, half_square, **settings)


def test_a_pair_of_layers_is_refused_as_bidirectional() -> None:
    pair = elman.Bidirectional(elman.GRU(I, H), elman.LSTM(I, H))
    ours = elman.ManyToMany(pair, elman.MLP([2 * H, O]))
    with pytest.raises(OptionError, match="bidirectional"):
        gradient_flow(ours, *sequences(), half_square)


def test_wrong_axes_are_named() -> None:
    ours = network(elman.GRU)
    x, target = sequences()
    with pytest.raises(ShapeError, match=r"x must be \(T, B, I\) with I = 5, got \(11, 3, 4\)"):
        gradient_flow(ours, x[..., :4], target, half_square)
    with pytest.raises(ShapeError, match=r"target must be \(T, B, O\) = \(11, 3, O\), got"):
        gradient_flow(ours, x, target[:4], half_square)
    with pytest.raises(ShapeError, match=r"one number per row, \(1, B\) = \(1, 3\), got \(\)"):
        gradient_flow(ours, x, target, lambda output, goal: half_square(output, goal).mean())
