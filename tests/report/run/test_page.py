"""The page of a run: complete in itself, escaped, the same every time, and showing what fits."""

from __future__ import annotations

import dataclasses
import re
import xml.etree.ElementTree as ElementTree
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from elman.errors import DataError, ShapeError
from elman.evaluation.measures import Scores
from elman.evaluation.scores import score
from elman.report.run.column_falls import ColumnFall, ColumnFalls
from elman.report.run.facts import (
    Bands,
    Column,
    CurvePoint,
    Flow,
    GeneratedRoll,
    GeneratedText,
    ImageInput,
    Mistake,
    PredictedNumbers,
    PredictedSeries,
    RunFacts,
    SeriesInput,
    TaggedSentence,
    WeighedText,
)
from elman.report.run.page import render_run, write_run_report
from report.examples import falling
from report.pages import Page, assert_loads_nothing

EVIL = '<script>alert("x")</script>'
TRUTHS = ["pos", "neg", "pos", "pos"]
ANSWERS = ["pos", "pos", "pos", "neg"]
SURE = [[0.2, 0.8], [0.1, 0.9], [0.4, 0.6], [0.7, 0.3]]
REVIEWS = score("classification", TRUTHS, ANSWERS, SURE, names=["neg", "pos"])
CURVE = [
    CurvePoint(epoch, 1.0 / epoch, 0.5 + 0.1 / epoch, 0.8 - 0.1 / epoch) for epoch in range(1, 6)
]


def facts(scores: Scores = REVIEWS, **others: Any) -> RunFacts:
    basics: dict[str, Any] = {
        "title": "label predicted from text (reviews)",
        "category": "many-to-one",
        "cell": "gru",
        "network": "1 × GRU 64",
        "parameters": 12345,
        "scores": {"valid": scores, "test": scores},
        "target": "“label”",
    }
    return RunFacts(**basics | others)


def text_of(**others: Any) -> str:
    return Page(render_run(facts(**others))).text


@pytest.fixture(scope="module")
def everything() -> RunFacts:
    roll = (np.random.default_rng(1).random((20, 88)) < 0.04).astype(np.uint8)
    return facts(
        source="reviews.csv",
        inputs=[Column("text", "text:word", "strings")],
        targets=[Column(EVIL, "category")],
        parts={"train": 1000, "valid": 4, "test": 4},
        split="By the column “part”.",
        notes=["3 rows were cut."],
        curve=CURVE,
        selected=3,
        loss_unit="nats per row",
        score_title="accuracy",
        seconds=754.3,
        seed=7,
        machine="an abacus",
        command="elman train reviews.csv",
        settings={"network": {"cell": "gru", "bidirectional": False, "hidden_size": [64]}},
        wrong=[
            Mistake(EVIL, "neg", "pos", 0.9, "reviews.csv, line 2"),
            Mistake(SeriesInput([1.0, float("nan"), 2.0]), "a", "b"),
            Mistake(ImageInput(np.zeros((4, 5), np.uint8)), "7", "9"),
        ],
        sentences=[TaggedSentence(["Time", "flies"], ["NOUN", "VERB"], ["NOUN", "NOUN"])],
        bands=[Bands("b3", ["rest", "rest", EVIL], ["rest", EVIL, EVIL], step_seconds=1.0)],
        weighed=[WeighedText(["not", EVIL], [-1.0, 2.0], "neg", "pos", 0.75)],
        weights_note="Integrated gradients.",
        importance=[ColumnFalls("Accuracy", 0.5, True, True, [ColumnFall(EVIL, 0.25)], 4, 4)],
        importance_note="Not all was measured.",
        numbers=PredictedNumbers([1.0, 2.0], [1.5, 2.5]),
        series=[
            PredictedSeries(EVIL, [1.0, 2.0], [1.0, 2.5], past=[0.0]),
            PredictedSeries("b", [1.0], [2.0], [0.0], naive=[0.0], low=[1.5], high=[3.0]),
        ],
        series_note="Dotted: the naive one.",
        texts=[GeneratedText(f" and so on {EVIL}", "Once", "temperature 0.8")],
        rolls=[GeneratedRoll("Composed", roll)],
        flow=Flow({"forward": falling(0.9), "backward": falling(0.5)}, per_step=False),
    )


