"""Rows of different lengths: checks, masks, reversal and PackedSequence — here, once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor
from torch.nn.utils.rnn import PackedSequence, pad_packed_sequence

from elman.errors import OptionError, ShapeError
from elman.sequence.modes import is_onnx_export
from elman.sequence.recurrence import Recurrence, Result, Trace


def checked_lengths(lengths: Tensor | Sequence[int], x: Tensor) -> Tensor:
    """Return the lengths as int64 on the device of x, (T, B, I), or say what is wrong with them.

    Raises:
        ShapeError: there is not one per row.
        OptionError: they are not whole numbers, or lie outside 0 … T.
    """
    steps, rows = x.shape[:2]
    # torch.tensor and not as_tensor, for which torch.compile makes a graph for every list.
    values = lengths if isinstance(lengths, Tensor) else torch.tensor(lengths, device="cpu")
    if values.numel() == 0:  # an empty list has torch's default dtype, a float
        values = values.long()
    if values.dtype.is_floating_point or values.dtype.is_complex or values.dtype == torch.bool:
        raise OptionError(f"lengths must be whole numbers, got {values.dtype}.")
    if values.shape != (rows,):
        raise ShapeError(f"lengths must be (B,) = ({rows},), got {tuple(values.shape)}.")
    if (
        not torch.compiler.is_compiling()
    ):  # a graph has no values; the kernel checks them as it runs
        _check_range(values, steps)
    return values.to(device=x.device, dtype=torch.int64)


def _check_range(lengths: Tensor, steps: int) -> None:
    wrong = ((lengths < 0) | (lengths > steps)).nonzero().flatten()
    if wrong.numel():
        row = int(wrong[0])
        raise OptionError(f"lengths must lie in 0 … T = {steps}, got {lengths[row]} at row {row}.")


def checked_resets(resets: Tensor | Sequence[Any], x: Tensor, axes: str = "T, B") -> Tensor:
    """Return the resets as bool on the device of x, or say what is wrong with them.

    Args:
        resets: one per step and row, (T, B), (B, T) or (T,): x without its last axis.
        x: the inputs as the caller gave them.
        axes: the names of the first axes of x, for the error.

    Raises:
        ShapeError: there is not one per step and row.
        OptionError: they are neither booleans nor whole numbers.
    """
    values = resets if isinstance(resets, Tensor) else torch.as_tensor(resets, device="cpu")
    if values.shape != x.shape[:-1]:
        names = axes if x.dim() == 3 else "T"
        raise ShapeError(
            f"resets must be ({names}) = {tuple(x.shape[:-1])}, got {tuple(values.shape)}."
        )
    if values.dtype.is_floating_point or values.dtype.is_complex:
        raise OptionError(f"resets must be booleans, got {values.dtype}.")
    return values.to(device=x.device, dtype=torch.bool)


def real_steps(lengths: Tensor, steps: int) -> Tensor:
    """Mark the steps before each row's end, (T, B) bool."""
    return torch.arange(steps, device=lengths.device).unsqueeze(1) < lengths


def has_padding(lengths: Tensor, steps: int) -> bool:
    """Tell whether a row ends before the last step, or may do so while compiling."""
    return torch.compiler.is_compiling() or bool((lengths < steps).any())


def reverse_rows(sequence: Tensor, lengths: Tensor | None) -> Tensor:
    """Reverse every row within its own length; padding stays where it is.

    Args:
        sequence: (T, B, …).
        lengths: steps of each row, (B,), or None where all rows are T long.
    """
    if lengths is None:
        return sequence.flip(0)
    steps = torch.arange(sequence.size(0), device=sequence.device).unsqueeze(1)
    source = torch.where(steps < lengths, lengths - 1 - steps, steps)
    index = source.reshape(*source.shape, *[1] * (sequence.dim() - 2)).expand_as(sequence)
    return sequence.gather(0, index)


def reverse_recurrence(recurrence: Recurrence) -> Recurrence:
    """Turn a backward recurrence into the equivalent forward one on reversed rows.

    A cut between t−1 and t stays between the same two steps: it is met before step t−1.
    """
    lengths, resets, zoneout = recurrence.lengths, recurrence.resets, recurrence.zoneout
    if resets is not None:
        resets = reverse_resets(resets, lengths)
    if zoneout is not None:
        zoneout = tuple(
            reverse_rows(kept, lengths) if isinstance(kept, Tensor) else kept for kept in zoneout
        )
    x = reverse_rows(recurrence.x, lengths)
    return replace(recurrence, x=x, resets=resets, zoneout=zoneout, reverse=False)


def reverse_resets(resets: Tensor, lengths: Tensor | None) -> Tensor:
    """Move the cuts of the rows to where the reversed rows meet them, (T, B)."""
    nowhere = torch.zeros_like(resets[:1])
    before_next = torch.cat([resets[1:], nowhere])[: resets.size(0)]
    if lengths is not None:
        last = torch.arange(resets.size(0), device=resets.device).unsqueeze(1) == lengths - 1
        before_next = before_next & ~last
    return reverse_rows(before_next, lengths)


def either_way(run: Callable[[Recurrence], Result], recurrence: Recurrence) -> Result:
    """Run a recurrence in its direction with a function that runs only forward ones."""
    if not recurrence.reverse:
        return run(recurrence)
    return reverse_result(run(reverse_recurrence(recurrence)), recurrence.lengths)


def reverse_result(result: Result, lengths: Tensor | None) -> Result:
    """Put the result of a reversed recurrence back into the order of time."""
    output = reverse_rows(result.output, lengths)
    if result.trace is None:
        return result._replace(output=output)
    trace = map_trace(result.trace, lambda values: reverse_rows(values, lengths))
    return Result(output, result.state, trace)


def map_trace(trace: Trace, change: Callable[[Tensor], Tensor]) -> Trace:
    """Apply a change to every state and gate of a trace."""
    return Trace(*[type(part)(*[change(values) for values in part]) for part in trace])


def pad_packed(packed: PackedSequence) -> tuple[Tensor, Tensor]:
    """Unpack a PackedSequence into x, (T, B, I), and lengths, (B,), in the rows' original order.

    Raises:
        OptionError: an ONNX exporter follows the call; ONNX has no such sequences.
    """
    if is_onnx_export():
        raise OptionError(
            "ONNX has no PackedSequence: pass the padded rows and their lengths, "
            "layer(x, lengths=lengths)."
        )
    x, lengths = pad_packed_sequence(packed)
    return x, lengths


def pack_like(padded: Tensor, packed: PackedSequence) -> PackedSequence:
    """Pack (T, B, ·) exactly as another PackedSequence of the same rows is packed."""
    sizes = packed.batch_sizes
    if packed.sorted_indices is not None:
        padded = padded.index_select(1, packed.sorted_indices)
    alive = torch.arange(padded.size(1), device=sizes.device) < sizes.unsqueeze(1)
    data = padded[: sizes.numel()][alive.to(padded.device)]
    return PackedSequence(data, sizes, packed.sorted_indices, packed.unsorted_indices)
