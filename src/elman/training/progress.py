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
from rich.progress import Task as BarTask
from rich.text import Text

LINE_EVERY = 60.0
"""Seconds between two lines where there is no terminal."""


class Task(Protocol):
    """A task in progress."""

    def advance(self, message: str = "", steps: int = 1) -> None:
        """Report `steps` more steps as done, with a message about the last one."""

    def within(self, share: float, message: str) -> None:
        """Report how much of the step under way is done, with a message about it."""


class Progress(Protocol):
    """Where progress is shown."""

    def task(self, description: str, total: int, done: int = 0) -> AbstractContextManager[Task]:
        """Show a task of `total` steps, `done` of them already, while the context lasts."""

    def say(self, sentence: str) -> None:
        """Print a sentence of its own."""


class _WholeSteps(MofNCompleteColumn):
    """Steps done and in all, whole ones alone."""

    def render(self, task: BarTask) -> Text:
        return Text(f"{int(task.completed)}/{int(task.total or 0)}", style="progress.download")


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
            _WholeSteps(),
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
        self._done = float(bars.tasks[bars.task_ids.index(bar)].completed)

    def advance(self, message: str = "", steps: int = 1) -> None:
        self._done += steps
        self._bars.update(self._bar, completed=self._done, message=message)

    def within(self, share: float, message: str) -> None:
        self._bars.update(self._bar, completed=self._done + share, message=message)


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
        self.clock = clock
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

    def is_due(self) -> bool:
        """Tell whether a minute has passed since the last line that was due."""
        return self.clock() - self._due_since >= self._every

    def say_as_due(self, sentence: str) -> None:
        """Print the line that is due."""
        self._due_since = self.clock()
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
        self._done = self._done_before = done
        self._message = ""
        self._began = progress.clock()

    def advance(self, message: str = "", steps: int = 1) -> None:
        self._done += steps
        self._message = message
        self._say_if_due(self._done, message)

    def within(self, share: float, message: str) -> None:
        self._say_if_due(self._done + share, message)

    def _say_if_due(self, done: float, message: str) -> None:
        if self._progress.is_due():
            line = f"{self._description}: {self._done}/{self._total} {message}".rstrip()
            self._progress.say_as_due(f"{line}{self._time_left(done)}")

    def _time_left(self, done: float) -> str:
        """Say how long what is left takes, at the rate until now; nothing where none is known."""
        share = done - self._done_before
        if not share or done >= self._total:
            return ""
        seconds = (self._progress.clock() - self._began) / share * (self._total - done)
        return f", {in_time_units(seconds)} left"

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

    def within(self, share: float, message: str) -> None:
        """Show nothing."""


def in_time_units(seconds: float) -> str:
    """Write a duration in the unit that suits it.

    >>> in_time_units(42.4), in_time_units(150), in_time_units(9000), in_time_units(200_000)
    ('42 s', '2 min 30 s', '2 h 30 min', '2 d 7 h')
    """
    whole = round(seconds)
    for unit, smaller, size, part in (("d", "h", 86400, 3600), ("h", "min", 3600, 60)):
        if whole >= size:
            return f"{whole // size} {unit} {whole % size // part} {smaller}"
    return f"{whole // 60} min {whole % 60} s" if whole >= 60 else f"{whole} s"


def bars_on_terminal() -> Progress:
    """Return bars where stderr is a terminal, else nothing: for what takes seconds."""
    return TerminalProgress() if sys.stderr.isatty() else NoProgress()


def progress_on_stderr() -> Progress:
    """Return bars where stderr is a terminal, else a line a minute."""
    return TerminalProgress() if sys.stderr.isatty() else LineProgress()
