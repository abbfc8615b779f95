"""A stack with gradients: each layer straight to the kernels.

As in `inference.py`, in a short call reaching the kernels costs more than running them. Where only
weights and a state take part, a stack skips the description of each recurrence, which says why
which backend cannot run it, and hands the tensors to the kernels' place in autograd.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor
from torch.nn import Parameter

from elman.sequence.kernel_call import RUN_TENSORS, SHARED_TENSORS, Call
from elman.sequence.native import run_of
from elman.sequence.operators import Differentiable
from elman.sequence.packing import WEIGHTS
from elman.sequence.recurrence import Recurrence

if TYPE_CHECKING:
    from elman.layers.recurrent import RecurrentLayer

_DTYPES = (torch.float32, torch.float64)
_NO_NUMBERS = torch.empty(0, device="cpu")


class _Layer:
    """One layer of a stack: its call of the kernels, and the names of its weights."""

    def __init__(self, layer: RecurrentLayer, number: int) -> None:
        options, directions = layer.options, layer.options.num_directions
        self.places = range(number * directions, (number + 1) * directions)
        # What the kernels are told of a recurrence before they are given its tensors.
        run = run_of(Recurrence(options.cell, _NO_NUMBERS, None, None, None))
        self.call = Call((run, run._replace(reverse=True))[:directions], "gradient")
        fields = options.cell.weights._fields
        self.names: list[list[str | None]] = []
        for known in layer._weight_names[number]:
            names = dict(zip(fields, known, strict=False))  # the mask, the last field, has no name
            self.names.append([names.get(field) for field in WEIGHTS])
        self.present = [name for names in self.names for name in names if name is not None]
        self.flags = (self._flags(states=0), self._flags(states=len(options.cell.state._fields)))

    def _flags(self, states: int) -> list[bool]:
        """Tell for every tensor of the call whether there is one, with so many parts of a state."""
        flags = []
        for names in self.names:
            own = [True, *[name is not None for name in names], False, *[True] * states]
            flags += own + [False] * (len(RUN_TENSORS) - len(own))
        return flags + [False] * len(SHARED_TENSORS)


class Training:
    """A stack ready to be run with gradients.

    Args:
        layer: a stack that `is_plain`.
    """

    def __init__(self, layer: RecurrentLayer) -> None:
        options = layer.options
        self._inputs = options.input_size
        self._batch_first = options.batch_first
        self._directions = options.num_directions
        self._layers = [_Layer(layer, i) for i in range(len(options.hidden_sizes))]
        sizes = options.hidden_sizes[0], options.output_sizes[0]
        self._state_sizes = options.cell.state_sizes(*sizes)
        self._parameters = layer._parameters

    def run(self, x: Any, hx: Any) -> tuple[Tensor, Any] | None:
        """Run the stack as `RecurrentLayer.forward` does; None where that must run it itself."""
        if type(x) not in (Tensor, Parameter) or x.dim() != 3 or x.size(2) != self._inputs:
            return None
        if x.dtype not in _DTYPES or not x.is_cpu or 0 in x.shape:
            return None
        weights: list[list[Any]] = [
            [self._parameters.get(name) for name in layer.present] for layer in self._layers
        ]
        state = self._state(x, hx)
        if state is None or not self._records(x, weights, state):
            return None
        if self._batch_first:
            x = x.transpose(0, 1)
        ended: list[list[Tensor]] = [[] for _ in self._state_sizes]
        for layer, own in zip(self._layers, weights, strict=True):
            x, *parts = self._run_layer(layer, x, own, state)
            for i, part in enumerate(parts):
                ended[i % len(ended)].append(part)
        joined = [parts[0] if len(parts) == 1 else torch.cat(parts) for parts in ended]
        y = x.transpose(0, 1) if self._batch_first else x
        return y, joined[0] if len(joined) == 1 else tuple(joined)

    def _state(self, x: Tensor, hx: Any) -> tuple[Tensor, ...] | None:
        """Return the parts of a state, none for zeros; None where they are not as needed."""
        if hx is None:
            return ()
        state = hx if isinstance(hx, tuple) else (hx,)
        if len(state) != len(self._state_sizes):
            return None
        places, rows = len(self._layers) * self._directions, x.size(0 if self._batch_first else 1)
        for part, size in zip(state, self._state_sizes, strict=True):
            if type(part) not in (Tensor, Parameter) or part.shape != (places, rows, size):
                return None
            if part.dtype is not x.dtype or not part.is_cpu:
                return None
        return state

    @staticmethod
    def _records(x: Tensor, weights: list[list[Any]], state: tuple[Tensor, ...]) -> bool:
        """Tell whether autograd records this, of weights that are parameters as x is."""
        wanted = x.requires_grad
        for own in weights:
            for weight in own:
                if type(weight) is not Parameter or weight.dtype is not x.dtype:
                    return False
                wanted = wanted or weight.requires_grad
        return wanted or any(part.requires_grad for part in state)

    def _run_layer(
        self, layer: _Layer, x: Tensor, weights: list[Any], state: tuple[Tensor, ...]
    ) -> tuple[Tensor, ...]:
        """Run one layer over x, (T, B, ·): y, then the state of each place."""
        present, used = [], 0
        for place, names in zip(layer.places, layer.names, strict=True):
            count = len(names) - names.count(None)
            present += [x, *weights[used : used + count], *[part[place] for part in state]]
            used += count
        flags = layer.flags[bool(state)]
        outputs: tuple[Tensor, ...] = Differentiable.apply(layer.call, flags, *present)  # type: ignore[no-untyped-call]
        return outputs
