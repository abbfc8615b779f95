"""One value to a sequence, its three ways each against the steps done by hand."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor

import elman
from battery import assert_near, assert_same_bits, draw
from elman.errors import OptionError, ShapeError
from elman.features.feature import Encoding
from elman.networks import Attention, Decoder, Inputs, OneToMany
from elman.networks.embedding import embedding
from elman.networks.objectives import ConditionalLanguageModel
from elman.networks.one_to_many import CONDITIONINGS

U, B, H, E, V, I = 4, 5, 7, 3, 8, 2  # noqa: E741 — the axis legend
ROWS = [[2, 7, 0, 5], [1], [], [3, 3], [6, 0, 4]]
TARGET = torch.tensor([row + [-1] * (U - len(row)) for row in ROWS]).t()
SIZES = torch.tensor([len(row) + 1 for row in ROWS])
REAL = torch.arange(U + 1).unsqueeze(1) < SIZES
CELLS: dict[str, Any] = {"simple": elman.SimpleRNN, "lstm": elman.LSTM, "gru": elman.GRU}
every_cell = pytest.mark.parametrize("cell", CELLS)
every_conditioning = pytest.mark.parametrize("conditioning", CONDITIONINGS)


def built(
    conditioning: str,
    cell: str = "gru",
    *,
    encoding: Encoding | None = None,
    feedback: bool = True,
    layers: int = 1,
    size: int = E,
    **options: Any,
) -> OneToMany:
    inputs = Inputs(encoding or Encoding(numbers=I), picture_size=6)
    context = inputs.size if conditioning == "each" else 0
    recurrent = CELLS[cell](size + context, H, num_layers=layers, **options)
    table = embedding(V + 1, size) if feedback else None
    decoder = Decoder(
        recurrent, elman.MLP([H, V + 1]), table, context_size=context, feedback=feedback
    )
    objective = ConditionalLanguageModel(V)
    return OneToMany(inputs, decoder, objective, conditioning=conditioning).double()


def by_hand(network: OneToMany, v: Tensor) -> Tensor:
    """Run the equations of the class over vectors v, (B, I)."""
    recurrent, state = network.decoder.recurrent, None
    if network.conditioning == "first":
        w = torch.eye(v.size(1)) if network.projection is None else network.projection.weight
        _, state = recurrent((v @ w.to(v).t()).unsqueeze(0))
    if network.conditioning == "state":
        assert network.initial_state is not None
        parts = [
            torch.stack([torch.tanh(v @ dense.weight.t() + dense.bias) for dense in denses])
            for denses in zip(*[layer.parts for layer in network.initial_state.layers], strict=True)
        ]
        state = tuple(parts) if len(parts) > 1 else parts[0]
    outputs = []
    for ids in network.objective.teacher_forced(TARGET, B).read:
        table = network.decoder.feedback.table
        read = torch.zeros(B, E).double() if table is None else table(ids)
        if network.conditioning == "each":
            read = torch.cat([read, v], -1)
        hidden, state = recurrent(read.unsqueeze(0), state)
        outputs.append(network.decoder.head(hidden))
    return torch.cat(outputs)


@every_cell
@every_conditioning
@pytest.mark.parametrize("feedback", [True, False])
@pytest.mark.parametrize("layers", [1, 2])
def test_what_is_written_follows_the_equations(
    cell: str, conditioning: str, feedback: bool, layers: int
) -> None:
    network, x = built(conditioning, cell, feedback=feedback, layers=layers), draw(B, I)
    outputs, _ = network(x, target=TARGET)
    assert_near(outputs[REAL], by_hand(network, x)[REAL], "outputs")
    assert bool((outputs[~REAL] == 0).all())


@every_cell
@every_conditioning
def test_it_writes_step_by_step_as_it_learned(cell: str, conditioning: str) -> None:
    network, x = built(conditioning, cell, layers=2), draw(B, I)
    outputs, _ = network(x, target=TARGET)
    state = network.begin(x, torch.ones(B, dtype=torch.int64))
    for u, ids in enumerate(network.objective.teacher_forced(TARGET, B).read):
        one, state = network.step(ids, state)
        assert_near(one[REAL[u]], outputs[u, REAL[u]], f"step {u}")


def test_x_is_the_first_input_itself_where_the_sizes_agree() -> None:
    network, x = built("first", size=I), draw(B, I)
    assert network.projection is None
    assert_near(network(x, target=TARGET)[0][REAL], by_hand(network, x)[REAL], "outputs")


def test_without_feedback_x_comes_first_and_nothing_after_it() -> None:
    network, x = built("first", feedback=False, size=I), draw(B, I)
    outputs, _ = network(x, target=TARGET)
    read = torch.cat([x.unsqueeze(0), torch.zeros(U + 1, B, I).double()])
    hidden, _ = network.decoder.recurrent(read)
    assert_near(outputs[REAL], network.decoder.head(hidden[1:])[REAL], "outputs")


@every_conditioning
def test_a_row_is_written_as_it_is_alone(conditioning: str) -> None:
    network, x = built(conditioning, "lstm"), draw(B, I)
    outputs, _ = network(x, target=TARGET)
    for row, symbols in enumerate(ROWS):
        only, size = slice(row, row + 1), len(symbols)
        alone, _ = network(x[only], target=TARGET[:size, only])
        assert_near(outputs[: size + 1, only], alone, f"row {row}")


@every_conditioning
@pytest.mark.parametrize(
    ("encoding", "x"),
    [
        (Encoding(ids=(18,)), torch.tensor([3, 0, 17, 3, 8])),
        (Encoding(picture=(1, 8, 8)), torch.randn(B, 1, 8, 8).double()),
        (Encoding(numbers=2, ids=(4,)), torch.tensor([[0.5, -1, 3]] * B).double()),
    ],
    ids=["category", "picture", "record"],
)
def test_any_value_is_written_of_and_everything_learns(
    conditioning: str, encoding: Encoding, x: Tensor
) -> None:
    network = built(conditioning, encoding=encoding)
    outputs, _ = network(x, target=TARGET)
    loss = network.objective.loss(outputs, TARGET, torch.ones(B, dtype=torch.int64))
    for gradient in torch.autograd.grad(loss, list(network.parameters())):
        assert bool(gradient.isfinite().all())
        assert bool((gradient != 0).any())


@every_conditioning
def test_gradients_are_those_of_finite_differences(conditioning: str) -> None:
    network, x = built(conditioning), draw(B, I).requires_grad_()
    network.decoder.recurrent.backend = "reference"

    def run(x: Tensor, *_: Tensor) -> Tensor:
        ones = torch.ones(B, dtype=torch.int64)
        return network.objective.loss(network(x, target=TARGET)[0], TARGET, ones)

    assert torch.autograd.gradcheck(run, (x, *network.parameters()), fast_mode=True)


def test_a_learned_initial_state_is_what_the_others_begin_at() -> None:
    for conditioning in ("first", "each"):
        network, x = built(conditioning, learn_initial_state=True), draw(B, I)
        before = network(x, target=TARGET)[0]
        with torch.no_grad():
            network.decoder.recurrent.get_parameter("initial_hidden_l0").fill_(0.5)
        assert not torch.allclose(network(x, target=TARGET)[0], before)
    with pytest.raises(
        OptionError, match="conditioning='state' computes the decoder's initial state"
    ):
        built("state", learn_initial_state=True)


@every_conditioning
def test_it_learns_a_word_for_each_category(conditioning: str) -> None:
    torch.manual_seed(1)
    network = built(conditioning, "lstm", encoding=Encoding(ids=(B,))).float()
    x, ones = torch.arange(B), torch.ones(B, dtype=torch.int64)
    optimizer = torch.optim.Adam(network.parameters(), 0.03)
    for _ in range(120):
        optimizer.zero_grad()
        network.objective.loss(network(x, target=TARGET)[0], TARGET, ones).backward()
        optimizer.step()
    state, ids = network.begin(x), torch.full((B,), V)
    written = []
    for _ in range(U + 1):
        scores, state = network.step(ids, state)
        ids = scores.argmax(-1)
        written.append(ids)
    for row, symbols in enumerate(ROWS):
        found = torch.stack(written)[: len(symbols) + 1, row].tolist()
        assert found == [*symbols, V]


def test_it_says_its_conditioning() -> None:
    assert built("each").extra_repr() == "conditioning='each'"
    assert_same_bits(torch.tensor(OneToMany.writes), torch.tensor(True), "writes")


def decoder_of(inputs: int, **options: Any) -> Decoder:
    return Decoder(elman.GRU(inputs, H), elman.MLP([H, V + 1]), embedding(V + 1, E), **options)


@pytest.mark.parametrize(
    ("decoder", "conditioning", "words"),
    [
        (decoder_of(E), "frist", "unknown conditioning 'frist'; did you mean 'first'"),
        (decoder_of(E), "each", "a context of 2 numbers a step and it reads 0; build it with cont"),
        (decoder_of(E + 2, context_size=2), "state", "a context of 0 numbers a step and it reads"),
        (
            decoder_of(E, attention=Attention("general", H, 4)),
            "first",
            "attention weights the steps of a source, and one value has no steps",
        ),
    ],
)
def test_parts_that_do_not_fit_are_refused(decoder: Decoder, conditioning: str, words: str) -> None:
    inputs = Inputs(Encoding(numbers=I))
    with pytest.raises(OptionError, match=words):
        OneToMany(inputs, decoder, ConditionalLanguageModel(V), conditioning=conditioning)


def test_an_embedding_of_other_symbols_is_refused() -> None:
    inputs = Inputs(Encoding(numbers=I))
    with pytest.raises(OptionError, match=r"has V \+ 1 = 8 symbols"):
        OneToMany(inputs, decoder_of(E), ConditionalLanguageModel(V - 1))


def test_wrong_calls_are_refused() -> None:
    network, x = built("first"), draw(B, I)
    with pytest.raises(OptionError, match="a one-to-many network takes no initial state"):
        network(x, draw(1, B, H), target=TARGET)
    with pytest.raises(ShapeError, match=r"a one-to-many network reads \(B, …\), got \(6, 5, 2\)"):
        network(draw(6, B, I), target=TARGET)
    with pytest.raises(ShapeError, match=r"lengths must be \(B,\) = \(5,\), got 4"):
        network(x, lengths=[1] * 4, target=TARGET)
    with pytest.raises(ShapeError, match=r"target must be \(U, B\) with B = 5"):
        network(x, target=TARGET[:, :4])
