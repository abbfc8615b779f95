"""What a network that writes has written, chosen to be looked at beside the truth."""

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
    write_answers,
)
from elman.report.facts.inputs import shown_input
from elman.report.run.facts import AttendedAnswer, WrittenAnswer, WrittenSamples
from elman.tasks.task import Task

BEST, MIDDLE, WORST = 3, 3, 6
"""Rows shown of each group."""
PICTURES = 8
MAPS = 4
MOST_STEPS = 24
"""Steps of a source, and symbols of an answer, that a map of attention has at most."""
INPUTS, DRAWN = 8, 12
"""Inputs of which samples are shown, and samples drawn of each."""
TEMPERATURE, SEED = 0.8, 1
GOES_ON = "·"
"""Begins the name of a byte pair that stands without a space before it."""


class _Written(NamedTuple):
    """What was written of a row, and the truth it is nearest to."""

    row: int
    truth: Any
    answer: Any
    hypothesis: Hypothesis
    nearness: float
    """The greater, the nearer: of texts chrF; of symbols − edits a symbol."""


def written_examples(model: Model, table: Table) -> dict[str, Any]:
    """Choose what to show of what a network wrote.

    Of a text, a series or a picture: answers near to the truth, and far from it, and what was
    attended to. Of a value that says little, such as a language, no one answer is right: there
    some answers are drawn beside the likeliest.

    Args:
        model: that writes.
        table: rows with their truths.

    Returns:
        Fields of `RunFacts`.
    """
    task = model.task
    if not task.input.has_steps and not task.input.is_picture:
        return {
            "samples": _samples(model, table),
            "samples_said": "Likeliest: as predictions are made. Drawn: at temperature "
            f"{TEMPERATURE:g}, one seed after another from {SEED}. True: of the same input.",
        }
    table, truths = _with_truths(task, table)
    written = _written(model, table, truths)
    pictured = task.input.is_picture
    measure = "chrF" if task.target.has_words else "edits a symbol"
    return {
        "captions": _shown(model, table, written[:PICTURES]) if pictured else [],
        "written": {title: _shown(model, table, some) for title, some in _groups(written).items()},
        "written_said": f"By their own {measure}, of {counted(len(written), 'row')}.",
        "attended": _attended(model, table, written),
        "attended_said": _signs(task),
    }


def _with_truths(task: Task, table: Table) -> tuple[Table, list[list[Any]]]:
    """Return the rows and what is true of each; every picture once, with all that is said of it."""
    truths = [task.target.as_given(value) for value in table.values(task.target_columns)]
    if task.input.is_picture:
        return with_several_references(task, table, truths)
    return table, [[truth] for truth in truths]


def _written(model: Model, table: Table, truths: Sequence[Sequence[Any]]) -> list[_Written]:
    """Answer all rows, and see how near each answer comes to the nearest of its truths."""
    task, spec = model.task, model.experiment
    options = decoding_options(spec.decoding)
    found = write_answers(task, model.network, table, spec.training.batch_size, options)
    written = []
    for row, ((best, *_), its) in enumerate(zip(found, truths, strict=True)):
        answer = task.target.decode(best.ids)
        near = _nearness(task, its, answer)
        nearest = near.index(max(near))
        written.append(_Written(row, its[nearest], answer, best, near[nearest]))
    return written


def _nearness(task: Task, truths: Sequence[Any], answer: Any) -> list[float]:
    """Measure an answer against each of its truths, as the whole part is measured."""
    if task.target.has_words:
        return row_chrf(truths, [answer] * len(truths), lowercase=task.target.drops_case)
    return [-edit_distance(truth, answer) / max(1, len(truth)) for truth in truths]


