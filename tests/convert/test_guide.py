"""The page on conversion: its examples run, and its table of what goes where is true."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

import elman
from elman.convert import to_keras_weights, to_onnx, to_torch
from elman.errors import OptionError
from oracles import keras_layers

pytestmark = keras_layers.own_warnings

PAGE = (Path(__file__).parents[2] / "docs" / "convert.md").read_text(encoding="utf-8")
TARGETS: dict[str, Callable[[Any], Any]] = {
    "torch.nn": to_torch,
    "Keras 3": to_keras_weights,
    "ONNX": to_onnx,
}
LAYERS: dict[str, Callable[[], Any]] = {
    "simple: tanh, relu": lambda: elman.SimpleRNN(3, 5, nonlinearity="relu"),
    "simple: sigmoid, identity": lambda: elman.SimpleRNN(3, 5, nonlinearity="sigmoid"),
    "LSTM: peepholes": lambda: elman.LSTM(3, 5, peephole=True),
    "LSTM: coupled gates, f = 1 − i": lambda: elman.LSTM(3, 5, coupled_gates=True),
    "LSTM: projection": lambda: elman.LSTM(3, 5, proj_size=2),
    "GRU: reset after the product": lambda: elman.GRU(3, 5),
    "GRU: reset before the product": lambda: elman.GRU(3, 5, reset_after=False),
    "both directions": lambda: elman.GRU(3, 5, bidirectional=True),
    "different layers forward and backward": lambda: elman.Bidirectional(
        elman.GRU(3, 5), elman.LSTM(3, 7)
    ),
    "stacks": lambda: elman.GRU(3, 5, 2),
    "stacks of unequal sizes": lambda: elman.GRU(3, [5, 7]),
    "dropout between layers": lambda: elman.GRU(3, 5, 2, dropout=0.2),
    "recurrent dropout": lambda: elman.GRU(3, 5, recurrent_dropout=0.2),
    "layer norm, zoneout, residual connections, learned initial state": lambda: elman.GRU(
        3, 5, layer_norm=True
    ),
}


def rows_of_the_table() -> dict[str, list[str]]:
    """Read the second table: the first cell of each row names it."""
    _, table = PAGE.split("| what a layer may have |")
    lines = table.split("\n\n")[0].splitlines()[2:]
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    return {name: cells for name, *cells in rows}


@pytest.mark.filterwarnings("ignore")  # PyTorch's exporter has warnings of its own
def test_the_examples_of_the_page_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    names: dict[str, Any] = {}
    for block in re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL):
        exec(block, names)
        ours = names["ours"]
        assert ours(torch.zeros(4, 2, 3))[0].shape[:2] == (4, 2)
    assert [path.name for path in tmp_path.iterdir()] == ["lstm.onnx"]


@pytest.mark.parametrize("name", LAYERS)
def test_the_table_says_what_goes_where(name: str) -> None:
    for (target, convert), cell in zip(TARGETS.items(), rows_of_the_table()[name], strict=True):
        if cell == "–":
            with pytest.raises(OptionError):
                convert(LAYERS[name]())
        else:
            assert convert(LAYERS[name]()) is not None, f"{name} to {target}"


def test_every_row_of_the_table_is_tested() -> None:
    assert rows_of_the_table().keys() == LAYERS.keys()
