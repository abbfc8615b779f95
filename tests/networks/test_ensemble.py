"""Several networks that answer together: the mean of their answers."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from battery import assert_near, draw
from elman.errors import OptionError
from elman.features.feature import Encoding
from elman.layers import parameter_count
from elman.networks import build_network, hidden_size_for
from elman.networks.ensemble import Ensemble, members_of
from elman.networks.objectives import Classification, Regression, Tagging

T, B, I, O = 6, 5, 3, 4  # noqa: E741 — the axis legend
LENGTHS = [4, 2, 6, 1, 3]


def network(objective: Any, category: str = "many-to-one", **options: Any) -> Any:
    torch.manual_seed(2)
    settings = {"hidden_size": 7, "members": 3} | options
    return build_network(category, Encoding(numbers=I), objective, **settings).double().eval()


def test_the_probabilities_of_classes_are_the_mean_of_the_members() -> None:
    net, x = network(Classification(O)), draw(T, B, I)
    outputs, state = net(x, lengths=LENGTHS)
    assert state is None
    each = [member(x, lengths=LENGTHS)[0].softmax(-1) for member in net.members]
    assert_near(outputs.softmax(-1), torch.stack(each).mean(0), "probabilities")
    assert_near(outputs.exp().sum(-1), torch.ones(B), "sums")


def test_a_number_is_the_mean_of_the_members_numbers() -> None:
    net, x = network(Regression(2)), draw(T, B, I)
    each = [member(x, lengths=LENGTHS)[0] for member in net.members]
    assert_near(net(x, lengths=LENGTHS)[0], torch.stack(each).mean(0), "outputs")


def test_members_begin_at_different_weights_and_are_members() -> None:
    net = network(Classification(O))
    assert members_of(net) == list(net.members)
    assert members_of(net.members[0]) == [net.members[0]]
    one, other = (member.recurrent.weight_ih_l0 for member in net.members[:2])
    assert not torch.equal(one, other)


def test_a_budget_of_parameters_is_that_of_all_members() -> None:
    arguments = {"encoding": Encoding(numbers=I), "objective": Classification(O), "members": 3}
    size = hidden_size_for(6_000, build_network, category="many-to-one", **arguments)
    net = build_network("many-to-one", hidden_size=size, **arguments)
    assert parameter_count(net) == pytest.approx(6_000, rel=0.1)


def test_what_cannot_be_averaged_is_refused_in_words() -> None:
    with pytest.raises(OptionError, match="averages networks with one answer a row"):
        network(Tagging(O), "many-to-many")
    with pytest.raises(OptionError, match="at least two networks, got 1"):
        Ensemble([network(Classification(O), members=1)])
    with pytest.raises(OptionError, match="leave state out"):
        network(Classification(O))(draw(T, B, I), state=draw(1, B, 7))
