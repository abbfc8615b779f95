"""What a network that writes makes of the rows of a table; and how good that is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from elman.columns import values
from elman.data.table import Table
from elman.evaluation.language import bits_per_character, perplexity
from elman.evaluation.scores import Scores, score
from elman.examples import evaluation_batches, input_batches
from elman.experiment.decoder import WRITERS, DecodingSpec
from elman.networks.decoding import DecodingOptions, Hypothesis, decode
from elman.task import Task

LONGEST = 100
"""Symbols of an answer at most, where an experiment does not say."""

_TOLD_LITTLE = frozenset({"category", "labels", "number", "record"})
"""Kinds of input of which no one answer is right: what is written is measured by its likelihood."""


def writes(task: Task) -> bool:
    """Tell whether the answer is a sequence of its own length."""
    return task.category in WRITERS


def decoding_options(spec: DecodingSpec, **changed: Any) -> DecodingOptions:
    """Return the options of an experiment, some of them changed.

    Raises:
        OptionError: a value is out of its range, or two contradict each other.
    """
    said = spec.model_dump(exclude_none=True)
    return DecodingOptions(**{"max_length": LONGEST, **said, **changed})


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
    symbols, likeliest, nll = likelihood(task, network, table, batch_size)
    spelled = getattr(task.target, "level", None) == "character"
    count = sum(map(len, symbols))
    if task.input.kind in _TOLD_LITTLE:
        facts: dict[str, Any] = {"characters": count} if spelled else {}
        return score("language", symbols, likeliest, nll=nll, **facts)
    hypotheses = write_answers(task, network, table, batch_size, options)
    answers = [task.target.decode(best[0].ids) for best in hypotheses]
    truths = [task.target.decode(task.target.encode(v)) for v in values(table, task.target_columns)]
    if task.target.kind == "symbols":
        found = score("transcription", truths, answers)
    elif spelled:
        found = score("transcription", list(map(list, truths)), list(map(list, answers)))
    else:
        found = score("caption" if task.input.kind == "image" else "translation", truths, answers)
    likely = {"perplexity": perplexity(nll)}
    if spelled:
        bits = bits_per_character(nll, symbols=count, characters=count)
        likely = {"bits_per_character": bits}
    return found.model_copy(update={"values": {**found.values, **likely}})
