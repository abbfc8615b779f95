"""From settings to an update rule, and which weights it decays."""

from __future__ import annotations

import torch
from torch import nn

from elman.experiment.training import TrainingSettings


def optimizer_for(network: nn.Module, settings: TrainingSettings) -> torch.optim.Optimizer:
    """Set up the update rule for all that a network learns.

    Matrices are decayed; biases and gains are not; embeddings where `decay_embeddings` says so.
    A matrix that is an embedding and an output layer at once counts as an embedding.
    """
    rate, momentum = settings.learning_rate, settings.momentum
    weights = _groups(network, settings)
    if settings.optimizer == "adam":
        return torch.optim.Adam(weights, rate)
    if settings.optimizer == "adamw":
        return torch.optim.AdamW(weights, rate)
    if settings.optimizer == "rmsprop":
        return torch.optim.RMSprop(weights, rate, momentum=momentum)
    return torch.optim.SGD(weights, rate, momentum=momentum)


def _groups(network: nn.Module, settings: TrainingSettings) -> list[dict[str, object]]:
    """Set apart what is decayed and what is not."""
    spared: set[int] = set()
    if not settings.decay_embeddings:
        tables = (nn.Embedding, nn.EmbeddingBag)
        spared = {id(part.weight) for part in network.modules() if isinstance(part, tables)}
    learned = [weight for weight in network.parameters() if weight.requires_grad]
    decayed = [weight for weight in learned if weight.dim() > 1 and id(weight) not in spared]
    others = [weight for weight in learned if weight.dim() <= 1 or id(weight) in spared]
    return [
        {"params": decayed, "weight_decay": settings.weight_decay},
        {"params": others, "weight_decay": 0.0},
    ]
