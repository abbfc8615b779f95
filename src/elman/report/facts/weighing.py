"""How much each word of a text contributed to the prediction."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from elman.models.model import Model


def gradient_times_input(model: Model, encoded: Tensor) -> list[float]:
    """Return what each step adds to the output of the predicted class, to first order.

        a(t) = v(t) · ∂y(predicted)/∂v(t)             v(t) the vector of step t

    Source: Shrikumar et al. 2016, arXiv:1605.01713; Denil et al. 2014, arXiv:1412.6815.

    Args:
        model: many-to-one, of classes.
        encoded: one input, (T, …).
    """
    embedded: list[Tensor] = []

    def keep(_: Any, __: Any, vectors: Tensor) -> None:
        vectors.requires_grad_(True)
        vectors.retain_grad()
        embedded.append(vectors)

    network: Any = model.network
    handle = network.inputs.register_forward_hook(keep)
    try:
        with torch.enable_grad():
            x = encoded[:, None].to(model.device)
            outputs, _ = network(x, lengths=torch.tensor([len(encoded)]))
            outputs[0].max().backward()
    finally:
        handle.remove()
        network.zero_grad(set_to_none=True)
    vectors = embedded[0]
    if vectors.grad is None:
        return [0.0] * len(encoded)
    weights = (vectors.detach() * vectors.grad).sum(-1)[:, 0]
    return [float(weight) for weight in weights]
