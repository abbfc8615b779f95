"""Who runs a recurrence, and why another does not."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

from elman.errors import BackendError, unknown
from elman.sequence import reference, torch_kernels
from elman.sequence.ragged import reverse_recurrence, reverse_result
from elman.sequence.recurrence import Recurrence, Result


class Backend(NamedTuple):
    """One way of running a recurrence.

    Args:
        name: what `backend=` calls it.
        summary: what it is, in one line.
        why_not: the first reason why it cannot run a recurrence, or None.
        run: runs a forward recurrence.
    """

    name: str
    summary: str
    why_not: Callable[[Recurrence], str | None]
    run: Callable[[Recurrence], Result]


BACKENDS: Mapping[str, Backend] = {
    backend.name: backend
    for backend in (
        Backend(
            "torch",
            "PyTorch's own fused kernels: oneDNN on the CPU, cuDNN on CUDA",
            torch_kernels.why_not,
            torch_kernels.run,
        ),
        Backend(
            "reference",
            "the step functions in a loop: every cell and option, any dtype and device",
            reference.why_not,
            reference.run,
        ),
    )
}
"""The backends in the order in which `auto` prefers them."""


class BackendStatus(NamedTuple):
    """What `elman.backends()` says of one backend.

    Args:
        name: what `backend=` calls it.
        summary: what it is.
        why_not: why it does not run what was asked about, or None where it does.
    """

    name: str
    summary: str
    why_not: str | None


def backends(recurrence: Recurrence | None = None) -> list[BackendStatus]:
    """List the backends of this install, in the order in which `auto` prefers them.

    Args:
        recurrence: what is to be run; without one the question is what is installed.
            `layer.backends()` asks for a layer as it is now.

    Returns:
        One status a backend; `auto` runs the first whose `why_not` is None.
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
        recurrence: what is to be run.
        name: a backend's name, or `auto` for the first that can.

    Raises:
        OptionError: no backend has that name.
        BackendError: the backend asked for by name cannot run this; it says why.
    """
    check_backend(name)
    if name == "auto":
        return next(b for b in BACKENDS.values() if b.why_not(recurrence) is None)
    reason = BACKENDS[name].why_not(recurrence)
    if reason is not None:
        raise BackendError(
            f"backend={name!r} cannot run this {recurrence.cell}: {reason}. "
            "Use backend='auto' to fall back to one that can."
        )
    return BACKENDS[name]


def run(recurrence: Recurrence, backend: str = "auto") -> Result:
    """Run a recurrence, forward or reversed, on the backend asked for.

    Raises:
        OptionError: no backend has that name.
        BackendError: the backend asked for by name cannot run this.
    """
    chosen = choose(recurrence, backend)
    if not recurrence.reverse:
        return chosen.run(recurrence)
    result = chosen.run(reverse_recurrence(recurrence))
    return reverse_result(result, recurrence.lengths)
