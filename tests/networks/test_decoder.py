"""The part that writes: all steps at once, one by one, and every equation by hand."""

from __future__ import annotations

import copy
from typing import Any

import pytest
import torch
from torch import Tensor

import elman
from battery import assert_near, assert_same_bits, draw
from elman.errors import OptionError, ShapeError
from elman.networks.attention import Attention
from elman.networks.decoder import Decoder, DecoderState
from elman.networks.embedding import embedding
from elman.networks.tied import TiedHead

U, S, B, E, H, M, C, V = 5, 6, 4, 3, 7, 5, 2, 8
LENGTHS = torch.tensor([3, 5, 1, 4])
ENDED = torch.arange(U).unsqueeze(1) >= LENGTHS
SOURCE = torch.tensor([6, 0, 4, 1])
CELLS: dict[str, Any] = {"simple": elman.SimpleRNN, "lstm": elman.LSTM, "gru": elman.GRU}
VARIANTS: dict[str, dict[str, Any]] = {
    "plain": {},
    "attention": {"attention": "general"},
    "additive": {"attention": "additive"},
    "input feeding": {"attention": "general", "input_feeding": True},
    "context": {"context_size": C},
    "all": {"attention": "additive", "input_feeding": True, "context_size": C},
    "without feedback": {"feedback": False},
    "attention without feedback": {"feedback": False, "attention": "general"},
}
every_variant = pytest.mark.parametrize("variant", VARIANTS)
every_cell = pytest.mark.parametrize("cell", CELLS)


def built(cell: str = "gru", *, sizes: Any = H, attention: Any = None, **options: Any) -> Decoder:
    hidden = sizes[-1] if isinstance(sizes, list) else sizes
    feedback = options.get("feedback", True)
    size = E + options.get("context_size", 0) + (hidden if options.get("input_feeding") else 0)
    layer = {
        name: options.pop(name) for name in ("recurrent_dropout", "zoneout") if name in options
    }
    recurrent = CELLS[cell](size, sizes, **layer)
    head = elman.MLP([hidden, 4, V + 1])
    table = embedding(V + 1, E) if feedback else None
    attends = None if attention is None else Attention(attention, hidden, M)
    return Decoder(recurrent, head, table, attention=attends, **options).double()


def source(rows: int = B) -> Tensor:
    """Draw what is attended to; its padding is poisoned with NaN."""
    values = draw(S, rows, M)
    values[torch.arange(S).unsqueeze(1) >= SOURCE[:rows]] = torch.nan
    return values


def beginning(decoder: Decoder, rows: int = B) -> DecoderState:
    """Draw a state to begin at."""
    with torch.no_grad():
        recurrent = decoder.recurrent(draw(2, rows, decoder.recurrent.input_size))[1]
    attention = decoder.attention
    memory = None if attention is None else attention.read(source(rows), SOURCE[:rows])
    context = draw(1, rows, C) if decoder.context_size else None
    return DecoderState(recurrent, memory, context)


def ids() -> Tensor:
    return torch.randint(0, V + 1, (U, B))


def tensors_of(state: Any) -> list[Tensor]:
    if isinstance(state, Tensor):
        return [state]
    return [] if state is None else [each for part in state for each in tensors_of(part)]


def one_row(state: Any, row: int) -> Any:
    """Take one row out of a state: the batch is axis 1 of every tensor."""
    if state is None or isinstance(state, Tensor):
        return None if state is None else state[:, row : row + 1]
    parts = [one_row(part, row) for part in state]
    return type(state)(*parts) if hasattr(state, "_fields") else type(state)(parts)


@every_variant
@every_cell
def test_all_steps_at_once_are_the_steps_one_by_one(cell: str, variant: str) -> None:
    decoder, symbols = built(cell, **VARIANTS[variant]), ids()
    state = beginning(decoder)
    outputs, ended = decoder(symbols, state)
    for t in range(U):
        one, state = decoder.step(symbols[t], state)
        assert_near(one, outputs[t], f"step {t}")
    parts = ((each.recurrent, each.fed) for each in (state, ended))
    for ours, theirs in zip(*map(tensors_of, parts), strict=True):
        assert_near(ours, theirs, "state")


