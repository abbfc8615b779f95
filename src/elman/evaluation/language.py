"""Scores of language models: log-likelihood, perplexity, bits per character."""

from __future__ import annotations

import math
from collections.abc import Hashable, Sequence

from elman.errors import OptionError
from elman.evaluation.measures import Measured, Scores, check_pairs, check_steps


def perplexity(nll: float) -> float:
    """Return e^nll; infinite where that is too large a number.

    A model that chooses evenly among k symbols has a perplexity of k.

    Args:
        nll: mean negative log-likelihood of a symbol, nats.
    """
    try:
        return math.exp(nll)
    except OverflowError:
        return math.inf


def bits_per_character(nll: float, *, symbols: int, characters: int) -> float:
    """Return nll · symbols / (characters · ln 2).

    Args:
        nll: mean negative log-likelihood of a symbol, nats.
        symbols: number of symbols that the mean is over.
        characters: number of characters in these symbols.
    """
    return nll * symbols / (characters * math.log(2))


def language_scores(
    truths: Sequence[Sequence[Hashable]],
    predictions: Sequence[Sequence[Hashable]] | None = None,
    *,
    nll: float,
    characters: int | None = None,
) -> Scores:
    """Score predictions of every symbol from those before it.

    Args:
        truths: the symbols of each row; a string is a sequence of characters.
        predictions: the likeliest symbol of every step; adds accuracy.
        nll: mean negative log-likelihood of a symbol, nats; it must be a mean over all of
            `truths`. Where it is not finite, no score is computed from it.
        characters: number of characters in the symbols, spaces included; adds
            bits_per_character.

    Returns:
        nll, perplexity (main without `characters`), bits_per_character (main with them) and
        accuracy.

    Raises:
        DataError: there is nothing to score, or truths and predictions differ in steps.
        OptionError: nll is negative, or characters < 1.
    """
    if predictions is None:
        check_pairs(truths, truths)
        check_steps(truths, truths)
    else:
        check_steps(truths, predictions)
    if nll < 0:
        raise OptionError(f"nll must be a mean of −ln p in nats, 0 or more, got {nll}.")
    if characters is not None and characters < 1:
        raise OptionError(f"characters must be at least 1, got {characters}.")
    symbols = sum(len(truth) for truth in truths)
    measured = Measured()
    measured.add("nll", nll, not_finite(nll))
    measured.add("perplexity", perplexity(nll), too_large(nll))
    if characters is not None:
        bits = bits_per_character(nll, symbols=symbols, characters=characters)
        measured.add("bits_per_character", bits, not_finite(nll))
    if predictions is not None:
        rows = zip(truths, predictions, strict=True)
        right = sum(t == a for row in rows for t, a in zip(*row, strict=True))
        measured.values["accuracy"] = right / symbols
    return measured.scores(
        kind="language",
        count=symbols,
        unit="symbols",
    )


def not_finite(nll: float) -> str:
    """Say why nothing is computed from a likelihood, as `Scores.undefined` does."""
    if math.isnan(nll):
        return "the network gives no numbers for these rows"
    return "the network gives a true symbol a probability of 0, so it is infinite"


def too_large(nll: float) -> str:
    """Say why a perplexity is not computed, as `Scores.undefined` does."""
    if not math.isfinite(nll):
        return not_finite(nll)
    return f"it is infinite, e to the power of {nll:,.4g}"
