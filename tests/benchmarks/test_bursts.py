from __future__ import annotations

from collections.abc import Callable

import pytest

import bursts
from bursts import Pace, Refusal, measure, summary

PACE = Pace(burst=0.002, cap=0.1, fewest=5, most=15)


class Clock:
    """A clock that only the contenders move, and a process that burns nothing."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 0.0
        self.calls: list[str] = []
        monkeypatch.setattr(bursts.time, "perf_counter", lambda: self.now)
        monkeypatch.setattr(bursts.time, "process_time", lambda: 0.0)
        monkeypatch.setattr(bursts.time, "sleep", lambda _: None)

    def contender(self, name: str, seconds: float) -> Callable[[], None]:
        def run() -> None:
            self.now += seconds
            self.calls.append(name)

        return run


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return Clock(monkeypatch)


def test_every_contender_is_timed_by_the_seconds_of_one_call(clock: Clock) -> None:
    timed = measure({"a": clock.contender("a", 1e-5), "b": clock.contender("b", 0.003)}, PACE)
    assert timed["a"].seconds == pytest.approx(1e-5)
    assert timed["b"].seconds == pytest.approx(0.003)
    assert timed["b"].times == pytest.approx(300)


def test_contenders_take_turns_and_their_order_rotates(clock: Clock) -> None:
    measure({name: clock.contender(name, 0.025) for name in "abc"}, PACE)
    assert "".join(clock.calls) == "abc" + "abc" + "bca" + "cab" + "abc"


def test_a_call_of_seconds_has_three_rounds(clock: Clock) -> None:
    measure({name: clock.contender(name, 2.0) for name in "ab"}, PACE)
    assert clock.calls.count("a") == clock.calls.count("b") == 3


def test_ratios_are_taken_round_by_round_so_that_drift_cancels() -> None:
    timed = summary({"mine": [1.0, 2.0, 4.0], "peer": [3.0, 6.0, 12.0]})
    assert timed["peer"].times == pytest.approx(3.0)
    assert timed["mine"].worst == 4.0


def test_a_pool_that_never_stops_spinning_is_refused(
    clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    burnt = iter(range(1000))
    monkeypatch.setattr(bursts.time, "process_time", lambda: float(next(burnt)))
    with pytest.raises(Refusal, match="still spins"):
        measure({"a": clock.contender("a", 1.0)}, PACE)
