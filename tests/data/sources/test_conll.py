"""Annotated sentences: a row a sentence, its columns lists of strings."""

from __future__ import annotations

from pathlib import Path

import pytest

from elman.data.sources import read_table
from elman.errors import DataError

# Two sentences of the Universal Dependencies English Web Treebank, CC BY-SA 4.0, shortened.
CONLLU = """# newdoc id = weblog
# text = Don't go
1-2\tDon't\t_\t_\t_\t_\t_\t_\t_\t_
1\tDo\tdo\tAUX\tVB\tMood=Imp\t3\taux\t3:aux\t_
2\tn't\tnot\tPART\tRB\t_\t3\tadvmod\t3:advmod\t_
3\tgo\tgo\tVERB\tVB\t_\t0\troot\t0:root\t_
3.1\tthere\tthere\tADV\tRB\t_\t_\t_\t3:advmod\t_

# text = Go !
1\tGo\tgo\tVERB\tVB\t_\t0\troot\t0:root\t_
2\t!\t!\tPUNCT\t.\t_\t1\tpunct\t1:punct\t_
"""
CHUNKS = "He PRP B-NP\nreckons VBZ B-VP\n# # B-NP\n\nNo DT B-NP\n\n\nYes UH B-INTJ\n"


def write(folder: Path, content: str, name: str) -> Path:
    path = folder / name
    path.write_text(content, encoding="utf-8")
    return path


def test_conllu_has_its_standard_columns_and_syntactic_words_alone(tmp_path: Path) -> None:
    table = read_table(write(tmp_path, CONLLU, "it.conllu"))
    assert list(table.column("form")) == [["Do", "n't", "go"], ["Go", "!"]]
    assert list(table.column("upos")) == [["AUX", "PART", "VERB"], ["VERB", "PUNCT"]]
    assert " ".join(table.columns) == "id form lemma upos xpos feats head deprel deps misc"
    assert table.notes == []


@pytest.mark.parametrize("name", ["it.conll", "it.txt"])
def test_other_columns_are_tokens_first_and_tags_last(tmp_path: Path, name: str) -> None:
    table = read_table(write(tmp_path, CHUNKS, name))
    assert list(table.column("tokens")) == [["He", "reckons", "#"], ["No"], ["Yes"]]
    assert table.column("column_2")[0] == ["PRP", "VBZ", "#"]
    assert table.column("tags")[2] == ["B-INTJ"]
    assert table.notes == [f"{name} does not name its columns; they are tokens, column_2, tags."]


def test_a_sentence_is_at_the_line_of_its_first_token(tmp_path: Path) -> None:
    table = read_table(write(tmp_path, CHUNKS, "it.conll"))
    assert [table.where(row) for row in range(3)] == [
        "it.conll, line 1",
        "it.conll, line 5",
        "it.conll, line 8",
    ]


def test_columns_may_be_named_and_documents_begun(tmp_path: Path) -> None:
    content = "# global.columns = FORM TAG\n-DOCSTART-\tO\n\na\tX\nb c\tY\n"
    table = read_table(write(tmp_path, content, "it.conllup"))
    assert list(table.column("form")) == [["a", "b c"]]
    assert list(table.column("tag")) == [["X", "Y"]]


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("it.conll", "a X\nb\n", r"it\.conll, line 2: expected 2 fields, as in line 1, got 1"),
        ("it.conllu", "1\ta\tb\n", r"line 1: expected 10 fields, got 3\. Every token must have"),
        ("it.conll", "# only\n\n", "contains no sentences"),
        ("it.conllu", "# text = x\n\n", "contains no sentences"),
    ],
)
def test_what_is_malformed_is_refused_with_its_line(
    tmp_path: Path, name: str, content: str, words: str
) -> None:
    with pytest.raises(DataError, match=words):
        read_table(write(tmp_path, content, name))
