"""Rows of several sequences to one answer: against torch.nn, row by row, and its rows alone."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor, nn

import elman
from battery import assert_all_near, assert_near, assert_same_bits
from columns import (
    LABELS,
    LENGTHS,
    PAIR,
    RECORD,
    SENSOR,
    THREE,
    WORDS,
    B,
    Copies,
    context_of,
    drawn_rows,
    encoded,
    gradients,
    poisoned,
    row_of,
    with_gradients,
)
from elman.batches.inputs import PartsInput
from elman.cells import CELLS
from elman.errors import OptionError, ShapeError
from elman.features.feature import Encoding, Encodings
from elman.networks import Inputs, build_network
from elman.networks.context import SequenceEncoder
from elman.networks.joined import JoinedToOne, is_pair, joined_size
from elman.networks.objectives import Classification, Tagging
from elman.networks.pooling import POOLINGS, MeanPooling

H, O, C = 7, 3, 11  # noqa: E741 — the axis legend; C of the context
CONTEXTS = ("state", "each", "pooled")
every_cell = pytest.mark.parametrize("cell", CELLS)
of_torch = [name for name, family in CELLS.items() if family.variant().torch_function]
every_cell_of_torch = pytest.mark.parametrize("cell", of_torch)
every_context = pytest.mark.parametrize("context", CONTEXTS)
both_directions = pytest.mark.parametrize("bidirectional", [False, True])


def built(encodings: Encodings = PAIR, **options: Any) -> JoinedToOne:
    options = {"hidden_size": H, "context_size": C, "embedding_size": 4} | options
    if not encodings.context:
        del options["context_size"]
    network = build_network("many-to-one", encodings, Classification(O), **options)
    assert isinstance(network, JoinedToOne)
    return network.double()


def by_hand(network: JoinedToOne, x: PartsInput, copies: Copies, pooling: str) -> Tensor:
    """Run the network row by row, on layers of torch.nn."""
    outputs = []
    for row in range(x.rows):
        sequences, others = row_of(x, row)
        c = None if network.context is None else context_of(network.context, [], others, copies)
        read = [
            encoded(network.encoders[number], one, copies, pooling=pooling, context=c)
            for number, one in zip(network.reads, sequences, strict=True)
        ]
        if len(read) == 2 and network.reads[0] == network.reads[1]:
            u, v = read
            read += [(u - v).abs(), u * v]
        joined = torch.cat([*read, *([] if c is None else [c])], -1)
        (head,) = network.head.layers
        outputs.append(joined @ head.weight.t() + head.bias)
    return torch.cat(outputs)


def assert_as_by_hand(network: JoinedToOne, x: PartsInput, pooling: str = "last") -> None:
    ours, leaves = with_gradients(poisoned(x))
    outputs, _ = network(ours)
    found = {"outputs": outputs, **gradients(outputs, dict(network.named_parameters()), leaves)}
    theirs, leaves = with_gradients(x)
    copies = Copies(network)
    expected = by_hand(network, theirs, copies, pooling)
    assert_all_near(
        found, {"outputs": expected, **gradients(expected, copies.parameters(), leaves)}
    )


@every_cell_of_torch
@both_directions
@pytest.mark.parametrize("pooling", POOLINGS)
def test_a_pair_is_read_and_joined_as_on_layers_of_torch(
    cell: str, bidirectional: bool, pooling: str
) -> None:
    network = built(cell=cell, bidirectional=bidirectional, pooling=pooling)
    assert_as_by_hand(network, drawn_rows(PAIR), pooling)


@every_cell_of_torch
@both_directions
@every_context
def test_a_context_is_read_in_three_ways_as_on_layers_of_torch(
    cell: str, bidirectional: bool, context: str
) -> None:
    options = {"num_layers": 2, "context": context, "share_encoders": context != "pooled"}
    network = built(THREE, cell=cell, bidirectional=bidirectional, **options)
    assert_as_by_hand(network, drawn_rows(THREE))


@pytest.mark.parametrize(
    "encodings",
    [
        Encodings((WORDS, SENSOR), (), (0, 1)),
        Encodings((SENSOR,), (RECORD,), (0,)),
        Encodings((SENSOR, SENSOR), (), (0, 0)),
        Encodings((Encoding(ids=(9, 4)), WORDS), (LABELS,), (0, 1)),
    ],
    ids=["two kinds", "a sensor and a record", "two sensors", "aligned columns, a text and labels"],
)
def test_any_columns_are_read_and_joined_as_on_layers_of_torch(encodings: Encodings) -> None:
    assert_as_by_hand(built(encodings, cell="lstm", pooling="max"), drawn_rows(encodings), "max")


def test_without_a_dense_layer_the_columns_are_the_context() -> None:
    network = built(context_size=0)
    assert network.context is not None
    assert network.context.dense is None
    assert network.context.size == 2 + network.context.inputs[0].tables[0].embedding_dim + 3
    assert_as_by_hand(network, drawn_rows(PAIR))


def parts_of(network: JoinedToOne, x: PartsInput) -> list[Tensor]:
    """Return the joined vectors of a pair and its context: u, v, |u − v|, u ⊙ v, c."""
    network.head = nn.Identity()
    sizes = [H] * (4 if is_pair(network.reads) else len(network.reads))
    joined = network(x)[0]
    return list(joined.split([*sizes, joined.size(1) - sum(sizes)], 1))


def test_a_pair_has_one_encoder_and_its_difference_and_product() -> None:
    network, x = built(), drawn_rows(PAIR)
    assert len(network.encoders) == 1
    assert network.head.sizes[0] == 4 * H + C
    u, v, difference, product, _ = parts_of(network, x)
    assert_same_bits(difference, (u - v).abs(), "|u − v|")
    assert_same_bits(product, u * v, "u ⊙ v")
    swapped = x._replace(parts=(x.parts[1], x.parts[0], *x.parts[2:]), lengths=x.lengths[::-1])
    v_, u_, difference_, product_, _ = parts_of(network, swapped)
    assert_near(u_, u, "u")
    assert_near(v_, v, "v")
    assert_near(difference_, difference, "|u − v|")
    assert_near(product_, product, "u ⊙ v")


def test_a_pair_that_shares_nothing_has_two_encoders_and_no_difference() -> None:
    network, x = built(share_encoders=False), drawn_rows(PAIR)
    assert (network.reads, len(network.encoders)) == ((0, 1), 2)
    assert network.head.sizes[0] == 2 * H + C
    shared = {id(weight) for weight in network.encoders[0].parameters()}
    assert shared.isdisjoint(map(id, network.encoders[1].parameters()))
    same = x._replace(parts=(x.parts[0], x.parts[0], *x.parts[2:]), lengths=(x.lengths[0],) * 2)
    u, v, _ = parts_of(network, same)
    real = x.lengths[0] > 0
    assert not torch.allclose(u[real], v[real])
    assert_as_by_hand(built(share_encoders=False), x)


def test_three_sequences_of_one_kind_share_an_encoder_and_are_no_pair() -> None:
    encodings = Encodings((WORDS,) * 3, (), (0, 0, 0))
    network = built(encodings)
    assert (network.reads, len(network.encoders)) == ((0, 0, 0), 1)
    assert network.head.sizes[0] == 3 * H
    assert_as_by_hand(network, drawn_rows(encodings))


@every_cell
@every_context
def test_a_row_of_a_batch_is_the_row_alone_in_any_order(cell: str, context: str) -> None:
    network, x = built(THREE, cell=cell, context=context, bidirectional=True), drawn_rows(THREE)
    outputs, state = network(poisoned(x), lengths=x.lengths[0])
    for row in range(B):
        alone, own = network(drawn_alone(x, row))
        assert_near(outputs[row : row + 1], alone, f"row {row}")
        if x.lengths[0][row]:
            for part, its in zip(parts(state), parts(own), strict=True):
                assert_near(part[:, row : row + 1], its, f"state of row {row}")
    order = torch.tensor([3, 0, 4, 2, 1])
    assert_near(network(poisoned(x).select(order))[0], outputs[order], "outputs in another order")


def parts(state: Any) -> list[Tensor]:
    return list(state) if isinstance(state, tuple) else [state]


def drawn_alone(x: PartsInput, row: int) -> PartsInput:
    """Return a row as a batch of its own, with no padding but a step where it has none."""
    one = x.select([row])
    cut = [
        part[: max(1, int(steps))] for part, steps in zip(one.sequences, one.lengths, strict=True)
    ]
    return one._replace(parts=(*cut, *one.context))


def test_a_row_without_steps_is_read_as_zeros_beside_its_context() -> None:
    network, x = built(), drawn_rows(PAIR, ([0, 3], [2, 0]), rows=2)
    u, v, difference, product, _ = parts_of(network, poisoned(x))
    assert not u[0].any()
    assert not v[1].any()
    assert not product.any()
    assert_same_bits(difference[0], v[0].abs(), "|0 − v|")


def test_options_reach_the_encoder_of_every_sequence() -> None:
    network = built(THREE, output_dropout=0.4, dropout_kind="locked", word_dropout=0.2)
    words, sensor = network.encoders
    assert words.output_dropout.p == sensor.output_dropout.p == 0.4
    assert words.inputs.word_dropout == 0.2
    assert sensor.inputs.word_dropout == 0
    assert network.recurrent is words.recurrent
    assert network.inputs is words.inputs
    assert network.pooling is words.pooling
    assert "context_size=11, each=False" in repr(words)


def test_dropout_of_ids_is_refused_where_no_sequence_has_any() -> None:
    sensors = Encodings((SENSOR, SENSOR), (RECORD,), (0, 0))
    with pytest.raises(OptionError, match=r"word_dropout=0\.2 acts on ids, and the input has none"):
        built(sensors, word_dropout=0.2)


def test_sizes_of_the_joined_vectors() -> None:
    assert joined_size([7], [0, 0], 5) == 4 * 7 + 5
    assert joined_size([7, 3], [0, 1], 0) == 10
    assert joined_size([7, 3], [0, 1, 0], 2) == 19
    assert not is_pair([0])


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"highway": 2}, "highway=2 is for an input of one sequence alone, and this one has other"),
        (
            {"cell_options": {"learn_initial_state": True}},
            "context='state' computes the first state from the columns without steps, so that a "
            "learned one would never be used; leave learn_initial_state out",
        ),
    ],
)
def test_options_that_would_be_ignored_are_refused(options: dict[str, Any], words: str) -> None:
    with pytest.raises(OptionError, match=words):
        built(**options)


def test_a_learned_first_state_is_there_where_the_context_comes_at_each_step() -> None:
    network = built(context="each", cell_options={"learn_initial_state": True})
    with torch.no_grad():
        for weight in network.recurrent.parameters():
            weight.uniform_(-1, 1)
    assert network.recurrent.options.learn_initial_state
    assert network(drawn_rows(PAIR))[0].isfinite().all()


@pytest.mark.parametrize(
    ("encodings", "options", "words"),
    [
        (
            Encodings((WORDS, WORDS), (), (0, 0)),
            {"context": "each"},
            "context='each' is for columns beside a sequence, and all of these are sequences, each "
            "with an encoder; leave it out",
        ),
        (
            Encodings((WORDS, WORDS), (), (0, 0)),
            {"context_size": 9},
            "context_size=9 is for columns beside a sequence",
        ),
        (
            Encodings((WORDS, SENSOR), (RECORD,), (0, 1)),
            {"share_encoders": False},
            "share_encoders=False is for several sequences of the same kind and options, and here "
            "no two are read by encoders of their own; leave it out",
        ),
        (WORDS, {"context": "pooled"}, "context='pooled' is for sequences with other columns"),
        (WORDS, {"context_size": 9}, "context_size=9 is for sequences with other columns beside t"),
        (WORDS, {"share_encoders": False}, "share_encoders=False is for sequences with other colu"),
    ],
)
def test_options_of_columns_that_are_not_there_are_refused(
    encodings: Any, options: dict[str, Any], words: str
) -> None:
    with pytest.raises(OptionError, match=words):
        build_network("many-to-one", encodings, Classification(O), hidden_size=H, **options)


def fitting(**changes: Any) -> dict[str, Any]:
    encoder = SequenceEncoder(Inputs(SENSOR), elman.GRU(2, H), MeanPooling())
    parts = {
        "encoders": [encoder],
        "head": elman.MLP([H, O]),
        "objective": Classification(O),
        "reads": [0],
    }
    return parts | changes


@pytest.mark.parametrize(
    ("part", "words"),
    [
        ({"objective": Tagging(O)}, "objective Tagging needs one output a step, and a many-to-one"),
        ({"reads": [0, 1]}, r"reads must name each of the 1 encoders, got \[0, 1\]"),
        ({"reads": []}, r"reads must name each of the 1 encoders, got \[\]"),
    ],
)
def test_parts_that_do_not_fit_are_refused(part: dict[str, Any], words: str) -> None:
    with pytest.raises(OptionError, match=words):
        JoinedToOne(**fitting(**part))


@pytest.mark.parametrize(
    ("recurrent", "words"),
    [
        (elman.GRU(3, H), "needs a recurrent part that reads 2 values a step, time first; got one"),
        (
            elman.GRU(2, H, batch_first=True),
            "needs a recurrent part that reads 2 values a step, ti",
        ),
    ],
)
def test_an_encoder_of_other_sizes_is_refused(recurrent: Any, words: str) -> None:
    with pytest.raises(OptionError, match=words):
        SequenceEncoder(Inputs(SENSOR), recurrent, MeanPooling())


def test_two_layers_of_two_kinds_have_no_first_state_from_a_context() -> None:
    pair = elman.Bidirectional(elman.GRU(2, H), elman.LSTM(2, H))
    with pytest.raises(OptionError, match=r"of one stack of layers, got Bidirectional; use 'each'"):
        SequenceEncoder(Inputs(SENSOR), pair, MeanPooling(), context_size=3)
    each = SequenceEncoder(
        Inputs(SENSOR),
        elman.Bidirectional(elman.GRU(5, H), elman.LSTM(5, H)),
        MeanPooling(),
        context_size=3,
        each=True,
    )
    vector, _ = each(torch.ones(4, 1, 2), torch.tensor([4]), torch.ones(1, 3))
    assert vector.shape == (1, each.size) == (1, 2 * H)


def test_wrong_calls_are_refused() -> None:
    network, x = built(), drawn_rows(PAIR)
    with pytest.raises(OptionError, match="a row of several columns is read from its start; leave"):
        network(x, torch.zeros(1, B, H))
    words = r"reads rows of 2 sequences, as a PartsInput; got \(6, 5\)"
    with pytest.raises(ShapeError, match=words):
        network(x.parts[0])
    with pytest.raises(ShapeError, match="reads rows of 2 sequences, as a PartsInput"):
        network(x._replace(lengths=x.lengths[:1]))
    with pytest.raises(ShapeError, match="a context reads 2 parts without steps and 0 sequences"):
        network(x._replace(parts=x.parts[:3]))
    with pytest.raises(OptionError, match="lengths must lie in 0 … T = 6, got 7 at row 1"):
        network(x._replace(lengths=(torch.tensor([1, 7, 1, 1, 1]), x.lengths[1])))
    assert len(LENGTHS[0]) == B
