"""Penalties on the outputs of a recurrent part: on large values, and on fast changes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn

from elman.errors import OptionError
from elman.sequence.ragged import real_steps


def activation_penalty(
    outputs: Tensor, lengths: Tensor | None, *, alpha: float, beta: float
) -> Tensor:
    """Return the penalty on the outputs of a recurrent layer.

        α · mean over t, k of h(t, k)²                      activation regularisation
        β · mean over t, k of (h(t + 1, k) − h(t, k))²      temporal activation regularisation

    Means are over the real steps of all rows; the second over steps followed by a real one.

    Args:
        outputs: h, (T, B, H); values after a row's end are not read.
        lengths: real steps of each row, (B,); None where all rows are T long.
        alpha: α.
        beta: β.

    Source: Merity et al. 2017, arXiv:1708.02182, §4.7, as means of squares, which is what the
    authors' code computes. There α acts on h after dropout, here before.
    """
    steps, rows = outputs.shape[:2]
    if lengths is None:
        lengths = torch.full((rows,), steps, device=outputs.device)
    real = real_steps(lengths, steps)
    followed = real[1:]
    h = outputs.float() if outputs.dtype in (torch.bfloat16, torch.float16) else outputs
    h = h.where(real.unsqueeze(-1), 0)
    size = h.square().mean(dim=-1).sum() / real.sum().clamp(min=1)
    change = (h[1:] - h[:-1]).square().mean(dim=-1).where(followed, 0).sum()
    return alpha * size + beta * change / followed.sum().clamp(min=1)


def regularised_part(network: nn.Module) -> nn.Module:
    """Return `network.recurrent`, whose outputs are regularised.

    Raises:
        OptionError: the network has no recurrent part, or an encoder and a decoder.
    """
    recurrent = getattr(network, "recurrent", None)
    if not isinstance(recurrent, nn.Module):
        raise OptionError(
            "training.activation_regularisation and temporal_activation_regularisation need a "
            "network with one recurrent part, and this network has none, or an encoder and a "
            "decoder; leave them out."
        )
    return recurrent


@contextmanager
def activation_regularisation(
    network: nn.Module, *, alpha: float, beta: float
) -> Iterator[Callable[[], Tensor | float]]:
    """Record the outputs of `network.recurrent` inside the `with`, and compute their penalty.

    Args:
        network: called inside the `with`.
        alpha: α; see `activation_penalty`.
        beta: β.

    Yields:
        A function that returns the penalty on the outputs so far, 0 where α and β are 0.

    Raises:
        OptionError: the network has no recurrent part.
    """
    if not (alpha or beta):
        yield lambda: 0.0
        return
    recurrent = regularised_part(network)
    penalties: list[Tensor] = []

    def penalise(_: nn.Module, __: Any, arguments: dict[str, Any], result: Any) -> None:
        lengths = arguments.get("lengths")
        penalties.append(activation_penalty(result[0], lengths, alpha=alpha, beta=beta))

    handle = recurrent.register_forward_hook(penalise, with_kwargs=True)
    try:
        yield lambda: sum(penalties)
    finally:
        handle.remove()
