"""The gradient flow of a trained model, whatever reads its states: each direction by itself."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from elman.batches.batching import Batch
from elman.errors import OptionError
from elman.inspection.gradient_flow import GradientFlow, gradients_by, norms_by_distance
from elman.layers import RecurrentLayer
from elman.layers.parameters import Place, cell_weights
from elman.layers.state import StateLayout
from elman.networks.encoder_decoder import EncoderDecoder
from elman.networks.many_to_many import ManyToMany
from elman.networks.many_to_one import ManyToOne
from elman.sequence import reference
from elman.sequence.recurrence import Recurrence, Trace

DIRECTIONS = ("forward", "backward")
LONGEST = 500
"""Distances that are followed, at most."""


class _Reading(NamedTuple):
    """What the recurrent part read, and what is asked of it."""

    vectors: Tensor
    """(T, B, I)"""
    lengths: Tensor
    """(B,), those of a delay included"""
    errors: Tensor
    """∂loss/∂output of the recurrent part, (T, B, D·P)"""
    ends: list[Any]
    """∂loss/∂last state: a cell's state, (B, ·) a part, of each layer and direction; zeros where it
    is not read"""


def model_gradient_flow(
    network: ManyToOne | ManyToMany | EncoderDecoder, batch: Batch, *, longest: int = LONGEST
) -> dict[str, GradientFlow]:
    """Measure how the gradient of an answer's loss fades on its way through the last layer.

        g(t) = e(t) + g(t+1) · ∂h(t+1)/∂h(t)              forward, t = T … 1
        g(t) = e(t) + g(t−1) · ∂h(t−1)/∂h(t)              backward, t = 1 … T

    g(t) = ∂loss/∂h(t), and e(t) the part of it that does not pass through another state. With an
    answer a row, loss is the row's, and e(t) what the pooling hands to h(t): nothing but for the
    step read last, or something at every step where the pooling reads them all. With an answer a
    step, only the loss that enters where a direction has read the whole row is followed, at T
    forward and at 1 backward: e(t) is zero elsewhere, and g a product of Jacobians. With a delay
    of d steps, T is the step that gives the last answer, d after the last input.

    Of an encoder–decoder it is the encoder that is followed, and loss is that of all that is to be
    written of a row: e(t) is what attention hands to h(t) at every step, and at the end what the
    bridge does. A bridge may read c(T) as well, which then has such a part of its own.

    Where a loss is that of a whole sequence of steps, as of a conditional random field, the loss
    that enters at a step is the part of its gradient that passes through that step's output.

    All is computed on a copy in float64 on the CPU, in evaluation mode. Norms are summarised over
    rows as in `gradient_flow`, to which this is equal where both can be had; but over the same
    rows at every distance, and without those whose gradient is zero throughout.

    Args:
        network: with recurrent layers and an objective; it is not changed.
        batch: rows with at least one step each.
        longest: distances that are followed, at most.

    Returns:
        forward, and backward where there is such a direction → its flow, at distances 0 … K − 1
        from where it has read the whole row; K is the length of the shortest row, `longest` at
        most.

    Raises:
        OptionError: the network has no objective or is a `Bidirectional` of two layers, a row has
            no steps, or `longest` is below 1.
    """
    recurrent = _recurrent_part(network)
    if not isinstance(recurrent, RecurrentLayer):
        raise OptionError(
            f"model_gradient_flow follows one stack of layers, got {type(recurrent).__name__}; "
            "build the network with bidirectional=True instead."
        )
    if longest < 1 or not bool((batch.lengths > 0).all()):
        raise OptionError(
            "model_gradient_flow needs rows of at least one step and longest of at least 1, got "
            f"lengths = {batch.lengths.tolist()} and longest = {longest}."
        )
    twin = _frozen_twin(network)
    reading = _read(twin, batch)
    stack = _recurrent_part(twin)
    with torch.no_grad():
        _, _, traces = stack(reading.vectors, lengths=reading.lengths, return_trace=True)
    reach = min(longest, int(reading.lengths.min()))
    return {
        DIRECTIONS[way]: _follow(stack, traces, reading, reach, way, isinstance(twin, ManyToMany))
        for way in range(stack.options.num_directions)
    }


def _recurrent_part(network: Any) -> Any:
    """Return the layers whose gradient is followed: those that read."""
    return network.encoder if isinstance(network, EncoderDecoder) else network.recurrent


def _frozen_twin(network: nn.Module) -> Any:
    """Copy a network to where every norm can be told from zero and every backend may run."""
    twin = copy.deepcopy(network).to("cpu", torch.float64).eval().requires_grad_(False)
    for module in twin.modules():
        if isinstance(module, RecurrentLayer):
            module.backend = "auto"
    return twin


def _read(network: Any, batch: Batch) -> _Reading:
    """Run a network; differentiate the losses of its rows by what the recurrent part put out."""
    caught: list[Any] = []
    stack = _recurrent_part(network)

    def catch(_: Any, read: tuple[Any, ...], named: dict[str, Any], output: Any) -> Any:
        hidden, state = _each(output, lambda part: part.detach().requires_grad_())
        caught.extend((read[0], named["lengths"], hidden, state))
        return hidden, state

    batch = batch.to("cpu")
    x, target = (
        value.double() if value.is_floating_point() else value
        for value in (batch.input, batch.target)
    )
    told = {"target": target} if isinstance(network, EncoderDecoder) else {}
    handle = stack.register_forward_hook(catch, with_kwargs=True)
    try:
        with torch.enable_grad():
            outputs, _ = network(x, lengths=batch.lengths, **told)
            losses = _losses(network, outputs, batch._replace(target=target))
            loss = torch.stack(list(losses)).sum()
            parts: list[Tensor] = []
            _each(caught[2:], parts.append)
            found = iter(torch.autograd.grad(loss, parts, materialize_grads=True))
    finally:
        handle.remove()
    errors, ends = _each(caught[2:], lambda _: next(found))
    read, lengths = caught[:2]
    return _Reading(read, lengths, errors, StateLayout(stack.options).split(ends, errors))


def _each(parts: Any, do: Callable[[Tensor], Any]) -> Any:
    """Do something with every tensor in tuples and lists, in their order."""
    if isinstance(parts, Tensor):
        return do(parts)
    return type(parts)([_each(part, do) for part in parts])


def _losses(network: Any, outputs: Tensor, batch: Batch) -> Iterator[Tensor]:
    """Yield the loss of every row by itself: that of all its steps, where each has one."""
    if network.objective is None:
        raise OptionError(
            "model_gradient_flow differentiates the loss of the network's objective, and this "
            "network has none; build it with one, or use gradient_flow, which is given a loss."
        )
    in_time = isinstance(network, ManyToMany | EncoderDecoder)
    for row, steps in enumerate(batch.lengths.tolist()):
        its = slice(row, row + 1)
        one = [each[:, its] if in_time else each[its] for each in (outputs, batch.target)]
        loss = network.objective.loss(*one, batch.lengths[its])
        yield loss * steps if batch.per_step else loss


def _follow(
    stack: RecurrentLayer,
    traces: list[list[Trace]],
    reading: _Reading,
    reach: int,
    way: int,
    last_alone: bool,
) -> GradientFlow:
    """Follow the gradient in one direction of the last layer."""
    top, size = stack.num_layers - 1, stack.options.output_sizes[-1]
    distance = torch.arange(reach - 1, -1, -1).unsqueeze(1)
    lengths = reading.lengths
    steps = distance.expand(-1, len(lengths)) if way else lengths - 1 - distance
    there = steps, torch.arange(len(lengths))
    errors = reading.errors[..., way * size : (way + 1) * size][there]
    if last_alone:
        errors[:-1] = 0
    hidden_end, *memory_end = reading.ends[top * stack.options.num_directions + way]
    errors[-1] += hidden_end
    traced = traces[top][way].state
    recurrence = Recurrence(
        cell=stack.options.cell,
        x=_below(stack, traces, reading.vectors)[there],
        state=type(traced)(*[part[there][0].requires_grad_() for part in traced]),
        weights=cell_weights(stack, stack.options, Place(top, way == 1), None),
        fresh=None,
        zoneout=stack.options.zoneouts if any(stack.options.zoneouts) else None,
    )
    hidden, *memory = _gradients(recurrence, errors, memory_end)
    alive = hidden.ne(0).any(-1).any(0)
    if not bool(alive.any()):
        alive = ~alive
    counted = torch.full((int(alive.sum()),), reach)
    return GradientFlow(
        distance=torch.arange(reach),
        hidden=norms_by_distance(hidden[:, alive], counted),
        cell=norms_by_distance(memory[0][:, alive], counted) if memory else None,
        rows=len(counted),
    )


def _below(stack: RecurrentLayer, traces: list[list[Trace]], vectors: Tensor) -> Tensor:
    """Return what the last layer reads, (T, B, ·)."""
    read = vectors
    for layer, directions in enumerate(traces[:-1]):
        written = torch.cat([trace.state.hidden for trace in directions], -1)
        read = written + read if stack.options.residual and layer > 0 else written
    return read


def _gradients(recurrence: Recurrence, errors: Tensor, ends: Sequence[Tensor]) -> list[Tensor]:
    """Carry errors back through a recurrence whose state is the one after its first step.

    Args:
        recurrence: K steps, in the order in which they are read.
        errors: by h of every step, (K, B, P).
        ends: by c of the last step, (B, H), where the cell has it.

    Returns:
        The gradient by each part of the state at every step, (K, B, ·). c(t) is what is handed
        on to the next step: what h(t) makes of it counts as h(t)'s.
    """
    states: list[Any] = [recurrence.state]
    with torch.enable_grad():
        for step in range(1, len(recurrence.x)):
            one = Recurrence(
                cell=recurrence.cell,
                x=recurrence.x[step : step + 1],
                state=states[-1],
                weights=recurrence.weights,
                fresh=None,
                zoneout=recurrence.zoneout,
            )
            new = reference.run(one).state
            states.append(type(new)(*[part.clone() for part in new]))
        loss = (torch.stack([state.hidden for state in states]) * errors).sum()
        for part, error in zip(states[-1][1:], ends, strict=True):
            loss = loss + (part * error).sum()
        every = gradients_by(loss, [part for state in states for part in state])
    parts = len(states[0])
    return [torch.stack(every[part::parts]) for part in range(parts)]
