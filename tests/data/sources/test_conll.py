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


CASES = Path(__file__).parents[4] / "shared" / "cases"


def write(folder: Path, content: str, name: str) -> Path:
    path = folder / name
    path.write_text(content, encoding="utf-8")
    return path


def test_conllu_has_its_standard_columns_and_syntactic_words_alone(tmp_path: Path) -> None:
    table = read_table(write(tmp_path, CONLLU, "it.conllu"))
    assert list(table.column("form")) == [["Do", "n't", "go"], ["Go", "!"]]
    assert list(table.column("upos")) == [["AUX", "PART", "VERB"], ["VERB", "PUNCT"]]
    assert " ".join(table.columns) == "id form lemma upos xpos feats head deprel deps misc"
    assert table.notes == ["it.conllu: 2 lines of multiword tokens and empty nodes left out."]


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


@pytest.mark.parametrize("blank", ["", " ", "\t", "\t\t ", "\u00a0"])
@pytest.mark.parametrize("mark", ["\t", " "])
def test_a_line_of_white_space_ends_a_sentence(tmp_path: Path, blank: str, mark: str) -> None:
    lines = ["Ann|B", "is|O", blank, "Bob|B", blank, blank, "so|O", blank]
    content = "".join(f"{line}\n" for line in lines).replace("|", mark)
    table = read_table(write(tmp_path, content, "it.conll"))
    assert list(table.column("tokens")) == [["Ann", "is"], ["Bob"], ["so"]]
    assert list(table.column("tags")) == [["B", "O"], ["B"], ["O"]]


@pytest.mark.parametrize("mark", ["\t", " "])
@pytest.mark.parametrize(
    ("lines", "tokens", "comments"),
    [
        (["# doc0", "Ann|B", "is|O", "", "# doc1", "Bob|B"], [["Ann", "is"], ["Bob"]], 2),
        (["# O", "Ann|B", "", "# B", "is|O"], [["Ann"], ["is"]], 2),
        (["#|O", "Ann|B", "is|O"], [["#", "Ann", "is"]], 0),
        (["Ann|B", "#|O", "is|O", "", "#|B", "is|O"], [["Ann", "#", "is"], ["#", "is"]], 0),
        (["#sun|O", "Ann|B", "", "is|O", "#fog|O"], [["#sun", "Ann"], ["is", "#fog"]], 0),
        (["# id = 5", "# text = Ann is", "Ann|B", "is|O"], [["Ann", "is"]], 2),
        (["#made by hand", "", "Ann|B", "is|O"], [["Ann", "is"]], 1),
        (["#|#", "Ann|B", "", "is|O"], [["#", "Ann"], ["is"]], 0),
        (["Ann|B-PER", "is|O", "", "#|I-LOC", "is|O"], [["Ann", "is"], ["#", "is"]], 0),
    ],
)
def test_comments_are_told_from_tokens_by_rule(
    tmp_path: Path, mark: str, lines: list[str], tokens: list[list[str]], comments: int
) -> None:
    if mark == " " and lines[0] == "# O":  # what reads as a token is one
        tokens, comments = [["#", "Ann"], ["#", "is"]], 0
    content = "".join(f"{line}\n" for line in lines).replace("|", mark)
    table = read_table(write(tmp_path, content, "it.conll"))
    assert list(table.column("tokens")) == tokens
    said = [note for note in table.notes if "comment line" in note]
    assert len(said) == bool(comments)
    if said:
        assert f"{comments} comment line" in said[0]
        assert said[0].endswith("line 1, left out.")


def test_a_token_that_may_be_a_comment_is_said(tmp_path: Path) -> None:
    table = read_table(write(tmp_path, "Ann B\n# doc1\nis O\n", "it.conll"))
    assert list(table.column("tokens")) == [["Ann", "#", "is"]]
    assert table.notes[0] == (
        "it.conll: line 2 begins with # and was read as a token, although no other has its tag; "
        "delete it if it is a comment."
    )


