"""The page of a trained model: what fits its task is there, in its units and under its names."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from report.pages import Page, assert_loads_nothing
from roads import NEXT_CHARACTER, ROADS, WRITTEN_ROADS, travelled

pytestmark = pytest.mark.usefixtures("pages")

SAID = {
    "text to a class": [
        "nats per row",
        "label predicted from text (reviews) How well does it predict “label”?",
        "Input attribution",
        "Gradient flow",
        "bidirectional GRU of 3",
    ],
    "windows to the next value": [
        "the next value of celsius predicted from celsius (",
        "How well does it predict the next value of “celsius”?",
        "The value after each window, in the order of time",
        "Gradient flow",
    ],
    "tokens to tags": ["nats per step", "Scores per tag", "Scores per span type", "Gradient flow"],
    "sounds to letters": ["nats per row", "Wrong predictions", "Gradient flow"],
    "numbers to numbers, step by step": ["loss, of scaled targets", "Predictions and true values"],
    "measurements to a class": [
        "Confusion matrix",
        "Misclassified rows",
        "length ",
        ", colour ",
        "“length” as number",
        "“colour” as category",
    ],
    "measurements to a number": ["Predicted against true"],
    "text to several targets": [
        "priority, hours and topics predicted from text (tickets) "
        "How well does it predict “priority”, “hours” and “topics”?",
        "“hours”: its root mean squared error is",
        "Macro F1 of priority",
        "Scores per class",
        "Predicted against true",
        "Scores per label",
        "“topics” as labels",
    ],
    "tokens to several targets": [
        "loss, summed over the targets",
        "“parts”: it predicts",
        "Scores per span type",
        "Tagged sentences",
        "Predictions and true values",
    ],
}


@pytest.mark.sampled(2)
@pytest.mark.parametrize("name", SAID)
def test_the_page_shows_what_fits_the_task(name: str, tmp_path: Path) -> None:
    travelled(ROADS[name], tmp_path)
    page = Page((tmp_path / "run" / "report.html").read_text(encoding="utf-8"))
    assert_loads_nothing(page)
    for words in SAID[name]:
        assert words in page.text, words
    assert ("Gradient flow" in page.text) == (ROADS[name].category != "one-to-one")


def test_the_page_of_a_language_model_shows_what_it_writes(tmp_path: Path) -> None:
    travelled(NEXT_CHARACTER, tmp_path)
    text = Page((tmp_path / "run" / "report.html").read_text(encoding="utf-8")).text
    for words in (
        "next step of text predicted from its past (song)",
        "nats per symbol",
        "Generated sequences",
        "temperature 0.8, seed 1",
        "Gradient flow",
    ):
        assert words in text, words


WRITTEN = {
    "a sentence to another": [
        "de predicted from en (translations)",
        "How well does it write “de”?",
        "encoder: 1 × bidirectional LSTM of 3 units; decoder: 1 × LSTM of 4 units, general",
        "attention, input feeding",
        "Worst",
        "Ranked by chrF",
        "∎ is the end of the output. A byte pair with · continues a word.",
        "the encoder’s hidden state h(t)",
    ],
    "letters to letters": ["Ranked by edits per symbol", "Attention", "Gradient flow"],
    "a language to names": [
        "How well does it predict “name”?",
        "its input read as the initial state",
        "Decoded",
        "Sampled: at temperature 0.8",
    ],
    "a picture to its caption": [
        "How well does it write “caption” for a picture?",
        "convolutional layers, then 1 × ",
        "its input read at each step",
        "The first pictures of the part",
    ],
}
ASKED: dict[str, dict[str, Any]] = {
    "a sentence to another": {
        "cell": "lstm",
        "bidirectional": True,
        "decoder.hidden_size": 4,
        "decoder.attention": "general",
        "decoder.input_feeding": True,
        "decoding.min_length": 1,
        "decoding.max_length": 6,
    },
    "letters to letters": {"decoding.min_length": 1},
}


@pytest.mark.parametrize("name", WRITTEN)
def test_the_page_of_a_network_that_writes_shows_what_it_wrote(name: str, tmp_path: Path) -> None:
    travelled(WRITTEN_ROADS[name], tmp_path, **ASKED.get(name, {}))
    page = Page((tmp_path / "run" / "report.html").read_text(encoding="utf-8"))
    assert_loads_nothing(page)
    for words in ("nats per symbol", "Generated sequences", *WRITTEN[name]):
        assert words in page.text, words
    reads_steps = WRITTEN_ROADS[name].category == "encoder-decoder"
    assert ("Gradient flow" in page.text) == reads_steps
    assert ("output ↓ source →" in page.text) == reads_steps
