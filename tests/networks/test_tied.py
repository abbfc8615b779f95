"""An output layer that is the embedding's own matrix."""

from __future__ import annotations

import copy

import pytest
import torch

import elman
from battery import assert_near, draw
from elman.errors import OptionError
from elman.features.feature import Encoding
from elman.layers import parameter_count
from elman.networks import build_network
from elman.networks.embedding import embedding
from elman.networks.objectives import LanguageModel
from elman.networks.tied import TiedHead

T, B, V, E = 6, 5, 11, 4


def test_an_element_is_written_by_the_row_it_is_read_by() -> None:
    table, dense = embedding(V, E), elman.MLP([7, E])
    head, hidden = TiedHead(table, E, dense).double(), draw(T, B, 7)
    table.double()
    with torch.no_grad():
        head.bias.normal_()
    expected = dense(hidden) @ table.weight.t() + head.bias
    assert_near(head(hidden), expected, "scores")


def test_the_matrix_is_learned_from_both_ends_and_counted_and_named_once() -> None:
    network = build_network(
        "many-to-many", Encoding(ids=(V,)), LanguageModel(V), hidden_size=E, tie_embeddings=True
    )
    assert parameter_count(network) == V * E + parameter_count(network.recurrent) + V
    names = [name for name in network.state_dict() if "recurrent" not in name]
    assert names == ["inputs.embeddings.0.weight", "head.bias"]
    x = torch.zeros(T, B, dtype=torch.int64)  # only element 0 is read, every one is written
    outputs, _ = network(x)
    (gradient,) = torch.autograd.grad(outputs.square().sum(), network.inputs.tables[0].weight)
    assert bool((gradient != 0).any(1).all())


def test_a_copy_is_tied_to_the_copys_embedding() -> None:
    network = build_network(
        "many-to-many", Encoding(ids=(V,)), LanguageModel(V), hidden_size=E, tie_embeddings=True
    )
    x = torch.randint(0, V, (T, B))
    before = network(x)[0]
    twin = copy.deepcopy(network)
    with torch.no_grad():
        twin.inputs.tables[0].weight.zero_()
    assert bool((twin(x)[0] == twin.head.bias).all())
    assert torch.equal(network(x)[0], before)


def test_dropout_is_of_what_the_output_layer_reads() -> None:
    table = embedding(E, E)
    head = TiedHead(table, E, dropout=0.5)
    with torch.no_grad():
        table.weight.copy_(torch.eye(E))
    read = head(torch.ones(200, E))
    assert set(read.detach().flatten().tolist()) == {0.0, 2.0}
    assert bool((head.eval()(torch.ones(2, E)) == 1).all())


def test_an_embedding_of_another_size_is_refused() -> None:
    words = (
        "needs embedding_size = 7, the input size of the output layer, got 4; leave embedding_size"
    )
    with pytest.raises(OptionError, match=words):
        TiedHead(embedding(V, E), 7)
