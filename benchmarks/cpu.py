"""Measures the page `cpu` part by part, each in its own process, and stores the results."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from cpu_page import page
from processes import measure

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
    worker = HERE / "cpu_worker.py"
    record, is_complete = measure(
        worker, plan(parts, threads), stored, quick=quick, command=command
    )
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
