"""Measuring the vanishing gradient: how much the last step's loss depends on earlier states."""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor

from elman.errors import OptionError, ShapeError
from elman.layers import Bidirectional
from elman.networks.many_to_many import ManyToMany
from elman.sequence.ragged import checked_lengths, real_steps


class GradientFlow(NamedTuple):
    """Norms of the gradient of the last step's loss, from that step backwards.

    Attributes:
        distance: T − t in steps, 0 … T − 1, (T,) int64.
        hidden: ‖∂loss(T)/∂h(t)‖ at each distance, (T,) float64.
        cell: ‖∂loss(T)/∂c(t)‖ of an LSTM, (T,) float64; None for a cell without c.
        rows: number of sequences that the means are taken over, at distance 0.
    """

    distance: Tensor
    hidden: Tensor
    cell: Tensor | None
    rows: int


def gradient_flow(
    network: ManyToMany,
    x: Tensor,
    target: Tensor,
    loss: Callable[[Tensor, Tensor], Tensor],
    *,
    lengths: Tensor | Sequence[int] | None = None,
    layer: int = -1,
) -> GradientFlow:
    """Measure how the gradient of the last step's loss fades back in time.

        ∂loss(T)/∂h(t) = ∂loss(T)/∂h(T) · ∂h(T)/∂h(T−1) · … · ∂h(t+1)/∂h(t)

    This is a product of T − t Jacobians. Where they shrink vectors it vanishes exponentially, and
    nothing can be learned from T − t steps ago; where they stretch vectors it explodes. For a
    simple cell ∂h(t)/∂h(t−1) = diag(g′) R. The LSTM's state is the pair (h, c); the part
    ∂c(t)/∂c(t−1) of its Jacobian contains the forget gate itself.

    The network runs one step at a time with carried state, in evaluation mode, on a copy in
    float64 on the CPU, so that a gradient of 10⁻¹⁰⁰ is not yet zero. The derivative is with
    respect to the state passed from step t to step t + 1, each of its parts and layers being a
    separate variable; h(T) is read by the network's head, c(T) by nothing, so its norm at
    distance 0 is 0. The norm is Euclidean over the units of one row. Rows are summarised by the
    geometric mean, because norms of different rows differ by orders of magnitude; it is zero
    where one of them is.

    Args:
        network: one direction, no delay; it is not changed.
        x: inputs, (T, B, I); values after a row's end are never read.
        target: targets, (T, B, O); only that of each row's last step is read.
        loss: logits (1, B, O), targets (1, B, O) → loss of every row, (1, B); for piano rolls
            `RollFeature.frame_nll`.
        lengths: steps of each row, (B,); None means T for all. A row counts only at distances
            shorter than its length, so the mean may jump where a row ends; a row without steps
            does not count.
        layer: index of a layer in the stack. The head reads the last layer, whose gradient obeys
            the equation above; the gradient of a lower layer's state also flows through the layers
            above it, and none of it comes from the head directly.

    Returns:
        The norms at distances 0 … T − 1, T the length of the longest row.

    Raises:
        OptionError: the network is bidirectional or delayed, there is no such layer, lengths lie
            outside 0 … T, or no row has a step.
        ShapeError: x, target or the losses have the wrong axes.

    Source: Bengio, Simard and Frasconi 1994, doi:10.1109/72.279181; Pascanu, Mikolov and Bengio
    2013, arXiv:1211.5063, §2.
    """
    layer = _checked_layer(network, layer)
    _check_axes(network, x, target)
    steps = checked_lengths([len(x)] * x.size(1) if lengths is None else lengths, x).cpu()
    rows = steps > 0
    if not rows.any():
        raise OptionError("gradient_flow needs a row of at least one step, got none.")
    steps = steps[rows]
    longest = int(steps.max())
    x, target = (value.detach().to("cpu", torch.float64)[:longest, rows] for value in (x, target))
    # Padding is never read, and every state depends on an input, so that each has a gradient.
    x = x.where(real_steps(steps, longest).unsqueeze(-1), 0).requires_grad_()
    twin = copy.deepcopy(network).to("cpu", torch.float64).eval()
    with torch.enable_grad():
        outputs, states = _run(twin, x)
        last = _loss_of_last_steps(twin, outputs, target, steps, loss)
    hidden, *memory = _gradients(last, outputs, states, layer)
    return GradientFlow(
        distance=torch.arange(longest),
        hidden=norms_by_distance(hidden, steps),
        cell=norms_by_distance(memory[0], steps) if memory else None,
        rows=len(steps),
    )


