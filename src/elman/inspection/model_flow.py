"""The gradient flow of a trained model of any category, for each direction separately."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from elman.batches.batching import Batch
from elman.batches.inputs import PartsInput
from elman.errors import OptionError
from elman.inspection.gradient_flow import GradientFlow, gradients_by, norms_by_distance
from elman.layers import RecurrentLayer
from elman.layers.parameters import Place, cell_weights
from elman.layers.state import StateLayout
from elman.networks.encoder_decoder import EncoderDecoder
from elman.networks.joined import JoinedToOne
from elman.networks.many_to_many import ManyToMany
from elman.networks.many_to_one import ManyToOne
from elman.sequence import reference
from elman.sequence.recurrence import Recurrence, Trace

DIRECTIONS = ("forward", "backward")
LONGEST = 500
"""Greatest distance that is followed."""


class _Pass(NamedTuple):
    """The inputs of the recurrent part, and the gradients of the loss by its outputs."""

    vectors: Tensor
    """Inputs, (T, B, I)"""
    lengths: Tensor
    """Steps of each row, those of a delay included, (B,)"""
    errors: Tensor
    """∂loss/∂output of the recurrent part, (T, B, D·P)"""
    ends: list[Any]
    """∂loss/∂last state: for each layer and direction a cell's state with parts (B, ·); zeros where
    it is not read"""
    state: Any = None
    """The state that the recurrent part began at; None for the default"""


def model_gradient_flow(
    network: ManyToOne | JoinedToOne | ManyToMany | EncoderDecoder,
    batch: Batch,
    *,
    longest: int = LONGEST,
) -> dict[str, GradientFlow]:
    """Measure how the gradient of the loss fades back in time through the last layer.

        g(t) = e(t) + g(t+1) · ∂h(t+1)/∂h(t)              forward, t = T … 1
        g(t) = e(t) + g(t−1) · ∂h(t−1)/∂h(t)              backward, t = 1 … T

    g(t) = ∂loss/∂h(t), and e(t) is the part of it that does not pass through another state. With
    one prediction a row, e(t) is the gradient that the pooling passes to h(t): zero except at the
    last step read, or nonzero at every step where the pooling reads them all. With one prediction
    a step, only the loss at the step where a direction has read the whole row is followed, T
    forward and 1 backward: e(t) is zero elsewhere, and g a product of Jacobians. With a delay of d
    steps, T is the step that gives the last prediction, d after the last input.

    In an encoder–decoder the encoder is followed, and the loss is that of the row's whole target:
    e(t) is the gradient that attention passes to h(t) at every step, plus that of the bridge at
    the end. A bridge may also read c(T), which then has its own e(T).

    Where the loss is that of a whole sequence, as with a conditional random field, the loss at a
    step is the part of its gradient that passes through that step's output.

    All is computed on a copy in float64 on the CPU, in evaluation mode. Norms are summarised over
    rows as in `gradient_flow`, and equal its norms where both are defined; but over the same rows
    at every distance, and without rows whose gradient is zero throughout.

    Args:
        network: a network with recurrent layers and an objective; it is not changed.
        batch: rows with at least one step each.
        longest: greatest number of distances that are followed.

    Returns:
        forward, and backward where there is such a direction → its flow, at distances 0 … K − 1
        from the step where it has read the whole row; K is the length of the shortest row, or
        `longest` if that is less.

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
    recorded = _differentiate(twin, batch)
    stack = _recurrent_part(twin)
    with torch.no_grad():
        _, _, traces = stack(
            recorded.vectors, recorded.state, lengths=recorded.lengths, return_trace=True
        )
    steps = min(longest, int(recorded.lengths.min()))
    per_step = isinstance(twin, ManyToMany)
    return {
        DIRECTIONS[direction]: _follow(stack, traces, recorded, steps, direction, per_step)
        for direction in range(stack.options.num_directions)
    }


def _recurrent_part(network: Any) -> Any:
    """Return the layers whose gradient is followed: those that read the input."""
    return network.encoder if isinstance(network, EncoderDecoder) else network.recurrent


def _frozen_twin(network: nn.Module) -> Any:
    """Copy a network to the CPU in float64, without gradients of its parameters."""
    twin = copy.deepcopy(network).to("cpu", torch.float64).eval().requires_grad_(False)
    for module in twin.modules():
        if isinstance(module, RecurrentLayer):
            module.backend = "auto"
    return twin


