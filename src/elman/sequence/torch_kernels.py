"""PyTorch's own fused kernels (oneDNN on the CPU, cuDNN on CUDA), where they compute the same."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Sequence
from operator import neg
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from elman.sequence import reference
from elman.sequence.modes import is_jit_traced, is_recorded, is_transformed
from elman.sequence.recurrence import Recurrence, Result, with_states

# Asked here, for torch.compile follows a name into a graph, and no question to the processor.
_LACKS_BFLOAT16: bool = (
    torch.backends.mkldnn.is_available() and not torch.ops.mkldnn._is_mkldnn_bf16_supported()
)


def why_not(recurrence: Recurrence) -> str | None:
    """Return the first reason why PyTorch's kernels cannot run a recurrence, or None."""
    r = recurrence
    if r.cell.torch_function is None:
        lack = r.cell.torch_lacks or f"equation for the step of {r.cell.name}"
        return f"PyTorch's kernels have no {lack}"
    reasons = {
        "no layer norm": r.weights.hidden_gain is not None,
        "no projection that keeps the size of h": _projects_to_its_own_size(r),
        "no recurrent dropout": r.weights.hidden_mask is not None,
        "no zoneout": r.zoneout is not None,
        "no resets": r.resets is not None,
        "no traces": r.trace,
        "no single bias": (r.weights.input_bias is None) != (r.weights.hidden_bias is None),
        "no sequences of T = 0 steps or B = 0 rows": 0 in r.x.shape[:2],
        "no sizes of 0": 0 in r.x.shape[2:],
        "no rules for torch.func's transforms and forward-mode derivatives": is_transformed(),
        **_reasons_of_a_graph(r),
        "no LSTM under autocast on this processor": (
            torch.is_autocast_enabled("cpu") and _is_taken_to_bfloat16(r)
        ),
    }
    missing = [reason for reason, applies in reasons.items() if applies]
    return f"PyTorch's kernels have {missing[0]}" if missing else None


def _reasons_of_a_graph(r: Recurrence) -> dict[str, bool]:
    """Name what the kernels lack where a graph is written down, and whether it is asked for.

    On CUDA torch.compile breaks its graph to read the lengths: without cuDNN it would be slower.
    """
    has_lengths, compiles = r.lengths is not None, torch.compiler.is_compiling()
    return {
        "no lengths that torch.jit.trace would not write down as constants": (
            has_lengths and is_jit_traced()
        ),
        "no lengths inside a graph of torch.compile or torch.export, which has no values": (
            has_lengths and compiles and r.x.is_cpu
        ),
        "no LSTM in bfloat16 for torch.compile on this processor": (
            compiles and r.x.dtype is torch.bfloat16 and _is_taken_to_bfloat16(r)
        ),
    }


def run(recurrence: Recurrence) -> Result:
    """Run a forward recurrence through PyTorch's kernel, touching real steps alone.

    Ragged rows are ordered by length, longest first. Between two ends that follow each other all
    rows that are left have the same steps to do: one dense call of the kernel. A batch without a
    single step calls none, and the reference gives its zeros a gradient.
    """
    r = with_states(recurrence)
    if r.lengths is None:
        output, state = _dense(r, r.x, r.state)
        return Result(output, state, None)
    lengths, order = r.lengths.sort(descending=True, stable=True)
    ends = lengths.tolist()
    if not any(ends):
        return reference.run(r)
    x = r.x.index_select(1, order)
    state = _rows(r.state, lambda part: part.index_select(0, order))
    outputs: list[Tensor] = []
    ended: list[Any] = []
    steps_done, rows = 0, len(ends)
    for end in sorted(set(ends) - {0}):
        alive = bisect_right(ends, -end, key=neg)
        ended.append(_rows(state, lambda part, n=alive: part[n:]))
        state = _rows(state, lambda part, n=alive: part[:n])
        output, state = _dense(r, x[steps_done:end, :alive], state)
        outputs.append(F.pad(output, (0, 0, 0, rows - alive)))
        steps_done = end
    ended.append(state)
    back = order.argsort()
    return Result(
        _in_time(outputs, r).index_select(1, back),
        _rows(_join_rows(ended), lambda part: part.index_select(0, back)),
        None,
    )


def _projects_to_its_own_size(r: Recurrence) -> bool:
    """Tell whether P = H: the kernels recognise a projection by h being smaller than c."""
    projection = getattr(r.weights, "projection", None)
    return projection is not None and projection.size(0) == projection.size(1)


def _is_taken_to_bfloat16(r: Recurrence) -> bool:
    """Tell whether torch may take this to oneDNN in bfloat16 where that has no kernel for it.

    Autocast and torch.compile take every LSTM of the CPU there, but for one with a projection.
    """
    return (
        _LACKS_BFLOAT16
        and r.x.device.type == "cpu"
        and r.cell.torch_function == "lstm"
        and r.weights.projection is None
    )


def _rows(state: Any, change: Any) -> Any:
    """Apply a change of rows to every part of a state."""
    return type(state)(*[change(part) for part in state])


def _join_rows(ended: list[Any]) -> Any:
    """Join the states of the rows, the first to end last: the order of descending lengths.

    Rows without a step have the initial state's dtype, which autocast may have changed since.
    """
    columns = zip(*ended, strict=True)
    return type(ended[0])(
        *[torch.cat([part.to(parts[-1].dtype) for part in reversed(parts)]) for parts in columns]
    )


def _in_time(outputs: list[Tensor], r: Recurrence) -> Tensor:
    """Join the stretches of time and fill up with zeros to T."""
    output = torch.cat(outputs)
    return F.pad(output, (0, 0, 0, 0, 0, r.x.size(0) - output.size(0)))


def _dense(r: Recurrence, x: Tensor, state: Any) -> tuple[Tensor, Any]:
    """Call the kernel of one layer in one direction on rows of equal length."""
    w = r.weights
    weights = [w.input, w.hidden]
    if w.input_bias is not None and w.hidden_bias is not None:
        weights += [w.input_bias, w.hidden_bias]
    flat = [part.unsqueeze(0).contiguous() for part in state]
    keeps = torch.is_grad_enabled() or is_recorded()  # what a gradient needs
    options = (w.input_bias is not None, 1, 0.0, keeps, False, False)
    projection = getattr(w, "projection", None)
    if projection is not None:
        weights.append(projection)
    assert r.cell.torch_function is not None, "why_not has seen to it"
    function: Callable[..., Sequence[Tensor]] = getattr(torch, r.cell.torch_function)
    output, *ended = function(x, flat if len(flat) > 1 else flat[0], weights, *options)
    return output, type(state)(*[part[0] for part in ended])