@every_variant
@pytest.mark.parametrize("sizes", [H, [4, H]], ids=str)
def test_a_row_is_what_it_is_alone_and_zero_after_its_end(variant: str, sizes: Any) -> None:
    decoder, symbols = built("lstm", sizes=sizes, **VARIANTS[variant]), ids()
    state = beginning(decoder)
    outputs, ended = decoder(symbols, state, lengths=LENGTHS)
    assert bool((outputs[ENDED] == 0).all())
    for row, length in enumerate(LENGTHS.tolist()):
        only = slice(row, row + 1)
        alone, its_end = decoder(symbols[:length, only], one_row(state, row))
        assert_near(outputs[:length, only], alone, f"row {row}")
        ours, theirs = (tensors_of(each.recurrent) for each in (one_row(ended, row), its_end))
        for our_part, their_part in zip(ours, theirs, strict=True):
            assert_near(our_part, their_part, f"state of row {row}")


@every_variant
def test_what_stands_in_the_padding_reaches_nothing(variant: str) -> None:
    decoder, symbols = built(**VARIANTS[variant]), ids()
    state = beginning(decoder)
    others = symbols.where(~ENDED, torch.randint(0, V + 1, (U, B)))
    found = []
    for given in (symbols, others):
        outputs, _ = decoder(given, state, lengths=LENGTHS)
        loss = outputs.square().sum()
        grads = torch.autograd.grad(
            loss, list(decoder.parameters()), retain_graph=True, materialize_grads=True
        )
        found.append([outputs, *grads])
    for ours, theirs in zip(*found, strict=True):
        assert_near(ours, theirs, "output or gradient")


def test_with_attention_and_input_feeding_every_step_is_its_equations() -> None:
    decoder, symbols = built(attention="general", input_feeding=True), ids()
    state = beginning(decoder)
    outputs, ended = decoder(symbols, state)
    assert state.memory is not None
    assert state.memory.real is not None
    assert decoder.attentional is not None
    key, weight = decoder.attention.key.weight, decoder.attentional.weight
    for row in range(B):
        m = state.memory.values[: SOURCE[row], row]
        hidden, fed = state.recurrent[:, row : row + 1], torch.zeros(H, dtype=torch.float64)
        for t in range(U):
            v = torch.cat([decoder.feedback.embedding.weight[symbols[t, row]], fed])
            h, hidden = decoder.recurrent(v.reshape(1, 1, -1), hidden)
            energies = (m @ key.t()) @ h[0, 0]
            context = energies.softmax(0) @ m
            fed = torch.tanh(weight @ torch.cat([context, h[0, 0]]))
            assert_near(outputs[t, row], decoder.head(fed), f"output {t} of row {row}")
        assert ended.fed is not None
        assert_near(ended.fed[0, row], fed, f"what row {row} feeds")


def test_without_input_feeding_the_recurrence_is_one_call_and_attention_one_product() -> None:
    decoder = built(attention="general")
    calls: list[tuple[str, int]] = []
    for name in ("recurrent", "attention", "head"):
        part = getattr(decoder, name)
        part.register_forward_hook(
            lambda _, given, __, name=name: calls.append((name, len(given[0])))
        )
    decoder(ids(), beginning(decoder))
    calls = calls[1:]  # the first made the state to begin at
    assert calls == [("recurrent", U), ("attention", U), ("head", U)]


