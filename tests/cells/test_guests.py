"""A cell from another package: listed, run and trained as Elman's own, refused in words."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

import elman
from battery import assert_near, assert_same_bits, draw
from elman.cells import CELLS, Cell, CellFamily, cell
from elman.convert import from_keras_weights, to_keras_weights, to_onnx, to_torch
from elman.errors import BackendError, OptionError, PluginError
from elman.layers import RecurrentLayer, layer_class, parameter_count
from elman.networks import hidden_size_for, many_to_many
from elman.networks.components import make_layer
from packages import install

T, B, I, H = 6, 4, 3, 5  # noqa: E741 — the axis legend
LENGTHS = [4, 0, 6, 1]
TOY = Path(__file__).parents[2] / "examples" / "extension" / "leaky_rnn.py"
GROUP = {"elman.cells": {"leaky": "leaky_rnn:LEAKY"}}


@pytest.fixture(autouse=True)
def _installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install(tmp_path, monkeypatch, "leaky-rnn", GROUP, TOY.read_text(encoding="utf-8"))


def layer(*arguments: Any, **options: Any) -> RecurrentLayer:
    build: Any = layer_class("leaky")
    made: RecurrentLayer = build(*(arguments or (I, H)), dtype=torch.float64, **options)
    return made


def by_hand(rnn: RecurrentLayer, x: Tensor) -> Tensor:
    """Run one row, (T, I), through a layer of one direction."""
    w, r = rnn.get_parameter("weight_ih_l0"), rnn.get_parameter("weight_hh_l0")
    b = rnn.get_parameter("bias_ih_l0") + rnn.get_parameter("bias_hh_l0")
    share = torch.sigmoid(rnn.get_parameter("weight_leak_l0"))
    h, outputs = torch.zeros(H, dtype=torch.float64), []
    for step in x:
        h = (1 - share) * h + share * torch.tanh(w @ step + r @ h + b)
        outputs.append(h)
    return torch.stack(outputs)


def test_it_is_listed_after_the_built_in_cells() -> None:
    built_in = ["simple", "lstm", "gru", "mingru", "minlstm", "lru", "slstm"]
    assert list(CELLS) == [*built_in, "leaky"]
    with pytest.raises(OptionError, match="did you mean 'leaky'"):
        cell("leeky")


def test_it_computes_its_equation() -> None:
    rnn, x = layer(), draw(T, B, I)
    y, h = rnn(x)
    for row in range(B):
        assert_near(y[:, row], by_hand(rnn, x[:, row]), "y")
    assert_same_bits(h[0], y[-1], "h")


def test_rows_end_at_their_lengths() -> None:
    rnn, x = layer(), draw(T, B, I)
    for row, length in enumerate(LENGTHS):
        x[length:, row] = torch.nan
    y, h = rnn(x, lengths=LENGTHS)
    for row, length in enumerate(LENGTHS):
        alone = by_hand(rnn, x[:length, row]) if length else torch.zeros(0, H).double()
        assert_near(y[:length, row], alone, "y")
        assert not y[length:, row].any()
        if length:
            assert_near(h[0, row], alone[-1], "h")


def test_two_directions_read_each_row_from_both_ends() -> None:
    rnn, x = layer(bidirectional=True), draw(T, B, I)
    y, _ = rnn(x, lengths=LENGTHS)
    back = layer()
    back.load_state_dict(
        {
            name.removesuffix("_reverse"): weight
            for name, weight in rnn.state_dict().items()
            if name.endswith("_reverse")
        }
    )
    for row, length in enumerate(LENGTHS):
        if length:
            reverse = by_hand(back, x[:length, row].flip(0)).flip(0)
            assert_near(y[:length, row, H:], reverse, "y")


def test_a_bidirectional_joins_it_with_a_built_in_cell() -> None:
    pair = elman.Bidirectional(layer(), elman.GRU(I, 7, dtype=torch.float64))
    y, _ = pair(draw(T, B, I), lengths=LENGTHS)
    assert y.shape == (T, B, H + 7)


def test_every_weight_has_the_gradient_of_finite_differences() -> None:
    rnn, x = layer(I, 2), draw(T, B, I).requires_grad_()
    names = [name for name, _ in rnn.named_parameters()]

    def run(x: Tensor, *weights: Tensor) -> Tensor:
        parameters = dict(zip(names, weights, strict=True))
        output: Tensor = torch.func.functional_call(rnn, parameters, (x,), {"lengths": LENGTHS})[0]
        return output

    assert "weight_leak_l0" in names
    assert torch.autograd.gradcheck(run, (x, *rnn.parameters()))


def test_what_all_layers_share_works_with_it() -> None:
    rnn = layer(I, H, 2, recurrent_dropout=0.4, zoneout=0.2, learn_initial_state=True).train()
    y, _, trace = rnn(draw(T, B, I), lengths=LENGTHS, return_trace=True)
    y.sum().backward()
    assert all(weight.grad is not None for weight in rnn.parameters())
    assert trace[0][0].gates._fields == ("n",)
    with torch.no_grad():
        rnn.eval()(draw(T, B, I))


def test_a_network_builds_it_with_options_checked_by_name() -> None:
    options = {"input_size": I, "hidden_size": H, "num_layers": 2, "dropout": 0.1}
    rnn = make_layer("leaky", {"squashing": "sin", "residual": True}, **options)
    assert str(rnn).startswith("Leaky(3, 5, squashing='sin', num_layers=2, dropout=0.1, residual")
    with pytest.raises(OptionError, match="unknown leaky option 'squashin'; did you mean 'squash"):
        make_layer("leaky", {"squashin": "sin"}, **options)


def test_a_network_of_it_has_the_parameters_asked_for_and_learns() -> None:
    sizes: dict[str, Any] = {"input_size": I, "output_size": 2}
    hidden = hidden_size_for(600, cell="leaky", bidirectional=True, **sizes)
    network = many_to_many(cell="leaky", hidden_size=hidden, bidirectional=True, **sizes)
    assert abs(parameter_count(network) - 600) < 60
    x, target = torch.randn(T, B, I), torch.randn(T, B, 2)
    optimiser = torch.optim.Adam(network.parameters(), lr=0.05)
    losses = []
    for _ in range(60):
        loss = (network(x)[0] - target).square().mean()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(loss.item())
    assert losses[-1] < losses[0] / 2


def test_it_runs_on_the_reference_and_the_others_say_why_not() -> None:
    reasons = {status.name: status.why_not for status in layer().backends()}
    assert reasons == {
        "native": "Elman's kernels have no equation for the step of leaky",
        "scan": "the gates of the leaky cell read the state before them, step by step",
        "torch": "PyTorch's kernels have no equation for the step of leaky",
        "reference": None,
    }
    with pytest.raises(BackendError, match="no equation for the step of leaky"):
        layer(backend="native")(draw(T, B, I))
    with pytest.raises(BackendError, match="no equation for the step of leaky"):
        layer().stepper()


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"layer_norm": True}, "the leaky cell has no layer norm: layer_norm must be False, got T"),
        ({"proj_size": 2}, "the leaky cell has no projection, .*: proj_size must be 0, got 2"),
        ({"chrono": 9}, "set the bias of a gate f, z or i, and the leaky cell has none of them"),
    ],
)
def test_an_option_that_its_equation_does_not_read_is_refused(
    options: dict[str, Any], words: str
) -> None:
    with pytest.raises(OptionError, match=words):
        layer(**options)


def test_no_other_convention_has_it() -> None:
    for convert, other in ((to_torch, "torch.nn"), (to_keras_weights, "Keras"), (to_onnx, "ONNX")):
        with pytest.raises(OptionError, match=f"{other} has no cell 'leaky'; it has gru, lstm, si"):
            convert(layer())  # type: ignore[operator]
    with pytest.raises(OptionError, match="Keras has no cell 'leaky'"):
        from_keras_weights("leaky", [])


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("LEAKY = 3", "leaky_rnn:LEAKY must be an elman.cells.CellFamily, got int"),
        (
            "from elman.cells import CELLS\nLEAKY = CELLS['gru']",
            "leaky_rnn:LEAKY is a CellFamily of another name, 'gru'",
        ),
        ("import no_such_module", "No module named 'no_such_module'"),
    ],
)
def test_an_entry_point_that_names_no_cell_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: str, words: str
) -> None:
    install(tmp_path / "other", monkeypatch, "leaky-rnn", GROUP, code)
    with pytest.raises(PluginError, match=words):
        cell("leaky")


@pytest.mark.parametrize(
    ("place", "words"),
    [
        ("leaky_rnn:Leeky", "module 'leaky_rnn' has no attribute 'Leeky'"),
        ("no_such_module:Leaky", "No module named 'no_such_module'"),
        ("leaky_rnn:build", "must be a subclass of elman.layers.RecurrentLayer"),
    ],
)
def test_a_layer_that_is_none_is_refused(
    monkeypatch: pytest.MonkeyPatch, place: str, words: str
) -> None:
    family = CELLS["leaky"]
    other = CellFamily(family.name, family.defaults, family.build, place)
    monkeypatch.setitem(CELLS.built_in, "leaky", other)  # type: ignore[arg-type]
    with pytest.raises(PluginError, match=words):
        layer_class("leaky")


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"state": ("h",)}, "must begin with hidden, got h"),
        ({"weights": ("hidden", "input", "hidden_mask")}, "must begin with input"),
        ({"weights": ("input", "hidden")}, "hidden_mask the last. Got input, hidden"),
        ({"weights": ("input", "leak", "hidden", "hidden_mask")}, "hidden must be the second"),
        ({"vectors": {"leek": 1}}, "unknown weight of the toy cell 'leek'; did you mean 'leak'"),
    ],
)
def test_a_cell_with_other_fields_than_a_layer_needs_is_refused(
    fields: dict[str, Any], words: str
) -> None:
    from collections import namedtuple

    state = namedtuple("state", fields.get("state", ("hidden",)))
    names = fields.get("weights", ("input", "hidden", "leak", "hidden_mask"))
    weights = namedtuple("weights", names)
    with pytest.raises(OptionError, match=words):
        Cell("toy", {}, ("n",), lambda *_: None, state, weights, vectors=fields.get("vectors", {}))