@pytest.mark.parametrize("blank", ["\n", ""])
@pytest.mark.parametrize("start", ["-DOCSTART- -X- O", "-DOCSTART-\t-X-\tO", "-DOCSTART-"])
def test_lines_between_documents_end_sentences_and_are_left_out(
    tmp_path: Path, start: str, blank: str
) -> None:
    content = f"{start}\n{blank}Ann NN B\nis VB O\n{blank}{start}\n{blank}Bob NN B\n"
    table = read_table(write(tmp_path, content, "it.conll"))
    assert list(table.column("tokens")) == [["Ann", "is"], ["Bob"]]
    assert table.notes[0] == "it.conll: 2 -DOCSTART- lines left out."


def test_tokens_may_contain_spaces_where_tabs_divide_fields(tmp_path: Path) -> None:
    table = read_table(write(tmp_path, "New York\tB\n10\u00a0000\tO\t\n", "it.conll"))
    assert list(table.column("tokens")) == [["New York", "10\u00a0000"]]
    table = read_table(write(tmp_path, " Ann   B\n10\u00a0000\t O \n", "it.conll"))
    assert list(table.column("tokens")) == [["Ann", "10\u00a0000"]]


def test_names_of_columns_keep_their_capitals_unless_all_are(tmp_path: Path) -> None:
    content = "# global.columns = Word\tPart of speech\nAnn\tNN\nis\tVB\n"
    assert read_table(write(tmp_path, content, "it.conll")).columns == ["Word", "Part of speech"]


@pytest.mark.parametrize(
    "content",
    [
        "one fish\ntwo fish\n",
        "one fish\n\nred hen\n",
        "one fish\n\nthis is a fish\n",
        "one fish\ntwo fish\n\n\n",
        "fish\n\nfish\n",
    ],
)
def test_texts_are_no_sentences_in_columns(tmp_path: Path, content: str) -> None:
    assert read_table(write(tmp_path, content, "it.txt")).columns == ["text"]


def test_a_text_file_with_comments_and_documents_is_one_of_sentences(tmp_path: Path) -> None:
    content = "# by Ann\n-DOCSTART- O\n\nAnn B\nis O\n\n# 2\nBob B\n"
    table = read_table(write(tmp_path, content, "it.txt"))
    assert list(table.column("tokens")) == [["Ann", "is"], ["Bob"]]


@pytest.mark.parametrize(
    ("name", "sentences"), [("tab-blank-lines.conll", 60), ("comment_of_two_fields.conll", 60)]
)
def test_the_cases_are_read(name: str, sentences: int) -> None:
    if not (CASES / name).exists():
        pytest.skip("the cases are not here")
    table = read_table(CASES / name)
    assert len(table) == sentences
    assert {tag for tags in table.column("tags") for tag in tags} <= {
        *("O", "B-PER", "B-LOC", "B-name", "B-place", "I-name", "I-place")
    }


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("it.conll", "a X\nb\n", r"it\.conll, line 2: expected 2 fields, as in line 1, got 1"),
        ("it.conllu", "1\ta\tb\n", r"line 1: expected 10 fields, got 3\. Every token must have"),
        ("it.conll", "# only\n\n", "contains no sentences"),
        ("it.conll", "a\tX\n\tX\n", "line 2: field 1 is empty. Every token must have all"),
        ("it.conll", "a\tX\tY\nb\t\tY\n", "line 2: field 2 is empty"),
        ("it.conll", "a\tX\nb\t\n", "line 2: expected 2 fields, as in line 1, got 1"),
        ("it.conll", "a\tX\nb X\n", "line 2: expected 2 fields, .* by tabs or by spaces"),
        ("it.conll", "a X\n# so it is\nb X\n", "line 2: expected 2 fields, as in line 1, got 4"),
        ("it.conllu", "# text = x\n\n", "contains no sentences"),
    ],
)
def test_what_is_malformed_is_refused_with_its_line(
    tmp_path: Path, name: str, content: str, words: str
) -> None:
    with pytest.raises(DataError, match=words):
        read_table(write(tmp_path, content, name))
