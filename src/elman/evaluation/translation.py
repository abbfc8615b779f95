"""How near written texts are to what others wrote: translations and captions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from elman.errors import DataError, import_extra, unknown
from elman.evaluation.measures import WORST, Scores, check_pairs

TOKENIZERS = ("13a", "char", "intl", "none", "zh")
"""How sacreBLEU may cut a text into words: `none` at spaces alone, for text already tokenised."""

Reference = str | Sequence[str]


def sacrebleu() -> Any:
    """Import the metrics of sacreBLEU, which measure translations and captions.

    Raises:
        MissingDependencyError: it is not installed.
    """
    return import_extra("sacrebleu.metrics", "translation", "measuring texts by BLEU and chrF")


def translation_scores(
    truths: Sequence[Reference],
    answers: Sequence[str],
    *,
    tokenize: str = "13a",
    lowercase: bool = False,
) -> Scores:
    """Score texts against one reference each, or several.

        BLEU  = min(1, e^(1 − r/c)) · (p₁ p₂ p₃ p₄)^¼        of the whole corpus, times 100
        chrF  = (1 + β²) P R / (β² P + R), β = 2             over characters, times 100

    pₙ is the share of the answers' n-grams that stand in a reference, c the words of the answers,
    r those of the nearest references; P and R are the mean precision and recall of the n-grams of
    1 to 6 characters. Where no n-gram of a length is right, sacreBLEU's `exp` smoothing stands for
    the 0.

    Args:
        truths: N references, or lists of references; a list may have another length each.
        answers: N texts.
        tokenize: how BLEU cuts texts into words; a name of `TOKENIZERS`. `13a` is sacreBLEU's own
            default and separates punctuation; take `none` where texts are tokenised already.
            chrF knows no words.
        lowercase: whether case is ignored, by BLEU and chrF alike.

    Returns:
        bleu (chief), chrf, and sequence_accuracy: of the texts that equal a reference exactly.
        `details`: `best` and `worst`, rows by their own chrF, and the `signature` of BLEU.

    Raises:
        DataError: there is nothing to score, not an answer for each truth, a row without a
            reference, or something that is no text.
        OptionError: there is no such tokenizer.

    Source: Papineni et al. 2002, doi:10.3115/1073083.1073135; Popović 2015,
    doi:10.18653/v1/W15-3049; as Post 2018, arXiv:1804.08771, computes them.
    """
    references = _references(truths, answers)
    metric = _bleu(4, tokenize, lowercase)
    bleu = metric.corpus_score(list(answers), _streams(references)).score
    signature = str(metric.get_signature())
    return _scores("translation", {"bleu": bleu}, references, answers, lowercase, signature)


def caption_scores(
    truths: Sequence[Reference],
    answers: Sequence[str],
    *,
    tokenize: str = "13a",
    lowercase: bool = False,
) -> Scores:
    """Score captions against one reference each, or several, by BLEU-1 to BLEU-4.

        BLEU-n = min(1, e^(1 − r/c)) · (p₁ … pₙ)^(1/n)       of the whole corpus, times 100

    Arguments, errors and symbols are those of `translation_scores`.

    Returns:
        bleu_1 … bleu_4 (chief), chrf and sequence_accuracy; `details` as `translation_scores`.

    Source: Vinyals et al. 2015, arXiv:1411.4555, §4.1, for the use of it.
    """
    references = _references(truths, answers)
    metrics = {order: _bleu(order, tokenize, lowercase) for order in (1, 2, 3, 4)}
    streams = _streams(references)
    values = {
        f"bleu_{order}": metric.corpus_score(list(answers), streams).score
        for order, metric in metrics.items()
    }
    signature = str(metrics[4].get_signature())
    return _scores("caption", values, references, answers, lowercase, signature)


def row_chrf(
    truths: Sequence[Reference], answers: Sequence[str], *, lowercase: bool = False
) -> list[float]:
    """Return the chrF of every row by itself, 0 to 100; 100 for a text that equals a reference.

    Arguments and errors are those of `translation_scores`.

    >>> [round(each) for each in row_chrf(["ein Hund", "zwei Katzen"], ["ein Hund", "vier Hunde"])]
    [100, 7]
    """
    return _row_chrf(_references(truths, answers), answers, lowercase)


def _row_chrf(
    references: Sequence[list[str]], answers: Sequence[str], lowercase: bool
) -> list[float]:
    metric = _chrf(lowercase)
    return [
        # sacreBLEU gives 0 to a text without characters, even where none is right.
        100.0 if answer in its else metric.sentence_score(answer, its).score
        for its, answer in zip(references, answers, strict=True)
    ]


def _scores(
    kind: str,
    values: dict[str, float],
    references: Sequence[list[str]],
    answers: Sequence[str],
    lowercase: bool,
    signature: str,
) -> Scores:
    """Add what knows no words, and the best and worst rows; the last of the values is the chief."""
    chrf = _chrf(lowercase).corpus_score(list(answers), _streams(references)).score
    right = sum(answer in its for its, answer in zip(references, answers, strict=True))
    by_row = _row_chrf(references, answers, lowercase)
    order = sorted(range(len(by_row)), key=lambda row: by_row[row])

    def listed(rows: Sequence[int]) -> list[dict[str, Any]]:
        return [
            {
                "row": row,
                "truth": references[row][0] if len(references[row]) == 1 else references[row],
                "answer": answers[row],
                "chrf": by_row[row],
            }
            for row in rows
        ]

    return Scores(
        kind=kind,
        main=list(values)[-1],
        values={**values, "chrf": chrf, "sequence_accuracy": right / len(answers)},
        count=len(answers),
        unit="rows",
        details={
            "best": listed(order[::-1][:WORST]),
            "worst": listed(order[:WORST]),
            "signature": signature,
        },
        notes=(f"BLEU is that of sacreBLEU, {signature}.",),
    )


def _references(truths: Sequence[Reference], answers: Sequence[str]) -> list[list[str]]:
    """Return every row's references as a list."""
    check_pairs(truths, answers)
    references = [[truth] if isinstance(truth, str) else list(truth) for truth in truths]
    for row, (its, answer) in enumerate(zip(references, answers, strict=True)):
        if not its:
            raise DataError(f"every row needs a reference at least, got none at row {row}.")
        for text in (*its, answer):
            if not isinstance(text, str):
                raise DataError(f"references and answers must be texts, got {text!r} at row {row}.")
    return references


def _streams(references: Sequence[list[str]]) -> list[list[str | None]]:
    """Turn lists of references a row into sacreBLEU's streams, None where a row has no more."""
    most = max(map(len, references))
    return [[its[k] if k < len(its) else None for its in references] for k in range(most)]


def _bleu(order: int, tokenize: str, lowercase: bool) -> Any:
    if tokenize not in TOKENIZERS:
        raise unknown("tokenizer", tokenize, TOKENIZERS)
    # force: text that looks tokenised is the caller's to judge, not to be warned of.
    options = {"tokenize": tokenize, "lowercase": lowercase, "force": True}
    return sacrebleu().BLEU(max_ngram_order=order, **options)


def _chrf(lowercase: bool) -> Any:
    return sacrebleu().CHRF(lowercase=lowercase)
