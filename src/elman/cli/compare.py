"""`elman compare`: cells on equal terms."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from elman.cli.options import (
    AsJSON,
    Epochs,
    Group,
    Horizon,
    Ignore,
    Inputs,
    Known,
    Read,
    SequenceId,
    Settings,
    Source,
    Strict,
    Targets,
    Test,
    Time,
    Valid,
    Window,
    collect_overrides,
    data_settings,
)

if TYPE_CHECKING:
    from elman.report.comparison.results import Comparison

WIDTH_IN_A_FILE = 100
"""Columns of the table where there is no terminal to ask."""

WIDTH_WITH_ROOM = 94
"""Columns a terminal needs for the table with air between its numbers."""


def compare(
    source: Source,
    inputs: Inputs = None,
    targets: Targets = None,
    read: Read = None,
    ignore: Ignore = None,
    sequence_id: SequenceId = None,
    time: Time = None,
    window: Window = None,
    horizon: Horizon = None,
    known: Known = None,
    valid: Valid = None,
    test: Test = None,
    group: Group = None,
    strict: Strict = False,
    cells: Annotated[str, typer.Option(help="Cells, separated by commas.")] = "simple,gru,lstm",
    seeds: Annotated[
        int, typer.Option(help="Number of random seeds; 3 means the seeds 1, 2, 3.")
    ] = 1,
    parameters: Annotated[
        int | None,
        typer.Option(
            help="Number of parameters of every network; default: that of the experiment's network."
        ),
    ] = None,
    epochs: Epochs = None,
    settings: Settings = None,
    out: Annotated[Path | None, typer.Option(help="Directory of the comparison.")] = None,
    as_json: AsJSON = False,
) -> None:
    """Train several cells on the same data, with equal numbers of parameters, and compare them."""
    from elman.errors import OptionError

    if seeds < 1:
        raise OptionError(f"--seeds is the number of random seeds, at least 1; got {seeds}.")
    changes = collect_overrides(
        settings,
        **data_settings(
            inputs=inputs,
            targets=targets,
            read=read,
            ignore=ignore,
            sequence_id=sequence_id,
            time=time,
            window=window,
            horizon=horizon,
            known=known,
            valid_files=valid,
            test_files=test,
            group=group,
            strict=strict or None,
        ),
        parameters=parameters,
        epochs=epochs,
    )

    from elman.cli.running import said_how_to_go_on
    from elman.runs.compare import compare as run_comparison
    from elman.runs.train import experiment_for
    from elman.training.progress import progress_on_stderr

    experiment, _ = experiment_for(source[0] if len(source) == 1 else source, changes)
    names = [name.strip() for name in cells.split(",") if name.strip()]
    directory = out or Path("runs", f"compare-{experiment.data.title}")
    with said_how_to_go_on("the same command"):
        compared = run_comparison(
            experiment,
            names,
            range(1, seeds + 1),
            directory,
            command=" ".join(["elman", *sys.argv[1:]]),
            progress=progress_on_stderr(),
        )
    if as_json:
        typer.echo(compared.comparison.model_dump_json(indent=2))
    else:
        _print_table(compared.comparison)
    typer.echo(compared.report, err=as_json)


def _print_table(comparison: Comparison) -> None:
    from rich import box
    from rich.console import Console, JustifyMethod
    from rich.table import Table

    width = None if sys.stdout.isatty() else WIDTH_IN_A_FILE
    console = Console(file=sys.stdout, width=width, highlight=False)
    room = console.width >= WIDTH_WITH_ROOM
    table = Table(title=comparison.title, box=box.SIMPLE_HEAD, padding=(0, 1) if room else 0)
    for heading in comparison.headings():
        justify: JustifyMethod = "left" if heading == "cell" else "right"
        table.add_column(heading, justify=justify, no_wrap=True)
    for row in comparison.rows():
        table.add_row(*row)
    console.print(table)
    console.print(*comparison.said(), sep="\n")
