"""A sequence to one of its own length: against torch.nn, against many-to-many, step by step."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor

import elman
from battery import assert_near, assert_same_bits, draw
from elman.convert import from_torch
from elman.errors import DataError, OptionError, ShapeError
from elman.features.feature import Encoding
from elman.networks import Attention, Bridge, Decoder, EncoderDecoder, Inputs
from elman.networks.embedding import embedding
from elman.networks.objectives import ConditionalLanguageModel
from elman.networks.tied import TiedHead

S, U, B, H, E, V, WORDS = 6, 4, 5, 7, 3, 8, 9
LENGTHS = torch.tensor([4, 0, 6, 1, 3])
ROWS = [[2, 7, 0, 5], [1], [], [3, 3], [6, 0, 4]]
TARGET = torch.tensor([row + [-1] * (U - len(row)) for row in ROWS]).t()
SIZES = torch.tensor([len(row) + 1 for row in ROWS])
CELLS: dict[str, Any] = {"simple": elman.SimpleRNN, "lstm": elman.LSTM, "gru": elman.GRU}
ATTENDING: dict[str, dict[str, Any]] = {
    "none": {},
    "general": {"attention": "general"},
    "additive": {"attention": "additive"},
    "input feeding": {"attention": "general", "input_feeding": True},
    "no feedback": {"feedback": False},
}
every_way = pytest.mark.parametrize("way", ATTENDING)


def built(
    encoder: str = "gru",
    decoder: str = "gru",
    *,
    encoding: Encoding | None = None,
    attention: str | None = None,
    layers: int = 1,
    bidirectional: bool = False,
    hidden_size: int = H,
    **options: Any,
) -> EncoderDecoder:
    inputs = Inputs(encoding or Encoding(ids=(WORDS,)), embedding_size=E)
    reads = CELLS[encoder](inputs.size, 5, num_layers=layers, bidirectional=bidirectional)
    size = E + (hidden_size if options.get("input_feeding") else 0)
    writes = CELLS[decoder](size, hidden_size, num_layers=layers)
    attends = attention and Attention(attention, hidden_size, reads.output_size)
    table = embedding(V + 1, E) if options.get("feedback", True) else None
    head = elman.MLP([hidden_size, V + 1])
    part = Decoder(writes, head, table, attention=attends or None, **options)
    network = EncoderDecoder(
        inputs, reads, Bridge(reads, writes), part, ConditionalLanguageModel(V)
    )
    return network.double()


def words() -> Tensor:
    return torch.randint(0, WORDS, (S, B))


def loss_of(network: EncoderDecoder, outputs: Tensor, target: Tensor) -> Tensor:
    ones = torch.ones(outputs.size(1), dtype=torch.int64)
    return network.objective.loss(outputs, target, ones)


@pytest.mark.parametrize("cell", ["lstm", "gru"])
@pytest.mark.parametrize("layers", [1, 2])
def test_without_attention_it_is_two_stacks_of_torch(cell: str, layers: int) -> None:
    kind = {"lstm": torch.nn.LSTM, "gru": torch.nn.GRU}[cell]
    theirs = [kind(E, H, num_layers=layers, dtype=torch.float64) for _ in range(2)]
    encoder, recurrent = (from_torch(stack) for stack in theirs)
    inputs = Inputs(Encoding(ids=(WORDS,)), embedding_size=E)
    table, head = embedding(V + 1, E), torch.nn.Linear(H, V + 1)
    network = EncoderDecoder(
        inputs,
        encoder,
        Bridge(encoder, recurrent),
        Decoder(recurrent, head, table),
        ConditionalLanguageModel(V),
    ).double()
    x = words()
    outputs, state = network(x, lengths=LENGTHS, target=TARGET)
    for row, symbols in enumerate(ROWS):
        length, only = int(LENGTHS[row]), slice(row, row + 1)
        begun = None
        if length:
            _, begun = theirs[0](inputs.tables[0](x[:length, only]))
        read = table(torch.tensor([V, *symbols])).unsqueeze(1)
        hidden, ended = theirs[1](read, begun)
        assert_near(outputs[: len(read), only], head(hidden), f"row {row}")
        assert bool((outputs[len(read) :, row] == 0).all())
        ours, expected = (each if cell == "lstm" else [each] for each in (state.recurrent, ended))
        for our_part, its in zip(ours, expected, strict=True):
            assert_near(our_part[:, only], its, f"state of row {row}")


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("layers", [1, 2])
def test_with_one_set_of_weights_it_is_many_to_many_with_a_delay(cell: str, layers: int) -> None:
    delay = S
    recurrent = CELLS[cell](E, H, num_layers=layers, dtype=torch.float64)
    head, inputs = elman.MLP([H, V + 1]), Inputs(Encoding(ids=(WORDS,)), embedding_size=E)
    network = EncoderDecoder(
        inputs,
        recurrent,
        Bridge(recurrent, recurrent),
        Decoder(recurrent, head, feedback=False),
        ConditionalLanguageModel(V),
    ).double()
    x, target = words(), torch.randint(0, V, (delay, B))
    written, _ = network(x, target=target)
    delayed, _ = elman.ManyToMany(recurrent, head, delay=delay, inputs=inputs)(x)
    assert_near(written[:delay], delayed, "outputs")
    assert_same_bits(network(x, target=target.flip(0))[0], written, "outputs of another target")


@pytest.mark.parametrize("encoder", CELLS)
@pytest.mark.parametrize("decoder", CELLS)
@pytest.mark.parametrize("bidirectional", [False, True])
@every_way
def test_any_cell_writes_after_any_cell_step_by_step_as_it_learned(
    encoder: str, decoder: str, bidirectional: bool, way: str
) -> None:
    network = built(encoder, decoder, bidirectional=bidirectional, layers=2, **ATTENDING[way])
    x = words()
    outputs, _ = network(x, lengths=LENGTHS, target=TARGET)
    read = network.objective.teacher_forced(TARGET, B).read
    state = network.begin(x, LENGTHS)
    for u, ids in enumerate(read):
        one, state = network.step(ids, state)
        alive = u < SIZES
        assert_near(one[alive], outputs[u, alive], f"step {u}")
    gradients = torch.autograd.grad(
        loss_of(network, outputs, TARGET), list(network.parameters()), allow_unused=True
    )
    for (name, _), gradient in zip(network.named_parameters(), gradients, strict=True):
        if gradient is None:  # W of a zero input, the bridge's W of a state that is not read
            assert way == "no feedback"
            continue
        assert bool(gradient.isfinite().all()), name
        vanishes = way == "no feedback" and name == "decoder.recurrent.weight_ih_l0"
        assert bool((gradient != 0).any()) != vanishes, name


@every_way
@pytest.mark.parametrize("bidirectional", [False, True])
def test_a_row_is_written_as_it_is_alone(way: str, bidirectional: bool) -> None:
    network, x = built("lstm", "gru", bidirectional=bidirectional, **ATTENDING[way]), words()
    outputs, _ = network(x, lengths=LENGTHS, target=TARGET)
    for row, symbols in enumerate(ROWS):
        length, size, only = int(LENGTHS[row]), len(symbols), slice(row, row + 1)
        alone, _ = network(x[:length, only], target=TARGET[:size, only])
        assert_near(outputs[: size + 1, only], alone, f"row {row}")
        assert bool((outputs[size + 1 :, only] == 0).all())


@every_way
def test_padding_of_source_and_target_reaches_neither_loss_nor_gradient(way: str) -> None:
    network = built(encoding=Encoding(numbers=2), bidirectional=True, **ATTENDING[way])
    x = draw(S, B, 2)
    found = []
    for poison in (0.0, torch.nan):
        given = x.masked_fill(
            (torch.arange(S).unsqueeze(1) >= LENGTHS).unsqueeze(-1), poison
        ).requires_grad_()
        longer = torch.cat([TARGET, torch.full((2, B), -1)]) if poison else TARGET
        outputs, _ = network(given, lengths=LENGTHS, target=longer)
        loss = loss_of(network, outputs, longer)
        learned = list(network.parameters())
        grads = torch.autograd.grad(loss, [given, *learned], materialize_grads=True)
        found.append([loss, *grads])
    for ours, theirs in zip(*found, strict=True):
        assert_near(ours, theirs, "loss or gradient")


@pytest.mark.parametrize("way", ["general", "input feeding"])
def test_gradients_are_those_of_finite_differences(way: str) -> None:
    network = built(
        "lstm", "gru", encoding=Encoding(numbers=2), bidirectional=True, **ATTENDING[way]
    )
    for stack in (network.encoder, network.decoder.recurrent):
        stack.backend = "reference"

    def run(x: Tensor, *_: Tensor) -> Tensor:
        outputs, _ = network(x, lengths=[2, 3], target=TARGET[:2, [0, 1]])
        return loss_of(network, outputs, TARGET[:2, [0, 1]])

    x = draw(3, 2, 2).requires_grad_()
    assert torch.autograd.gradcheck(run, (x, *network.parameters()), fast_mode=True)


@pytest.mark.parametrize("way", ["general", "input feeding"])
def test_the_weights_of_attention_are_of_real_steps_and_sum_to_one(way: str) -> None:
    network, x = built(**ATTENDING[way]), words()
    weights = network.attend(x, lengths=LENGTHS, target=TARGET)
    assert weights.shape == (U + 1, B, S)
    for row in range(B):
        length, size = int(LENGTHS[row]), int(SIZES[row])
        its = weights[:size, row, :length]
        assert_near(its.sum(-1), torch.full((size,), float(length > 0)).double(), f"row {row}")
        assert float(weights[:, row].sum().detach()) == pytest.approx(size * (length > 0))


def test_weights_are_those_the_outputs_were_made_with() -> None:
    network, x = built(attention="additive"), words()
    weights = network.attend(x, lengths=LENGTHS, target=TARGET)
    read = network.objective.teacher_forced(TARGET, B).read
    state = network.begin(x, LENGTHS)
    assert state.memory is not None
    assert network.decoder.attentional is not None
    hidden, _ = network.decoder.recurrent(network.decoder.feedback.table(read), state.recurrent)
    contexts = torch.einsum("ubs,sbm->ubm", weights, state.memory.values)
    joined = torch.tanh(network.decoder.attentional(torch.cat([contexts, hidden], -1)))
    outputs, _ = network(x, lengths=LENGTHS, target=TARGET)
    real = torch.arange(U + 1).unsqueeze(1) < SIZES
    assert_near(outputs[real], network.decoder.head(joined)[real], "outputs")


def test_one_embedding_may_read_the_source_and_the_target_and_write() -> None:
    inputs = Inputs(Encoding(ids=(V + 1,)), embedding_size=E)
    (table,) = inputs.tables
    encoder, recurrent = elman.GRU(E, E), elman.GRU(E, E)
    decoder = Decoder(recurrent, TiedHead(table, E), table, shares_embedding=True)
    objective = ConditionalLanguageModel(V)
    network = EncoderDecoder(inputs, encoder, Bridge(encoder, recurrent), decoder, objective)
    names = [name for name in network.state_dict() if "recurrent" not in name]
    assert [name for name in names if "encoder" not in name] == [
        "inputs.embeddings.0.weight",
        "decoder.head.bias",
    ]
    with torch.no_grad():
        table.weight.zero_()
    outputs, _ = network(torch.randint(0, V, (S, B)), target=TARGET)
    assert_same_bits(outputs[0], decoder.head.bias.expand(B, -1), "outputs of a table of zeros")


def test_targets_may_all_be_empty() -> None:
    network, x = built(attention="general"), words()
    outputs, _ = network(x, lengths=LENGTHS, target=torch.zeros(0, B, dtype=torch.int64))
    state = network.begin(x, LENGTHS)
    first, _ = network.step(torch.full((B,), network.objective.boundary), state)
    assert_near(outputs[0], first, "outputs")


def reversals(rows: int, length: int) -> tuple[Tensor, Tensor]:
    x = torch.stack([torch.randperm(V)[:length] for _ in range(rows)], 1)
    return x, x.flip(0)


def written_greedily(network: EncoderDecoder, x: Tensor, steps: int) -> Tensor:
    state, ids = network.begin(x), torch.full((x.size(1),), network.objective.boundary)
    written = []
    for _ in range(steps):
        scores, state = network.step(ids, state)
        ids = scores.argmax(-1)
        written.append(ids)
    return torch.stack(written)


@pytest.mark.sampled(3)
@pytest.mark.parametrize(
    ("encoder", "decoder", "options"),
    [
        ("gru", "gru", {}),
        ("lstm", "lstm", {"attention": "dot"}),
        ("gru", "lstm", {"attention": "general", "bidirectional": True}),
        ("lstm", "gru", {"attention": "additive", "input_feeding": True}),
        ("gru", "gru", {"attention": "general", "scheduled_sampling": 0.2}),
    ],
)
def test_it_learns_to_write_a_batch_backwards(
    encoder: str, decoder: str, options: dict[str, Any]
) -> None:
    inputs = Inputs(Encoding(ids=(V,)), embedding_size=16)
    bidirectional, attention = options.pop("bidirectional", False), options.pop("attention", None)
    reads = CELLS[encoder](16, 32, bidirectional=bidirectional)
    writes = CELLS[decoder](16 + (32 if "input_feeding" in options else 0), 32)
    attends = attention and Attention(attention, 32, reads.output_size)
    part = Decoder(
        writes, elman.MLP([32, V + 1]), embedding(V + 1, 16), attention=attends, **options
    )
    objective = ConditionalLanguageModel(V)
    network = EncoderDecoder(inputs, reads, Bridge(reads, writes), part, objective)
    x, target = reversals(16, 5)
    optimizer = torch.optim.Adam(network.parameters(), 0.01)
    for _ in range(120):
        optimizer.zero_grad()
        outputs, _ = network(x, target=target)
        loss_of(network, outputs, target).backward()
        optimizer.step()
    with torch.no_grad():
        written = written_greedily(network.eval(), x, 6)
    assert torch.equal(written[:5], target)
    assert bool((written[5] == V).all())


def fitting() -> dict[str, Any]:
    encoder, recurrent = elman.GRU(E, 5), elman.GRU(E, H)
    return {
        "inputs": Inputs(Encoding(ids=(WORDS,)), embedding_size=E),
        "encoder": encoder,
        "bridge": Bridge(encoder, recurrent),
        "decoder": Decoder(recurrent, elman.MLP([H, V + 1]), embedding(V + 1, E)),
        "objective": ConditionalLanguageModel(V),
    }


def decoder_of(recurrent: Any, **options: Any) -> Decoder:
    return Decoder(recurrent, elman.MLP([H, V + 1]), embedding(V + 1, E), **options)


@pytest.mark.parametrize(
    ("part", "words"),
    [
        ({"encoder": elman.GRU(E, 5, batch_first=True)}, "EncoderDecoder runs time first"),
        ({"encoder": elman.GRU(4, 5)}, "reads 4 values a step and the inputs give 3"),
        (
            {"decoder": decoder_of(elman.GRU(E, H), attention=Attention("general", H, 6))},
            "attention reads 6 values a step and the encoder gives 5; build it with memory_size=5",
        ),
        (
            {"decoder": decoder_of(elman.GRU(E + 2, H), context_size=2)},
            "reads a context of 2 numbers a step, and the inputs give 0",
        ),
        (
            {"decoder": decoder_of(elman.GRU(E, H, learn_initial_state=True))},
            "the bridge computes the decoder's initial state",
        ),
        (
            {"objective": ConditionalLanguageModel(V + 1)},
            r"has V \+ 1 = 10 symbols, .* the decoder's embedding has 9; build it with 10",
        ),
    ],
)
def test_parts_that_do_not_fit_are_refused(part: dict[str, Any], words: str) -> None:
    with pytest.raises(OptionError, match=words):
        EncoderDecoder(**{**fitting(), **part})


def test_wrong_calls_are_refused() -> None:
    network, x = built(), words()
    with pytest.raises(OptionError, match="reads a source from its start; leave state out"):
        network(x, draw(1, B, 5), target=TARGET)
    with pytest.raises(ShapeError, match=r"an encoder–decoder reads \(S, B, …\), got \(5,\)"):
        network(x[0], target=TARGET)
    with pytest.raises(ShapeError, match=r"target must be \(U, B\) with B = 5"):
        network(x, target=TARGET[:, :4])
    with pytest.raises(OptionError, match="must hold ids in 0 … 7, and −1 as padding, got 8"):
        network(x, target=TARGET.clamp(min=8))
    with pytest.raises(DataError, match="row 1 of the target has symbols after a −1"):
        network(x, target=TARGET.flip(0))
    with pytest.raises(OptionError, match="lengths must lie in 0 … T = 6, got 7 at row 2"):
        network(x, lengths=[1, 2, 7, 3, 4], target=TARGET)
    with pytest.raises(OptionError, match="this decoder has no attention"):
        network.attend(x, target=TARGET)
