"""What a network wrote, on the page: differences marked, attention as a table, nothing invented."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest

from elman.errors import ShapeError
from elman.evaluation.scores import score
from elman.report.run.facts import (
    AttendedOutput,
    ImageInput,
    RunFacts,
    SeriesInput,
    WrittenOutput,
    WrittenSamples,
)
from elman.report.run.page import render_run
from elman.report.run.written import LONGEST, attention_tables, differences
from report.pages import Page, assert_loads_nothing

EVIL = '<script>alert("x")</script>'
DOG = "ein Hund rennt über das Gras"
TRANSLATED = score("translation", [DOG, "zwei Katzen sehen ihm zu"], [DOG, "vier"])


def html_of(**others: Any) -> str:
    basics: dict[str, Any] = {
        "title": "de predicted from en (pairs)",
        "category": "encoder-decoder",
        "cell": "gru",
        "network": "encoder: 1 × GRU of 4 units",
        "parameters": 99,
        "scores": {"test": TRANSLATED},
        "target": "“de”",
    }
    return render_run(RunFacts(**basics | others))


def page_of(**others: Any) -> Page:
    page = Page(html_of(**others))
    assert_loads_nothing(page)
    assert page.unclosed == []
    return page


def marked(html: str, kind: str) -> list[str]:
    return re.findall(rf'<mark class="{kind}">(.*?)</mark>', html)


def words(truth: str, output: str, **others: Any) -> WrittenOutput:
    return WrittenOutput("a source", truth.split(), output.split(), **others)


def test_what_only_one_of_the_two_has_is_marked_and_the_rest_is_not() -> None:
    html = html_of(written={"Worst": [words("ein Hund rennt weg", "ein Mann rennt")]})
    assert marked(html, "missed") == ["Hund", "weg"]
    assert marked(html, "own") == ["Mann"]


def test_stretches_put_together_again_are_the_truth_and_the_answer() -> None:
    row = words("der große Hund sieht den Ball", "den Ball sieht der Hund nicht")
    truth, answer = differences(row)
    assert " ".join(span.text for span in truth) == "der große Hund sieht den Ball"
    assert " ".join(span.text for span in answer) == "den Ball sieht der Hund nicht"
    shared = [[span.text for span in spans if span.shared] for spans in (truth, answer)]
    assert shared[0] == shared[1] == ["den Ball"]


def test_characters_are_compared_one_by_one() -> None:
    row = WrittenOutput("cba", list("abc"), list("abd"), separator="")
    assert differences(row) == ([("ab", True), ("c", False)], [("ab", True), ("d", False)])
    html = html_of(written={"Best": [row]})
    assert 'ab<mark class="own">d</mark>' in html


@pytest.mark.parametrize(("ignores_case", "wrong"), [(True, []), (False, ["ein hund"])])
def test_case_counts_only_where_a_network_can_write_it(
    ignores_case: bool, wrong: list[str]
) -> None:
    row = words("Ein Hund", "ein hund", ignores_case=ignores_case)
    assert marked(html_of(written={"Best": [row]}), "own") == wrong


def test_a_long_answer_is_cut_and_an_empty_one_said_to_be_nothing() -> None:
    row = WrittenOutput("a", ["so"] * (LONGEST + 5), [])
    truth, answer = differences(row)
    assert truth == [(" ".join(["so"] * LONGEST + ["…"]), False)]
    assert answer == []
    assert "<i>nothing</i>" in html_of(written={"Best": [row]})


def test_rows_stand_in_their_groups_with_score_and_place() -> None:
    text = page_of(
        written={
            "Best": [words("a b", "a b", score="chrF 100.0", where="pairs.tsv, line 7")],
            "Median": [],
            "Worst": [WrittenOutput(SeriesInput([1.0, 2.0]), ["c"], ["d"], "chrF 0.0")],
        },
        written_note="Ranked by chrF, out of 2 rows.",
    ).text
    assert "Best Source Target Output Score a source a b a b chrF 100.0 pairs.tsv" in text
    assert text.index("Best") < text.index("Worst") < text.index("of 2 rows")
    assert "Median" not in text


def test_pictures_stand_above_what_was_written_of_them() -> None:
    picture = ImageInput(np.zeros((4, 5, 3), np.uint8))
    rows = [WrittenOutput(picture, ["a", "dog"], ["a", "cat"], "chrF 40.0", "p.csv, line 2")]
    page = page_of(captions=rows)
    assert 'a <mark class="own">cat</mark>' in html_of(captions=rows)
    assert "Target: a dog chrF 40.0 · p.csv, line 2" in page.text
    (image,) = [attributes for tag, attributes in page.elements if tag == "img"]
    assert image["alt"] == "Picture 1"


def test_samples_stand_beside_the_likeliest_and_the_true() -> None:
    samples = [WrittenSamples("Irish", "Maley", ["Daley", ""], ["Foley"])]
    text = page_of(samples=samples, samples_note="At temperature 0.8.").text
    assert "Irish Decoded Maley Sampled Daley nothing True Foley At temperature 0.8." in text


def test_a_map_of_attention_is_a_table_with_a_shade_a_weight() -> None:
    weights = [[0.874, 0.126, 0.0], [0.004, 0.06, 0.936]]
    attended = [AttendedOutput(["a", "dog", "."], ["ein", "∎"], weights, "pairs.tsv, line 3")]
    html = html_of(attended=attended)
    assert re.findall(r"--weight: (\d+)%", html) == ["87", "13", "6", "94"]
    text = page_of(attended=attended, attended_note="∎ is the end.").text
    assert "sum to 100. ∎ is the end." in text
    assert "pairs.tsv, line 3 output ↓ source → a dog . ein 87 13 ∎ 94 Rows are the symbols" in text
    headers = re.findall(r'<th scope="(col|row)">', html[html.index("<caption>") :])
    assert headers[:6] == ["col"] * 4 + ["row"] * 2


def test_long_names_above_columns_are_turned_and_letters_are_not() -> None:
    def turned(*read: str) -> bool:
        (table,) = attention_tables([AttendedOutput(read, ["x"], [[0.5, 0.5]])])
        return bool(table["turned"])

    assert turned("a", "dog")
    assert not turned("a", "b")


def test_weights_that_are_not_one_for_each_symbol_and_step_are_refused() -> None:
    with pytest.raises(ShapeError, match=r"must be \(U, S\) = \(1, 2\), got \(2, 1\)"):
        html_of(attended=[AttendedOutput(["a", "b"], ["x"], [[1.0], [0.0]])])


def test_markup_in_what_was_written_stays_text() -> None:
    row = WrittenOutput(EVIL, [EVIL], [f"{EVIL}!"], EVIL, EVIL)
    html = html_of(
        written={EVIL: [row]},
        captions=[row],
        samples=[WrittenSamples(EVIL, EVIL, [EVIL], [EVIL])],
        attended=[AttendedOutput([EVIL], [EVIL], [[1.0]], EVIL)],
    )
    assert "<script" not in html
    assert Page(html).text.count(EVIL) == 18


def test_the_headline_of_a_translation_says_bleu_and_what_is_right_as_a_whole() -> None:
    text = page_of().text
    assert "How well does it write “de”?" in text
    bleu = f"{TRANSLATED.value:.4g}"
    assert f"Its outputs reach a BLEU of {bleu} out of 100 over 2 test rows." in text
    assert "50.00% of the rows are predicted exactly." in text


def test_the_headlines_of_captions_letters_and_names_are_in_their_own_words() -> None:
    captions = score("caption", [["a dog runs on grass", "one dog"]], ["a cat runs over sand"])
    text = page_of(scores={"test": captions}, target="“caption”", category="one-to-many").text
    assert "How well does it write “caption” for a picture?" in text
    assert "reach a BLEU-4 of" in text
    assert "None of the rows is predicted exactly." in text
    letters = score("transcription", ["abc", "de"], ["abc", "dd"])
    text = page_of(scores={"test": letters}).text
    assert "Its outputs differ from the targets by 0.2 edits per symbol over 2 test rows." in text
    assert "50.00% of the rows are predicted exactly." in text
    names = score("language", ["abc"], None, nll=1.5, characters=3)
    text = page_of(scores={"test": names}, target="“name”", category="one-to-many").text
    assert "How well does it predict “name”? It needs 2.164 bits per character" in text
