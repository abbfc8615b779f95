"""The linear forecast beside the recurrent one."""

from __future__ import annotations

import pytest
import torch

from elman.errors import OptionError
from elman.features.feature import Encoding
from elman.networks import build_network
from elman.networks.highway import AutoregressiveHighway
from elman.networks.objectives import Classification, Regression


def test_it_is_a_linear_function_of_the_last_steps_the_latest_first() -> None:
    highway = AutoregressiveHighway(3, 2, 1)
    with torch.no_grad():
        highway.linear.weight.copy_(torch.tensor([[1.0, 2.0, 10.0, 20.0, 100.0, 200.0]]))
        highway.linear.bias.fill_(0.5)
    x = torch.arange(20.0).reshape(5, 2, 2)
    expected = [
        0.5 + sum(c * v for c, v in zip((1, 2, 10, 20, 100, 200), values, strict=True))
        for values in ((16, 17, 12, 13, 8, 9), (6, 7, 2, 3, 0, 0))
    ]
    assert highway(x, torch.tensor([5, 2])).flatten().tolist() == expected


def test_padding_is_never_read_and_a_row_without_steps_gives_the_bias() -> None:
    highway = AutoregressiveHighway(2, 1, 1)
    torch.nn.init.ones_(highway.linear.weight)
    torch.nn.init.constant_(highway.linear.bias, 0.25)
    x = torch.full((4, 2, 1), torch.nan)
    x[:3, 0] = 1.0
    assert highway(x, torch.tensor([3, 0])).flatten().tolist() == [2.25, 0.25]
    assert highway(torch.zeros(0, 1, 1), torch.tensor([0])).tolist() == [[0.25]]


def test_an_untrained_network_answers_as_one_without_a_highway() -> None:
    def answer(highway: int) -> torch.Tensor:
        torch.manual_seed(3)
        network = build_network(
            "many-to-one", Encoding(numbers=2), Regression(1), hidden_size=5, highway=highway
        )
        generator = torch.Generator().manual_seed(4)
        outputs, _ = network(torch.randn(6, 3, 2, generator=generator))
        return outputs

    assert torch.equal(answer(0), answer(4))


@pytest.mark.slow
def test_with_it_a_line_is_followed_further_beyond_the_training_part() -> None:
    line = torch.linspace(-1, 1, 40)
    x = torch.stack([line[start : start + 5] for start in range(30)], 1).unsqueeze(-1)
    y = line[5:35].unsqueeze(-1)

    def error_beyond(highway: int) -> float:
        torch.manual_seed(1)
        network = build_network(
            "many-to-one", Encoding(numbers=1), Regression(1), hidden_size=3, highway=highway
        )
        optimizer = torch.optim.Adam(network.parameters(), 0.02)
        for _ in range(400):
            optimizer.zero_grad()
            outputs, _ = network(x)
            torch.nn.functional.mse_loss(outputs, y).backward()
            optimizer.step()
        with torch.no_grad():
            forecast, _ = network(torch.linspace(2, 2.25, 6)[:5].reshape(5, 1, 1))
        return abs(float(forecast) - 2.25)

    assert error_beyond(2) < 0.5 * error_beyond(0)


def test_an_input_without_numbers_is_refused() -> None:
    with pytest.raises(OptionError, match="highway=3 forecasts numbers from numbers"):
        build_network(
            "many-to-one", Encoding(ids=(9,)), Classification(2), hidden_size=3, highway=3
        )
