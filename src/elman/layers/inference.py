"""A stack without gradients: all layers in one call of the kernels.

In a short call, reaching the kernels costs more than running them: at one step and 32 units they
run for two microseconds. Where only weights and a state take part, a stack therefore skips the
description of each recurrence and passes addresses directly. What lies at them is read at every
call, see `elman.sequence.packing`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from elman import _kernels
from elman.layers.parameters import cell_weights, places, weight_names
from elman.sequence import native
from elman.sequence.modes import is_traced, is_transformed
from elman.sequence.packing import WEIGHTS, lay_out
from elman.sequence.recurrence import Recurrence

if TYPE_CHECKING:
    from elman.layers.recurrent import RecurrentLayer


class Inference:
    """The weights of a stack where they lie now, ready to run.

    Args:
        layer: a stack that `is_plain`.
    """

    def __init__(self, layer: RecurrentLayer) -> None:
        options = layer.options
        self._batch_first = options.batch_first
        self._inputs = options.input_size
        self._dtype: torch.dtype | None = None
        self._width = layer.output_size
        self._has_cell = "cell" in options.cell.state._fields
        self._lead = len(options.hidden_sizes) * options.num_directions
        self._sizes = (options.output_sizes[0], options.hidden_sizes[0])
        self._parameters = layer._parameters
        self._count = len(self._parameters)
        self._seen: list[tuple[str, Tensor, int, int, tuple[int, ...]]] = []
        self._stack: _kernels.Stack | None = None
        self._lay_out(layer)

    def _lay_out(self, layer: RecurrentLayer) -> None:
        """Note where the weights of every place lie, if they are parameters that can be watched."""
        options, layers = layer.options, list[list[_kernels.Packed]]()
        for place in places(options):
            if any(name not in self._parameters for name in weight_names(options, place) if name):
                return  # computed from others, as torch.nn.utils.parametrize does
            weights = cell_weights(layer, options, place, None)
            listed = [getattr(weights, name, None) for name in WEIGHTS]
            if not all(w is None or (w.is_cpu and w.is_contiguous()) for w in listed):
                return
            if weights.input.dtype not in (torch.float32, torch.float64):
                return
            self._dtype = weights.input.dtype
            x = weights.input.new_empty(0, 0, weights.input.size(1))
            run = native.run_of(Recurrence(options.cell, x, None, weights, None))
            if not place.reverse:
                layers.append([])
            packed = lay_out(run.kernel, run.nonlinearity, listed, form="direct").packed
            layers[-1].append(packed)
        self._seen = [
            (name, weight, weight.data_ptr(), weight.nbytes, weight.stride())
            for name, weight in self._parameters.items()
            if weight is not None
        ]
        self._stack = _kernels.Stack(layers)

    def is_current(self) -> bool:
        """Tell whether the weights lie where they lay; their values are read as the stack runs."""
        parameters = self._parameters
        if len(parameters) != self._count:
            return False
        for name, weight, address, size, stride in self._seen:
            if (
                parameters.get(name) is not weight
                or weight.data_ptr() != address
                or weight.nbytes != size
                or weight.stride() != stride
            ):
                return False
        return True

    def run(self, x: Any, hx: Any) -> tuple[Tensor, Any] | None:
        """Run the stack as `RecurrentLayer.forward` does; None where that must run it itself."""
        if type(x) is not Tensor or x.dtype is not self._dtype or not x.is_cpu or x.dim() != 3:
            return None
        first, second, inputs = x.shape
        x_step, x_row, between = x.stride()
        steps, rows, y_step, y_row = first, second, second * self._width, self._width
        if self._batch_first:
            steps, rows, x_step, x_row = rows, steps, x_row, x_step
            y_step, y_row = y_row, y_step
        parts = self._parts(hx, rows)
        if self._stack is None or parts is None or not (rows and steps and between == 1):
            return None
        if inputs != self._inputs:
            return None
        y = x.new_empty(first, second, self._width)
        h = x.new_empty(self._lead, rows, self._sizes[0])
        c = x.new_empty(self._lead, rows, self._sizes[1]) if self._has_cell else None
        self._stack.run(
            steps,
            rows,
            x.data_ptr(),
            x_step,
            x_row,
            y.data_ptr(),
            y_step,
            y_row,
            *parts,
            h.data_ptr(),
            0 if c is None else c.data_ptr(),
            torch.get_num_threads(),
        )
        return y, h if c is None else (h, c)

    def _parts(self, hx: Any, rows: int) -> tuple[int, int] | None:
        """Return the addresses of h and c, zeros for none; None where they are not as needed."""
        if hx is None:
            return 0, 0
        state = hx if isinstance(hx, tuple) else (hx,)
        if len(state) != 1 + self._has_cell:
            return None
        for part, size in zip(state, self._sizes, strict=False):
            if (
                type(part) is not Tensor
                or part.shape != (self._lead, rows, size)
                or part.dtype is not self._dtype
                or not part.is_cpu
                or not part.is_contiguous()
            ):
                return None
        return state[0].data_ptr(), state[1].data_ptr() if self._has_cell else 0


def is_plain(layer: RecurrentLayer) -> bool:
    """Tell whether a stack has only its cell's weights, in layers of one size."""
    options = layer.options
    return (
        native.kernel_of(options.cell) is not None
        and layer.backend in ("auto", "native")
        and not (options.layer_norm or options.residual or options.learn_initial_state)
        and not any(options.zoneouts)
        and len(set(options.hidden_sizes)) == 1
    )


def is_asked_alone() -> bool:
    """Tell whether PyTorch asks for outputs, with gradients or without: no graph or other dtype."""
    return not (is_traced() or is_transformed() or torch.is_autocast_enabled("cpu"))
