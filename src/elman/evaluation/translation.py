"""Scores of predicted texts against references: translations and captions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from elman.errors import DataError, counted, import_extra, unknown
from elman.evaluation.leading import OF_SHORT, SHORT, are_short
from elman.evaluation.measures import WORST, Measured, Scores, check_pairs

TOKENIZERS = ("13a", "char", "intl", "none", "zh")
"""How sacreBLEU may split a text into words: `none` at spaces alone, for tokenised text."""

Reference = str | Sequence[str]


def sacrebleu() -> Any:
    """Import the metrics of sacreBLEU, which measure translations and captions.

    Raises:
        MissingDependencyError: it is not installed.
    """
    return import_extra("sacrebleu.metrics", "translation", "measuring texts by BLEU and chrF")


def translation_scores(
    truths: Sequence[Reference],
    predictions: Sequence[str],
    *,
    tokenize: str = "13a",
    lowercase: bool = False,
) -> Scores:
    """Score texts against one or several references each.

        BLEU  = min(1, e^(1 − r/c)) · (p₁ p₂ p₃ p₄)^¼        of the whole corpus, times 100
        chrF  = (1 + β²) P R / (β² P + R), β = 2             over characters, times 100

    pₙ is the share of the predictions' n-grams that occur in a reference, c the words of the
    predictions, r those of the nearest references; P and R are the mean precision and recall of
    the n-grams of 1 to 6 characters. Where no n-gram of a length is right, sacreBLEU's `exp`
    smoothing replaces the 0.

    Args:
        truths: N references, or N lists of any number of references.
        predictions: N texts.
        tokenize: how BLEU splits texts into words; a name of `TOKENIZERS`. `13a` is sacreBLEU's
            default and separates punctuation; use `none` where texts are already tokenised. chrF
            does not split texts into words.
        lowercase: whether case is ignored, by BLEU and chrF alike.

    Returns:
        bleu (main), chrf, and sequence_accuracy (main where references have fewer than `SHORT`
        words on average): of the texts that equal a reference exactly. BLEU is left out where no
        reference has the 4 words of its longest n-grams: then it is 0 even if every text is right.
        `details`: `best` and `worst`, rows by their own chrF, and the `signature` of BLEU.

    Raises:
        DataError: there is nothing to score, there is not one prediction for each truth, a row
            has no reference, or a value is not a text.
        OptionError: there is no such tokenizer.

    Source: Papineni et al. 2002, doi:10.3115/1073083.1073135; Popović 2015,
    doi:10.18653/v1/W15-3049; computed as by Post 2018, arXiv:1804.08771.
    """
    references = _references(truths, predictions)
    bleu = {"bleu": _bleu(4, tokenize, lowercase)}
    return _scores("translation", bleu, references, predictions, lowercase)


def caption_scores(
    truths: Sequence[Reference],
    predictions: Sequence[str],
    *,
    tokenize: str = "13a",
    lowercase: bool = False,
) -> Scores:
    """Score captions against one or several references each by BLEU-1 to BLEU-4.

        BLEU-n = min(1, e^(1 − r/c)) · (p₁ … pₙ)^(1/n)       of the whole corpus, times 100

    Arguments, errors and symbols are those of `translation_scores`.

    Returns:
        bleu_1 … bleu_4 (main), chrf and sequence_accuracy; what leads and what is left out for
        short references, and `details`, as in `translation_scores`.

    Source: Vinyals et al. 2015, arXiv:1411.4555, §4.1, uses BLEU-1 to BLEU-4 for captions.
    """
    references = _references(truths, predictions)
    metrics = {f"bleu_{order}": _bleu(order, tokenize, lowercase) for order in (1, 2, 3, 4)}
    return _scores("caption", metrics, references, predictions, lowercase)


def row_chrf(
    truths: Sequence[Reference], predictions: Sequence[str], *, lowercase: bool = False
) -> list[float]:
    """Return the chrF of every row by itself, 0 to 100; 100 for a text that equals a reference.

    Arguments and errors are those of `translation_scores`.

    >>> [round(each) for each in row_chrf(["ein Hund", "zwei Katzen"], ["ein Hund", "vier Hunde"])]
    [100, 7]
    """
    return _row_chrf(_references(truths, predictions), predictions, lowercase)


def _row_chrf(
    references: Sequence[list[str]], predictions: Sequence[str], lowercase: bool
) -> list[float]:
    metric = _chrf(lowercase)
    return [
        # sacreBLEU gives 0 to an empty text, even where the reference is empty too.
        100.0 if prediction in texts else metric.sentence_score(prediction, texts).score
        for texts, prediction in zip(references, predictions, strict=True)
    ]


def _scores(
    kind: str,
    metrics: Mapping[str, Any],
    references: Sequence[list[str]],
    predictions: Sequence[str],
    lowercase: bool,
) -> Scores:
    """Add chrF, accuracy, and the best and worst rows; the last BLEU is the main score.

    Args:
        kind: kind of score.
        metrics: name → sacreBLEU's BLEU, those of longer n-grams last.
        references: lists of references a row.
        predictions: one text a row.
        lowercase: whether chrF ignores case.
    """
    measured = Measured()
    outputs, streams = list(predictions), _streams(references)
    *_, longest = metrics.values()
    most = max(len(longest.tokenizer(text).split()) for texts in references for text in texts)
    for name, metric in metrics.items():
        bleu, order = metric.corpus_score(outputs, streams), metric.max_ngram_order
        why = f"no reference has {counted(order, 'word')}, and it compares n-grams of up to {order}"
        measured.add(name, bleu.score if most >= order else None, why)
    short = are_short(bleu.ref_len, len(outputs))
    signature = str(longest.get_signature())
    measured.notes.append(f"BLEU is computed by sacreBLEU, {signature}.")
    if short:
        measured.notes.append(
            f"references have fewer than {SHORT} words on average, so few n-grams of 4 words: "
            "whole rows right leads, not BLEU."
        )
    measured.values["chrf"] = _chrf(lowercase).corpus_score(outputs, streams).score
    pairs = zip(references, predictions, strict=True)
    right = sum(prediction in texts for texts, prediction in pairs)
    measured.values["sequence_accuracy"] = right / len(outputs)
    return measured.scores(
        kind=kind,
        first=OF_SHORT if short else None,
        count=len(outputs),
        unit="rows",
        details={**_extremes(references, predictions, lowercase), "signature": signature},
    )


def _extremes(
    references: Sequence[list[str]], predictions: Sequence[str], lowercase: bool
) -> dict[str, list[dict[str, Any]]]:
    """List the best and the worst rows by their own chrF."""
    by_row = _row_chrf(references, predictions, lowercase)
    order = sorted(range(len(by_row)), key=lambda row: by_row[row])

    def listed(rows: Sequence[int]) -> list[dict[str, Any]]:
        return [
            {
                "row": row,
                "truth": references[row][0] if len(references[row]) == 1 else references[row],
                "answer": predictions[row],
                "chrf": by_row[row],
            }
            for row in rows
        ]

    return {"best": listed(order[::-1][:WORST]), "worst": listed(order[:WORST])}


def _references(truths: Sequence[Reference], predictions: Sequence[str]) -> list[list[str]]:
    """Return every row's references as a list."""
    check_pairs(truths, predictions)
    references = [[truth] if isinstance(truth, str) else list(truth) for truth in truths]
    for row, (texts, prediction) in enumerate(zip(references, predictions, strict=True)):
        if not texts:
            raise DataError(f"every row needs at least one reference, got none at row {row}.")
        for text in (*texts, prediction):
            if not isinstance(text, str):
                raise DataError(
                    f"references and predictions must be texts, got {text!r} at row {row}."
                )
    return references


def _streams(references: Sequence[list[str]]) -> list[list[str | None]]:
    """Turn lists of references a row into sacreBLEU's streams, None where a row has no more."""
    most = max(map(len, references))
    return [[texts[k] if k < len(texts) else None for texts in references] for k in range(most)]


def _bleu(order: int, tokenize: str, lowercase: bool) -> Any:
    if tokenize not in TOKENIZERS:
        raise unknown("tokenizer", tokenize, TOKENIZERS)
    # force: text that looks tokenised is the caller's to judge, not to be warned of.
    options = {"tokenize": tokenize, "lowercase": lowercase, "force": True}
    return sacrebleu().BLEU(max_ngram_order=order, **options)


def _chrf(lowercase: bool) -> Any:
    return sacrebleu().CHRF(lowercase=lowercase)
