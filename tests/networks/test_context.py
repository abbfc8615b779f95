"""What is beside a sequence: read at each step or in the first state, against torch.nn by hand."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor

import elman
from battery import assert_all_near, assert_near, assert_same_bits
from columns import (
    LABELS,
    PAIR,
    RECORD,
    SENSOR,
    THREE,
    WORDS,
    B,
    Copies,
    context_of,
    drawn_rows,
    gradients,
    poisoned,
    row_of,
    state_of,
    vector_of,
    with_gradients,
)
from elman.batches.batching import Batch
from elman.batches.inputs import PartsInput, SeveralInputs
from elman.batches.streams import windows
from elman.cells import CELLS
from elman.errors import OptionError, ShapeError
from elman.features.feature import Encoding, Encodings
from elman.networks import (
    Bridge,
    Decoder,
    EncoderDecoder,
    Inputs,
    ManyToMany,
    OneToMany,
    OneToOne,
    build_network,
)
from elman.networks.context import ConditionedInputs, Context, beside_each_step
from elman.networks.embedding import embedding
from elman.networks.objectives import CRF, Classification, ConditionalLanguageModel, Tagging
from elman.networks.one_to_many import CONDITIONINGS

H, O, C, V, U = 7, 3, 11, 8, 4  # noqa: E741 — the axis legend; C of the context, V symbols
ROWS = [[2, 7, 0, 5], [1], [], [3, 3], [6, 0, 4]]
TARGET = torch.tensor([row + [-1] * (U - len(row)) for row in ROWS]).t()
SIZES = torch.tensor([len(row) + 1 for row in ROWS])
REAL = torch.arange(U + 1).unsqueeze(1) < SIZES
ALONE = Encodings((), (RECORD, LABELS, Encoding(ids=(6,))))
"""A record, labels and a category, and no sequence."""
every_cell = pytest.mark.parametrize("cell", CELLS)
of_torch = [name for name, family in CELLS.items() if family.variant().torch_function]
every_cell_of_torch = pytest.mark.parametrize("cell", of_torch)
every_context = pytest.mark.parametrize("context", ["state", "each"])
every_conditioning = pytest.mark.parametrize("conditioning", CONDITIONINGS)
both_directions = pytest.mark.parametrize("bidirectional", [False, True])


OBJECTIVES: dict[str, Any] = {
    "many-to-many": Tagging(O),
    "one-to-one": Classification(O),
    "one-to-many": ConditionalLanguageModel(V),
    "encoder-decoder": ConditionalLanguageModel(V),
}


def built(category: str, encodings: Encodings = THREE, **options: Any) -> Any:
    sizes: dict[str, Any] = {"hidden_size": H, "embedding_size": 4}
    if encodings.sequences:
        sizes["context_size"] = C
    return build_network(category, encodings, OBJECTIVES[category], **(sizes | options)).double()


def conditions(network: Any, x: PartsInput, row: int, copies: Copies) -> tuple[Tensor, Any, Tensor]:
    """Return the vectors of a row's steps, the first state and the context, by hand."""
    inputs = network.inputs
    (main, *sequences), others = row_of(x, row)
    c = context_of(inputs.context, sequences, others, copies)
    vectors = vector_of(inputs.main, main)
    if inputs.each:
        return torch.cat([vectors, c.expand(len(main), 1, -1)], -1), None, c
    return vectors, state_of(inputs.beginning, c), c


def compared(network: Any, by_hand: Any, x: PartsInput, run: Any) -> None:
    """Compare outputs and all gradients of a network with those by hand; padding is poisoned."""
    ours, leaves = with_gradients(poisoned(x))
    outputs = run(ours)
    found = {"outputs": outputs, **gradients(outputs, dict(network.named_parameters()), leaves)}
    theirs, leaves = with_gradients(x)
    copies = Copies(network)
    expected = by_hand(network, theirs, copies)
    expected_gradients = gradients(expected, copies.parameters(), leaves)
    assert_all_near(found, {"outputs": expected, **expected_gradients})


