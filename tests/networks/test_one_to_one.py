"""One-to-one: rows without steps."""

from __future__ import annotations

from typing import Any

import pytest
import torch

import elman
from battery import assert_near, assert_same_bits, draw
from elman.errors import OptionError, ShapeError
from elman.features.feature import Encoding
from elman.networks import Inputs, OneToOne
from elman.networks.objectives import Classification, Tagging

B, O = 5, 3  # noqa: E741 — the axis legend
RECORD = Encoding(numbers=2, ids=(7,))


def network(encoding: Encoding = RECORD) -> OneToOne:
    inputs = Inputs(encoding, embedding_size=4)
    return OneToOne(inputs, elman.MLP([inputs.size, 6, O]), Classification(O)).double()


def record() -> torch.Tensor:
    return torch.cat([draw(B, 2), torch.randint(0, 7, (B, 1)).double()], 1)


def test_it_is_dense_layers_on_the_vectors_of_its_inputs() -> None:
    net, x = network(), record()
    outputs, state = net(x)
    assert_same_bits(outputs, net.mlp(net.inputs(x)), "outputs")
    assert state is None


def test_a_row_does_not_depend_on_those_beside_it() -> None:
    net, x = network(), record()
    outputs = net(x, lengths=torch.ones(B, dtype=torch.int64))[0]
    for row in range(B):
        assert_near(outputs[row : row + 1], net(x[row : row + 1])[0], f"row {row}")


def test_a_picture_is_a_row_too() -> None:
    net = network(Encoding(picture=(1, 8, 8)))
    assert net(draw(B, 1, 8, 8))[0].shape == (B, O)


@pytest.mark.parametrize(
    ("arguments", "error", "words"),
    [
        (
            {"x": torch.zeros(4, B, 3)},
            ShapeError,
            "a one-to-one network reads rows without steps, got",
        ),
        (
            {"x": record(), "state": 1},
            OptionError,
            "a one-to-one network has no state; leave it out",
        ),
        ({"x": record(), "lengths": [1]}, ShapeError, r"lengths must be \(B,\) = \(5,\), got 1"),
    ],
)
def test_what_belongs_to_sequences_is_refused(
    arguments: dict[str, Any], error: type[Exception], words: str
) -> None:
    with pytest.raises(error, match=words):
        network()(**arguments)


@pytest.mark.parametrize(
    ("sizes", "objective"),
    [([5, 6, O], Classification(O)), ([6, O + 1], Classification(O)), ([6, O], Tagging(O))],
)
def test_parts_that_do_not_fit_are_refused(sizes: list[int], objective: Any) -> None:
    words = "OneToOne needs an MLP from the inputs' 6 values to the objective's 3"
    with pytest.raises(OptionError, match=words):
        OneToOne(Inputs(RECORD, embedding_size=4), elman.MLP(sizes), objective)
