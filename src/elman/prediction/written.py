"""Sequences that a network writes for the rows of a table, and how good they are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, NoReturn

import torch
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

from elman.batches.batching import NO_LABEL
from elman.data.table import Table
from elman.errors import OptionError
from elman.evaluation.language import bits_per_character, perplexity
from elman.evaluation.scores import Scores, score
from elman.evaluation.translation import sacrebleu
from elman.experiment.decoder import DecodingSpec
from elman.networks.decoding import DecodingOptions, Hypothesis, decode
from elman.prediction.answers import FROM_NOTHING, notes_of_empty_rows
from elman.prediction.predictor import (
    Answers,
    AttentionMap,
    Predictor,
    Written,
    checked_seed,
    require_targets,
)
from elman.tasks.layout import layout_of
from elman.tasks.task import Task
from elman.tasks.writing import WritingTask

END = "∎"
"""How the end of an output is shown."""

BY_SACREBLEU = frozenset({"caption", "translation"})
"""Kinds of score that need sacreBLEU."""

LONGEST = 100
"""Symbols of an output at most, where an experiment does not say."""


class WritingPredictor(Predictor):
    """Writes a sequence to each row."""

    task: WritingTask
    takes: ClassVar[frozenset[str]] = frozenset({"probabilities", "n_best", "settings", "seed"})

    def _options(self, **changed: Any) -> DecodingOptions:
        return decoding_options(self.experiment.decoding, **changed)

    def predict(self, table: Table) -> Answers:
        """Write the best sequence to every row."""
        table.require(self.task.input_columns)
        decode_target = self.task.target.decode
        found = self.hypotheses(table, self._options())
        return Answers([decode_target(best[0].ids) for best in found], None)

    def hypotheses(
        self,
        table: Table,
        options: DecodingOptions,
        generators: Sequence[torch.Generator] | None = None,
    ) -> list[list[Hypothesis]]:
        """Write to every row; see `write_answers`."""
        size = self.batch_size
        return write_answers(self.task, self.network, table, size, options, generators=generators)

    def columns(
        self,
        table: Table | None,
        *,
        probabilities: bool = False,
        seed: int | None = None,
        decoding: Mapping[str, Any] | None = None,
        horizon: int | None = None,
        quantiles: Sequence[float] | None = None,
    ) -> dict[str, Any]:
        """Write to rows and set what was written beside them; see `Predictor.columns`."""
        if horizon is not None or quantiles is not None:
            self._refuse_forecast()
        assert table is not None, "a predictor of rows needs rows"
        columns, name = self._beside(table)
        answers = self.write(table, seed=seed, **(decoding or {}))
        for place in range(max(map(len, answers), default=1)):
            title = f"{name} {place + 1}" if place else name
            written = [row[place] if place < len(row) else None for row in answers]
            columns[title] = [each and each.value for each in written]
            if probabilities:
                columns[f"log p({title})"] = [each and each.log_probability for each in written]
        return columns

    def write(
        self, table: Table, *, seed: int | None = None, **decoding: Any
    ) -> list[list[Written]]:
        """Write sequences to rows, several each where asked for.

        Args:
            table: with the input's columns.
            seed: of sampling, where a temperature is given.
            decoding: see `elman.networks.decoding.DecodingOptions`; what is not given is as in the
                experiment.

        Returns:
            For every row its outputs, `n_best` at most, the best first and none twice.

        Raises:
            DataError: a value cannot be taken; its row is named.
            OptionError: an option is out of its range.
        """
        options = self._options(**decoding)
        if (options.temperature is None) != (seed is None):
            raise OptionError(
                "a temperature draws and a seed is of the drawing: give both, or neither for the "
                f"likeliest answer; got temperature={options.temperature}, seed={seed}."
            )
        table.require(self.task.input_columns)
        random = None if seed is None else generators(seed, len(table))
        found = self.hypotheses(table, options, random)
        return [distinct(self.task.target, hypotheses) for hypotheses in found]

    def attention(self, table: Table, **decoding: Any) -> list[AttentionMap]:
        """Write a sequence to every row, and say what was attended to for each symbol of it.

        Raises:
            OptionError: the network has no attention.
        """
        table.require(self.task.input_columns)
        options = self._options(**decoding)
        return attention_maps(self.task, self.network, table, self.batch_size, options)

    def generate(self, steps: int, seed: int, *, prime: Any, temperature: float) -> Any:
        """Sample a sequence for one value of the input, the prime."""
        if prime is None:
            raise OptionError(
                f"this model answers what it reads, {', '.join(self.task.input_columns)}: give "
                "such a value as the prime (--prompt on the command line)."
            )
        if len(self.task.input_columns) > 1 or isinstance(prime, Mapping):
            table = layout_of(self.experiment.data).read_like([prime], answered=False)
        else:
            table = Table.from_columns({self.task.input_columns[0]: [prime]}, origin="data")
        options = {"max_length": steps, "temperature": temperature, "beam_size": 1}
        return self.write(table, seed=seed, **options)[0][0].value

    def refuse(self, option: str) -> NoReturn:
        """Refuse an option of forecasts."""
        del option
        self._refuse_forecast()

    def notes_of(self, table: Table) -> list[str]:
        """Say which rows hold nothing to be read."""
        return notes_of_empty_rows(self.task, table, FROM_NOTHING)

    @property
    def score_kind(self) -> str:
        """The kind of score that measures what is written."""
        source, target = self.task.input, self.task.target
        if source.says_little:
            return "language"
        if not target.has_words:
            return "transcription"
        return "caption" if source.is_picture else "translation"

    def check_installed(self) -> None:
        """Refuse, before anything is written, scores that need an extra which is missing."""
        if self.score_kind in BY_SACREBLEU:
            sacrebleu()

    def _scores(self, table: Table, training: Table | None) -> Scores:
        """Measure what is written against a table that has the targets.

        Texts are measured by BLEU and chrF, symbols by edits. Of an input that says little, such
        as the language of a name, no one output is right: there it is the likelihood of the target
        alone.
        """
        del training
        task = self.task
        require_targets(task, table)
        target, kind = task.target, self.score_kind
        self.check_installed()
        symbols, likeliest, nll = likelihood(task, self.network, table, self.batch_size)
        count = sum(map(len, symbols))
        if kind == "language":
            facts: dict[str, Any] = {"characters": count} if target.spelled else {}
            return score(kind, symbols, likeliest, nll=nll, **facts)
        truths = [target.as_given(value) for value in table.values(task.target_columns)]
        if kind == "caption":
            table, truths = with_several_references(task, table, truths)
        answers = self.predict(table).values
        if kind in BY_SACREBLEU:
            found = score(kind, truths, answers, lowercase=target.drops_case)
        elif target.spelled:
            found = score(kind, list(map(list, truths)), list(map(list, answers)))
        else:
            found = score(kind, truths, answers)
        likely = {"perplexity": perplexity(nll)}
        if target.spelled:
            bits = bits_per_character(nll, symbols=count, characters=count)
            likely = {"bits_per_character": bits}
        return found.model_copy(update={"values": {**found.values, **likely}})


def decoding_options(spec: DecodingSpec, **changed: Any) -> DecodingOptions:
    """Return the options of an experiment, some of them changed.

    Raises:
        OptionError: a value is out of its range, or two contradict each other.
    """
    said = spec.model_dump(exclude_none=True)
    return DecodingOptions(**{"max_length": LONGEST, **said, **changed})


def generators(seed: int, rows: int) -> list[torch.Generator]:
    """Make a generator a row, so that what is drawn for one does not depend on the others.

    Raises:
        OptionError: the seed is out of range.
    """
    checked_seed(seed)
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
    batches, order = task.input_batches(table, batch_size)
    rows = iter(order)
    for batch in batches:
        batch = batch.to(device)
        chosen = [next(rows) for _ in range(len(batch.lengths))]
        hypotheses = decode(
            network.step,
            network.begin(batch.input, batch.lengths),
            torch.full((len(chosen),), boundary, device=device),
            end=boundary,
            options=options,
            prefixes=None if prefixes is None else [prefixes[row] for row in chosen],
            generator=None if generators is None else [generators[row] for row in chosen],
        )
        for row, best in zip(chosen, hypotheses, strict=True):
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
    batches, order = task.input_batches(table, batch_size)
    rows = iter(order)
    for batch in batches:
        batch = batch.to(device)
        chosen = [next(rows) for _ in range(len(batch.lengths))]
        target = pad_sequence([answers[row] for row in chosen], padding_value=NO_LABEL).to(device)
        forced = network.objective.teacher_forced(target, len(chosen))
        state = network.begin(batch.input, batch.lengths)
        weights = decoder.attend(forced.read, state, lengths=forced.lengths).cpu()
        for place, row in enumerate(chosen):
            steps, symbols = int(batch.lengths[place]), int(forced.lengths[place])
            maps[row] = AttentionMap(
                task.input.tokens(batch.input[:steps, place].cpu()),
                [*task.target.tokens(answers[row]), END],
                weights[:symbols, place, :steps],
            )
    return maps


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
    for batch in task.evaluation_batches(table, batch_size).epoch(0):
        batch = batch.to(device)
        outputs, _ = network(batch.input, lengths=batch.lengths, target=batch.target)
        nats += float(network.objective.step_nll(outputs, batch.target).double().sum())
        forced = network.objective.teacher_forced(batch.target, outputs.size(1))
        likeliest = outputs.argmax(-1)
        for row, steps in enumerate(forced.lengths.tolist()):
            truths.append(forced.written[:steps, row].tolist())
            answers.append(likeliest[:steps, row].tolist())
    return truths, answers, nats / sum(map(len, truths))


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
