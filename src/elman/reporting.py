"""The page of a run: what a trained model did with its test part, ready to be shown."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from elman.answers import Answers, answer
from elman.data.batching import Batch
from elman.data.table import Table
from elman.evaluation.scores import Scores
from elman.examples import evaluation_batches, is_stream
from elman.inspection.model_flow import model_gradient_flow
from elman.inspection.run_facts import (
    Bands,
    Column,
    CurvePoint,
    Flow,
    GeneratedRoll,
    GeneratedText,
    ImageInput,
    PredictedNumbers,
    PredictedSeries,
    RunFacts,
    SeriesInput,
    TaggedSentence,
    WeighedText,
    WrongAnswer,
)
from elman.inspection.run_report import write_run_report
from elman.model import Model
from elman.parts import Parts
from elman.task import values
from elman.training.history import EpochRecord

MISTAKES = 12
EXAMPLES = 6
ROWS = 400
"""Rows that examples are chosen from."""
LONGEST = 60
"""Words of an example; of a longer text the end is shown."""
STEPS_SHOWN = 2_000
FLOW_ROWS, FLOW_CANDIDATES = 8, 64
"""Rows that the gradient flow is measured on, and those they are chosen from."""
FLOW_STEPS = 16_000
"""Steps of all these rows together: of long rows there are fewer."""
FLOW_CUT = 1_000
"""Steps that are read of a row whose every step has a target."""
FEWEST_STEPS = 3
"""Steps of the shortest row whose gradient flow makes a curve."""


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
    shown = (parts.test if parts.test is not None else parts.valid).select(
        range(min(ROWS, len(parts.test if parts.test is not None else parts.valid)))
    )
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
        "target": target,
        "source": spec.data.title,
        "inputs": [Column(name, task.input.kind) for name in task.input_columns],
        "targets": [Column(name, task.target.kind) for name in task.target_columns],
        "parts": {name: len(part) for name, part in named.items() if part is not None},
        "notes": [*parts.notes, *task.notes],
        "curve": [
            CurvePoint(each.epoch, each.train_loss, each.valid_loss, each.score) for each in curve
        ],
        "selected": selected,
        "seconds": seconds,
        "seed": spec.seed,
        "machine": machine,
        "settings": {
            section: table for section, table in spec.to_values().items() if isinstance(table, dict)
        },
    }
    facts["flow"] = flow_of(model, parts.valid)
    return write_run_report(path, RunFacts(**(facts | _examples(model, shown))))


def _network(model: Model) -> str:
    """Say in a line what was built."""
    spec, category = model.experiment.network, model.task.category
    if category == "one-to-one":
        return f"dense layers of {', '.join(map(str, spec.head)) or 'no'} units"
    direction = "bidirectional " if spec.bidirectional else ""
    sizes = spec.hidden_size if isinstance(spec.hidden_size, list) else [spec.hidden_size]
    layers = len(sizes) if len(sizes) > 1 else spec.num_layers
    ends = f", {spec.pooling} pooling" if category == "many-to-one" else ""
    delay = f", delay {spec.delay}" if spec.delay else ""
    return f"{layers} × {direction}{spec.cell} of {'/'.join(map(str, sizes))} units{ends}{delay}"


def _examples(model: Model, table: Table) -> dict[str, Any]:
    """Choose what fits the task: mistakes, tags, bands along time, series, text, music."""
    task = model.task
    if task.predicts_next:
        return _generated(model)
    found = answer(task, model.network, table, model.experiment.training.batch_size)
    truths = [task.target.decode(task.target.encode(v)) for v in values(table, task.target_columns)]
    if task.objective["name"] == "ctc":
        return {"wrong": _mistakes(model, table, found._replace(probabilities=None), truths)}
    if task.target.kind in {"category", "labels"}:
        shown: dict[str, Any] = {"wrong": _mistakes(model, table, found, truths)}
        if task.input.kind in {"text", "symbols"} and task.target.kind == "category":
            shown["weighed"] = _weighed(model, table, found, truths)
            shown["weights_said"] = "gradient × input of each word, for the answer given"
        return shown
    if task.target.kind == "number":
        flat = [np.ravel(np.asarray(each, dtype=float))[0] for each in (*truths, *found.values)]
        half = len(truths)
        return {"numbers": PredictedNumbers(np.array(flat[:half]), np.array(flat[half:]))}
    if task.target.kind == "symbols" and task.input.kind in {"text", "symbols"}:
        return {"sentences": _sentences(model, table, found, truths)}
    if task.target.kind == "symbols":
        return {"bands": _bands(table, found, truths)}
    return {"series": _series(table, found, truths)}


def _generated(model: Model) -> dict[str, Any]:
    if model.sees_the_future:
        return {}
    if model.task.input.kind == "roll":
        rolls = [GeneratedRoll(f"seed {s}", model.generate(96, seed=s)) for s in (1, 2)]
        return {"rolls": rolls}
    if model.task.input.kind not in {"text", "symbols"}:
        return {}
    texts = []
    for temperature in (0.5, 0.8, 1.0):
        drawn = model.generate(400, seed=1, temperature=temperature)
        text = drawn if isinstance(drawn, str) else " ".join(map(str, drawn))
        texts.append(GeneratedText(text, how=f"temperature {temperature}, seed 1"))
    return {"texts": texts}


def _mistakes(
    model: Model, table: Table, found: Answers, truths: Sequence[Any]
) -> list[WrongAnswer]:
    """List wrong answers, those the model was surest of first."""
    wrong = [row for row, truth in enumerate(truths) if found.values[row] != truth]
    sure = {row: _surest(found, row) for row in wrong}
    wrong.sort(key=lambda row: -(sure[row] or 0.0))
    cells = list(values(table, model.task.input_columns))
    return [
        WrongAnswer(
            _input(cells[row], model.task.input.kind),
            _words(truths[row]),
            _words(found.values[row]),
            sure[row],
            table.where(row),
        )
        for row in wrong[:MISTAKES]
    ]


def _surest(found: Answers, row: int) -> float | None:
    return None if found.probabilities is None else float(found.probabilities[row].max())


def _words(value: Any) -> str:
    if isinstance(value, list | tuple):
        return ", ".join(map(str, value)) or "none"
    return str(value)


def _input(value: Any, kind: str) -> Any:
    """Show an input: a text as it is, numbers over time as lines, a grey picture as one."""
    if kind in {"series", "audio"} and not isinstance(value, str):
        lines = np.asarray(value, dtype=float)
        return SeriesInput(lines if lines.ndim == 1 or len(lines) > 1 else lines[0])
    if isinstance(value, np.ndarray) and value.ndim == 2 and value.dtype == np.uint8:
        return ImageInput(value)
    if isinstance(value, list | tuple):
        return " ".join(map(str, value))
    return str(value)


def _weighed(
    model: Model, table: Table, found: Answers, truths: Sequence[Any]
) -> list[WeighedText]:
    """Weigh the words of some texts, right and wrong answers in turn."""
    right = [row for row, truth in enumerate(truths) if found.values[row] == truth]
    wrong = [row for row, truth in enumerate(truths) if found.values[row] != truth]
    chosen = (right[: EXAMPLES // 2] + wrong[: EXAMPLES // 2])[:EXAMPLES]
    feature: Any = model.task.input
    by_character = getattr(feature, "level", "word") == "character"
    cells = list(values(table, model.task.input_columns))
    shown = []
    for row in chosen:
        encoded = feature.encode(cells[row])
        if not len(encoded):
            continue
        weights = gradient_times_input(model, encoded)
        words = [feature.decode(encoded[step : step + 1]) for step in range(len(encoded))]
        names = [word if isinstance(word, str) else _words(word) for word in words]
        shown.append(
            WeighedText(
                [name or "·" for name in names][-LONGEST:],
                weights[-LONGEST:],
                _words(truths[row]),
                _words(found.values[row]),
                _surest(found, row),
                table.where(row),
                "" if by_character else " ",
            )
        )
    return shown


def gradient_times_input(model: Model, encoded: Tensor) -> list[float]:
    """Return what each step adds to the score of the answer, to first order.

        a(t) = v(t) · ∂y(answer)/∂v(t)                v(t) the vector of step t

    Source: Shrikumar et al. 2016, arXiv:1605.01713; Denil et al. 2014, arXiv:1412.6815.

    Args:
        model: many-to-one, of classes.
        encoded: one input, (T, …).
    """
    caught: list[Tensor] = []

    def catch(_: Any, __: Any, vectors: Tensor) -> None:
        vectors.requires_grad_(True)
        vectors.retain_grad()
        caught.append(vectors)

    network: Any = model.network
    handle = network.inputs.register_forward_hook(catch)
    try:
        with torch.enable_grad():
            x = encoded[:, None].to(model.device)
            outputs, _ = network(x, lengths=torch.tensor([len(encoded)]))
            outputs[0].max().backward()
    finally:
        handle.remove()
        network.zero_grad(set_to_none=True)
    vectors = caught[0]
    if vectors.grad is None:
        return [0.0] * len(encoded)
    weights = (vectors.detach() * vectors.grad).sum(-1)[:, 0]
    return [float(weight) for weight in weights]


def _sentences(
    model: Model, table: Table, found: Answers, truths: Sequence[Any]
) -> list[TaggedSentence]:
    """Choose sentences with wrong tags, those with most of them first."""
    cells = list(values(table, model.task.input_columns))
    counted = []
    for row, truth in enumerate(truths):
        words = cells[row].split() if isinstance(cells[row], str) else list(cells[row])
        wrong = sum(a != b for a, b in zip(truth, found.values[row], strict=True))
        if wrong and len(words) == len(truth) <= LONGEST:
            counted.append((-wrong, row, words))
    counted.sort()
    return [
        TaggedSentence(
            [str(word) for word in words],
            [str(tag) for tag in truths[row]],
            [str(tag) for tag in found.values[row]],
            table.where(row),
        )
        for _, row, words in counted[:EXAMPLES]
    ]


def _bands(table: Table, found: Answers, truths: Sequence[Any]) -> list[Bands]:
    return [
        Bands(
            table.where(row),
            [str(name) for name in truth][:STEPS_SHOWN],
            [str(name) for name in found.values[row]][:STEPS_SHOWN],
        )
        for row, truth in enumerate(truths[:EXAMPLES])
    ]


def _series(table: Table, found: Answers, truths: Sequence[Any]) -> list[PredictedSeries]:
    shown = []
    for row, truth in enumerate(truths[:EXAMPLES]):
        real = np.asarray(truth, dtype=float).reshape(len(truth), -1)[:STEPS_SHOWN, 0]
        guess = np.asarray(found.values[row], dtype=float).reshape(len(truth), -1)
        if not math.isnan(float(np.nanmean(real))):
            shown.append(PredictedSeries(table.where(row), real, guess[:STEPS_SHOWN, 0]))
    return shown


def flow_of(model: Model, table: Table) -> Flow | None:
    """Measure the gradient flow of a model on a few rows; None where there is none to see.

    Args:
        model: trained; nothing of it is changed.
        table: rows with their answers. Those that are read have the median number of steps at
            least, so that the curve is long and of common rows.
    """
    network: Any = model.network
    batch = None if model.task.category == "one-to-one" else _flow_batch(model, table)
    if batch is None:
        return None
    directions = model_gradient_flow(network, batch)
    if not all(
        bool(flow.hidden.isfinite().all() & flow.hidden.any()) for flow in directions.values()
    ):
        return None
    per_step = model.task.category == "many-to-many"
    return Flow(
        directions,
        per_step,
        pooling="last" if per_step else model.experiment.network.pooling,
        delay=network.delay if per_step else 0,
    )


def _flow_batch(model: Model, table: Table) -> Batch | None:
    """Read a few rows with enough steps; None where there are none."""
    task = model.task
    if is_stream(task):
        batch = next(iter(evaluation_batches(task, table, 1).epoch(0)))
        return batch if len(batch.input) >= FEWEST_STEPS else None
    places = np.linspace(0, len(table) - 1, min(len(table), FLOW_CANDIDATES)).astype(np.int64)
    some = table.select(places)
    steps = [len(task.input.encode(value)) for value in values(some, task.input_columns)]
    enough = max(FEWEST_STEPS, float(np.median(steps)))
    rows = [row for row, count in enumerate(steps) if count >= enough][:FLOW_ROWS]
    if not rows:
        return None
    rows = rows[: max(1, FLOW_STEPS // max(steps[row] for row in rows))]
    batch = next(iter(evaluation_batches(task, some.select(rows), len(rows)).epoch(0)))
    if not batch.per_step or task.objective["name"] == "crf":  # whose tags may not end anywhere
        return batch
    return batch._replace(
        input=batch.input[:FLOW_CUT],
        target=batch.target[:FLOW_CUT],
        lengths=batch.lengths.clamp(max=FLOW_CUT),
    )
