"""`elman check`: what the columns hold, and what would be assumed about them."""

from __future__ import annotations

import json

import typer

from elman.cli.options import (
    AsJSON,
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
from elman.errors import ExperimentError


def check(
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
    settings: Settings = None,
    as_json: AsJSON = False,
) -> None:
    """Check data before training: kinds of the columns, what was found and what was decided."""
    from elman.runs.check import check_data
    from elman.runs.train import experiment_for

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
    )
    experiment, _ = experiment_for(source[0] if len(source) == 1 else source, changes)
    checked, problem = check_data(experiment)
    if as_json:
        typer.echo(json.dumps({**checked.to_json(), "problem": problem}, allow_nan=False))
    else:
        for line in checked.table():
            typer.echo(line)
        typer.echo("")
        if checked.parts is not None:
            typer.echo(checked.rows_of_parts)
        for sentence in checked.all_sentences:
            typer.echo(f"- {sentence}")
    if experiment.data.strict:
        checked.refuse_assumptions()
    if problem:
        raise ExperimentError(problem)
