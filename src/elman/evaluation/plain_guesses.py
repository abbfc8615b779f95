"""The plainest guesses: what a model has to be better than to be of use.

A plain guess has no network: it gives every row the same answer, or copies what it is given. It is
made from the training rows and measured on the rows that the model is measured on, by the same
scores.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from elman.evaluation.joint import scores_by_target
from elman.evaluation.measures import Scores, measure_of

LONGEST = 40
"""Maximum number of characters of an answer that a sentence names."""


class PlainGuess(NamedTuple):
    """The answers of a plain guess."""

    words: str
    """What it does, continuing `no better than`: `always 'a'`."""
    answers: list[Any]
    """One a row, in the form of predictions."""


def always(kind: str, learned: Sequence[Any], rows: int) -> list[PlainGuess]:
    """Give every row the same answer.

    | kind                                   | answer                                           |
    | -------------------------------------- | ------------------------------------------------ |
    | classification                         | the commonest class                              |
    | labels                                 | the labels that more than half of the rows have; |
    |                                        | the commonest set                                |
    | regression                             | the mean                                         |
    | transcription                          | the commonest sequence; nothing                  |
    | translation, caption                   | the commonest text                               |

    Args:
        kind: kind of score.
        learned: the true values of the training rows; of a caption each may be several.
        rows: number of rows to answer.

    >>> [guess.words for guess in always("labels", [["a"], ["a", "b"], ["a", "b"], ["a"]], 1)]
    ["always 'a'"]
    """
    return [PlainGuess(_always(answer), [answer] * rows) for answer in _constants(kind, learned)]


def commonest(names: Iterable[Hashable]) -> Any:
    """Return what occurs most often; of several the first as text.

    >>> commonest(["b", "a", "b", "a", "c"])
    'a'
    """
    counts = Counter(names)
    return min(counts, key=lambda name: (-counts[name], str(name)))


def _constants(kind: str, learned: Sequence[Any]) -> list[Any]:
    if kind == "classification":
        return [commonest(learned)]
    if kind == "labels":
        return _sets_of_labels(learned)
    if kind == "regression":
        mean = np.mean([np.asarray(each, np.float64) for each in learned], axis=0)
        return [mean.tolist()]
    if kind == "transcription":
        return [list(commonest(map(tuple, learned))), []]
    texts = [[each] if isinstance(each, str) else each for each in learned]
    return [commonest(text for of_row in texts for text in of_row)]


def _sets_of_labels(learned: Sequence[Sequence[Hashable]]) -> list[list[Hashable]]:
    sets = [frozenset(labels) for labels in learned]
    counts = Counter(label for labels in sets for label in labels)
    frequent = frozenset(label for label, count in counts.items() if 2 * count > len(sets))
    most = Counter(sets)
    whole = min(most, key=lambda labels: (-most[labels], sorted(map(str, labels))))
    return [sorted(labels, key=str) for labels in dict.fromkeys([frequent, whole])]


def _always(answer: Any) -> str:
    """Say which answer is given: a number as the mean that it is."""
    if isinstance(answer, float) or (isinstance(answer, list) and _are_numbers(answer)):
        return "always the mean"
    if isinstance(answer, list):
        answer = " ".join(map(str, answer))
        if not answer:
            return "always nothing"
    text = repr(answer)
    return f"always {text if len(text) <= LONGEST else f'{text[:LONGEST]}…'}"


def _are_numbers(answer: Sequence[Any]) -> bool:
    return bool(answer) and all(isinstance(each, float) for each in answer)


def tags_of(
    learned: Sequence[Sequence[str]],
    lengths: Sequence[int],
    words: tuple[Sequence[Sequence[str]], Sequence[Sequence[str]]] | None = None,
) -> list[PlainGuess]:
    """Give every step the commonest tag, and where there are words each word its own commonest.

    Args:
        learned: the tags of the training rows.
        lengths: steps of the rows to answer.
        words: those of the training rows, and those of the rows to answer; a word without a
            training row has the commonest tag of all.

    >>> rows, words = [["D", "N"], ["N", "N"]], [["the", "dog"], ["a", "dog"]]
    >>> tags_of(rows, [2], (words, [["the", "cat"]]))[1].answers
    [['D', 'N']]
    """
    overall = commonest(tag for tags in learned for tag in tags)
    guesses = [PlainGuess(_always(overall), [[overall] * steps for steps in lengths])]
    if words is not None:
        seen: dict[str, list[str]] = {}
        for of_row, tags in zip(words[0], learned, strict=True):
            for word, tag in zip(of_row, tags, strict=True):
                seen.setdefault(word, []).append(tag)
        best = {word: commonest(tags) for word, tags in seen.items()}
        answers = [[best.get(word, overall) for word in of_row] for of_row in words[1]]
        guesses.append(PlainGuess("each word's commonest tag", answers))
    return guesses


def levels_of(learned: Sequence[ArrayLike], shapes: Sequence[tuple[int, ...]]) -> PlainGuess:
    """Give every step the mean of all training steps.

    Args:
        learned: the numbers of the training rows, (T,) or (T, k) each.
        shapes: of the rows to answer.
    """
    steps = np.concatenate([np.asarray(each, np.float64) for each in learned])
    mean = steps.mean(axis=0)
    return PlainGuess("always the mean", [np.broadcast_to(mean, shape) for shape in shapes])


def with_plain_guess(
    scores: Scores, guesses: Iterable[PlainGuess], measure: Callable[[list[Any]], Scores]
) -> Scores:
    """Add the best of some plain guesses, by the leading score, to the details of scores.

    Args:
        scores: of a model.
        guesses: for the same rows.
        measure: answers → their scores.

    Returns:
        With `details["plain_guess"]`: `words`, and `scores` by name. The same scores where the
        leading one is computed for no guess.
    """
    best: Mapping[str, Any] | None = None
    sign = 1 if scores.higher_is_better else -1
    for guess in guesses:
        values = measure(guess.answers).values
        if scores.main not in values:
            continue
        if best is None or sign * values[scores.main] > sign * best["scores"][scores.main]:
            best = {"words": guess.words, "scores": values}
    if best is None:
        return scores
    return scores.model_copy(update={"details": {**scores.details, "plain_guess": dict(best)}})


def plain_guess(scores: Scores, name: str) -> tuple[str, float] | None:
    """Return what the best plain guess does, and its value of a score; None where it has none.

    Args:
        scores: of some rows.
        name: of the score; `accuracy of size` where there are several targets.
    """
    score, _, target = name.partition(" of ")
    of_rows = scores_by_target(scores).get(target, scores) if target else scores
    guess = of_rows.details.get("plain_guess")
    if guess is not None and score in guess["scores"]:
        return guess["words"], guess["scores"][score]
    best = of_rows.details.get("best_naive")
    if best is not None and score in of_rows.details["naive"][best]:
        return best, of_rows.details["naive"][best][score]
    common = of_rows.details.get("commonest")
    if score == "accuracy" and common is not None:
        return f"always {common['name']!r}", common["share"]
    return None


def not_beaten(scores: Scores, name: str) -> str:
    """Say which plain guess a score is not better than; `""` if it is better.

    Where no guess was made from training rows, a class is compared with the commonest of these
    rows, a number with their mean (R² is 0), and a MASE with 1, the naive forecast in training.

    Args:
        scores: of some rows.
        name: of the score; `accuracy of size` where there are several targets.

    >>> from elman.evaluation.scores import score
    >>> scores = score("classification", ["a", "a", "b"], ["a", "b", "b"])
    >>> not_beaten(scores, "accuracy")
    "no better than always 'a', 0.6667"
    """
    score, _, target = name.partition(" of ")
    of_rows = scores_by_target(scores).get(target, scores) if target else scores
    value = of_rows.values.get(score)
    if value is None:
        return ""
    guess = plain_guess(scores, name)
    if guess is not None:
        return _no_better(value, score, *guess)
    if score in {"rmse", "mse"}:
        r2 = of_rows.values.get("r2")
        return "" if r2 is None or r2 > 0 else f"no better than always their mean, R² {r2:.2g}"
    if score == "mase" and value > 1:
        return "worse than the naive forecast is on the training rows, 1"
    return ""


def _no_better(value: float, score: str, words: str, theirs: float) -> str:
    ahead = value - theirs if measure_of(score).higher_is_better else theirs - value
    if ahead > 0:
        return ""
    if ahead < 0 and score == "mase":
        return f"worse than {words}, {theirs:.4g}"
    return f"no better than {words}, {theirs:.4g}"
