"""`elman evaluate`: how well a trained model predicts a split of its data."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from elman.cli.options import AsJSON


def evaluate(
    run: Annotated[Path, typer.Argument(help="Directory of a finished run.")],
    split: Annotated[str, typer.Option(help="train, valid or test.")] = "test",
    as_json: AsJSON = False,
) -> None:
    """Measure a trained model on a split of its own data set."""
    from elman.model import load

    model = load(run)
    metrics = model.evaluate(split)
    if as_json:
        typer.echo(json.dumps({"data": model.experiment.data.name, "split": split, **metrics}))
        return
    typer.echo(
        f"{model.experiment.data.name}, {split}: {metrics['frames']:,} frames\n"
        f"nll       {metrics['nll']:.4f} nats a frame\n"
        f"accuracy  {metrics['accuracy']:.4f}\n"
        f"F1        {metrics['f1']:.4f}"
    )
