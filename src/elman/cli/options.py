"""Options that several verbs share."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer

Columns = list[str] | None

Source = Annotated[
    list[str],
    typer.Argument(
        help="Files, a folder or a pattern; a recipe's name; or a path ending in .toml."
    ),
]
Inputs = Annotated[
    Columns,
    typer.Option(
        "--input", "-i", help="Input column, as NAME or NAME:KIND (text:char); repeatable."
    ),
]
Targets = Annotated[
    Columns,
    typer.Option(
        "--target",
        "-t",
        help="Column to predict, as NAME or NAME:KIND; repeatable, each is an answer of its own; "
        "next: the next step of the input.",
    ),
]
Read = Annotated[
    Columns,
    typer.Option(
        help="Column to read though the check leaves it out, or its kind, as NAME or NAME:KIND; "
        "repeatable."
    ),
]
Ignore = Annotated[Columns, typer.Option(help="Column neither read nor predicted; repeatable.")]
Strict = Annotated[
    bool, typer.Option("--strict", help="Refuse what would be assumed about the data.")
]
SequenceId = Annotated[
    str | None,
    typer.Option(help="Column that says which sequence a row of a long table belongs to."),
]
Time = Annotated[str | None, typer.Option(help="Column with the time of each row.")]
Window = Annotated[int | None, typer.Option(help="Window length in steps, of a long series.")]
Horizon = Annotated[
    int | None, typer.Option(help="Steps ahead to forecast, for series in a long table.")
]
Known = Annotated[Columns, typer.Option(help="Column whose future values are known; repeatable.")]
Valid = Annotated[Columns, typer.Option(help="Validation file; repeatable.")]
Test = Annotated[Columns, typer.Option(help="Test file; repeatable.")]
Group = Annotated[
    str | None, typer.Option(help="Column whose equal values stay in one part: a speaker, a user.")
]
Epochs = Annotated[int | None, typer.Option(help="Maximum number of epochs.")]
Seed = Annotated[int | None, typer.Option(help="Random seed.")]
RunDirectory = Annotated[Path | None, typer.Option("--out", help="Directory of the run.")]
Resume = Annotated[bool, typer.Option("--resume", help="Resume the run in --out.")]
Quantiles = Annotated[
    str | None, typer.Option(help="Quantiles of a forecast, for example 0.1,0.5,0.9.")
]
Settings = Annotated[
    list[str] | None,
    typer.Option(
        "--set", help="Any setting, for example --set training.learning_rate=1e-3; repeatable."
    ),
]
AsJSON = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def collect_overrides(settings: list[str] | None, **options: object) -> dict[str, Any]:
    """Merge the settings of `--set` with the other options, which take precedence.

    Args:
        settings: `name=value` texts.
        options: setting → value, None where it was not given.
    """
    from elman.experiment import full_name, parse_overrides

    given = {full_name(name): value for name, value in options.items() if value is not None}
    return {full_name(n): v for n, v in parse_overrides(settings or []).items()} | given


def data_settings(
    *,
    inputs: Columns,
    targets: Columns,
    read: Columns,
    **options: str | int | list[str] | None,
) -> dict[str, Any]:
    """Name the settings of the data that `train`, `check` and `compare` take as options.

    Args:
        inputs: columns to read, `NAME` or `NAME:KIND`, which are told apart once the columns of the
            data are known; see `tasks.named_kinds`.
        targets: columns to predict, likewise.
        read: columns to read in any case, likewise.
        options: other settings of the data by their names, None where one was not given.
    """
    columns: dict[str, Any] = {"input": inputs or None, "target": targets or None}
    columns |= {f"columns.{json.dumps(name)}": {} for name in read or ()}
    return {f"data.{name}": value for name, value in {**columns, **options}.items()}


def levels_of(text: str) -> list[float]:
    """Read the levels of `--quantiles`.

    Raises:
        OptionError: one is no number.
    """
    from elman.errors import OptionError

    try:
        return [float(level) for level in text.split(",")]
    except ValueError as error:
        raise OptionError(
            f"--quantiles must be numbers such as 0.1,0.5,0.9; got {text!r}."
        ) from error
