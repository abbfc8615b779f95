"""What is shown of what a network wrote: near and far, attention as it was, seeded draws."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from elman.data.table import Table
from elman.evaluation.transcription import edit_distance
from elman.features.symbols import SymbolsFeature
from elman.models.model import Model
from elman.networks.decoding import Hypothesis
from elman.report.facts import writing
from elman.report.facts.writing import MAPS, MOST_STEPS, SAMPLES, written_examples
from elman.report.run.facts import ImageInput, SeriesInput
from roads import TINY, WRITTEN_ROADS, Road, untrained, write_json_lines

LETTERS = WRITTEN_ROADS["letters to letters"]
SENTENCES = WRITTEN_ROADS["a sentence to another"]


def writes(monkeypatch: pytest.MonkeyPatch, texts: Sequence[str], *, finished: bool = True) -> None:
    """Let the network write these texts, one per row."""

    def write(task: Any, network: Any, table: Table, *others: Any) -> list[list[Hypothesis]]:
        del network, others
        return [
            [Hypothesis(task.target.encode(texts[row]), -1.0, -1.0, finished)]
            for row in range(len(table))
        ]

    monkeypatch.setattr(writing, "write_rows", write)


def letters(folder: Path, words: Sequence[str]) -> tuple[Model, Table]:
    """Return a model that reverses letters, and a table of these words."""
    model, _ = untrained(LETTERS, folder)
    columns = {"word": list(words), "back": [word[::-1] for word in words]}
    return model, Table.from_columns(columns, origin="words")


def test_the_best_and_the_worst_are_those_with_fewest_and_most_edits(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = ["abcd" * 5] * 20
    answers = ["dcba" * 5] * 20
    for row in range(20):  # row 7 is right, row 8 one letter short, …, row 6 has most letters less
        answers[row] = answers[row][: 20 - (row - 7) % 20]
    model, table = letters(tmp_path, words)
    writes(monkeypatch, answers)

    shown = written_examples(model, table)

    edits = {
        title: [edit_distance(each.truth, each.output) for each in rows]
        for title, rows in shown["written"].items()
    }
    assert edits == {
        "Best": [0, 1, 2],
        "Median": [7, 8, 9],
        "Worst": [19, 18, 17, 16, 15, 14],
    }
    best = shown["written"]["Best"]
    assert [each.score for each in best] == [
        "0 edits, 20 symbols",
        "1 edit, 20 symbols",
        "2 edits, 20 symbols",
    ]
    assert [each.where for each in best] == [table.where(row) for row in (7, 8, 9)]
    assert best[0].input == "abcd" * 5
    assert best[0].separator == ""
    assert shown["written_note"] == "Ranked by edits per symbol, out of 20 rows."


@pytest.mark.parametrize("answer", ["a", ""])
def test_no_row_is_shown_twice_and_of_few_none_is_left_out(
    answer: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Empty answers are all equally far from the truth."""
    words = [("abcd" * 4)[: row + 2] for row in range(14)]
    model, table = letters(tmp_path, words)
    writes(monkeypatch, [answer] * len(words))
    for rows in range(1, 15):
        groups = written_examples(model, table.select(range(rows)))["written"].values()
        shown = [each.input for group in groups for each in group]
        assert len(shown) == len(set(shown)) == min(rows, 12)