def tags_by_hand(network: Any, x: PartsInput, copies: Copies) -> Tensor:
    (head,) = network.head.layers
    outputs = torch.zeros(len(x.parts[0]), B, O, dtype=torch.float64)
    rows = []
    for row in range(B):
        vectors, state, _ = conditions(network, x, row, copies)
        steps = len(vectors)
        hidden = vectors.new_zeros(0, 1, head.in_features)
        if steps:
            hidden, _ = copies.of(network.recurrent)(vectors, state)
        padding = outputs.new_zeros(len(outputs) - steps, O)
        rows.append(torch.cat([(hidden @ head.weight.t() + head.bias)[:, 0], padding]))
    return torch.stack(rows, 1)


@every_cell_of_torch
@both_directions
@every_context
def test_tags_are_those_of_layers_of_torch(cell: str, bidirectional: bool, context: str) -> None:
    network = built(
        "many-to-many", cell=cell, bidirectional=bidirectional, context=context, num_layers=2
    )
    x = drawn_rows(THREE)
    compared(network, tags_by_hand, x, lambda y: network(y, lengths=y.lengths[0])[0])


@pytest.mark.parametrize(
    "encodings",
    [
        Encodings((SENSOR,), (RECORD,), (0,)),
        Encodings((SENSOR, SENSOR), (), (0, 0)),
        Encodings((Encoding(numbers=1, ids=(9, 4)), SENSOR, SENSOR), (LABELS,), (0, 1, 1)),
    ],
    ids=["a record", "another sensor", "aligned columns, two sensors and labels"],
)
def test_tags_of_any_columns_are_those_of_layers_of_torch(encodings: Encodings) -> None:
    network, x = built("many-to-many", encodings), drawn_rows(encodings)
    assert network.inputs.each, "the default"
    compared(network, tags_by_hand, x, lambda y: network(y, lengths=y.lengths[0])[0])


def test_sequences_beside_the_main_one_share_an_encoder_where_they_are_alike() -> None:
    encodings = Encodings((WORDS, SENSOR, SENSOR), (), (0, 1, 1))
    network = built("many-to-many", encodings)
    assert (network.inputs.context.reads, len(network.inputs.context.encoders)) == ((0, 0), 1)
    apart = built("many-to-many", encodings, share_encoders=False)
    assert (apart.inputs.context.reads, len(apart.inputs.context.encoders)) == ((0, 1), 2)
    same = built("many-to-many", PAIR)  # the main one has inputs of its own
    shared = {id(weight) for weight in same.inputs.main.parameters()}
    assert shared.isdisjoint(map(id, same.inputs.context.parameters()))


@every_cell
@every_context
def test_a_row_of_tags_is_the_row_alone_in_any_order(cell: str, context: str) -> None:
    network, x = built("many-to-many", cell=cell, context=context), drawn_rows(THREE)
    outputs, _ = network(poisoned(x), lengths=x.lengths[0])
    for row in range(B):
        one, steps = x.select([row]), int(x.lengths[0][row])
        alone, _ = network(one, lengths=one.lengths[0])
        assert_near(outputs[:steps, row : row + 1], alone[:steps], f"row {row}")
        assert not outputs[steps:, row].any()
    order = torch.tensor([3, 0, 4, 2, 1])
    shuffled, _ = network(x.select(order), lengths=x.lengths[0][order])
    assert_near(shuffled, outputs[:, order], "outputs in another order")


@every_cell
@every_context
@pytest.mark.parametrize("length", [1, 2, 4])
def test_windows_with_the_state_carried_on_are_the_whole(
    cell: str, context: str, length: int
) -> None:
    network, x = built("many-to-many", cell=cell, context=context), drawn_rows(THREE)
    whole, _ = network(x, lengths=x.lengths[0])
    batch = Batch(x, torch.zeros(len(x.parts[0]), B), x.lengths[0])
    found, state = [], None
    for part in windows(batch, length):
        outputs, state = network(
            part.input, state if part.continues else None, lengths=part.lengths
        )
        found.append(outputs)
    assert_near(torch.cat(found), whole, "outputs")


@every_context
def test_a_delay_and_a_field_read_columns_beside_the_steps(context: str) -> None:
    network = build_network(
        "many-to-many", THREE, CRF(O), hidden_size=H, delay=2, context=context
    ).double()
    x = drawn_rows(THREE)
    outputs, _ = network(poisoned(x), lengths=x.lengths[0])
    ahead = x._replace(parts=(x.parts[0].roll(1), *x.parts[1:]))
    assert outputs.isfinite().all()
    assert not torch.allclose(network(ahead, lengths=x.lengths[0])[0], outputs)
    target = torch.zeros(len(outputs), B, dtype=torch.int64)
    real = x.lengths[0] > 0
    loss = network.objective.loss(outputs[:, real], target[:, real], x.lengths[0][real])
    assert loss.isfinite()


