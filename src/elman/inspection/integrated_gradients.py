"""What each step of an input adds to an output, by integrated gradients."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from elman.batches.batching import Batch
from elman.errors import OptionError

POINTS = 50
"""Points of the path at which gradients are taken."""
AT_ONCE = 50_000
"""Maximum number of steps of a batch."""


class IntegratedGradients(NamedTuple):
    """What the vectors that a module gives for one row add to an output of the network."""

    weights: list[Tensor]
    """For each call of the module, a weight a step, (T,), 0 after the row's end; a scalar where
    there are no steps."""
    output: float
    """y(v), of the row as it is."""
    baseline: float
    """y(v₀), of zeros in place of the vectors."""


def integrated_gradients(
    network: nn.Module,
    batch_of: Callable[[int], Batch],
    module: nn.Module,
    *,
    points: int = POINTS,
    output_of: Callable[[Tensor], Tensor] | None = None,
) -> IntegratedGradients:
    """Return what each vector of a module adds to an output, along the path from zeros.

        a(t) = (v(t) − v₀(t)) · ∫₀¹ ∂y/∂v(t) at v₀ + α (v − v₀) dα          v₀ = 0
             ≈ v(t) · (1/m) Σₖ ∂y/∂v(t) at (k − ½)/m · v                    k = 1 … m

    The weights of all vectors add up to y(v) − y(v₀), up to the error of the midpoint rule. What
    reaches the network by other ways than through the module stays as it is.

    Args:
        network: in evaluation mode; nothing of it is changed.
        batch_of: number → a batch that holds the row so many times.
        module: of the network; its outputs, (T, B, E) or (B, E), are the vectors v. Where it is
            called several times, all its outputs move along the path together.
        points: m.
        output_of: outputs (B, O) → the output y of each row, (B,); None for that of the class
            predicted for the row.

    Raises:
        OptionError: `points` is below 1, or the network does not call the module.

    Source: Sundararajan et al. 2017, arXiv:1703.01365.
    """
    if points < 1:
        raise OptionError(f"points must be at least 1, got {points}.")
    ends = torch.tensor([0.0, 1.0])
    with torch.no_grad(), _along(module, ends) as vectors:
        outputs = _run(network, batch_of(2))
    if not vectors:
        raise OptionError(
            f"the network does not call the module {type(module).__name__}; give one of its own."
        )
    select = output_of or _predicted(outputs)
    baseline, output = select(outputs).double().tolist()
    whole = [each.narrow(each.dim() - 2, 1, 1) for each in vectors]
    longest = max(1, *(len(each) for each in vectors))
    sums: list[Tensor] = [torch.zeros_like(each) for each in whole]
    for alphas in ((torch.arange(points) + 0.5) / points).split(max(1, AT_ONCE // longest)):
        with torch.enable_grad(), _along(module, alphas) as vectors:
            total = select(_run(network, batch_of(len(alphas)))).sum()
            gradients = torch.autograd.grad(total, vectors, materialize_grads=True)
        sums = [
            sums_of + each.sum(each.dim() - 2, keepdim=True)
            for sums_of, each in zip(sums, gradients, strict=True)
        ]
    weights = [
        (vector * gradient / points).sum(-1).squeeze(-1).cpu()
        for vector, gradient in zip(whole, sums, strict=True)
    ]
    return IntegratedGradients(weights, output, baseline)


def _run(network: nn.Module, batch: Batch) -> Tensor:
    """Return the outputs of a batch, on the device of the network."""
    batch = batch.to(next(network.parameters()).device)
    outputs: Tensor = network(batch.input, lengths=batch.lengths)[0]
    return outputs


def _predicted(outputs: Tensor) -> Callable[[Tensor], Tensor]:
    """Return what selects the output that is greatest in the last row."""
    predicted = int(outputs[-1].argmax())
    return lambda given: given[:, predicted]


@contextmanager
def _along(module: nn.Module, alphas: Tensor) -> Iterator[list[Tensor]]:
    """Scale each row of a module's outputs, and collect the scaled outputs, one a call.

    Args:
        module: whose outputs have rows on the axis before the last.
        alphas: a factor a row, (B,).
    """
    collected: list[Tensor] = []

    def scale(_: Any, __: Any, vectors: Tensor) -> Tensor:
        scaled = vectors.detach() * alphas.to(vectors)[:, None]
        collected.append(scaled.requires_grad_(torch.is_grad_enabled()))
        return scaled

    handle = module.register_forward_hook(scale)
    try:
        yield collected
    finally:
        handle.remove()