def _checked_layer(network: ManyToMany, layer: int) -> int:
    """Return the layer's index from the first; refuse networks without such a gradient."""
    recurrent = network.recurrent
    if isinstance(recurrent, Bidirectional) or recurrent.bidirectional:
        raise OptionError(
            "gradient_flow follows the state from step to step, and the backward layer of a "
            "bidirectional network runs from the end. Build the network with bidirectional=False."
        )
    if network.delay:
        raise OptionError(
            "gradient_flow measures from the step that gives the output, which with "
            f"delay={network.delay} is not the target's own step. Build the network with delay=0."
        )
    if not -recurrent.num_layers <= layer < recurrent.num_layers:
        raise OptionError(
            f"layer must lie in 0 … {recurrent.num_layers - 1}, or count from the last as -1 does, "
            f"got {layer}."
        )
    return layer % recurrent.num_layers


def _check_axes(network: ManyToMany, x: Tensor, target: Tensor) -> None:
    inputs = network.recurrent.input_size
    if x.dim() != 3 or x.size(-1) != inputs:
        raise ShapeError(f"x must be (T, B, I) with I = {inputs}, got {tuple(x.shape)}.")
    if target.dim() != 3 or target.shape[:2] != x.shape[:2]:
        raise ShapeError(
            f"target must be (T, B, O) = ({x.size(0)}, {x.size(1)}, O), got {tuple(target.shape)}."
        )


def _run(network: ManyToMany, x: Tensor) -> tuple[list[Tensor], list[tuple[Any, ...]]]:
    """Run the network step by step; return outputs, (B, P) each, and states, (h,) or (h, c)."""
    outputs, states = [], []
    state = None
    for frame in x:
        output, state = network.recurrent(frame.unsqueeze(0), state)
        outputs.append(output[0])
        states.append(state if isinstance(state, tuple) else (state,))
    return outputs, states


def _loss_of_last_steps(
    network: ManyToMany,
    outputs: list[Tensor],
    target: Tensor,
    lengths: Tensor,
    loss: Callable[[Tensor, Tensor], Tensor],
) -> Tensor:
    """Sum the losses of the rows' last steps; no row's state affects another row's loss."""
    last = (lengths - 1, torch.arange(len(lengths)))
    logits = network.head(torch.stack(outputs)[last].unsqueeze(0))
    losses = loss(logits, target[last].unsqueeze(0))
    if losses.shape != (1, len(lengths)):
        raise ShapeError(
            f"loss must return one number per row, (1, B) = (1, {len(lengths)}), got "
            f"{tuple(losses.shape)}; for piano rolls pass RollFeature.frame_nll."
        )
    return losses.sum()


def _gradients(
    loss: Tensor, outputs: list[Tensor], states: list[tuple[Any, ...]], layer: int
) -> list[Tensor]:
    """Differentiate the loss by every part of one layer's state at every step, each (T, B, ·)."""
    layers = len(states[0][0])
    gradients = [
        torch.stack([gradient[index] for gradient in gradients_by(loss, nodes)])
        for nodes, index in (_nodes(states, part, layer) for part in range(len(states[0])))
    ]
    if layer == layers - 1:
        # The head reads h(T) of the last layer as the output, a separate node of the graph.
        gradients[0] = gradients[0] + torch.stack(gradients_by(loss, outputs))
    return gradients


def _nodes(states: list[tuple[Any, ...]], part: int, layer: int) -> tuple[list[Tensor], int]:
    """Return the tensors that hold a part of a layer's state, and the layer's index in them.

    A part is one tensor (L, B, ·), or where the layers' sizes differ a list of (1, B, ·).
    """
    values = [state[part] for state in states]
    if isinstance(values[0], Tensor):
        return values, layer
    return [value[layer] for value in values], 0


def gradients_by(loss: Tensor, nodes: Sequence[Tensor]) -> list[Tensor]:
    """Differentiate the loss by each node; zeros where it does not depend on the node."""
    return list(torch.autograd.grad(loss, nodes, retain_graph=True, materialize_grads=True))


def norms_by_distance(gradients: Tensor, lengths: Tensor) -> Tensor:
    """Return the geometric mean over rows of the norms of gradients (T, B, H) by distance, (T,)."""
    norms = torch.linalg.vector_norm(gradients, dim=-1)
    means = []
    for distance in range(len(norms)):
        rows = (lengths > distance).nonzero().squeeze(1)
        at_distance = norms[lengths[rows] - 1 - distance, rows]
        means.append(at_distance.log().mean().exp())
    return torch.stack(means)
