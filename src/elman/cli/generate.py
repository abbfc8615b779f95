"""`elman generate`: music composed by a trained model."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def generate(
    run: Annotated[Path, typer.Argument(help="Directory of a finished run.")],
    steps: Annotated[int, typer.Option(help="Frames to compose.")] = 200,
    seed: Annotated[int, typer.Option(help="Another seed, another piece.")] = 1,
    temperature: Annotated[
        float, typer.Option(help="Below 1 keeps to what is likely, above 1 is bolder.")
    ] = 1.0,
    out: Annotated[Path, typer.Option(help="The MIDI file; its picture goes beside it.")] = Path(
        "generated.mid"
    ),
) -> None:
    """Compose a piece: a MIDI file, and its piano roll as a picture."""
    from elman.data.catalog import ROLL_SETS
    from elman.errors import OptionError
    from elman.inspection.midi import write_midi
    from elman.inspection.piano_roll import save_piano_roll
    from elman.model import load

    picture = out.with_suffix(".png")
    if out == picture:
        raise OptionError(
            f"--out names the MIDI file, and {out} is where its picture goes; "
            f"write --out {out.with_suffix('.mid')}."
        )
    model = load(run)
    roll = model.generate(steps, seed, temperature=temperature)
    pace = ROLL_SETS[model.experiment.data.name].frames_per_beat
    typer.echo(write_midi(roll, out, frames_per_beat=pace))
    typer.echo(save_piano_roll(roll, picture, frames_per_beat=pace))
