"""What the tests of the recurrence share: every variant of every cell, an oracle, assertions.

The variants come from `CELLS` and the backends from their registry: a new cell, a new option or a
new backend is tested, or breaks this module until it says which values to test.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields, replace
from itertools import product
from typing import Any, NamedTuple

import pytest
import torch
from hypothesis import settings
from torch import Tensor

from elman.cells import CELLS, NONLINEARITIES, Cell
from elman.sequence import BACKENDS, Recurrence, Result, Trace, run
from tolerances import factor, unit

T, B, I, H, P = 6, 5, 3, 9, 7  # noqa: E741 — the axis legend
LENGTHS = [4, 0, 6, 1, 4]
OPTION_VALUES: Mapping[str, Sequence[Any]] = {
    "nonlinearity": tuple(NONLINEARITIES),
    "peephole": (False, True),
    "coupled_gates": (False, True),
    "reset_after": (True, False),
    "activation": ("gelu", "identity"),
    "r_min": (0.0,),
    "r_max": (1.0,),
    "max_phase": (2 * math.pi,),
}
DRAWN = settings(deadline=None, derandomize=True, database=None)
Named = dict[str, Tensor]


class Variant(NamedTuple):
    """A cell with its options chosen, with or without a projection."""

    cell: Cell
    projected: bool

    def __str__(self) -> str:
        said = [f"{name}={value}" for name, value in self.cell.options.items()]
        return ",".join([self.cell.name, *said, *["projected"] * self.projected])


def _variants() -> Iterator[Variant]:
    for family in CELLS.values():
        for values in product(*[OPTION_VALUES[name] for name in family.defaults]):
            cell = family.variant(**dict(zip(family.defaults, values, strict=True)))
            yield Variant(cell, False)
            if "projection" in cell.weights._fields:
                yield Variant(cell, True)


VARIANTS = list(_variants())
KERNEL_VARIANTS = [variant for variant in VARIANTS if variant.cell.kernel is not None]
every_variant = pytest.mark.parametrize("variant", VARIANTS, ids=str)
every_kernel_variant = pytest.mark.parametrize("variant", KERNEL_VARIANTS, ids=str)
every_backend = pytest.mark.parametrize("backend", list(BACKENDS))
both_directions = pytest.mark.parametrize("reverse", [False, True], ids=["forward", "backward"])


def draw(*shape: int, dtype: torch.dtype = torch.float64, scale: float = 0.6) -> Tensor:
    """Draw from a normal distribution: every gate and unit gets weights of its own."""
    return (scale * torch.randn(shape, dtype=torch.float64)).to(dtype)


def draw_recurrence(
    variant: Variant,
    *,
    steps: int = T,
    rows: int = B,
    inputs: int = I,
    hidden: int = H,
    lengths: Sequence[int] | None = None,
    biases: Sequence[str] = ("input_bias", "hidden_bias"),
    layer_norm: bool = False,
    mask: bool = False,
    zoneout: str = "off",
    cuts: bool = False,
    **others: Any,
) -> Recurrence:
    """Draw a recurrence of a variant, every tensor in float64; padding is poisoned with NaN.

    Args:
        variant: the cell.
        steps: T.
        rows: B.
        inputs: I.
        hidden: H, at least 2 where projected; the projection is to H − 2, at least 1.
        lengths: one a row, or None.
        biases: the fields of the biases there are.
        layer_norm: whether the products are normed.
        mask: whether there is recurrent dropout.
        zoneout: off, masks or probabilities.
        cuts: whether there are resets; in the padding they are all set.
        others: fields of the recurrence.
    """
    cell = variant.cell
    hidden = max(hidden, 2) if variant.projected else hidden
    output = max(1, hidden - 2) if variant.projected else hidden
    rows_of_gates = len(cell.gates) * hidden
    shapes = {
        "input": (rows_of_gates, inputs),
        "hidden": (rows_of_gates, output),
        "input_bias": (rows_of_gates,),
        "hidden_bias": (rows_of_gates,),
        "projection": (output, hidden),
        "peephole": (rows_of_gates - hidden,),
        "input_gain": (rows_of_gates,),
        "hidden_gain": (rows_of_gates,),
        "cell_gain": (hidden,),
        "cell_bias": (hidden,),
    }
    own: dict[str, tuple[int, ...]] = {
        name: (blocks * hidden,) for name, blocks in cell.vectors.items() if name not in shapes
    }
    for name, columns in cell.matrices.items():
        size = inputs if columns.of == "inputs" else hidden
        own[name] = (hidden, columns.blocks * size)
    shapes |= own
    present = {"input", "hidden", *biases, *own}
    if variant.projected:
        present.add("projection")
    if cell.options.get("peephole"):
        present.add("peephole")
    if layer_norm:
        present |= {"input_gain", "hidden_gain", "cell_gain", "cell_bias"}
    drawn = {
        name: draw(*shapes[name]) for name in cell.weights._fields if name in present & set(shapes)
    }
    if mask and cell.reads_hidden:
        drawn["hidden_mask"] = (torch.rand(rows, output) < 0.6).double() / 0.6
    sizes = dict(zip(cell.state._fields, cell.state_sizes(hidden, output), strict=True))
    x = draw(steps, rows, inputs, scale=1.0)
    resets = torch.rand(steps, rows) < 0.3 if cuts else None
    row_lengths = None
    if lengths is not None:
        row_lengths = torch.tensor(lengths, dtype=torch.int64)
        ended = torch.arange(steps).unsqueeze(1) >= row_lengths
        x[ended] = torch.nan
        if resets is not None:
            resets = resets | ended
    return Recurrence(
        cell=cell,
        x=x,
        state=cell.state(*[draw(rows, size) for size in sizes.values()]),
        weights=cell.weights(**drawn),
        fresh=cell.state(*[draw(rows, size) for size in sizes.values()]),
        lengths=row_lengths,
        resets=resets,
        zoneout=_draw_zoneout(zoneout, steps, rows, list(sizes.values())),
        **others,
    )


def _draw_zoneout(kind: str, steps: int, rows: int, sizes: list[int]) -> Any:
    if kind == "off":
        return None
    if kind == "probabilities":
        return (0.3, 0.2, 0.4, 0.1)[: len(sizes)]
    return tuple((torch.rand(steps, rows, size) < 0.3).double() for size in sizes)


def row_by_row(r: Recurrence) -> Result:
    """Run every row alone, every step by the step function: no batch, no padding, no masks."""
    runs = [_run_row(r, row) for row in range(r.x.size(1))]
    outputs, states, traces = zip(*runs, strict=True)
    state = r.cell.state(*[torch.cat(parts) for parts in zip(*states, strict=True)])
    if not r.trace:
        return Result(torch.cat(outputs, 1), state, None)
    joined = [
        type(parts[0])(*[torch.cat(values, 1) for values in zip(*parts, strict=True)])
        for parts in zip(*traces, strict=True)
    ]
    return Result(torch.cat(outputs, 1), state, Trace(*joined))


def _run_row(r: Recurrence, row: int) -> tuple[Tensor, Any, Trace]:
    only = slice(row, row + 1)
    steps = r.x.size(0)
    length = steps if r.lengths is None else int(r.lengths[row])
    state, fresh = (type(s)(*[part[only] for part in s]) for s in (r.state, r.fresh))
    weights = r.weights
    if r.cell.reads_hidden and weights.hidden_mask is not None:
        weights = weights._replace(hidden_mask=weights.hidden_mask[only])
    nothing, no_gates = r.cell.step(torch.zeros_like(r.x[0, only]), state, weights)
    zeros = [type(part)(*[torch.zeros_like(v) for v in part]) for part in (nothing, no_gates)]
    at = [tuple(zeros)] * steps
    for t in reversed(range(length)) if r.reverse else range(length):
        boundary = t + 1 if r.reverse else t
        if r.resets is not None and boundary < length and bool(r.resets[boundary, row]):
            state = fresh
        new, gates = r.cell.step(r.x[t, only], state, weights)
        for place, kept in enumerate(r.zoneout or ()):
            share = kept[t, only] if isinstance(kept, Tensor) else kept
            name = new._fields[place]
            new = new._replace(**{name: new[place] + share * (state[place] - new[place])})
        state = new
        at[t] = (state, gates)
    stacked = [
        type(parts[0])(*[torch.stack(values) for values in zip(*parts, strict=True)])
        for parts in zip(*at, strict=True)
    ]
    return stacked[0].hidden, state, Trace(*stacked)


def leaves_of(r: Recurrence) -> tuple[Recurrence, Named]:
    """Make every tensor that can have a gradient a leaf of its own, and name them."""
    leaves: Named = {}

    def leaf(name: str, value: Any) -> Any:
        if not isinstance(value, Tensor):
            return value
        leaves[name] = value.detach().clone().requires_grad_()
        return leaves[name]

    changed: dict[str, Any] = {"x": leaf("x", r.x)}
    for name in ("state", "weights", "fresh"):
        values = getattr(r, name)
        parts = {f: leaf(f"{name}.{f}", value) for f, value in values._asdict().items()}
        changed[name] = type(values)(**parts)
    return replace(r, **changed), leaves


def values_of(result: Result) -> Named:
    """Name everything a recurrence gave back."""
    named = {"output": result.output}
    named |= {f"final {name}": part for name, part in result.state._asdict().items()}
    if result.trace is not None:
        for part in (result.trace.state, result.trace.gates):
            named |= {f"traced {name}": values for name, values in part._asdict().items()}
    return named


def gradients(values: Named, leaves: Named) -> Named:
    """Differentiate all values, weighted by a random cotangent, with respect to every leaf."""
    generator = torch.Generator().manual_seed(7)
    weighted = [
        (value * torch.randn(value.shape, generator=generator, dtype=torch.float64)).sum()
        for value in values.values()
    ]
    found = torch.autograd.grad(sum(weighted), list(leaves.values()), materialize_grads=True)  # type: ignore[arg-type]
    return {f"gradient of {name}": g for name, g in zip(leaves, found, strict=True)}


def values_and_gradients(r: Recurrence, runner: Any) -> Named:
    """Run a recurrence and name its values and the gradient of everything it was given."""
    changed, leaves = leaves_of(r)
    values = values_of(runner(changed))
    return values | gradients(values, leaves)


def on(backend: str) -> Any:
    """Give the runner of one backend; skip the test where it says that it cannot."""

    def runner(r: Recurrence) -> Result:
        reason = BACKENDS[backend].why_not(r)
        if reason is not None:
            pytest.skip(reason)
        return run(r, backend)

    return runner


def to_dtype(r: Recurrence, dtype: torch.dtype) -> Recurrence:
    """Convert every floating-point tensor of a recurrence."""

    def change(value: Any) -> Any:
        if isinstance(value, Tensor):
            return value.to(dtype) if value.is_floating_point() else value
        if hasattr(value, "_fields"):
            return type(value)(*[change(part) for part in value])
        return tuple(change(part) for part in value) if isinstance(value, tuple) else value

    return replace(r, **{f.name: change(getattr(r, f.name)) for f in fields(r) if f.name != "cell"})


def assert_near(actual: Tensor, expected: Tensor, name: str, kind: str = "same equations") -> None:
    """Assert that two tensors are as near as `tolerances` asks of their kind, and never NaN."""
    assert actual.shape == expected.shape, (
        f"{name}: {tuple(actual.shape)} is not {tuple(expected.shape)}"
    )
    assert bool(actual.isfinite().all()), f"{name} is not finite"
    difference = float((actual - expected).detach().abs().max()) if actual.numel() else 0.0
    allowed = factor(actual.dtype, kind) * unit(expected, actual.dtype)
    assert difference <= allowed, f"{name}: off by {difference:.3g}, allowed {allowed:.3g}"


def assert_all_near(actual: Named, expected: Named, kind: str = "same equations") -> None:
    """Assert it for every named tensor; the names must be the same too."""
    assert actual.keys() == expected.keys()
    for name, value in expected.items():
        assert_near(actual[name], value, name, kind)


def assert_as_near_as_torch(ours: Named, theirs: Named, truth: Named) -> None:
    """Assert that our float32 lies as near to the float64 truth as torch.nn's float32 does."""
    assert ours.keys() == theirs.keys() == truth.keys()
    times = factor(torch.float32, "as near as torch.nn")
    for name, value in truth.items():
        our_error, their_error = (
            float((given[name].double() - value).detach().abs().max()) for given in (ours, theirs)
        )
        allowed = times * their_error + unit(value, torch.float32)
        assert our_error <= allowed, f"{name}: off by {our_error:.3g}, allowed {allowed:.3g}"


def assert_same_bits(actual: Tensor, expected: Tensor, name: str) -> None:
    """Assert that two tensors are equal to the last bit."""
    assert torch.equal(actual, expected), f"{name} differs"
