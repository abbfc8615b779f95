"""Penalties on what a recurrent part gives: large values, and values that move fast."""

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
    """Return what the outputs of a recurrent layer cost.

        α · mean over t, k of h(t, k)²                      activation regularisation
        β · mean over t, k of (h(t + 1, k) − h(t, k))²      temporal activation regularisation

    Means are over the real steps of all rows; the second over steps that a real one follows.

    Args:
        outputs: h, (T, B, H); what lies after a row's end is not read.
        lengths: real steps of each row, (B,); None where all rows are T long.
        alpha: α.
        beta: β.

    Source: Merity et al. 2017, arXiv:1708.02182, §4.7, as means of squares, which is what the
    authors' program computes. There α acts on h after dropout, here before.
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
        OptionError: the network has no recurrent part, or one part that reads and one that writes.
    """
    recurrent = getattr(network, "recurrent", None)
    if not isinstance(recurrent, nn.Module):
        raise OptionError(
            "training.activation_regularisation and temporal_activation_regularisation act on the "
            "one recurrent part of a network, and this network has none, or has an encoder and a "
            "decoder; leave them out."
        )
    return recurrent


@contextmanager
def activation_regularisation(
    network: nn.Module, *, alpha: float, beta: float
) -> Iterator[Callable[[], Tensor | float]]:
    """Watch `network.recurrent` inside the `with`, and say what its outputs cost.

    Args:
        network: called inside the `with`.
        alpha: α; see `activation_penalty`.
        beta: β.

    Yields:
        A function that returns the penalty on what the network has computed so far, 0 where both
        numbers are 0.

    Raises:
        OptionError: the network has no recurrent part.
    """
    if not (alpha or beta):
        yield lambda: 0.0
        return
    recurrent = regularised_part(network)
    penalties: list[Tensor] = []

    def penalise(_: nn.Module, __: Any, arguments: dict[str, Any], answer: Any) -> None:
        lengths = arguments.get("lengths")
        penalties.append(activation_penalty(answer[0], lengths, alpha=alpha, beta=beta))

    watch = recurrent.register_forward_hook(penalise, with_kwargs=True)
    try:
        yield lambda: sum(penalties)
    finally:
        watch.remove()
