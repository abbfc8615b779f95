"""From the words of a specification to a network, and from a budget to its hidden size."""

from __future__ import annotations

from typing import Any

import pytest
import torch

import elman
from elman.errors import OptionError
from elman.features.feature import Encoding
from elman.layers import parameter_count
from elman.networks import (
    ManyToMany,
    ManyToOne,
    OneToOne,
    build_network,
    hidden_size_for,
    many_to_many,
)
from elman.networks.heads import Heads
from elman.networks.objectives import (
    CRF,
    Classification,
    LanguageModel,
    Regression,
    Roll,
    Tagging,
)
from elman.networks.pooling import AttentionPooling
from elman.networks.tied import TiedHead
from joints import joint

SIZES: dict[str, Any] = {"input_size": 3, "output_size": 2}
SPECIFICATIONS: list[dict[str, Any]] = [
    {"cell": "simple"},
    {"cell": "gru", "bidirectional": True, "layer_norm": True},
    {"cell": "lstm", "num_layers": 2, "cell_options": {"peephole": True, "proj_size": 4}},
]


def test_every_word_reaches_its_place() -> None:
    network = many_to_many(
        cell="lstm",
        hidden_size=[7, 5],
        bidirectional=True,
        delay=2,
        dropout=0.1,
        output_dropout=0.2,
        recurrent_dropout=0.3,
        zoneout=0.4,
        layer_norm=True,
        cell_options={"coupled_gates": True, "learn_initial_state": True},
        backend="reference",
        **SIZES,
    )
    assert repr(network.recurrent) == (
        "LSTM(3, [7, 5], peephole=False, coupled_gates=True, num_layers=2, dropout=0.1, "
        "bidirectional=True, recurrent_dropout=0.3, zoneout=0.4, layer_norm=True, "
        f"learn_initial_state=True, backend='reference', "
        f"parameters={parameter_count(network.recurrent)})"
    )
    assert network.head.extra_repr() == "[10, 2], activation='tanh', dropout=0.2, parameters=22"
    assert network.delay == 2


@pytest.mark.parametrize(
    ("cell", "layer"), [("simple", elman.SimpleRNN), ("lstm", elman.LSTM), ("gru", elman.GRU)]
)
def test_a_cells_name_is_its_layer(cell: str, layer: type) -> None:
    assert type(many_to_many(cell=cell, hidden_size=5, **SIZES).recurrent) is layer


def test_an_output_bias_is_where_the_dense_layer_begins() -> None:
    bias = torch.tensor([0.5, -2.0])
    network = many_to_many(cell="gru", hidden_size=5, output_bias=bias, **SIZES)
    assert torch.equal(network.head.layers[0].bias, bias)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"cell": "gru2"}, "unknown cell 'gru2'; did you mean 'gru'"),
        (
            {"cell": "gru", "cell_options": {"reset_befor": True}},
            "unknown gru option 'reset_befor'; did you mean 'reset_after'",
        ),
        ({"cell": "gru", "cell_options": {"peephole": True}}, r"unknown gru option 'peephole'\."),
        ({"cell": "gru", "cell_options": {"zoneout": 0.1}}, "unknown gru option 'zoneout'"),
        ({"cell": "gru", "delay": -1}, "delay must be a whole number of at least 0, got -1"),
        ({"cell": "gru", "output_dropout": 1}, r"dropout must lie in \[0, 1\), got 1"),
    ],
)
def test_a_wrong_word_is_refused(options: dict[str, Any], words: str) -> None:
    with pytest.raises(OptionError, match=words):
        many_to_many(hidden_size=5, **SIZES, **options)


@pytest.mark.parametrize("parameters", [300, 1000, 20_000, 300_000])
@pytest.mark.parametrize("specification", SPECIFICATIONS, ids=lambda words: words["cell"])
def test_the_hidden_size_is_the_one_whose_count_comes_nearest(
    specification: dict[str, Any], parameters: int
) -> None:
    def distance(size: int) -> int:
        network = many_to_many(hidden_size=size, device="meta", **SIZES, **specification)
        return abs(parameter_count(network) - parameters)

    found = hidden_size_for(parameters, **SIZES, **specification)
    smallest = 1 + specification.get("cell_options", {}).get("proj_size", 0)
    assert found >= smallest
    assert distance(found) <= distance(found + 1)
    assert found == smallest or distance(found) <= distance(found - 1)


def test_a_budget_below_the_smallest_network_is_refused() -> None:
    words = "parameters=10 is too small a budget: a network with hidden_size=1 has 29 parameters"
    with pytest.raises(OptionError, match=words):
        hidden_size_for(10, cell="gru", **{**SIZES, "output_size": 4, "input_size": 4})


def test_a_budget_beyond_every_size_is_refused() -> None:
    with pytest.raises(OptionError, match=r"parameters=10{15} needs a hidden_size above 65536"):
        hidden_size_for(10**15, cell="gru", **SIZES)


def test_the_solver_draws_no_random_number() -> None:
    before = torch.get_rng_state()
    hidden_size_for(1000, cell="lstm", **SIZES)
    assert torch.equal(torch.get_rng_state(), before)


