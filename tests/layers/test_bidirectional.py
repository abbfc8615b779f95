"""Two layers of any types, read from both ends and merged."""

from __future__ import annotations

from itertools import product
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

import elman
from battery import assert_all_near, assert_near, assert_same_bits, draw, gradients
from elman.errors import OptionError, ShapeError

T, B, I, H = 6, 5, 3, 7  # noqa: E741 — the axis legend
LENGTHS = [4, 0, 6, 1, 4]
CELLS = {"simple": elman.SimpleRNN, "lstm": elman.LSTM, "gru": elman.GRU}
MERGED = {
    "concat": lambda a, b: torch.cat([a, b], -1),
    "sum": lambda a, b: a + b,
    "mean": lambda a, b: 0.5 * a + 0.5 * b,
    "mul": lambda a, b: a * b,
}
every_merge = pytest.mark.parametrize("merge", MERGED)


def pair(ahead: str, back: str, merge: str, **options: Any) -> elman.Bidirectional:
    layers = [CELLS[cell](I, H, 2, dtype=torch.float64, **options) for cell in (ahead, back)]
    return elman.Bidirectional(*layers, merge=merge)


def parts_of(state: Any) -> list[Tensor]:
    return [state] if isinstance(state, Tensor) else [p for part in state for p in parts_of(part)]


@every_merge
@pytest.mark.parametrize(("ahead", "back"), list(product(CELLS, repeat=2)))
def test_any_two_types_merge_what_each_reads_from_its_own_end(
    ahead: str, back: str, merge: str
) -> None:
    both = pair(ahead, back, merge)
    x, resets = draw(T, B, I), torch.rand(T, B) < 0.3
    x[torch.arange(T).unsqueeze(1) >= torch.tensor(LENGTHS)] = torch.nan
    output, (forward_state, backward_state) = both(x, lengths=LENGTHS, resets=resets)
    assert output.shape[-1] == both.output_size == (2 * H if merge == "concat" else H)
    for row, length in enumerate(LENGTHS):
        if length == 0:
            assert bool((output[:, row] == 0).all())
            continue
        read = x[:length, row]
        cut = resets[:length, row]
        met_from_behind = torch.cat([cut[:1] & False, cut[1:].flip(0)])
        first, its_state = both.forward_layer(read, resets=cut)
        second, others_state = both.backward_layer(read.flip(0), resets=met_from_behind)
        expected = MERGED[merge](first, second.flip(0))
        assert_near(output[:length, row], expected, f"row {row}")
        assert bool((output[length:, row] == 0).all())
        for state, alone in ((forward_state, its_state), (backward_state, others_state)):
            for part, own in zip(parts_of(state), parts_of(alone), strict=True):
                assert_near(part[:, row], own, f"state of row {row}")


@pytest.mark.parametrize("ragged", [False, True])
@pytest.mark.parametrize(
    ("ours", "theirs"), [(elman.SimpleRNN, nn.RNN), (elman.LSTM, nn.LSTM), (elman.GRU, nn.GRU)]
)
def test_two_layers_of_one_type_concatenated_are_torch_nns_bidirectional_layer(
    ours: Any, theirs: Any, ragged: bool
) -> None:
    peer = theirs(I, H, bidirectional=True, dtype=torch.float64)
    layers = [ours(I, H, dtype=torch.float64) for _ in range(2)]
    both = elman.Bidirectional(*layers)
    for layer, ending in zip(layers, ("_l0", "_l0_reverse"), strict=True):
        names = {name: name.removesuffix("_l0") + ending for name in layer.state_dict()}
        layer.load_state_dict({name: peer.state_dict()[its] for name, its in names.items()})
    lengths = [4, 1, 6, 2, 4] if ragged else None
    x = draw(T, B, I)
    mine, its = x.clone().requires_grad_(), x.clone().requires_grad_()
    output, states = both(mine, lengths=lengths)
    if lengths is None:
        expected, final = peer(its)
    else:
        packed = pack_padded_sequence(its, torch.tensor(lengths), enforce_sorted=False)
        padded, final = peer(packed)
        expected = pad_packed_sequence(padded)[0]
    finals = [torch.stack(parts) for parts in zip(parts_of(final), strict=True)]
    values = {"output": output} | {f"state {i}": p for i, p in enumerate(parts_of(states))}
    by_direction = [part[0][d : d + 1] for d in range(2) for part in finals]
    truth = {"output": expected} | {f"state {i}": p for i, p in enumerate(by_direction)}
    named = dict(both.named_parameters())
    ends = {"forward_layer.": "", "backward_layer.": "_reverse"}
    same = {
        f"{prefix}{name}": peer.get_parameter(name + end)
        for prefix, end in ends.items()
        for name in layers[0].state_dict()
    }
    assert_all_near(
        values | gradients(values, {"x": mine, **{name: named[name] for name in same}}),
        truth | gradients(truth, {"x": its, **same}),
    )