def written_by_hand(network: Any, x: PartsInput, copies: Copies) -> Tensor:
    """Run encoder and decoder row by row; the bridge passes the state on as it is."""
    (head,) = network.decoder.head.layers
    table = network.decoder.feedback.table
    rows = []
    for row, symbols in enumerate(ROWS):
        vectors, state, c = conditions(network, x, row, copies)
        if len(vectors):
            _, state = copies.of(network.encoder)(vectors, state)
        read = table.weight[torch.tensor([V, *symbols])].unsqueeze(1)
        if network.inputs.each:
            read = torch.cat([read, c.expand(len(read), 1, -1)], -1)
        hidden, _ = copies.of(network.decoder.recurrent)(read, state)
        padding = hidden.new_zeros(U - len(symbols), V + 1)
        rows.append(torch.cat([(hidden @ head.weight.t() + head.bias)[:, 0], padding]))
    return torch.stack(rows, 1)


@every_cell_of_torch
@every_context
@pytest.mark.parametrize("layers", [1, 2])
def test_what_is_written_is_that_of_layers_of_torch(cell: str, context: str, layers: int) -> None:
    network = built("encoder-decoder", cell=cell, context=context, num_layers=layers)
    assert not network.bridge.dense
    x = drawn_rows(THREE)
    compared(
        network, written_by_hand, x, lambda y: network(y, lengths=y.lengths[0], target=TARGET)[0]
    )


WAYS: dict[str, dict[str, Any]] = {
    "none": {},
    "general": {"attention": "general"},
    "additive": {"attention": "additive"},
    "input feeding": {"attention": "general", "input_feeding": True},
    "no feedback": {"feedback": False},
    "another cell": {"cell": "simple", "hidden_size": 5},
}


@pytest.mark.sampled(5)
@every_cell
@every_context
@both_directions
@pytest.mark.parametrize("way", WAYS)
def test_symbols_are_decoded_one_by_one_as_they_were_learned(
    cell: str, context: str, bidirectional: bool, way: str
) -> None:
    network = built(
        "encoder-decoder",
        cell=cell,
        context=context,
        bidirectional=bidirectional,
        decoder=WAYS[way],
    )
    x = poisoned(drawn_rows(THREE))
    outputs, _ = network(x, lengths=x.lengths[0], target=TARGET)
    assert outputs[REAL].isfinite().all()
    state = network.begin(x, x.lengths[0])
    for u, ids in enumerate(network.objective.teacher_forced(TARGET, B).read):
        one, state = network.step(ids, state)
        assert_near(one[REAL[u]], outputs[u, REAL[u]], f"step {u}")


@every_context
@pytest.mark.parametrize("way", WAYS)
def test_a_row_is_written_as_it_is_alone(context: str, way: str) -> None:
    network = built("encoder-decoder", context=context, bidirectional=True, decoder=WAYS[way])
    x = poisoned(drawn_rows(THREE))
    outputs, _ = network(x, lengths=x.lengths[0], target=TARGET)
    for row, symbols in enumerate(ROWS):
        one, size = x.select([row]), len(symbols)
        alone, _ = network(one, lengths=one.lengths[0], target=TARGET[:size, row : row + 1])
        assert_near(outputs[: size + 1, row : row + 1], alone, f"row {row}")


@every_context
def test_a_source_is_attended_to_beside_its_context(context: str) -> None:
    network = built("encoder-decoder", context=context, decoder={"attention": "dot"})
    x = drawn_rows(THREE)
    weights = network.attend(poisoned(x), lengths=x.lengths[0], target=TARGET)
    expected = (SIZES * (x.lengths[0] > 0)).double()
    assert_near(weights.sum((0, 2)), expected, "weights of a row")
    assert weights.shape == (U + 1, B, len(x.parts[0]))


