"""The page: complete in itself, escaped, the same every time, and saying what the numbers say."""

from __future__ import annotations

import base64
import re
from pathlib import Path

import numpy as np
import pytest

from elman.errors import DataError, ShapeError
from elman.features.roll import Roll
from elman.music.midi import encode_midi
from elman.report.comparison.page import render_comparison, write_comparison_report
from elman.report.comparison.results import Comparison
from elman.report.run.facts import Flow
from report.examples import comparison, falling
from report.pages import Page, assert_loads_nothing


def roll(seed: int, frames: int = 20) -> Roll:
    return (np.random.default_rng(seed).random((frames, 88)) < 0.04).astype(np.uint8)


@pytest.fixture(scope="module")
def results() -> Comparison:
    published = {"gru": 8.61, "lstm": 8.50}
    return comparison({"gru": (8.5, 8.52), "lstm": (8.6, 8.62)}, published=published)


@pytest.fixture(scope="module")
def html(results: Comparison) -> str:
    flows = {
        "gru": (falling(0.5), falling(0.7)),
        "lstm": (falling(0.6), falling(0.9, memory=0.95)),
    }
    return render_comparison(
        results, generated={"gru": roll(1), "lstm": roll(2)}, real=roll(3), flows=flows
    )


@pytest.fixture(scope="module")
def page(html: str) -> Page:
    return Page(html)


def test_the_page_loads_nothing_and_runs_nothing(page: Page) -> None:
    assert_loads_nothing(page)


def test_the_style_sheet_loads_nothing(html: str) -> None:
    (style,) = re.findall(r"<style>(.*?)</style>", html, re.DOTALL)
    assert "@import" not in style
    assert "url(" not in style


def test_every_element_is_closed_and_every_id_is_one_of_a_kind(page: Page) -> None:
    assert page.unclosed == []
    ids = [attributes["id"] for _, attributes in page.elements if "id" in attributes]
    assert len(ids) == len(set(ids))


def test_every_reference_inside_the_page_leads_somewhere(html: str, page: Page) -> None:
    ids = {attributes["id"] for _, attributes in page.elements if "id" in attributes}
    assert set(re.findall(r'(?:href="|url\()#([^")]+)', html)) <= ids


def test_the_page_answers_before_it_explains(page: Page) -> None:
    question = page.text.index("Which cell is best: GRU or LSTM?")
    answer = page.text.index("The GRU is best: 8.51 ± 0.01 nats per frame")
    stand = page.text.index("Better than the published number: the GRU by 0.10; worse than it: the")
    assert question < answer < stand < page.text.index("Task, networks and training")


def test_the_table_has_every_number(page: Page) -> None:
    row = (
        "GRU 40 20 011 8.00 ± 0.00 8.51 ± 0.01 8.61 −0.10 2 ± 0 6 ± 0 2.00 ± 0.00 LSTM 41 20 012 "
        "8.00 ± 0.00 8.61 ± 0.01 8.50 +0.11"
    )
    assert row in page.text


def test_the_page_says_how_it_was_measured(page: Page) -> None:
    for words in (
        "Every frame of every piece counts, the first too: it is predicted from an all-zero frame",
        "summed over the 88 keys and averaged over frames",
        "The test split is evaluated once, after that choice, and does not influence it",
        "a budget of 20 000 parameters",
        "elman compare chorales --seeds 2",
        "an abacus , 1 thread".replace(" ,", ","),
        "229 pieces (13 807 frames) for training",
        "PyTorch",
    ):
        assert words in page.text, words


def test_the_vanishing_gradient_is_told_in_numbers(page: Page) -> None:
    assert "GRU 10 20 50% 70% LSTM 14 > 40 60% 90%" in page.text
    assert "Once trained, the LSTM keeps 90% of the gradient at every step back" in page.text


def test_every_drawing_has_words_for_those_who_do_not_see_it(html: str) -> None:
    assert html.count("<svg") == html.count('role="img" aria-label="') == 8


def test_a_name_with_markup_in_it_stays_text() -> None:
    evil = '<script>alert("x")</script>'
    results = comparison({"gru": [8.5], evil: [8.6]}, title=evil)
    html = render_comparison(results, generated={evil: roll(1)}, real=roll(2), flows={})
    assert "<script" not in html
    assert "&lt;script&gt;" in html
    assert Page(html).unclosed == []


def test_the_same_comparison_gives_the_same_bytes(results: Comparison, tmp_path: Path) -> None:
    paths = [
        write_comparison_report(
            tmp_path / name / "report.html",
            results,
            generated={"gru": roll(1)},
            real=roll(2),
            flows={"gru": (falling(0.5), falling(0.7))},
        )
        for name in ("one", "two")
    ]
    assert paths[0] == tmp_path / "one" / "report.html"
    assert paths[0].read_bytes() == paths[1].read_bytes()


def test_without_music_or_flows_the_page_leaves_them_out() -> None:
    results = comparison({"gru": [8.5]}).model_copy(
        update={"dataset": "my own songs", "parameters": None}
    )
    html = render_comparison(results, generated={}, real=roll(2), flows={})
    text = Page(html).text
    assert "The vanishing gradient" not in text
    assert "Composed by" not in text
    assert "my own songs" in text
    assert "Hidden sizes were given" in text
    assert "–" in text


