"""The optimiser of a network, and the weights that it decays."""

from __future__ import annotations

import torch
from torch import nn

from elman.experiment.training import TrainingSettings


def optimizer_for(network: nn.Module, settings: TrainingSettings) -> torch.optim.Optimizer:
    """Return the optimiser of all trainable parameters of a network.

    Matrices are decayed, biases and gains are not, and embeddings only with `decay_embeddings`. A
    matrix that is both an embedding and an output layer is treated as an embedding.
    """
    # All steps of an update in one pass over the weights: a fourth of the time of one pass a step.
    rate, momentum = settings.learning_rate, settings.momentum
    weights = _groups(network, settings)
    if settings.optimizer == "adam":
        return torch.optim.Adam(weights, rate, fused=True)
    if settings.optimizer == "adamw":
        return torch.optim.AdamW(weights, rate, fused=True)
    if settings.optimizer == "rmsprop":
        return torch.optim.RMSprop(weights, rate, momentum=momentum)
    return torch.optim.SGD(weights, rate, momentum=momentum)


def _groups(network: nn.Module, settings: TrainingSettings) -> list[dict[str, object]]:
    """Split the parameters into those with and without weight decay."""
    spared: set[int] = set()
    if not settings.decay_embeddings:
        tables = (nn.Embedding, nn.EmbeddingBag)
        spared = {id(part.weight) for part in network.modules() if isinstance(part, tables)}
    trainable = [weight for weight in network.parameters() if weight.requires_grad]
    decayed = [weight for weight in trainable if weight.dim() > 1 and id(weight) not in spared]
    others = [weight for weight in trainable if weight.dim() <= 1 or id(weight) in spared]
    return [
        {"params": decayed, "weight_decay": settings.weight_decay},
        {"params": others, "weight_decay": 0.0},
    ]
