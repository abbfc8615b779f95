"""What was measured, as JSON, so that a page can be written again, and measured part by part."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from bursts import Timed


@dataclass
class Row:
    """One line of a part.

    Args:
        what: what was run: cell, rows, steps, size and the like.
        timed: what each contender took.
        facts: other numbers, by name.
    """

    what: dict[str, Any]
    timed: dict[str, Timed]
    facts: dict[str, float] = field(default_factory=dict)


@dataclass
class Run:
    """One part, measured in one process with one number of threads.

    Args:
        part: its name.
        threads: that every contender had.
        about: the circumstances: processor, versions, date, command.
        rows: what was measured.
        notes: what a reader has to know besides, a sentence each.
        failure: why there are no rows, or none.
    """

    part: str
    threads: int
    about: dict[str, str]
    rows: list[Row] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    failure: str | None = None


def run_as_json(run: Run) -> str:
    """Write a run; a Timed becomes a list of its numbers."""
    return json.dumps(asdict(run), ensure_ascii=False)


def run_from_json(text: str) -> Run:
    """Read a run."""
    return _run(json.loads(text))


def _run(values: dict[str, Any]) -> Run:
    rows = [
        Row(row["what"], {n: Timed(*its) for n, its in row["timed"].items()}, row["facts"])
        for row in values.pop("rows")
    ]
    return Run(**values, rows=rows)


class Record:
    """All runs of a page: the latest of each part and number of threads."""

    def __init__(self, runs: list[Run]) -> None:
        self.runs = {(run.part, run.threads): run for run in runs}

    @classmethod
    def read(cls, path: Path) -> Record:
        """Read what was stored; nothing where there is no file."""
        text = path.read_text(encoding="utf-8") if path.is_file() else "[]"
        return cls([_run(values) for values in json.loads(text)])

    def write(self, path: Path) -> None:
        """Store all runs, one a line."""
        lines = ",\n".join(run_as_json(self.runs[key]) for key in sorted(self.runs))
        path.write_text(f"[\n{lines}\n]\n", encoding="utf-8")

    def add(self, run: Run) -> None:
        """Replace the run of the same part and threads by another one."""
        self.runs[run.part, run.threads] = run

    def of(self, part: str) -> list[Run]:
        """Return the runs of a part, by threads."""
        return [self.runs[key] for key in sorted(self.runs) if key[0] == part]

    def rows(self, part: str, threads: int | None = None, **what: Any) -> Iterator[Row]:
        """Yield the rows of a part that match."""
        for run in self.of(part):
            for row in run.rows:
                if threads in (None, run.threads) and what.items() <= row.what.items():
                    yield row
