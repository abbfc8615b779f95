"""The stack against torch.nn: outputs, states, gradients of inputs, states and every weight."""

from __future__ import annotations

from copy import deepcopy
from typing import Any, NamedTuple

import pytest
import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import PackedSequence, pack_padded_sequence, pad_packed_sequence

import elman
from battery import (
    Named,
    assert_all_near,
    assert_as_near_as_torch,
    assert_near,
    assert_same_bits,
    draw,
    gradients,
)
from elman.errors import BackendError, OptionError, ShapeError
from elman.sequence import BACKENDS

pytestmark = pytest.mark.filterwarnings(
    "ignore:LSTM with projections is not supported with oneDNN"  # torch says so once, in float32
)
T, B, I, H, P = 6, 5, 3, 9, 7  # noqa: E741 — the axis legend
every_backend_of_torchs_cells = pytest.mark.parametrize(
    "backend", [name for name in BACKENDS if name != "scan"]
)
LENGTHS = [4, 1, 6, 2, 4]
TWINS: dict[str, tuple[type[nn.Module], type[nn.Module], dict[str, Any]]] = {
    "tanh": (elman.SimpleRNN, nn.RNN, {}),
    "relu": (elman.SimpleRNN, nn.RNN, {"nonlinearity": "relu"}),
    "lstm": (elman.LSTM, nn.LSTM, {}),
    "lstm projected": (elman.LSTM, nn.LSTM, {"proj_size": P}),
    "gru": (elman.GRU, nn.GRU, {}),
}
STACKS: dict[str, dict[str, Any]] = {
    "one layer": {},
    "without bias": {"bias": False},
    "bidirectional": {"bidirectional": True},
    "three layers": {"num_layers": 3},
    "three layers, bidirectional": {"num_layers": 3, "bidirectional": True},
}
FORMS = ["dense", "batch first", "unbatched", "lengths", "lengths, batch first", "packed"]
every_twin = pytest.mark.parametrize("twin", TWINS)


class Inputs(NamedTuple):
    """Inputs, the state before them, and how they are handed over."""

    x: Tensor
    state: tuple[Tensor, ...]
    form: str


def twins(
    twin: str, backend: str = "auto", dtype: torch.dtype = torch.float64, **options: Any
) -> tuple[nn.Module, nn.Module]:
    """Build Elman's layer and torch.nn's with the same weights."""
    ours, theirs, own = TWINS[twin]
    layer = ours(I, H, **own, **options, backend=backend, dtype=dtype)
    reason = {status.name: status.why_not for status in layer.backends()}.get(backend)
    if reason is not None:
        pytest.skip(reason)
    peer = theirs(I, H, **own, **options, dtype=dtype)
    layer.load_state_dict(peer.state_dict())
    return layer, peer


def draw_inputs(layer: nn.Module, form: str) -> Inputs:
    """Draw inputs and a state for a layer; padding is NaN where the layer is not to read it."""
    rows = () if form == "unbatched" else (B,)
    places = layer.num_layers * layer.options.num_directions
    sizes = (layer.proj_size or H, H)[: 2 if isinstance(layer, elman.LSTM) else 1]
    x = draw(T, *rows, I, scale=1.0)
    if form.startswith(("lengths", "packed")):
        x[torch.arange(T).unsqueeze(1) >= torch.tensor(LENGTHS)] = torch.nan
    if form.endswith("batch first"):
        x = x.transpose(0, 1).contiguous()
    return Inputs(x, tuple(draw(places, *rows, size) for size in sizes), form)


def answer(layer: nn.Module, inputs: Inputs) -> Named:
    """Run a layer of either kind; name its values and the gradient of all it was given."""
    dtype = next(layer.parameters()).dtype
    leaves = {"x": inputs.x.to(dtype).requires_grad_()}
    leaves |= {f"state {i}": part.to(dtype).requires_grad_() for i, part in enumerate(inputs.state)}
    leaves |= dict(layer.named_parameters())
    state = tuple(leaves[f"state {i}"] for i in range(len(inputs.state)))
    output, final = _call(layer, leaves["x"], state if len(state) > 1 else state[0], inputs.form)
    finals = final if isinstance(final, tuple) else (final,)
    values = {"output": output} | {f"final {i}": part for i, part in enumerate(finals)}
    return values | gradients(values, leaves)


