"""`elman evaluate`: how good a trained model is on a part of its data, or on a file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from elman.cli.options import AsJSON

if TYPE_CHECKING:
    from elman.evaluation.scores import Scores


def evaluate(
    run: Annotated[Path, typer.Argument(help="Directory of a finished run.")],
    source: Annotated[
        str | None,
        typer.Argument(help="File that has the targets, too; default: the part of --split."),
    ] = None,
    split: Annotated[
        str, typer.Option(help="Part of the data of the run: train, valid or test.")
    ] = "test",
    origins: Annotated[
        int | None,
        typer.Option(
            help="Origins of the forecasts of each series, at most, evenly spread over the part; "
            "by default one forecast follows the other."
        ),
    ] = None,
    as_json: AsJSON = False,
) -> None:
    """Measure a trained model on a part of its own data, or on a file."""
    from elman.data.splits import PARTS
    from elman.models.model import load
    from elman.training.progress import bars_on_terminal

    model, progress = load(run), bars_on_terminal()
    if source is not None and source in PARTS and not Path(source).exists():
        split, source = source, None
    notes: list[str] = []
    if source is None:
        name = f"{model.experiment.data.title}, {split}"
        scores = model.scores(split, origins=origins, progress=progress)
    else:
        table = model.table(source)
        name, scores = source, model.scores(table, origins=origins, progress=progress)
        notes = [*table.notes, *model.predictor.notes_of(table)]
    notes = [*[model.unfinished] * bool(model.unfinished), *notes, *scores.notes]
    notes = list(dict.fromkeys(notes))
    for note in notes:
        typer.echo(f"note: {note}", err=True)
    if as_json:
        about = {"data": source or model.experiment.data.title, "split": None if source else split}
        typer.echo(json.dumps({**about, **_facts(scores), "notes": notes}, allow_nan=False))
        return
    typer.echo("\n".join([name, *_lines(scores)]))


def _lines(scores: Scores) -> list[str]:
    """Lay out scores, the main one first, and how many rows, steps or frames were measured.

    Beside the leading scores stands what the plainest guess has by them.
    """
    from elman.evaluation.leading import beside
    from elman.evaluation.measures import measure_of
    from elman.evaluation.plain_guesses import plain_guess

    shown = {name: f"{value:.4f}" for name, value in scores.values.items()}
    shown |= {name: f"not computed: {why}" for name, why in scores.undefined.items()}
    first = [scores.main, *beside(scores, scores.main)]
    lines, naive = [], _naive_lines(scores)
    for name in [*first, *[name for name in shown if name not in first]]:
        lines.append(f"{measure_of(name).title:<38} {shown[name]}")
        leads = name in first or name in scores.headlines
        if naive or not leads:
            continue
        if (guess := plain_guess(scores, name)) is not None:
            lines.append(f"{f'  plain guess, {guess[0]}':<38} {guess[1]:.4f}")
    return [*lines, *naive, f"{scores.unit:<38} {scores.count:,}"]


def _naive_lines(scores: Scores) -> list[str]:
    """Lay out the main score of every naive forecast of the same values, the best one first."""
    from elman.evaluation.measures import measure_of

    naive = {
        name: each[scores.main]
        for name, each in scores.details.get("naive", {}).items()
        if scores.main in each
    }
    title = measure_of(scores.main).title
    return [
        f"{f'{title} of {name}':<38} {naive[name]:.4f}"
        for name in sorted(naive, key=lambda each: naive[each])
    ]


def _facts(scores: Scores) -> dict[str, Any]:
    """Return scores for programs: null where one is not computed, with the reason beside it."""
    facts: dict[str, Any] = {**scores.values, **dict.fromkeys(scores.undefined)}
    facts[scores.unit] = scores.count
    said = {
        "not_computed": scores.undefined,
        "never_learned": scores.details.get("never_learned"),
        "plain_guess": _guesses(scores),
        "naive": scores.details.get("naive"),
    }
    return facts | {name: value for name, value in said.items() if value}


def _guesses(scores: Scores) -> Any:
    """Return what the plain guess does and has, of several targets that of each."""
    of_targets = {
        target: own["details"]["plain_guess"]
        for target, own in scores.details.get("targets", {}).items()
        if "plain_guess" in own["details"]
    }
    return scores.details.get("plain_guess") or of_targets
