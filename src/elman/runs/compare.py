"""Cells on equal terms: the same recipe, the same number of parameters, the same seeds.

Source: the experiment of Chung et al. 2014, arXiv:1412.3555, on polyphonic music.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple, cast

import torch

from elman.batches.batching import BucketedBatches, next_step
from elman.data.catalog import ROLL_SETS, Splits
from elman.data.catalog import load as load_data
from elman.data.table import Table
from elman.errors import OptionError
from elman.experiment import Experiment
from elman.features.roll import Roll
from elman.files import write_atomically
from elman.inspection.gradient_flow import GradientFlow, gradient_flow
from elman.layers import parameter_count
from elman.models.model import Model
from elman.models.network import completed_network, untrained_network
from elman.music.midi import write_midi
from elman.networks import ManyToMany
from elman.networks.build import specified_network
from elman.report.comparison.page import write_comparison_report
from elman.report.comparison.published import published_result
from elman.report.comparison.results import CellResult, Comparison, SeedResult
from elman.runs.run import RunResult, machine, run_experiment
from elman.tasks.layout import layout_of
from elman.tasks.next_frame import roll_task
from elman.training.progress import NoProgress, Progress

COMPOSED_FRAMES = 96
FLOW_PIECES = 16
FLOW_FRAMES = 100
"""Gradients are followed back over so many frames of so many pieces."""


class Compared(NamedTuple):
    """What a comparison leaves: the numbers, and the page that shows them."""

    comparison: Comparison
    report: Path


class Contender(NamedTuple):
    """One cell, its network's size, and what became of it."""

    cell: str
    hidden_size: int | list[int]
    parameters: int
    models: list[Model]
    results: list[SeedResult]


def compare(
    experiment: Experiment,
    cells: Sequence[str],
    seeds: Sequence[int],
    out: Path,
    *,
    command: str = "",
    progress: Progress | None = None,
) -> Compared:
    """Train every cell with every seed and set the results side by side.

    Writes `compare.json`, `compare.md`, `report.html` and a composition of each cell as MIDI,
    beside one run's directory for each cell and seed. Interrupted, it goes on where it stopped.

    Args:
        experiment: all that the cells have in common; its cell and seed are replaced.
        cells: names, each once.
        seeds: each once.
        out: directory of the comparison.
        command: what was typed to get here, for the record.
        progress: where to show it; None for nowhere.

    Raises:
        OptionError: no cells or seeds, one given twice, or an unknown cell.
        ExperimentError: `out` holds runs of another experiment, or training diverged.
    """
    progress = progress or NoProgress()
    _refuse_nothing_and_twice("cells", cells)
    _refuse_nothing_and_twice("seeds", seeds)
    experiment = _of_rolls(experiment)
    contenders = [_solve(experiment, cell) for cell in cells]
    for contender in contenders:
        progress.say(
            f"{contender.cell}: hidden size {contender.hidden_size}, "
            f"{contender.parameters:,} parameters"
        )
    _train_interleaved(experiment, contenders, seeds, out, progress)
    comparison = _collect(experiment, contenders, command)
    write_atomically(out / "compare.json", comparison.model_dump_json(indent=2).encode())
    write_atomically(out / "compare.md", comparison.to_markdown().encode())
    return Compared(comparison, _report(comparison, contenders, out))


def _of_rolls(experiment: Experiment) -> Experiment:
    """Refuse what is no corpus of piano rolls; say its columns."""
    if experiment.data.name not in ROLL_SETS:
        raise OptionError(
            f"cells are compared on the corpora {', '.join(ROLL_SETS)}, as in Chung et al. 2014; "
            f"this experiment learns from {experiment.data.title!r}. Train it once a cell instead: "
            "elman train … --cell lstm."
        )
    return experiment.model_copy(update={"data": layout_of(experiment.data).with_known_columns()})


def _refuse_nothing_and_twice(what: str, values: Sequence[object]) -> None:
    if not values:
        raise OptionError(f"a comparison needs at least one of {what}, got none.")
    twice = [value for index, value in enumerate(values) if value in values[:index]]
    if twice:
        raise OptionError(f"{what} must each be given once, got {twice[0]!r} twice.")


def _solve(experiment: Experiment, cell: str) -> Contender:
    """Find the cell's hidden size; an unknown cell is refused here, before anything is trained."""
    task = roll_task()
    changed = experiment.override({"network.cell": cell})
    spec = completed_network(changed, task)
    network = specified_network(spec, task.input.encoding, task.make_objective())
    return Contender(cell, spec.hidden_size or 0, parameter_count(network), [], [])


