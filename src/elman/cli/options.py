"""Options that several verbs share."""

from __future__ import annotations

from typing import Annotated, Any

import typer

Epochs = Annotated[int | None, typer.Option(help="Greatest number of passes over the data.")]
Settings = Annotated[
    list[str] | None,
    typer.Option("--set", help="Any setting, as in --set training.learning_rate=1e-3; repeatable."),
]
AsJSON = Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")]


def collect_overrides(settings: list[str] | None, **options: object) -> dict[str, Any]:
    """Join what `--set` says with the options that were given; an option given has the last word.

    Args:
        settings: `name=value` texts.
        options: setting → value, None where it was not given.
    """
    from elman.experiment import full_name, parse_overrides

    given = {full_name(name): value for name, value in options.items() if value is not None}
    return {full_name(n): v for n, v in parse_overrides(settings or []).items()} | given
