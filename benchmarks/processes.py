"""Measures parts of a page, each in a process of its own, pinned to as many cores as threads."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from cpu_system import pinned
from cpu_worker import about
from record import Record, Run, run_from_json


def measure(
    worker: Path, planned: Sequence[tuple[str, int]], stored: Path, *, quick: bool, command: str
) -> tuple[Record, bool]:
    """Measure some parts and merge them with the stored results.

    Args:
        worker: the program that measures one: `WORKER PART THREADS FILE [--quick]`.
        planned: names of parts, and their numbers of threads.
        stored: JSON with what was measured.
        quick: tiny sizes, to try the benchmark itself.
        command: what was typed, for the record.

    Returns:
        All results, and whether every part was measured.
    """
    record = Record.read(stored)
    is_complete = True
    for part, threads in planned:
        run = _measured(worker, part, threads, quick=quick, command=command)
        is_complete = is_complete and run.failure is None
        record.add(run)
        record.write(stored)  # what was measured stays, whatever comes next
    return record, is_complete


def _measured(worker: Path, part: str, threads: int, *, quick: bool, command: str) -> Run:
    """Measure one part in its own process."""
    begin = time.monotonic()
    sys.stderr.write(f"{part}, {threads} thread(s)\n")
    with tempfile.TemporaryDirectory() as directory:
        file = Path(directory) / "run.json"
        program = [sys.executable, str(worker), part, str(threads), str(file)]
        cores = sorted(os.sched_getaffinity(0))[-threads:]
        with pinned(cores):
            code = subprocess.call(
                [*program, *["--quick"][:quick]], env=os.environ | _environment(threads)
            )
        if code == 0:
            run = run_from_json(file.read_text(encoding="utf-8"))
        else:
            run = Run(part, threads, about(), failure=f"its process ended with code {code}")
    run.about["command"] = command
    run.about["took"] = f"{time.monotonic() - begin:.0f} s"
    sys.stderr.write(f"{part}, {threads} thread(s): {run.failure or run.about['took']}\n")
    return run


def _environment(threads: int) -> dict[str, str]:
    """Give every library the same number of threads, and NumPy's products one."""
    flags = os.environ.get("XLA_FLAGS", "")
    return {
        "OMP_NUM_THREADS": str(threads),
        "MKL_NUM_THREADS": str(threads),
        "OPENBLAS_NUM_THREADS": "1",
        "JAX_PLATFORMS": "cpu",
        "XLA_FLAGS": f"{flags} --xla_cpu_multi_thread_eigen={str(threads > 1).lower()}".strip(),
    }
