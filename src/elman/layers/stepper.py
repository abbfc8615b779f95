"""A stack that runs one step at a time on NumPy arrays, at little more than a call's cost."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from elman import _kernels
from elman.errors import BackendError, ElmanError, OptionError, ShapeError
from elman.layers.options import checked_size
from elman.layers.parameters import Place, cell_weights, learned_state
from elman.layers.state import StateLayout
from elman.sequence import native
from elman.sequence.packing import WEIGHTS, lay_out
from elman.sequence.recurrence import Recurrence

if TYPE_CHECKING:
    from elman.layers.recurrent import RecurrentLayer

Array = NDArray[Any]
_ERRORS: dict[type[Exception], type[ElmanError]] = {
    TypeError: OptionError,
    ValueError: ShapeError,
    RuntimeError: BackendError,
}


class Stepper:
    """A stack that runs one step at a time, all layers in one call: `layer.stepper()`.

    It holds a frozen copy of the weights, as they were when it was made, and computes what the
    layer computes in evaluation mode, to the same bits as over a whole sequence: no dropout, and
    zoneout keeps its share of the old state. Its arrays are float32 or float64, as the weights;
    float32 for weights of bfloat16, whose numbers it widens, between layers too.

    Beside the weights it keeps the state of its rows, and nothing else. One thread at a time may
    use it.

    Args:
        layer: a stack in one direction.
        rows: B, how many sequences run side by side.

    Raises:
        OptionError: the stack is bidirectional, or `rows` is no size.
        BackendError: the kernels cannot run the stack; the sentence says why.

    >>> import elman
    >>> stepper = elman.GRU(3, 5).stepper()
    >>> stepper.step(np.zeros(3, dtype=np.float32)).shape
    (5,)
    >>> before = stepper.state
    >>> y = stepper.step(np.ones(3, dtype=np.float32)).copy()
    >>> stepper.state = before
    >>> np.array_equal(stepper.step(np.ones(3, dtype=np.float32)), y)
    True
    """

    def __init__(self, layer: RecurrentLayer, rows: int = 1) -> None:
        options = layer.options
        self.rows = checked_size("rows", rows)
        self._layer_text = f"{type(layer).__name__}({', '.join(options.said())})"
        if options.bidirectional:
            raise OptionError(
                f"{self._layer_text} reads every sequence from its end too, and in a stream the "
                "end is still to come; for a stepper, build the layer with bidirectional=False."
            )
        recurrences = list(_recurrences(layer, rows))
        runs = [native.run_of(recurrence) for recurrence in recurrences]
        layers = []
        for run, recurrence in zip(runs, recurrences, strict=True):
            weights = [getattr(recurrence.weights, name, None) for name in WEIGHTS]
            layers.append(lay_out(run.kernel, run.nonlinearity, weights).packed)
        rates = [run.rates for run in runs]
        self._kernel = _kernels.Stepper(layers, rates, rows, options.residual)
        views = [self._kernel.hidden, self._kernel.cell][: len(options.cell.state._fields)]
        self._views: list[tuple[Array, ...]] = list(zip(*views, strict=True))  # a layer: h, c
        self._layout = StateLayout(options)
        self._like = torch.from_numpy(views[0][0]).new_empty(1, rows, options.input_size)
        self._starts = [_start(recurrence, self._like.dtype) for recurrence in recurrences]
        self.reset()

    def step(self, x: Array) -> Array:
        """Read one step of every row; return what the last layer writes.

        Args:
            x: (B, I), or (I,) where there is one row; C-contiguous, of the stepper's dtype.

        Returns:
            The output, (B, P), or (P,) for (I,): always the same array, which the next step writes
            over. `.copy()` keeps it.

        Raises:
            ShapeError: x has other axes; the sentence names them.
            OptionError: x is no array, or of another dtype, or not contiguous.
            BackendError: another thread is in a step of this stepper.
        """
        try:
            return self._kernel.step(x)
        except tuple(_ERRORS) as error:
            raise _ERRORS[type(error)](str(error)) from None

    @property
    def state(self) -> Any:
        """The state between two steps: a copy as NumPy arrays, laid out as the layer's own is.

        It may be set, also to what the layer returned as its state; B is never left out. Setting it
        copies, and raises ShapeError or OptionError, in words, where it does not fit.
        """
        places = [[torch.from_numpy(view[None]) for view in views] for views in self._views]
        return _each(self._layout.join(places), lambda part: part.numpy().copy())

    @state.setter
    def state(self, state: Any) -> None:
        places = self._layout.split(_each(state, _tensor), self._like)
        for views, parts in zip(self._views, places, strict=True):
            for view, part in zip(views, parts, strict=True):
                view[...] = part.numpy()

    def reset(self, rows: Sequence[int] | Sequence[bool] | Array | None = None) -> None:
        """Start rows anew, from zeros or the learned initial state.

        Args:
            rows: the rows, as a mask, (B,), or as row numbers; None for all.

        Raises:
            OptionError: there are no such rows.
        """
        chosen = np.arange(self.rows) if rows is None else self._numbers(rows)
        for views, starts in zip(self._views, self._starts, strict=True):
            for view, start in zip(views, starts, strict=True):
                view[chosen] = start

    def _numbers(self, rows: Any) -> Array:
        """Return row numbers, given a mask or row numbers."""
        named = np.asarray(rows)
        if named.dtype == bool and named.shape == (self.rows,):
            return np.flatnonzero(named)
        is_list = named.ndim == 1 and (named.dtype.kind in "iu" or named.size == 0)
        if not is_list or ((named < 0) | (named >= self.rows)).any():
            raise OptionError(
                f"rows must be a mask (B,) = ({self.rows},) of bools, or a list of row numbers "
                f"0 … {self.rows - 1}, got {rows!r}."
            )
        return named.astype(np.intp)

    def __repr__(self) -> str:
        return f"Stepper({self._layer_text}, rows={self.rows})"


def _recurrences(layer: RecurrentLayer, rows: int) -> Iterator[Recurrence]:
    """Describe each layer in evaluation; raise BackendError if the kernels cannot run it."""
    options = layer.options
    with torch.no_grad(), torch.autocast("cpu", enabled=False):
        for number in range(layer.num_layers):
            place = Place(number, reverse=False)
            weights = cell_weights(layer, options, place, None)
            start = learned_state(layer, options, place, rows)
            recurrence = Recurrence(
                cell=options.cell,
                x=weights.input.new_zeros(1, rows, weights.input.size(1)),
                state=start,
                weights=weights,
                fresh=start,
                zoneout=options.zoneouts if any(options.zoneouts) else None,
            )
            reason = native.why_not(recurrence)
            if reason is not None:
                raise BackendError(
                    f"{type(layer).__name__}.stepper: {reason}. Call the layer with one step of "
                    "input and its last state instead."
                )
            yield recurrence


def _start(recurrence: Recurrence, dtype: torch.dtype) -> tuple[Any, ...]:
    """Return the initial state of a row: for each part a copy, (P,) or (H,), or 0."""
    if recurrence.fresh is None:
        return (0.0,) * len(recurrence.cell.state._fields)
    return tuple([part[0].detach().to(dtype, copy=True).numpy() for part in recurrence.fresh])


def _each(state: Any, change: Callable[[Any], Any]) -> Any:
    """Change every array of a state: one, or lists and tuples of them."""
    if not isinstance(state, list | tuple):
        return change(state)
    changed = [_each(part, change) for part in state]
    return changed if isinstance(state, list) else tuple(changed)


def _tensor(part: Any) -> Any:
    """Return an array as a tensor; anything else stays as it is, and is refused later."""
    if isinstance(part, np.ndarray):
        return torch.tensor(part, device="cpu")
    return part.detach() if isinstance(part, Tensor) else part
