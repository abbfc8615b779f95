"""A cell over time: the recurrence, its backends, and rows of different lengths."""

from elman.sequence.backend import (
    BACKENDS,
    Backend,
    BackendStatus,
    backends,
    choose,
    run,
    run_layer,
)
from elman.sequence.recurrence import LayerResult, Recurrence, Result, Trace

__all__ = [
    "BACKENDS",
    "Backend",
    "BackendStatus",
    "LayerResult",
    "Recurrence",
    "Result",
    "Trace",
    "backends",
    "choose",
    "run",
    "run_layer",
]
