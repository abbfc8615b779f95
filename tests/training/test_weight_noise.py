import pytest
import torch
from torch import nn

from elman.training.weight_noise import weight_noise


def test_the_matrices_are_noisy_inside_and_bit_for_bit_their_own_after() -> None:
    network = nn.Linear(40, 30)
    matrix, bias = network.weight.detach().clone(), network.bias.detach().clone()
    torch.manual_seed(3)
    with weight_noise(network, 0.5):
        noise = network.weight.detach() - matrix
        assert noise.std().item() == pytest.approx(0.5, rel=0.05)
        assert abs(noise.mean().item()) < 0.05
        assert torch.equal(network.bias, bias)
    assert torch.equal(network.weight, matrix)


def test_the_gradient_is_that_of_the_noisy_weights() -> None:
    network = nn.Linear(3, 1, bias=False)
    x = torch.tensor([[1.0, 2.0, 3.0]])
    with weight_noise(network, 1.0):
        noisy = network.weight.detach().clone()
        network(x).square().sum().backward()
    torch.testing.assert_close(network.weight.grad, 2 * (noisy @ x.T) * x)


def test_an_error_inside_leaves_the_weights_their_own() -> None:
    network = nn.Linear(3, 2)
    matrix = network.weight.detach().clone()
    with pytest.raises(RuntimeError, match="inside"), weight_noise(network, 1.0):
        raise RuntimeError("inside")
    assert torch.equal(network.weight, matrix)


def test_no_deviation_draws_no_random_numbers() -> None:
    network = nn.Linear(3, 2)
    before = torch.get_rng_state()
    with weight_noise(network, 0.0):
        pass
    assert torch.equal(torch.get_rng_state(), before)
