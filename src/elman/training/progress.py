"""Progress on stderr: bars on a terminal, a line a minute elsewhere."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Protocol, TextIO

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TaskID, TextColumn, TimeRemainingColumn
from rich.progress import Progress as Bars

LINE_EVERY = 60.0
"""Seconds between two lines where there is no terminal."""


class Task(Protocol):
    """A task in progress."""

    def advance(self, message: str = "", steps: int = 1) -> None:
        """Report `steps` more steps as done, with a message about the last one."""


class Progress(Protocol):
    """Where progress is shown."""

    def task(self, description: str, total: int, done: int = 0) -> AbstractContextManager[Task]:
        """Show a task of `total` steps, `done` of them already, while the context lasts."""

    def say(self, sentence: str) -> None:
        """Print a sentence of its own."""


class TerminalProgress:
    """Progress bars on a terminal, one per task, with printed sentences above them.

    Args:
        stream: the terminal; None for stderr.
    """

    def __init__(self, stream: TextIO | None = None) -> None:
        self._console = Console(file=stream or sys.stderr)
        self._bars = Bars(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeRemainingColumn(),
            TextColumn("{task.fields[message]}"),
            console=self._console,
        )

    @contextmanager
    def task(self, description: str, total: int, done: int = 0) -> Iterator[Task]:
        """Show a bar while the context lasts, below those of outer tasks."""
        outermost = not self._bars.task_ids
        if outermost:
            self._bars.start()
        bar = self._bars.add_task(description, total=total, completed=done, message="")
        try:
            yield _Bar(self._bars, bar)
        finally:
            if outermost:
                self._bars.stop()
            self._bars.remove_task(bar)

    def say(self, sentence: str) -> None:
        """Print a sentence above the bars."""
        self._console.print(sentence, markup=False, highlight=False)


class _Bar:
    def __init__(self, bars: Bars, bar: TaskID) -> None:
        self._bars = bars
        self._bar = bar

    def advance(self, message: str = "", steps: int = 1) -> None:
        self._bars.update(self._bar, advance=steps, message=message)


class LineProgress:
    """One line a minute, for logs, and one when a task ends.

    Args:
        stream: to print to; None for stderr.
        clock: seconds, monotonic.
        every: seconds between two lines, over all tasks.
    """

    def __init__(
        self,
        stream: TextIO | None = None,
        *,
        clock: Callable[[], float] = time.monotonic,
        every: float = LINE_EVERY,
    ) -> None:
        self._stream = stream or sys.stderr
        self._clock = clock
        self._every = every
        self._due_since = clock()
        self._last_line = ""

    @contextmanager
    def task(self, description: str, total: int, done: int = 0) -> Iterator[Task]:
        """Print the task's progress once a minute while the context lasts, and at its end."""
        task = _Lines(self, description, total, done)
        try:
            yield task
        finally:
            self.say_unless_said(task.describe())

    def say(self, sentence: str) -> None:
        """Print a line."""
        self._last_line = sentence
        print(sentence, file=self._stream, flush=True)

    def say_if_due(self, sentence: str) -> None:
        """Print a line if a minute has passed since the last one."""
        now = self._clock()
        if now - self._due_since >= self._every:
            self._due_since = now
            self.say(sentence)

    def say_unless_said(self, sentence: str) -> None:
        """Print a line unless it repeats the last one."""
        if sentence != self._last_line:
            self.say(sentence)


class _Lines:
    def __init__(self, progress: LineProgress, description: str, total: int, done: int) -> None:
        self._progress = progress
        self._description = description
        self._total = total
        self._done = done
        self._message = ""

    def advance(self, message: str = "", steps: int = 1) -> None:
        self._done += steps
        self._message = message
        self._progress.say_if_due(self.describe())

    def describe(self) -> str:
        return f"{self._description}: {self._done}/{self._total} {self._message}".rstrip()


class NoProgress:
    """Shows nothing."""

    @contextmanager
    def task(self, description: str, total: int, done: int = 0) -> Iterator[Task]:  # noqa: ARG002
        """Show nothing."""
        yield _Nothing()

    def say(self, sentence: str) -> None:
        """Print nothing."""


class _Nothing:
    def advance(self, message: str = "", steps: int = 1) -> None:
        """Show nothing."""


def bars_on_terminal() -> Progress:
    """Return bars where stderr is a terminal, else nothing: for what takes seconds."""
    return TerminalProgress() if sys.stderr.isatty() else NoProgress()


def progress_on_stderr() -> Progress:
    """Return bars where stderr is a terminal, else a line a minute."""
    return TerminalProgress() if sys.stderr.isatty() else LineProgress()