@pytest.fixture(scope="module")
def html(everything: RunFacts) -> str:
    return render_run(everything)


@pytest.fixture(scope="module")
def page(html: str) -> Page:
    return Page(html)


def test_the_page_loads_nothing_and_runs_nothing(page: Page, html: str) -> None:
    assert_loads_nothing(page)
    (style,) = re.findall(r"<style>(.*?)</style>", html, re.DOTALL)
    assert "@import" not in style
    assert "url(" not in style


def test_every_element_is_closed_and_every_id_is_one_of_a_kind(page: Page) -> None:
    assert page.unclosed == []
    ids = [attributes["id"] for _, attributes in page.elements if "id" in attributes]
    assert len(ids) == len(set(ids))


def test_every_drawing_is_well_formed_and_has_words_for_those_who_do_not_see_it(html: str) -> None:
    drawings = re.findall(r"<svg.*?</svg>", html, re.DOTALL)
    assert len(drawings) == html.count('role="img" aria-label="') == 10
    for drawing in drawings:
        namespace = 'xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink"'
        ElementTree.fromstring(re.sub(r"^<svg[^>]*>", f"<svg {namespace}>", drawing))


def test_markup_in_the_data_stays_text(html: str, page: Page) -> None:
    assert "<script" not in html
    assert page.text.count(EVIL) >= 6


def test_every_part_of_the_page_is_there_in_order(html: str) -> None:
    assert re.findall("<h2>(.*?)</h2>", html) == [
        "Scores",
        "Task, network and training",
        "Learning curve",
        "What each column contributes",
        "Calibration",
        "Scores per class",
        "Confusion matrix",
        "Misclassified rows",
        "Predictions and true values",
        "Tagged sentences",
        "Tags over time",
        "Input attribution",
        "Generated sequences",
        "Music",
        "Gradient flow",
        "Settings",
    ]


def test_the_page_answers_before_it_explains(page: Page) -> None:
    question = page.text.index("How well does it predict “label”?")
    reply = page.text.index("It predicts 50.00% of 4 test rows correctly.")
    constant = page.text.index("A plain guess, always 'pos', would be right for 75.00%.")
    assert question < reply < constant < page.text.index("Scores")


def test_the_page_says_what_was_learned_and_how(page: Page) -> None:
    for words in (
        "“text” as text:word (strings)",
        "1 000 training, 4 validation, 4 test. By the column “part”.",
        "3 rows were cut.",
        "1 × GRU 64, 12 345 parameters",
        "5 epochs, weights of epoch 3 selected, 12 min 34 s, random seed 7",
        "an abacus",
        "elman train reviews.csv",
        "cell gru bidirectional false hidden_size [64]",
        "Integrated gradients.",
        f"{EVIL} 25.00 How far the accuracy falls",
        "Not all was measured.",
    ):
        assert words in page.text, words


def test_the_table_has_every_score_the_chief_one_first(page: Page) -> None:
    # pos: 2 hits of 3 and 3; neg: none.
    accuracy = "Accuracy 50.00% 50.00% 75.00% the share of right predictions; higher is better"
    assert f"{accuracy} Macro F1 33.33%" in page.text


def test_the_confusion_matrix_has_every_count(page: Page) -> None:
    assert "true ↓ predicted → neg pos neg 1 pos 1 2 Rows are true classes" in page.text


def test_a_mistake_stands_with_its_input_and_its_place(page: Page) -> None:
    assert f"{EVIL} Predicted pos (90.0%), true neg · reviews.csv, line 2" in page.text


