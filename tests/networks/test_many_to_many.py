"""Many-to-many, synchronous and with a delay, against the steps done by hand."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor

import elman
from battery import assert_near, assert_same_bits, draw
from elman.errors import OptionError, ShapeError
from elman.features.feature import Encoding
from elman.networks import Inputs
from elman.networks.objectives import Classification, Tagging

T, B, I, H, O = 6, 5, 3, 7, 2  # noqa: E741 — the axis legend
LENGTHS = [4, 0, 6, 1, 3]
CELLS = {"simple": elman.SimpleRNN, "lstm": elman.LSTM, "gru": elman.GRU}
every_cell = pytest.mark.parametrize("cell", CELLS)
every_delay = pytest.mark.parametrize("delay", [0, 1, 3, T + 2])


def network(cell: str, delay: int, **options: Any) -> elman.ManyToMany:
    recurrent = CELLS[cell](I, H, dtype=torch.float64, **options)
    head = elman.MLP([recurrent.output_size, 4, O], dtype=torch.float64)
    return elman.ManyToMany(recurrent, head, delay=delay)


def parts_of(state: Any) -> list[Tensor]:
    return list(state) if isinstance(state, tuple) else [state]


@every_delay
@every_cell
@pytest.mark.parametrize("options", [{}, {"num_layers": 2, "bidirectional": True}], ids=str)
def test_an_output_is_what_the_head_reads_d_steps_after_the_input(
    cell: str, delay: int, options: dict[str, Any]
) -> None:
    net, x = network(cell, delay, **options), draw(T, B, I)
    output, state = net(x)
    hidden, expected_state = net.recurrent(torch.cat([x, torch.zeros(delay, B, I).double()]))
    assert_near(output, net.head(hidden[delay:]), "output")
    for part, its in zip(parts_of(state), parts_of(expected_state), strict=True):
        assert_same_bits(part, its, "state after T + d steps")


@every_delay
@every_cell
def test_after_the_last_input_the_state_goes_on_from_itself_alone(cell: str, delay: int) -> None:
    net, x = network(cell, delay), draw(T, B, I)
    state = None
    written: list[Tensor] = []
    for t in range(T + delay):
        net.recurrent.get_parameter("weight_ih_l0").requires_grad_(t < T)
        frame = x[t : t + 1] if t < T else torch.zeros(1, B, I, dtype=torch.float64)
        hidden, state = net.recurrent(frame, state)
        written.append(hidden)
    assert_near(net(x)[0], net.head(torch.cat(written)[delay : delay + T]), "output")
    alone = torch.zeros(1, B, I, dtype=torch.float64)
    _, before = net.recurrent(x)
    once = net.recurrent(alone, before)[0]
    with torch.no_grad():
        net.recurrent.get_parameter("weight_ih_l0").zero_()
    assert_near(net.recurrent(draw(1, B, I), before)[0], once, "W x vanishes")


@every_delay
@every_cell
@pytest.mark.parametrize("options", [{}, {"bidirectional": True}], ids=str)
def test_a_ragged_batch_is_its_rows_run_alone_and_padding_is_never_read(
    cell: str, delay: int, options: dict[str, Any]
) -> None:
    net, x = network(cell, delay, **options), draw(T, B, I)
    ended = torch.arange(T).unsqueeze(1) >= torch.tensor(LENGTHS)
    x[ended] = torch.nan
    x.requires_grad_()
    output, state = net(x, lengths=LENGTHS)
    assert bool((output[ended] == 0).all())
    for row, length in enumerate(LENGTHS):
        alone, its_state = net(x[:length, row : row + 1])
        assert_near(output[:length, row : row + 1], alone, f"row {row}")
        for part, its in zip(parts_of(state), parts_of(its_state), strict=True):
            assert_near(part[:, row : row + 1], its, f"state of row {row}")
    grads = torch.autograd.grad(output.square().sum(), [x, *net.parameters()])
    assert all(bool(gradient.isfinite().all()) for gradient in grads)
    assert bool((grads[0][ended] == 0).all())
    assert bool((grads[0][~ended] != 0).any(-1).all())


@every_delay
@every_cell
def test_an_output_has_seen_its_input_and_d_more_and_nothing_beyond(cell: str, delay: int) -> None:
    net, x = network(cell, delay), draw(T, B, I).requires_grad_()
    output = net(x)[0]
    for t in range(T):
        (gradient,) = torch.autograd.grad(output[t].sum(), x, retain_graph=True)
        seen = gradient.abs().sum((1, 2)) > 0
        assert seen.tolist() == [s <= t + delay for s in range(T)], f"output {t}"


@every_delay
@pytest.mark.parametrize(("steps", "lengths"), [(0, None), (0, [0] * B), (T, [0] * B)])
@every_cell
def test_without_an_input_there_is_no_output_and_the_state_stays(
    cell: str, delay: int, steps: int, lengths: list[int] | None
) -> None:
    net = network(cell, delay)
    state = tuple(draw(1, B, H) for _ in range(2 if cell == "lstm" else 1))
    given = state if cell == "lstm" else state[0]
    output, final = net(draw(steps, B, I), given, lengths=lengths)
    assert_same_bits(output, torch.zeros(steps, B, O).double(), "output")
    for before, after in zip(state, parts_of(final), strict=True):
        assert_same_bits(after, before, "state")


def test_a_state_is_where_it_starts_from() -> None:
    net, x = network("gru", 0), draw(T, B, I)
    whole, final = net(x)
    early, state = net(x[:2])
    late, state = net(x[2:], state)
    assert_near(torch.cat([early, late]), whole, "output")
    assert_near(state, final, "state")


@pytest.mark.parametrize("delay", [0, 2])
def test_two_layers_of_unlike_types_may_read_from_both_ends(delay: int) -> None:
    both = elman.Bidirectional(
        elman.LSTM(I, H, dtype=torch.float64), elman.GRU(I, 4, dtype=torch.float64)
    )
    net = elman.ManyToMany(both, elman.MLP([11, O], dtype=torch.float64), delay=delay)
    x = draw(T, B, I)
    hidden, _ = both(torch.cat([x, torch.zeros(delay, B, I).double()]))
    assert_near(net(x)[0], net.head(hidden[delay:]), "output")


def test_it_says_its_delay() -> None:
    assert network("gru", 3).extra_repr() == "delay=3"


@pytest.mark.parametrize("delay", [-1, 1.0, True, "1", None])
def test_a_delay_that_is_no_whole_number_of_at_least_zero_is_refused(delay: Any) -> None:
    with pytest.raises(
        OptionError, match=rf"delay must be a whole number of at least 0, got {delay!r}\."
    ):
        elman.ManyToMany(elman.GRU(I, H), elman.MLP([H, O]), delay=delay)


def test_a_layer_that_is_batch_first_is_refused() -> None:
    with pytest.raises(OptionError, match="ManyToMany runs time first; build its recurrent part"):
        elman.ManyToMany(elman.GRU(I, H, batch_first=True), elman.MLP([H, O]))


@pytest.mark.parametrize("shape", [(T, I), (T, B, I + 1), (1, T, B, I)])
def test_a_wrong_input_is_refused_by_its_axes(shape: tuple[int, ...]) -> None:
    with pytest.raises(ShapeError, match=r"input must be \(T, B, I\) with I = 3, got \("):
        elman.ManyToMany(elman.GRU(I, H), elman.MLP([H, O]))(torch.zeros(shape))


def test_what_is_no_tensor_is_refused_as_what_it_is() -> None:
    with pytest.raises(ShapeError, match=r"input must be \(T, B, I\) with I = 3, got a list of 2"):
        elman.ManyToMany(elman.GRU(I, H), elman.MLP([H, O]))([[1.0], [2.0]])


def test_wrong_lengths_are_refused_by_the_callers_own_steps() -> None:
    net = elman.ManyToMany(elman.GRU(I, H), elman.MLP([H, O]), delay=3)
    with pytest.raises(OptionError, match="lengths must lie in 0 … T = 6, got 7 at row 1"):
        net(torch.zeros(T, B, I), lengths=[1, 7, 1, 1, 1])


def with_inputs(delay: int, **options: Any) -> elman.ManyToMany:
    inputs = Inputs(Encoding(ids=(9,)), embedding_size=I)
    net = elman.ManyToMany(
        elman.GRU(I, H),
        elman.MLP([H, O]),
        delay=delay,
        inputs=inputs,
        objective=Tagging(O),
        **options,
    )
    return net.double()


@every_delay
def test_ids_become_vectors_and_what_follows_the_last_is_no_id_but_nothing(delay: int) -> None:
    net, x = with_inputs(delay), torch.randint(0, 9, (T, B))
    bare = elman.ManyToMany(net.recurrent, net.head, delay=delay)
    assert net.inputs is not None
    vectors = net.inputs(x)
    for lengths in (None, LENGTHS):
        output, state = net(x, lengths=lengths)
        expected, expected_state = bare(vectors, lengths=lengths)
        assert_same_bits(output, expected, "output")
        assert_same_bits(state, expected_state, "state")


@every_delay
def test_ids_in_the_padding_are_never_looked_up(delay: int) -> None:
    net, x = with_inputs(delay), torch.randint(0, 9, (T, B))
    output, state = net(x, lengths=LENGTHS)
    x[torch.arange(T).unsqueeze(1) >= torch.tensor(LENGTHS)] = -(10**6)
    again, its_state = net(x, lengths=LENGTHS)
    assert_same_bits(again, output, "output")
    assert_same_bits(its_state, state, "state")


def test_parts_that_learn_nothing_have_no_names_in_the_state() -> None:
    names = set(network("gru", 0).state_dict())
    assert {name.split(".")[0] for name in names} == {"recurrent", "head"}


def test_output_dropout_drops_a_unit_at_every_step_of_a_row() -> None:
    net = elman.ManyToMany(elman.GRU(I, H), torch.nn.Identity(), output_dropout=0.5)
    kept = net(torch.randn(T, B, I))[0] != 0
    assert bool((kept == kept[0]).all())
    assert 0 < int(kept[0].sum()) < B * H
    assert bool((net.eval()(torch.randn(T, B, I))[0] != 0).all())


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"inputs": Inputs(Encoding(numbers=4))}, "reads 3 values a step and the inputs give 4"),
        ({"objective": Classification(O)}, "objective Classification needs one output a row"),
        ({"output_dropout": 1}, r"p must lie in \[0, 1\), got 1"),
    ],
)
def test_parts_that_do_not_fit_are_refused(options: dict[str, Any], words: str) -> None:
    with pytest.raises(OptionError, match=words):
        elman.ManyToMany(elman.GRU(I, H), elman.MLP([H, O]), **options)


def test_an_encoded_input_without_steps_is_refused() -> None:
    with pytest.raises(ShapeError, match=r"input must be \(T, B, …\), got \(5,\)"):
        with_inputs(0)(torch.zeros(B, dtype=torch.int64))
