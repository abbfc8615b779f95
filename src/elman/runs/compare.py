"""A comparison of cells with the same recipe, number of parameters and random seeds.

Source: the experiment of Chung et al. 2014, arXiv:1412.3555, on polyphonic music, for any task.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import torch

from elman.cells import CELLS
from elman.data.catalog import ROLL_SETS
from elman.data.splits import PART_NAMES
from elman.errors import ExperimentError, OptionError, unknown
from elman.evaluation.measures import measure_of
from elman.evaluation.plain_guesses import plain_guess
from elman.evaluation.scores import Scores
from elman.experiment import Experiment
from elman.files import write_atomically
from elman.report.comparison.page import write_comparison_report
from elman.report.comparison.published import published_result
from elman.report.comparison.results import CellResult, Comparison, SeedResult
from elman.report.facts.comparison import (
    SAMPLING,
    compose_with,
    flows_of,
    real_piece,
    roll_flows,
    texts_by,
)
from elman.runs.contenders import Budget, Contender, contender_for, find_budget
from elman.runs.run import Prepared, RunResult, machine, prepare, run_experiment
from elman.training.progress import NoProgress, Progress


class Compared(NamedTuple):
    """What a comparison returns: its numbers, and the path of the page that shows them."""

    comparison: Comparison
    report: Path


def compare(
    experiment: Experiment,
    cells: Sequence[str],
    seeds: Sequence[int],
    out: Path,
    *,
    source: Any = None,
    command: str = "",
    progress: Progress | None = None,
) -> Compared:
    """Train every cell with every random seed and compare the results.

    Writes `compare.json`, `compare.md` and `report.html` beside one run's directory for each cell
    and seed; for piano rolls also a piece composed by each cell, as MIDI. The same call resumes a
    comparison that was interrupted.

    Args:
        experiment: the settings that all cells share; its cell and seed are replaced, and its
            hidden size is solved for, so that all networks have about as many parameters.
        cells: names of cells, each once.
        seeds: random seeds, each once.
        out: directory of the comparison.
        source: values passed in Python, where the experiment names no data.
        command: the command line, to be shown with the results.
        progress: shows the progress; None to show none.

    Raises:
        OptionError: no cells or seeds, one given twice, an unknown cell, or a task whose network
            has no cell.
        ExperimentError: `out` holds runs of another experiment, or training diverged.
        DataError: the data cannot be read, or a value is malformed.
    """
    progress = progress or NoProgress()
    _refuse_none_and_repeats("cells", cells)
    _refuse_none_and_repeats("seeds", seeds)
    for cell in cells:
        if cell not in CELLS:
            raise unknown("cell", cell, CELLS)
    if "convolutions" not in experiment.network.model_fields_set:
        # Nothing before the cells, unless asked for, nor several networks: cells are compared.
        experiment = experiment.override({"network.convolutions": []})
    prepared = prepare(experiment.override({"seed": seeds[0]}), source)
    budget = find_budget(prepared)
    contenders = [contender_for(cell, experiment, prepared, budget) for cell in cells]
    _announce(budget, contenders, progress)
    _train_interleaved(experiment, contenders, seeds, out, source, progress)
    comparison = _collect(prepared, budget, contenders, command)
    write_atomically(out / "compare.json", comparison.model_dump_json(indent=2).encode())
    write_atomically(out / "compare.md", comparison.to_markdown().encode())
    return Compared(comparison, _report(comparison, contenders, prepared, out))


def _refuse_none_and_repeats(what: str, values: Sequence[object]) -> None:
    if not values:
        raise OptionError(f"a comparison needs at least one {what.removesuffix('s')}, got none.")
    repeated = [value for index, value in enumerate(values) if value in values[:index]]
    if repeated:
        raise OptionError(f"{what} must each be given once, got {repeated[0]!r} twice.")


def _announce(budget: Budget, contenders: Sequence[Contender], progress: Progress) -> None:
    """Show the sizes of the networks before training."""
    if budget.origin:
        progress.say(f"the budget is {budget.parameters:,} parameters, {budget.origin}.")
    for contender in contenders:
        progress.say(
            f"{contender.cell}: hidden size {contender.hidden_size}, "
            f"{contender.parameters:,} parameters"
        )
        for note in contender.notes:
            progress.say(f"note: {note}")


def _train_interleaved(
    experiment: Experiment,
    contenders: Sequence[Contender],
    seeds: Sequence[int],
    out: Path,
    source: Any,
    progress: Progress,
) -> None:
    """Train all cells with one seed, then with the next.

    So a machine that slows down slows every cell alike.
    """
    with progress.task(out.name, len(seeds) * len(contenders)) as task:
        for seed in seeds:
            for contender in contenders:
                directory = out / f"{contender.cell}-seed{seed}"
                model, result = run_experiment(
                    experiment.override({**contender.changes, "seed": seed}),
                    directory,
                    source=source,
                    progress=progress,
                )
                _refuse_without_score(result, directory)
                contender.models.append(model)
                contender.results.append(result)
                task.advance(f"{directory.name}: {_reached(result)}")


def _refuse_without_score(result: RunResult, directory: Path) -> None:
    """Refuse a run that has no main score in a part, so that it cannot be compared.

    Raises:
        ExperimentError: there is such a part.
    """
    main = _decisive(result)[1].main
    for part, scores in result.scores.items():
        if main not in scores.values:
            why = scores.undefined.get(main, "the rows have no such score")
            raise ExperimentError(
                f"{directory} cannot be compared: its {main} on the {part} rows is not computed: "
                f"{why}. Compare by another score (--set score=NAME), or give other rows."
            )


def _decisive(result: RunResult) -> tuple[str, Scores]:
    """Return the last part that was evaluated, with its scores."""
    return list(result.scores.items())[-1]


def _reached(result: RunResult) -> str:
    """Write the main score of the last part that was evaluated."""
    part, scores = _decisive(result)
    number = f"{scores.value:.3f}" if scores.kind == "roll" else f"{scores.value:.4g}"
    name = "" if scores.kind == "roll" else f"{scores.main.replace('_', ' ')} "
    return f"{part} {name}{number}"


def _seed_result(result: RunResult) -> SeedResult:
    """Return what a comparison keeps of the result of a run."""
    return SeedResult(
        seed=result.seed,
        score=_decisive(result)[1].main,
        scores={part: scores.values for part, scores in result.scores.items()},
        best_epoch=result.best_epoch,
        epochs=result.epochs,
        seconds=result.seconds,
        seconds_per_epoch=result.seconds / result.epochs,
        curve=result.curve,
    )


def _collect(
    prepared: Prepared, budget: Budget, contenders: Sequence[Contender], command: str
) -> Comparison:
    experiment, task, parts = prepared
    counts = {"train": parts.train, "valid": parts.valid, "test": parts.test}
    return Comparison(
        dataset=experiment.data.title,
        title=experiment.title or experiment.data.title,
        task=task.sentence,
        kind=_decisive(contenders[0].results[0])[1].kind,
        counts={part: len(table) for part, table in counts.items() if table is not None},
        loss_unit=task.objective_class.loss_unit,
        parameters=budget.parameters,
        terms=budget.origin,
        notes=[
            *[note for contender in contenders for note in contender.notes],
            *_plain_note(contenders[0].results[0]),
        ],
        select=experiment.training.select,
        epochs=experiment.training.epochs,
        threads=torch.get_num_threads(),
        machine=machine(),
        command=command,
        caveat=task.caveat(experiment.network),
        results=[_cell_result(prepared, contender) for contender in contenders],
    )


def _plain_note(result: RunResult) -> list[str]:
    """Say what the plainest guess has by the main score, on the part that decides."""
    part, scores = _decisive(result)
    guess = plain_guess(scores, scores.main)
    if guess is None:
        return []
    title = measure_of(scores.main).title
    return [f"{title} of a plain guess on the {PART_NAMES[part]} rows, {guess[0]}: {guess[1]:.4g}."]


def _cell_result(prepared: Prepared, contender: Contender) -> CellResult:
    published = None
    experiment, task, _ = prepared
    name, scores = experiment.data.name, _decisive(contender.results[0])[1]
    if name is not None and scores.main == "nll" and not task.caveat(experiment.network):
        published = published_result(name, contender.cell, contender.parameters)
    return CellResult(
        cell=contender.cell,
        hidden_size=contender.hidden_size,
        parameters=contender.parameters,
        published=published.test_nll if published else None,
        published_source=published.source if published else None,
        seeds=[_seed_result(result) for result in contender.results],
    )


def _report(
    comparison: Comparison, contenders: Sequence[Contender], prepared: Prepared, out: Path
) -> Path:
    """Measure gradient flow, generate texts or music where possible, and write the page."""
    models = {contender.cell: contender.models[0] for contender in contenders}
    page, parts = out / "report.html", prepared.parts
    if not comparison.of_rolls:
        flows = flows_of(models, parts)
        return write_comparison_report(
            page,
            comparison,
            flows=flows.by_cell,
            reading=flows.reading,
            texts=texts_by(models),
            sampling=SAMPLING,
        )
    causal = {cell: model for cell, model in models.items() if not model.sees_the_future}
    known = ROLL_SETS.get(comparison.dataset)
    beat = 1 if known is None else known.frames_per_beat
    return write_comparison_report(
        page,
        comparison,
        generated=compose_with(causal, out, frames_per_beat=beat),
        real=real_piece(parts, prepared.task.input_columns),
        flows={cell: roll_flows(model, parts) for cell, model in causal.items()},
    )
