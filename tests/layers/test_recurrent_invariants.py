"""What holds of every stack with every option: rows alone, halves, padding, limits, copies."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor
from torch.nn.utils.parametrizations import weight_norm

import elman
from battery import DRAWN, Named, assert_all_near, assert_near, assert_same_bits, draw, gradients
from elman.layers import RecurrentLayer

T, B, I, H = 6, 5, 3, 7  # noqa: E741 — the axis legend
LENGTHS = [4, 0, 6, 1, 4]
CELLS: dict[str, Callable[..., RecurrentLayer]] = {
    "simple": elman.SimpleRNN,
    "lstm": elman.LSTM,
    "gru": elman.GRU,
}
OPTIONS: dict[str, dict[str, Any]] = {
    "one layer": {"hidden_size": H},
    "deep": {"hidden_size": H, "num_layers": 3},
    "sizes of their own": {"hidden_size": [7, 5]},
    "residual": {"hidden_size": H, "num_layers": 2, "residual": True},
    "learned beginning": {"hidden_size": [5, 7], "learn_initial_state": True},
    "all at once": {
        "hidden_size": H,
        "num_layers": 2,
        "layer_norm": True,
        "recurrent_dropout": 0.3,
        "zoneout": 0.2,
        "learn_initial_state": True,
    },
}
every_cell = pytest.mark.parametrize("cell", CELLS)
every_option = pytest.mark.parametrize("option", OPTIONS)


def build(cell: str, option: str, **others: Any) -> RecurrentLayer:
    """Build a layer in float64 and in evaluation, its learned beginnings not zero."""
    layer = CELLS[cell](I, dtype=torch.float64, **OPTIONS[option], **others).eval()
    with torch.no_grad():
        for name, weight in layer.named_parameters():
            if name.startswith("initial"):
                weight.copy_(draw(*weight.shape))
    return layer


def parts_of(state: Any) -> list[Tensor]:
    """List the tensors of a state, however it is laid out."""
    return [state] if isinstance(state, Tensor) else [p for part in state for p in parts_of(part)]


def state_like(state: Any) -> Any:
    """Draw a state laid out as another one."""
    if isinstance(state, Tensor):
        return draw(*state.shape)
    return type(state)(state_like(part) for part in state)


def row_of(state: Any, row: int) -> Any:
    """Take one row out of a state, the axis B kept."""
    if isinstance(state, Tensor):
        return state[:, row : row + 1]
    return type(state)(row_of(part, row) for part in state)


def named(layer: RecurrentLayer, x: Tensor, state: Any, runner: Any) -> Named:
    """Name the outputs, the final state and every gradient of a run."""
    x = x.clone().requires_grad_()
    output, final = runner(x, state)
    values = {"output": output} | {f"final {i}": part for i, part in enumerate(parts_of(final))}
    return values | gradients(values, {"x": x, **dict(layer.named_parameters())})


@pytest.mark.sampled(5)
@pytest.mark.parametrize("both_ways", [False, True], ids=["forward", "bidirectional"])
@every_option
@every_cell
def test_a_ragged_batch_is_its_rows_run_alone(cell: str, option: str, both_ways: bool) -> None:
    layer = build(cell, option, bidirectional=both_ways)
    x, resets = draw(T, B, I), torch.rand(T, B) < 0.3
    x[torch.arange(T).unsqueeze(1) >= torch.tensor(LENGTHS)] = torch.nan
    state = state_like(layer(torch.zeros_like(x))[1])

    def alone(x: Tensor, state: Any) -> tuple[Tensor, Any]:
        outputs, finals = [], []
        for row, length in enumerate(LENGTHS):
            only = slice(row, row + 1)
            output, final = layer(
                x[:length, only], row_of(state, row), resets=resets[:length, only]
            )
            padding = output.new_zeros(T - length, 1, layer.output_size)
            outputs.append(torch.cat([output, padding]))
            finals.append(parts_of(final))
        joined = [torch.cat(rows, dim=1) for rows in zip(*finals, strict=True)]
        return torch.cat(outputs, dim=1), joined

    def together(x: Tensor, state: Any) -> tuple[Tensor, Any]:
        return layer(x, state, lengths=LENGTHS, resets=resets)  # type: ignore[no-any-return]

    assert_all_near(named(layer, x, state, together), named(layer, x, state, alone))


@every_option
@every_cell
def test_nan_in_the_padding_reaches_no_value_and_no_gradient(cell: str, option: str) -> None:
    layer = build(cell, option, bidirectional=True).train()
    ended = torch.arange(T).unsqueeze(1) >= torch.tensor(LENGTHS)
    clean = draw(T, B, I)
    poisoned = clean.clone()
    poisoned[ended] = torch.nan

    def run(x: Tensor, state: Any) -> Any:
        torch.manual_seed(1)
        return layer(x, state, lengths=LENGTHS)

    found = named(layer, poisoned, None, run)
    for name, value in named(layer, clean, None, run).items():
        assert_same_bits(found[name], value, name)
    assert bool((found["output"][ended] == 0).all())
    assert bool((found["gradient of x"][ended] == 0).all())


@pytest.mark.sampled(5)
@every_option
@every_cell
@settings(DRAWN, max_examples=5)
@given(
    at=st.integers(0, T), lengths=st.none() | st.lists(st.integers(0, T), min_size=B, max_size=B)
)
def test_two_halves_with_carried_state_equal_the_whole(
    cell: str, option: str, at: int, lengths: list[int] | None
) -> None:
    layer = build(cell, option)
    x = draw(T, B, I)
    first = None if lengths is None else [min(n, at) for n in lengths]
    second = None if lengths is None else [max(n - at, 0) for n in lengths]

    def halves(x: Tensor, state: Any) -> tuple[Tensor, Any]:
        early, state = layer(x[:at], state, lengths=first)
        late, state = layer(x[at:], state, lengths=second)
        return torch.cat([early, late]), state

    def whole(x: Tensor, state: Any) -> tuple[Tensor, Any]:
        return layer(x, state, lengths=lengths)  # type: ignore[no-any-return]

    assert_all_near(named(layer, x, None, halves), named(layer, x, None, whole))


@pytest.mark.sampled(5)
@pytest.mark.parametrize(
    ("steps", "rows", "lengths"),
    [(0, B, None), (T, 0, None), (T, 0, []), (0, 0, None), (0, B, [0] * B), (T, B, [0] * B)],
    ids=str,
)
@every_option
@every_cell
def test_nothing_to_do_leaves_the_state_and_gives_outputs_of_zero(
    cell: str, option: str, steps: int, rows: int, lengths: list[int] | None
) -> None:
    layer = build(cell, option, bidirectional=True)
    x = draw(steps, rows, I)
    state = state_like(layer(draw(1, rows, I))[1])
    output, final = layer(x, state, lengths=lengths)
    assert_same_bits(output, torch.zeros(steps, rows, layer.output_size).double(), "output")
    for before, after in zip(parts_of(state), parts_of(final), strict=True):
        assert_same_bits(after, before, "state")


@pytest.mark.parametrize(
    ("steps", "rows", "inputs", "hidden"), [(1, 3, 2, 5), (3, 1, 2, 5), (3, 5, 1, 1), (1, 1, 1, 1)]
)
@every_cell
def test_a_single_step_row_or_unit_is_right(
    cell: str, steps: int, rows: int, inputs: int, hidden: int
) -> None:
    layer = CELLS[cell](inputs, hidden, 2, bidirectional=True, dtype=torch.float64)
    peer = {"simple": torch.nn.RNN, "lstm": torch.nn.LSTM, "gru": torch.nn.GRU}[cell](
        inputs, hidden, 2, bidirectional=True, dtype=torch.float64
    )
    peer.load_state_dict(layer.state_dict())
    x = draw(steps, rows, inputs)
    output, state = layer(x)
    expected, expected_state = peer(x)
    assert_near(output, expected, "output")
    for part, its in zip(parts_of(state), parts_of(expected_state), strict=True):
        assert_near(part, its, "state")


@every_cell
def test_a_stack_is_its_layers_one_on_the_other_with_what_was_read_added(cell: str) -> None:
    stack = build(cell, "residual")
    layers = [CELLS[cell](size, H, dtype=torch.float64) for size in (I, H)]
    for number, layer in enumerate(layers):
        own = {
            name.replace(f"_l{number}", "_l0"): weight
            for name, weight in stack.state_dict().items()
            if name.endswith(f"_l{number}")
        }
        layer.load_state_dict(own)
    x = draw(T, B, I)
    below, first = layers[0](x, lengths=LENGTHS)
    above, second = layers[1](below, lengths=LENGTHS)
    output, state = stack(x, lengths=LENGTHS)
    assert_near(output, below + above, "output")
    for part, *own in zip(parts_of(state), parts_of(first), parts_of(second), strict=True):
        assert_near(part, torch.cat(own), "state")


@every_cell
def test_the_learned_initial_state_is_where_a_row_begins_and_what_a_reset_goes_back_to(
    cell: str,
) -> None:
    layer = build(cell, "learned beginning")
    x, resets = draw(T, B, I), torch.zeros(T, B, dtype=torch.bool)
    resets[0] = True
    anew = layer(x)[0]
    learned = layer(x[:0])[1]
    for part in parts_of(learned):
        assert bool((part != 0).all())
        assert_same_bits(part, part[:, :1].expand_as(part), "the same for every row")
    carried = state_like(learned)
    assert not torch.equal(layer(x, carried)[0], anew)
    assert_same_bits(layer(x, learned)[0], anew, "from the learned state")
    assert_near(layer(x, carried, resets=resets)[0], anew, "after a reset")


@every_cell
def test_a_learned_initial_state_gets_the_sum_of_its_rows_gradients(cell: str) -> None:
    layer = build(cell, "learned beginning")
    names = [name for name, _ in layer.named_parameters() if name.startswith("initial")]
    assert len(names) == 2 * (2 if cell == "lstm" else 1)
    x, lengths = draw(T, B, I), torch.tensor(LENGTHS)
    learned = [layer.get_parameter(name) for name in names]
    output = layer(x, lengths=lengths)[0]
    found = torch.autograd.grad((output * output.detach().cos()).sum(), learned)
    rows = [part.detach().expand(1, B, -1).clone().requires_grad_() for part in learned]
    if cell == "lstm":
        state: Any = ([rows[0], rows[2]], [rows[1], rows[3]])
    else:
        state = rows
    output = layer(x, state, lengths=lengths)[0]
    expected = torch.autograd.grad((output * output.detach().cos()).sum(), rows)
    for name, gradient, by_row in zip(names, found, expected, strict=True):
        assert bool((gradient != 0).any()), name
        assert_near(gradient, by_row.sum((0, 1)), name)


@every_option
@every_cell
def test_a_state_dict_makes_another_layer_the_same(cell: str, option: str) -> None:
    layer, other = build(cell, option), build(cell, option)
    x = draw(T, B, I)
    assert not torch.equal(layer(x)[0], other(x)[0])
    other.load_state_dict(layer.state_dict())
    assert_same_bits(other(x, lengths=LENGTHS)[0], layer(x, lengths=LENGTHS)[0], "output")


@every_option
@every_cell
def test_a_copy_is_the_same_and_its_own(cell: str, option: str) -> None:
    layer = build(cell, option)
    copy, x = deepcopy(layer), draw(T, B, I)
    before = layer(x)[0]
    assert_same_bits(copy(x)[0], before, "output of the copy")
    assert repr(copy) == repr(layer)
    with torch.no_grad():
        for weight in copy.parameters():
            weight.add_(1)
    assert_same_bits(layer(x)[0], before, "output of the original")


@every_option
@every_cell
def test_a_layer_changes_its_dtype_as_any_module_does(cell: str, option: str) -> None:
    layer = build(cell, option).to(torch.float32)
    output, state = layer(draw(T, B, I, dtype=torch.float32))
    assert {part.dtype for part in [output, *parts_of(state)]} == {torch.float32}


@pytest.mark.parametrize("backend", ["auto", "reference"])
@every_option
@every_cell
def test_functional_call_runs_a_layer_with_other_weights(
    cell: str, option: str, backend: str
) -> None:
    layer, other = (build(cell, option, backend=backend) for _ in range(2))
    x, weights = draw(T, B, I), dict(other.named_parameters())
    output = torch.func.functional_call(layer, weights, (x,), {"lengths": LENGTHS})[0]
    assert_same_bits(output, other(x, lengths=LENGTHS)[0], "output")


def test_a_parametrized_weight_is_the_one_that_is_used() -> None:
    layer = elman.GRU(I, H, dtype=torch.float64)
    x, before = draw(T, B, I), layer.get_parameter("weight_hh_l0").detach().clone()
    expected = layer(x)[0]
    weight_norm(layer, "weight_hh_l0")
    assert_near(layer(x)[0], expected, "output")
    with torch.no_grad():
        layer.parametrizations.weight_hh_l0.original0.mul_(2)
    plain = elman.GRU(I, H, dtype=torch.float64)
    plain.load_state_dict(
        {**plain.state_dict(), **_plain_weights(layer), "weight_hh_l0": 2 * before}
    )
    assert_near(layer(x)[0], plain(x)[0], "output of the doubled weight")


def _plain_weights(layer: RecurrentLayer) -> Named:
    return {n: w for n, w in layer.state_dict().items() if not n.startswith("parametrizations")}


@pytest.mark.filterwarnings("ignore:.torch.jit.script. is deprecated")  # torch.func.jvp's own
@pytest.mark.parametrize("backend", ["auto", "reference"])
@pytest.mark.parametrize("option", ["deep", "all at once"])
@every_cell
def test_a_layer_takes_part_in_vmap_jvp_and_grad(cell: str, option: str, backend: str) -> None:
    layer = build(cell, option, backend=backend)
    many = draw(2, T, B, I)

    def run(x: Tensor) -> Tensor:
        output: Tensor = layer(x, lengths=LENGTHS)[0]
        return output

    mapped = torch.func.vmap(run)(many)
    assert_near(mapped, torch.stack([run(x) for x in many]), "vmap")
    x, direction = many
    _, tangent = torch.func.jvp(run, (x,), (direction,))
    cotangent = draw(*tangent.shape)
    gradient = torch.func.grad(lambda x: (run(x) * cotangent).sum())(x)
    assert_near((gradient * direction).sum(), (tangent * cotangent).sum(), "jvp against grad")
