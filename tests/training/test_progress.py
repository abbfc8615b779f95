"""Progress: bars on a terminal, a line a minute elsewhere."""

from __future__ import annotations

import io
import sys

import pytest

from elman.training.progress import (
    LineProgress,
    NoProgress,
    TerminalProgress,
    progress_on_stderr,
)


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def test_a_log_gets_a_line_a_minute_and_one_at_the_end() -> None:
    stream, clock = io.StringIO(), Clock()
    progress = LineProgress(stream, clock=clock)
    with progress.task("gru-seed1", 20) as task:
        for epoch in range(20):
            clock.now += 9.0
            task.advance(f"valid {epoch}")
    assert stream.getvalue().splitlines() == [
        "gru-seed1: 7/20 valid 6, 1 min 57 s left",
        "gru-seed1: 14/20 valid 13, 54 s left",
        "gru-seed1: 20/20 valid 19",
    ]


def test_tasks_within_a_task_share_the_minute() -> None:
    stream, clock = io.StringIO(), Clock()
    progress = LineProgress(stream, clock=clock)
    with progress.task("outer", 2) as outer:
        for _ in range(2):
            with progress.task("inner", 3) as inner:
                for _ in range(3):
                    clock.now += 25.0
                    inner.advance()
            outer.advance()
    lines = stream.getvalue().splitlines()
    assert lines == ["inner: 3/3", "inner: 3/3", "outer: 2/2"]


def test_a_line_is_not_said_twice_in_a_row() -> None:
    stream, clock = io.StringIO(), Clock()
    with LineProgress(stream, clock=clock).task("run", 1) as task:
        clock.now += 61.0
        task.advance("done")
    assert stream.getvalue() == "run: 1/1 done\n"


def test_a_resumed_task_counts_from_where_it_was() -> None:
    stream = io.StringIO()
    with LineProgress(stream).task("run", 10, done=4) as task:
        task.advance()
    assert stream.getvalue() == "run: 5/10\n"


def test_an_interrupted_task_says_how_far_it_came() -> None:
    stream = io.StringIO()

    def interrupted() -> None:
        with LineProgress(stream).task("run", 10) as task:
            task.advance("valid 3")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert stream.getvalue() == "run: 1/10 valid 3\n"


def test_bars_show_the_task_its_count_and_its_message() -> None:
    stream = io.StringIO()
    progress = TerminalProgress(stream)
    with progress.task("compare", 3, done=1) as outer:
        with progress.task("gru-seed1", 2) as inner:
            inner.advance("valid 8.5")
            inner.advance("valid 8.4")
        progress.say("done with [one]")
        outer.advance("test 8.6")
    text = stream.getvalue()
    assert "done with [one]" in text
    assert "compare" in text
    assert "2/3" in text
    assert "test 8.6" in text


def test_no_progress_says_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    progress = NoProgress()
    with progress.task("run", 1) as task:
        task.advance("x")
    progress.say("y")
    assert capsys.readouterr() == ("", "")


def test_stderr_gets_bars_only_where_it_is_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    assert isinstance(progress_on_stderr(), LineProgress)
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    assert isinstance(progress_on_stderr(), TerminalProgress)
