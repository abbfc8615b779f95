"""`elman predict`: rows in, rows with answers out."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Any

import typer


def predict(
    run: Annotated[Path, typer.Argument(help="Directory of a finished run.")],
    source: Annotated[
        str, typer.Argument(help="File of rows, or - for CSV or JSON lines on standard input.")
    ] = "-",
    out: Annotated[
        Path | None, typer.Option(help="Where to: .csv, .jsonl or .parquet; left out, stdout.")
    ] = None,
    probabilities: Annotated[
        bool, typer.Option("--probabilities", help="A column of each name's probability as well.")
    ] = False,
    n_best: Annotated[
        int, typer.Option(help="Answers a row of a model that writes, the best first.")
    ] = 1,
    settings: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            help="How a model writes: beam_size, length_penalty, max_length, min_length, "
            "no_repeat_ngram_size; temperature, top_k, top_p to draw; repeatable.",
        ),
    ] = None,
    seed: Annotated[int | None, typer.Option(help="Of the drawing, with a temperature.")] = None,
    as_format: Annotated[
        str | None, typer.Option("--format", help="csv or jsonl, where no file name tells.")
    ] = None,
) -> None:
    """Answer every row with a trained model; the rows come back with their answers."""
    from elman.model import load
    from elman.predictions import (
        format_to_write,
        note_of_empty_rows,
        predicted_table,
        rows_from_standard_input,
        write_table,
    )

    written_as = format_to_write(out, as_format or ("csv" if out is None else None))
    model = load(run)
    if source == "-":
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


def _decoding(settings: list[str], n_best: int) -> dict[str, Any]:
    """Read how a model is to write; a beam is at least as wide as there are answers asked for."""
    from elman.errors import unknown
    from elman.experiment import parse_overrides
    from elman.networks.decoding import DecodingOptions

    asked = parse_overrides(settings)
    asked = {name.removeprefix("decoding."): value for name, value in asked.items()}
    for name in asked:
        if name not in DecodingOptions.__dataclass_fields__:
            raise unknown("setting of the decoding", name, DecodingOptions.__dataclass_fields__)
    if n_best > 1:
        asked = {"beam_size": n_best} | asked | {"n_best": n_best}
    return asked
