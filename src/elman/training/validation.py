"""A network in evaluation mode over batches: its outputs and its mean loss."""

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
    """Return the given loss, or that of `network.objective`.

    Raises:
        OptionError: there is neither.
    """
    if loss is not None:
        return loss
    objective: Any = getattr(network, "objective", None)
    if objective is None:
        raise OptionError(
            f"a {type(network).__name__} without an objective has no loss; give a loss, or build "
            "it with an objective."
        )
    own: Loss = objective.loss
    return own


def run(network: nn.Module, batch: Batch, state: Any = None) -> tuple[Tensor, Any]:
    """Run a network over a batch, with the target where it `writes` (teacher forcing).

    Args:
        network: called as `network(x, state, lengths=lengths)`, with `target=target` as well where
            it `writes`; returns outputs and state.
        batch: batch on the network's device.
        state: initial state.
    """
    options = {"target": batch.target} if getattr(network, "writes", False) else {}
    outputs, state = network(batch.input, state, lengths=batch.lengths, **options)
    return outputs, state


def weight_of(network: nn.Module, loss: Loss | None, batch: Batch) -> int:
    """Return the number of terms in a batch's mean loss, for `loss_of` the same arguments."""
    objective: Any = getattr(network, "objective", None) if loss is None else None
    return int(objective.weight(batch)) if isinstance(objective, Objective) else batch.weight


@torch.no_grad()
def predictions(network: nn.Module, batches: Iterable[Batch]) -> Iterator[tuple[Batch, Tensor]]:
    """Run a network over batches, without dropout or gradients.

    The state is carried over to a batch that continues the previous one.

    Args:
        network: see `run`; it is left in evaluation mode.
        batches: batches on the network's device.

    Yields:
        Every batch and its outputs.
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
        loss: loss of a batch; None for that of the network's objective.
        batches: batches on the network's device.
    """
    measure = loss_of(network, loss)
    total, terms = 0.0, 0
    for batch, outputs in predictions(network, batches):
        weight = weight_of(network, loss, batch)
        total += measure(outputs, batch.target, batch.lengths).item() * weight
        terms += weight
    return total / terms
