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
    from elman.evaluation.scores import Scores
    from elman.runs.run import TrainedRun

MOST_TARGETS = 8
"""Maximum number of targets whose main scores a line holds."""


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
    seed: Annotated[int | None, typer.Option(help="Random seed.")] = None,
    epochs: Epochs = None,
    settings: Settings = None,
    out: Annotated[Path | None, typer.Option(help="Directory of the run.")] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Resume the run in --out.")] = False,
    as_json: AsJSON = False,
) -> None:
    """Train a model; its run directory holds weights, metrics, settings and a report."""
    from elman.runs.train import default_directory, experiment_for, train_run
    from elman.training.progress import progress_on_stderr

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
    try:
        run = train_run(experiment, directory, resume=resume, progress=progress_on_stderr())
    except KeyboardInterrupt as interrupt:
        raise KeyboardInterrupt(
            "the same command with --resume continues from the last finished epoch."
        ) from interrupt
    _tell(run, directory, as_json=as_json)


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
    summary = " · ".join(
        f"{part} {_in_short(scores)}" for part, scores in result.scores.items() if part != "train"
    )
    typer.echo(
        f"{summary}, from epoch {result.best_epoch} of {result.epochs}, "
        f"{run.model.parameters:,} parameters, {result.seconds:.0f} s\n{directory}"
    )


def _in_short(scores: Scores) -> str:
    """Write the main score, of each target where there are several."""
    names = scores.headlines
    shown = [_one_in_short(scores, name) for name in names[:MOST_TARGETS]]
    more = len(names) - len(shown)
    return ", ".join([*shown, *[f"{more} more"] * (more > 0)])


def _one_in_short(scores: Scores, name: str) -> str:
    """Write a score, those beside it, and the plain guess that it is not better than, if any."""
    score, of, target = name.partition(" of ")
    title = f"{score.replace('_', ' ')}{of}{target}"
    if name in scores.undefined:
        return f"{title} not computed ({scores.undefined[name]})"
    from elman.evaluation.leading import beside, missed_classes
    from elman.evaluation.plain_guesses import not_beaten

    others = [
        f", {other.partition(' of ')[0].replace('_', ' ')} {scores.values[other]:.4g}"
        for other in beside(scores, name)
    ]
    said = [each for each in (not_beaten(scores, name), missed_classes(scores, name)) if each]
    brackets = f" ({'; '.join(said)})" if said else ""
    return f"{title} {scores.values[name]:.4g}{''.join(others)}{brackets}"
