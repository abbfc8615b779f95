"""Times training of the cells with parallel time beside GRUs of one size, Elman's and torch's."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor, nn

import elman
from timing import circumstances, measure, ratio

LAYERS: dict[str, Callable[[int, int], nn.Module]] = {
    "torch.nn.GRU": nn.GRU,
    "GRU": elman.GRU,
    "MinGRU": elman.MinGRU,
    "MinLSTM": elman.MinLSTM,
    "LRU": elman.LRU,
}
PARALLEL = ("MinGRU", "MinLSTM", "LRU")
TOLERANCE = 1e-4
GOAL = 5
SEED = 1


class Case(NamedTuple):
    """One row of the page."""

    rows: int
    steps: int
    size: int

    def __str__(self) -> str:
        return f"B {self.rows} T {self.steps} I = H {self.size}"


CASES = [Case(1, 4096, 64), Case(1, 4096, 128), Case(1, 4096, 256), Case(1, 256, 128)]
CASES += [Case(16, 256, 128)]


def trainer(layer: nn.Module, x: Tensor) -> Callable[[], None]:
    """Return a function that runs a layer forward and backward."""

    def train() -> None:
        layer(x)[0].sum().backward()

    return train


def check(case: Case, layers: dict[str, nn.Module], x: Tensor) -> None:
    """Refuse to time a scan that does not agree with the step functions."""
    for name in PARALLEL:
        layer = layers[name]
        fast = layer(x[:64])[0]
        layer.backend = "reference"
        error = float((layer(x[:64])[0] - fast).detach().abs().max())
        layer.backend = "auto"
        if not error <= TOLERANCE:
            raise SystemExit(f"{name} is off by {error:.1e} on {case}; nothing is timed.")


def page(*, rounds: int) -> str:
    """Time every case and write the page."""
    ratios = [f"{name} × | of torch's" for name in PARALLEL]
    lines = [
        "# Cells with parallel time beside the GRU",
        "",
        f"{circumstances()}, {torch.get_num_threads()} thread(s), float32, seed {SEED}. One layer, "
        "forward and backward, in milliseconds: median of "
        f"{rounds} interleaved rounds ± half the distance between the quartiles. × is the time of "
        "Elman's GRU of the same size over that of the cell; beside it, torch.nn.GRU's time over "
        f"it. The goal at B = 1, T = 4,096 is {GOAL}. The scan agreed with the step functions "
        f"within {TOLERANCE} before anything was timed.",
        "",
        f"| case | {' | '.join(LAYERS)} | {' | '.join(ratios)} |",
        f"| --- |{' ---: |' * (len(LAYERS) + 2 * len(PARALLEL))}",
    ]
    for case in CASES:
        torch.manual_seed(SEED)
        layers = {name: build(case.size, case.size) for name, build in LAYERS.items()}
        x = torch.randn(case.steps, case.rows, case.size)
        check(case, layers, x)
        measured = measure({n: trainer(layer, x) for n, layer in layers.items()}, rounds=rounds)
        cells = [f"{m.median * 1e3:.1f} ± {m.spread:.0%}" for m in measured.values()]
        cells += [
            f"{ratio(measured[name], measured[peer]):.1f}"
            for name in PARALLEL
            for peer in ("GRU", "torch.nn.GRU")
        ]
        lines.append(f"| {case} | {' | '.join(cells)} |")
    return "\n".join([*lines, ""])