def test_a_wrong_tag_is_struck_out_beside_the_truth(html: str) -> None:
    assert re.search(r'class="token">Time<small>NOUN</small>', html)
    assert re.search(r'"token off">flies<small><del>NOUN</del> <ins>VERB</ins></small>', html)


def test_bands_stand_where_their_steps_do(html: str) -> None:
    bands = re.findall(r'left: ([\d.]+)%; width: ([\d.]+)%;[^>]*title="(\w+)', html)
    assert bands == [
        ("0.000", "66.667", "rest"),
        ("0.000", "33.333", "rest"),
        ("33.333", "33.333", "wrong"),
    ]


def test_words_are_coloured_for_and_against_by_their_weight(html: str) -> None:
    lighter, deepest = re.findall(
        r"<span style=\"background: color-mix\(in srgb, var\(--(\w+), #\w+\) (\d+)%", html
    )[-2:]
    assert lighter == ("simple", "39")  # 55 · √½
    assert deepest == ("lstm", "55")


def test_a_text_too_long_to_show_can_be_opened() -> None:
    html = render_run(facts(wrong=[Mistake("word " * 2000, "a", "b")]))
    assert "word …</span></summary>" in html
    assert "word  … and 4 000 more characters</p></details>" in html.replace("\u202f", " ")


def test_spans_and_tags_have_a_table_each() -> None:
    scores = score("tagging", [["B-NP", "I-NP", "O"]], [["B-NP", "I-NP", "B-NP"]])
    text = text_of(scores=scores, target="“chunk”")
    assert "How well does it predict “chunk” at each step?" in text
    assert "Its F1 is 66.67% over 3 test steps." in text
    assert "66.67% of the steps are correct; always 'B-NP' would be right for" in text
    assert "Span type Precision Recall F1 True Predicted NP 50.0% 100.0% 66.7% 1 2" in text
    assert "Scores per tag" in text


def test_of_many_names_the_commonest_confusions_are_listed() -> None:
    names = [f"n{number:02}" for number in range(30)]
    scores = score("classification", [*names, "n03"], [*names[1:], "n00", "n04"])
    text = text_of(scores=scores)
    assert "n03 n04 2 100.0% n00 n01 1 100.0%" in text
    assert "The most frequent confusions among 30 classes." in text


@pytest.mark.parametrize(
    ("scores", "words"),
    [
        (score("regression", [1.0, 3.0], [2.0, 2.0]), "Its root mean squared error is 1 over 2"),
        (
            score("regression", [1.0, 3.0], [2.0, 2.0], training=[1.0, 5.0]),
            "Its mean absolute error over 2 test rows is 0.25 times that of the seasonal naive "
            "forecast. That is better than repeating the value of one season ago.",
        ),
        (
            score("forecast", [[1.0]], [[2.0]], training=[[1.0, 5.0]]).model_copy(
                update={
                    "details": {
                        "naive": {"the last value": {"mase": 0.5}},
                        "best_naive": "the last value",
                    }
                }
            ),
            "Its mean absolute error over 1 test values is 0.25 times that of the seasonal naive "
            "forecast on their past. That is better than naive: the best naive forecast, the last "
            "value, has a MASE of 0.5 on the same values.",
        ),
        (
            score("language", ["ab"], None, nll=2.0),
            "Its perplexity is 7.389 over 2 test symbols: as uncertain as a choice among 7.389 "
            "equally likely ones.",
        ),
        (
            score("language", ["ab"], None, nll=2.0, characters=2),
            "It needs 2.885 bits per character",
        ),
        (
            score("transcription", ["ab"], ["b"]),
            "Its outputs differ from the targets by 0.5 edits per symbol over 1 test",
        ),
        (
            score("series", [[10.0]], [[9.0]], main="error_to_signal"),
            "Its error has 1.00% of the signal’s energy over 1 test steps.",
        ),
        (
            Scores(kind="roll", main="nll", values={"nll": 8.41}, count=9, unit="frames"),
            "Its negative log-likelihood over 9 test frames is 8.41 nats each.",
        ),
    ],
)
def test_every_kind_is_answered_in_its_own_words(scores: Scores, words: str) -> None:
    assert words in text_of(scores=scores)


