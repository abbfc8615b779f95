"""`elman generate`: text or music sampled from a trained model."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from elman.models.model import Model


def generate(
    run: Annotated[Path, typer.Argument(help="Directory of a finished run.")],
    steps: Annotated[
        int, typer.Option(help="Number of frames, characters or words to sample.")
    ] = 200,
    seed: Annotated[int, typer.Option(help="Random seed.")] = 1,
    temperature: Annotated[
        float,
        typer.Option(
            help="Sampling temperature: below 1 favours likely steps, above 1 unlikely ones."
        ),
    ] = 1.0,
    prime: Annotated[
        str | None, typer.Option("--prompt", "--prime", help="Text to continue.")
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(
            help="Output file; for music a MIDI file (generated.mid), with a picture beside it."
        ),
    ] = None,
) -> None:
    """Sample text to stdout; or compose a piece: a MIDI file, and its piano roll as a picture."""
    from elman.errors import OptionError
    from elman.files import write_atomically
    from elman.models.model import load
    from elman.tasks.next_frame import NextFrameTask

    if out is not None and out == out.with_suffix(".png"):
        raise OptionError(
            f"--out names the MIDI file, and {out} is where its picture goes; "
            f"write --out {out.with_suffix('.mid')}."
        )
    model = load(run)
    if isinstance(model.task, NextFrameTask):
        if prime is not None:
            raise OptionError("--prompt is a text, and this model composes music; leave it out.")
        _compose(model, steps, seed, temperature, out or Path("generated.mid"))
        return
    written = model.generate(steps, seed, prime=prime, temperature=temperature)
    note = None if prime is None else model.predictor.note_of_prime(prime)
    if note is not None:
        typer.echo(f"note: {note}", err=True)
    text = written if isinstance(written, str) else " ".join(map(str, written))
    if out is None:
        typer.echo(text)
    else:
        write_atomically(out, f"{text}\n", make_folder=False)


def _compose(model: Model, steps: int, seed: int, temperature: float, out: Path) -> None:
    from elman.data.catalog import ROLL_SETS
    from elman.music.midi import mido, write_midi
    from elman.music.piano_roll import save_piano_roll

    mido()  # where it is missing, that is said before anything is composed
    roll = model.generate(steps, seed, temperature=temperature)
    name = model.experiment.data.name or ""
    pace = ROLL_SETS[name].frames_per_beat if name in ROLL_SETS else 1
    typer.echo(write_midi(roll, out, frames_per_beat=pace))
    typer.echo(save_piano_roll(roll, out.with_suffix(".png"), frames_per_beat=pace))
