"""`elman forecast`: from a file to the next values of its series, in one go."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from elman.cli.options import (
    Epochs,
    Horizon,
    Ignore,
    Known,
    Quantiles,
    Resume,
    RunDirectory,
    Seed,
    SequenceId,
    Settings,
    Source,
    Targets,
    Time,
    collect_overrides,
    data_settings,
    levels_of,
)
from elman.cli.running import summary_of, trained

if TYPE_CHECKING:
    from elman.runs.run import RunResult


def forecast(
    source: Source,
    horizon: Horizon = None,
    targets: Targets = None,
    time: Time = None,
    sequence_id: SequenceId = None,
    known: Known = None,
    ignore: Ignore = None,
    quantiles: Quantiles = None,
    seed: Seed = None,
    epochs: Epochs = None,
    settings: Settings = None,
    out: RunDirectory = None,
    to: Annotated[
        Path | None,
        typer.Option(
            help="File of the forecasts (.csv, .tsv, .jsonl, .parquet), beside forecast.csv in "
            "the directory of the run."
        ),
    ] = None,
    resume: Resume = False,
) -> None:
    """Train on series and forecast what comes after their ends: a table, and a page of the run.

    The only column of dates is the time of the rows, and the only one of numbers is forecast,
    unless others are named.
    """
    from elman.data.sinks import format_to_write, write_table
    from elman.runs.forecast import FORECAST, ready_to_forecast
    from elman.runs.run import REPORT
    from elman.runs.train import default_directory, experiment_for

    if to is not None:
        format_to_write(to, None)  # an unknown suffix is refused before training
    levels = None if quantiles is None else levels_of(quantiles)
    changes = collect_overrides(
        settings,
        **data_settings(
            inputs=None,
            targets=targets,
            read=None,
            ignore=ignore,
            sequence_id=sequence_id,
            time=time,
            horizon=horizon,
            known=known,
        ),
        seed=seed,
        epochs=epochs,
    )
    asked, _ = experiment_for(source[0] if len(source) == 1 else source, changes)
    experiment, notes = ready_to_forecast(asked, levels)
    for note in notes:
        typer.echo(f"note: {note}", err=True)
    directory = out or default_directory(experiment)
    run = trained(experiment, directory, resume=resume)
    columns = run.model.predictor.columns(None, quantiles=levels, seed=seed)
    tables = [directory / FORECAST, *([] if to is None else [to])]
    for path in tables:
        write_table(columns, path, None, sys.stdout.buffer)
    typer.echo("\n".join([*_headline(run.result), *map(str, tables), str(directory / REPORT)]))


def _headline(result: RunResult) -> list[str]:
    """Say how good the forecasts of the test part are, and whether they are better than naive."""
    from elman.report.run.findings import baseline

    last = list(result.scores.values())[-1]
    return [line for line in (summary_of(result), baseline(last)) if line]