def test_it_carries_the_pair_of_states_it_returns() -> None:
    both = pair("lstm", "gru", "concat")
    x = draw(T, B, I)
    states = both(x)[1]
    output, _ = both(x, states)
    assert_near(output[..., :H], both.forward_layer(x, states[0])[0], "forward")
    expected = both.backward_layer(x.flip(0), states[1])[0].flip(0)
    assert_near(output[..., H:], expected, "backward")


def test_batch_first_means_the_same() -> None:
    both, crossed = pair("lstm", "gru", "sum"), pair("lstm", "gru", "sum", batch_first=True)
    crossed.load_state_dict(both.state_dict())
    x, resets = draw(T, B, I), torch.rand(T, B) < 0.3
    output, states = both(x, lengths=LENGTHS, resets=resets)
    by_row, row_states = crossed(x.transpose(0, 1), lengths=LENGTHS, resets=resets.t())
    assert_same_bits(by_row.transpose(0, 1), output, "output")
    assert all(map(torch.equal, parts_of(row_states), parts_of(states)))


@pytest.mark.parametrize("batch_first", [False, True])
def test_traces_of_both_layers_are_in_the_order_of_time(batch_first: bool) -> None:
    both = pair("lstm", "gru", "concat", batch_first=batch_first)
    x = draw(B, T, I) if batch_first else draw(T, B, I)
    output, _, (ahead, back) = both(x, lengths=LENGTHS, return_trace=True)
    assert_same_bits(ahead[-1][0].state.hidden, output[..., :H], "forward")
    assert_same_bits(back[-1][0].state.hidden, output[..., H:], "backward")
    assert ahead[0][0].gates.f.shape == back[0][0].gates.z.shape == output[..., :H].shape


def test_it_says_its_merge_and_its_parameters() -> None:
    both = elman.Bidirectional(elman.GRU(3, 5), elman.SimpleRNN(3, 5), merge="mul")
    assert both.extra_repr() == "merge='mul', parameters=200"


@pytest.mark.parametrize(
    ("ahead", "back", "merge", "words"),
    [
        (elman.GRU(3, 5), elman.GRU(3, 5), "summ", "unknown merge 'summ'; did you mean 'sum'"),
        (
            elman.GRU(3, 5),
            elman.LSTM(3, 4),
            "mean",
            "merge='mean' needs outputs of one size, got 5 and 4; merge='concat' takes any",
        ),
        (
            elman.GRU(3, 5),
            elman.GRU(4, 5),
            "concat",
            r"Bidirectional needs layers of one input_size, got 3 and 4\.",
        ),
        (
            elman.GRU(3, 5, bidirectional=True),
            elman.GRU(3, 5),
            "concat",
            "Bidirectional joins layers that read one way; one reads both ways",
        ),
        (
            elman.GRU(3, 5, batch_first=True),
            elman.GRU(3, 5),
            "concat",
            "needs both layers batch_first, or neither",
        ),
    ],
)
def test_layers_that_do_not_go_together_are_refused_in_words(
    ahead: Any, back: Any, merge: str, words: str
) -> None:
    with pytest.raises(OptionError, match=words):
        elman.Bidirectional(ahead, back, merge=merge)


def test_one_layer_cannot_be_both() -> None:
    layer = elman.GRU(3, 5)
    with pytest.raises(OptionError, match="needs two layers, each with weights of its own"):
        elman.Bidirectional(layer, layer)


@pytest.mark.parametrize(
    ("x", "state", "words"),
    [
        (torch.zeros(T, I), None, r"input of Bidirectional must be a tensor \(T, B, I\), got \(6"),
        ([1.0], None, r"must be a tensor \(T, B, I\), got a list of 1\."),
        (
            torch.zeros(T, B, I),
            (None, None, None),
            r"the state must be the pair \(forward state, backward state\)\.",
        ),
        (torch.zeros(T, B, 4), None, r"I = 3, got \(6, 5, 4\)\."),
        (
            torch.zeros(T, B, I),
            (torch.zeros(1), None),
            "For batched 3-D input, hx should also be 3-D",
        ),
    ],
)
def test_wrong_inputs_and_states_are_refused_in_words(x: Any, state: Any, words: str) -> None:
    both = elman.Bidirectional(elman.GRU(3, 5), elman.GRU(3, 5))
    with pytest.raises(ShapeError, match=words):
        both(x, state)


