"""Outputs of a network that writes, chosen to be shown beside their targets."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np

from elman.data.table import Table
from elman.errors import counted
from elman.evaluation.transcription import edit_distance
from elman.evaluation.translation import row_chrf
from elman.features.vocabulary import UNKNOWN
from elman.models.model import Model
from elman.networks.decoding import Hypothesis
from elman.prediction.written import (
    END,
    attention_maps,
    decoding_options,
    generators,
    with_several_references,
    write_rows,
)
from elman.report.facts.inputs import shown_input
from elman.report.run.facts import AttendedOutput, WrittenOutput, WrittenSamples
from elman.tasks.task import Task

BEST, MIDDLE, WORST = 3, 3, 6
"""Rows shown in each group."""
PICTURES = 8
MAPS = 4
MOST_STEPS = 24
"""Maximum number of source steps, and of output symbols, in an attention map."""
INPUTS, SAMPLES = 8, 12
"""Inputs for which samples are shown, and samples for each."""
TEMPERATURE, SEED = 0.8, 1
JOINED = "·"
"""Prefix of a byte pair that continues a word, without a space before it."""


class _Output(NamedTuple):
    """The output for a row, and the target that it is nearest to."""

    row: int
    truth: Any
    value: Any
    hypothesis: Hypothesis
    similarity: float
    """The greater, the nearer: chrF of texts; − edits per symbol of symbols."""


def written_examples(model: Model, table: Table) -> dict[str, Any]:
    """Choose which outputs of a network to show.

    For a text, a series or a picture: outputs near to their targets and far from them, and what
    they attended to. For a value that says little, such as a language, no single output is right:
    there some are sampled beside the most likely one.

    Args:
        model: that writes.
        table: rows with their targets.

    Returns:
        Fields of `RunFacts`.
    """
    task = model.task
    if not task.input.has_steps and not task.input.is_picture:
        return {
            "samples": _samples(model, table),
            "samples_note": "Decoded: as for predictions. Sampled: at temperature "
            f"{TEMPERATURE:g}, with seeds from {SEED} on. True: targets of the same input.",
        }
    table, truths = _with_truths(task, table)
    outputs = _outputs(model, table, truths)
    pictured = task.input.is_picture
    measure = "chrF" if task.target.has_words else "edits per symbol"
    return {
        "captions": _shown(model, table, outputs[:PICTURES]) if pictured else [],
        "written": {
            title: _shown(model, table, group) for title, group in _groups(outputs).items()
        },
        "written_note": f"Ranked by {measure}, out of {counted(len(outputs), 'row')}.",
        "attended": _attended(model, table, outputs),
        "attended_note": _signs(task),
    }


def _with_truths(task: Task, table: Table) -> tuple[Table, list[list[Any]]]:
    """Return the rows and the targets of each; every picture once, with all its captions."""
    truths = [task.target.as_given(value) for value in table.values(task.target_columns)]
    if task.input.is_picture:
        return with_several_references(task, table, truths)
    return table, [[truth] for truth in truths]


def _outputs(model: Model, table: Table, truths: Sequence[Sequence[Any]]) -> list[_Output]:
    """Decode all rows, and compare each output with the nearest of its targets."""
    task, spec = model.task, model.experiment
    options = decoding_options(spec.decoding)
    hypotheses = write_rows(task, model.network, table, spec.training.batch_size, options)
    outputs = []
    for row, ((best, *_), references) in enumerate(zip(hypotheses, truths, strict=True)):
        value = task.target.as_given(task.target.decode(best.ids))
        similarities = _similarities(task, references, value)
        nearest = similarities.index(max(similarities))
        outputs.append(_Output(row, references[nearest], value, best, similarities[nearest]))
    return outputs


def _similarities(task: Task, truths: Sequence[Any], value: Any) -> list[float]:
    """Compare an output with each of its targets, by the score of the whole part."""
    if task.target.has_words:
        return row_chrf(truths, [value] * len(truths), lowercase=task.target.drops_case)
    return [-edit_distance(truth, value) / max(1, len(truth)) for truth in truths]


def _groups(outputs: Sequence[_Output]) -> dict[str, list[_Output]]:
    """Choose the best, best first; some around the median; the worst, worst first.

    No row is in two groups; of equal ones the longer come first.
    """
    long_first = sorted(outputs, key=lambda each: -len(each.truth))
    order = sorted(long_first, key=lambda each: -each.similarity)
    if all(each.value == each.truth for each in order):
        return {"All correct": order[: BEST + MIDDLE + WORST]}
    best = {each.row for each in order[:BEST]}
    others = [each for each in long_first if each.row not in best]
    worst = sorted(others, key=lambda each: each.similarity)[:WORST]
    shown = best | {each.row for each in worst}
    left = [each for each in order if each.row not in shown]
    start = max(0, (len(left) - MIDDLE) // 2)
    return {
        "Best": order[:BEST],
        "Median": left[start : start + MIDDLE],
        "Worst": worst,
    }


def _shown(model: Model, table: Table, outputs: Sequence[_Output]) -> list[WrittenOutput]:
    """Lay out outputs beside their targets and inputs."""
    task = model.task
    chosen = table.select([each.row for each in outputs])
    shown = []
    for place, cell in enumerate(chosen.values(task.input_columns)):
        each = outputs[place]
        separator = _separator(task, each)
        shown.append(
            WrittenOutput(
                shown_input(task, cell),
                _pieces(each.truth, separator),
                _pieces(each.value, separator),
                _score(task, each),
                chosen.where(place),
                separator,
                task.target.drops_case,
            )
        )
    return shown


def _score(task: Task, output: _Output) -> str:
    """Say how near an output is to its target."""
    if task.target.has_words:
        score = f"chrF {output.similarity:.1f}"
    else:
        edits = edit_distance(output.truth, output.value)
        score = f"{counted(edits, 'edit')}, {counted(len(output.truth), 'symbol')}"
    return score if output.hypothesis.finished else f"{score}, cut off"


def _separator(task: Task, output: _Output) -> str:
    """Return what separates two pieces: nothing where they are characters."""
    if not task.target.is_text:
        return " "
    return " " if task.target.has_words and " " in f"{output.truth}{output.value}" else ""


def _pieces(value: Any, separator: str) -> list[str]:
    """Split an output or a target into words, characters or symbols."""
    if isinstance(value, str):
        return value.split() if separator else list(value)
    return [UNKNOWN if symbol is None else str(symbol) for symbol in value]


def _attended(model: Model, table: Table, outputs: Sequence[_Output]) -> list[AttendedOutput]:
    """Return the attention maps of some rows of moderate length."""
    task, spec = model.task, model.experiment
    network: Any = model.network
    rows = [] if network.decoder.attention is None else _moderate(task, table, outputs)
    if not rows:
        return []
    chosen, options = table.select(rows), decoding_options(spec.decoding)
    maps = attention_maps(task, network, chosen, spec.training.batch_size, options)
    attended = []
    for place, each in enumerate(maps):
        source, weights = _joined_steps(task, each.source, each.weights.double().numpy())
        names = [*_names(task.target, each.written[:-1]), each.written[-1]]
        attended.append(AttendedOutput(source, names, weights, chosen.where(place)))
    return attended


def _moderate(task: Task, table: Table, outputs: Sequence[_Output]) -> list[int]:
    """Choose rows whose sources have about the median number of steps, each source once."""
    sources: dict[bytes, tuple[int, int]] = {}
    for each, cell in zip(outputs, table.values(task.input_columns), strict=True):
        source = task.input.encode(cell)
        fits = len(source) <= MOST_STEPS or not task.input.writable
        if len(source) > 1 and fits and 0 < len(each.hypothesis.ids) < MOST_STEPS:
            sources.setdefault(source.numpy().tobytes(), (len(source), each.row))
    if not sources:
        return []
    median = np.median([steps for steps, _ in sources.values()])
    order = sorted(sources.values(), key=lambda each: abs(each[0] - median))
    return [row for _, row in order[:MAPS]]


def _joined_steps(task: Task, names: Sequence[str], weights: Any) -> tuple[list[str], Any]:
    """Name the steps of a source; of a long series, join neighbouring steps."""
    if task.input.writable:
        return _names(task.input, names), weights
    starts = np.arange(0, len(names), -(-len(names) // MOST_STEPS))
    ends = [*starts[1:], len(names)]
    spans = zip(starts.tolist(), ends, strict=True)
    joined = [f"{a + 1}" if b - a == 1 else f"{a + 1}–{b}" for a, b in spans]
    return joined, np.add.reduceat(weights, starts, axis=1)


def _names(feature: Any, pieces: Sequence[str]) -> list[str]:
    """Name symbols with visible spaces: which byte pairs begin a word, and which continue one."""
    if feature.joined:
        names = [piece.strip() or "␣" for piece in pieces]
        joined = [place > 0 and not piece[:1].isspace() for place, piece in enumerate(pieces)]
        return [f"{JOINED * each}{name}" for each, name in zip(joined, names, strict=True)]
    return ["␣" if piece.isspace() else piece for piece in pieces]


def _signs(task: Task) -> str:
    """Explain the signs in the names of steps and symbols."""
    end = f"{END} is the end of the output."
    if not (task.input.joined or task.target.joined):
        return end
    return f"{end} A byte pair with {JOINED} continues a word."


def _samples(model: Model, table: Table) -> list[WrittenSamples]:
    """Decode the most frequent inputs: the most likely output, and some samples."""
    task, spec, network = model.task, model.experiment, model.network
    inputs = [str(shown_input(task, value)) for value in table.values(task.input_columns)]
    truths = [task.target.as_given(value) for value in table.values(task.target_columns)]
    names = [name for name, _ in Counter(inputs).most_common(INPUTS)]
    rows = [inputs.index(name) for name in names]
    size = spec.training.batch_size
    decoding = decoding_options(spec.decoding)
    likeliest = write_rows(task, network, table.select(rows), size, decoding)
    sampling = decoding_options(spec.decoding, temperature=TEMPERATURE, beam_size=1)
    sampled = write_rows(
        task,
        network,
        table.select([row for row in rows for _ in range(SAMPLES)]),
        size,
        sampling,
        generators=generators(SEED, len(rows) * SAMPLES),
    )
    return [
        WrittenSamples(
            name,
            _text(task, likeliest[place]),
            _counted(
                _text(task, each) for each in sampled[place * SAMPLES : (place + 1) * SAMPLES]
            ),
            _some([truth for value, truth in zip(inputs, truths, strict=True) if value == name]),
        )
        for place, name in enumerate(names)
    ]


def _some(truths: Sequence[Any]) -> list[str]:
    """Take as many targets as samples, evenly spread."""
    chosen = np.unique(np.linspace(0, len(truths) - 1, SAMPLES).astype(np.int64))
    return _counted(_joined_text(truths[place]) for place in chosen)


def _counted(texts: Iterable[str]) -> list[str]:
    """List each text once, with how often it occurs."""
    return [
        text if times == 1 else f"{text} ({times}\N{NO-BREAK SPACE}times)"
        for text, times in Counter(texts).items()
    ]


def _text(task: Task, hypotheses: Sequence[Hypothesis]) -> str:
    """Return the best hypothesis as a text, with dots where it was cut off."""
    best = hypotheses[0]
    return _joined_text(task.target.decode(best.ids)) + ("" if best.finished else " …")


def _joined_text(value: Any) -> str:
    return value if isinstance(value, str) else " ".join(_pieces(value, " "))
