"""The grid of the page `cpu`: forward beside every peer, training beside torch.nn; real shapes."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

import peers
from bursts import Pace, Refusal, Timed, measure, timed_call
from elman import _kernels
from elman.convert import from_torch
from peers import ELMAN, MODULES, TOLERANCE, TORCH
from record import Row

GATES = {"lstm": 4, "gru": 3, "simple": 1}
FLOAT32 = 4
RATE_SECONDS = 0.004
RATES = 3
"""How often, and how long, the FMA rate is measured before and after a point; the median counts."""
NEAREST_CACHE = 1 << 14
"""A number of bytes that fits in the first-level cache; fewer are read no faster."""
PROBE_BYTES, PROBES = 1 << 26, 5
"""Total bytes read to measure the reading rate, and how often; the best counts."""


class Scale(NamedTuple):
    """The size of a run: that of the page, or a tiny one that only checks that everything works."""

    quick: bool
    pace: Pace


FULL = Scale(quick=False, pace=Pace())
QUICK = Scale(quick=True, pace=Pace(burst=0.0005, cap=0.005, fewest=3, most=3))


Findings = Iterator[Row | str]
"""The results of a part: rows as they are measured, and notes for the reader."""


class Size(NamedTuple):
    """One point of the grid: B, T and I = H."""

    rows: int
    steps: int
    size: int


def grid(scale: Scale) -> Iterator[Size]:
    """Yield the sizes; 1024 steps only for one row, 1024 units only for 32 rows."""
    if scale.quick:
        yield from (Size(b, t, h) for b in (1, 8) for t in (1, 6) for h in (32, 128))
        return
    for rows in (1, 8, 32, 256):
        for steps in (1, 128, 1024) if rows == 1 else (1, 128):
            for size in (32, 64, 128, 256, 512, 1024) if rows == 32 else (32, 64, 128, 256, 512):
                yield Size(rows, steps, size)


def forward(threads: int, scale: Scale) -> Findings:
    """Time one forward pass of every cell and every peer at every point."""
    missing = peers.missing_peers()
    yield from (f"{name} is not among the peers: {why}." for name, why in missing.items())
    for cell in MODULES:
        for size in grid(scale):
            task = peers.task(cell, **size._asdict())
            contenders = peers.forward_contenders(task, threads=threads, missing=missing)
            rates = [_kernels.fma_rate(RATE_SECONDS) for _ in range(RATES)]
            timed = time_forward(contenders, f"{cell} {size}", scale)
            rates += [_kernels.fma_rate(RATE_SECONDS) for _ in range(RATES)]
            facts = floors(cell, size, statistics.median(rates)) if threads == 1 else {}
            yield Row({"cell": cell, **size._asdict()}, timed, facts)


def time_forward(
    contenders: Mapping[str, peers.Contender], what: str, scale: Scale
) -> dict[str, Timed]:
    """Time all forward passes in inference mode, after checking that their outputs agree."""
    with torch.inference_mode():
        first = peers.check(contenders, what)
        return measure({n: its.run for n, its in contenders.items()}, scale.pace, first)


def work(cell: str, size: Size) -> float:
    """Count the floating-point operations of the products W x and R h only."""
    return 2.0 * (2 * size.size) * GATES[cell] * size.size * size.rows * size.steps


def traffic(cell: str, size: Size) -> float:
    """Count the bytes that must be read: R at every step, W once, inputs and outputs once."""
    weights = GATES[cell] * size.size * size.size
    return float(FLOAT32 * (weights * (size.steps + 1) + 2 * size.rows * size.steps * size.size))


def floors(cell: str, size: Size, gigaflops: float) -> dict[str, float]:
    """Return the least seconds for the arithmetic and for the reading on this core now."""
    recurrent_bytes = max(FLOAT32 * GATES[cell] * size.size * size.size, NEAREST_CACHE)
    return {
        "fma": gigaflops * 1e9,
        "arithmetic": work(cell, size) / (gigaflops * 1e9),
        "bytes": traffic(cell, size) / read_rate(recurrent_bytes),
    }


@cache
def read_rate(size: int) -> float:
    """Return the rate, in bytes per second, at which one core reads so many bytes repeatedly."""
    times = max(PROBE_BYTES // size, 1)
    return size * times / (_seconds_of_dots(size, times) - _seconds_of_dots(1, times))


def _seconds_of_dots(size: int, times: int) -> float:
    """Take the dot product of two halves of so many bytes so many times; one byte is the call."""
    first, second = np.ones((2, max(size // 2 // FLOAT32, 1)), np.float32)
    best = float("inf")
    for _ in range(PROBES):
        begin = time.perf_counter()
        for _ in range(times):
            first.dot(second)
        best = min(best, time.perf_counter() - begin)
    return best


def training(threads: int, scale: Scale) -> Findings:
    """Time forward and backward of every cell at every point of 128 steps."""
    del threads  # torch.nn and Elman both take PyTorch's own setting
    for cell in MODULES:
        for size in grid(scale):
            if size.steps in (1, 1024):
                continue
            task = peers.task(cell, **size._asdict())
            yield Row({"cell": cell, **size._asdict()}, time_training(task, scale))


def time_training(task: peers.Task, scale: Scale) -> dict[str, Timed]:
    """Time the gradients of the inputs and all weights, once Elman and torch.nn agree."""
    task.module.train()
    runs = {
        ELMAN: gradients(from_torch(task.module), task.x),
        TORCH: gradients(task.module, task.x),
    }
    first = check_gradients(runs, f"{task.module} on {tuple(task.x.shape)}")
    return measure(runs, scale.pace, first)


def gradients(
    module: nn.Module, x: Tensor, call: Callable[[Tensor], Tensor] | None = None
) -> Callable[[], tuple[Tensor, ...]]:
    """Return a call that runs forward and backward: the gradients of x and of every weight."""
    call = call or (lambda x: module(x)[0])
    x = x.detach().clone().requires_grad_()
    leaves = [x, *module.parameters()]
    with torch.no_grad():
        shape = call(x).shape
    generator = torch.Generator().manual_seed(peers.SEED)
    cotangent = torch.randn(shape, generator=generator)
    return lambda: torch.autograd.grad(call(x), leaves, cotangent)


def check_gradients(
    runs: Mapping[str, Callable[[], tuple[Tensor, ...]]], what: str
) -> dict[str, float]:
    """Run all contenders once, and refuse to time them where gradients differ from the last's.

    Returns:
        The seconds of each one's call.

    Raises:
        Refusal: they differ by more than TOLERANCE of the largest.
    """
    timed = {name: timed_call(run) for name, run in runs.items()}
    _, truth = next(reversed(timed.values()))
    for name, (_, given) in timed.items():
        for mine, theirs in zip(given, truth, strict=True):
            error = ((mine - theirs).abs().max() / theirs.abs().max().clamp_min(1.0)).item()
            if not error <= TOLERANCE:
                raise Refusal(f"{name} is off by {error:.1e} at {what}; nothing is timed.")
    return {name: seconds for name, (seconds, _) in timed.items()}


STACK = {"rows": 32, "steps": 128, "size": 128, "layers": 2, "bidirectional": True}
CHORALES = {"rows": 16, "steps": 64, "input_size": 88}
SHAPES: tuple[tuple[str, dict[str, Any]], ...] = (
    ("PTB", {"cell": "lstm", "rows": 20, "steps": 35, "size": 200, "layers": 2}),
    ("IMDb", {"cell": "lstm", "rows": 32, "steps": 256, "size": 128, "bidirectional": True}),
    ("JSB", {"cell": "lstm", "size": 34, **CHORALES}),
    ("JSB", {"cell": "gru", "size": 41, **CHORALES}),
    ("JSB", {"cell": "simple", "size": 78, **CHORALES}),
    *(("stack", {"cell": cell, **STACK}) for cell in MODULES),
)
"""Networks as they are used: Zaremba 2014's, a classifier of sentences, those of the chorales."""


def shapes(threads: int, scale: Scale) -> Findings:
    """Time networks of real sizes, forward beside every peer and training beside torch.nn."""
    missing = peers.missing_peers()
    for name, sizes in SHAPES:
        if scale.quick:
            sizes = {**sizes, "steps": 5}
        task = peers.task(**sizes)
        contenders = peers.forward_contenders(task, threads=threads, missing=missing)
        timed = time_forward(contenders, name, scale)
        yield Row({"name": name, "mode": "forward", **sizes}, timed)
        yield Row({"name": name, "mode": "training", **sizes}, time_training(task, scale))
