"""`elman train`: one model, from a file, a recipe or an experiment."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from elman.cli.options import AsJSON, Epochs, Settings, collect_overrides

if TYPE_CHECKING:
    from elman.runs.run import TrainedRun

Columns = list[str] | None


def train(
    source: Annotated[
        list[str],
        typer.Argument(
            help="Files, a folder or a pattern; a recipe's name; or a path ending in .toml."
        ),
    ],
    inputs: Annotated[
        Columns,
        typer.Option(
            "--input", "-i", help="Column to read: NAME, or NAME:KIND as in text:char; repeatable."
        ),
    ] = None,
    targets: Annotated[
        Columns,
        typer.Option(
            "--target", "-t", help="Column to answer, as NAME or NAME:KIND; next: what comes next."
        ),
    ] = None,
    sequence_id: Annotated[
        str | None, typer.Option(help="Column of a long table that names each row's sequence.")
    ] = None,
    time: Annotated[str | None, typer.Option(help="Column with the time of a row.")] = None,
    window: Annotated[
        int | None, typer.Option(help="Steps of a long series that one answer is read from.")
    ] = None,
    horizon: Annotated[
        int | None, typer.Option(help="Steps ahead to be forecast, of series in a long table.")
    ] = None,
    known: Annotated[
        Columns, typer.Option(help="Column that a forecast may know of the future; repeatable.")
    ] = None,
    valid: Annotated[Columns, typer.Option(help="File to select weights by; repeatable.")] = None,
    test: Annotated[Columns, typer.Option(help="File to measure by; repeatable.")] = None,
    group: Annotated[
        str | None, typer.Option(help="Column whose values are never divided: a speaker, a user.")
    ] = None,
    cell: Annotated[str | None, typer.Option(help="simple, gru or lstm.")] = None,
    seed: Annotated[int | None, typer.Option(help="Of weights, batches and dropout.")] = None,
    epochs: Epochs = None,
    settings: Settings = None,
    out: Annotated[Path | None, typer.Option(help="Directory of the run.")] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with the run in --out.")] = False,
    as_json: AsJSON = False,
) -> None:
    """Train a model; the directory of the run holds all there is to know of it."""
    from elman.runs.train import default_directory, experiment_for, train_run
    from elman.training.progress import progress_on_stderr

    changes = collect_overrides(
        settings,
        **_columns("input", inputs),
        **_columns("target", targets),
        **{"data.sequence_id": sequence_id, "data.time": time, "data.window": window},
        **{"data.horizon": horizon, "data.known": known},
        **{"data.valid_files": valid, "data.test_files": test, "data.group": group},
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
            "the same command with --resume goes on from the last finished epoch."
        ) from interrupt
    _tell(run, directory, as_json=as_json)


def _tell(run: TrainedRun, directory: Path, *, as_json: bool) -> None:
    """Say where the run is and what its model reaches."""
    result = run.result
    if as_json:
        scores = {part: dict(scores.values) for part, scores in result.scores.items()}
        facts = {"run": str(directory), "parameters": run.model.parameters, "scores": scores}
        facts |= {"best_epoch": result.best_epoch, "seconds": result.seconds, "seed": result.seed}
        typer.echo(json.dumps(facts))
        return
    said = " · ".join(
        f"{part} {scores.main.replace('_', ' ')} {scores.value:.4g}"
        for part, scores in result.scores.items()
        if part != "train"
    )
    typer.echo(
        f"{said}, from epoch {result.best_epoch} of {result.epochs}, "
        f"{run.model.parameters:,} parameters, {result.seconds:.0f} s\n{directory}"
    )


def _columns(role: str, given: Columns) -> dict[str, Any]:
    """Divide `NAME:KIND` texts into columns and the one kind they are of."""
    if not given:
        return {}
    from elman.errors import OptionError
    from elman.features.build import parse_kind

    names, kinds = [], []
    for text in given:
        name, colon, kind = text.partition(":")
        names.append(name)
        kinds += [kind] if colon else []
    if len(set(kinds)) > 1:
        raise OptionError(f"--{role} columns must be of one kind, got {', '.join(kinds)}.")
    if not kinds:
        return {f"data.{role}": names}
    kind, options = parse_kind(_full_kind(kinds[0]))
    return {f"data.{role}": names, f"data.{role}_kind": kind} | {
        f"data.{role}_options.{name}": value for name, value in options.items()
    }


def _full_kind(kind: str) -> str:
    """Complete a variant that only one kind of column has: `char` is `text:char`."""
    from elman.errors import unknown
    from elman.features.feature import KINDS, feature_class

    variants = {name: feature_class(name).variants for name in KINDS}
    found = [f"{name}:{kind}" for name, known in variants.items() if kind in known]
    if not found and kind.partition(":")[0] not in KINDS:
        raise unknown(
            "kind of column", kind, {*KINDS, *(v for known in variants.values() for v in known)}
        )
    return found[0] if len(found) == 1 else kind
