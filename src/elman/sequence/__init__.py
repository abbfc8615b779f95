"""A cell over time: the recurrence, its backends, and rows of unlike lengths."""

from elman.sequence.backend import BACKENDS, Backend, BackendStatus, backends, choose, run
from elman.sequence.recurrence import Recurrence, Result, Trace

__all__ = [
    "BACKENDS",
    "Backend",
    "BackendStatus",
    "Recurrence",
    "Result",
    "Trace",
    "backends",
    "choose",
    "run",
]
