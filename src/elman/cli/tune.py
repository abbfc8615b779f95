"""`elman tune`: a search for better settings."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, cast

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

if TYPE_CHECKING:
    from elman.runs.search import Tuned


def tune(
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
    trials: Annotated[
        int, typer.Option(help="Number of trials in all, those of an earlier call included.")
    ] = 30,
    pruner: Annotated[
        str, typer.Option(help="What ends trials early: median, halving or none.")
    ] = "median",
    storage: Annotated[
        str | None,
        typer.Option(help="Address of a database shared by several machines; default: a file."),
    ] = None,
    cell: Annotated[str | None, typer.Option(help="Cell of all trials.")] = None,
    seed: Seed = None,
    epochs: Epochs = None,
    settings: Settings = None,
    out: Annotated[Path | None, typer.Option(help="Directory of the search.")] = None,
    as_json: AsJSON = False,
) -> None:
    """Search for better settings by validation, and train the best; resumes a search in --out."""
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

    from elman.cli.running import said_how_to_go_on
    from elman.runs.search import tune as search
    from elman.training.progress import progress_on_stderr

    with said_how_to_go_on("the same command"):
        tuned = search(
            source[0] if len(source) == 1 else source,
            trials=trials,
            out=out,
            storage=storage,
            pruner=cast("Any", pruner),
            progress=progress_on_stderr(),
            **changes,
        )
    if as_json:
        typer.echo(tuned.search.model_dump_json(indent=2))
    else:
        _tell(tuned)
    typer.echo(tuned.report, err=as_json)


def _tell(tuned: Tuned) -> None:
    """Print the settings and scores, by default and at best."""
    from elman.report.search.findings import counts, value_text, verdict

    search = tuned.search
    typer.echo(counts(search))
    default, best = search.default.settings, search.best.settings
    width = max(map(len, best))
    for name, value in best.items():
        before = value_text(default.get(name))
        change = f" (default {before})" if value != default.get(name) else ""
        typer.echo(f"  {name:{width}}  {value_text(value)}{change}")
    typer.echo(f"{verdict(search)}\n{tuned.report.parent / 'best'}")