def test_without_feedback_an_output_depends_on_the_state_alone() -> None:
    decoder = built(feedback=False)
    state = beginning(decoder)
    outputs, _ = decoder(ids(), state)
    assert_same_bits(decoder(ids(), state)[0], outputs, "outputs of other symbols")
    hidden, _ = decoder.recurrent(torch.zeros(U, B, E).double(), state.recurrent)
    assert_near(outputs, decoder.head(hidden), "outputs")
    with torch.no_grad():
        decoder.recurrent.weight_ih_l0.normal_()
    assert_near(decoder(ids(), state)[0], outputs, "W v vanishes")


def test_the_context_is_read_at_every_step() -> None:
    decoder, symbols = built(context_size=C), ids()
    state = beginning(decoder)
    assert state.context is not None
    assert decoder.feedback.embedding is not None
    vectors = decoder.feedback.embedding(symbols)
    read = torch.cat([vectors, state.context.expand(U, B, C)], -1)
    expected = decoder.head(decoder.recurrent(read, state.recurrent)[0])
    assert_near(decoder(symbols, state)[0], expected, "outputs")


def test_weights_of_attention_sum_to_one_over_what_is_real() -> None:
    for variant in ("additive", "all"):
        decoder = built(**VARIANTS[variant])
        weights = decoder.attend(ids(), beginning(decoder), lengths=LENGTHS)
        expected = (~ENDED & (SOURCE > 0)).double()
        assert_near(weights.sum(-1), expected, "sums")
        assert bool((weights[..., 1:][:, 3] == 0).all())
        assert weights.shape == (U, B, S)


@every_variant
def test_gradients_are_those_of_finite_differences(variant: str) -> None:
    decoder, symbols = built(**VARIANTS[variant]), ids()[:3, :2]
    decoder.recurrent.backend = "reference"
    state, values = beginning(decoder, 2), source(2)

    def run(hidden: Tensor, *_: Tensor) -> Tensor:
        begun = state._replace(recurrent=hidden)
        if decoder.attention is not None:
            begun = begun._replace(memory=decoder.attention.read(values, SOURCE[:2]))
        answer: Tensor = decoder(symbols, begun, lengths=torch.tensor([3, 2]))[0]
        return answer

    hidden = state.recurrent.requires_grad_()
    assert torch.autograd.gradcheck(run, (hidden, *decoder.parameters()), fast_mode=True)


@pytest.mark.parametrize("options", [{}, {"attention": "general"}], ids=str)
def test_scheduled_sampling_of_hardly_anything_is_teacher_forcing(options: dict[str, Any]) -> None:
    decoder, symbols = built(scheduled_sampling=1e-12, **options), ids()
    state = beginning(decoder)
    in_turn, ended = decoder.train()(symbols, state, lengths=LENGTHS)
    at_once, its_end = decoder.eval()(symbols, state, lengths=LENGTHS)
    assert_near(in_turn, at_once, "outputs")
    assert_near(ended.recurrent, its_end.recurrent, "state")


def test_scheduled_sampling_reads_the_likeliest_symbol_of_the_step_before() -> None:
    decoder = built(scheduled_sampling=1 - 1e-12, own_symbols="likeliest", attention="additive")
    symbols, state = ids(), beginning(decoder)
    outputs, _ = decoder.train()(symbols, state)
    own, at = symbols[0], state
    for t in range(U):
        one, at = decoder.eval().step(own, at)
        assert_near(outputs[t], one, f"step {t}")
        own = one.argmax(-1)


def test_scheduled_sampling_is_of_training_alone_and_lets_gradients_through_the_rest() -> None:
    decoder, symbols = built(scheduled_sampling=0.5), ids()
    state = beginning(decoder)
    outputs = decoder.train()(symbols, state)[0]
    grads = torch.autograd.grad(outputs.square().sum(), list(decoder.parameters()))
    assert all(bool((gradient != 0).any()) for gradient in grads)
    calm = decoder.eval()(symbols, state)[0]
    decoder.scheduled_sampling = 0.0
    assert_same_bits(decoder(symbols, state)[0], calm, "outputs in evaluation")


