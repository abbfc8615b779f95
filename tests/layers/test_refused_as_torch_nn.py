"""What torch.nn's layers refuse, ours refuse: the same types of errors, in the same words."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence

import elman
from elman.errors import InputTypeError, OptionError, OptionTypeError, ShapeError

LAYERS = {"SimpleRNN": elman.SimpleRNN, "LSTM": elman.LSTM, "GRU": elman.GRU}
THEIRS = {"SimpleRNN": nn.RNN, "LSTM": nn.LSTM, "GRU": nn.GRU}
every_layer = pytest.mark.parametrize("name", LAYERS)
X = torch.randn(5, 2, 3)
PROBABILITY = (
    r"dropout should be a number in range \[0, 1\] representing the probability of an element"
)

WRONG: list[tuple[dict[str, Any], str | None]] = [
    ({"input_size": 3.0}, "input_size should be of type int, got: float"),
    ({"input_size": "10"}, "input_size should be of type int, got: str"),
    ({"input_size": 0}, "input_size must be greater than zero"),
    ({"input_size": -1}, "input_size must be greater than zero"),
    ({"hidden_size": 5.0}, "hidden_size should be of type int, got: float"),
    ({"hidden_size": "5"}, "hidden_size should be of type int, got: str"),
    ({"hidden_size": 0}, "hidden_size must be greater than zero"),
    ({"num_layers": 0}, "num_layers must be greater than zero"),
    ({"num_layers": None}, None),
    ({"num_layers": 2.0}, None),
    ({"bias": 0}, "bias should be of type bool, got: int"),
    ({"bias": 1}, "bias should be of type bool, got: int"),
    ({"bias": "True"}, "bias should be of type bool, got: str"),
    ({"batch_first": 1}, "batch_first should be of type bool, got: int"),
    ({"batch_first": "False"}, "batch_first should be of type bool, got: str"),
    ({"dropout": 1.1}, PROBABILITY),
    ({"dropout": "0.5"}, PROBABILITY),
    ({"dropout": None}, None),
    ({"dropout": True}, PROBABILITY),
]


@every_layer
@pytest.mark.parametrize(("options", "words"), WRONG, ids=lambda case: str(case)[:40])
def test_a_wrong_argument_is_refused_by_torch_nns_type_and_in_its_words(
    name: str, options: dict[str, Any], words: str | None
) -> None:
    arguments = {"input_size": 3, "hidden_size": 5, **options}
    with pytest.raises(Exception, match=words) as expected:
        THEIRS[name](**arguments)
    with pytest.raises(type(expected.value), match=words) as refusal:
        LAYERS[name](**arguments)
    assert isinstance(refusal.value, OptionError)


@pytest.mark.parametrize(
    ("size", "words"),
    [
        (5, "proj_size has to be smaller than hidden_size"),
        (-1, "proj_size should be a positive integer or zero to disable projections"),
        (None, None),
        ("2", None),
        (2.0, None),
    ],
)
def test_a_wrong_projection_is_refused_as_by_torch_nn(size: Any, words: str | None) -> None:
    with pytest.raises((TypeError, ValueError), match=words) as expected:
        nn.LSTM(3, 5, proj_size=size)
    with pytest.raises(type(expected.value), match=words):
        elman.LSTM(3, 5, proj_size=size)


@pytest.mark.parametrize("name", ["SimpleRNN", "GRU"])
def test_only_an_lstm_projects(name: str) -> None:
    words = "proj_size argument is only supported for LSTM, not RNN or GRU"
    for layers in (LAYERS, THEIRS):
        with pytest.raises(ValueError, match=words):
            layers[name](30, 20, 2, proj_size=10)


@every_layer
@pytest.mark.parametrize("flag", ["bias", "batch_first", "bidirectional", "layer_norm", "residual"])
@pytest.mark.parametrize("text", ["False", "True", ""])
def test_a_text_is_no_boolean(name: str, flag: str, text: str) -> None:
    with pytest.raises(OptionTypeError, match=f"^{flag} should be of type bool, got: str '{text}'"):
        LAYERS[name](3, 4, 2, **{flag: text})


# Calls


class State(NamedTuple):
    """The axes of a state, made for each layer: h alone or h and c."""

    axes: tuple[int, ...]
    dtype: torch.dtype = torch.float32
    device: str = "cpu"

    def of(self, name: str) -> Any:
        part = torch.zeros(self.axes, dtype=self.dtype, device=self.device)
        return (part, part) if name == "LSTM" else part


def packed(width: int) -> Any:
    return pack_padded_sequence(torch.zeros(5, 2, width), torch.tensor([5, 3]))


CALLS: dict[str, tuple[Any, Any, str | None]] = {
    "dtype": (
        X.double(),
        None,
        r"RNN input dtype .* does not match weight dtype .* Convert input: input\.to\(.*\), or "
        r"convert model: model\.to\(.*\)",
    ),
    "integers": (X.long(), None, r"RNN input dtype \(torch.int64\) does not match weight dtype"),
    "device": (
        X.to("meta"),
        None,
        "Input and parameter tensors are not at the same device, found input tensor at meta and "
        "parameter tensor at cpu",
    ),
    "width": (
        torch.zeros(5, 2, 4),
        None,
        r"input.size\(-1\) must be equal to input_size. Expected 3, got 4",
    ),
    "width of a row": (
        torch.zeros(5, 4),
        None,
        r"input.size\(-1\) must be equal to input_size. Expected 3, got 4",
    ),
    "packed, width": (packed(4), None, None),
    "4 axes": (X[None], None, "Expected input to be 2D or 3D, got 4D"),
    "1 axis": (X[0, 0], None, "Expected input to be 2D or 3D, got 1D"),
    "list": ([1.0, 2.0], None, None),
    "array": (X.numpy(), None, None),
    "none": (None, None, None),
    "batch of hx": (
        X,
        State((1, 3, 4)),
        r"Expected hidden(\[0\])? size \(1, 2, 4\), got \[1, 3, 4\]",
    ),
    "layers of hx": (
        X,
        State((2, 2, 4)),
        r"Expected hidden(\[0\])? size \(1, 2, 4\), got \[2, 2, 4\]",
    ),
    "width of hx": (
        X,
        State((1, 2, 5)),
        r"Expected hidden(\[0\])? size \(1, 2, 4\), got \[1, 2, 5\]",
    ),
    "packed, batch of hx": (packed(3), State((1, 3, 4)), None),
    "hx of a row with a batch": (
        X,
        State((1, 4)),
        "For batched 3-D input, hx (and cx )?should also be 3-D but got ",
    ),
    "hx of a batch with a row": (
        X[:, 0],
        State((1, 1, 4)),
        "For unbatched 2-D input, hx (and cx )?should also be 2-D but got ",
    ),
    "layers of hx of a row": (X[:, 0], State((2, 4)), "Expected hidden"),
    "dtype of hx": (X, State((1, 2, 4), dtype=torch.float64), None),
    "device of hx": (
        X,
        State((1, 2, 4), device="meta"),
        "Input and hidden tensors are not at the same device, found input tensor at cpu and hidden "
        "tensor at meta",
    ),
    "one tensor of both parts": (X, torch.zeros(2, 2, 4), None),
    "hx of three": (X, (torch.zeros(1, 2, 4),) * 3, None),
    "hx of arrays": (X, (np.zeros((1, 2, 4)),) * 2, None),
    "hx of nones": (X, (None, None), None),
    "number for hx": (X, 0, None),
}


@every_layer
@pytest.mark.parametrize("mode", [torch.enable_grad, torch.no_grad])
@pytest.mark.parametrize(("x", "hx", "words"), CALLS.values(), ids=CALLS)
def test_a_wrong_call_is_refused_by_torch_nns_type_and_in_its_words(
    name: str, mode: Callable[[], Any], x: Any, hx: Any, words: str | None
) -> None:
    layer, theirs = LAYERS[name](3, 4), THEIRS[name](3, 4)
    state = hx.of(name) if isinstance(hx, State) else hx
    with mode():
        before = layer(X)[0]
        with pytest.raises(Exception, match=words) as expected:
            theirs(x, state)
        with pytest.raises(type(expected.value), match=words) as refusal:
            layer(x, state)
        assert isinstance(refusal.value, ShapeError | OptionError)
        assert torch.equal(layer(X)[0], before)


def test_what_is_no_tensor_is_said_to_be_none() -> None:
    with pytest.raises(InputTypeError, match=r"input must be a tensor .* got a list of 2"):
        elman.GRU(3, 4)([1.0, 2.0])
    with pytest.raises(InputTypeError, match=r"h0 must be a tensor .* got a int"):
        elman.GRU(3, 4)(X, 0)