def _call(layer: nn.Module, x: Tensor, state: Any, form: str) -> tuple[Tensor, Any]:
    is_ours = isinstance(layer, elman.layers.RecurrentLayer)
    if form == "packed" or (form.startswith("lengths") and not is_ours):
        first = form.endswith("batch first")
        packed = pack_padded_sequence(x, torch.tensor(LENGTHS), first, enforce_sorted=False)
        output, final = layer(packed, state)
        return pad_packed_sequence(output, first)[0], final
    if form.startswith("lengths"):
        return layer(x, state, lengths=LENGTHS)  # type: ignore[no-any-return]
    return layer(x, state)  # type: ignore[no-any-return]


@pytest.mark.sampled(7)
@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("stack", STACKS)
@every_backend_of_torchs_cells
@every_twin
def test_values_and_every_gradient_are_torch_nns(
    twin: str, backend: str, stack: str, form: str
) -> None:
    first = form.endswith("batch first")
    ours, theirs = twins(twin, backend, **STACKS[stack], batch_first=first)
    inputs = draw_inputs(ours, form)
    assert_all_near(answer(ours, inputs), answer(theirs, inputs))


@pytest.mark.parametrize("form", ["dense", "lengths"])
@every_backend_of_torchs_cells
@every_twin
def test_float32_is_as_near_to_the_float64_truth_as_torch_nn(
    twin: str, backend: str, form: str
) -> None:
    ours, theirs = twins(twin, backend, torch.float32, num_layers=2, bidirectional=True)
    drawn = draw_inputs(ours, form)
    inputs = Inputs(drawn.x.float(), tuple(part.float() for part in drawn.state), form)
    truth = answer(deepcopy(theirs).double(), inputs)
    assert_as_near_as_torch(answer(ours, inputs), answer(theirs, inputs), truth)


@every_twin
def test_without_a_state_a_layer_begins_at_zero_as_torch_nn_does(twin: str) -> None:
    ours, theirs = twins(twin, num_layers=2)
    x = draw(T, B, I)
    assert_near(ours(x)[0], theirs(x)[0], "output")


@pytest.mark.parametrize("sort", [True, False])
@every_twin
def test_a_packed_sequence_gives_one_with_the_same_batch_sizes_and_indices(
    twin: str, sort: bool
) -> None:
    ours, theirs = twins(twin, bidirectional=True)
    lengths = sorted(LENGTHS, reverse=True) if sort else LENGTHS
    packed = pack_padded_sequence(draw(T, B, I), torch.tensor(lengths), enforce_sorted=sort)
    got, expected = ours(packed)[0], theirs(packed)[0]
    assert type(got) is PackedSequence
    assert_near(got.data, expected.data, "data")
    for name in ("batch_sizes", "sorted_indices", "unsorted_indices"):
        mine, its = getattr(got, name), getattr(expected, name)
        assert mine is its is None or torch.equal(mine, its), name


def test_a_packed_trace_is_packed_as_the_input_is() -> None:
    packed = pack_padded_sequence(draw(T, B, I), torch.tensor(LENGTHS), enforce_sorted=False)
    output, _, trace = elman.GRU(I, H, dtype=torch.float64)(packed, return_trace=True)
    assert_same_bits(trace[0][0].state.hidden.data, output.data, "traced hidden")


@pytest.mark.parametrize("name", ["lengths", "resets"])
def test_a_packed_sequence_takes_neither_lengths_nor_resets(name: str) -> None:
    packed = pack_padded_sequence(torch.zeros(T, B, I), torch.tensor(LENGTHS), enforce_sorted=False)
    with pytest.raises(OptionError, match="a PackedSequence brings its lengths: leave lengths"):
        elman.GRU(I, H)(packed, **{name: torch.zeros(T, B, dtype=torch.bool)})