def one_to_many_by_hand(network: OneToMany, x: PartsInput, copies: Copies) -> Tensor:
    context: Any = network.inputs
    (head,) = network.decoder.head.layers  # a single dense layer
    rows = []
    for row, symbols in enumerate(ROWS):
        v = context_of(context, [], row_of(x, row)[1], copies)
        read = network.decoder.feedback.table.weight[torch.tensor([V, *symbols])].unsqueeze(1)
        state = None
        recurrent = copies.of(network.decoder.recurrent)
        if network.conditioning == "first":
            first = v if network.projection is None else v @ network.projection.weight.t()
            _, state = recurrent(first.unsqueeze(0))
        elif network.conditioning == "state":
            assert network.initial_state is not None
            state = state_of(network.initial_state, v)
        else:
            read = torch.cat([read, v.expand(len(read), 1, -1)], -1)
        hidden, _ = recurrent(read, state)
        padding = hidden.new_zeros(U - len(symbols), V + 1)
        rows.append(torch.cat([(hidden @ head.weight.t() + head.bias)[:, 0], padding]))
    return torch.stack(rows, 1)


@every_cell_of_torch
@every_conditioning
def test_a_sequence_is_written_from_several_columns_as_on_layers_of_torch(
    cell: str, conditioning: str
) -> None:
    network = built("one-to-many", ALONE, cell=cell, decoder={"conditioning": conditioning})
    x = drawn_rows(ALONE)
    compared(network, one_to_many_by_hand, x, lambda y: network(y, target=TARGET)[0])
    outputs, _ = network(x, target=TARGET)
    state = network.begin(x, torch.ones(B, dtype=torch.int64))
    for u, ids in enumerate(network.objective.teacher_forced(TARGET, B).read):
        one, state = network.step(ids, state)
        assert_near(one[REAL[u]], outputs[u, REAL[u]], f"step {u}")


def test_one_answer_is_read_off_several_columns() -> None:
    network, x = built("one-to-one", ALONE, head=[5], hidden_size=6), drawn_rows(ALONE)
    assert isinstance(network, OneToOne)

    def by_hand(network: Any, x: PartsInput, copies: Copies) -> Tensor:
        v = context_of(network.inputs, [], x.context, copies)
        *dense, last = network.mlp.layers
        for layer in dense:
            v = (v @ layer.weight.t() + layer.bias).relu()
        return v @ last.weight.t() + last.bias

    compared(network, by_hand, x, lambda y: network(y)[0])
    order = torch.tensor([3, 0, 4, 2, 1])
    assert_near(network(x.select(order))[0], network(x)[0][order], "rows in another order")


def test_a_picture_is_read_beside_a_record() -> None:
    encodings = Encodings((), (RECORD, Encoding(picture=(1, 6, 6))))
    options: dict[str, Any] = {"picture_size": 13, "embedding_dropout": 0.3, "embedding_size": 4}
    network = build_network("one-to-one", encodings, Classification(O), head=[5], **options)
    record, picture = network.inputs.inputs
    assert (record.size, picture.size) == (6, 13)
    assert (record.embedding_dropout, picture.embedding_dropout) == (0.3, 0.0)
    x = SeveralInputs(0).collate([(torch.ones(3), torch.rand(1, 6, 6)) for _ in range(4)])
    c = network.eval().inputs(x)
    assert_same_bits(c[:, 6:], picture(x.parts[1]), "the picture's vector")


def test_a_context_at_each_step_lies_behind_the_vectors() -> None:
    vectors, c = torch.rand(4, 3, 2), torch.rand(3, 5)
    joined = beside_each_step(vectors, c)
    assert_same_bits(joined[..., :2], vectors, "vectors")
    assert all(torch.equal(step, c) for step in joined[..., 2:])


def test_the_main_sequence_says_what_the_inputs_are() -> None:
    network = built("many-to-many")
    inputs = network.inputs
    assert isinstance(inputs, ConditionedInputs)
    assert inputs.encoding == WORDS
    assert inputs.tables == inputs.main.tables
    assert inputs.is_lone_id
    assert inputs.size == 4 + C
    assert inputs.begin(drawn_rows(THREE)) is None
    assert built("many-to-many", context="state").inputs.size == 4


def test_no_dropout_acts_on_the_columns_beside_a_sequence() -> None:
    options = {"embedding_dropout": 0.5, "word_dropout": 0.4, "input_dropout": 0.3}
    network = built("many-to-many", **options)
    main, context = network.inputs.main, network.inputs.context
    assert (main.embedding_dropout, main.word_dropout, main.dropout.p) == (0.5, 0.4, 0.3)
    for part in context.inputs:
        assert (part.embedding_dropout, part.word_dropout, part.dropout.p) == (0, 0, 0)


