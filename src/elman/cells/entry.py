"""What Elman knows of a cell: its equation, its layer, and the kernels that compute it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

from torch import Tensor

from elman.errors import OptionError, unknown

Step = Callable[..., tuple[Any, NamedTuple]]
"""`step(x, state, weights) -> (state, gates)`."""


class Columns(NamedTuple):
    """The columns of a matrix of a cell's own: blocks of I or of H numbers."""

    of: Literal["inputs", "units"]
    blocks: int = 1


@dataclass(frozen=True)
class Kernel:
    """One of Elman's own kernels: what its callers need to know.

    Args:
        name: its name in csrc/.
        step: the step function that it computes; a cell with another one does not run on it.
        gates: the NamedTuple of gates that the step returns.
        kept: the values of a step that it keeps for the backward pass and for a trace, one name
            per block of H numbers; a value that is not a gate is kept for the backward pass alone.
        complements: gate that is not kept → the gate that gives it: f = 1 − i.
        follows_from_output: whether its gradient follows from h, so that nothing is kept for it
            unless zoneout mixes h with the old state.
    """

    name: str
    step: Step
    gates: type[Any]
    kept: tuple[str, ...]
    complements: Mapping[str, str] = field(default_factory=dict, hash=False)
    follows_from_output: bool = False


@dataclass(frozen=True)
class Scan:
    """How a cell whose gates do not read its state is run over all steps at once.

        s(t) = a(t) ⊙ s(t−1) + b(t)

    The products of all steps are computed first; what is left in the order of time is one addition
    and one multiplication a number.

    Args:
        sums: `sums(x, weights)`: the products of inputs (…, I), G blocks of H numbers.
        terms: `terms(sums, weights) -> (a, b, gates)`; a may lack the leading axes where it is the
            same for all steps.
        part: the part of the state that is s.
        output: `output(s, x, weights) -> h` where h is not s itself, else None.
        is_complex: whether s, a and b are complex numbers, real parts before imaginary ones.
        kernel: the name in csrc/ under which terms and scan are one, or None. Its terms do not read
            the weights.
    """

    sums: Callable[..., Tensor]
    terms: Callable[..., tuple[Tensor, Tensor, NamedTuple]]
    part: str = "hidden"
    output: Callable[..., Tensor] | None = None
    is_complex: bool = False
    kernel: str | None = None


@dataclass(frozen=True)
class Cell:
    """One recurrent equation, its options chosen.

    Args:
        name: its name in `CELLS`.
        options: the options of the equation and their values.
        gates: names of the blocks of rows of the packed weights, in their order.
        step: `step(x, state, weights) -> (state, gates)`.
        state: the NamedTuple of its state: hidden, then any other parts, of size H.
        weights: the NamedTuple of its weights: input first; hidden second and hidden_mask last
            where it multiplies h(t−1) by a matrix; beside them any of input_bias, hidden_bias,
            projection, input_gain, hidden_gain, cell_gain, cell_bias, `vectors` and `matrices`.
        vectors: its own weights that are vectors, field → number of blocks of H numbers; the layer
            makes parameters of them, `weight_peephole_l0` and so on.
        matrices: its own weights that are matrices with H rows, field → their columns.
        state_blocks: parts of the state that are not of size H → number of blocks of H numbers.
        initialise: `initialise(weights)` fills the weights whose initial values are its own, after
            those of torch.nn.
        has_zoneout: whether a unit can keep its old value in one part of the state alone.
        scan: how it runs over all steps at once, or None: its gates read the state.
        kernel: the kernel that computes it, or None: it runs on the reference.
        torch_function: PyTorch's function that computes the same, or None.
        torch_lacks: what PyTorch's functions lack to compute it; it completes the sentence
            "PyTorch's kernels have no …".

    Raises:
        OptionError: its state or its weights do not have these fields in this order.
    """

    name: str
    options: Mapping[str, Any] = field(hash=False)
    gates: tuple[str, ...]
    step: Step
    state: type[Any]
    weights: type[Any]
    vectors: Mapping[str, int] = field(default_factory=dict, hash=False)
    matrices: Mapping[str, Columns] = field(default_factory=dict, hash=False)
    state_blocks: Mapping[str, int] = field(default_factory=dict, hash=False)
    initialise: Callable[[Any], None] | None = field(default=None, hash=False)
    has_zoneout: bool = True
    scan: Scan | None = None
    kernel: Kernel | None = None
    torch_function: str | None = None
    torch_lacks: str | None = None

    def __post_init__(self) -> None:
        parts, fields = self.state._fields, self.weights._fields
        if parts[0] != "hidden":
            raise OptionError(
                f"the state of the {self.name} cell must begin with hidden, got {', '.join(parts)}."
            )
        reads_hidden = fields[1:2] == ("hidden",) and fields[-1] == "hidden_mask"
        if fields[0] != "input" or reads_hidden != bool({"hidden", "hidden_mask"} & {*fields}):
            raise OptionError(
                f"the weights of the {self.name} cell must begin with input; where there is a "
                "recurrent matrix, hidden must be the second and hidden_mask the last. Got "
                f"{', '.join(fields)}."
            )
        for name in (*self.vectors, *self.matrices):
            if name not in fields:
                raise unknown(f"weight of the {self.name} cell", name, fields)
        named = [*self.state_blocks, *([self.scan.part] if self.scan else [])]
        for name in named:
            if name not in parts:
                raise unknown(f"part of the state of the {self.name} cell", name, parts)

    def state_sizes(self, units: int, outputs: int) -> tuple[int, ...]:
        """Return the size of each part of the state, given H and P."""
        others = [self.state_blocks.get(part, 1) * units for part in self.state._fields[1:]]
        return outputs, *others

    @property
    def reads_hidden(self) -> bool:
        """Tell whether it multiplies h(t−1) by a matrix R."""
        return "hidden" in self.weights._fields

    @property
    def has_cell_state(self) -> bool:
        """Tell whether the state has a part c beside h."""
        return "cell" in self.state._fields

    def __str__(self) -> str:
        chosen = ", ".join(f"{name}={value!r}" for name, value in self.options.items())
        return f"{self.name}({chosen})"


@dataclass(frozen=True)
class CellFamily:
    """A cell whose options are still open: `CELLS["gru"].variant(reset_after=False)`.

    Args:
        name: its name in `CELLS`.
        defaults: every option of the equation, with its default.
        build: the cell for a full set of options.
        layer: the class that runs it, a `RecurrentLayer`, as "module:Class".
        kernels: for each kernel, the options of a cell that it computes.
    """

    name: str
    defaults: Mapping[str, Any] = field(hash=False)
    build: Callable[..., Cell]
    layer: str
    kernels: tuple[Mapping[str, Any], ...] = field(default=(), hash=False)

    def variant(self, **options: Any) -> Cell:
        """Choose options of the equation; the others keep their defaults.

        Raises:
            OptionError: an option that this cell does not have, or a value that it does not take.
        """
        for name in options:
            if name not in self.defaults:
                raise unknown(f"{self.name} option", name, self.defaults)
        return self.build(**{**self.defaults, **options})
