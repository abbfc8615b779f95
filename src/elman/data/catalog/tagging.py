"""Tagging: sentences with a tag for every word, in the CoNLL column formats."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from elman.data.catalog.entry import Columns, Contents, DataSet, File, Layout, on_github


def read_conll2000(contents: Contents) -> Mapping[str, Columns]:
    """Read one word, its part of speech and its chunk a line."""
    columns = {"tokens": 0, "pos": 1, "chunk": 2}
    return {
        split: _columns(_sentences(contents[f"{split}.txt"]), columns, " ")
        for split in ("train", "test")
    }


def read_conllu(contents: Contents) -> Mapping[str, Columns]:
    """Read words and their universal parts of speech.

    Comments are skipped, and so are the lines of multiword tokens (`4-5`) and of empty nodes
    (`8.1`).
    """
    columns = {"tokens": 1, "upos": 3}
    parts = {"train": "train", "valid": "dev", "test": "test"}
    return {
        split: _columns(
            (
                [line for line in lines if line.split("\t", 1)[0].isdigit()]
                for lines in _sentences(contents[f"en_ewt-ud-{part}.conllu"])
            ),
            columns,
            "\t",
        )
        for split, part in parts.items()
    }


def _sentences(content: bytes) -> Iterable[list[str]]:
    """Yield the lines of each sentence; blank lines separate sentences."""
    for block in content.decode().strip("\n").split("\n\n"):
        yield block.split("\n")


def _columns(
    sentences: Iterable[list[str]], columns: Mapping[str, int], separator: str
) -> dict[str, list[list[str]]]:
    """Return some columns of sentences: a list of words or tags for each sentence."""
    values: dict[str, list[list[str]]] = {name: [] for name in columns}
    for lines in sentences:
        fields = [line.split(separator) for line in lines]
        for name, index in columns.items():
            values[name].append([line[index] for line in fields])
    return values


def _conll_file(split: str, size: int, sha256: str) -> File:
    commit = "f89bc5a15b516208de1cfe2abe9692b7ed9a43e2"
    address = on_github("teropa/nlp", commit, f"resources/corpora/conll2000/{split}.txt")
    return File(name=f"{split}.txt", sha256=sha256, address=address, size=size)


def _conllu_file(part: str, size: int, sha256: str) -> File:
    name = f"en_ewt-ud-{part}.conllu"
    address = on_github("UniversalDependencies/UD_English-EWT", "r2.16", name)
    return File(name=name, sha256=sha256, address=address, size=size)


TAGGING = (
    DataSet(
        name="conll2000",
        title="CoNLL-2000 chunking",
        about="sentences from the Wall Street Journal, 211,727 / 47,377 words, whose phrases are "
        "tagged in the IOB2 scheme; papers hold 1,000 sentences of train out for validation",
        category="many-to-many",
        task="words → chunks",
        licence="not stated; derived from the Penn Treebank WSJ, sections 15–18 and 20",
        citation="E. F. Tjong Kim Sang and S. Buchholz, Introduction to the CoNLL-2000 Shared "
        "Task: Chunking, CoNLL-2000",
        source="https://www.clips.uantwerpen.be/conll2000/chunking/",
        splits={"train": 8_936, "test": 2_012},
        columns={
            "tokens": "the words",
            "pos": "part of speech of each word, tagged by Brill's tagger",
            "chunk": "phrase of each word: B-NP begins a noun phrase, I-NP continues it, O is in "
            "none",
        },
        input=("tokens",),
        target="chunk",
        folder="conll2000",
        layouts=(
            Layout(
                (
                    _conll_file(
                        "train",
                        2_842_164,
                        "82033cd7a72b209923a98007793e8f9de3abc1c8b79d646c50648eb949b87cea",
                    ),
                    _conll_file(
                        "test",
                        639_396,
                        "73b7b1e565fa75a1e22fe52ecdf41b6624d6f59dacb591d44252bf4d692b1628",
                    ),
                ),
                read_conll2000,
            ),
        ),
    ),
    DataSet(
        name="ud-english-ewt",
        title="Universal Dependencies English Web Treebank, r2.16",
        about="sentences from weblogs, newsgroups, e-mail, reviews and question-answer sites, "
        "204,577 / 25,147 / 25,094 words, with 17 universal parts of speech",
        category="many-to-many",
        task="words → parts of speech",
        licence="CC BY-SA 4.0; for annotations and database rights, the texts come from the "
        "sources of LDC2012T13",
        citation="N. Silveira et al., A Gold Standard Dependency Corpus for English, LREC 2014",
        source="https://github.com/UniversalDependencies/UD_English-EWT",
        splits={"train": 12_544, "valid": 2_001, "test": 2_077},
        columns={"tokens": "the words", "upos": "universal part of speech of each word"},
        input=("tokens",),
        target="upos",
        folder="ud_english_ewt",
        layouts=(
            Layout(
                (
                    _conllu_file(
                        "train",
                        14_203_025,
                        "3fb78e2b55482c8ee00caa653af436c88c9e5bc9a73ce26e4ae3ddc79d2b7e7b",
                    ),
                    _conllu_file(
                        "dev",
                        1_805_545,
                        "531a54ff90d6ab12201c5a50c3e78e6ddac4de69abc4bce5d275d3cd29efe2b6",
                    ),
                    _conllu_file(
                        "test",
                        1_804_515,
                        "e266e515a0a7547657ed3d90d9ba46487d6bd251f27ad4269d4e8a427c8555cd",
                    ),
                ),
                read_conllu,
            ),
        ),
    ),
)
