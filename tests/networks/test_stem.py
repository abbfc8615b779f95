"""Convolutions before recurrent layers: what they compute, and that padding does not matter."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch.nn import functional as F

from battery import assert_near, assert_same_bits, draw
from elman.batches.batching import Batch
from elman.errors import OptionError
from elman.experiment.network import Convolution
from elman.features.feature import Encoding, Encodings
from elman.inspection.model_flow import model_gradient_flow
from elman.networks import ManyToOne, build_network
from elman.networks.objectives import Classification
from elman.networks.stem import ConvolutionalStem, RaggedBatchNorm, on_own_scale

T, B, I, O = 11, 5, 3, 2  # noqa: E741 — the axis legend
LENGTHS = torch.tensor([7, 0, 11, 1, 4])
ENDED = torch.arange(T).unsqueeze(1) >= LENGTHS
LAYERS = [{"channels": 7, "kernel": 4, "stride": 2}, {"channels": 5, "kernel": 3}]


def stem(**options: Any) -> ConvolutionalStem:
    torch.manual_seed(3)
    return ConvolutionalStem(I, [Convolution(**layer) for layer in LAYERS], **options)


def network(**options: Any) -> ManyToOne:
    torch.manual_seed(3)
    settings = {"convolutions": LAYERS, "hidden_size": 6, "pooling": "mean", "bidirectional": True}
    net = build_network("many-to-one", Encoding(numbers=I), Classification(O), **settings | options)
    for norm in net.stem.norms if net.stem else ():  # other than the identity
        norm.mean.uniform_(-0.5, 0.5)
        norm.variance.uniform_(0.5, 2)
    return net.double()


def test_steps_become_fewer_by_the_stride_and_rounded_up() -> None:
    vectors, lengths = stem()(draw(T, B, I).float(), LENGTHS)
    assert lengths.tolist() == [4, 0, 6, 1, 2]
    assert vectors.shape == (6, B, 5)


def test_a_convolution_is_torchs_and_its_norm_and_relu_follow() -> None:
    one = ConvolutionalStem(I, [Convolution(channels=7, kernel=3)]).eval()
    norm = one.norms[0]
    norm.mean.uniform_(-1, 1)
    norm.variance.uniform_(0.5, 2)
    x = draw(T, B, I).float()
    expected = F.conv1d(x.permute(1, 2, 0), one.convolutions[0].weight, padding=1)
    expected = F.batch_norm(expected, norm.mean, norm.variance, norm.weight, norm.bias)
    vectors, _ = one(x, torch.full((B,), T))
    assert_near(vectors, expected.relu().permute(2, 0, 1), "vectors")


@pytest.mark.parametrize("own_scale", [False, True])
@pytest.mark.parametrize("pooling", ["mean", "last", "max", "attention"])
def test_in_evaluation_a_row_does_not_depend_on_its_batch_and_padding_is_never_read(
    pooling: str, own_scale: bool
) -> None:
    net, x = network(pooling=pooling, own_scale=own_scale).eval(), draw(T, B, I)
    x[ENDED] = torch.nan
    x.requires_grad_()
    outputs, _ = net(x, lengths=LENGTHS)
    for row, length in enumerate(LENGTHS.tolist()):
        if length:
            alone, _ = net(x[:length, row : row + 1])
            assert_near(outputs[row : row + 1], alone, f"row {row}")
    (gradient,) = torch.autograd.grad(outputs.square().sum(), [x])
    assert bool(gradient.isfinite().all())
    assert bool((gradient[ENDED] == 0).all())


def test_in_training_padding_is_never_read_and_gradients_are_finite() -> None:
    net, x = network(own_scale=True).train(), draw(T, B, I)
    poisoned = x.clone()
    poisoned[ENDED] = torch.nan
    twice = [net(each, lengths=LENGTHS)[0] for each in (x, poisoned)]
    assert_same_bits(*twice, "outputs")
    gradients = torch.autograd.grad(twice[1].square().sum(), list(net.parameters()))
    assert all(bool(gradient.isfinite().all()) for gradient in gradients)


def test_rows_of_equal_length_are_normalised_as_ragged_ones_are() -> None:
    """PyTorch's own norm runs where there is no padding: the same numbers and gradients."""
    x, cotangent = draw(T, B, I).permute(1, 2, 0), draw(B, I, T)
    padded = F.pad(x, (0, 3))
    real = torch.arange(T + 3).expand(B, 1, -1) < T
    found = []
    for given, there in ((x, real[..., :T]), (padded, real)):
        norm = RaggedBatchNorm(I).double()
        given = given.detach().requires_grad_()
        out = norm(given, there)[..., :T]
        weighted = (out * cotangent).sum()
        gradients = torch.autograd.grad(weighted, [given, norm.weight, norm.bias])
        found.append([out, gradients[0][..., :T], *gradients[1:], norm.mean, norm.variance])
    for one, other in zip(*found, strict=True):
        torch.testing.assert_close(one, other)


