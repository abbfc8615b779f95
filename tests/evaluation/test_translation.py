"""Scores of written texts, against sacreBLEU's own functions and by hand."""

from __future__ import annotations

import math

import pytest
import sacrebleu

from elman.errors import DataError, OptionError
from elman.evaluation.scores import score
from elman.evaluation.translation import caption_scores, row_chrf, translation_scores

TRUTHS = [
    "Zwei Hunde laufen über eine Wiese.",
    "Ein Mann sitzt auf der Bank, allein.",
    "Kinder spielen im Wasser.",
]
PREDICTIONS = [
    "Zwei Hunde laufen über die Wiese.",
    "ein Mann sitzt auf einer Bank.",
    "Kinder spielen im Wasser.",
]


def test_bleu_by_hand() -> None:
    scores = translation_scores(["the cat is on the mat"], ["the cat sat on the mat ."])
    # 7 words, of which 5 are right; pairs: the cat, on the, the mat; triples: on the mat.
    precisions = [5 / 7, 3 / 6, 1 / 5, 1 / (2 * 4)]  # no four are right: exp smoothing halves 1/4
    expected = 100 * math.prod(precisions) ** 0.25
    assert scores.values["bleu"] == pytest.approx(expected)


def test_short_predictions_pay_for_their_brevity() -> None:
    scores = caption_scores(["a b c d e f"], ["a b c d"])
    assert scores.values["bleu_1"] == pytest.approx(100 * math.exp(1 - 6 / 4))
    assert scores.values["bleu_4"] == pytest.approx(100 * math.exp(1 - 6 / 4))


@pytest.mark.parametrize("lowercase", [False, True])
@pytest.mark.parametrize("tokenize", ["13a", "none", "char"])
def test_a_corpus_is_scored_as_sacrebleu_scores_it(tokenize: str, lowercase: bool) -> None:
    scores = translation_scores(TRUTHS, PREDICTIONS, tokenize=tokenize, lowercase=lowercase)
    bleu = sacrebleu.corpus_bleu(PREDICTIONS, [TRUTHS], tokenize=tokenize, lowercase=lowercase)
    texts = [
        [text.lower() if lowercase else text for text in each] for each in (PREDICTIONS, TRUTHS)
    ]
    chrf = sacrebleu.corpus_chrf(texts[0], [texts[1]])
    assert scores.values == pytest.approx(
        {"bleu": bleu.score, "chrf": chrf.score, "sequence_accuracy": 1 / 3}
    )
    assert (scores.main, scores.count, scores.unit) == ("bleu", 3, "rows")
    signature = scores.details["signature"]
    case = "lc" if lowercase else "mixed"
    assert signature.startswith(f"nrefs:1|case:{case}|eff:no|tok:{tokenize}|smooth:exp|version:")
    assert scores.notes == (f"BLEU is computed by sacreBLEU, {signature}.",)


def test_captions_may_have_any_number_of_references_each() -> None:
    truths = [["a dog runs on grass", "the dog runs"], ["two men", "two men talk", "men talking"]]
    predictions = ["the dog runs on grass", "two men talk"]
    # Every word and pair occurs in one reference or the other; their nearest lengths are 5 and 3.
    scores = caption_scores(truths, predictions)
    assert scores.main == "sequence_accuracy"  # the nearest references have 4 words on average
    assert scores.values["bleu_1"] == pytest.approx(100)
    assert scores.values["bleu_2"] == pytest.approx(100)
    assert scores.values["bleu_3"] == pytest.approx(100)
    assert scores.values["sequence_accuracy"] == 0.5
    streams = [[truths[0][0], truths[1][0]], [truths[0][1], truths[1][1]], [None, truths[1][2]]]
    assert scores.values["chrf"] == pytest.approx(sacrebleu.corpus_chrf(predictions, streams).score)
    assert "nrefs:var" in scores.details["signature"]


