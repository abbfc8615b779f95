"""What it means to meet a goal, to be ahead of a peer, and to be near a floor."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from peers import ELMAN, STEPPER
from record import Row

MET = "met"


class Goal(NamedTuple):
    """A goal and, once it is judged, its result.

    Args:
        key: what `[limits]` in the handwritten file calls it.
        what: the claim.
        asked: the bound.
        measured: what came out.
        verdict: met, or missed by how much, or not measured.
        limits: what limits it, where numbers can tell.
    """

    key: str
    what: str
    asked: str
    measured: str = "–"
    verdict: str = "not measured"
    limits: str = ""

    def judged(self, measured: str, verdict: str, limits: str = "") -> Goal:
        """Return the goal with its result."""
        return self._replace(measured=measured, verdict=verdict, limits=limits)

    def by_worst(
        self, values: Sequence[tuple[str, float]], bound: float, *, at_least: bool
    ) -> Goal:
        """Judge by the worst of several values and show them all; without one, leave it open."""
        if not values:
            return self
        worst = (min if at_least else max)(value for _, value in values)
        measured = "; ".join(f"{name} {value:.2f}" for name, value in values)
        return self.judged(measured, verdict(worst, bound, at_least=at_least))


def verdict(measured: float, bound: float, *, at_least: bool) -> str:
    """Return whether a number is within a bound, or by how much it misses."""
    factor = bound / measured if at_least else measured / bound
    if factor <= 1:
        return MET
    by = f"{max(factor - 1, 0.01):.0%}" if factor < 2 else f"a factor of {factor:.1f}"
    return f"**missed** by {by}"


def mine(row: Row) -> str:
    """Return the entry point of Elman that counts: the stepper where it exists and is faster."""
    doors = [name for name in (ELMAN, STEPPER) if name in row.timed]
    return min(doors, key=lambda name: row.timed[name].seconds)


def best_peer(row: Row) -> str:
    """Return the name of the fastest peer."""
    others = [name for name in row.timed if name not in (ELMAN, STEPPER)]
    return min(others, key=lambda name: row.timed[name].seconds)


def lead(row: Row, peer: str, door: str | None = None) -> float:
    """Return how many times faster than a peer Elman is; at 1 and below it is not faster."""
    return row.timed[peer].times / row.timed[door or mine(row)].times


def nearest_floor(row: Row) -> tuple[str, float]:
    """Name the higher floor, of arithmetic or of bytes, and its share of Elman's time."""
    kind = max(("arithmetic", "bytes"), key=lambda kind: row.facts[kind])
    return kind, row.facts[kind] / row.timed[mine(row)].seconds


def named(row: Row) -> str:
    """Name a point of the grid."""
    what = row.what
    return f"{what['cell']} B {what['rows']} T {what['steps']} H {what['size']}"


def threads_named(threads: int) -> str:
    """Return the number of threads, in words."""
    return f"{threads} thread{'s' if threads > 1 else ''}"
