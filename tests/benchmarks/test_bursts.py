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
    assert "".join(clock.calls) == "abc" + "bca" + "cab" + "abc" + "bca"


def test_a_call_of_seconds_has_three_rounds(clock: Clock) -> None:
    runs = {name: clock.contender(name, 2.0) for name in "ab"}
    measure(runs, PACE, dict.fromkeys("ab", 2.0))
    assert clock.calls.count("a") == clock.calls.count("b") == 2  # and the one before


def test_a_long_call_made_to_see_who_agrees_is_not_made_again(clock: Clock) -> None:
    runs = {"a": clock.contender("a", 0.1), "b": clock.contender("b", 8.0)}
    timed = measure(runs, PACE, {"a": 0.15, "b": 9.0})
    assert "".join(clock.calls) == "a" + "ba" + "ab"
    assert timed["b"].worst == 9.0
    assert timed["a"].worst == pytest.approx(0.1)


def test_short_calls_made_to_see_who_agrees_count_for_nothing(clock: Clock) -> None:
    runs = {name: clock.contender(name, 1e-3) for name in "ab"}
    timed = measure(runs, PACE, {"a": 0.1, "b": 0.1})
    assert timed["a"].worst == timed["b"].worst == pytest.approx(1e-3)


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
