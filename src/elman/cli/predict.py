"""`elman predict`: rows in, rows with answers out."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

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
    answered = predicted_table(model, table, probabilities=probabilities)
    for note in (*table.notes, note_of_empty_rows(model, table)):
        if note is not None:
            typer.echo(f"note: {note}", err=True)
    write_table(answered, out, written_as, sys.stdout.buffer)
