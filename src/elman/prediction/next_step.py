"""The next token of texts and lists of symbols: its scores, and continuing them."""

from __future__ import annotations

from typing import Any, ClassVar

import torch
from torch import Tensor

from elman.data.table import Table
from elman.errors import OptionError
from elman.evaluation.scores import Scores, score
from elman.networks.decoding import DecodingOptions, decode, language_model_step
from elman.prediction.plain import frequencies, with_guess
from elman.prediction.predictor import check_sampling
from elman.prediction.targets import TargetPredictor


def check_sees_no_future(bidirectional: bool, delay: int) -> None:
    """Refuse to generate with a network that needs to see the future.

    Raises:
        OptionError: it does.
    """
    if bidirectional:
        raise OptionError(
            "a bidirectional network reads a sequence from its end as well, and a sequence being "
            "generated has no end yet; train with network.bidirectional = false to generate."
        )
    if delay:
        raise OptionError(
            f"a network with delay = {delay} predicts only after reading {delay} more steps, and "
            "a sequence being generated has none; train with network.delay = 0 to generate."
        )


class NextStepPredictor(TargetPredictor):
    """Predicts the next token of texts, or the next symbol of lists."""

    task: Any
    measures_columns: ClassVar[bool] = False

    def _scores(self, table: Table, training: Table | None) -> Scores:
        """Read the whole text from its beginning to its end, in parallel rows."""
        del training
        network = self.network
        truths: list[list[int]] = []
        predicted: list[list[int]] = []
        nll = 0.0
        network.eval()
        state = None
        with torch.no_grad():
            for batch in self.task.evaluation_batches(table, 1).epoch(0):
                batch = batch.to(self.device)
                carried = state if batch.continues else None
                outputs, state = network(batch.input, carried, lengths=batch.lengths)
                nats = network.objective.step_nll(outputs, batch.target, batch.lengths)
                nll += float(nats.sum())
                likeliest = network.objective.answers(outputs, batch.lengths)
                predicted += [row.tolist() for row in likeliest]
                rows = zip(batch.target.unbind(1), batch.lengths.tolist(), strict=True)
                truths += [ids[:steps].tolist() for ids, steps in rows]
        symbols = sum(map(len, truths))
        facts: dict[str, Any] = {"characters": symbols} if self.task.input.spelled else {}
        return score("language", truths, predicted, nll=nll / symbols, **facts)

    def with_plain_guess(self, scores: Scores, table: Table, training: Table) -> Scores:
        """Add the scores of how often each symbol occurs."""
        truths: list[list[int]] = []
        for batch in self.task.evaluation_batches(table, 1).epoch(0):
            rows = zip(batch.target.unbind(1), batch.lengths.tolist(), strict=True)
            truths += [ids[:steps].tolist() for ids, steps in rows]
        symbols = sum(map(len, truths))
        facts: dict[str, Any] = {"characters": symbols} if self.task.input.spelled else {}
        return with_guess(scores, frequencies(self.task, training, truths, **facts))

    def note_of_prime(self, prime: Any) -> str | None:
        """Say how much of a text to continue is not in the vocabulary, and is read as unknown."""
        feature = self.task.input
        unknown = feature.unknown_in(prime)
        if not unknown:
            return None
        return (
            f"{unknown} of {len(feature.encode(prime))} {feature.description} to continue are not "
            "in the vocabulary, and are read as unknown."
        )

    def generate(self, steps: int, seed: int, *, prime: Any, temperature: float) -> Any:
        """Sample tokens, each from the prediction given all tokens before it.

            x(t) ~ softmax(y(t) / temperature),    y(t) = network(x(t−1), h(t−1))

        The unknown token, id 0, is never sampled.

        Args:
            steps: tokens to sample.
            seed: of sampling.
            prime: a text, or symbols, to continue; None begins after the end of a line, or where
                there are no lines with the most frequent token of the training part.
            temperature: below 1 samples likely tokens more often, above 1 less often.

        Returns:
            The sampled tokens, decoded, without the prime.
        """
        spec = self.experiment.network
        check_sees_no_future(spec.bidirectional, spec.delay)
        generator = check_sampling(steps=steps, temperature=temperature, seed=seed)
        with torch.no_grad():
            return self._continued(prime, steps, generator, temperature)

    def _continued(
        self, prime: Any, steps: int, generator: torch.Generator, temperature: float
    ) -> Any:
        feature, network = self.task.input, self.network
        start: Tensor = feature.beginning() if prime is None else feature.encode(prime)
        if not len(start):
            raise OptionError("prime must hold at least one element to continue, got none.")
        start = start.to(self.device)
        state = network(start[:-1, None])[1] if len(start) > 1 else None
        ((sampled,),) = decode(
            language_model_step(network),
            state,
            start[-1:],
            end=None,
            options=DecodingOptions(max_length=steps, temperature=temperature),
            generator=generator,
        )
        return feature.decode(sampled.ids)
