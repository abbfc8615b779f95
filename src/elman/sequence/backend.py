"""The backends: which one runs a recurrence, and why another cannot."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, NamedTuple

import torch
from torch import Tensor

from elman.errors import BackendError, unknown
from elman.sequence import native, reference, scan, torch_kernels
from elman.sequence.modes import is_onnx_export
from elman.sequence.ragged import either_way
from elman.sequence.recurrence import LayerResult, Recurrence, Result


class Backend(NamedTuple):
    """One way of running recurrences.

    Args:
        name: what `backend=` calls it.
        summary: what it is, in one line.
        why_not: the first reason why it cannot run a recurrence, or None.
        run: runs the recurrences of a layer, forward or reversed.
    """

    name: str
    summary: str
    why_not: Callable[[Recurrence], str | None]
    run: Callable[[Sequence[Recurrence]], LayerResult]


def _one_by_one(
    run: Callable[[Recurrence], Result], recurrences: Sequence[Recurrence]
) -> LayerResult:
    """Run recurrences one after another with a function that runs only forward ones."""
    return _in_turn(partial(either_way, run), recurrences)


def _in_turn(run: Callable[[Recurrence], Result], recurrences: Sequence[Recurrence]) -> LayerResult:
    """Run recurrences one after another with a function that runs them in either direction."""
    return _joined([run(recurrence) for recurrence in recurrences])


def _joined(results: Sequence[Result]) -> LayerResult:
    """Put the outputs of a layer's recurrences side by side."""
    outputs = [result.output for result in results]
    return LayerResult(
        outputs[0] if len(outputs) == 1 else torch.cat(outputs, dim=-1),
        [_each(result.state, lambda part: part.unsqueeze(0)) for result in results],
        [result.trace for result in results],
    )


def _alone(layer: LayerResult) -> Result:
    """Turn the result of a layer of one recurrence into the result of that recurrence."""
    (state,), (trace,) = layer.states, layer.traces
    return Result(layer.output, _each(state, lambda part: part.squeeze(0)), trace)


def _each(state: Any, change: Callable[[Tensor], Tensor]) -> Any:
    """Change every part of a state."""
    return type(state)(*[change(part) for part in state])


BACKENDS: Mapping[str, Backend] = {
    backend.name: backend
    for backend in (
        Backend("native", "Elman's own C++ kernels on the CPU", native.why_not, native.run),
        Backend(
            "scan",
            "gates of all steps at once, then one scan over time: cells whose gates read x alone",
            scan.why_not,
            partial(_in_turn, scan.run),
        ),
        Backend(
            "torch",
            "PyTorch's own fused kernels: oneDNN on the CPU, cuDNN on CUDA",
            torch_kernels.why_not,
            partial(_one_by_one, torch_kernels.run),
        ),
        Backend(
            "reference",
            "the step functions in a loop: every cell and option, any dtype and device",
            reference.why_not,
            partial(_one_by_one, reference.run),
        ),
    )
}
"""The backends in the order in which `auto` prefers them."""


class BackendStatus(NamedTuple):
    """What `elman.backends()` says of one backend.

    Args:
        name: what `backend=` calls it.
        summary: what it is.
        why_not: why it cannot run the recurrence asked about, or None where it can.
    """

    name: str
    summary: str
    why_not: str | None


def backends(recurrence: Recurrence | None = None) -> list[BackendStatus]:
    """List the backends of this install, in the order in which `auto` prefers them.

    Args:
        recurrence: the recurrence to run; None to list what is installed. `layer.backends()` asks
            for a layer as it is now.

    Returns:
        One status per backend; `auto` runs the first whose `why_not` is None.
    """
    return [
        BackendStatus(b.name, b.summary, None if recurrence is None else b.why_not(recurrence))
        for b in BACKENDS.values()
    ]


def check_backend(name: str) -> None:
    """Raise OptionError unless the name is `auto` or a backend's."""
    if name != "auto" and name not in BACKENDS:
        raise unknown("backend", name, ["auto", *BACKENDS])


def choose(recurrence: Recurrence, name: str = "auto") -> Backend:
    """Choose the backend that runs a recurrence.

    Args:
        recurrence: the recurrence to run.
        name: a backend's name, or `auto` for the first that can.

    Raises:
        OptionError: no backend has that name.
        BackendError: the backend asked for by name cannot run this; it says why.
    """
    check_backend(name)
    if name != "reference" and is_onnx_export():
        return _exported(recurrence)
    if name == "auto":
        return next(b for b in BACKENDS.values() if b.why_not(recurrence) is None)
    reason = BACKENDS[name].why_not(recurrence)
    if reason is not None:
        raise BackendError(
            f"backend={name!r} cannot run this {recurrence.cell}: {reason}. "
            "Use backend='auto' to fall back to one that can."
        )
    return BACKENDS[name]


def _exported(recurrence: Recurrence) -> Backend:
    """Choose Elman's kernels, whose operator an ONNX exporter writes as RNN, LSTM or GRU.

    Raises:
        BackendError: they cannot run this.
    """
    reason = native.why_not(recurrence)
    if reason is not None:
        raise BackendError(
            f"this {recurrence.cell} cannot be exported to ONNX as one operator: {reason}. Export "
            "it without, or set layer.backend = 'reference', which writes the steps down one by "
            "one, for the number of steps of the example alone."
        )
    return BACKENDS["native"]


def run(recurrence: Recurrence, backend: str = "auto") -> Result:
    """Run a recurrence, forward or reversed, on the backend asked for.

    Raises:
        OptionError: no backend has that name.
        BackendError: the backend asked for by name cannot run this.
    """
    return _alone(run_layer([recurrence], backend))


def run_layer(recurrences: Sequence[Recurrence], backend: str = "auto") -> LayerResult:
    """Run the recurrences of a layer: one, or the two that read it from both ends.

    One backend that can run both gets them together; otherwise each runs on its own backend.

    Raises:
        OptionError: no backend has that name.
        BackendError: the backend asked for by name cannot run this.
    """
    chosen = [choose(recurrence, backend) for recurrence in recurrences]
    if len({each.name for each in chosen}) == 1:
        return chosen[0].run(recurrences)
    pairs = zip(chosen, recurrences, strict=True)
    return _joined([_alone(each.run([recurrence])) for each, recurrence in pairs])
