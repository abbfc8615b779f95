"""`elman predict`: rows in, rows with predictions out."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from elman.cli.options import Quantiles, levels_of

if TYPE_CHECKING:
    from elman.data.table import Table
    from elman.models.model import Model


def predict(
    run: Annotated[Path, typer.Argument(help="Directory of a finished run.")],
    source: Annotated[
        str | None,
        typer.Argument(
            help="File of rows, or - for CSV or JSON lines on standard input. Default: standard "
            "input; for a forecast, the series of the training data."
        ),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(help="Output file (.csv, .tsv, .jsonl, .parquet, .conll); stdout if omitted."),
    ] = None,
    probabilities: Annotated[
        bool,
        typer.Option("--probabilities", help="Add a column with the probability of each class."),
    ] = False,
    horizon: Annotated[int | None, typer.Option(help="Steps ahead to forecast.")] = None,
    quantiles: Quantiles = None,
    paths: Annotated[
        int | None,
        typer.Option(min=1, help="Number of sampled paths of each forecast, a column each."),
    ] = None,
    n_best: Annotated[
        int, typer.Option(min=1, help="Number of sequences to write per row, best first.")
    ] = 1,
    settings: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            help="Decoding option: beam_size, length_penalty, max_length, min_length, "
            "no_repeat_ngram_size; temperature, top_k, top_p to sample; repeatable.",
        ),
    ] = None,
    seed: Annotated[
        int | None,
        typer.Option(help="Random seed of sampling: with a temperature, or of a forecast's paths."),
    ] = None,
    as_format: Annotated[
        str | None,
        typer.Option(
            "--format", help="Output format, csv, tsv, jsonl or conll, if --out does not say it."
        ),
    ] = None,
) -> None:
    """Predict every row with a trained model; the rows are printed with their predictions."""
    from elman.data.sinks import format_to_write, write_table
    from elman.models.model import load

    written_as = format_to_write(out, as_format or ("csv" if out is None else None))
    _refuse_overwriting(source, out)
    model = load(run)
    predictor = model.predictor
    given = {
        "horizon": horizon is not None,
        "quantiles": quantiles is not None,
        "paths": paths is not None,
        "probabilities": probabilities,
        "n_best": n_best != 1,
        "settings": bool(settings),
        "seed": seed is not None,
    }
    for name, is_given in given.items():
        if is_given and name not in predictor.takes:
            predictor.refuse(f"--{name.replace('settings', 'set').replace('_', '-')}")
    table = _rows(model, source)
    notes = [model.unfinished] * bool(model.unfinished)
    if table is not None:
        notes += [*table.notes, *predictor.notes_of(table)]
    columns = predictor.columns(
        table,
        probabilities=probabilities,
        seed=seed,
        decoding=_decoding(settings or [], n_best),
        horizon=horizon,
        quantiles=None if quantiles is None else levels_of(quantiles),
        paths=paths,
    )
    for note in notes:
        typer.echo(f"note: {note}", err=True)
    write_table(columns, out, written_as, sys.stdout.buffer, sets=predictor.sets)


def _refuse_overwriting(source: str | None, out: Path | None) -> None:
    """Refuse to write predictions over the rows that they are made from.

    Raises:
        OptionError: both are one file, or the rows are read from the folder that would hold it.
    """
    from elman.errors import OptionError

    if source is None or out is None or not out.exists():
        return
    rows = Path(source)
    if rows.exists() and (rows.samefile(out) or (rows.is_dir() and rows.samefile(out.parent))):
        raise OptionError(
            f"--out {out} would overwrite the rows that are read from {source}; choose another "
            "file."
        )


def _rows(model: Model, source: str | None) -> Table | None:
    """Read the rows of a file or of standard input; None for the series of the training data."""
    from elman.models.rows import rows_from_standard_input

    if source == "-" or (source is None and model.predictor.needs_rows):
        return rows_from_standard_input(model, sys.stdin.buffer)
    return None if source is None else model.table(source, with_targets=False)


def _decoding(settings: list[str], n_best: int) -> dict[str, Any]:
    """Read decoding options; the beam is at least as wide as the number of sequences wanted."""
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
