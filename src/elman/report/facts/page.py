"""The page of a run: what a trained model did with its test part, ready to be shown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from elman.evaluation.measures import MEASURES
from elman.evaluation.scores import Scores
from elman.models.model import Model
from elman.report.facts.examples import examples_of
from elman.report.facts.flow import flow_of
from elman.report.run.facts import Column, CurvePoint, RunFacts
from elman.report.run.page import write_run_report
from elman.report.style import label
from elman.tasks.columns import AFTER
from elman.tasks.parts import Parts
from elman.training.history import EpochRecord

ROWS = 400
"""Rows that examples are chosen from."""
LOSS_UNITS = {
    "classification": "nats a row",
    "labelling": "nats a row",
    "tagging": "nats a step",
    "crf": "nats a step",
    "ctc": "nats a row",
    "language-model": "nats a symbol",
    "conditional-language-model": "nats a symbol",
    "roll": "nats a frame",
}
"""Objective → what its loss is in; that of a regression is of scaled targets, without a unit."""
_READ = {
    "first": "at the first step alone",
    "state": "as the initial state",
    "each": "at each step",
}
"""Conditioning of a one-to-many network → when its input is read."""


def write_page(
    path: Path,
    model: Model,
    parts: Parts,
    scores: dict[str, Scores],
    curve: Sequence[EpochRecord],
    *,
    selected: int,
    seconds: float,
    machine: str = "",
) -> Path:
    """Write the page of one run.

    Args:
        path: of the HTML file.
        model: trained.
        parts: of the data it was trained on; examples come from its test part.
        scores: part → scores; the headline speaks of the last part.
        curve: an epoch each.
        selected: the epoch whose weights were kept.
        seconds: of training.
        machine: what trained.
    """
    part = parts.valid if parts.test is None else parts.test
    shown = part.select(range(min(ROWS, len(part))))
    task, spec = model.task, model.experiment
    named = {"train": parts.train, "valid": parts.valid, "test": parts.test}
    target = ", ".join(task.target_columns)
    facts: dict[str, Any] = {
        "title": spec.title or f"{spec.data.title}: {', '.join(task.input_columns)} → {target}",
        "category": task.category,
        "cell": spec.network.cell if task.category != "one-to-one" else "",
        "network": _network(model),
        "parameters": model.parameters,
        "scores": scores,
        "target": ", ".join(map(_in_words, task.target_columns)),
        "source": spec.data.title,
        "inputs": [Column(name, task.input.kind) for name in task.input_columns],
        "targets": [Column(name, task.target.kind) for name in task.target_columns],
        "parts": {name: len(part) for name, part in named.items() if part is not None},
        "notes": [*parts.notes, *task.notes],
        "curve": [
            CurvePoint(each.epoch, each.train_loss, each.valid_loss, each.score) for each in curve
        ],
        "loss_unit": LOSS_UNITS.get(task.objective["name"], "loss, of scaled targets"),
        "score_title": _score_title(scores),
        "selected": selected,
        "seconds": seconds,
        "seed": spec.seed,
        "machine": machine,
        "settings": {
            section: table for section, table in spec.to_values().items() if isinstance(table, dict)
        },
        "flow": flow_of(model, parts.valid),
    }
    return write_run_report(path, RunFacts(**(facts | examples_of(model, shown))))


def _in_words(column: str) -> str:
    """Name a target, also one that stands for the value after a window."""
    name = column.removeprefix(AFTER)
    return f"next value of {name}" if name != column else column


def _score_title(scores: Mapping[str, Scores]) -> str:
    """Name what the curve of the validation part's score shows: the higher, the better."""
    measure = MEASURES[list(scores.values())[-1].main]
    return measure.title if measure.higher_is_better else f"− {measure.title.lower()}"


def _network(model: Model) -> str:
    """Say in a line what was built."""
    spec, category = model.experiment.network, model.task.category
    network: Any = model.network
    if category == "one-to-one":
        dense = f"dense layers of {', '.join(map(str, spec.head)) or 'no'} units"
        return f"convolutional layers, {dense}" if model.task.input.kind == "image" else dense
    if category == "one-to-many":
        read = _READ[network.conditioning]
        pictured = "convolutional layers, then " if model.task.input.kind == "image" else ""
        return f"{pictured}{_layers(network.decoder.recurrent)}, its input read {read}"
    if model.task.forecasts:
        return f"{_layers(network.recurrent)}, over the past and the horizon"
    if category == "encoder-decoder":
        return f"encoder: {_layers(network.encoder)}; decoder: {_decoder(network)}"
    ends = f", {spec.pooling} pooling" if category == "many-to-one" else ""
    delay = f", delay {spec.delay}" if spec.delay else ""
    return f"{_layers(network.recurrent)}{ends}{delay}"


def _layers(recurrent: Any) -> str:
    """Say what a stack of recurrent layers is."""
    options = recurrent.options
    direction = "bidirectional " if options.bidirectional else ""
    sizes = options.hidden_sizes
    units = "/".join(map(str, sizes if len(set(sizes)) > 1 else sizes[:1]))
    return f"{len(sizes)} × {direction}{label(options.cell.name)} of {units} units"


def _decoder(network: Any) -> str:
    """Say what the decoder of an encoder–decoder is, and what it reads of the encoder."""
    decoder = network.decoder
    attention = decoder.attention
    reads = [_layers(decoder.recurrent)]
    reads.append("no attention" if attention is None else f"{attention.kind} attention")
    if decoder.input_feeding:
        reads.append("input feeding")
    if decoder.feedback.table is None:
        reads.append("no feedback")
    return ", ".join(reads)
