"""Measures one part of the page `cpu`: `cpu_worker.py PART THREADS FILE [--quick]`.

`cpu.py` starts it once for each part and number of threads, pinned to as many cores, because XLA
and OpenMP read their settings when a process begins. It writes a `Run` as JSON.
"""

from __future__ import annotations

import os
import platform
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import torch

import cpu_grid
import cpu_parts
import cpu_system
import elman
from bursts import Refusal
from cpu_grid import FULL, QUICK, Findings, Scale
from elman import _kernels
from record import Run, run_as_json
from timing import circumstances

PARTS: dict[str, Callable[[int, Scale], Findings]] = {
    "forward": cpu_grid.forward,
    "training": cpu_grid.training,
    "ragged": cpu_parts.ragged,
    "variants": cpu_parts.variants,
    "step": cpu_parts.step,
    "contention": cpu_system.contention,
    "compile": cpu_system.compilation,
    "bfloat16": cpu_parts.bfloat16,
    "shapes": cpu_grid.shapes,
}
LOAD_SECONDS = 0.5
"""Seconds that the worker sleeps to measure the load by other processes."""
IDLE = slice(3, 5)
"""Fields of idle time in /proc/stat, including waiting for disks."""
SHOWN_EVERY = 2.0
"""Seconds between two lines of progress."""


def main() -> None:
    """Measure and store the result, or the reason why there is none."""
    part, threads, file, *quick = sys.argv[1:]
    torch.set_num_threads(int(threads))
    run = Run(part, int(threads), about())
    before = load_by_others()
    shown = time.monotonic()
    try:
        for finding in PARTS[part](int(threads), QUICK if quick else FULL):
            if isinstance(finding, str):
                run.notes.append(finding)
                continue
            run.rows.append(finding)
            if time.monotonic() - shown > SHOWN_EVERY:
                shown = time.monotonic()
                sys.stderr.write(f"  {' '.join(map(str, finding.what.values()))}\n")
    except Refusal as refusal:
        run.failure = str(refusal)
        run.rows.clear()
    run.about["load"] = f"{before:.0%} before, {load_by_others():.0%} after"
    Path(file).write_text(run_as_json(run), encoding="utf-8")


def load_by_others() -> float:
    """Return the share of this process's cores that other processes use while it sleeps."""
    begin = _ticks()
    time.sleep(LOAD_SECONDS)
    passed = [after - before for before, after in zip(begin, _ticks(), strict=True)]
    return 1 - sum(passed[IDLE]) / max(sum(passed), 1)


def _ticks() -> list[int]:
    """Sum the kernel's times on this process's cores, for each kind of time."""
    names = {f"cpu{core}" for core in os.sched_getaffinity(0)}
    lines = Path("/proc/stat").read_text(encoding="utf-8").splitlines()
    counts = [line.split()[1:] for line in lines if line.split()[0] in names]
    return [sum(map(int, kind)) for kind in zip(*counts, strict=True)]


def about() -> dict[str, str]:
    """Return the circumstances of the run."""
    cores = sorted(os.sched_getaffinity(0))
    backend = next(its.name for its in elman.LSTM(3, 5).backends() if its.why_not is None)
    return {
        "machine": circumstances(),
        "kernels": f"{_kernels.instruction_set()}, {_kernels.compiler()}",
        "backend": backend,
        "cores": ", ".join(map(str, cores)),
        "ONNX Runtime": _version("onnxruntime"),
        "JAX": _version("jax"),
        "Python": platform.python_version(),
        "date": datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
    }


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed"


if __name__ == "__main__":
    main()
