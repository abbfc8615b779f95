"""`elman train`: one model, from a recipe or an experiment file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from elman.cli.options import Epochs, Settings, collect_overrides


def train(
    recipe: Annotated[str, typer.Argument(help="A recipe's name, or a path ending in .toml.")],
    cell: Annotated[str | None, typer.Option(help="simple, gru or lstm.")] = None,
    seed: Annotated[int | None, typer.Option(help="Of weights, batches and dropout.")] = None,
    epochs: Epochs = None,
    settings: Settings = None,
    out: Annotated[Path | None, typer.Option(help="Directory of the run.")] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with the run in --out.")] = False,
) -> None:
    """Train a model; the directory of the run holds all there is to know of it."""
    from elman.experiment import read_experiment
    from elman.run import default_directory, train_run
    from elman.training.progress import progress_on_stderr

    changes = collect_overrides(settings, cell=cell, seed=seed, epochs=epochs)
    experiment = read_experiment(recipe).override(changes)
    directory = out or default_directory(experiment)
    try:
        run = train_run(experiment, directory, resume=resume, progress=progress_on_stderr())
    except KeyboardInterrupt as interrupt:
        raise KeyboardInterrupt(
            "the same command with --resume goes on from the last finished epoch."
        ) from interrupt
    result = run.result
    typer.echo(
        f"valid {result.valid_nll:.3f} · test {result.test_nll:.3f} nats a frame, from epoch "
        f"{result.best_epoch} of {result.epochs}, {run.model.parameters:,} parameters, "
        f"{result.seconds:.0f} s\n{directory}"
    )
