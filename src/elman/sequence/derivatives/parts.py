"""What the cells share: the values of a run, its gradients, their changes, and the products."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import NamedTuple, Protocol

import torch
from torch import Tensor

Wanted = Collection[str]
"""Names of what gets a gradient."""


class Weights(NamedTuple):
    """The weights of a run; None is not there."""

    input: Tensor
    hidden: Tensor
    input_bias: Tensor | None = None
    hidden_bias: Tensor | None = None
    projection: Tensor | None = None
    peephole: Tensor | None = None


class Direction(NamedTuple):
    """How the weights of a run change; None means not at all."""

    input: Tensor | None = None
    hidden: Tensor | None = None
    input_bias: Tensor | None = None
    hidden_bias: Tensor | None = None
    projection: Tensor | None = None
    peephole: Tensor | None = None


class Steps(NamedTuple):
    """What a run read and computed, in the order in which it ran; zeros after a row's end.

    Args:
        x: inputs, (T, B, I).
        hidden: h before every step and after the last, (T + 1, B, P).
        cell: c likewise, (T + 1, B, H), or None.
        gates: the values that the kernel kept, (T, B, ·, H), or None.
        alive: the steps before each row's end, (T, B, 1) bool; None where all rows are T long.
    """

    x: Tensor
    hidden: Tensor
    cell: Tensor | None
    gates: Tensor | None
    alive: Tensor | None


class Values(NamedTuple):
    """What is multiplied by weights, or how it changes; None means zeros, or is not there.

    Args:
        x: (T, B, I).
        hidden: h(t−1) and h of the last step, (T + 1, B, P).
        middle: o ⊙ tanh(c), which a projection reads, or r ⊙ h(t−1), (T, B, H).
        cell: c(t−1) and c of the last step, (T + 1, B, H).
    """

    x: Tensor | None
    hidden: Tensor
    middle: Tensor | None = None
    cell: Tensor | None = None


class Adjoint(NamedTuple):
    """Gradients of what a run computed, or how they change.

    Args:
        sums: of R h + b′ in every gate, (T, B, G·H).
        input_sums: of W x + b in every gate, (T, B, G·H); often `sums` itself.
        hidden: of h, (T + 1, B, P); the first is that of the initial state.
        middle: of `Values.middle`, (T, B, H).
        cell: of c, (T + 1, B, H).
    """

    sums: Tensor
    input_sums: Tensor
    hidden: Tensor
    middle: Tensor | None = None
    cell: Tensor | None = None


class Sources(NamedTuple):
    """What enters the gradients of a run from outside; the loop adds the rest in place.

    Args:
        hidden: to h, (T + 1, B, P).
        cell: to c, (T + 1, B, H), or None where there is no c.
        sums: to the sums of every gate, (T, B, G, H).
        input_candidate: to W_n x + b_n where R_n h has sums of its own, (T, B, H).
        middle: to `Values.middle`, (T, B, H), or None.
    """

    hidden: Tensor
    cell: Tensor | None
    sums: Tensor
    input_candidate: Tensor | None = None
    middle: Tensor | None = None


class Tangent(NamedTuple):
    """How a run changes along a direction.

    Args:
        values: how its values change.
        sums: how the sums of every gate change, (T, B, G, H).
        input_candidate: how W_n x + b_n changes where R_n h has sums of its own, (T, B, H).
    """

    values: Values
    sums: Tensor
    input_candidate: Tensor | None = None


class Linear(Protocol):
    """A cell along one run: how a small change of what a step reads changes what it computes.

    A NamedTuple of tensors, the coefficients of every step, so that autograd can keep it.
    """

    @property
    def gain(self) -> Tensor:
        """How much the state changes with the sums of each gate, (T, B, G, H)."""

    def values(self, steps: Steps) -> Values:
        """Return what is multiplied by weights."""

    def adjoint(self, weights: Weights, sources: Sources) -> Adjoint:
        """Carry gradients from the last step to the first."""

    def tangent(
        self, values: Values, begin: Values, weights: Weights, direction: Direction
    ) -> Tangent:
        """Carry changes from the first step to the last.

        Args:
            values: those of the run.
            begin: how x changes and, in the first of their steps, how h and c do.
            weights: those of the run.
            direction: how they change.
        """

    def change(
        self, tangent: Tangent, adjoint: Adjoint, weights: Weights, direction: Direction
    ) -> Sources:
        """Compute what enters the gradients' change because the coefficients change."""

    def products(
        self,
        adjoint: Adjoint,
        values: Values,
        weights: Weights | Direction,
        wanted: Wanted,
    ) -> dict[str, Tensor]:
        """Compute the gradients of x and of the weights, as far as they are products."""


def flat(sequence: Tensor) -> Tensor:
    """View (T, B, ·) as rows, (T·B, ·)."""
    return sequence.reshape(-1, sequence.size(-1))


def added(total: Tensor | None, vectors: Tensor | None, matrix: Tensor | None) -> Tensor | None:
    """Add to sums, (T·B, m), the products of vectors, (T, B, n), and a matrix, (m, n).

    Any of them may be None, which means zeros.
    """
    if vectors is None or matrix is None:
        return total
    if total is None:
        return flat(vectors) @ matrix.t()
    return total.addmm_(flat(vectors), matrix.t())


def gated(total: Tensor | None, biases: Sequence[Tensor | None], like: Tensor) -> Tensor:
    """Add biases to sums, (T·B, G·H), and show them gate by gate, (T, B, G, H).

    Args:
        total: the sums, None for zeros; changed in place.
        biases: each (G·H,), None for zeros.
        like: a tensor of that shape.
    """
    shown = torch.zeros_like(like) if total is None else total.view_as(like)
    for bias in biases:
        if bias is not None:
            shown += bias.view(like.shape[2:])
    return shown


def outer(gradients: Tensor, vectors: Tensor) -> Tensor:
    """Sum the outer products of all rows: (T, B, m) and (T, B, n) to (m, n)."""
    return flat(gradients).t() @ flat(vectors)


def products_with_x(
    adjoint: Adjoint, values: Values, weights: Weights | Direction, wanted: Wanted
) -> dict[str, Tensor]:
    """Compute the gradients of x and of W, which all cells have alike."""
    found: dict[str, Tensor] = {}
    if weights.input is not None and "x" in wanted:
        found["x"] = adjoint.input_sums @ weights.input
    if values.x is not None and "input" in wanted:
        found["input"] = outer(adjoint.input_sums, values.x)
    return found


def begun(first: Tensor | None, steps: int, like: Tensor) -> Tensor:
    """Allocate states, (T + 1, B, ·), the first of them given; None means zeros.

    Args:
        first: (B, ·), or None.
        steps: T.
        like: a tensor of the shape of the first.
    """
    states = like.new_empty(steps + 1, *like.shape)
    states[0] = 0 if first is None else first
    return states


def shifted(sums: Tensor, like: Tensor) -> Tensor:
    """Put what goes from every step to the state before it at that state, (T + 1, B, ·)."""
    states = torch.zeros_like(like)
    states[:-1] = sums
    return states


def by_step(*sequences: Tensor) -> list[tuple[Tensor, ...]]:
    """Take sequences apart: a list of every step's part of each."""
    return list(zip(*[sequence.unbind() for sequence in sequences], strict=True))
