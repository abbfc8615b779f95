"""`elman evaluate`: how good a trained model is on a part of its data, or on a file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from elman.cli.options import AsJSON


def evaluate(
    run: Annotated[Path, typer.Argument(help="Directory of a finished run.")],
    source: Annotated[
        str | None,
        typer.Argument(help="File that has the targets, too; default: the part of --split."),
    ] = None,
    split: Annotated[
        str, typer.Option(help="Part of the data of the run: train, valid or test.")
    ] = "test",
    as_json: AsJSON = False,
) -> None:
    """Measure a trained model on a part of its own data, or on a file."""
    from elman.evaluation.scores import MEASURES
    from elman.models.model import load

    model = load(run)
    measured = source or split
    values = model.evaluate(measured)
    name = source or model.experiment.data.title
    if as_json:
        typer.echo(json.dumps({"data": name, "split": None if source else split, **values}))
        return
    lines = [f"{name}{'' if source else f', {split}'}"]
    for score, value in values.items():
        title = MEASURES[score].title if score in MEASURES else score
        shown = f"{value:,}" if isinstance(value, int) else f"{value:.4f}"
        lines.append(f"{title:<38} {shown}")
    typer.echo("\n".join(lines))