def _train_interleaved(
    experiment: Experiment,
    contenders: Sequence[Contender],
    seeds: Sequence[int],
    out: Path,
    progress: Progress,
) -> None:
    """Train all cells with one seed, then with the next.

    A machine whose speed drifts slows every cell alike.
    """
    with progress.task(out.name, len(seeds) * len(contenders)) as task:
        for seed in seeds:
            for contender in contenders:
                changes = {"network.cell": contender.cell, "seed": seed}
                directory = out / f"{contender.cell}-seed{seed}"
                model, result = run_experiment(
                    experiment.override(changes), directory, progress=progress
                )
                contender.models.append(model)
                contender.results.append(_seed_result(result))
                task.advance(f"{directory.name}: test {contender.results[-1].test_nll:.3f}")


def _seed_result(result: RunResult) -> SeedResult:
    """Keep of a run what a comparison sets side by side."""
    losses = {part: scores.values["nll"] for part, scores in result.scores.items()}
    return SeedResult(
        seed=result.seed,
        train_nll=losses["train"],
        valid_nll=losses["valid"],
        test_nll=losses["test"],
        best_epoch=result.best_epoch,
        epochs=result.epochs,
        seconds=result.seconds,
        seconds_per_epoch=result.seconds / result.epochs,
        curve=result.curve,
    )


def _collect(experiment: Experiment, contenders: Sequence[Contender], command: str) -> Comparison:
    return Comparison(
        dataset=experiment.data.title,
        title=experiment.title or experiment.data.title,
        parameters=experiment.network.parameters,
        epochs=experiment.training.epochs,
        threads=torch.get_num_threads(),
        machine=machine(),
        command=command,
        caveat=roll_task().caveat(experiment.network),
        results=[_cell_result(experiment, contender) for contender in contenders],
    )


def _cell_result(experiment: Experiment, contender: Contender) -> CellResult:
    published = None
    if not roll_task().caveat(experiment.network):
        dataset = experiment.data.title
        published = published_result(dataset, contender.cell, contender.parameters)
    return CellResult(
        cell=contender.cell,
        hidden_size=contender.hidden_size,
        parameters=contender.parameters,
        published=published.test_nll if published else None,
        published_source=published.source if published else None,
        seeds=contender.results,
    )


def _report(comparison: Comparison, contenders: Sequence[Contender], out: Path) -> Path:
    """Compose with every cell, follow its gradients, and write the page."""
    data = ROLL_SETS[comparison.dataset]
    splits = load_data(comparison.dataset)
    compositions: dict[str, Roll] = {}
    flows: dict[str, tuple[GradientFlow, GradientFlow]] = {}
    for contender in contenders:
        model = contender.models[0]
        if model.sees_the_future:
            continue
        roll = model.generate(COMPOSED_FRAMES, seed=1)
        write_midi(roll, out / f"{contender.cell}.mid", frames_per_beat=data.frames_per_beat)
        compositions[contender.cell] = roll
        flows[contender.cell] = gradient_flows(model, splits)
    long_enough = [roll for roll in splits.test if len(roll) >= COMPOSED_FRAMES]
    real = (long_enough or splits.test)[0][:COMPOSED_FRAMES]
    return write_comparison_report(
        out / "report.html", comparison, generated=compositions, real=real, flows=flows
    )


def gradient_flows(model: Model, splits: Splits) -> tuple[GradientFlow, GradientFlow]:
    """Follow the gradient of the last frame's loss back in time, before and after training.

    Args:
        model: a trained model; its untrained twin is drawn again from its seed.
        splits: the longest validation pieces are read, all up to the same frame, `FLOW_FRAMES` or
            the end of the shortest of them: the mean at every distance is then over all of them.
    """
    longest = sorted(splits.valid, key=len, reverse=True)[:FLOW_PIECES]
    frames = min(FLOW_FRAMES, max(1, len(longest[-1])))
    pieces = [roll[:frames] for roll in longest]
    feature: Any = model.task.input
    examples = [next_step(feature.encode(roll)) for roll in pieces]
    batch = next(BucketedBatches(examples, FLOW_PIECES, seed=0, shuffle=False).epoch(0))
    train = Table.from_columns({"roll": splits.train}, origin="train")
    untrained = untrained_network(model.experiment, model.task, train)
    before, after = (
        gradient_flow(
            cast(ManyToMany, network),
            batch.input,
            batch.target,
            feature.frame_nll,
            lengths=batch.lengths,
        )
        for network in (untrained, model.network)
    )
    return before, after
