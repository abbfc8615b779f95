"""What a network that writes makes of the rows of a table; and how good that is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pad_sequence

from elman.batches.batching import NO_LABEL
from elman.data.table import Table
from elman.errors import OptionError
from elman.evaluation.language import bits_per_character, perplexity
from elman.evaluation.scores import Scores, score
from elman.evaluation.translation import sacrebleu
from elman.experiment.decoder import WRITERS, DecodingSpec
from elman.networks.decoding import DecodingOptions, Hypothesis, decode
from elman.tasks.batches import evaluation_batches, input_batches
from elman.tasks.task import Task

END = "∎"
"""How the end of an answer is shown."""

LONGEST = 100
"""Symbols of an answer at most, where an experiment does not say."""

_TOLD_LITTLE = frozenset({"category", "labels"})
"""Kinds of input of which no one answer is right: what is written is measured by its likelihood."""


BY_SACREBLEU = frozenset({"caption", "translation"})
"""Kinds of score that need sacreBLEU."""


class Written(NamedTuple):
    """One of the answers that a network wrote to a row."""

    value: Any
    """Decoded: as the data would have it."""
    log_probability: float
    """Of all its symbols and its end, in nats."""
    score: float
    """What it was compared with others by, see `DecodingOptions.length_penalty`."""
    finished: bool
    """Whether it ended by itself, not at the greatest length."""


class AttentionMap(NamedTuple):
    """What a decoder looked at while it wrote."""

    source: list[str]
    """Symbols that were read, S."""
    written: list[str]
    """Symbols that were written, U, and the end."""
    weights: Tensor
    """(U + 1, S); each row sums to 1."""


def writes(task: Task) -> bool:
    """Tell whether the answer is a sequence of its own length."""
    return task.category in WRITERS and not task.forecasts


def decoding_options(spec: DecodingSpec, **changed: Any) -> DecodingOptions:
    """Return the options of an experiment, some of them changed.

    Raises:
        OptionError: a value is out of its range, or two contradict each other.
    """
    said = spec.model_dump(exclude_none=True)
    return DecodingOptions(**{"max_length": LONGEST, **said, **changed})


def note_of_long_targets(task: Task, train: Table, spec: DecodingSpec) -> str | None:
    """Say how many answers of the training part are longer than any that may be written."""
    if not writes(task) or spec.max_length is None:
        return None
    lengths = [len(task.target.encode(value)) for value in train.values(task.target_columns)]
    longer = sum(length > spec.max_length for length in lengths)
    if not longer:
        return None
    return (
        f"{longer} of {len(lengths)} answers to learn from have more than decoding.max_length = "
        f"{spec.max_length} symbols, at which what is written ends; the longest has {max(lengths)}."
    )


def generators(seed: int, rows: int) -> list[torch.Generator]:
    """Make a generator a row, so that what is drawn for one does not depend on the others.

    Raises:
        OptionError: the seed is out of range.
    """
    if not 0 <= seed < 2**63:
        raise OptionError(f"seed must lie in 0 … 2⁶³ − 1, got {seed}.")
    return [torch.Generator().manual_seed((seed + row) % 2**63) for row in range(rows)]


@torch.no_grad()
def write_answers(
    task: Task,
    network: Any,
    table: Table,
    batch_size: int,
    options: DecodingOptions,
    *,
    prefixes: Sequence[Tensor] | None = None,
    generators: Sequence[torch.Generator] | None = None,
) -> list[list[Hypothesis]]:
    """Write an answer to every row of a table.

    Args:
        task: what is asked.
        network: that writes; left in evaluation mode.
        table: with the input's columns.
        batch_size: rows at a time.
        options: of the decoding.
        prefixes: what each answer begins with, ids, one a row; None for nothing.
        generators: of the drawing, one a row, where options draw.

    Returns:
        For every row its hypotheses, best first.

    Raises:
        DataError: a value cannot be taken.
    """
    network.eval()
    if not len(table):
        return []
    device = next(network.parameters()).device
    boundary: int = network.objective.boundary
    found: list[list[Hypothesis]] = [[] for _ in range(len(table))]
    batches, order = input_batches(task, table, batch_size)
    rows = iter(order)
    for batch in batches:
        batch = batch.to(device)
        its = [next(rows) for _ in range(len(batch.lengths))]
        hypotheses = decode(
            network.step,
            network.begin(batch.input, batch.lengths),
            torch.full((len(its),), boundary, device=device),
            end=boundary,
            options=options,
            prefixes=None if prefixes is None else [prefixes[row] for row in its],
            generator=None if generators is None else [generators[row] for row in its],
        )
        for row, best in zip(its, hypotheses, strict=True):
            found[row] = best
    return found


def distinct(feature: Any, hypotheses: Sequence[Hypothesis]) -> list[Written]:
    """Decode hypotheses; of several that spell the same, the first is kept."""
    found: dict[str, Written] = {}
    for each in hypotheses:
        value = feature.decode(each.ids)
        answer = Written(value, each.log_probability, each.score, each.finished)
        found.setdefault(repr(value), answer)
    return list(found.values())


@torch.no_grad()
def attention_maps(
    task: Task, network: Any, table: Table, batch_size: int, options: DecodingOptions
) -> list[AttentionMap]:
    """Write an answer to every row, and say what was looked at for each of its symbols.

    Args:
        task: what is asked.
        network: an encoder–decoder with attention.
        table: with the input's columns.
        batch_size: rows at a time.
        options: of the decoding.

    Raises:
        OptionError: the network has no attention.
    """
    decoder = getattr(network, "decoder", None)
    if decoder is None or decoder.attention is None:
        raise OptionError(
            "this model looks at no source while it writes; train one with decoder.attention."
        )
    answers = [best[0].ids for best in write_answers(task, network, table, batch_size, options)]
    device = next(network.parameters()).device
    maps: list[Any] = [None] * len(table)
    batches, order = input_batches(task, table, batch_size)
    rows = iter(order)
    for batch in batches:
        batch = batch.to(device)
        its = [next(rows) for _ in range(len(batch.lengths))]
        target = pad_sequence([answers[row] for row in its], padding_value=NO_LABEL).to(device)
        forced = network.objective.teacher_forced(target, len(its))
        state = network.begin(batch.input, batch.lengths)
        weights = decoder.attend(forced.read, state, lengths=forced.lengths).cpu()
        for place, row in enumerate(its):
            steps, symbols = int(batch.lengths[place]), int(forced.lengths[place])
            maps[row] = AttentionMap(
                _pieces(task.input, batch.input[:steps, place].cpu()),
                [*_pieces(task.target, answers[row]), END],
                weights[:symbols, place, :steps],
            )
    return maps


def _pieces(feature: Any, encoded: Tensor) -> list[str]:
    """Decode symbols one by one, as they are shown; what has none is counted."""
    if feature.kind not in {"text", "symbols"}:
        return [str(step) for step in range(1, len(encoded) + 1)]
    pieces = [feature.decode(encoded[step : step + 1]) for step in range(len(encoded))]
    return [piece if isinstance(piece, str) else " ".join(piece) for piece in pieces]


@torch.no_grad()
def likelihood(
    task: Task, network: Any, table: Table, batch_size: int
) -> tuple[list[list[int]], list[list[int]], float]:
    """Read the true answers, symbol by symbol.

    Returns:
        Of every row the symbols to be written, its boundary last; what the network would have
        written at each step, told the truth so far; and the mean negative log-likelihood of a
        symbol in nats, boundaries included.
    """
    network.eval()
    device = next(network.parameters()).device
    truths: list[list[int]] = []
    answers: list[list[int]] = []
    nats = 0.0
    for batch in evaluation_batches(task, table, batch_size).epoch(0):
        batch = batch.to(device)
        outputs, _ = network(batch.input, lengths=batch.lengths, target=batch.target)
        nats += float(network.objective.step_nll(outputs, batch.target).double().sum())
        forced = network.objective.teacher_forced(batch.target, outputs.size(1))
        likeliest = outputs.argmax(-1)
        for row, steps in enumerate(forced.lengths.tolist()):
            truths.append(forced.written[:steps, row].tolist())
            answers.append(likeliest[:steps, row].tolist())
    return truths, answers, nats / sum(map(len, truths))


def kind_of_scores(task: Task) -> str:
    """Say by which kind of score what is written is measured; see `written_scores`."""
    if task.input.kind in _TOLD_LITTLE:
        return "language"
    if task.target.kind == "symbols" or _is_spelled(task.target):
        return "transcription"
    return "caption" if task.input.kind == "image" else "translation"


def _is_spelled(target: Any) -> bool:
    return getattr(target, "level", None) == "character"


def written_scores(
    task: Task, network: nn.Module, table: Table, batch_size: int, options: DecodingOptions
) -> Scores:
    """Measure what a network writes against a table that has the truth.

    Texts are measured by BLEU and chrF, symbols by edits. Of an input that says little, such as
    the language of a name, no one answer is right: there it is the likelihood of the truth alone.

    Args:
        task: what is asked.
        network: that writes.
        table: with the columns of input and target.
        batch_size: rows at a time.
        options: of the decoding.
    """
    kind = kind_of_scores(task)
    if kind in BY_SACREBLEU:
        sacrebleu()  # said before the answers are written, not after it
    symbols, likeliest, nll = likelihood(task, network, table, batch_size)
    spelled = _is_spelled(task.target)
    count = sum(map(len, symbols))
    if kind == "language":
        facts: dict[str, Any] = {"characters": count} if spelled else {}
        return score(kind, symbols, likeliest, nll=nll, **facts)
    truths = [as_given(task.target, value) for value in table.values(task.target_columns)]
    if kind == "caption":
        table, truths = with_several_references(task, table, truths)
    hypotheses = write_answers(task, network, table, batch_size, options)
    answers = [task.target.decode(best[0].ids) for best in hypotheses]
    if kind in BY_SACREBLEU:
        found = score(kind, truths, answers, lowercase=lowers_case(task.target))
    elif spelled:
        found = score(kind, list(map(list, truths)), list(map(list, answers)))
    else:
        found = score(kind, truths, answers)
    likely = {"perplexity": perplexity(nll)}
    if spelled:
        bits = bits_per_character(nll, symbols=count, characters=count)
        likely = {"bits_per_character": bits}
    return found.model_copy(update={"values": {**found.values, **likely}})


def as_given(feature: Any, value: Any) -> Any:
    """Return a true answer as the data has it: what a network cannot write counts as well.

    A text stays a text; symbols become a list, also where they stand in one string.
    """
    if feature.kind == "text":
        return value
    return [str(symbol) for symbol in (value.split() if isinstance(value, str) else value)]


def lowers_case(feature: Any) -> bool:
    """Tell whether a text is written in small letters alone, so that case cannot be right."""
    lowercase: bool | None = feature.lowercase
    return feature.level == "word" if lowercase is None else lowercase


def with_several_references(
    task: Task, table: Table, truths: Sequence[Any]
) -> tuple[Table, list[list[Any]]]:
    """Take every picture once, with all that is said of it."""
    first: dict[bytes, int] = {}
    references: dict[bytes, list[Any]] = {}
    cells = table.values(task.input_columns)
    for row, (cell, truth) in enumerate(zip(cells, truths, strict=True)):
        picture = task.input.encode(cell).numpy().tobytes()
        first.setdefault(picture, row)
        references.setdefault(picture, []).append(truth)
    return table.select(list(first.values())), list(references.values())
