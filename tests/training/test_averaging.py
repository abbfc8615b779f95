"""When weights are averaged, and what an average is of."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from elman.experiment.training import TrainingSettings
from elman.training.averaging import averaged, averages, is_stuck


@pytest.mark.parametrize(
    ("costs", "patience", "stuck"),
    [
        ([], 1, False),
        ([5.0], 1, False),
        ([5.0, 6.0], 1, False),  # what is one epoch older is not old enough to compare with
        ([5.0, 6.0, 5.5], 1, True),
        ([5.0, 6.0, 4.5], 1, False),
        ([5.0, 4.0, 3.0, 3.5], 2, False),
        ([5.0, 4.0, 3.0, 3.5, 4.5], 2, True),
        ([5.0, 4.0, 3.0, 3.5, 4.0], 2, False),  # equal to the best of the old ones
    ],
)
def test_validation_is_stuck_when_it_is_worse_than_long_before(
    costs: list[float], patience: int, stuck: bool
) -> None:
    assert is_stuck(costs, patience) is stuck


def test_an_average_once_begun_goes_on() -> None:
    settings = TrainingSettings(average_patience=1)
    costs = [5.0, 6.0, 5.5, 1.0, 0.5]
    assert [averages(settings, costs[:n]) for n in range(6)] == [False] * 3 + [True] * 3


def test_an_exponential_average_begins_at_once_and_none_where_none_is_asked_for() -> None:
    assert averages(TrainingSettings(average_decay=0.5), [])
    assert not averages(TrainingSettings(), [5.0, 6.0, 7.0, 8.0])


def test_the_plain_average_is_the_mean_of_the_weights_since_it_began() -> None:
    network = nn.Linear(3, 2)
    with torch.no_grad():
        network.weight.fill_(100.0)
    average = averaged(network, TrainingSettings(average_patience=3))
    for value in (1.0, 4.0, 7.0, 8.0):
        with torch.no_grad():
            network.weight.fill_(value)
        average.update_parameters(network)
    torch.testing.assert_close(average.module.weight.detach(), torch.full((2, 3), 5.0))


def test_the_exponential_average_follows_its_equation() -> None:
    network = nn.Linear(3, 2)
    average = averaged(network, TrainingSettings(average_decay=0.75))
    for value in (8.0, 4.0, 16.0):
        with torch.no_grad():
            network.weight.fill_(value)
        average.update_parameters(network)
    expected = 0.75 * (0.75 * 8.0 + 0.25 * 4.0) + 0.25 * 16.0
    torch.testing.assert_close(average.module.weight.detach(), torch.full((2, 3), expected))
    assert int(average.n_averaged) == 3


def test_the_buffers_of_an_average_are_the_last_ones_of_the_network() -> None:
    network = nn.BatchNorm1d(3)
    average = averaged(network, TrainingSettings(average_decay=0.75))
    for value in (8.0, 4.0):
        network.running_mean.fill_(value)
        average.update_parameters(network)
    torch.testing.assert_close(average.module.running_mean, torch.full((3,), 4.0))