def test_bleu_4_of_captions_is_the_bleu_of_translations() -> None:
    captions, translations = (
        caption_scores(TRUTHS, PREDICTIONS),
        translation_scores(TRUTHS, PREDICTIONS),
    )
    assert captions.values["bleu_4"] == translations.values["bleu"]
    orders = [captions.values[f"bleu_{n}"] for n in (1, 2, 3, 4)]
    assert orders == sorted(orders, reverse=True)
    precisions = sacrebleu.corpus_bleu(PREDICTIONS, [TRUTHS])
    for order, ours in enumerate(orders, start=1):
        product = math.prod(precision / 100 for precision in precisions.precisions[:order])
        assert ours == pytest.approx(100 * precisions.bp * product ** (1 / order))


def test_best_and_worst_rows_are_those_of_the_most_and_least_chrf() -> None:
    details = translation_scores(TRUTHS, PREDICTIONS).details
    by_row = row_chrf(TRUTHS, PREDICTIONS)
    expected = [
        sacrebleu.sentence_chrf(a, [t]).score for a, t in zip(PREDICTIONS, TRUTHS, strict=True)
    ]
    assert by_row == pytest.approx(expected)
    assert [each["row"] for each in details["worst"]] == [1, 0, 2]
    assert [each["row"] for each in details["best"]] == [2, 0, 1]
    assert details["best"][0] == {
        "row": 2,
        "truth": TRUTHS[2],
        "answer": PREDICTIONS[2],
        "chrf": pytest.approx(100),
    }


def test_an_empty_text_is_right_where_the_truth_is_empty_and_else_wrong() -> None:
    scores = translation_scores(["", "ein Hund"], ["", ""])
    assert scores.values == {"chrf": 0.0, "sequence_accuracy": 0.5}
    assert row_chrf(["", "ein Hund"], ["", ""]) == [100.0, 0.0]


def test_where_no_reference_has_four_words_bleu_is_left_out_and_says_why() -> None:
    truths = ["house filter", "electric lid cable", "door"]
    scores = translation_scores(truths, truths)
    assert (scores.main, scores.value) == ("sequence_accuracy", 1)
    assert scores.values["chrf"] == pytest.approx(100)
    assert "bleu" not in scores.values
    assert scores.undefined["bleu"] == (
        "no reference has 4 words, and it compares n-grams of up to 4"
    )
    captions = caption_scores(truths, truths)
    assert [name for name in captions.values if "bleu" in name] == ["bleu_1", "bleu_2", "bleu_3"]
    assert captions.main == "sequence_accuracy"
    with pytest.raises(OptionError, match="bleu cannot be the main score here: BLEU is not"):
        score("translation", truths, truths, main="bleu")


def test_exact_answers_lead_where_references_have_fewer_than_five_words_on_average() -> None:
    truths = ["red door", "the big house on the hill"]
    scores = translation_scores(truths, truths)
    assert scores.main == "sequence_accuracy"
    assert scores.values["bleu"] == pytest.approx(100)
    assert "fewer than 5 words on average" in scores.notes[-1]
    longer = ["the red door of it", *truths[1:]]
    assert translation_scores(longer, longer).main == "bleu"


def test_tokenised_text_is_scored_without_a_warning(caplog: pytest.LogCaptureFixture) -> None:
    text = ["ein hund läuft ."] * 120
    assert translation_scores(text, text, tokenize="none").values["bleu"] == pytest.approx(100)
    assert not caplog.records


def test_what_is_no_text_is_refused() -> None:
    with pytest.raises(DataError, match="got 2 true values and 1 prediction"):
        translation_scores(["a", "b"], ["a"])
    with pytest.raises(
        DataError, match="every row needs at least one reference, got none at row 1"
    ):
        caption_scores([["a"], []], ["a", "b"])
    with pytest.raises(DataError, match="references and predictions must be texts, got 3 at row 0"):
        translation_scores([["a", 3]], ["a"])  # type: ignore[list-item]
    with pytest.raises(DataError, match="must be texts, got None at row 0"):
        translation_scores(["a"], [None])  # type: ignore[list-item]
    with pytest.raises(OptionError, match="unknown tokenizer 'nome'; did you mean 'none'"):
        translation_scores(["a"], ["a"], tokenize="nome")