def test_where_all_is_right_nothing_is_called_the_worst(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model, table = letters(tmp_path, ["ab", "abcd", "abc"])
    writes(monkeypatch, ["ba", "dcba", "cba"])
    (rows,) = written_examples(model, table)["written"].values()
    assert ["".join(each.output) for each in rows] == ["dcba", "cba", "ba"]


def test_texts_are_near_by_chrf_and_shown_by_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model, _ = untrained(SENTENCES, tmp_path)
    columns = {"en": ["A dog .", "A man ."], "de": ["Ein Hund .", "Ein Mann ."]}
    writes(monkeypatch, ["Ein Ball .", "Ein Mann ."], finished=False)
    shown = written_examples(model, Table.from_columns(columns, origin="pairs"))
    right, wrong = shown["written"]["Best"]
    assert (right.score, list(right.output)) == ("chrF 100.0, cut off", ["Ein", "Mann", "."])
    assert list(wrong.truth) == ["Ein", "Hund", "."]
    assert not wrong.ignores_case
    assert shown["written_note"] == "Ranked by chrF, out of 2 rows."


def test_a_picture_is_shown_once_beside_the_caption_its_answer_is_nearest_to(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model, parts = untrained(WRITTEN_ROADS["a picture to its caption"], tmp_path)
    table = parts.train
    pictures = list(table.values(["picture"]))
    writes(monkeypatch, ["all of it is blue"] * len(table))
    shown = written_examples(model, table)
    assert len(shown["captions"]) == min(8, len(set(pictures)))
    for each in shown["captions"]:
        assert isinstance(each.input, ImageInput)
        assert " ".join(each.truth).startswith("all of it is")
    count = len(set(pictures))
    assert shown["written_note"] == f"Ranked by chrF, out of {count} rows."


def test_a_map_shows_what_the_network_attends_to_as_it_writes_its_own_answer(
    tmp_path: Path,
) -> None:
    model, parts = untrained(LETTERS, tmp_path, **{"decoder.attention": "additive"})
    table = parts.train
    maps = written_examples(model, table)["attended"]
    assert len(maps) == MAPS
    network: Any = model.network
    answers = model.predict(table)
    words = list(table.values(["word"]))
    places = {table.where(row): row for row in range(len(table))}
    for each in maps:
        row = places[each.where]
        assert "".join(each.read) == words[row]
        assert "".join(each.written[:-1]) == answers[row]
        ids, target = (
            feature.encode(text)[:, None]
            for feature, text in ((model.task.input, words[row]), (model.task.target, answers[row]))
        )
        with torch.no_grad():
            expected = network.attend(ids, target=target)[:, 0]
        torch.testing.assert_close(torch.as_tensor(each.weights).float(), expected)


def test_maps_are_of_sources_of_median_length_each_shown_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model, _ = untrained(LETTERS, tmp_path, **{"decoder.attention": "general"})
    words = ["abcd" * 10, "ab", "abc", "abcd", "abcd", "abcda", "abcdab", "abcdabc", "a"]
    columns = {"word": words, "back": words}
    writes(monkeypatch, ["b"] * len(words))
    maps = written_examples(model, Table.from_columns(columns, origin="words"))["attended"]
    assert sorted("".join(each.read) for each in maps) == ["abc", "abcd", "abcda", "abcdab"]


def test_without_attention_there_is_no_map(tmp_path: Path) -> None:
    model, parts = untrained(LETTERS, tmp_path, **{"decoder.attention": "none"})
    assert written_examples(model, parts.train)["attended"] == []


def test_byte_pairs_say_which_of_them_go_on_with_a_word(tmp_path: Path) -> None:
    model, parts = untrained(SENTENCES, tmp_path, **{"decoder.attention": "general"})
    english = list(parts.train.values(["en"]))
    for each in written_examples(model, parts.train)["attended"]:
        text = " ".join(each.read).replace(f" {writing.JOINED}", "")
        assert text in english


def signals(folder: Path) -> Path:
    """Long series, and a few symbols to be written of each."""
    rows = [
        {
            "signal": [float(t % (row + 2)) for t in range(50 + row)],
            "said": ["up", "down"][: 1 + row % 2],
        }
        for row in range(20)
    ]
    return write_json_lines(folder / "signals.jsonl", rows)


def test_steps_of_a_long_series_are_joined_and_keep_their_weight(tmp_path: Path) -> None:
    road = Road(
        signals,
        {"input": "signal", "target": "said", "target_kind": "symbols"}
        | {name: value for name, value in TINY.items() if "embedding" not in name}
        | {"decoder.attention": "general", "network.category": "encoder-decoder"},
        *("encoder-decoder", "conditional-language-model", "", "label_error_rate"),
        lambda answer: isinstance(answer, list),
    )
    model, parts = untrained(road, tmp_path, **{"decoding.max_length": 5})
    shown = written_examples(model, parts.train)
    assert all(isinstance(each.input, SeriesInput) for each in shown["written"]["Best"])
    for each in shown["attended"]:
        weights = np.asarray(each.weights)
        assert weights.shape[1] == len(each.read) <= MOST_STEPS
        np.testing.assert_allclose(weights.sum(1), 1, rtol=1e-5)
        assert each.read[:2] == ["1–3", "4–6"]
    assert shown["attended"]


REPEATED = re.compile(r" \((\d+)\N{NO-BREAK SPACE}times\)$")


def times(shown: str) -> int:
    found = REPEATED.search(shown)
    return 1 if found is None else int(found[1])


def test_what_is_drawn_again_and_again_is_shown_once() -> None:
    assert writing._counted(["b", "a", "b"]) == ["b (2\N{NO-BREAK SPACE}times)", "a"]


def test_samples_are_drawn_with_seeds_and_stand_beside_the_prediction(tmp_path: Path) -> None:
    model, parts = untrained(WRITTEN_ROADS["a language to names"], tmp_path)
    table = parts.train
    shown = written_examples(model, table)["samples"]
    assert shown == written_examples(model, table)["samples"]
    pairs = list(zip(table.values(["language"]), table.values(["name"]), strict=True))
    assert sorted(each.input for each in shown) == ["Czech", "Dutch", "Irish"]
    for place, each in enumerate(shown):
        first, *_ = model.write(
            [each.input] * SAMPLES, seed=1 + place * SAMPLES, temperature=0.8, beam_size=1
        )[0]
        assert REPEATED.sub("", each.sampled[0]).removesuffix(" …") == first.value
        assert sum(times(text) for text in each.sampled) == SAMPLES
        assert each.likeliest.removesuffix(" …") == model.predict([each.input])[0]
        truths = [REPEATED.sub("", truth) for truth in each.truths]
        assert {(each.input, truth) for truth in truths} <= set(pairs)


def test_symbols_in_one_string_are_as_good_as_in_a_list() -> None:
    feature = SymbolsFeature()
    assert feature.as_given("x y") == feature.as_given(["x", "y"]) == ["x", "y"]
