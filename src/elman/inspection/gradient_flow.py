"""The vanishing gradient, measured: how strongly the last step's loss depends on earlier states."""

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
        hidden: ‖∂loss(T)/∂h(t)‖ at that distance, (T,) float64.
        cell: ‖∂loss(T)/∂c(t)‖ of an LSTM, (T,) float64; None for a cell without c.
        rows: sequences the means were taken over, at distance 0.
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
    """Measure how the gradient of the last step's loss fades on its way back in time.

        ∂loss(T)/∂h(t) = ∂loss(T)/∂h(T) · ∂h(T)/∂h(T−1) · … · ∂h(t+1)/∂h(t)

    A product of T − t Jacobians: where they shrink vectors it vanishes exponentially, and what
    happened T − t steps ago cannot be learned from; where they stretch them it explodes. For a
    simple cell ∂h(t)/∂h(t−1) = diag(g′) R. The LSTM's state is the pair (h, c), and of its
    Jacobian the part ∂c(t)/∂c(t−1) holds the forget gate itself.

    The network runs one step at a time with carried state, in evaluation mode, on a copy in
    float64 on the CPU, so that a gradient of 10⁻¹⁰⁰ is not yet zero. The derivative is with
    respect to the state that step t hands to step t + 1, every part and layer of it a variable of
    its own; h(T) is read by the network's head, c(T) by nothing, so its norm at distance 0 is 0.
    The norm is Euclidean over the units of one row; rows are summarised by the geometric mean, the
    mean of the logarithms, because norms of different rows differ by orders of magnitude; it is
    zero where one of them is.

    Args:
        network: one direction, no delay; it is not changed.
        x: inputs, (T, B, I); what lies after a row's end is never read.
        target: targets, (T, B, O); only that of each row's last step is read.
        loss: logits (1, B, O), targets (1, B, O) → loss of every row, (1, B); for piano rolls
            `RollFeature.frame_nll`.
        lengths: steps of each row, (B,); T for all where None. A row counts at the distances it
            reaches back to, so the mean may jump where a row's beginning is passed; a row without
            steps counts nowhere.
        layer: of a stack. The last layer is what the head reads, and its gradient obeys the
            equation above as it stands; the gradient of a lower layer's state flows through the
            layers above it as well, and none of it is read at T directly.

    Returns:
        The norms at distances 0 … T − 1, T the length of the longest row.

    Raises:
        OptionError: the network is bidirectional or delayed, there is no such layer, lengths lie
            outside 0 … T, or no row has a step.
        ShapeError: x, target or what the loss returned has other axes.

    Source: Bengio, Simard and Frasconi 1994, doi:10.1109/72.279181; Pascanu, Mikolov and Bengio
    2013, arXiv:1211.5063, §2.
    """
    layer = _checked_layer(network, layer)
    _check_axes(network, x, target)
    steps = checked_lengths([len(x)] * x.size(1) if lengths is None else lengths, x).cpu()
    rows = steps > 0
    if not rows.any():
        raise OptionError("gradient_flow needs a row of at least one step, and there is none.")
    steps = steps[rows]
    reached = int(steps.max())
    x, target = (value.detach().to("cpu", torch.float64)[:reached, rows] for value in (x, target))
    # Padding is never read, and every state depends on an input, so that each has a gradient.
    x = x.where(real_steps(steps, reached).unsqueeze(-1), 0).requires_grad_()
    twin = copy.deepcopy(network).to("cpu", torch.float64).eval()
    with torch.enable_grad():
        outputs, states = _run(twin, x)
        last = _loss_of_last_steps(twin, outputs, target, steps, loss)
    hidden, *memory = _gradients(last, outputs, states, layer)
    return GradientFlow(
        distance=torch.arange(reached),
        hidden=norms_by_distance(hidden, steps),
        cell=norms_by_distance(memory[0], steps) if memory else None,
        rows=len(steps),
    )


def _checked_layer(network: ManyToMany, layer: int) -> int:
    """Return the layer counted from the first, or say why this network has no such gradient."""
    recurrent = network.recurrent
    if isinstance(recurrent, Bidirectional) or recurrent.bidirectional:
        raise OptionError(
            "gradient_flow follows a state from step to step, and a bidirectional network has no "
            "such state: its backward layer begins at the end. Build it with bidirectional=False."
        )
    if network.delay:
        raise OptionError(
            "gradient_flow measures from the step that reads the output, and with "
            f"delay={network.delay} that is not the target's own step. Build it with delay=0."
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
    """Run step by step; return every step's output, (B, P), and its state: (h,) or (h, c)."""
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
    """Sum the losses of the rows' last steps: no row's state depends on another row's loss."""
    last = (lengths - 1, torch.arange(len(lengths)))
    logits = network.head(torch.stack(outputs)[last].unsqueeze(0))
    losses = loss(logits, target[last].unsqueeze(0))
    if losses.shape != (1, len(lengths)):
        raise ShapeError(
            f"loss must return one number a row, (1, B) = (1, {len(lengths)}), got "
            f"{tuple(losses.shape)}; for piano rolls pass RollFeature.frame_nll."
        )
    return losses.sum()


def _gradients(
    loss: Tensor, outputs: list[Tensor], states: list[tuple[Any, ...]], layer: int
) -> list[Tensor]:
    """Differentiate the loss by every part of one layer's state at every step, each (T, B, ·)."""
    layers = len(states[0][0])
    gradients = [
        torch.stack([gradient[place] for gradient in gradients_by(loss, nodes)])
        for nodes, place in (_nodes(states, part, layer) for part in range(len(states[0])))
    ]
    if layer == layers - 1:
        # The head reads h(T) of the last layer as the output, a node beside the state's.
        gradients[0] = gradients[0] + torch.stack(gradients_by(loss, outputs))
    return gradients


def _nodes(states: list[tuple[Any, ...]], part: int, layer: int) -> tuple[list[Tensor], int]:
    """Find the tensors that hold a part of a layer's state, and where in them the layer stands.

    A part is one tensor (L, B, ·), or where the layers' sizes differ a list of (1, B, ·).
    """
    values = [state[part] for state in states]
    if isinstance(values[0], Tensor):
        return values, layer
    return [value[layer] for value in values], 0


def gradients_by(loss: Tensor, nodes: Sequence[Tensor]) -> list[Tensor]:
    """Differentiate the loss by each node; zeros where it does not depend on one."""
    return list(torch.autograd.grad(loss, nodes, retain_graph=True, materialize_grads=True))


def norms_by_distance(gradients: Tensor, lengths: Tensor) -> Tensor:
    """Geometric mean over rows of the norms of gradients (T, B, H), at each distance, (T,)."""
    norms = torch.linalg.vector_norm(gradients, dim=-1)
    means = []
    for distance in range(len(norms)):
        rows = (lengths > distance).nonzero().squeeze(1)
        reached = norms[lengths[rows] - 1 - distance, rows]
        means.append(reached.log().mean().exp())
    return torch.stack(means)