@pytest.mark.parametrize(
    ("x", "batch_first", "error", "words"),
    [
        (
            torch.zeros(T, B, 4),
            False,
            ShapeError,
            r"^input\.size\(-1\) must be equal to input_size\. Expected 3, got 4: input must be "
            r"\(T, B, I\) or \(T, I\) with I = 3, got \(6, 5, 4\)\.",
        ),
        (
            torch.zeros(B, T, 4),
            True,
            ShapeError,
            r"input must be \(B, T, I\) or \(T, I\) with I = 3, got \(5, 6, 4\)\.",
        ),
        (torch.zeros(3), False, ShapeError, "^GRU: Expected input to be 2D or 3D, got 1D tensor i"),
        (
            torch.zeros(1, T, B, I),
            True,
            ShapeError,
            r"2D or 3D, got 4D tensor instead; it must be \(B, T, I\) or \(T, I\)\.",
        ),
        ([[0.0] * I] * T, False, ShapeError, r"input must be a tensor .* got a list of 6\."),
        (
            torch.zeros(T, B, I, dtype=torch.float64),
            False,
            OptionError,
            r"^RNN input dtype \(torch\.float64\) does not match weight dtype \(torch\.float32\)\. "
            r"Convert input: input\.to\(torch\.float32\), or convert model: "
            r"model\.to\(torch\.float64\)$",
        ),
        (
            torch.zeros(T, B, I, device="meta"),
            False,
            OptionError,
            "^Input and parameter tensors are not at the same device, found input tensor at meta "
            "and parameter tensor at cpu; move one of them",
        ),
        (
            pack_padded_sequence(torch.zeros(T, B, 4), torch.tensor([6] * B)),
            False,
            ShapeError,
            r"Expected 3, got 4: input must be \(T, B, I\) with I = 3, got \(6, 5, 4\)\.",
        ),
    ],
    ids=["size", "size, batch first", "vector", "4 axes", "list", "dtype", "device", "packed"],
)
def test_a_wrong_input_is_refused_in_words(
    x: Any, batch_first: bool, error: type[Exception], words: str
) -> None:
    with pytest.raises(error, match=words):
        elman.GRU(I, H, batch_first=batch_first)(x)


def test_lengths_and_resets_are_named_by_the_axes_the_caller_uses() -> None:
    layer = elman.GRU(I, H, batch_first=True)
    x = torch.zeros(B, T, I)
    with pytest.raises(ShapeError, match=r"resets must be \(B, T\) = \(5, 6\), got \(6, 5\)\."):
        layer(x, resets=torch.zeros(T, B, dtype=torch.bool))
    with pytest.raises(ShapeError, match=r"resets must be \(T\) = \(6,\), got \(5,\)\."):
        layer(x[0], resets=torch.zeros(B, dtype=torch.bool))
    with pytest.raises(ShapeError, match=r"lengths must be \(B,\) = \(5,\), got \(2,\)\."):
        layer(x, lengths=[1, 2])
    with pytest.raises(OptionError, match=r"lengths must lie in 0 … T = 6, got 9 at row 4\."):
        layer(x, lengths=[1, 2, 3, 4, 9])


def test_lengths_and_resets_mean_the_same_batch_first_and_for_one_row() -> None:
    layer = elman.LSTM(I, H, num_layers=2, bidirectional=True, dtype=torch.float64)
    crossed = elman.LSTM(I, H, 2, batch_first=True, bidirectional=True, dtype=torch.float64)
    crossed.load_state_dict(layer.state_dict())
    x, resets = draw(T, B, I), torch.rand(T, B) < 0.3
    output, state = layer(x, lengths=LENGTHS, resets=resets.tolist())
    by_row, by_row_state = crossed(x.transpose(0, 1), lengths=LENGTHS, resets=resets.t())
    assert_same_bits(by_row.transpose(0, 1), output, "output")
    assert all(map(torch.equal, by_row_state, state))
    alone, (hidden, _) = layer(x[:, 0], lengths=LENGTHS[:1], resets=resets[:, 0])
    assert_near(alone, output[:, 0], "one row")
    assert_near(hidden, state[0][:, 0], "state of one row")