@pytest.mark.parametrize(
    "options",
    [
        {"embedding_dropout": 0.5},
        {"word_dropout": 0.5},
        {"input_dropout": 0.5},
        {"output_dropout": 0.5},
        {
            "word_dropout": 0.3,
            "embedding_dropout": 0.3,
            "input_dropout": 0.3,
            "output_dropout": 0.3,
        },
    ],
    ids=str,
)
def test_what_is_dropped_is_the_same_at_once_and_one_by_one(options: dict[str, Any]) -> None:
    decoder, symbols = built(**options), ids()
    state = beginning(decoder)
    torch.manual_seed(5)
    at_once = decoder(symbols, state)[0]
    decoder.scheduled_sampling = 1e-12
    torch.manual_seed(5)
    assert_near(decoder(symbols, state)[0], at_once, "outputs")
    calm = decoder.eval()(symbols, state)[0]
    assert not torch.allclose(at_once, calm)


def test_what_is_dropped_is_dropped_for_a_whole_sequence() -> None:
    decoder = built(input_dropout=0.5, output_dropout=0.5, embedding_dropout=0.5, context_size=C)
    seen: dict[str, Tensor] = {}
    for name in ("recurrent", "head"):
        part = getattr(decoder, name)
        part.register_forward_pre_hook(lambda _, given, name=name: seen.update({name: given[0]}))
    state = beginning(decoder.eval())
    decoder.train()(torch.full((U, B), 3), state)
    for given in seen.values():
        kept = given != 0
        assert bool((kept == kept[0]).all())
        assert bool(kept.any())
        assert not bool(kept.all())


def test_unknown_symbols_stand_for_what_word_dropout_drops() -> None:
    decoder = built(word_dropout=0.5)
    seen: list[Tensor] = []
    decoder.recurrent.register_forward_pre_hook(lambda _, given: seen.append(given[0]))
    decoder(torch.full((200, B), 3), beginning(decoder))
    assert decoder.feedback.embedding is not None
    table = decoder.feedback.embedding.weight
    dropped = (seen[-1] == table[0]).all(-1)
    assert bool((dropped | (seen[-1] == table[3]).all(-1)).all())
    assert 0.4 < float(dropped.double().mean()) < 0.6


def test_a_tied_head_writes_with_the_embedding_it_reads_with() -> None:
    table = embedding(V + 1, E)
    decoder = Decoder(elman.GRU(E, E), TiedHead(table, E), table)
    assert [name for name in decoder.state_dict() if "recurrent" not in name] == [
        "head.bias",
        "feedback.embedding.weight",
    ]
    twin = copy.deepcopy(decoder)
    with torch.no_grad():
        assert twin.feedback.embedding is not None
        twin.feedback.embedding.weight.zero_()
    outputs, _ = twin(ids(), DecoderState(None))
    assert bool((outputs == twin.head.bias).all())
    assert bool((decoder(ids(), DecoderState(None))[0] != 0).any())


def test_a_shared_embedding_is_saved_by_the_part_it_belongs_to() -> None:
    table = embedding(V + 1, E)
    decoder = Decoder(elman.GRU(E, H), elman.MLP([H, V + 1]), table, shares_embedding=True)
    assert decoder.feedback.table is table
    assert not [name for name in decoder.state_dict() if "embedding" in name]
    assert all(weight is not table.weight for weight in decoder.parameters())


def test_no_steps_give_no_outputs_and_leave_the_state() -> None:
    for variant in VARIANTS.values():
        decoder = built(**variant)
        state = beginning(decoder)
        outputs, ended = decoder(ids()[:0], state)
        assert outputs.shape == (0, B, V + 1)
        assert_same_bits(ended.recurrent, state.recurrent, "state")


