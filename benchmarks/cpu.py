"""Measures the page `cpu` part by part, each in its own process, and stores the results."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from cpu_page import page
from cpu_system import pinned
from cpu_worker import about
from record import Record, Run, run_from_json

ONE_THREAD = {"step", "compile", "bfloat16"}
"""Parts that measure one thread only."""
SEVERAL_THREADS = {"contention"}
"""Parts that measure how several threads affect each other."""
HERE = Path(__file__).parent


def remake(
    parts: Sequence[str],
    threads: Sequence[int],
    *,
    quick: bool,
    command: str,
    stored: Path,
    written: Path,
) -> tuple[str, bool]:
    """Measure some parts, merge them with the stored results, and write the page.

    Args:
        parts: names of PARTS; none to write the page again from what is stored.
        threads: numbers of threads, each at most as many as there are cores.
        quick: tiny sizes, to try the benchmark itself.
        command: what was typed, for the record.
        stored: JSON with what was measured.
        written: TOML with what was written by hand.

    Returns:
        The page, and whether every part was measured.
    """
    record = Record.read(stored)
    is_complete = True
    for part, count in plan(parts, threads):
        run = _measured(part, count, quick=quick, command=command)
        is_complete = is_complete and run.failure is None
        record.add(run)
        record.write(stored)  # what was measured stays, whatever comes next
    return page(record, written), is_complete


def plan(parts: Sequence[str], threads: Sequence[int]) -> list[tuple[str, int]]:
    """Return the parts to run and their numbers of threads.

    Raises:
        SystemExit: there are fewer cores than threads.
    """
    cores = os.sched_getaffinity(0)
    if max(threads) > len(cores):
        raise SystemExit(
            f"{max(threads)} threads need as many cores, and this process may use "
            f"{len(cores)}. Choose fewer with --threads, or allow it more cores."
        )
    planned = []
    for part in parts:
        if part in SEVERAL_THREADS:
            planned += [(part, max(threads))] if max(threads) > 1 else []
        else:
            planned += [(part, count) for count in threads if count == 1 or part not in ONE_THREAD]
    return planned


def _measured(part: str, threads: int, *, quick: bool, command: str) -> Run:
    """Measure one part in its own process."""
    begin = time.monotonic()
    sys.stderr.write(f"{part}, {threads} thread(s)\n")
    with tempfile.TemporaryDirectory() as directory:
        file = Path(directory) / "run.json"
        worker = [sys.executable, str(HERE / "cpu_worker.py"), part, str(threads), str(file)]
        cores = sorted(os.sched_getaffinity(0))[-threads:]
        with pinned(cores):
            code = subprocess.call(
                [*worker, *["--quick"][:quick]], env=os.environ | environment(threads)
            )
        if code == 0:
            run = run_from_json(file.read_text(encoding="utf-8"))
        else:
            run = Run(part, threads, about(), failure=f"its process ended with code {code}")
    run.about["command"] = command
    run.about["took"] = f"{time.monotonic() - begin:.0f} s"
    sys.stderr.write(f"{part}, {threads} thread(s): {run.failure or run.about['took']}\n")
    return run


def environment(threads: int) -> dict[str, str]:
    """Give every library the same number of threads, and NumPy's products one."""
    flags = os.environ.get("XLA_FLAGS", "")
    return {
        "OMP_NUM_THREADS": str(threads),
        "MKL_NUM_THREADS": str(threads),
        "OPENBLAS_NUM_THREADS": "1",
        "JAX_PLATFORMS": "cpu",
        "XLA_FLAGS": f"{flags} --xla_cpu_multi_thread_eigen={str(threads > 1).lower()}".strip(),
    }
