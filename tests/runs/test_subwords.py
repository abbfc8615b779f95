"""Runs that read words by their n-grams, in every category that reads words."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import elman

TEXTS = ["a fine film", "a poor film", "what a fine plot", "so poor a plot"] * 8
TAGS = [["DET", "ADJ", "NOUN"], ["DET", "ADJ", "NOUN"], ["PRON", "DET", "ADJ", "NOUN"]]
COLUMNS: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "many-to-one": (
        {"text": TEXTS, "label": ["good", "bad"] * 16},
        {"target": "label", "input_kind": "text:word", "input_options": {"subwords": 30}},
    ),
    "many-to-many": (
        {
            "tokens": [text.split() for text in TEXTS[:3]] * 10,
            "tags": TAGS * 10,
        },
        {"target": "tags", "input_kind": "symbols", "input_options": {"subwords": 30}},
    ),
    "encoder-decoder": (
        {"text": TEXTS, "written": [text.upper() for text in TEXTS]},
        {
            "target": "written",
            "target_kind": "text:word",
            "input_kind": "text:word",
            "input_options": {"subwords": 30},
        },
    ),
    "text and number": (
        {"text": TEXTS, "stars": [row % 5 + 0.5 for row in range(32)], "label": ["a", "b"] * 16},
        {"target": "label", "columns": {"text": {"kind": "text:word", "subwords": 30}}},
    ),
}


@pytest.mark.parametrize("name", COLUMNS)
def test_a_run_reads_ngrams_saves_them_and_answers_words_it_has_never_seen(
    name: str, tmp_path: Path
) -> None:
    columns, settings = COLUMNS[name]
    model = elman.train(columns, out=tmp_path / "run", epochs=1, hidden_size=6, **settings)
    tables = [
        key for key in model.network.state_dict() if key.endswith("subwords.embedding.weight")
    ]
    assert tables
    loaded = elman.load(tmp_path / "run")
    new = {key: values[:2] for key, values in columns.items() if key != settings["target"]}
    first = next(iter(new))
    new[first] = [["finest"], ["poorly", "a"]] if first == "tokens" else ["finest", "poorly a"]
    assert loaded.predict(new) == model.predict(new)
    assert len(loaded.predict(new)) == 2
