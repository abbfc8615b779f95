"""The next token of texts and lists of symbols: how well it is predicted, and continuing them."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from elman.data.table import Table
from elman.errors import OptionError
from elman.evaluation.scores import Scores, score
from elman.networks.decoding import DecodingOptions, decode, language_model_step
from elman.prediction.answers import TargetPredictor
from elman.prediction.predictor import check_sampling


def check_sees_no_future(bidirectional: bool, delay: int) -> None:
    """Refuse to generate with a network that needs to see the future.

    Raises:
        OptionError: it does.
    """
    if bidirectional:
        raise OptionError(
            "a bidirectional network reads a piece from its end as well, and a piece being "
            "composed has no end yet; train with network.bidirectional = false to generate."
        )
    if delay:
        raise OptionError(
            f"a network with delay = {delay} answers only after hearing {delay} "
            "more frames, and in composing there are none; train with network.delay = 0 to "
            "generate."
        )


class NextStepPredictor(TargetPredictor):
    """Predicts the next token of texts, or the next symbol of lists."""

    task: Any

    def _scores(self, table: Table, training: Table | None) -> Scores:
        """Read the whole text from its beginning to its end, in rows side by side."""
        del training
        network = self.network
        truths: list[list[int]] = []
        answers: list[list[int]] = []
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
                answers += [row.tolist() for row in likeliest]
                rows = zip(batch.target.unbind(1), batch.lengths.tolist(), strict=True)
                truths += [ids[:steps].tolist() for ids, steps in rows]
        symbols = sum(map(len, truths))
        facts: dict[str, Any] = {"characters": symbols} if self.task.input.spelled else {}
        return score("language", truths, answers, nll=nll / symbols, **facts)

    def note_of_prime(self, prime: Any) -> str | None:
        """Say how much of a text to continue was not learned, and is read as unknown."""
        feature = self.task.input
        unknown = feature.unknown_in(prime)
        if not unknown:
            return None
        return (
            f"{unknown} of {len(feature.encode(prime))} {feature.description} to go on from were "
            "not learned, and are read as unknown."
        )

    def generate(self, steps: int, seed: int, *, prime: Any, temperature: float) -> Any:
        """Sample tokens, each from the prediction given all tokens before it.

            x(t) ~ softmax(y(t) / temperature),    y(t) = network(x(t−1), h(t−1))

        The unknown token, id 0, is never sampled.

        Args:
            steps: tokens to sample.
            seed: of sampling.
            prime: a text, or symbols, to continue; None begins as after the end of a line, or
                where there are no lines with what the training part held most of.
            temperature: below 1 keeps to what is likely, above 1 is bolder.

        Returns:
            What was sampled, decoded; the prime is not part of it.
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
        read: Tensor = feature.beginning() if prime is None else feature.encode(prime)
        if not len(read):
            raise OptionError("prime must hold at least one element to go on from, got none.")
        read = read.to(self.device)
        state = network(read[:-1, None])[1] if len(read) > 1 else None
        ((sampled,),) = decode(
            language_model_step(network),
            state,
            read[-1:],
            end=None,
            options=DecodingOptions(max_length=steps, temperature=temperature),
            generator=generator,
        )
        return feature.decode(sampled.ids)
