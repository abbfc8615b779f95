"""The parameters of a stack of recurrent layers: names, shapes, initial values, use in a cell."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from elman.cells import Cell
from elman.layers.initialisation import chrono_bias, gate_bias_, recurrent_, uniform_
from elman.layers.options import RecurrentOptions

_NAMES = {
    "input": "weight_ih",
    "hidden": "weight_hh",
    "input_bias": "bias_ih",
    "hidden_bias": "bias_hh",
    "projection": "weight_hr",
    "input_gain": "gain_ih",
    "hidden_gain": "gain_hh",
    "cell_gain": "gain_cell",
    "cell_bias": "bias_cell",
}
"""Field of a cell's weights → name of the parameter, torch.nn's where it has one; a vector of the
cell's own is called weight_ and its field."""


_BIASES = ("input_bias", "hidden_bias")


class Place(NamedTuple):
    """The place of a cell in the stack."""

    layer: int
    reverse: bool

    @property
    def suffix(self) -> str:
        """The ending of its parameters' names, as in torch.nn: _l0, _l0_reverse, _l1."""
        return f"_l{self.layer}" + ("_reverse" if self.reverse else "")


def places(options: RecurrentOptions) -> Iterator[Place]:
    """Yield the places of a stack in torch.nn's order: layers upwards, forward before backward."""
    for layer in range(len(options.hidden_sizes)):
        for reverse in (False, True)[: options.num_directions]:
            yield Place(layer, reverse)


def parameter_shapes(options: RecurrentOptions, layer: int) -> dict[str, tuple[int, ...]]:
    """Name and shape every parameter of one layer and direction, torch.nn's own first."""
    cell, inputs = options.cell, options.layer_inputs[layer]
    hidden, output = options.hidden_sizes[layer], options.output_sizes[layer]
    rows = len(cell.gates) * hidden
    shapes: dict[str, tuple[int, ...]] = {"weight_ih": (rows, inputs)}
    if cell.reads_hidden:
        shapes["weight_hh"] = (rows, output)
    if options.bias:
        biases = [field for field in cell.weights._fields if field in _BIASES]
        shapes |= {_NAMES[field]: (rows,) for field in biases}
    if options.proj_size:
        shapes["weight_hr"] = (output, hidden)
    for name, blocks in cell.vectors.items():
        shapes[f"weight_{name}"] = (blocks * hidden,)
    for name, columns in cell.matrices.items():
        size = inputs if columns.of == "inputs" else hidden
        shapes[f"weight_{name}"] = (hidden, columns.blocks * size)
    if options.layer_norm:
        shapes |= {"gain_ih": (rows,), "gain_hh": (rows,)}
        if "cell_gain" in cell.weights._fields:
            shapes |= {"gain_cell": (hidden,), "bias_cell": (hidden,)}
    if options.learn_initial_state:
        parts = zip(cell.state._fields, cell.state_sizes(hidden, output), strict=True)
        shapes |= {f"initial_{part}": (size,) for part, size in parts}
    return shapes


def create(
    module: nn.Module,
    options: RecurrentOptions,
    device: torch.device | str | None,
    dtype: torch.dtype | None,
) -> None:
    """Register the parameters of all layers and directions, not yet filled."""
    for place in places(options):
        for name, shape in parameter_shapes(options, place.layer).items():
            weight = nn.Parameter(torch.empty(shape, device=device, dtype=dtype))
            module.register_parameter(name + place.suffix, weight)


@torch.no_grad()
def initialise(module: nn.Module, options: RecurrentOptions) -> None:
    """Fill the parameters: U(−1/√H, 1/√H) in torch.nn's order, then as the options say."""
    for place in places(options):
        for name in parameter_shapes(options, place.layer):
            weight = module.get_parameter(name + place.suffix)
            if name.startswith("gain"):
                nn.init.ones_(weight)
            elif name.startswith("initial") or name == "bias_cell":
                nn.init.zeros_(weight)
            else:
                uniform_(weight, options.hidden_sizes[place.layer])
    for place in places(options):
        if options.cell.reads_hidden:
            recurrent = module.get_parameter("weight_hh" + place.suffix)
            recurrent_(recurrent, options.recurrent_init, len(options.cell.gates))
        if options.cell.initialise is not None:
            options.cell.initialise(cell_weights(module, options, place, None))
        if options.forget_bias is not None or options.chrono is not None:
            _set_forget_bias(module, options, place)


def _set_forget_bias(module: nn.Module, options: RecurrentOptions, place: Place) -> None:
    """Set the bias of the gate that keeps the old state; chrono sets the input gate against it."""
    first = module.get_parameter("bias_ih" + place.suffix)
    second = module._parameters.get("bias_hh" + place.suffix)
    gates = options.cell.gates
    like = first.chunk(len(gates))[0]
    if options.chrono is not None:
        keep = chrono_bias(options.chrono, like)
    else:
        keep = torch.full_like(like, options.forget_bias or 0.0)
    signs = {"f": 1, "z": 1}
    if options.chrono is not None or "f" not in gates:
        signs["i"] = -1
    for gate, sign in signs.items():
        if gate in gates:
            gate_bias_(first, second, gates.index(gate), len(gates), sign * keep)


def parameter(module: nn.Module, name: str) -> Tensor:
    """Return a parameter as it is now: torch.func and parametrizations put tensors in its place."""
    value: Tensor | None = module._parameters.get(name)  # a tenth of the time of an attribute
    return getattr(module, name) if value is None else value


def weight_names(options: RecurrentOptions, place: Place) -> tuple[str | None, ...]:
    """Name the parameters of a cell of the stack in the order of its weights, None for none."""
    known = parameter_shapes(options, place.layer)
    fields = [field for field in options.cell.weights._fields if field != "hidden_mask"]
    names = [_NAMES.get(field, f"weight_{field}") for field in fields]
    return tuple([name + place.suffix if name in known else None for name in names])


def gather(
    module: nn.Module, cell: Cell, names: tuple[str | None, ...], hidden_mask: Tensor | None
) -> Any:
    """Gather the weights of one cell of the stack, as its NamedTuple of weights.

    Args:
        module: the stack.
        cell: its cell.
        names: names of the parameters, see `weight_names`.
        hidden_mask: mask of recurrent dropout, or None.
    """
    weights: list[Any] = [None if name is None else parameter(module, name) for name in names]
    if cell.reads_hidden:
        weights.append(hidden_mask)  # the last of the weights
    return cell.weights(*weights)


def cell_weights(
    module: nn.Module, options: RecurrentOptions, place: Place, hidden_mask: Tensor | None
) -> Any:
    """Gather the weights of the cell at a place, as its NamedTuple of weights."""
    return gather(module, options.cell, weight_names(options, place), hidden_mask)


def learned_state(module: nn.Module, options: RecurrentOptions, place: Place, rows: int) -> Any:
    """Return the learned initial state for every row; None, which means zeros, without one."""
    if not options.learn_initial_state:
        return None
    learned = [
        parameter(module, f"initial_{part}{place.suffix}") for part in options.cell.state._fields
    ]
    return options.cell.state(*[part.expand(rows, -1) for part in learned])