def test_the_norm_is_torchs_over_the_real_steps_in_training_and_evaluation() -> None:
    norm, twin = RaggedBatchNorm(I), torch.nn.BatchNorm1d(I)
    x = draw(T, B, I).float()
    real = ~ENDED
    expected = twin(x[real])
    given = norm(x.permute(1, 2, 0), real.T.unsqueeze(1)).permute(2, 0, 1)
    assert_near(given[real], expected, "in training")
    assert bool((given[ENDED] == 0).all())
    assert_near(norm.mean, twin.running_mean, "mean")
    count = int(real.sum())
    assert_near((norm.variance - 0.9) * count / (count - 1), twin.running_var - 0.9, "variance")


@pytest.mark.parametrize("row", [[3.0], [2.0, 2.0, 2.0]], ids=["one step", "constant"])
def test_a_row_without_a_spread_is_zero_on_its_own_scale_and_has_a_gradient(
    row: list[float],
) -> None:
    x = torch.tensor(row).reshape(-1, 1, 1).requires_grad_()
    scaled = on_own_scale(x, torch.tensor([len(row)]))
    assert bool((scaled == 0).all())
    (gradient,) = torch.autograd.grad(scaled.sum(), [x])
    assert bool(gradient.isfinite().all())


def test_on_its_own_scale_a_row_is_the_same_at_any_level_and_spread() -> None:
    x = draw(T, B, I).where(~ENDED.unsqueeze(2), 0)
    other = (40 * x - 7).where(~ENDED.unsqueeze(2), 0)
    assert_near(on_own_scale(x, LENGTHS), on_own_scale(other, LENGTHS), "scaled")
    lone = on_own_scale(x, LENGTHS)[:, 2]
    assert_near(lone.mean(0), torch.zeros(I), "mean")
    assert_near(lone.std(0, correction=0), torch.ones(I), "deviation")


def test_a_row_shorter_than_the_kernel_and_one_step_alone_are_read() -> None:
    net = network(convolutions=[{"channels": 4, "kernel": 50, "stride": 9}]).train()
    outputs, _ = net(draw(1, 1, I), lengths=[1])
    assert bool(outputs.isfinite().all())


def test_the_gradient_flow_is_that_of_the_fewer_steps() -> None:
    lengths = torch.tensor([9, 11, 10, 9, 11])
    batch = Batch(draw(T, B, I), torch.tensor([0, 1, 0, 1, 1]), lengths, per_step=False)
    flow = model_gradient_flow(network().eval(), batch)
    assert set(flow) == {"forward", "backward"}
    assert len(flow["forward"].distance) == 5


def test_a_highway_beside_convolutions_reads_the_steps_themselves() -> None:
    net, x = network(highway=2).eval(), draw(T, B, I)
    outputs, _ = net(x, lengths=LENGTHS)
    plain = outputs - net.highway(x, LENGTHS)
    x[2, 4] += 1  # row 4 ends after step 4; its highway reads steps 3 and 4
    again, _ = net(x, lengths=LENGTHS)
    assert_near((again - net.highway(x, LENGTHS))[:4], plain[:4], "other rows")


@pytest.mark.parametrize(
    ("category", "encoding", "options", "words"),
    [
        ("many-to-many", Encoding(numbers=I), {"convolutions": LAYERS}, "has no meaning in a many"),
        ("many-to-one", Encoding(ids=(9,)), {"convolutions": LAYERS}, "numbers over time and noth"),
        (
            "many-to-one",
            Encodings((Encoding(numbers=2), Encoding(numbers=1)), ()),
            {"convolutions": LAYERS},
            "is for an input of one sequence alone",
        ),
        ("many-to-one", Encoding(numbers=I), {"own_scale": True}, "has no effect without convolu"),
        (
            "many-to-one",
            Encoding(numbers=I),
            {"convolution_dropout": 0.1},
            "has no effect without convolutions",
        ),
        (
            "many-to-one",
            Encoding(numbers=I),
            {"convolutions": [{"channels": 0}]},
            "convolutions must be a list of layers, each with channels",
        ),
    ],
)
def test_convolutions_that_cannot_be_are_refused_in_words(
    category: str, encoding: Any, options: dict[str, Any], words: str
) -> None:
    with pytest.raises(OptionError, match=words):
        build_network(category, encoding, Classification(O), hidden_size=4, **options)
