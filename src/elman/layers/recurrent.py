"""The stack that SimpleRNN, LSTM and GRU share: layers, directions, state, dropout between."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import fields
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils.rnn import PackedSequence

from elman.errors import OptionError
from elman.layers.inference import Inference, is_asked_alone, is_plain
from elman.layers.input_checks import check_axes, check_input
from elman.layers.noise import recurrent_dropout_mask, zoneout_mask
from elman.layers.options import CHANGEABLE, RecurrentOptions
from elman.layers.parameters import (
    Place,
    create,
    gather,
    initialise,
    learned_state,
    parameter,
    places,
    weight_names,
)
from elman.layers.rnn_base import RNNBase
from elman.layers.state import StateLayout
from elman.layers.stepper import Stepper
from elman.layers.tools import as_leaf, check_weight, is_symbol, refuse_script, say_unquantized
from elman.layers.training import Training
from elman.sequence.backend import BackendStatus, backends, check_backend, run_layer
from elman.sequence.ragged import (
    checked_lengths,
    checked_resets,
    map_trace,
    pack_like,
    pad_packed,
)
from elman.sequence.recurrence import Recurrence, Trace

_OPTIONS = {field.name for field in fields(RecurrentOptions)} - {"cell"}


def option(name: str, doc: str) -> Any:
    """Make the attribute of a layer that reads one of its options."""
    return property(lambda layer: getattr(layer.options, name), doc=doc)


def cell_option(name: str, doc: str) -> Any:
    """Make the attribute of a layer that reads one of the options of its cell."""
    return property(lambda layer: layer.options.cell.options[name], doc=doc)


class RecurrentLayer(RNNBase):
    """A stack of recurrent layers of one cell. Use SimpleRNN, LSTM, GRU …, which name the options.

    This is the one base class of Elman's layers, as RNNBase is torch.nn's: a layer class below it
    adds a constructor and the names of its cell's options. It is a `torch.nn.RNNBase` to whoever
    asks for the type.
    """

    def __init__(
        self,
        options: RecurrentOptions,
        *,
        backend: str,
        device: torch.device | str | None,
        dtype: torch.dtype | None,
    ) -> None:
        super().__init__()
        check_backend(backend)
        self._backend = backend
        self.options = options
        self._state_layout = StateLayout(options)
        names = [weight_names(options, place) for place in places(options)]
        ways = options.num_directions
        self._weight_names = [names[i : i + ways] for i in range(0, len(names), ways)]
        create(self, options, device, dtype)
        self.reset_parameters()
        self._settle()

    def _settle(self) -> None:
        """Draw from the options what every call asks for."""
        options = self.options
        self._is_plain = is_plain(self)
        self._is_noisy = any((options.dropout, options.locked_dropout, options.recurrent_dropout))
        self._inference: Inference | None = None
        self._training: Training | None = None

    def __setattr__(self, name: str, value: Any) -> None:
        """Set an attribute; an option is obeyed, with gradients and without, or refused.

        Raises:
            OptionError: the option is out of range, or settled when the layer is built.
        """
        if name == "qconfig" and value is not None:
            say_unquantized(self)
        options: RecurrentOptions | None = self.__dict__.get("options")
        if options is None or not (name in _OPTIONS or name in options.cell.options):
            super().__setattr__(name, value)
            return
        if name in CHANGEABLE:
            self.options = options.changed(name, value, stacklevel=3)
        elif value != (built := self._built_with(name)):
            raise OptionError(
                f"{name} is settled when a layer is built: this one has {name}={built!r} and "
                f"cannot become {value!r}. Build a new layer; of its options, "
                f"{', '.join(CHANGEABLE)} and backend can be set later."
            )
        self._settle()

    def _built_with(self, name: str) -> Any:
        """Return an option as torch.nn has it as an attribute."""
        if name in ("hidden_size", "num_layers"):
            return getattr(self, name)
        own = self.options.cell.options
        return own[name] if name in own else getattr(self.options, name)

    input_size: int = option("input_size", "I.")
    bias: bool = option("bias", "Whether the products have biases.")
    batch_first: bool = option("batch_first", "Whether x is (B, T, I). It may be set.")
    dropout: float = option("dropout", "Share of outputs dropped between layers. It may be set.")
    locked_dropout: float = option("locked_dropout", "With one mask a sequence. It may be set.")
    bidirectional: bool = option("bidirectional", "Whether layers read both ways.")
    proj_size: int = option("proj_size", "P, the size h is projected to; 0 for none.")
    recurrent_dropout: float = option("recurrent_dropout", "Of h(t−1) in R h. It may be set.")
    zoneout: float | tuple[float, float] = option("zoneout", "Share of units kept. It may be set.")

    @property
    def backend(self) -> str:
        """What `backend=` says: auto, or the name of a backend. It may be set."""
        return self._backend

    @backend.setter
    def backend(self, name: str) -> None:
        check_backend(name)
        self._backend = name
        self._settle()

    @property
    def num_layers(self) -> int:  # type: ignore[override]
        """L."""
        return len(self.options.hidden_sizes)

    @property
    def hidden_size(self) -> int | list[int]:  # type: ignore[override]
        """H, or one H per layer where they differ."""
        sizes = self.options.hidden_sizes
        return sizes[0] if len(set(sizes)) == 1 else sizes

    @property
    def output_size(self) -> int:
        """D·P of the last layer: the size of the outputs."""
        return self.options.num_directions * self.options.output_sizes[-1]

    def reset_parameters(self) -> None:
        """Initialise the weights anew: U(−1/√H, 1/√H) as torch.nn does, then as the options say."""
        initialise(self, self.options)

    def forward(
        self,
        input: Tensor | PackedSequence,  # noqa: A002 — torch.nn's name
        hx: Any = None,
        *,
        lengths: Tensor | Sequence[int] | None = None,
        resets: Tensor | Sequence[Any] | None = None,
        return_trace: bool = False,
    ) -> Any:
        """Run the stack over a batch of sequences.

        Args:
            input: (T, B, I), (B, T, I) with batch_first, (T, I) for one row, or a PackedSequence.
            hx: the state to start from, as this call returns it; zeros, or the learned initial
                state, where None.
            lengths: steps of each row, (B,), 0 … T in any order, on any device. What lies after a
                row's end is never read.
            resets: (T, B), or (B, T) with batch_first: the state starts anew before a marked step.
            return_trace: also return every state and gate.

        Returns:
            The outputs, D·P wide, zeros after a row's end, in the form of the input; the state at
            each row's own end, as torch.nn returns it (where the layers' sizes differ, a list with
            one (D, B, P) per layer instead of one tensor); and with `return_trace`, a list with,
            for each layer, a list with a `Trace` for each direction, laid out as the input is.

        Raises:
            ShapeError: an argument's axes are wrong; the sentence names them.
            OptionError: lengths outside 0 … T, or a dtype or device other than the weights'.
            BackendError: the backend asked for by name cannot run this.
        """
        if lengths is None and resets is None and not return_trace:
            result = self._run_plain(input, hx)
            if result is not None:
                return result
        if is_symbol(input):
            named = {"lengths": lengths, "resets": resets, "return_trace": return_trace}
            return as_leaf(self, input, hx, **named)
        row_lengths: Tensor | None = None
        cuts: Tensor | None = None
        if isinstance(input, PackedSequence):
            if lengths is not None or resets is not None:
                raise OptionError("a PackedSequence brings its lengths: leave lengths, resets out.")
            x, steps = pad_packed(input)
            batched, restore = True, _packer(input)
            row_lengths = checked_lengths(steps, x)
        else:
            arrange, restore = self._arrangement(input)
            x, batched = arrange(input), input.dim() == 3
            if lengths is not None:
                row_lengths = checked_lengths(lengths, x)
            if resets is not None:
                cuts = arrange(checked_resets(resets, input, self._axes))
        start = self._start(hx, x, batched=batched)
        output, states, traces = self._run(x, start, row_lengths, cuts, return_trace)
        output, state = restore(output), self._state_layout.join(states, batched=batched)
        if not return_trace:
            return output, state
        return output, state, [[map_trace(trace, restore) for trace in layer] for layer in traces]

    def _run_plain(self, x: Any, hx: Any) -> tuple[Tensor, Any] | None:
        """Run the stack by the shortest way to the kernels; None where that is not possible."""
        if not self._is_plain or (self.training and self._is_noisy) or not is_asked_alone():
            return None
        if torch.is_grad_enabled():
            if self._training is None:
                self._training = Training(self)
            return self._training.run(x, hx)
        if self._inference is None or not self._inference.is_current():
            self._inference = Inference(self)
        return self._inference.run(x, hx)

    def __getstate__(self) -> dict[str, Any]:
        # A copy lays its weights out for the kernels itself, when it needs them.
        return {**self.__dict__, "_inference": None, "_training": None}

    def _replicate_for_data_parallel(self) -> Any:
        replica = super()._replicate_for_data_parallel()
        replica._inference = replica._training = None
        return replica

    def __prepare_scriptable__(self) -> None:
        """Refuse torch.jit.script in words."""
        refuse_script(self)

    @property
    def _axes(self) -> str:
        return "B, T" if self.batch_first else "T, B"

    def _arrangement(
        self, x: Tensor
    ) -> tuple[Callable[[Tensor], Tensor], Callable[[Tensor], Tensor]]:
        """Check the axes of the input; return how to arrange them as (T, B, ·), and back."""
        check_axes(x, self.input_size, self._axes, type(self).__name__)
        if x.dim() == 2:
            return lambda v: v.unsqueeze(1), lambda v: v.squeeze(1)
        if self.batch_first:
            return lambda v: v.transpose(0, 1), lambda v: v.transpose(0, 1)
        return lambda v: v, lambda v: v

    def _start(self, hx: Any, x: Tensor, *, batched: bool = True) -> list[Any] | None:
        """Check the inputs, (T, B, I), and split the state into one cell's state per place."""
        weight = parameter(self, "weight_ih_l0")
        check_weight(weight)
        check_input(x, self.input_size, weight)
        return None if hx is None else self._state_layout.split(hx, x, batched=batched)

    def _run(
        self,
        x: Tensor,
        start: list[Any] | None,
        lengths: Tensor | None,
        resets: Tensor | None,
        trace: bool,
    ) -> tuple[Tensor, list[Any], list[list[Trace]]]:
        """Run all layers over x, (T, B, I)."""
        states: list[Any] = []
        traces: list[list[Trace]] = []
        for layer in range(self.num_layers):
            below = self._below(layer, x)
            recurrences = self._recurrences(layer, below, start, lengths, resets, trace)
            output, ended, traced = run_layer(recurrences, self.backend)
            x = self._above(layer, below, output)
            states += ended
            traces.append([each for each in traced if each is not None])
        return x, states, traces

    def _below(self, layer: int, x: Tensor) -> Tensor:
        """Apply dropout to what a layer passes to the next."""
        if layer == 0 or not self.training:
            return x
        if self.options.locked_dropout:
            x = x * recurrent_dropout_mask(x.new_empty(x.shape[1:]), self.options.locked_dropout)
        return F.dropout(x, self.options.dropout) if self.options.dropout else x

    def _above(self, layer: int, below: Tensor, output: Tensor) -> Tensor:
        """Add what a layer reads to what it writes, if residual."""
        return output + below if self.options.residual and layer > 0 else output

    def _recurrences(
        self,
        layer: int,
        x: Tensor,
        start: list[Any] | None,
        lengths: Tensor | None,
        resets: Tensor | None,
        trace: bool,
        *,
        reverse: bool = False,
    ) -> list[Recurrence]:
        """Describe what one layer does in each direction, with sampled masks.

        Args:
            layer: number of the layer.
            x: input of the layer, (T, B, I).
            start: the state of every place of the stack, or None.
            lengths: (B,), or None.
            resets: (T, B), or None.
            trace: whether every state and gate is kept.
            reverse: read from each row's own end, as the second layer of a Bidirectional does.
        """
        options, rows = self.options, x.size(1)
        output_size = options.output_sizes[layer]
        state_sizes = options.cell.state_sizes(options.hidden_sizes[layer], output_size)
        recurrences = []
        for direction, names in enumerate(self._weight_names[layer]):
            place = Place(layer, direction == 1)
            mask = None
            if self.training and options.recurrent_dropout > 0:
                like = x.new_empty(rows, output_size)
                mask = recurrent_dropout_mask(like, options.recurrent_dropout)
            fresh = learned_state(self, options, place, rows)
            number = layer * options.num_directions + direction
            recurrences.append(
                Recurrence(
                    cell=options.cell,
                    x=x,
                    state=fresh if start is None else start[number],
                    weights=gather(self, options.cell, names, mask),
                    fresh=fresh,
                    lengths=lengths,
                    resets=resets,
                    reverse=reverse or place.reverse,
                    zoneout=self._zoneout(x, *state_sizes),
                    trace=trace,
                )
            )
        return recurrences

    def _zoneout(self, x: Tensor, *sizes: int) -> tuple[Tensor | float, ...] | None:
        """Sample the units that keep their old state; in evaluation, return the share all keep."""
        probabilities = self.options.zoneouts
        if not any(probabilities):
            return None
        if not self.training:
            return probabilities
        steps, rows = x.size(0), x.size(1)
        parts = zip(sizes, probabilities, strict=True)
        return tuple([zoneout_mask(x.new_empty(rows, size), share, steps) for size, share in parts])

    def stepper(self, rows: int = 1) -> Stepper:
        """Copy the stack as it is now into one that runs step by step, on NumPy arrays.

        Args:
            rows: B, how many sequences run side by side.

        Raises:
            OptionError: the stack is bidirectional, or `rows` is no size.
            BackendError: Elman's kernels cannot run the stack; the sentence says why.
        """
        return Stepper(self, rows)

    def backends(self) -> list[BackendStatus]:
        """List which backends run this layer as it is now, and why the others do not."""
        x = parameter(self, "weight_ih_l0").new_zeros(1, 1, self.input_size)
        with torch.random.fork_rng(devices=[x.device] if x.is_cuda else []):  # masks are not used
            return backends(self._recurrences(0, x, None, None, None, False)[0])

    def extra_repr(self) -> str:
        """Show the sizes, the options that are not defaults, and the number of parameters."""
        parts = self.options.said()
        if self.backend != "auto":
            parts.append(f"backend={self.backend!r}")
        return ", ".join([*parts, f"parameters={parameter_count(self)}"])


def parameter_count(module: nn.Module) -> int:
    """Count the numbers a module learns."""
    return sum(weight.numel() for weight in module.parameters() if weight.requires_grad)


def _packer(packed: PackedSequence) -> Callable[[Tensor], Any]:
    return lambda padded: pack_like(padded, packed)