def _differentiate(network: Any, batch: Batch) -> _Pass:
    """Run a network, and differentiate the losses of its rows by the recurrent part's outputs."""
    recorded: list[Any] = []
    begun: list[Any] = []
    stack = _recurrent_part(network)

    def record(_: Any, inputs: tuple[Any, ...], options: dict[str, Any], output: Any) -> Any:
        hidden, state = _each(output, lambda part: part.detach().requires_grad_())
        recorded.extend((inputs[0], options["lengths"], hidden, state))
        begun.extend(inputs[1:])
        return hidden, state

    batch = batch.to("cpu")
    x, target = _in_double(batch.input), _in_double(batch.target)
    options = {"target": target} if isinstance(network, EncoderDecoder) else {}
    handle = stack.register_forward_hook(record, with_kwargs=True)
    try:
        with torch.enable_grad():
            outputs, _ = network(x, lengths=batch.lengths, **options)
            losses = _losses(network, outputs, batch._replace(target=target))
            loss = torch.stack(list(losses)).sum()
            parts: list[Tensor] = []
            _each(recorded[2:], parts.append)
            gradients = iter(torch.autograd.grad(loss, parts, materialize_grads=True))
    finally:
        handle.remove()
    errors, ends = _each(recorded[2:], lambda _: next(gradients))
    vectors, lengths = recorded[:2]
    layout = StateLayout(stack.options)
    return _Pass(vectors, lengths, errors, layout.split(ends, errors), next(iter(begun), None))


def _in_double(x: Any) -> Any:
    """Return an input or a target in float64, ids as they are."""
    if isinstance(x, PartsInput):
        return x._replace(parts=tuple(map(_in_double, x.parts)))
    return x.double() if x.is_floating_point() else x


def _each(parts: Any, do: Callable[[Tensor], Any]) -> Any:
    """Apply a function to every tensor in nested tuples and lists, in order."""
    if isinstance(parts, Tensor):
        return do(parts)
    return type(parts)([_each(part, do) for part in parts])


def _losses(network: Any, outputs: Tensor, batch: Batch) -> Iterator[Tensor]:
    """Yield the loss of every row, summed over its steps where each has one."""
    if network.objective is None:
        raise OptionError(
            "model_gradient_flow differentiates the loss of the network's objective, and this "
            "network has none; build it with one, or use gradient_flow, which takes a loss."
        )
    in_time = isinstance(network, ManyToMany | EncoderDecoder)
    for row, steps in enumerate(batch.lengths.tolist()):
        this = slice(row, row + 1)
        of_row = [each[:, this] if in_time else each[this] for each in (outputs, batch.target)]
        loss = network.objective.loss(*of_row, batch.lengths[this])
        yield loss * steps if batch.per_step else loss


def _follow(
    stack: RecurrentLayer,
    traces: list[list[Trace]],
    recorded: _Pass,
    steps: int,
    direction: int,
    last_only: bool,
) -> GradientFlow:
    """Follow the gradient in one direction of the last layer."""
    top, size = stack.num_layers - 1, stack.options.output_sizes[-1]
    distance = torch.arange(steps - 1, -1, -1).unsqueeze(1)
    lengths = recorded.lengths
    times = distance.expand(-1, len(lengths)) if direction else lengths - 1 - distance
    index = times, torch.arange(len(lengths))
    errors = recorded.errors[..., direction * size : (direction + 1) * size][index]
    if last_only:
        errors[:-1] = 0
    hidden_end, *memory_end = recorded.ends[top * stack.options.num_directions + direction]
    errors[-1] += hidden_end
    states = traces[top][direction].state
    recurrence = Recurrence(
        cell=stack.options.cell,
        x=_inputs_of_last(stack, traces, recorded.vectors)[index],
        state=type(states)(*[part[index][0].requires_grad_() for part in states]),
        weights=cell_weights(stack, stack.options, Place(top, direction == 1), None),
        fresh=None,
        zoneout=stack.options.zoneouts if any(stack.options.zoneouts) else None,
    )
    hidden, *memory = _gradients(recurrence, errors, memory_end)
    nonzero = hidden.ne(0).any(-1).any(0)
    if not bool(nonzero.any()):
        nonzero = ~nonzero
    reach = torch.full((int(nonzero.sum()),), steps)
    return GradientFlow(
        distance=torch.arange(steps),
        hidden=norms_by_distance(hidden[:, nonzero], reach),
        cell=norms_by_distance(memory[0][:, nonzero], reach) if memory else None,
        rows=len(reach),
    )


def _inputs_of_last(stack: RecurrentLayer, traces: list[list[Trace]], vectors: Tensor) -> Tensor:
    """Return the inputs of the last layer, (T, B, ·)."""
    inputs = vectors
    for layer, directions in enumerate(traces[:-1]):
        hidden = torch.cat([trace.state.hidden for trace in directions], -1)
        inputs = hidden + inputs if stack.options.residual and layer > 0 else hidden
    return inputs


def _gradients(recurrence: Recurrence, errors: Tensor, ends: Sequence[Tensor]) -> list[Tensor]:
    """Backpropagate errors through a recurrence whose state is the one after its first step.

    Args:
        recurrence: K steps, in the order in which they are read.
        errors: gradient by h at every step, (K, B, P).
        ends: gradient by c at the last step, (B, H), where the cell has c.

    Returns:
        The gradient by each part of the state at every step, (K, B, ·). That by c(t) is through
        the next step alone: its effect on the loss through h(t) counts as h(t)'s.
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
