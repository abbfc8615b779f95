"""Times gradients of gradients: a gradient penalty and a Hessian-vector product beside torch.nn."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

import elman
from timing import Measurement, circumstances, measure, ratio

LAYERS: dict[str, tuple[Callable[..., nn.Module], Callable[..., nn.Module], dict[str, Any]]] = {
    "simple": (elman.SimpleRNN, nn.RNN, {}),
    "lstm": (elman.LSTM, nn.LSTM, {}),
    "gru": (elman.GRU, nn.GRU, {}),
    "gru, reset before": (elman.GRU, nn.GRU, {"reset_after": False}),
}
SIZES = [(32, 1, 32), (128, 1, 256), (32, 8, 64), (128, 8, 64), (32, 32, 256), (128, 32, 256)]
TOLERANCE = 1e-4
SEED = 1

Results = Sequence[Tensor]


class Case(NamedTuple):
    """One row of the page: a cell, its sizes, and what is computed."""

    cell: str
    steps: int
    rows: int
    size: int
    task: str

    def __str__(self) -> str:
        return f"{self.cell} T {self.steps} B {self.rows} I = H {self.size}, {self.task}"


def penalty(layer: nn.Module, x: Tensor) -> Results:
    """Differentiate (‖∂ Σ y / ∂x‖ − 1)², averaged over the steps, by x and the weights."""
    (slope,) = torch.autograd.grad(layer(x)[0].sum(), x, create_graph=True)
    loss = (slope.flatten(1).norm(dim=1) - 1).square().mean()
    return torch.autograd.grad(loss, [x, *layer.parameters()])


def curvature(layer: nn.Module, x: Tensor) -> Results:
    """Multiply the Hessian of Σ y² in the weights by a vector of ones."""
    weights = list(layer.parameters())
    loss = layer(x)[0].square().sum()
    slopes = torch.autograd.grad(loss, weights, create_graph=True)
    return torch.autograd.grad(slopes, weights, [torch.ones_like(slope) for slope in slopes])


TASKS: dict[str, Callable[[nn.Module, Tensor], Results]] = {
    "penalty": penalty,
    "Hessian · v": curvature,
}


def cases() -> Iterator[Case]:
    """Yield the cases of the grid."""
    for cell in LAYERS:
        for steps, rows, size in SIZES:
            for task in TASKS:
                yield Case(cell, steps, rows, size, task)


def contenders(case: Case) -> dict[str, Callable[[], Results]]:
    """Build the contenders of a case on the same weights and inputs, and what they must equal."""
    torch.manual_seed(SEED)
    ours, theirs, options = LAYERS[case.cell]
    x = torch.randn(case.steps, case.rows, case.size, requires_grad=True)
    layers = {
        "torch.nn": theirs(case.size, case.size),
        "Elman": ours(case.size, case.size, **options),
        "reference": ours(case.size, case.size, backend="reference", **options),
    }
    for layer in layers.values():
        layer.load_state_dict(layers["torch.nn"].state_dict())
    compute = TASKS[case.task]
    return {name: partial(compute, layer, x) for name, layer in layers.items()}


def check(case: Case, runs: dict[str, Callable[[], Results]]) -> None:
    """Refuse to time what does not agree with torch.nn or, where it lacks the cell, the reference.

    Raises:
        SystemExit: a result is off.
    """
    truth = runs["reference" if LAYERS[case.cell][2] else "torch.nn"]()
    for expected, found in zip(truth, runs["Elman"](), strict=True):
        error = ((found - expected).abs().max() / expected.abs().max().clamp(min=1)).item()
        if not error <= TOLERANCE:
            raise SystemExit(f"Elman is off by {error:.1e} on {case}; nothing is timed.")


def page(*, threads: Sequence[int], rounds: int) -> str:
    """Time every case and write the page."""
    lines = [
        "# Double backward: Elman beside torch.nn",
        "",
        f"{circumstances()}, float32, seed {SEED}. Milliseconds of the whole computation, forward "
        f"pass and both derivatives, median of {rounds} interleaved rounds ± half the distance "
        "between the quartiles; × is torch.nn's time over Elman's, above 1 where Elman is faster. "
        "Penalty: the gradient of (‖∂ Σ y / ∂x‖ − 1)² by inputs and weights. Hessian · v: that of "
        "Σ y² in the weights, times ones. Results agreed within "
        f"{TOLERANCE} of the greatest before anything was timed. torch.nn has no GRU that resets "
        "before the product: beside it stands torch.nn's own.",
    ]
    for count in threads:
        torch.set_num_threads(count)
        lines += [
            "",
            f"## {count} thread{'s' if count > 1 else ''}",
            "",
            "| case | torch.nn | Elman | × |",
            "| --- | ---: | ---: | ---: |",
        ]
        lines += [_row(case, rounds) for case in cases()]
    return "\n".join([*lines, ""])


def _row(case: Case, rounds: int) -> str:
    """Time a case; write its row."""
    runs = contenders(case)
    check(case, runs)
    del runs["reference"]
    measured = measure(runs, rounds=rounds)
    peer, own = measured["torch.nn"], measured["Elman"]
    return f"| {case} | {_shown(peer)} | {_shown(own)} | {ratio(own, peer):.2f} |"


def _shown(measurement: Measurement) -> str:
    return f"{measurement.median * 1e3:.2f} ± {measurement.spread:.0%}"