def test_each_score_has_its_own_columns_under_its_name() -> None:
    columns = [ColumnFall("size", 0.5, 0.1), ColumnFall("colour", 0.25, 0.1)]
    accuracy = ColumnFalls("Accuracy", 0.9, True, True, columns, 40, 40)
    error = ColumnFalls("Mean squared error", 2.0, False, False, columns[:1], 40, 40)
    alone, both = text_of(importance=[accuracy]), text_of(importance=[accuracy, error])
    assert "What each column contributes Column Fall of accuracy, percentage points" in alone
    assert "size 50.00 ± 10.00 colour 25.00 ± 10.00 How far the accuracy falls" in alone
    assert "What each column contributes Accuracy Column Fall of accuracy" in both
    assert "Mean squared error Column Rise of mean squared error size 0.5000 ± 0.1000" in both


def test_what_is_not_there_is_left_out() -> None:
    text = text_of()
    for words in (
        "What each column contributes",
        "Loss by epoch",
        "Tagged sentences",
        "Tags over time",
        "Gradient flow",
        "Settings",
        "seed",
    ):
        assert words not in text, words
    assert "Accuracy by predicted probability" in text
    assert "Learning curve" not in text
    plain = score("classification", TRUTHS, ANSWERS)
    assert "Accuracy by predicted probability" not in text_of(scores=plain)


def flow_text(*shares: float, per_step: bool = True, **others: Any) -> str:
    directions = dict(zip(("forward", "backward"), map(falling, shares), strict=False))
    return text_of(flow=Flow(directions, per_step, **others)).replace("\N{NO-BREAK SPACE}", " ")


def test_the_speed_at_which_the_gradient_fades_is_told_in_numbers() -> None:
    assert (
        "The half-distance is 1 step, and after 10 steps 1/1000 is left; in the far half of the "
        "curve each step leaves 50%." in flow_text(0.5)
    )
    slow = "half-distance is 7 steps, and over 40 steps it does not fall to 1/1000"
    assert slow in flow_text(0.9)
    assert "Over 40 steps the gradient does not fall to half" in flow_text(1.0)


def test_a_flow_says_whose_loss_it_follows_and_through_what() -> None:
    steps = flow_text(0.5)
    assert "the loss of a row’s last step, T," in steps
    assert "∂loss(T)/∂h(t) = ∂loss(T)/∂h(T) · ∂h(T)/∂h(T−1) · … · ∂h(t+1)/∂h(t)" in steps
    assert "geometric mean over 4 rows of the validation data" in steps
    assert "Dashed" not in steps
    both = flow_text(0.5, 0.9)
    assert "Forward: the half-distance is 1 step" in both
    assert "Backward: the half-distance is 7 steps" in both
    assert "that of the loss of step 1, by the distance from step 1." in both
    late = flow_text(0.5, delay=5)
    assert "T is the step of the last prediction, 5 after the last input." in late
    pooled = flow_text(0.5, per_step=False, pooling="mean")
    assert "Mean pooling reads every state" in pooled
    assert "∂loss/∂pooled · ∂pooled/∂h(t) + ∂loss/∂h(t+1) · ∂h(t+1)/∂h(t)" in pooled
    assert "half-distance" not in pooled


def test_a_memory_of_its_own_is_named_as_the_dashed_line() -> None:
    lasting = Flow({"forward": falling(0.5, memory=0.9)}, per_step=True)
    assert "Dashed: the same for the LSTM’s cell state c(t)" in text_of(flow=lasting)