NUMBERS, WORDS = Encoding(numbers=3), Encoding(ids=(11,))


def test_every_option_reaches_its_place() -> None:
    network = build_network(
        "many-to-many",
        Encoding(ids=(11,), characters=(9, 4)),
        CRF(2),
        cell="lstm",
        hidden_size=[7, 5],
        bidirectional=True,
        delay=2,
        embedding_size=6,
        character_size=4,
        character_hidden_size=3,
        head=[8],
        activation="tanh",
        dropout=0.1,
        output_dropout=0.2,
        dropout_kind="locked",
        input_dropout=0.15,
        embedding_dropout=0.25,
        word_dropout=0.35,
        recurrent_dropout=0.3,
        weight_dropout=0.45,
        zoneout=0.4,
        layer_norm=True,
        cell_options={"coupled_gates": True},
        backend="reference",
    )
    assert isinstance(network, ManyToMany)
    assert repr(network.recurrent) == (
        "LSTM(12, [7, 5], peephole=False, coupled_gates=True, num_layers=2, locked_dropout=0.1, "
        "bidirectional=True, recurrent_dropout=0.3, zoneout=0.4, layer_norm=True, "
        f"backend='reference', parameters={parameter_count(network.recurrent)})"
    )
    inputs = network.inputs
    assert inputs is not None
    assert inputs.characters is not None
    assert (inputs.tables[0].embedding_dim, inputs.characters.embedding.embedding_dim) == (6, 4)
    assert (inputs.embedding_dropout, inputs.word_dropout) == (0.25, 0.35)
    assert (inputs.dropout.p, network.output_dropout.p, network.delay) == (0.15, 0.2, 2)
    assert network.head.extra_repr().startswith("[10, 8, 2], activation='tanh', parameters=")
    hooks = network.recurrent._forward_pre_hooks.values()
    assert [hook.__self__._p for hook in hooks] == [0.45]


def test_ordinary_dropout_is_of_the_dense_layers_and_between_the_recurrent_ones() -> None:
    network = build_network(
        "many-to-one",
        NUMBERS,
        Regression(1),
        hidden_size=5,
        num_layers=2,
        dropout=0.1,
        output_dropout=0.2,
        pooling="attention",
    )
    assert isinstance(network, ManyToOne)
    assert network.recurrent.dropout == 0.1
    assert (network.head.dropout, network.output_dropout.p) == (0.2, 0)
    assert isinstance(network.pooling, AttentionPooling)


def test_a_one_to_one_network_has_dense_layers_of_hidden_size_and_head() -> None:
    network = build_network(
        "one-to-one", NUMBERS, Classification(2), hidden_size=6, num_layers=2, head=[5],
        output_dropout=0.3,
    )  # fmt: skip
    assert isinstance(network, OneToOne)
    assert network.mlp.sizes == [3, 6, 6, 5, 2]
    assert (network.mlp.activation, network.mlp.dropout) == ("relu", 0.3)
    bare = build_network("one-to-one", NUMBERS, Classification(2))
    assert isinstance(bare, OneToOne)
    assert bare.mlp.sizes == [3, 2]


def test_a_network_of_rolls_is_the_one_many_to_many_builds() -> None:
    torch.manual_seed(3)
    plain = many_to_many(
        cell="gru", hidden_size=5, num_layers=2, input_size=88, output_size=88, dropout=0.5
    )
    torch.manual_seed(3)
    built = build_network(
        "many-to-many", Encoding(numbers=88), Roll(), hidden_size=5, num_layers=2, dropout=0.5
    )
    assert plain.state_dict().keys() == built.state_dict().keys()
    for name, weight in plain.state_dict().items():
        assert torch.equal(weight, built.state_dict()[name]), name


@pytest.mark.parametrize(
    ("options", "size"),
    [
        ({"hidden_size": [9, 4]}, 4),
        ({"hidden_size": 5, "bidirectional": True}, 10),
        ({"hidden_size": 5, "cell": "lstm", "cell_options": {"proj_size": 3}}, 3),
        ({"hidden_size": 5, "head": [8, 6]}, 6),
        ({"hidden_size": 5, "embedding_size": 5}, 5),
    ],
)
def test_a_tied_embedding_has_the_size_of_what_the_output_layer_reads(
    options: dict[str, Any], size: int
) -> None:
    network = build_network(
        "many-to-many", WORDS, LanguageModel(11), tie_embeddings=True, output_dropout=0.1, **options
    )
    assert isinstance(network, ManyToMany)
    assert network.inputs is not None
    assert network.inputs.tables[0].embedding_dim == size
    assert isinstance(network.head, TiedHead)
    assert network.head.dropout == 0.1
    assert network(torch.randint(0, 11, (4, 3)))[0].shape == (4, 3, 11)


@pytest.mark.parametrize("tied", [False, True])
def test_the_output_bias_begins_where_it_is_told(tied: bool) -> None:
    bias = torch.arange(11.0)
    network = build_network(
        "many-to-many", WORDS, LanguageModel(11), output_bias=bias, hidden_size=5,
        tie_embeddings=tied,
    )  # fmt: skip
    found = network.head.bias if tied else network.head.layers[-1].bias
    assert torch.equal(found, bias)