@pytest.mark.parametrize("batch_first", [False, True])
@pytest.mark.parametrize("rows", [(), (B,)], ids=["unbatched", "batched"])
def test_a_trace_is_laid_out_as_the_input_is(batch_first: bool, rows: tuple[int, ...]) -> None:
    layer = elman.LSTM(
        I, H, 2, batch_first=batch_first, bidirectional=True, proj_size=P, dtype=torch.float64
    )
    x = draw(*(reversed((T, *rows)) if batch_first else (T, *rows)), I)
    output, (hidden, cell), trace = layer(x, return_trace=True)
    assert [len(directions) for directions in trace] == [2, 2]
    ahead, back = trace[1]
    assert_same_bits(torch.cat([ahead.state.hidden, back.state.hidden], -1), output, "output")
    by_step = ahead.state.cell.transpose(0, 1) if batch_first and rows else ahead.state.cell
    assert_same_bits(by_step[-1], cell[2], "final cell")
    by_step = back.state.hidden.transpose(0, 1) if batch_first and rows else back.state.hidden
    assert_same_bits(by_step[0], hidden[3], "final hidden of the backward direction")
    assert ahead.gates.i.shape == (*x.shape[:-1], H)


def test_asking_by_name_for_a_backend_that_cannot_says_why_and_what_to_do() -> None:
    layer = elman.GRU(I, H, reset_after=False, backend="torch")
    words = (
        r"backend='torch' cannot run this gru\(reset_after=False\): PyTorch's kernels have no GRU "
        r"that resets before the product\. Use backend='auto'"
    )
    with pytest.raises(BackendError, match=words):
        layer(torch.zeros(T, B, I))
    with pytest.raises(OptionError, match=r"unknown backend 'tourch'; did you mean 'torch'\?"):
        elman.GRU(I, H, backend="tourch")


def test_a_layer_tells_which_backends_run_it_as_it_is_now() -> None:
    layer = elman.GRU(I, H, recurrent_dropout=0.5)
    reason = "PyTorch's kernels have no recurrent dropout"
    no_scan = "the gates of the gru cell read the state before them, step by step"
    assert [status.why_not for status in layer.backends()] == [None, no_scan, reason, None]
    layer.eval()
    assert [status.why_not for status in layer.backends()] == [None, no_scan, None, None]


def test_asking_for_the_backends_moves_no_random_number() -> None:
    layer = elman.LSTM(I, H, recurrent_dropout=0.5, zoneout=0.5)
    before = torch.get_rng_state()
    layer.backends()
    assert_same_bits(torch.get_rng_state(), before, "state of the generator")


def test_a_seed_gives_the_same_numbers_again() -> None:
    def train() -> Tensor:
        torch.manual_seed(3)
        layer = elman.LSTM(I, H, 2, dropout=0.3, recurrent_dropout=0.3, zoneout=0.3)
        output: Tensor = layer(torch.randn(T, B, I), lengths=LENGTHS)[0]
        return output

    assert_same_bits(train(), train(), "output")


@pytest.mark.parametrize("lengths", [None, [7, 3, 0, 5, 1]])
@pytest.mark.parametrize("build", [elman.SimpleRNN, elman.LSTM, elman.GRU])
def test_under_autocast_a_state_goes_from_call_to_call(build: Any, lengths: Any) -> None:
    layer, x = build(3, 11, 2), torch.randn(7, 5, 3)
    expected, state = layer(x, lengths=lengths)
    expected_next, _ = layer(x, state, lengths=lengths)
    with torch.autocast("cpu", torch.bfloat16):
        output, state = layer(x, lengths=lengths)
        output_next, _ = layer(x, state, lengths=lengths)
    torch.testing.assert_close(output.float(), expected, atol=0.02, rtol=0)
    torch.testing.assert_close(output_next.float(), expected_next, atol=0.02, rtol=0)