def test_wrong_lengths_and_resets_are_refused_in_the_callers_axes() -> None:
    both = elman.Bidirectional(*[elman.GRU(3, 5, batch_first=True) for _ in range(2)])
    x = torch.zeros(B, T, I)
    with pytest.raises(OptionError, match="lengths must lie in 0 … T = 6, got 7 at row 0"):
        both(x, lengths=[7] * B)
    with pytest.raises(ShapeError, match=r"resets must be \(B, T\) = \(5, 6\), got \(6, 5\)\."):
        both(x, resets=torch.zeros(T, B, dtype=torch.bool))


def test_layers_of_another_library_are_refused_with_the_way_in() -> None:
    words = r"got a LSTM; elman\.convert\.from_torch converts torch\.nn's\."
    with pytest.raises(OptionError, match=words):
        elman.Bidirectional(nn.LSTM(I, H), elman.GRU(I, H))  # type: ignore[arg-type]


@pytest.mark.parametrize("batch_first", [False, True])
def test_a_packed_sequence_comes_back_packed_the_same_way(batch_first: bool) -> None:
    both = pair("lstm", "gru", "concat", batch_first=batch_first)
    x, lengths = draw(T, 3, I), torch.tensor([2, 6, 5])
    packed = pack_padded_sequence(x, lengths, enforce_sorted=False)
    output, states = both(packed)
    arranged = x.transpose(0, 1) if batch_first else x
    padded, expected_states = both(arranged, lengths=lengths)
    unpacked, _ = pad_packed_sequence(output, batch_first=batch_first)
    assert_same_bits(unpacked, padded, "output")
    for mine, other in zip(parts_of(states), parts_of(expected_states), strict=True):
        assert_same_bits(mine, other, "state")
    with pytest.raises(OptionError, match="brings its lengths"):
        both(packed, lengths=lengths)


@pytest.mark.parametrize("batch_first", [False, True])
def test_packed_traces_are_packed_as_the_outputs_are(batch_first: bool) -> None:
    both = pair("lstm", "gru", "concat", batch_first=batch_first)
    packed = pack_padded_sequence(draw(T, 3, I), torch.tensor([2, 6, 5]), enforce_sorted=False)
    output, _, (ahead, back) = both(packed, return_trace=True)
    assert_same_bits(ahead[-1][0].state.hidden.data, output.data[:, :H], "forward")
    assert_same_bits(back[-1][0].state.hidden.data, output.data[:, H:], "backward")


def test_a_packed_call_is_one_call_to_whoever_hooks_the_layer() -> None:
    both, calls = pair("gru", "gru", "sum"), []
    both.register_forward_pre_hook(lambda *_: calls.append(1))
    both(pack_padded_sequence(draw(T, 2, I), torch.tensor([6, 2])))
    assert calls == [1]


@pytest.mark.parametrize("depths", [(2, 2), (2, 1)], ids=str)
def test_one_after_the_other_or_at_once_the_layers_answer_the_same(
    depths: tuple[int, int],
) -> None:
    layers = [
        elman.LSTM(I, H, depths[0], dtype=torch.float64, zoneout=0.2).eval(),
        elman.GRU(I, H, depths[1], dtype=torch.float64, learn_initial_state=True).eval(),
    ]
    both, calls = elman.Bidirectional(*layers), []
    x, resets = draw(T, B, I), torch.rand(T, B) < 0.3
    found = both(x, lengths=LENGTHS, resets=resets)
    for layer in layers:
        layer.register_forward_hook(lambda *_: calls.append(1))
    output, states = both(x, lengths=LENGTHS, resets=resets)
    assert calls == [1, 1]
    assert_near(found[0], output, "output")
    for mine, other in zip(parts_of(found[1]), parts_of(states), strict=True):
        assert_near(mine, other, "state")


def test_a_hook_that_makes_the_weights_is_called() -> None:
    both = pair("gru", "gru", "sum")
    x = draw(T, B, I)
    before = both(x)[0]

    def double(layer: Any, _: Any) -> None:
        with torch.no_grad():
            layer.weight_hh_l0.mul_(2)

    both.backward_layer.register_forward_pre_hook(double)
    assert not torch.equal(both(x)[0], before)


def test_two_cells_take_one_operator_a_layer() -> None:
    both, called = pair("lstm", "gru", "concat"), []

    def listen(graph: Any, _: Any) -> Any:
        called.extend(node.target for node in graph.graph.nodes)
        return graph

    torch.compile(both, fullgraph=True, backend=listen)(draw(T, B, I))
    assert called.count(torch.ops.elman.recurrence) == 2