def test_it_says_what_it_feeds_back() -> None:
    decoder = built(attention="general", input_feeding=True, scheduled_sampling=0.25)
    assert decoder.extra_repr() == "input_feeding=True, context_size=0, scheduled_sampling=0.25"


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"input_feeding": True}, "it needs an attention and feedback=True"),
        ({"attention": Attention("general", 6, M)}, "build it with query_size=7"),
        ({"context_size": 2}, "reads 3 values a step and gets 3 of a symbol \\+ 2 of the con"),
        ({"embedding": None}, "got feedback=True and no embedding"),
        ({"feedback": False}, "got feedback=False and an embedding"),
        ({"own_symbols": "likely"}, "unknown own_symbols 'likely'; did you mean 'likeliest'"),
        ({"word_dropout": 1}, r"word_dropout must lie in \[0, 1\), got 1"),
        ({"scheduled_sampling": -1}, r"scheduled_sampling must lie in \[0, 1\), got -1"),
        ({"recurrent": elman.GRU(E, H, bidirectional=True)}, "runs from the first step to the"),
        (
            {"recurrent": torch.nn.GRU(E, H)},
            "give it a unidirectional elman.SimpleRNN, LSTM or GRU",
        ),
        ({"recurrent": elman.GRU(E, H, batch_first=True)}, "a decoder runs time first"),
        (
            {"recurrent": elman.GRU(E, H, recurrent_dropout=0.1), "scheduled_sampling": 0.1},
            "recurrent_dropout=0.1 uses one mask a sequence, and with input_feeding or",
        ),
    ],
)
def test_parts_that_do_not_fit_are_refused(options: dict[str, Any], words: str) -> None:
    parts = {"recurrent": elman.GRU(E, H), "embedding": embedding(V + 1, E), **options}
    with pytest.raises(OptionError, match=words):
        Decoder(head=elman.MLP([H, V + 1]), **parts)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"word_dropout": 0.1}, "word_dropout=0.1 acts on previous symbols, and with feedback"),
        ({"embedding_dropout": 0.1}, "embedding_dropout=0.1 acts on previous symbols"),
        ({"scheduled_sampling": 0.1}, "feeds the model's own symbols back, and feedback=False fee"),
        ({"attention": "general", "input_feeding": True}, "it needs an attention and feedback=Tr"),
    ],
)
def test_what_feeds_back_is_refused_without_feedback(options: dict[str, Any], words: str) -> None:
    with pytest.raises(OptionError, match=words):
        built(feedback=False, **options)


def test_a_probability_set_later_is_checked_as_the_first() -> None:
    decoder = built(recurrent_dropout=0.1)
    with pytest.raises(OptionError, match="uses one mask a sequence"):
        decoder.scheduled_sampling = 0.5


def test_wrong_ids_and_states_are_refused() -> None:
    decoder = built()
    state = beginning(decoder)
    with pytest.raises(ShapeError, match=r"ids must be \(U, B\), int64, got \(4,\)"):
        decoder(ids()[0], state)
    with pytest.raises(ShapeError, match=r"ids must be \(U, B\), int64, got .* torch.float64"):
        decoder(ids().double(), state)
    with pytest.raises(ShapeError, match=r"ids must be \(N,\), one a row, got \(5, 4\)"):
        decoder.step(ids(), state)
    for wrong in (-1, V + 1):
        words = f"ids must lie in 0 … {V}, the boundary, got {wrong}"
        with pytest.raises(OptionError, match=words):
            decoder.step(torch.tensor([0, 1, wrong, 2]), state)
    with pytest.raises(
        ShapeError, match=r"context must be \(1, B, C\) = \(1, 4, 0\), got \(1, 4, 2"
    ):
        decoder(ids(), state._replace(context=draw(1, B, C)))
    with pytest.raises(
        ShapeError, match=r"context must be \(1, B, C\) = \(1, 4, 2\), got \(1, 4, 0"
    ):
        built(context_size=C)(ids(), state)
    with pytest.raises(
        ShapeError, match="the state of a decoder must have a memory with attention"
    ):
        built(attention="general")(ids(), state)
    with pytest.raises(OptionError, match="this decoder has no attention; build it with one"):
        decoder.attend(ids(), state)
