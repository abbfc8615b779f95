"""Interleaved timing: every contender once a round, so that drift of the machine hits all alike."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Mapping
from typing import NamedTuple

import torch

from elman.runs.compare import machine

WARM_UP_ROUNDS = 2


class Measurement(NamedTuple):
    """Seconds of one contender, one a round."""

    seconds: list[float]

    @property
    def median(self) -> float:
        """The middle of all rounds, in seconds."""
        return statistics.median(self.seconds)

    @property
    def spread(self) -> float:
        """Half the distance between the quartiles, over the median."""
        low, _, high = statistics.quantiles(self.seconds, n=4)
        return (high - low) / 2 / self.median


def measure(
    contenders: Mapping[str, Callable[[], object]], *, rounds: int
) -> dict[str, Measurement]:
    """Time every contender once a round, in an order that rotates from round to round."""
    names = list(contenders)
    seconds: dict[str, list[float]] = {name: [] for name in names}
    for number in range(-WARM_UP_ROUNDS, rounds):
        turn = number % len(names)
        for name in names[turn:] + names[:turn]:
            begin = time.perf_counter()
            contenders[name]()
            if number >= 0:
                seconds[name].append(time.perf_counter() - begin)
    return {name: Measurement(values) for name, values in seconds.items()}


def ratio(mine: Measurement, peer: Measurement) -> float:
    """Return how many times faster than a peer: the median of the ratios round by round."""
    return statistics.median(b / a for a, b in zip(mine.seconds, peer.seconds, strict=True))


def circumstances() -> str:
    """Name the processor, the widest vectors PyTorch uses on it, and PyTorch's version."""
    capability = torch.backends.cpu.get_cpu_capability()
    return f"{machine()}, {capability}, PyTorch {torch.__version__}"