def test_silence_is_called_silence() -> None:
    html = render_comparison(
        comparison({"gru": [8.5]}), generated={"gru": 0 * roll(1)}, real=roll(2), flows={}
    )
    assert "Silence: no key is ever pressed." in html


def test_a_long_piece_is_drawn_in_part_and_the_page_says_so() -> None:
    html = render_comparison(
        comparison({"gru": [8.5]}), generated={"gru": roll(1, 200)}, real=roll(2, 30), flows={}
    )
    assert "The first 30 frames are drawn; the words count the whole piece." in Page(html).text


def test_what_is_not_a_roll_is_refused() -> None:
    results = comparison({"gru": [8.5]})
    with pytest.raises(ShapeError, match="keys"):
        render_comparison(results, generated={"gru": roll(1)[:, :80]}, real=roll(2), flows={})
    with pytest.raises(DataError, match="no frames"):
        render_comparison(results, generated={}, real=roll(2, 0), flows={})


def test_the_page_holds_every_piece_as_midi(page: Page) -> None:
    links = [attributes for tag, attributes in page.elements if tag == "a"]
    assert [link["download"] for link in links] == ["real.mid", "gru.mid", "lstm.mid"]
    rolls = [roll(3), roll(1), roll(2)]
    for link, piece in zip(links, rolls, strict=True):
        kind, _, encoded = (link["href"] or "").partition(",")
        assert kind == "data:audio/midi;base64"
        assert base64.b64decode(encoded) == encode_midi(piece)


def test_the_page_of_another_score_says_what_that_is_and_which_way_it_is_better() -> None:
    results = comparison(
        {"gru": (0.86, 0.88), "lstm": (0.9, 0.9)},
        score="accuracy",
        task="input: words; target: one of 2 labels → many-to-one",
        counts={"train": 1_200, "valid": 30, "test": 40},
        terms="as many as the network of the experiment has: GRU, hidden size 5",
        notes=["chrono = 30 has no meaning for the simple cell, which is trained without it."],
        select="score",
        loss_unit="nats per row",
    )
    html = render_comparison(results)
    text = Page(html).text
    for words in (
        "Accuracy on the test split: higher is better.",
        "Input: words; target: one of 2 labels → many-to-one.",
        "Accuracy: the share of right predictions. Higher is better.",
        "20 000 parameters, as many as the network of the experiment has: GRU, hidden size 5.",
        "chrono = 30 has no meaning for the simple cell, which is trained without it.",
        "the epoch with the best accuracy on the validation split",
        "mine: 1 200 training, 30 validation, 40 test rows.",
        "GRU 40 20 011 800.0% ± 0.0% 87.0% ± 1.4% 2 ± 0",
    ):
        assert words in text, words
    for words in (
        "Published",
        "88 keys",
        "music",
        "frame",
        "The vanishing gradient",
        "Every score",
    ):
        assert words not in text, words
    assert "nats per row" in html
    assert Page(html).unclosed == []


def test_every_score_of_the_test_split_stands_in_a_table_where_there_are_several() -> None:
    results = comparison({"gru": (0.86, 0.88)}, score="accuracy")
    scores = {"accuracy": 0.9, "log_loss": 0.25}
    (cell,) = results.results
    valid = {"scores": {"valid": scores, "test": scores}}
    seeds = [seed.model_copy(update=valid) for seed in cell.seeds]
    more = results.model_copy(update={"results": [cell.model_copy(update={"seeds": seeds})]})
    text = Page(render_comparison(more)).text
    assert "All scores Cell Accuracy Log loss GRU 90.0% ± 0.0% 0.250 ± 0.000" in text
    assert "Log loss: the mean of −ln of the true class’s predicted probability, in nats." in text


def test_a_gradient_that_every_state_receives_is_not_said_to_fade() -> None:
    results = comparison({"gru": [0.86]}, score="accuracy")
    flows = {"gru": (falling(0.5), falling(0.7))}
    last = Flow({"forward": falling(0.7)}, per_step=False)
    text = Page(render_comparison(results, flows=flows, reading=last)).text
    assert "the GRU keeps 70% of the gradient at every step back" in text
    assert "GRU 10 20 50% 70%" in text
    assert "88 keys" not in text

    both = {"forward": falling(0.7), "backward": falling(0.7)}
    pooled = Flow(both, per_step=False, pooling="mean")
    text = Page(render_comparison(results, flows=flows, reading=pooled)).text
    assert "Mean pooling reads every state" in text
    assert "The networks read a sequence in two directions; the forward one is shown." in text
    assert "Kept per step" not in text


def test_what_the_cells_write_stands_below_one_another() -> None:
    results = comparison({"gru": [1.5]}, score="bits_per_character", kind="language")
    html = render_comparison(results, texts={"gru": "a <b> c"}, sampling="Sampled twice.")
    assert "Generated texts a <b> c Generated by the GRU. Sampled twice." in Page(html).text
    assert "The music" not in html
