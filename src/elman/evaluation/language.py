"""How well the next symbol is foreseen: likelihood, perplexity, bits a character."""

from __future__ import annotations

import math
from collections.abc import Hashable, Sequence

from elman.errors import OptionError
from elman.evaluation.measures import Measured, Scores, check_pairs, check_steps


def perplexity(nll: float) -> float:
    """Return e^nll: among how many equally likely symbols the model is as unsure; may be infinite.

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
        symbols: that the mean is over.
        characters: that these symbols spell; where a symbol is a character, as many.
    """
    return nll * symbols / (characters * math.log(2))


def language_scores(
    truths: Sequence[Sequence[Hashable]],
    answers: Sequence[Sequence[Hashable]] | None = None,
    *,
    nll: float,
    characters: int | None = None,
) -> Scores:
    """Score forecasts of every symbol from those before it.

    Args:
        truths: the symbols of each row; a string is a sequence of characters.
        answers: the likeliest symbol of every step; adds accuracy.
        nll: mean negative log-likelihood of a symbol, nats; it must be a mean over all of
            `truths`.
        characters: that the symbols spell, spaces included. Where a symbol is a character, that
            is the number of symbols; adds bits_per_character.

    Returns:
        nll, perplexity (chief without `characters`), bits_per_character (chief with them) and
        accuracy.

    Raises:
        DataError: there is nothing to score, or answers are not of the same steps.
        OptionError: nll is negative or no number, or characters < 1.
    """
    if answers is None:
        check_pairs(truths, truths)
        check_steps(truths, truths)
    else:
        check_steps(truths, answers)
    if not 0 <= nll < math.inf:
        raise OptionError(f"nll must be a mean of −ln p in nats, 0 or more, got {nll}.")
    if characters is not None and characters < 1:
        raise OptionError(f"characters must be at least 1, got {characters}.")
    symbols = sum(len(truth) for truth in truths)
    measured = Measured()
    measured.values["nll"] = nll
    measured.add("perplexity", perplexity(nll), "it is too large a number")
    if characters is not None:
        bits = bits_per_character(nll, symbols=symbols, characters=characters)
        measured.values["bits_per_character"] = bits
    if answers is not None:
        rows = zip(truths, answers, strict=True)
        right = sum(t == a for row in rows for t, a in zip(*row, strict=True))
        measured.values["accuracy"] = right / symbols
    chief = "perplexity" if "perplexity" in measured.values else "nll"
    return Scores(
        kind="language",
        main=chief if characters is None else "bits_per_character",
        values=measured.values,
        count=symbols,
        unit="symbols",
        notes=tuple(measured.notes),
    )
