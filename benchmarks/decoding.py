"""How many sentences a second are written: row by row, and in batches."""

from __future__ import annotations

import statistics
import time
from pathlib import Path
from typing import Any

import torch

import elman
from elman.prediction.written import decoding_options, write_rows
from elman.runs.run import machine
from elman.tasks.layout import layout_of

SENTENCES = 256
BATCHES = (1, 16, 64, 256)
MODES: dict[str, dict[str, Any]] = {
    "greedy": {"beam_size": 1},
    "beam of 5": {"beam_size": 5},
    "beam of 10": {"beam_size": 10},
}


def page(run: Path, *, threads: int, rounds: int) -> str:
    """Time decoding by a trained translation model for all batch sizes in turn.

    Args:
        run: directory of the run.
        threads: of PyTorch.
        rounds: how often each is timed.
    """
    torch.set_num_threads(threads)
    model = elman.load(run)
    parts = layout_of(model.experiment.data).parts(model.experiment.seed)
    part = parts.test or parts.valid
    table = part.select(range(min(SENTENCES, len(part))))
    seconds: dict[tuple[str, int], list[float]] = {}
    for _ in range(rounds):
        for mode, options in MODES.items():
            for size in BATCHES:
                began = time.perf_counter()
                decoding = decoding_options(model.experiment.decoding, **options)
                write_rows(model.task, model.network, table, size, decoding)
                seconds.setdefault((mode, size), []).append(time.perf_counter() - began)
    lines = [
        "# Sentences a second",
        "",
        f"{len(table)} test rows of {model.experiment.data.title}, {threads} "
        f"thread{'s' if threads > 1 else ''}, median of {rounds} rounds, all sizes in turn. One by "
        "one means a batch of one sentence; its beam is one batch all the same.",
        "",
        f"| decoding | {' | '.join(f'{size} at a time' for size in BATCHES)} | best / one by one |",
        f"| --- | {' | '.join('---:' for _ in BATCHES)} | ---: |",
    ]
    for mode in MODES:
        rates = [len(table) / statistics.median(seconds[mode, size]) for size in BATCHES]
        cells = " | ".join(f"{rate:.1f}" for rate in rates)
        lines.append(f"| {mode} | {cells} | {max(rates) / rates[0]:.1f} × |")
    return "\n".join([*lines, "", f"{machine()}.", ""])
