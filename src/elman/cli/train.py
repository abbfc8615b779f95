"""`elman train`: one model, from a file, a recipe or an experiment."""

from __future__ import annotations

import json
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
    Resume,
    RunDirectory,
    Seed,
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
from elman.cli.running import summary_of, trained

if TYPE_CHECKING:
    from elman.runs.run import TrainedRun


def train(
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
    cell: Annotated[str | None, typer.Option(help="Cell: simple, gru or lstm.")] = None,
    seed: Seed = None,
    epochs: Epochs = None,
    settings: Settings = None,
    out: RunDirectory = None,
    resume: Resume = False,
    as_json: AsJSON = False,
) -> None:
    """Train a model; its run directory holds weights, metrics, settings and a report."""
    from elman.runs.train import default_directory, experiment_for

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
        cell=cell,
        seed=seed,
        epochs=epochs,
    )
    experiment, _ = experiment_for(source[0] if len(source) == 1 else source, changes)
    directory = out or default_directory(experiment)
    _tell(trained(experiment, directory, resume=resume), directory, as_json=as_json)


def _tell(run: TrainedRun, directory: Path, *, as_json: bool) -> None:
    """Print where the run is and the scores of its model."""
    result = run.result
    if as_json:
        scores = {
            part: {**scores.values, **dict.fromkeys(scores.undefined)}
            for part, scores in result.scores.items()
        }
        facts = {"run": str(directory), "parameters": run.model.parameters, "scores": scores}
        facts |= {"best_epoch": result.best_epoch, "seconds": result.seconds, "seed": result.seed}
        reasons = {part: scores.undefined for part, scores in result.scores.items()}
        if any(reasons.values()):
            facts["not_computed"] = reasons
        typer.echo(json.dumps(facts, allow_nan=False))
        return
    typer.echo(
        f"{summary_of(result)}, from epoch {result.best_epoch} of {result.epochs}, "
        f"{run.model.parameters:,} parameters, {result.seconds:.0f} s\n{directory}"
    )
