"""A network over batches in evaluation: its outputs, and its mean loss."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

import torch
from torch import Tensor, nn

from elman.batches.batching import Batch
from elman.errors import OptionError
from elman.networks.objectives import Objective

Loss = Callable[[Tensor, Tensor, Tensor], Tensor]
"""Outputs, targets and lengths (B,) of a batch → mean over its real steps, or over its rows."""


def loss_of(network: nn.Module, loss: Loss | None) -> Loss:
    """Return the loss that was given, or that of `network.objective`.

    Raises:
        OptionError: there is neither.
    """
    if loss is not None:
        return loss
    objective: Any = getattr(network, "objective", None)
    if objective is None:
        raise OptionError(
            f"a {type(network).__name__} without an objective does not say what it is trained "
            "for; give a loss, or build it with an objective."
        )
    own: Loss = objective.loss
    return own


def run(network: nn.Module, batch: Batch, state: Any = None) -> tuple[Tensor, Any]:
    """Run a network over a batch; one that writes is told the target (teacher forcing).

    Args:
        network: called as `network(x, state, lengths=lengths)`, with `target=target` as well where
            it `writes`; returns outputs and state.
        batch: on the network's device.
        state: to go on from.
    """
    told = {"target": batch.target} if getattr(network, "writes", False) else {}
    outputs, state = network(batch.input, state, lengths=batch.lengths, **told)
    return outputs, state


def weight_of(network: nn.Module, loss: Loss | None, batch: Batch) -> int:
    """Count what the mean loss of a batch is over: of `loss_of` for the same network and loss."""
    objective: Any = getattr(network, "objective", None) if loss is None else None
    return int(objective.weight(batch)) if isinstance(objective, Objective) else batch.weight


@torch.no_grad()
def predictions(network: nn.Module, batches: Iterable[Batch]) -> Iterator[tuple[Batch, Tensor]]:
    """Run a network over batches, without dropout or gradients.

    Where a batch goes on from the one before, so does the network's state.

    Args:
        network: see `run`; it is left in evaluation mode.
        batches: on the network's device.

    Yields:
        Every batch and the outputs for it.
    """
    network.eval()
    state = None
    for batch in batches:
        carried = state if batch.continues else None
        outputs, state = run(network, batch, carried)
        yield batch, outputs


@torch.no_grad()
def mean_loss(network: nn.Module, loss: Loss | None, batches: Iterable[Batch]) -> float:
    """Return the mean loss over all real steps, or rows, of the batches.

    Args:
        network: see `predictions`.
        loss: of a batch; None for that of the network's objective.
        batches: on the network's device.
    """
    measure = loss_of(network, loss)
    total, weight = 0.0, 0
    for batch, outputs in predictions(network, batches):
        counts = weight_of(network, loss, batch)
        total += measure(outputs, batch.target, batch.lengths).item() * counts
        weight += counts
    return total / weight
