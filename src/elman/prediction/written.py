"""Sequences that a network writes for the rows of a table, and their scores."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, NoReturn

import torch
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

from elman.batches.batching import NO_LABEL
from elman.data.table import Table
from elman.errors import OptionError
from elman.evaluation.language import bits_per_character, not_finite, perplexity, too_large
from elman.evaluation.measures import Measured
from elman.evaluation.plain_guesses import with_plain_guess
from elman.evaluation.scores import Scores, score
from elman.evaluation.translation import sacrebleu
from elman.experiment.decoder import DecodingSpec
from elman.experiment.training import checked_seed
from elman.networks.decoding import DecodingOptions, Hypothesis, decode
from elman.prediction.likelihood import likelihood
from elman.prediction.plain import frequencies, text_guesses, with_guess
from elman.prediction.predictor import (
    AttentionMap,
    Predictions,
    Predictor,
    Written,
    require_targets,
)
from elman.prediction.targets import FROM_NOTHING, notes_of_empty_rows
from elman.tasks.layout import layout_of
from elman.tasks.task import Task
from elman.tasks.writing import WritingTask

END = "∎"
"""Shows the end of an output."""

BY_SACREBLEU = frozenset({"caption", "translation"})
"""Kinds of score that need sacreBLEU."""

MAX_LENGTH = 100
"""Default for the maximum number of symbols in an output."""


class WritingPredictor(Predictor):
    """Writes a sequence for each row."""

    task: WritingTask
    takes: ClassVar[frozenset[str]] = frozenset({"probabilities", "n_best", "settings", "seed"})
    measures_columns: ClassVar[bool] = True

    def _options(self, **changed: Any) -> DecodingOptions:
        return decoding_options(self.experiment.decoding, **changed)

    def predict(self, table: Table) -> Predictions:
        """Write the best sequence for every row."""
        table.require(self.task.input_columns)
        decode_target = self.task.target.decode
        hypotheses = self.hypotheses(table, self._options())
        return Predictions([decode_target(best[0].ids) for best in hypotheses], None)

    def hypotheses(
        self,
        table: Table,
        options: DecodingOptions,
        generators: Sequence[torch.Generator] | None = None,
    ) -> list[list[Hypothesis]]:
        """Return the hypotheses of every row; see `write_rows`."""
        size = self.batch_size
        return write_rows(self.task, self.network, table, size, options, generators=generators)

    def columns(
        self,
        table: Table | None,
        *,
        probabilities: bool = False,
        seed: int | None = None,
        decoding: Mapping[str, Any] | None = None,
        horizon: int | None = None,
        quantiles: Sequence[float] | None = None,
        paths: int | None = None,
    ) -> dict[str, Any]:
        """Write a sequence for each row; see `Predictor.columns`."""
        if any(each is not None for each in (horizon, quantiles, paths)):
            self._refuse_forecast()
        assert table is not None, "a predictor of rows needs rows"
        columns, name = self._table_columns(table)
        outputs = self.write(table, seed=seed, **(decoding or {}))
        for rank in range(max(map(len, outputs), default=1)):
            title = f"{name} {rank + 1}" if rank else name
            ranked = [row[rank] if rank < len(row) else None for row in outputs]
            columns[title] = [output and output.value for output in ranked]
            if probabilities:
                columns[f"log p({title})"] = [
                    output and output.log_probability for output in ranked
                ]
        return columns

    def write(
        self, table: Table, *, seed: int | None = None, **decoding: Any
    ) -> list[list[Written]]:
        """Write one or several sequences for each row.

        Args:
            table: with the input columns.
            seed: of sampling, where a temperature is given.
            decoding: see `elman.networks.decoding.DecodingOptions`; options that are not given are
                those of the experiment.

        Returns:
            For every row its outputs, at most `n_best`, the best first and all different.

        Raises:
            DataError: a value cannot be taken; its row is named.
            OptionError: an option is out of its range.
        """
        options = self._options(**decoding)
        if (options.temperature is None) != (seed is None):
            raise OptionError(
                "sampling needs both a temperature and a seed; give both, or neither for the most "
                f"likely output; got temperature={options.temperature}, seed={seed}."
            )
        table.require(self.task.input_columns)
        random = None if seed is None else generators(seed, len(table))
        hypotheses = self.hypotheses(table, options, random)
        return [distinct(self.task.target, best) for best in hypotheses]

    def attention(self, table: Table, **decoding: Any) -> list[AttentionMap]:
        """Write a sequence for every row, and return what each of its symbols attended to.

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
                f"this model writes for a value of {', '.join(self.task.input_columns)}: give one "
                "as the prime (--prompt on the command line)."
            )
        if len(self.task.input_columns) > 1 or isinstance(prime, Mapping):
            layout = layout_of(self.experiment.data)
            table = layout.read_like([prime], layout.numeric(self.task), with_targets=False)
        else:
            table = Table.from_columns({self.task.input_columns[0]: [prime]}, origin="data")
        options = {"max_length": steps, "temperature": temperature, "beam_size": 1}
        return self.write(table, seed=seed, **options)[0][0].value

    def refuse(self, option: str) -> NoReturn:
        """Refuse an option of forecasts."""
        del option
        self._refuse_forecast()

    def notes_of(self, table: Table) -> list[str]:
        """Say which rows are empty."""
        return notes_of_empty_rows(self.task, table, FROM_NOTHING)

    @property
    def score_kind(self) -> str:
        """The kind of score that suits the target."""
        source, target = self.task.input, self.task.target
        if source.says_little:
            return "language"
        if not target.has_words:
            return "transcription"
        return "caption" if source.is_picture else "translation"

    def check_installed(self) -> None:
        """Raise, before anything is written, if the scores need an extra that is missing."""
        if self.score_kind in BY_SACREBLEU:
            sacrebleu()

    def column_scores(self, table: Table, training: Table | None = None) -> Scores:
        """Measure the likelihood of the targets, which needs no decoding."""
        del training
        require_targets(self.task, table)
        symbols, likeliest, nll = likelihood(self.task, self.network, table, self.batch_size)
        return score("language", symbols, likeliest, nll=nll).model_copy(update={"main": "nll"})

    def _scores(self, table: Table, training: Table | None) -> Scores:
        """Score what is written against a table that has the targets.

        Texts are scored by BLEU and chrF, symbols by edits. For an input that says little, such
        as the language of a name, no single output is right: there only the likelihood of the
        target is measured.
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
        scores = self._compared(truths, self.predict(table).values, table)
        likely = Measured()
        if target.spelled:
            bits = bits_per_character(nll, symbols=count, characters=count)
            likely.add("bits_per_character", bits, not_finite(nll))
        else:
            likely.add("perplexity", perplexity(nll), too_large(nll))
        update = {
            "values": {**scores.values, **likely.values},
            "undefined": {**scores.undefined, **likely.undefined},
        }
        return scores.model_copy(update=update)

    def _compared(self, truths: list[Any], outputs: list[Any], table: Table) -> Scores:
        """Score outputs against true ones, of a caption several a row."""
        target, kind = self.task.target, self.score_kind
        if kind in BY_SACREBLEU:
            return score(kind, truths, outputs, lowercase=target.drops_case)
        if target.spelled:
            return score(kind, list(map(list, truths)), list(map(list, outputs)))
        symbols_of: Any = target
        names = list(map(str, symbols_of.names)) if target.predicts_names else None
        given = [target.as_given(output) for output in outputs]
        return score(kind, truths, given, names=names, where=table.where)

    def with_plain_guess(self, scores: Scores, table: Table, training: Table) -> Scores:
        """Add the scores of the commonest output, of a copy, or of how often symbols occur."""
        task, kind = self.task, self.score_kind
        if kind == "language":
            encoded = task.encoded_targets(table)
            ends = [[*ids.reshape(-1).tolist(), self.network.objective.boundary] for ids in encoded]
            facts = {"characters": sum(map(len, ends))} if task.target.spelled else {}
            return with_guess(scores, frequencies(task, training, ends, **facts))
        learned, truths = (
            [task.target.as_given(value) for value in part.values(task.target_columns)]
            for part in (training, table)
        )
        rows = table
        if kind == "caption":
            rows, truths = with_several_references(task, table, truths)
        sources = None
        if len(task.input_columns) == 1 and task.input.kind == task.target.kind:
            sources = [task.target.as_given(cell) for cell in rows.column(task.input_columns[0])]
        guesses = text_guesses(kind, learned, sources, len(rows))

        def measure(answers: list[Any]) -> Scores:
            return self._compared(truths, answers, rows)

        return with_plain_guess(scores, guesses, measure)


def decoding_options(spec: DecodingSpec, **changed: Any) -> DecodingOptions:
    """Return the options of an experiment, some of them changed.

    Raises:
        OptionError: a value is out of its range, or two contradict each other.
    """
    given = spec.model_dump(exclude_none=True)
    return DecodingOptions(**{"max_length": MAX_LENGTH, **given, **changed})


def generators(seed: int, rows: int) -> list[torch.Generator]:
    """Make a generator per row, so that the sample of a row does not depend on the others.

    Raises:
        OptionError: the seed is out of range.
    """
    checked_seed(seed)
    return [torch.Generator().manual_seed(seed + row) for row in range(rows)]


@torch.no_grad()
def write_rows(
    task: Task,
    network: Any,
    table: Table,
    batch_size: int,
    options: DecodingOptions,
    *,
    prefixes: Sequence[Tensor] | None = None,
    generators: Sequence[torch.Generator] | None = None,
) -> list[list[Hypothesis]]:
    """Write a sequence for every row of a table.

    Args:
        task: what is predicted from what.
        network: that writes; left in evaluation mode.
        table: with the input columns.
        batch_size: rows at a time.
        options: of decoding.
        prefixes: ids that each output begins with, one tensor per row; None for none.
        generators: of sampling, one per row, where the options sample.

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
    outputs: list[list[Hypothesis]] = [[] for _ in range(len(table))]
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
            outputs[row] = best
    return outputs


