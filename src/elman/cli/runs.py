"""`elman runs`: the runs in a folder, and in what two of them differ."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from elman.runs.listing import Difference, Run

app = typer.Typer(help="List runs, or compare the settings and scores of two.")

JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON.")]
HEADINGS = ("run", "data", "cell", "state", "epochs", "validation", "test", "age")


@app.command("list")
def list_(
    folder: Annotated[Path, typer.Argument(help="Folder that holds the runs.")] = Path("runs"),
    by: Annotated[
        str, typer.Option(help="Order: age (the last written first), score or name.")
    ] = "age",
    as_json: JsonOption = False,
) -> None:
    """List the runs in a folder: how far each is, and its scores."""
    from typing import get_args

    from elman.errors import unknown
    from elman.runs.listing import Order, list_runs

    if by not in get_args(Order):
        raise unknown("order", by, get_args(Order))
    order: Any = by
    runs = list_runs(folder, order)
    if as_json:
        facts = [{**run._asdict(), "directory": str(run.directory)} for run in runs]
        typer.echo(json.dumps(facts, indent=2))
        return
    _print([HEADINGS, *[_row(run, folder) for run in runs]])


@app.command()
def diff(
    one: Annotated[Path, typer.Argument(help="Directory of a run.")],
    other: Annotated[Path, typer.Argument(help="Directory of another.")],
    as_json: JsonOption = False,
) -> None:
    """Show the settings in which two runs differ, and their scores side by side."""
    from elman.runs.listing import differences

    settings, scores = differences(one, other)
    if as_json:
        facts = {"settings": settings, "scores": scores}
        pairs = {
            part: {each.name: [each.one, each.other] for each in listed}
            for part, listed in facts.items()
        }
        typer.echo(json.dumps(pairs, indent=2))
        return
    rows = [("", str(one), str(other)), *map(_compared, settings), *map(_compared, scores)]
    if not settings:
        typer.echo("The settings are the same.")
    _print(rows)


def _row(run: Run, folder: Path) -> tuple[str, ...]:
    """Lay out a run as the cells of a line."""
    from elman.training.progress import in_time_units

    score = (run.score or "").replace("_", " ")
    validation = "" if run.validation is None else f"{score} {run.validation:.4g}"
    if not validation and run.best_loss is not None:
        validation = f"loss {run.best_loss:.4g}"
    return (
        str(run.directory.relative_to(folder)),
        run.data,
        run.cell,
        run.state,
        f"{run.epochs}/{run.maximum}",
        validation,
        "" if run.test is None else f"{run.test:.4g}",
        in_time_units(run.age),
    )


def _compared(difference: Difference) -> tuple[str, str, str]:
    return difference.name, _in_words(difference.one), _in_words(difference.other)


def _in_words(value: Any) -> str:
    if value is None:
        return "–"
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def _print(rows: Sequence[tuple[str, ...]]) -> None:
    """Print rows with their columns below each other."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        typer.echo("  ".join(cells).rstrip())
