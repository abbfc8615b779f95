"""Interleaved timing in bursts: contenders of microseconds and of seconds, with idle pools at rest.

Every contender has one burst a round, in an order that rotates. A short call is repeated until its
burst is long enough for the clock, after a few calls that are not timed. Before each burst the run
waits until the process burns no processor time: thread pools that spin after their last call
(OpenMP's, ONNX Runtime's, XLA's) have then gone to sleep, so that none disturbs the next contender,
and each still spins for its own next call, as it does for its users.
"""

from __future__ import annotations

import gc
import math
import statistics
import time
from collections.abc import Callable, Mapping
from itertools import repeat
from typing import NamedTuple, TypeVar

Given = TypeVar("Given")

LONG_CALL = 0.2
"""From this many seconds a call three rounds are enough."""
LEAD_IN = 0.1
"""Length of the untimed warm-up before a burst of several calls, as a share of the burst."""
REST = 0.002
REST_AT_MOST = 0.5
"""Seconds a rest lasts, and seconds after which a pool that still spins is an error."""
BUSY = 0.1
"""The share of a rest in which a resting process may run."""


class Refusal(Exception):
    """The reason why nothing is timed."""


class Pace(NamedTuple):
    """How long to measure.

    Args:
        burst: least seconds of a burst.
        cap: approximate seconds of all bursts of a contender.
        fewest: least number of rounds, where a call is short.
        most: greatest number of rounds.
    """

    burst: float = 0.003
    cap: float = 0.3
    fewest: int = 5
    most: int = 11


class Timed(NamedTuple):
    """The times of one contender.

    Args:
        seconds: seconds per call, the median of all rounds.
        spread: half the distance between the quartiles, over the median.
        times: its time over the first contender's, the median of the ratios round by round.
        worst: seconds of one call in its slowest round.
    """

    seconds: float
    spread: float
    times: float
    worst: float


def measure(
    contenders: Mapping[str, Callable[[], object]],
    pace: Pace,
    first: Mapping[str, float] | None = None,
) -> dict[str, Timed]:
    """Time every contender once a round; the first is the one that ratios are taken to.

    Args:
        contenders: by name.
        pace: how long to measure.
        first: seconds of a call of each, made to see whether they agree. A long one is not made
            again for the first round.
    """
    collecting = gc.isenabled()
    gc.disable()
    try:
        return summary(_rounds(contenders, pace, first or dict.fromkeys(contenders, 0.0)))
    finally:
        if collecting:
            gc.enable()


def _rounds(
    contenders: Mapping[str, Callable[[], object]], pace: Pace, first: Mapping[str, float]
) -> dict[str, list[float]]:
    """Give the seconds of a call, one a round, of each contender."""
    names = list(contenders)
    one = {
        name: first[name] if first[name] >= LONG_CALL else timed_call(contenders[name])[0]
        for name in names
    }
    calls = {name: math.ceil(pace.burst / one[name]) for name in names}
    longest = max(calls[name] * one[name] for name in names)
    fewest = min(3, pace.fewest) if longest > LONG_CALL else pace.fewest
    rounds = min(pace.most, max(fewest, int(pace.cap / longest)))
    begun = max(calls.values()) == 1  # a burst is one call, and everyone has made it
    seconds = {name: [one[name]] if begun else [] for name in names}
    for number in range(int(begun), rounds):
        turn = number % len(names)
        for name in names[turn:] + names[:turn]:
            seconds[name].append(_burst(contenders[name], calls[name]))
    return seconds


def timed_call(run: Callable[[], Given]) -> tuple[float, Given]:
    """Let the process come to rest, then call once; give the seconds and what came out."""
    rest()
    begin = time.perf_counter()
    given = run()
    return time.perf_counter() - begin, given


def _burst(run: Callable[[], object], calls: int) -> float:
    """Let the process come to rest, then time so many calls; give the seconds of one."""
    rest()
    if calls > 1:
        for _ in repeat(None, math.ceil(calls * LEAD_IN)):
            run()
    begin = time.perf_counter()
    for _ in repeat(None, calls):
        run()
    return (time.perf_counter() - begin) / calls


def rest() -> None:
    """Sleep until the process uses no processor time.

    Raises:
        Refusal: it always does, because a thread pool spins.
    """
    for _ in range(round(REST_AT_MOST / REST)):
        before = time.process_time()
        time.sleep(REST)
        if time.process_time() - before < BUSY * REST:
            return
    raise Refusal(
        f"A thread pool still spins {REST_AT_MOST} s after its last call and would disturb the "
        "next contender. Unset OMP_WAIT_POLICY and GOMP_SPINCOUNT."
    )


def summary(seconds: Mapping[str, list[float]]) -> dict[str, Timed]:
    """Summarise the rounds of every contender, relative to the first one."""
    first = next(iter(seconds.values()))
    timed = {}
    for name, values in seconds.items():
        median = statistics.median(values)
        low, _, high = statistics.quantiles(values, n=4)
        ratios = [value / base for value, base in zip(values, first, strict=True)]
        spread = (high - low) / 2 / median
        timed[name] = Timed(median, spread, statistics.median(ratios), max(values))
    return timed
