"""Two layers of any types that read a sequence from both ends."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import PackedSequence

from elman.errors import OptionError, ShapeError, unknown
from elman.layers.recurrent import RecurrentLayer, parameter_count
from elman.layers.state import described
from elman.layers.tools import as_leaf, is_symbol, refuse_script
from elman.sequence.backend import run_layer
from elman.sequence.ragged import (
    checked_lengths,
    checked_resets,
    map_trace,
    pack_like,
    pad_packed,
    reverse_resets,
    reverse_rows,
)
from elman.sequence.recurrence import Trace

MERGES: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
    "concat": lambda forward, backward: torch.cat([forward, backward], dim=-1),
    "sum": torch.add,
    "mean": lambda forward, backward: (forward + backward) / 2,
    "mul": torch.mul,
}

_UNEVEN = "Bidirectional needs both layers batch_first, or neither."


class Bidirectional(nn.Module):
    """A layer that reads forward and one that reads backward, their outputs merged.

        y(t) = merge(forward(x)(t), backward(reversed x)(t))

    Each row is reversed within its own length, so that both outputs at t belong to step t.

    >>> import elman, torch
    >>> rnn = elman.Bidirectional(elman.LSTM(3, 5), elman.GRU(3, 7))
    >>> y, (forward_state, backward_state) = rnn(torch.zeros(4, 2, 3))
    >>> y.shape
    torch.Size([4, 2, 12])
    """

    def __init__(
        self,
        forward_layer: RecurrentLayer,
        backward_layer: RecurrentLayer,
        *,
        merge: str = "concat",
    ) -> None:
        """Join two layers.

        Args:
            forward_layer: reads from the first step to the last.
            backward_layer: reads from each row's last step to its first.
            merge: concat, sum, mean or mul.

        Raises:
            OptionError: an unknown merge, layers of different input sizes, outputs of different
                sizes where the merge needs equal ones, or a layer that is bidirectional itself.
        """
        super().__init__()
        _check_merge(merge)
        _check_pair(forward_layer, backward_layer, merge)
        self.forward_layer = forward_layer
        self.backward_layer = backward_layer
        self._merge = merge

    def __setattr__(self, name: str, value: Any) -> None:
        """Set an attribute; `merge` and `batch_first` are obeyed, sizes refused, as by a layer.

        Raises:
            OptionError: the value is unknown, or cannot be set.
        """
        if name == "merge":
            _check_merge(value)
            _check_pair(self.forward_layer, self.backward_layer, value)
            self._merge = value
        elif name in ("batch_first", "input_size"):
            setattr(self.forward_layer, name, value)
            setattr(self.backward_layer, name, value)
        else:
            super().__setattr__(name, value)

    @property
    def merge(self) -> str:
        """How the outputs are merged: concat, sum, mean or mul. It may be set."""
        return self._merge

    @property
    def input_size(self) -> int:
        """I of both layers."""
        return self.forward_layer.input_size

    @property
    def batch_first(self) -> bool:
        """Whether both layers are batch first. It may be set, which sets it for both.

        Raises:
            OptionError: one layer alone is.
        """
        if self.forward_layer.batch_first != self.backward_layer.batch_first:
            raise OptionError(_UNEVEN)
        return self.forward_layer.batch_first

    @property
    def output_size(self) -> int:
        """The size of the merged outputs."""
        size = self.forward_layer.output_size
        return size + self.backward_layer.output_size if self.merge == "concat" else size

    def forward(
        self,
        input: Tensor | PackedSequence,  # noqa: A002 — torch.nn's name
        hx: Any = None,
        *,
        lengths: Tensor | Sequence[int] | None = None,
        resets: Tensor | Sequence[Any] | None = None,
        return_trace: bool = False,
    ) -> Any:
        """Run both layers over a batch of sequences.

        Args:
            input: (T, B, I), (B, T, I) with batch_first, or a PackedSequence.
            hx: the pair of the two layers' states, as this call returns it, or None.
            lengths: steps of each row, (B,), 0 … T in any order.
            resets: (T, B), or (B, T) with batch_first: a cut between steps t−1 and t, which both
                directions honour.
            return_trace: also return the pair of the two layers' traces, in the order of time.

        Returns:
            The merged outputs, zeros after a row's end, in the form of the input; the pair of
            states; with `return_trace` the traces, laid out as the input is.

        Raises:
            ShapeError: an argument's axes are wrong; the sentence names them.
            OptionError: lengths outside 0 … T, or a dtype or device other than the weights'.
        """
        if is_symbol(input):
            named = {"lengths": lengths, "resets": resets, "return_trace": return_trace}
            return as_leaf(self, input, hx, **named)
        if isinstance(input, PackedSequence):
            if lengths is not None or resets is not None:
                raise OptionError("a PackedSequence brings its lengths: leave lengths, resets out.")
            return self._forward_packed(input, hx, return_trace)
        self._check(input, hx)
        rows = None if lengths is None else checked_lengths(lengths, self._time_first(input))
        cuts = None
        if resets is not None:
            cuts = checked_resets(resets, input, "B, T" if self.batch_first else "T, B")
        return self._run(input, hx or (None, None), rows, cuts, return_trace)

    def __prepare_scriptable__(self) -> None:
        """Refuse torch.jit.script in words."""
        refuse_script(self)

    def _forward_packed(self, packed: PackedSequence, hx: Any, trace: bool) -> Any:
        """Run both layers over the padded rows; return packed outputs and traces."""
        x, lengths = pad_packed(packed)
        output, states, *traces = self.forward(
            self._time_first(x), hx, lengths=lengths, return_trace=trace
        )

        def pack(values: Tensor) -> Any:
            return pack_like(self._time_first(values), packed)

        packed_traces = [tuple([_map_traces(way, pack) for way in pair]) for pair in traces]
        return pack(output), states, *packed_traces

    def _check(self, x: Any, hx: Any) -> None:
        if not isinstance(x, Tensor) or x.dim() != 3:
            axes = "(B, T, I)" if self.batch_first else "(T, B, I)"
            raise ShapeError(f"input of Bidirectional must be a tensor {axes}, got {described(x)}.")
        if x.size(-1) != self.input_size:
            raise ShapeError(
                f"input of Bidirectional must have I = {self.input_size}, got {described(x)}."
            )
        if hx is not None and (not isinstance(hx, Sequence) or len(hx) != 2):
            raise ShapeError("the state must be the pair (forward state, backward state).")

    def _run(
        self, x: Tensor, states: Any, rows: Tensor | None, resets: Tensor | None, trace: bool
    ) -> Any:
        """Run both layers, at once where that is the same as one after the other."""
        layers = (self.forward_layer, self.backward_layer)
        alike = len({(layer.num_layers, layer.backend) for layer in layers}) == 1
        together = alike and not any(map(_is_hooked, layers))
        run = self._run_together if together else self._run_in_turn
        return run(x, states, rows, resets, trace)

    def _run_together(
        self, x: Tensor, states: Any, rows: Tensor | None, resets: Tensor | None, trace: bool
    ) -> Any:
        """Run both stacks layer by layer; a backend gets both directions of a layer at once."""
        layers = (self.forward_layer, self.backward_layer)
        x = self._time_first(x)
        cuts = None if resets is None else self._time_first(resets)
        starts = [layer._start(state, x) for layer, state in zip(layers, states, strict=True)]
        read, output = [x, x], x
        ended: tuple[list[Any], list[Any]] = ([], [])
        traced: tuple[list[Any], list[Any]] = ([], [])
        for level in range(self.forward_layer.num_layers):
            below = [layer._below(level, part) for layer, part in zip(layers, read, strict=True)]
            recurrences = [
                each
                for way, layer in enumerate(layers)
                for each in layer._recurrences(
                    level, below[way], starts[way], rows, cuts, trace, reverse=way == 1
                )
            ]
            output, new_states, new_traces = run_layer(recurrences, self.forward_layer.backend)
            sizes = [layer.options.output_sizes[level] for layer in layers]
            for way, part in enumerate(output.split(sizes, dim=-1)):
                read[way] = layers[way]._above(level, below[way], part)
                ended[way].append(new_states[way])
                traced[way].append([new_traces[way]])
        if self.merge != "concat" or any(layer.options.residual for layer in layers):
            output = MERGES[self.merge](*read)
        pairs = zip(layers, ended, strict=True)
        joined = tuple([layer._state_layout.join(parts) for layer, parts in pairs])
        if not trace:
            return self._time_first(output), joined
        in_time = tuple([_map_traces(stack, self._time_first) for stack in traced])
        return self._time_first(output), joined, in_time

    def _run_in_turn(
        self, x: Tensor, states: Any, rows: Tensor | None, resets: Tensor | None, trace: bool
    ) -> Any:
        """Run one layer on the rows, and the other on the rows reversed within their lengths."""

        def reverse(values: Tensor) -> Tensor:
            return self._time_first(reverse_rows(self._time_first(values), rows))

        cuts = resets
        if resets is not None:
            cuts = self._time_first(reverse_resets(self._time_first(resets), rows))
        ahead, forward_state, *forward_trace = self.forward_layer(
            x, states[0], lengths=rows, resets=resets, return_trace=trace
        )
        back, backward_state, *backward_trace = self.backward_layer(
            reverse(x), states[1], lengths=rows, resets=cuts, return_trace=trace
        )
        output = MERGES[self.merge](ahead, reverse(back))
        if not trace:
            return output, (forward_state, backward_state)
        in_time = _map_traces(backward_trace[0], reverse)
        return output, (forward_state, backward_state), (forward_trace[0], in_time)

    def _time_first(self, values: Tensor) -> Tensor:
        """Swap B and T where the layers are batch first; its own inverse."""
        return values.transpose(0, 1) if self.batch_first else values

    def extra_repr(self) -> str:
        """Show the merge and the number of parameters."""
        return f"merge={self.merge!r}, parameters={parameter_count(self)}"


def _map_traces(stack: list[list[Trace]], change: Callable[[Tensor], Any]) -> list[list[Trace]]:
    """Apply a change to every state and gate of all layers."""
    return [[map_trace(trace, change) for trace in layer] for layer in stack]


def _is_hooked(layer: RecurrentLayer) -> bool:
    """Tell whether a call of the layer does more than its forward method."""
    hooks = (
        layer._forward_hooks,
        layer._forward_pre_hooks,
        layer._backward_hooks,
        layer._backward_pre_hooks,
    )
    return any(hooks) or type(layer).forward is not RecurrentLayer.forward


def _check_merge(merge: str) -> None:
    if merge not in MERGES:
        raise unknown("merge", merge, MERGES)


def _check_pair(forward: RecurrentLayer, backward: RecurrentLayer, merge: str) -> None:
    for layer in (forward, backward):
        if not isinstance(layer, RecurrentLayer):
            raise OptionError(
                "Bidirectional joins elman.SimpleRNN, LSTM and GRU layers, got "
                f"{described(layer)}; elman.convert.from_torch converts torch.nn's."
            )
        if layer.bidirectional:
            raise OptionError("Bidirectional joins layers that read one way; one reads both ways.")
    if forward is backward:
        raise OptionError("Bidirectional needs two layers, each with weights of its own.")
    if forward.batch_first != backward.batch_first:
        raise OptionError(_UNEVEN)
    if forward.input_size != backward.input_size:
        raise OptionError(
            "Bidirectional needs layers of one input_size, got "
            f"{forward.input_size} and {backward.input_size}."
        )
    if merge != "concat" and forward.output_size != backward.output_size:
        raise OptionError(
            f"merge={merge!r} needs outputs of one size, got {forward.output_size} and "
            f"{backward.output_size}; merge='concat' takes any."
        )
