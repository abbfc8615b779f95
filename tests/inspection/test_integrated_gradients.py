"""Integrated gradients: exact where they are known, complete, and those of Captum."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn

import elman
from battery import draw
from elman.batches.batching import Batch
from elman.errors import OptionError
from elman.features.feature import Encoding
from elman.inspection import integrated_gradients as module_under_test
from elman.inspection.integrated_gradients import IntegratedGradients, integrated_gradients
from elman.networks import Inputs, ManyToOne
from elman.networks.objectives import Classification
from elman.networks.pooling import POOLINGS, pooling

NAMES, E, H, O = 11, 5, 7, 3  # noqa: E741 — the axis legend
IDS = torch.tensor([3, 1, 7, 7, 10, 2])
CELLS = {"simple": elman.SimpleRNN, "lstm": elman.LSTM, "gru": elman.GRU}


def network(cell: str = "gru", kind: str = "mean", **options: Any) -> ManyToOne:
    recurrent = CELLS[cell](E, H, **options)
    inputs = Inputs(Encoding(ids=(NAMES,)), embedding_size=E, input_dropout=0.5)
    head = elman.MLP([recurrent.output_size, O])
    net = ManyToOne(inputs, recurrent, pooling(kind, recurrent), head, Classification(O))
    for weight in net.parameters():  # outputs that differ much from those of zeros
        nn.init.normal_(weight, std=0.7)
    return net.eval()


def batch_of(row: Tensor) -> Callable[[int], Batch]:
    """Batch a row some times, with steps after its end that must not be read."""
    padded = torch.cat([row, torch.full((2, *row.shape[1:]), NAMES - 1, dtype=row.dtype)])

    def batch(rows: int) -> Batch:
        repeated = padded[:, None].expand(len(padded), rows, *row.shape[1:]).contiguous()
        return Batch(repeated, torch.zeros(rows), torch.full((rows,), len(row)))

    return batch


def weighed(net: Any, row: Tensor = IDS, **options: Any) -> IntegratedGradients:
    return integrated_gradients(net, batch_of(row), net.inputs, **options)


class Linear(nn.Module):
    """y = Σ (t + 1) v(t) · w over all steps, and 0 as the other output."""

    def __init__(self) -> None:
        super().__init__()
        self.inputs = nn.Identity()
        self.weight = nn.Parameter(torch.tensor([1.0, -2.0]))

    def forward(self, x: Tensor, lengths: Tensor) -> tuple[Tensor, None]:
        del lengths
        steps = torch.arange(1.0, len(x) + 1)
        y = (self.inputs(x) @ self.weight * steps[:, None]).sum(0) + 100
        return torch.stack([y, torch.zeros_like(y)], 1), None


def test_of_a_linear_network_they_are_weight_times_input() -> None:
    net, x = Linear(), torch.tensor([[1.0, 0.0], [0.0, 3.0], [2.0, 2.0], [0.0, 0.0]])
    found = integrated_gradients(
        net, lambda n: Batch(x[:, None].expand(4, n, 2), x, torch.tensor([4] * n)), net.inputs
    )
    (weights,) = found.weights
    torch.testing.assert_close(weights, torch.tensor([1.0, -12.0, -6.0, 0.0]))
    assert (found.output, found.baseline) == (83.0, 100.0)


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("kind", POOLINGS)
@pytest.mark.parametrize("options", [{}, {"num_layers": 2, "bidirectional": True}], ids=str)
def test_they_add_up_to_what_the_row_makes_of_the_output(
    cell: str, kind: str, options: dict[str, Any]
) -> None:
    net = network(cell, kind, **options)
    found = weighed(net, points=400)
    (weights,) = found.weights
    assert weights.shape == (len(IDS) + 2,)
    assert weights[len(IDS) :].tolist() == [0.0, 0.0]  # after the end of the row
    size = float(weights.abs().sum())
    assert size > 0.1
    assert float(weights.sum()) == pytest.approx(found.output - found.baseline, abs=0.01 * size)
    with torch.no_grad():
        outputs = net(IDS[:, None])[0][0]
    assert found.output == pytest.approx(float(outputs.max()), rel=1e-5)


@pytest.mark.parametrize("cell", CELLS)
def test_the_midpoint_rule_needs_few_points(cell: str) -> None:
    found = weighed(network(cell), points=20)
    size = float(found.weights[0].abs().sum())
    difference = found.output - found.baseline
    assert float(found.weights[0].sum()) == pytest.approx(difference, abs=0.004 * size)


def test_they_are_those_of_captum_over_rows_of_any_length() -> None:
    captum = pytest.importorskip("captum.attr", reason="an oracle that the project does not need")
    net = network("lstm", "max", bidirectional=True)
    rows = [IDS, IDS[:2], IDS[1:5]]
    lengths = torch.tensor(list(map(len, rows)))
    padded = nn.utils.rnn.pad_sequence(rows)

    def outputs(vectors: Tensor, steps: Tensor) -> Tensor:
        handle = net.inputs.register_forward_hook(lambda *_: vectors.transpose(0, 1))
        try:
            some_ids = torch.zeros(vectors.size(1), vectors.size(0), dtype=torch.int64)
            return net(some_ids, lengths=steps)[0]  # type: ignore[no-any-return]
        finally:
            handle.remove()

    vectors = net.inputs(padded).detach().transpose(0, 1)
    expected = captum.IntegratedGradients(outputs).attribute(
        vectors,
        target=net(padded, lengths=lengths)[0].argmax(1),
        additional_forward_args=(lengths,),
        n_steps=20,
        method="riemann_middle",
    )
    for row, ids in enumerate(rows):
        (weights,) = weighed(net, ids, points=20).weights
        oracle = expected[row, : len(ids)].sum(-1)
        torch.testing.assert_close(weights[: len(ids)], oracle, rtol=1e-4, atol=1e-5)


def test_a_path_in_several_batches_is_the_path_in_one(monkeypatch: pytest.MonkeyPatch) -> None:
    net = network()
    whole = weighed(net, points=7)
    monkeypatch.setattr(module_under_test, "AT_ONCE", 2 * (len(IDS) + 2))
    torch.testing.assert_close(weighed(net, points=7).weights, whole.weights)


def test_the_output_may_be_chosen() -> None:
    net = network()
    difference = weighed(net, points=100, output_of=lambda y: y[:, 0] - y[:, 2])
    with torch.no_grad():
        y = net(IDS[:, None])[0][0]
    assert difference.output == pytest.approx(float(y[0] - y[2]), abs=1e-5)
    apart = [weighed(net, points=100, output_of=lambda y, n=n: y[:, n]) for n in (0, 2)]
    expected = apart[0].weights[0] - apart[1].weights[0]
    torch.testing.assert_close(difference.weights[0], expected, rtol=1e-4, atol=1e-5)


class Pair(nn.Module):
    """Two texts by one encoder, and numbers beside them."""

    def __init__(self) -> None:
        super().__init__()
        self.inputs = Inputs(Encoding(ids=(NAMES,)), embedding_size=E)
        self.head = elman.MLP([2 * E + 2, 4, O])

    def forward(self, x: Any, lengths: Tensor) -> tuple[Tensor, None]:
        del lengths
        u, v = (self.inputs(ids).mean(0) for ids in x[:2])
        return self.head(torch.cat([u, v, x[2]], 1)), None


class PairBatch(Batch):
    """A batch of several tensors."""

    def to(self, device: torch.device | str) -> Batch:
        del device
        return self


def test_a_module_that_is_called_twice_has_two_sets_of_weights_which_add_up_together() -> None:
    net, numbers = Pair().eval(), draw(1, 2).float()

    def pair(rows: int) -> Batch:
        first, second = (ids[:, None].expand(len(ids), rows) for ids in (IDS, IDS[:3]))
        inputs: Any = (first, second, numbers.expand(rows, 2))
        return PairBatch(inputs, torch.zeros(rows), torch.ones(rows))

    found = integrated_gradients(net, pair, net.inputs, points=300)
    assert [tuple(each.shape) for each in found.weights] == [(6,), (3,)]
    total = sum(float(each.sum()) for each in found.weights)
    assert total == pytest.approx(found.output - found.baseline, abs=1e-3)
    assert abs(total) > 1e-3


def test_vectors_without_steps_have_one_weight() -> None:
    net = nn.Sequential(nn.Identity(), nn.Linear(3, 2))

    class Whole(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.net = net

        def forward(self, x: Tensor, lengths: Tensor) -> tuple[Tensor, None]:
            del lengths
            return self.net(x), None

    x = torch.tensor([[1.0, 2.0, 3.0]])
    found = integrated_gradients(
        Whole(), lambda n: Batch(x.expand(n, 3), x, torch.ones(n)), net[0], points=3
    )
    assert found.weights[0].shape == ()
    assert float(found.weights[0]) == pytest.approx(found.output - found.baseline, abs=1e-6)


def test_the_network_stays_as_it_was() -> None:
    net = network()
    with torch.no_grad():
        before = net(IDS[:, None])[0]
    weighed(net)
    with torch.no_grad():
        assert torch.equal(net(IDS[:, None])[0], before)
    assert all(weight.grad is None for weight in net.parameters())
    assert not net.inputs._forward_hooks


def test_what_cannot_be_weighed_is_refused() -> None:
    net = network()
    with pytest.raises(OptionError, match="points must be at least 1, got 0"):
        weighed(net, points=0)
    with pytest.raises(OptionError, match="does not call the module Linear"):
        integrated_gradients(net, batch_of(IDS), nn.Linear(2, 2))
