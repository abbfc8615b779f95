"""A network over batches in evaluation."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

import elman
from elman.batches.batching import Batch, BucketedBatches, Example
from elman.batches.streams import StreamBatches
from elman.errors import OptionError
from elman.networks import many_to_many
from elman.training.validation import loss_of, mean_loss, predictions
from rolls import evaluation_batches
from training import runs


def step_loss(outputs: Tensor, target: Tensor, lengths: Tensor) -> Tensor:
    """Mean square error over real steps."""
    real = (torch.arange(len(outputs))[:, None] < lengths)[..., None]
    return ((outputs - target).square().where(real, 0)).sum() / real.sum()


def row_loss(outputs: Tensor, target: Tensor, lengths: Tensor) -> Tensor:  # noqa: ARG001
    """Mean of what is given, over rows."""
    return (outputs - target).mean()


class Sums(nn.Module):
    """Answers each row with its number of steps."""

    def forward(self, x: Tensor, state: None, *, lengths: Tensor) -> tuple[Tensor, None]:
        del x
        return lengths.float(), state


def test_a_stream_in_chunks_gives_what_it_gives_as_a_whole() -> None:
    torch.manual_seed(1)
    network = many_to_many(cell="lstm", input_size=2, output_size=2, hidden_size=7)
    stream = torch.randn(47, 2)
    (whole,) = StreamBatches(stream, 3, 100).epoch(0)
    expected, _ = network.eval()(whole.input, lengths=whole.lengths)
    for vary_cuts in (False, True):
        chunked = StreamBatches(stream, 3, 4, vary_cuts=vary_cuts)
        parts = [outputs for _, outputs in predictions(network, chunked.epoch(1))]
        assert len(parts) > 3
        torch.testing.assert_close(torch.cat(parts), expected)
        assert mean_loss(network, step_loss, chunked.epoch(1)) == pytest.approx(
            mean_loss(network, step_loss, [whole]), rel=1e-5
        )


def test_the_state_is_not_carried_to_a_batch_that_begins_anew() -> None:
    network = many_to_many(cell="gru", input_size=2, output_size=2, hidden_size=7)
    batch = Batch(torch.randn(5, 3, 2), torch.randn(5, 3, 2), torch.tensor([5, 4, 3]))
    (_, first), (_, second) = predictions(network, [batch, batch])
    assert torch.equal(first, second)
    (_, first), (_, second) = predictions(network, [batch, batch._replace(continues=True)])
    assert not torch.equal(first, second)


def test_every_row_weighs_alike_where_each_has_one_target() -> None:
    examples = [Example(torch.zeros(n, 1), torch.tensor(0.0)) for n in (1, 2, 9)]
    batches = BucketedBatches(examples, 2, seed=0, shuffle=False, targets="row")
    assert mean_loss(Sums(), row_loss, batches.epoch(0)) == pytest.approx(4.0)


def test_gradients_are_off_while_the_network_runs_and_on_again_between() -> None:
    network = many_to_many(cell="gru", input_size=2, output_size=2, hidden_size=7).train()
    batch = Batch(torch.randn(5, 3, 2), torch.randn(5, 3, 2), torch.tensor([5, 4, 3]))
    for _, outputs in predictions(network, [batch]):
        assert not outputs.requires_grad
        assert torch.is_grad_enabled()
    assert not network.training


def test_a_network_s_own_objective_is_its_loss_where_none_is_given() -> None:
    class Objective(nn.Module):
        def loss(self, outputs: Tensor, target: Tensor, lengths: Tensor) -> Tensor:
            return row_loss(outputs, target, lengths) + 100

    network = Sums()
    network.objective = Objective()
    batch = Batch(torch.zeros(4, 1), torch.tensor([1.0]), torch.tensor([4]), per_step=False)
    assert mean_loss(network, None, [batch]) == 103.0
    assert mean_loss(network, row_loss, [batch]) == 3.0


def test_a_network_that_does_not_say_what_it_is_for_is_refused_in_words() -> None:
    with pytest.raises(OptionError, match="a MLP without an objective has no loss"):
        loss_of(elman.MLP([3, 2]), None)


def test_the_mean_loss_weighs_every_frame_alike() -> None:
    net = runs.network()
    pieces = runs.rolls(3, 11, 8)
    apart = [
        mean_loss(net, runs.FEATURE.loss, evaluation_batches([piece], runs.FEATURE, 1).epoch(0))
        for piece in pieces
    ]
    together = mean_loss(
        net, runs.FEATURE.loss, evaluation_batches(pieces, runs.FEATURE, 2).epoch(0)
    )
    expected = sum(loss * len(piece) for loss, piece in zip(apart, pieces, strict=True)) / 22
    assert together == pytest.approx(expected, rel=1e-6)
