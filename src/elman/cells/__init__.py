"""The cells: one file an equation, and `CELLS`, which maps a name to its cell.

A cell is a step function: `step(x, state, weights) -> (state at t, gates)`. It knows no time, no
lengths, no device and no backend; `elman.sequence` runs it over a sequence.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any, NamedTuple

from torch import Tensor

from elman.cells import gru, lstm, simple
from elman.cells.gru import GRUGates, GRUState, GRUWeights, gru_reset_before_step, gru_step
from elman.cells.lstm import (
    LSTMGates,
    LSTMState,
    LSTMWeights,
    lstm_coupled_step,
    lstm_step,
)
from elman.cells.simple import (
    NONLINEARITIES,
    SimpleGates,
    SimpleState,
    SimpleWeights,
    simple_step,
)
from elman.errors import unknown

__all__ = [
    "CELLS",
    "NONLINEARITIES",
    "Cell",
    "CellFamily",
    "GRUGates",
    "GRUState",
    "GRUWeights",
    "LSTMGates",
    "LSTMState",
    "LSTMWeights",
    "SimpleGates",
    "SimpleState",
    "SimpleWeights",
    "State",
    "Weights",
    "cell",
    "gru_reset_before_step",
    "gru_step",
    "lstm_coupled_step",
    "lstm_step",
    "simple_step",
]

State = SimpleState | LSTMState | GRUState
Weights = SimpleWeights | LSTMWeights | GRUWeights


@dataclass(frozen=True)
class Cell:
    """One recurrent equation, its options chosen.

    Args:
        name: simple, lstm or gru.
        options: the options of the equation and their values.
        gates: the rows of the packed weights in their order, one name a block.
        step: `step(x, state, weights) -> (state, gates)`.
        state: the NamedTuple of its state.
        weights: the NamedTuple of its weights.
    """

    name: str
    options: Mapping[str, Any] = field(hash=False)
    gates: tuple[str, ...]
    step: Callable[[Tensor, Any, Any], tuple[Any, NamedTuple]]
    state: type[State]
    weights: type[Weights]

    def __str__(self) -> str:
        chosen = ", ".join(f"{name}={value!r}" for name, value in self.options.items())
        return f"{self.name}({chosen})"


@dataclass(frozen=True)
class CellFamily:
    """A cell whose options are still open: `CELLS["gru"].variant(reset_after=False)`.

    Args:
        name: simple, lstm or gru.
        defaults: every option of the equation, with its default.
        build: the cell for a full set of options.
    """

    name: str
    defaults: Mapping[str, Any] = field(hash=False)
    build: Callable[..., Cell]

    def variant(self, **options: Any) -> Cell:
        """Choose the options of the equation; what is not said keeps its default.

        Raises:
            OptionError: an option this cell does not have, or a value it does not take.
        """
        for name in options:
            if name not in self.defaults:
                raise unknown(f"{self.name} option", name, self.defaults)
        return self.build(**{**self.defaults, **options})


def _simple(nonlinearity: str) -> Cell:
    if nonlinearity not in NONLINEARITIES:
        raise unknown("nonlinearity", nonlinearity, NONLINEARITIES)
    return Cell(
        "simple",
        {"nonlinearity": nonlinearity},
        simple.GATES,
        partial(simple_step, nonlinearity=nonlinearity),
        SimpleState,
        SimpleWeights,
    )


def _lstm(*, peephole: bool, coupled_gates: bool) -> Cell:
    return Cell(
        "lstm",
        {"peephole": peephole, "coupled_gates": coupled_gates},
        lstm.COUPLED_GATES if coupled_gates else lstm.GATES,
        lstm_coupled_step if coupled_gates else lstm_step,
        LSTMState,
        LSTMWeights,
    )


def _gru(*, reset_after: bool) -> Cell:
    return Cell(
        "gru",
        {"reset_after": reset_after},
        gru.GATES,
        gru_step if reset_after else gru_reset_before_step,
        GRUState,
        GRUWeights,
    )


CELLS: Mapping[str, CellFamily] = {
    "simple": CellFamily("simple", {"nonlinearity": "tanh"}, _simple),
    "lstm": CellFamily("lstm", {"peephole": False, "coupled_gates": False}, _lstm),
    "gru": CellFamily("gru", {"reset_after": True}, _gru),
}


def cell(name: str, **options: Any) -> Cell:
    """Look a cell up by name and choose its options.

    Raises:
        OptionError: an unknown cell, option or value; the near miss is offered.
    """
    if name not in CELLS:
        raise unknown("cell", name, CELLS)
    return CELLS[name].variant(**options)