@pytest.mark.parametrize(
    ("category", "options", "words"),
    [
        ("many-to-few", {}, "unknown category 'many-to-few'; did you mean 'many-to-one'"),
        ("many-to-one", {"hiden_size": 5}, "unknown network option 'hiden_size'; did you mean"),
        ("many-to-one", {}, "a many-to-one network needs a hidden_size; give one"),
        ("many-to-one", {"delay": 2}, "delay=2 has no meaning in a many-to-one network; leave it"),
        ("many-to-many", {"pooling": "max"}, "pooling='max' has no meaning in a many-to-many"),
        (
            "one-to-one",
            {"bidirectional": True},
            "bidirectional=True has no meaning in a one-to-one",
        ),
        ("one-to-one", {"recurrent_dropout": 0.5}, "recurrent_dropout=0.5 has no meaning"),
        ("many-to-one", {"dropout_kind": "looked"}, "unknown dropout_kind 'looked'; did you mean"),
        (
            "many-to-one",
            {"hidden_size": 5, "cell": "gur"},
            "unknown cell 'gur'; did you mean 'gru'",
        ),
        (
            "many-to-one",
            {"hidden_size": 5, "cell_options": {"zoneout": 0.1}},
            "unknown gru option 'zoneout'",
        ),
        (
            "many-to-one",
            {"hidden_size": 5, "cell_options": {"locked_dropout": 0.1}},
            "unknown gru option 'locked_dropout'",
        ),
        ("many-to-one", {"hidden_size": 5, "output_dropout": 1}, "output_dropout must lie in"),
        ("many-to-one", {"hidden_size": 5, "word_dropout": 0.1}, "word_dropout=0.1 acts on ids"),
        ("many-to-many", {"hidden_size": 5}, "objective Classification needs one output a row"),
    ],
)
def test_what_makes_no_network_is_refused(
    category: str, options: dict[str, Any], words: str
) -> None:
    with pytest.raises(OptionError, match=words):
        build_network(category, NUMBERS, Classification(2), **options)


@pytest.mark.parametrize(
    ("encoding", "size"),
    [(NUMBERS, 11), (WORDS, 12), (Encoding(ids=(11,), characters=(5, 2)), 11)],
)
def test_only_ids_of_one_vocabulary_can_be_tied(encoding: Encoding, size: int) -> None:
    with pytest.raises(OptionError, match="input and target must be ids of one vocabulary"):
        build_network(
            "many-to-many", encoding, LanguageModel(size), hidden_size=5, tie_embeddings=True
        )


BUDGETS: dict[str, dict[str, Any]] = {
    "one-to-one": {"encoding": NUMBERS, "objective": Classification(2), "head": [3]},
    "many-to-one": {"encoding": WORDS, "objective": Classification(2), "bidirectional": True},
    "many-to-many": {"encoding": WORDS, "objective": CRF(4), "cell": "lstm"},
    "tied": {"encoding": WORDS, "objective": LanguageModel(11), "tie_embeddings": True},
}


@pytest.mark.parametrize("name", BUDGETS)
def test_a_budget_is_met_in_every_category(name: str) -> None:
    specification = {"category": "many-to-many" if name == "tied" else name, **BUDGETS[name]}

    def distance(size: int) -> int:
        return abs(parameter_count(build_network(**specification, hidden_size=size)) - 2000)

    found = hidden_size_for(2000, build_network, **specification)
    assert distance(found) <= min(distance(found + 1), distance(found - 1))


def test_each_of_several_targets_has_dense_layers_of_its_own_and_its_own_bias() -> None:
    several = joint(Classification(3), Regression(2))
    bias = torch.tensor([1.0, 2, 3, 4, 5])
    network: Any = build_network(
        "many-to-one", Encoding(ids=(9,)), several, hidden_size=4, head=[7], output_bias=bias
    )
    assert isinstance(network.head, Heads)
    assert [mlp.sizes for mlp in network.head.each] == [[4, 7, 3], [4, 7, 2]]
    biases = [mlp.layers[-1].bias.tolist() for mlp in network.head.each]
    assert biases == [[1, 2, 3], [4, 5]]
    h = torch.randn(6, 4)
    expected = torch.cat([mlp(h) for mlp in network.head.each], -1)
    assert torch.equal(network.head(h), expected)


def test_without_dense_layers_several_targets_have_one_linear_layer() -> None:
    several = joint(Classification(3), Regression(2))
    plain: Any = build_network("many-to-one", Encoding(ids=(9,)), several, hidden_size=4)
    assert plain.head.sizes == [4, 5]
    shared: Any = build_network("one-to-one", Encoding(numbers=2), several, head=[7])
    assert shared.mlp.sizes == [2, 7, 5]


def test_several_targets_cannot_share_the_embedding_of_the_input() -> None:
    several = joint(Tagging(4), Tagging(5))
    with pytest.raises(OptionError, match="output layer of one target, and there are 2; leave it"):
        build_network(
            "many-to-many", Encoding(ids=(9,)), several, hidden_size=4, tie_embeddings=True
        )