def distinct(feature: Any, hypotheses: Sequence[Hypothesis]) -> list[Written]:
    """Decode hypotheses; of several with the same value, the first is kept."""
    outputs: dict[str, Written] = {}
    for each in hypotheses:
        value = feature.decode(each.ids)
        output = Written(value, each.log_probability, each.score, each.finished)
        outputs.setdefault(repr(value), output)
    return list(outputs.values())


@torch.no_grad()
def attention_maps(
    task: Task, network: Any, table: Table, batch_size: int, options: DecodingOptions
) -> list[AttentionMap]:
    """Write a sequence for every row, and return what each of its symbols attended to.

    Args:
        task: what is predicted from what.
        network: an encoder–decoder with attention.
        table: with the input columns.
        batch_size: rows at a time.
        options: of decoding.

    Raises:
        OptionError: the network has no attention.
    """
    decoder = getattr(network, "decoder", None)
    if decoder is None or decoder.attention is None:
        raise OptionError("this model has no attention; train one with decoder.attention.")
    outputs = [best[0].ids for best in write_rows(task, network, table, batch_size, options)]
    device = next(network.parameters()).device
    maps: list[Any] = [None] * len(table)
    batches, order = task.input_batches(table, batch_size)
    rows = iter(order)
    for batch in batches:
        batch = batch.to(device)
        chosen = [next(rows) for _ in range(len(batch.lengths))]
        target = pad_sequence([outputs[row] for row in chosen], padding_value=NO_LABEL).to(device)
        forced = network.objective.teacher_forced(target, len(chosen))
        state = network.begin(batch.input, batch.lengths)
        weights = decoder.attend(forced.read, state, lengths=forced.lengths).cpu()
        for place, row in enumerate(chosen):
            steps, symbols = int(batch.lengths[place]), int(forced.lengths[place])
            maps[row] = AttentionMap(
                task.input.tokens(batch.input[:steps, place].cpu()),
                [*task.target.tokens(outputs[row]), END],
                weights[:symbols, place, :steps],
            )
    return maps


def with_several_references(
    task: Task, table: Table, truths: Sequence[Any]
) -> tuple[Table, list[list[Any]]]:
    """Take every picture once, with all its captions."""
    first: dict[bytes, int] = {}
    references: dict[bytes, list[Any]] = {}
    cells = table.values(task.input_columns)
    for row, (cell, truth) in enumerate(zip(cells, truths, strict=True)):
        picture = task.input.encode(cell).numpy().tobytes()
        first.setdefault(picture, row)
        references.setdefault(picture, []).append(truth)
    return table.select(list(first.values())), list(references.values())