@pytest.mark.parametrize("category", ["many-to-many", "encoder-decoder"])
@pytest.mark.parametrize(
    ("options", "words"),
    [
        (
            {"context": "pooled"},
            "context='pooled' joins columns to a pooled vector, and a {category} network has none; "
            "use 'state' or 'each'",
        ),
        (
            {"tie_embeddings": True},
            "tie_embeddings=True is for an input of one sequence alone, and this one has other",
        ),
        (
            {"context": "state", "cell_options": {"learn_initial_state": True}},
            "context='state' computes the first state from the columns without steps, so that a "
            "learned one would never be used; leave learn_initial_state out",
        ),
    ],
)
def test_options_that_would_be_ignored_are_refused(
    category: str, options: dict[str, Any], words: str
) -> None:
    with pytest.raises(OptionError, match=words.format(category=category)):
        built(category, **options)


@pytest.mark.parametrize(
    ("category", "encodings", "options", "words"),
    [
        ("many-to-many", WORDS, {"context": "each"}, "context='each' is for sequences with other"),
        ("encoder-decoder", WORDS, {"context_size": 5}, "context_size=5 is for sequences with oth"),
        ("one-to-one", ALONE, {"context": "each"}, "context='each' is for sequences with other c"),
        ("one-to-many", ALONE, {"context_size": 5}, "context_size=5 is for sequences with other "),
        ("one-to-one", RECORD, {"share_encoders": False}, "share_encoders=False is for sequences"),
        (
            "many-to-many",
            PAIR,
            {"share_encoders": False},
            "share_encoders=False is for several sequences of the same kind and options, and here "
            "no two are read by encoders of their own",
        ),
        (
            "many-to-many",
            Encodings((WORDS,), (), (0,)),
            {"context": "each"},
            "context='each' is for columns beside a sequence, and all of these are sequences",
        ),
    ],
)
def test_options_of_columns_that_are_not_there_are_refused(
    category: str, encodings: Any, options: dict[str, Any], words: str
) -> None:
    with pytest.raises(OptionError, match=words):
        build_network(category, encodings, OBJECTIVES[category], hidden_size=H, **options)


def test_an_embedding_is_not_shared_by_several_columns_and_a_target() -> None:
    with pytest.raises(OptionError, match="share_embeddings uses one embedding for input and targ"):
        built("encoder-decoder", decoder={"share_embeddings": True})


def test_parts_that_do_not_fit_are_refused() -> None:
    with pytest.raises(OptionError, match="a context needs a column beside the sequence, and ther"):
        Context([])
    with pytest.raises(OptionError, match="of a context of 2 values read 3; build them for 2"):
        Context([Inputs(SENSOR)], dense=elman.MLP([3, 4]))
    context = Context([Inputs(SENSOR)])
    assert context.size == 2
    inputs = ConditionedInputs(Inputs(SENSOR), context, each=True)
    encoder, recurrent = elman.GRU(4, 5), elman.GRU(3, 5)
    decoder = Decoder(recurrent, elman.MLP([5, V + 1]), embedding(V + 1, 3))
    objective = ConditionalLanguageModel(V)
    words = (
        "the decoder reads a context of 0 numbers a step, and the inputs give 2, the vector of a "
        "row's columns beside the source; build it with context_size=2"
    )
    with pytest.raises(OptionError, match=words):
        EncoderDecoder(inputs, encoder, Bridge(encoder, recurrent), decoder, objective)
    with pytest.raises(OptionError, match=r"reads 5 values a step and the inputs give 4"):
        ManyToMany(elman.GRU(5, H), elman.MLP([H, O]), inputs=inputs)


def test_wrong_calls_are_refused() -> None:
    x = drawn_rows(THREE)
    network = built("many-to-many")
    words = "a context reads 2 parts without steps and 2 sequences beside the main one, as a Parts"
    for wrong in (x._replace(parts=x.parts[:-1]), x._replace(lengths=x.lengths[:2])):
        with pytest.raises(ShapeError, match=words):
            network(wrong, lengths=x.lengths[0])
    with pytest.raises(ShapeError, match=words):
        network.inputs.context(torch.zeros(3, 2))