def test_a_flow_is_drawn_as_far_as_it_stays_in_the_picture() -> None:
    html = render_run(facts(flow=Flow({"forward": falling(0.01)}, per_step=True)))
    (drawing,) = re.findall(r"<svg.*?</svg>", html[html.index("Gradient flow") :], re.DOTALL)
    assert re.findall(r">(\d+)<", drawing) == ["0", "2", "4", "6", "8", "10"]
    nothing = falling(0.0)._replace(hidden=falling(0.5).hidden * 0)
    assert "Gradient flow" in text_of(flow=Flow({"forward": nothing}, per_step=True))


def test_a_curve_may_have_holes_and_a_single_epoch() -> None:
    holes = [CurvePoint(1, float("nan"), 0.5), CurvePoint(2, 0.4, None)]
    assert "Loss by epoch" in text_of(curve=holes)
    assert "Score by epoch" not in text_of(curve=holes)
    assert "1 epoch" in text_of(curve=CURVE[:1])


def test_a_note_on_the_scores_of_one_part_stands_beside_its_name() -> None:
    parts = {
        part: REVIEWS.model_copy(update={"notes": (f"{rows} rows are short.", "Case counts.")})
        for part, rows in (("valid", 1), ("test", 2))
    }
    said = "Validation: 4 rows. 1 rows are short. Test: 4 rows. 2 rows are short. Case counts."
    assert said in Page(render_run(dataclasses.replace(facts(), scores=parts))).text


def test_a_score_that_is_not_computed_says_so_and_why() -> None:
    strange = score(
        "classification", ["pos", "odd"], ["pos", "pos"], SURE[:2], names=["neg", "pos"]
    )
    page = Page(
        render_run(dataclasses.replace(facts(), scores={"valid": REVIEWS, "test": strange}))
    )
    assert "Log loss is not computed: 1 of 2 true names were never learned" in page.text
    assert "1 of 2 rows has classes that the model never learned ('odd' 1: row 1)" in page.text
    assert "Log loss 1.06 not computed" in page.text
    lost = score("regression", [1.0, 2.0], [float("nan"), 2.0])
    said = "Its root mean squared error is not computed: 1 of 2 predicted numbers is not finite."
    assert said in text_of(scores=lost)


def test_names_in_any_script_and_with_dollars_are_shown_without_a_warning() -> None:
    names = ["電影", "$\\bad$", "фильм 🎬"]
    scores = score("classification", names, names[::-1])
    html = render_run(
        facts(
            scores=scores,
            bands=[Bands("電影", names, names)],
            series=[PredictedSeries("$\\bad$", [1.0], [1.0])],
        )
    )
    for name in names:
        assert name in html


def test_the_same_facts_give_the_same_bytes(everything: RunFacts, tmp_path: Path) -> None:
    paths = [write_run_report(tmp_path / n / "report.html", everything) for n in ("one", "two")]
    assert paths[0] == tmp_path / "one" / "report.html"
    assert paths[0].read_bytes() == paths[1].read_bytes()


def test_half_a_surrogate_pair_does_not_stop_the_page(tmp_path: Path) -> None:
    path = write_run_report(tmp_path / "a.html", facts(wrong=[Mistake("\ud800", "a", "b")]))
    assert "\\ud800" in path.read_text(encoding="utf-8")


def test_what_cannot_be_shown_is_refused_in_words(everything: RunFacts) -> None:
    with pytest.raises(DataError, match="needs the scores of at least one part"):
        dataclasses.replace(everything, scores={})
    with pytest.raises(ShapeError, match="got 2 words, 1 truths, 1 predictions"):
        facts(sentences=[TaggedSentence(["a", "b"], ["X"], ["X"])])
    with pytest.raises(ShapeError, match="got 1 words, 2 weights"):
        facts(weighed=[WeighedText(["a"], [1.0, 2.0], "x", "y")])
    with pytest.raises(ShapeError, match=r"must be \(T,\) or \(T, k\), got \(0,\)"):
        render_run(facts(wrong=[Mistake(SeriesInput([]), "a", "b")]))
    with pytest.raises(ShapeError, match="of uint8, got"):
        render_run(facts(wrong=[Mistake(ImageInput([[0.5]]), "a", "b")]))