def _groups(written: Sequence[_Written]) -> dict[str, list[_Written]]:
    """Choose the best, best first; some from the middle; the worst, worst first; long ones first.

    No row is in two groups.
    """
    long_first = sorted(written, key=lambda each: -len(each.truth))
    order = sorted(long_first, key=lambda each: -each.nearness)
    if all(each.answer == each.truth for each in order):
        return {"All are right": order[: BEST + MIDDLE + WORST]}
    best = {each.row for each in order[:BEST]}
    others = [each for each in long_first if each.row not in best]
    worst = sorted(others, key=lambda each: each.nearness)[:WORST]
    shown = best | {each.row for each in worst}
    left = [each for each in order if each.row not in shown]
    start = max(0, (len(left) - MIDDLE) // 2)
    return {
        "The best": order[:BEST],
        "From the middle": left[start : start + MIDDLE],
        "The worst": worst,
    }


def _shown(model: Model, table: Table, written: Sequence[_Written]) -> list[WrittenAnswer]:
    """Lay out answers beside their truths and inputs."""
    task = model.task
    chosen = table.select([each.row for each in written])
    shown = []
    for place, cell in enumerate(chosen.values(task.input_columns)):
        each = written[place]
        separator = _separator(task, each)
        shown.append(
            WrittenAnswer(
                shown_input(task, cell),
                _pieces(each.truth, separator),
                _pieces(each.answer, separator),
                _score(task, each),
                chosen.where(place),
                separator,
                task.target.drops_case,
            )
        )
    return shown


def _score(task: Task, written: _Written) -> str:
    """Say how near an answer comes."""
    if task.target.has_words:
        said = f"chrF {written.nearness:.1f}"
    else:
        edits = edit_distance(written.truth, written.answer)
        said = f"{counted(edits, 'edit')}, {counted(len(written.truth), 'symbol')}"
    return said if written.hypothesis.finished else f"{said}, cut off"


def _separator(task: Task, written: _Written) -> str:
    """Say what stands between two pieces: nothing where they are characters, as of one word."""
    if not task.target.is_text:
        return " "
    return " " if task.target.has_words and " " in f"{written.truth}{written.answer}" else ""


def _pieces(value: Any, separator: str) -> list[str]:
    """Cut an answer or a truth into words, characters or symbols."""
    if isinstance(value, str):
        return value.split() if separator else list(value)
    return [UNKNOWN if symbol is None else str(symbol) for symbol in value]


def _attended(model: Model, table: Table, written: Sequence[_Written]) -> list[AttendedAnswer]:
    """Map the attention of some rows of moderate length."""
    task, spec = model.task, model.experiment
    network: Any = model.network
    rows = [] if network.decoder.attention is None else _moderate(task, table, written)
    if not rows:
        return []
    some, options = table.select(rows), decoding_options(spec.decoding)
    maps = attention_maps(task, network, some, spec.training.batch_size, options)
    attended = []
    for place, each in enumerate(maps):
        read, weights = _joined(task, each.source, each.weights.double().numpy())
        names = [*_names(task.target, each.written[:-1]), each.written[-1]]
        attended.append(AttendedAnswer(read, names, weights, some.where(place)))
    return attended


def _moderate(task: Task, table: Table, written: Sequence[_Written]) -> list[int]:
    """Choose rows whose sources have about the median number of steps, each source once."""
    sources: dict[bytes, tuple[int, int]] = {}
    for each, cell in zip(written, table.values(task.input_columns), strict=True):
        source = task.input.encode(cell)
        fits = len(source) <= MOST_STEPS or not task.input.writable
        if len(source) > 1 and fits and 0 < len(each.hypothesis.ids) < MOST_STEPS:
            sources.setdefault(source.numpy().tobytes(), (len(source), each.row))
    if not sources:
        return []
    median = np.median([steps for steps, _ in sources.values()])
    order = sorted(sources.values(), key=lambda each: abs(each[0] - median))
    return [row for _, row in order[:MAPS]]


def _joined(task: Task, names: Sequence[str], weights: Any) -> tuple[list[str], Any]:
    """Name the steps of a source; of a long one without names join some that follow each other."""
    if task.input.writable:
        return _names(task.input, names), weights
    starts = np.arange(0, len(names), -(-len(names) // MOST_STEPS))
    ends = [*starts[1:], len(names)]
    spans = zip(starts.tolist(), ends, strict=True)
    joined = [f"{a + 1}" if b - a == 1 else f"{a + 1}–{b}" for a, b in spans]
    return joined, np.add.reduceat(weights, starts, axis=1)


def _names(feature: Any, pieces: Sequence[str]) -> list[str]:
    """Name symbols so that spaces are seen: which byte pairs begin a word, and which go on."""
    if feature.joined:
        names = [piece.strip() or "␣" for piece in pieces]
        goes_on = [place > 0 and not piece[:1].isspace() for place, piece in enumerate(pieces)]
        return [f"{GOES_ON * on}{name}" for on, name in zip(goes_on, names, strict=True)]
    return ["␣" if piece.isspace() else piece for piece in pieces]


def _signs(task: Task) -> str:
    """Say what the signs in names of steps and symbols mean."""
    said = f"{END} is the end of the answer."
    if not (task.input.joined or task.target.joined):
        return said
    return f"{said} A byte pair with {GOES_ON} goes on without a space."


def _samples(model: Model, table: Table) -> list[WrittenSamples]:
    """Write of the commonest inputs: the likeliest, and some drawn."""
    task, spec, network = model.task, model.experiment, model.network
    inputs = [str(shown_input(task, value)) for value in table.values(task.input_columns)]
    truths = [task.target.as_given(value) for value in table.values(task.target_columns)]
    names = [name for name, _ in Counter(inputs).most_common(INPUTS)]
    rows = [inputs.index(name) for name in names]
    size = spec.training.batch_size
    searched = decoding_options(spec.decoding)
    likeliest = write_answers(task, network, table.select(rows), size, searched)
    bold = decoding_options(spec.decoding, temperature=TEMPERATURE, beam_size=1)
    drawn = write_answers(
        task,
        network,
        table.select([row for row in rows for _ in range(DRAWN)]),
        size,
        bold,
        generators=generators(SEED, len(rows) * DRAWN),
    )
    return [
        WrittenSamples(
            name,
            _text(task, likeliest[place]),
            _counted(_text(task, each) for each in drawn[place * DRAWN : (place + 1) * DRAWN]),
            _some([truth for given, truth in zip(inputs, truths, strict=True) if given == name]),
        )
        for place, name in enumerate(names)
    ]


def _some(truths: Sequence[Any]) -> list[str]:
    """Take as many truths as are drawn, from the first to the last."""
    chosen = np.unique(np.linspace(0, len(truths) - 1, DRAWN).astype(np.int64))
    return _counted(_joined_pieces(truths[place]) for place in chosen)


def _counted(texts: Iterable[str]) -> list[str]:
    """List texts once each, and say how often one was there."""
    return [
        text if times == 1 else f"{text} ({times}\N{NO-BREAK SPACE}times)"
        for text, times in Counter(texts).items()
    ]


def _text(task: Task, hypotheses: Sequence[Hypothesis]) -> str:
    """Write the best hypothesis as a text, with dots where it was cut off."""
    best = hypotheses[0]
    return _joined_pieces(task.target.decode(best.ids)) + ("" if best.finished else " …")


def _joined_pieces(value: Any) -> str:
    return value if isinstance(value, str) else " ".join(_pieces(value, " "))
