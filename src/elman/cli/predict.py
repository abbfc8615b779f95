"""`elman predict`: rows in, rows with answers out."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from elman.data.table import Table
    from elman.models.model import Model


def predict(
    run: Annotated[Path, typer.Argument(help="Directory of a finished run.")],
    source: Annotated[
        str | None,
        typer.Argument(
            help="File of rows, or - for CSV or JSON lines on standard input; left out, standard "
            "input, or for a forecast the series that were learned from."
        ),
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="Where to: .csv, .jsonl or .parquet; left out, stdout.")
    ] = None,
    probabilities: Annotated[
        bool, typer.Option("--probabilities", help="A column of each name's probability as well.")
    ] = False,
    horizon: Annotated[
        int | None, typer.Option(help="Steps ahead of a model that forecasts.")
    ] = None,
    quantiles: Annotated[
        str | None, typer.Option(help="Levels of a forecast's quantiles, as 0.1,0.5,0.9.")
    ] = None,
    n_best: Annotated[
        int, typer.Option(min=1, help="Answers a row of a model that writes, the best first.")
    ] = 1,
    settings: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            help="How a model writes: beam_size, length_penalty, max_length, min_length, "
            "no_repeat_ngram_size; temperature, top_k, top_p to draw; repeatable.",
        ),
    ] = None,
    seed: Annotated[
        int | None, typer.Option(help="Of the drawing: with a temperature, or of a forecast.")
    ] = None,
    as_format: Annotated[
        str | None, typer.Option("--format", help="csv or jsonl, where no file name tells.")
    ] = None,
) -> None:
    """Answer every row with a trained model; the rows come back with their answers."""
    from elman.data.sinks import format_to_write, write_table
    from elman.models.model import load
    from elman.models.rows import note_of_empty_rows, predicted_table, rows_from_standard_input
    from elman.prediction.written import writes

    written_as = format_to_write(out, as_format or ("csv" if out is None else None))
    model = load(run)
    if model.task.forecasts or horizon is not None or quantiles is not None:
        _refuse(
            "has no meaning in a forecast; leave it out.",
            probabilities=probabilities,
            n_best=n_best,
            settings=settings,
        )
        columns = _forecast(model, source, horizon, quantiles, seed)
        write_table(columns, out, written_as, sys.stdout.buffer)
        return
    if not writes(model.task):
        _refuse(
            f"is for a model that writes; this model's task is {model.task.sentence}.",
            n_best=n_best,
            settings=settings,
        )
    if source is None or source == "-":
        table = rows_from_standard_input(model, sys.stdin.buffer)
    else:
        table = model.table(source, answered=False)
    answered = predicted_table(
        model,
        table,
        probabilities=probabilities,
        seed=seed,
        decoding=_decoding(settings or [], n_best),
    )
    for note in (*table.notes, note_of_empty_rows(model, table)):
        if note is not None:
            typer.echo(f"note: {note}", err=True)
    write_table(answered, out, written_as, sys.stdout.buffer)


def _forecast(
    model: Model, source: str | None, horizon: int | None, quantiles: str | None, seed: int | None
) -> dict[str, Any]:
    """Forecast the series of a file, of standard input, or those that were learned from."""
    from elman.data.sources.standard_input import read_standard_input

    table: Any = source
    if source is not None and model.task.forecasts:
        table = read_standard_input(sys.stdin.buffer) if source == "-" else source
        table = model.table(table, answered=False)
        items: Any = model.task.input
        for note in (*table.notes, *items.unknown_items(_items(model, table))):
            typer.echo(f"note: {note}", err=True)
    levels = {} if quantiles is None else {"quantiles": _levels(quantiles)}
    return model.forecast(table, horizon=horizon, seed=1 if seed is None else seed, **levels)


def _items(model: Model, table: Table) -> list[Any]:
    """List whose series a table holds."""
    name = model.experiment.data.sequence_id
    return [] if name is None else list(table.column(name))


def _levels(text: str) -> list[float]:
    """Read levels, as 0.1,0.5,0.9."""
    from elman.errors import OptionError

    try:
        return [float(level) for level in text.split(",")]
    except ValueError as error:
        raise OptionError(f"--quantiles are levels, as 0.1,0.5,0.9; got {text!r}.") from error


def _refuse(why: str, **options: Any) -> None:
    """Refuse options that were given and that this model makes nothing of."""
    from elman.errors import OptionError

    for name, value in options.items():
        if value not in (False, None, 1):
            raise OptionError(f"--{name.replace('settings', 'set').replace('_', '-')} {why}")


def _decoding(settings: list[str], n_best: int) -> dict[str, Any]:
    """Read how a model is to write; a beam is at least as wide as there are answers asked for."""
    from elman.errors import unknown
    from elman.experiment import parse_overrides
    from elman.networks.decoding import DecodingOptions

    asked = parse_overrides(settings)
    asked = {name.removeprefix("decoding."): value for name, value in asked.items()}
    for name in asked:
        if name not in DecodingOptions.model_fields:
            raise unknown("setting of the decoding", name, DecodingOptions.model_fields)
    if n_best > 1:
        asked = {"beam_size": n_best} | asked | {"n_best": n_best}
    return asked
