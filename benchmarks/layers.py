"""Times Elman's layers beside torch.nn's: the reference and PyTorch's kernels, dense and ragged."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

import elman
from timing import Measurement, circumstances, measure, ratio

LAYERS: dict[str, tuple[Callable[..., Any], Callable[..., nn.Module]]] = {
    "simple": (elman.SimpleRNN, nn.RNN),
    "lstm": (elman.LSTM, nn.LSTM),
    "gru": (elman.GRU, nn.GRU),
}
SIZES = [(1, 1, 64), (1, 128, 64), (32, 128, 64), (32, 128, 256)]
TOLERANCE = 1e-5
SEED = 1


class Case(NamedTuple):
    """One row of the page: a cell, its sizes, and whether rows have lengths and gradients."""

    cell: str
    rows: int
    steps: int
    size: int
    ragged: bool
    training: bool

    def __str__(self) -> str:
        words = ["training" if self.training else "inference"]
        words += ["ragged"] if self.ragged else []
        return f"{self.cell} B {self.rows} T {self.steps} I = H {self.size}, {', '.join(words)}"


def cases() -> Iterator[Case]:
    """Yield the cases of the grid; one row, or one step, is never ragged."""
    for cell in LAYERS:
        for rows, steps, size in SIZES:
            for ragged in (False, True):
                for training in (False, True):
                    if not (ragged and rows == 1):
                        yield Case(cell, rows, steps, size, ragged, training)


def contenders(case: Case) -> dict[str, Callable[[], Tensor]]:
    """Build the three contenders of a case on the same weights and inputs."""
    generator = torch.Generator().manual_seed(SEED)
    ours, theirs = LAYERS[case.cell]
    peer = theirs(case.size, case.size)
    x = torch.randn(case.steps, case.rows, case.size, generator=generator)
    lengths = torch.randint(1, case.steps + 1, (case.rows,), generator=generator)

    def run_peer() -> Tensor:
        if not case.ragged:
            output: Tensor = peer(x)[0]
            return output
        packed, _ = peer(pack_padded_sequence(x, lengths, enforce_sorted=False))
        return pad_packed_sequence(packed, total_length=case.steps)[0]

    def run_ours(backend: str) -> Callable[[], Tensor]:
        layer = ours(case.size, case.size, backend=backend)
        layer.load_state_dict(peer.state_dict())
        return lambda: layer(x, lengths=lengths if case.ragged else None)[0]

    runs = {
        "torch.nn": run_peer,
        "Elman, torch": run_ours("torch"),
        "Elman, reference": run_ours("reference"),
    }
    return {name: _step(run, training=case.training) for name, run in runs.items()}


def _step(run: Callable[[], Tensor], *, training: bool) -> Callable[[], Tensor]:
    """Run forward only without gradients, or forward and backward."""

    def infer() -> Tensor:
        with torch.no_grad():
            return run()

    def train() -> Tensor:
        output = run()
        output.sum().backward()
        return output.detach()

    return train if training else infer


def check(case: Case, runs: dict[str, Callable[[], Tensor]]) -> None:
    """Refuse to time contenders that do not agree."""
    truth = runs["torch.nn"]()
    for name, run in runs.items():
        error = (run() - truth).abs().max().item()
        if not error <= TOLERANCE:
            raise SystemExit(f"{name} is off by {error:.1e} on {case}; nothing is timed.")


def page(*, rounds: int) -> str:
    """Time every case and write the page."""
    lines = [
        "# Layers: Elman beside torch.nn",
        "",
        f"{circumstances()}, {torch.get_num_threads()} thread(s), float32, seed {SEED}. "
        f"Milliseconds, median of {rounds} interleaved rounds ± half the distance between the "
        "quartiles; × is torch.nn's time over Elman's, above 1 where Elman is faster. "
        f"Outputs agreed within {TOLERANCE} before anything was timed. Ragged rows have lengths "
        "drawn evenly from 1 … T; torch.nn runs them as a PackedSequence, packing and padding "
        "included.",
        "",
        "| case | torch.nn | Elman, torch | × | Elman, reference | × |",
        "| --- | ---: | ---: | ---: | ---: | ---: |",
    ]
    for case in cases():
        runs = contenders(case)
        check(case, runs)
        measured = measure(runs, rounds=rounds)
        peer = measured["torch.nn"]
        cells = [str(case), _shown(peer)]
        for name in ("Elman, torch", "Elman, reference"):
            cells += [_shown(measured[name]), f"{ratio(measured[name], peer):.2f}"]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join([*lines, ""])


def _shown(measurement: Measurement) -> str:
    return f"{measurement.median * 1e3:.3f} ± {measurement.spread:.0%}"
