"""The cells: one file per equation, and `CELLS`, which maps the name of a cell to its family.

A cell is a step function: `step(x, state, weights) -> (state at t, gates)`. It knows no time, no
lengths, no device and no backend; `elman.sequence` runs it over a sequence.

Other packages add cells through entry points in the group `elman.cells`: an entry point has the
name of its cell, and its object is a `CellFamily`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from elman.cells.entry import Cell, CellFamily, Columns, Kernel, Scan
from elman.cells.gru import (
    GRU,
    GRUGates,
    GRUState,
    GRUWeights,
    gru_reset_before_step,
    gru_step,
)
from elman.cells.lru import LRU, LRUGates, LRUState, LRUWeights, lru_step
from elman.cells.lstm import (
    LSTM,
    LSTMGates,
    LSTMState,
    LSTMWeights,
    lstm_coupled_step,
    lstm_step,
)
from elman.cells.mingru import MINGRU, MinGRUGates, MinGRUState, MinGRUWeights, mingru_step
from elman.cells.minlstm import (
    MINLSTM,
    MinLSTMGates,
    MinLSTMState,
    MinLSTMWeights,
    minlstm_step,
)
from elman.cells.simple import (
    NONLINEARITIES,
    SIMPLE,
    SimpleGates,
    SimpleState,
    SimpleWeights,
    simple_step,
)
from elman.cells.slstm import SLSTM, SLSTMGates, SLSTMState, SLSTMWeights, slstm_step
from elman.errors import unknown
from elman.plugins import Registry

__all__ = [
    "CELLS",
    "KERNELS",
    "NONLINEARITIES",
    "SCAN_KERNELS",
    "Cell",
    "CellFamily",
    "Columns",
    "GRUGates",
    "GRUState",
    "GRUWeights",
    "Kernel",
    "LRUGates",
    "LRUState",
    "LRUWeights",
    "LSTMGates",
    "LSTMState",
    "LSTMWeights",
    "MinGRUGates",
    "MinGRUState",
    "MinGRUWeights",
    "MinLSTMGates",
    "MinLSTMState",
    "MinLSTMWeights",
    "SLSTMGates",
    "SLSTMState",
    "SLSTMWeights",
    "Scan",
    "SimpleGates",
    "SimpleState",
    "SimpleWeights",
    "cell",
    "cell_of_kernel",
    "gru_reset_before_step",
    "gru_step",
    "lru_step",
    "lstm_coupled_step",
    "lstm_step",
    "mingru_step",
    "minlstm_step",
    "simple_step",
    "slstm_step",
]

_BUILT_IN = (SIMPLE, LSTM, GRU, MINGRU, MINLSTM, LRU, SLSTM)


def _what_is_wrong(name: str, entry: Any) -> str | None:
    if not isinstance(entry, CellFamily):
        return f"must be an elman.cells.CellFamily, got {type(entry).__name__}"
    return None if entry.name == name else f"is a CellFamily of another name, {entry.name!r}"


CELLS: Registry[CellFamily] = Registry(
    "elman.cells", {family.name: family for family in _BUILT_IN}, _what_is_wrong
)

KERNELS: Mapping[str, Cell] = {
    variant.kernel.name: variant
    for family in _BUILT_IN
    for options in family.kernels
    if (variant := family.variant(**options)).kernel is not None
}
"""Name of a kernel → the cell that it computes; options that the kernel takes are defaults."""


SCAN_KERNELS: Mapping[str, Cell] = {
    variant.scan.kernel: variant
    for family in _BUILT_IN
    if (variant := family.variant()).scan is not None and variant.scan.kernel is not None
}
"""Name of a kernel that computes gates and scan at once → the cell whose gates they are."""


def cell(name: str, **options: Any) -> Cell:
    """Look a cell up by name and choose its options.

    Raises:
        OptionError: an unknown cell, option or value; the near miss is offered.
    """
    if name not in CELLS:
        raise unknown("cell", name, CELLS)
    return CELLS[name].variant(**options)


def cell_of_kernel(name: str) -> Cell:
    """Look up the cell that a kernel computes.

    Raises:
        OptionError: there is no such kernel; the near miss is offered.
    """
    if name not in KERNELS:
        raise unknown("kernel", name, KERNELS)
    return KERNELS[name]
