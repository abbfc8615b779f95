"""The parts of the page `cpu` that need processes: a busy neighbour, and torch.compile anew."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import torch

import peers
from bursts import measure
from cpu_grid import Findings, Scale
from peers import ELMAN, TORCH
from record import Row
from verdicts import threads_named

GIVEN_UP = 120
"""Timeout of a compilation in seconds."""


@contextmanager
def pinned(cores: list[int]) -> Iterator[None]:
    """Restrict this thread, and the processes it starts, to these cores."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, cores)
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


@contextmanager
def foreign(core: int) -> Iterator[None]:
    """Keep one core busy with an unrelated process."""
    with pinned([core]):
        process = subprocess.Popen([sys.executable, "-c", "while True: pass"])
    try:
        yield
    finally:
        process.kill()
        process.wait()


def on_threads(name: str, threads: int) -> str:
    """Name a contender with its number of threads."""
    return f"{name}, {threads_named(threads)}"


def contention(threads: int, scale: Scale) -> Findings:
    """Time an LSTM on one thread and on all, alone and with another process on one core."""
    rows, steps, size = (8, 6, 64) if scale.quick else (32, 128, 256)
    task = peers.task("lstm", rows=rows, steps=steps, size=size)
    contenders = {ELMAN: peers.elman_layer(task), TORCH: peers.torch_nn(task)}
    peers.check(contenders, "contention")
    runs = {
        on_threads(name, count): _limited(its.run, count)
        for name, its in contenders.items()
        for count in (1, threads)
    }
    what = {"cell": "lstm", "rows": rows, "steps": steps, "size": size}
    with torch.inference_mode():
        alone = measure(runs, scale.pace)
        with foreign(min(os.sched_getaffinity(0))):
            disturbed = measure(runs, scale.pace)
    yield Row({**what, "foreign": False}, alone)
    yield Row({**what, "foreign": True}, disturbed)


def _limited(run: Callable[[], object], threads: int) -> Callable[[], object]:
    def limited() -> object:
        torch.set_num_threads(threads)
        return run()

    return limited


def compilation(threads: int, scale: Scale) -> Findings:
    """Time torch.compile's first call of a 2-layer LSTM, each in a separate process and cache."""
    del threads
    steps = 8 if scale.quick else 512
    for mode in ("forward", "training"):
        for who in (ELMAN, TORCH):
            facts, reason = _compiled_once(who, mode, steps)
            if reason:
                yield f"{who}, {mode}: {reason}"
            yield Row({"who": who, "mode": mode, "steps": steps}, {}, facts)


def _compiled_once(who: str, mode: str, steps: int) -> tuple[dict[str, float], str | None]:
    """Run `compile_once.py`; return its facts, or the reason why there are none."""
    script = Path(__file__).with_name("compile_once.py")
    command = [sys.executable, str(script), who, mode, str(steps)]
    with tempfile.TemporaryDirectory() as cache:
        environment = {**os.environ, "TORCHINDUCTOR_CACHE_DIR": cache}
        try:
            done = subprocess.run(
                command,
                env=environment,
                capture_output=True,
                text=True,
                timeout=GIVEN_UP,
                check=False,
            )
        except subprocess.TimeoutExpired:
            return {}, f"not compiled within {GIVEN_UP} s."
    if done.returncode:
        return {}, f"failed: {done.stderr.strip().splitlines()[-1]}"
    facts: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return facts, None
