"""`elman compare`: cells on equal terms."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from elman.cli.options import AsJSON, Epochs, Settings, collect_overrides

if TYPE_CHECKING:
    from elman.report.comparison.results import Comparison

WIDTH_IN_A_FILE = 100
"""Columns of the table where there is no terminal to ask."""

WIDTH_WITH_ROOM = 94
"""Columns a terminal needs for the table with air between its numbers."""


def compare(
    recipe: Annotated[str, typer.Argument(help="A recipe's name, or a path ending in .toml.")],
    cells: Annotated[str, typer.Option(help="Names, separated by commas.")] = "simple,gru,lstm",
    seeds: Annotated[int, typer.Option(help="How many; 3 means the seeds 1, 2, 3.")] = 1,
    parameters: Annotated[
        int | None, typer.Option(help="Of every network; hidden sizes are solved for.")
    ] = None,
    epochs: Epochs = None,
    settings: Settings = None,
    out: Annotated[Path | None, typer.Option(help="Directory of the comparison.")] = None,
    as_json: AsJSON = False,
) -> None:
    """Train several cells by the same recipe, with equal numbers of parameters, and compare."""
    from elman.errors import OptionError
    from elman.experiment import read_experiment

    if seeds < 1:
        raise OptionError(f"--seeds says how many seeds to train with, at least 1; got {seeds}.")
    changes = collect_overrides(settings, parameters=parameters, epochs=epochs)
    experiment = read_experiment(recipe).override(changes)

    from elman.runs.compare import compare as run_comparison
    from elman.training.progress import progress_on_stderr

    names = [name.strip() for name in cells.split(",") if name.strip()]
    directory = out or Path("runs", f"compare-{experiment.data.name}")
    try:
        compared = run_comparison(
            experiment,
            names,
            range(1, seeds + 1),
            directory,
            command=" ".join(["elman", *sys.argv[1:]]),
            progress=progress_on_stderr(),
        )
    except KeyboardInterrupt as interrupt:
        raise KeyboardInterrupt(
            "the same command goes on from the last finished epoch."
        ) from interrupt
    if as_json:
        typer.echo(compared.comparison.model_dump_json(indent=2))
    else:
        _print_table(compared.comparison)
    typer.echo(compared.report, err=as_json)


def _print_table(comparison: Comparison) -> None:
    from rich import box
    from rich.console import Console, JustifyMethod
    from rich.table import Table

    from elman.report.comparison.results import HEADINGS

    width = None if sys.stdout.isatty() else WIDTH_IN_A_FILE
    console = Console(file=sys.stdout, width=width, highlight=False)
    room = console.width >= WIDTH_WITH_ROOM
    table = Table(title=comparison.title, box=box.SIMPLE_HEAD, padding=(0, 1) if room else 0)
    for heading in HEADINGS:
        justify: JustifyMethod = "left" if heading == "cell" else "right"
        table.add_column(heading, justify=justify, no_wrap=True)
    for row in comparison.rows():
        table.add_row(*row)
    console.print(table)
    console.print(comparison.circumstances(), comparison.sources(), sep="\n")
