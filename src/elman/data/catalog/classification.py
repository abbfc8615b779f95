"""Text classification: reviews, questions, surnames."""

from __future__ import annotations

import io
import json
import re
import tarfile
from collections.abc import Mapping

import numpy as np

from elman.data.catalog.entry import Columns, Contents, DataSet, File, Layout, on_github

SENTIMENTS = ("negative", "positive")
NAMES_SEED = 0
"""Random seed of the split of the surnames."""
LANGUAGES = (
    ("Arabic", 13_190, "6f424a8dbe51cbbbabab7a57d38b617210125e4e3991f3c657cb79b8f104bafc"),
    ("Chinese", 1_246, "09ba8f1f7e38dbc99372d461b26ad4433b811fc6bfa6a3ecca6fe11a9a777465"),
    ("Czech", 3_916, "e17ab0ec47616a72c39cb85c783f70c3663ab64488721e5d8378f146d2226be7"),
    ("Dutch", 2_351, "924f32b635170eae561f84538632138fc07d4c8bbd70ba3fb980de1ecc4d2af3"),
    ("English", 27_125, "9cca037066d3d5989e24bc01801416162de506b5e28e15b7c092a47905d29bf2"),
    ("French", 2_178, "81e65b36c60ed5b89a17422f6edcadbb89546f38ad69e960e64e7ba682012a95"),
    ("German", 5_610, "7449cd590b97a733e18d613a4155decd77ec35dc5f8aadd7a82204dce4f051db"),
    ("Greek", 1_981, "3555b5186de7f401e6d991b088e9e644ca3099116477818c25ab5793801389e6"),
    ("Irish", 1_858, "cf8c7013256252a88d2503127b87282a11f21b2ff6db1bded68834c19a1ec058"),
    ("Italian", 5_657, "f88414c27d0606a11a678b4859277828c2565d6cc4d9ee932deef6e94f3b35e4"),
    ("Japanese", 7_622, "e0e717e114fec3e7eade4d9dabe0067c475f43147e36a22b47902ee76ad9e67f"),
    ("Korean", 423, "cd54221ccb362a6cba4c78828838cf3268a0e59744767a37cf6ec4b74036b136"),
    ("Polish", 1_165, "45bab898af2f60ed3a728bbf6980e28821011a7caa53227553b5785903a40826"),
    ("Portuguese", 554, "50a8735f41f4f73757c8ce5b16cb0275cd86b2b214bcbc8c9805f508cb131c53"),
    ("Russian", 85_168, "0cfe53ac18041e8f63666aa77313e0a3ff378facb132abee052d8ebdc8c3d62c"),
    ("Scottish", 752, "78d0252711d87d948ea86fe34826c51d2d794a8e52d15b5d6f7b6244d45d62dd"),
    ("Spanish", 2_284, "1bcb462ed3316756a85781d68232bddae04498fdddd5d9219c53fd1fbdeba7a7"),
    ("Vietnamese", 339, "f3f9e4164ab47601178a6e45b216464a64122f49d05541f24bf18a757253281d"),
)
"""Language, bytes and checksum of each file of surnames."""


def read_imdb_lines(contents: Contents) -> Mapping[str, Columns]:
    """Read one review a line, as JSON."""
    splits = {}
    for split in ("train", "test"):
        reviews = [json.loads(line) for line in contents[f"{split}.jsonl"].splitlines()]
        splits[split] = {
            "text": [review["text"] for review in reviews],
            "label": [SENTIMENTS[review["label"]] for review in reviews],
            "rating": [review["rating"] for review in reviews],
        }
    return splits


def read_imdb_archive(contents: Contents) -> Mapping[str, Columns]:
    """Read one review a file: `aclImdb/train/pos/17_9.txt` is review 17, which gave 9 stars.

    Negative reviews come before positive ones, each sorted by number; those without a label are
    left out.
    """
    reviews_of: dict[str, list[tuple[str, int, int, str]]] = {"train": [], "test": []}
    (content,) = contents.values()
    with tarfile.open(fileobj=io.BytesIO(content)) as archive:
        for member in archive:
            match = re.fullmatch(r"aclImdb/(train|test)/(neg|pos)/(\d+)_(\d+)\.txt", member.name)
            file = archive.extractfile(member) if match else None
            if match is None or file is None:
                continue
            split, side, number, rating = match.groups()
            reviews_of[split].append((side, int(number), int(rating), file.read().decode()))
    return {
        split: {
            "text": [text for *_, text in reviews],
            "label": [SENTIMENTS[side == "pos"] for side, *_ in reviews],
            "rating": [rating for _, _, rating, _ in reviews],
        }
        for split, reviews in ((split, sorted(reviews)) for split, reviews in reviews_of.items())
    }


def read_sst2(contents: Contents) -> Mapping[str, Columns]:
    """Read one sentence and its label, 0 or 1, a line."""
    splits = {}
    for split, part in (("train", "train"), ("valid", "dev"), ("test", "test")):
        lines = contents[f"sst2.{part}.tsv"].decode().splitlines()
        pairs = [line.rsplit("\t", 1) for line in lines]
        splits[split] = {
            "text": [text for text, _ in pairs],
            "label": [SENTIMENTS[int(label)] for _, label in pairs],
        }
    return splits


def read_trec(contents: Contents) -> Mapping[str, Columns]:
    """Read one `COARSE:fine question` a line, in Latin-1."""
    splits = {}
    for split, part in (("train", "train_5500"), ("test", "TREC_10")):
        lines = contents[f"{part}.label"].decode("latin-1").splitlines()
        pairs = [line.split(maxsplit=1) for line in lines]
        splits[split] = {
            "text": [question for _, question in pairs],
            "label": [fine.split(":")[0] for fine, _ in pairs],
            "fine": [fine for fine, _ in pairs],
        }
    return splits


def read_names(contents: Contents) -> Mapping[str, Columns]:
    """Read one name a line, one file a language; a fifth of the distinct names is the test split.

    A name that occurs twice in a language is read once. A name in several languages has a row for
    each, all in the same split.
    """
    languages: dict[str, set[str]] = {}
    for language, *_ in LANGUAGES:
        for line in contents[f"{language}.txt"].decode().splitlines():
            languages.setdefault(line.strip(), set()).add(language)
    names = sorted(languages)
    order = np.random.default_rng(NAMES_SEED).permutation(len(names))
    border = len(names) // 5
    splits = {}
    for split, chosen in (("train", order[border:]), ("test", order[:border])):
        rows = [
            (names[index], language)
            for index in sorted(chosen)
            for language in sorted(languages[names[index]])
        ]
        splits[split] = {
            "text": [name for name, _ in rows],
            "label": [language for _, language in rows],
        }
    return splits


def _sst2_file(part: str, size: int, sha256: str) -> File:
    commit = "457ffd83de90a9d6d472d8ffc31bbffe40a8b236"
    address = on_github(
        "clairett/pytorch-sentiment-classification", commit, f"data/SST2/{part}.tsv"
    )
    return File(name=f"sst2.{part}.tsv", sha256=sha256, address=address, size=size)


def _trec_file(part: str, size: int, sha256: str) -> File:
    commit = "77f549372d4371e7f2d52e77bc18df5096dd4779"
    address = on_github("FreedomIntelligence/qnn", commit, f"data/TREC/{part}.label")
    return File(name=f"{part}.label", sha256=sha256, address=address, size=size)


def _names_file(language: str, size: int, sha256: str) -> File:
    commit = "c520c52e68e945d88fff563dba1c028b6ec0197b"
    address = on_github("spro/practical-pytorch", commit, f"data/names/{language}.txt")
    return File(name=f"{language}.txt", sha256=sha256, address=address, size=size)


CLASSIFICATION = (
    DataSet(
        name="imdb",
        title="Large Movie Review Dataset v1.0",
        about="film reviews, half of them negative (1 to 4 stars), half positive (7 to 10), with "
        "`<br />` for line breaks; train and test share no film, and there is no official "
        "validation split",
        category="many-to-one",
        task="text → sentiment",
        licence="not stated; reviews belong to their authors, Stanford released them for research",
        citation="A. L. Maas et al., Learning Word Vectors for Sentiment Analysis, ACL 2011",
        source="https://ai.stanford.edu/~amaas/data/sentiment/",
        splits={"train": 25_000, "test": 25_000},
        columns={
            "text": "the review",
            "label": "negative or positive",
            "rating": "stars of the review, 1 to 10; gives the label away",
        },
        input=("text",),
        target="label",
        folder="imdb",
        layouts=(
            Layout(
                (
                    File(
                        name="train.jsonl",
                        sha256="54463ab0f904faa6a17b2025bbe431d5580d931fb86747f9f062a35c39eb47d9",
                    ),
                    File(
                        name="test.jsonl",
                        sha256="546efb64a97a5aea4cd6c304f8622aebe5ee6f1e61cbba2fd4cea7c86f6af325",
                    ),
                ),
                read_imdb_lines,
            ),
            Layout(
                (
                    File(
                        name="aclImdb_v1.tar.gz",
                        sha256="c40f74a18d3b61f90feba1e17730e0d38e8b97c05fde7008942e91923d1658fe",
                        address="https://ai.stanford.edu/~amaas/data/sentiment/aclImdb_v1.tar.gz",
                        size=84_125_825,
                    ),
                ),
                read_imdb_archive,
            ),
        ),
    ),
    DataSet(
        name="sst2",
        title="Stanford Sentiment Treebank, two classes",
        about="sentences from film reviews, in lower case and without hyphens; whole sentences "
        "only, no phrases",
        category="many-to-one",
        task="sentence → sentiment",
        licence="not stated",
        citation="R. Socher et al., Recursive Deep Models for Semantic Compositionality Over a "
        "Sentiment Treebank, EMNLP 2013",
        source="https://nlp.stanford.edu/sentiment/",
        splits={"train": 6_920, "valid": 872, "test": 1_821},
        columns={"text": "the sentence, words split by spaces", "label": "negative or positive"},
        input=("text",),
        target="label",
        folder="sst",
        layouts=(
            Layout(
                (
                    _sst2_file(
                        "train",
                        720_259,
                        "ec192f833a64da08f475488a77b0d0b47db47acd0f458bd18433fc793b569920",
                    ),
                    _sst2_file(
                        "dev",
                        92_057,
                        "eddea6b39e601dd4e7a672b53cc40fdf6019fa80522f351206c24340ca5d9359",
                    ),
                    _sst2_file(
                        "test",
                        188_749,
                        "831169c7e2e429d6026e1bdbb542f33b636e3e596caad9602ebc953c205928b7",
                    ),
                ),
                read_sst2,
            ),
        ),
    ),
    DataSet(
        name="trec",
        title="TREC question classification",
        about="questions, classified by what they ask for: 6 coarse and 50 fine classes; no "
        "official validation split",
        category="many-to-one",
        task="question → kind of answer",
        licence="not stated",
        citation="X. Li and D. Roth, Learning Question Classifiers, COLING 2002",
        source="https://cogcomp.seas.upenn.edu/Data/QA/QC/",
        splits={"train": 5_452, "test": 500},
        columns={
            "text": "the question, words split by spaces",
            "label": "ABBR, DESC, ENTY, HUM, LOC or NUM",
            "fine": "the fine class, such as DESC:manner; gives the label away",
        },
        input=("text",),
        target="label",
        folder="trec",
        layouts=(
            Layout(
                (
                    _trec_file(
                        "train_5500",
                        333_379,
                        "8bd6e79493f43bbd22c364587366a1dced54e1e31259eaa92721a0f526031116",
                    ),
                    _trec_file(
                        "TREC_10",
                        23_269,
                        "86ad53c8fc9d397ab2f4be7c967d8efb470b260140557d3e57afad69d1b88b76",
                    ),
                ),
                read_trec,
            ),
        ),
    ),
    DataSet(
        name="names",
        title="Surnames from 18 languages",
        about="heavily unbalanced: almost half are Russian; no official split, here a random fifth "
        "of the distinct names is held out as test",
        category="many-to-one",
        task="surname → language",
        licence="not stated separately; the repository is under the MIT licence",
        citation="S. Robertson, Practical PyTorch: Classifying Names with a Character-Level RNN",
        source="https://github.com/spro/practical-pytorch",
        splits={"train": 14_397, "test": 3_615},
        columns={"text": "the name", "label": "the language"},
        input=("text",),
        target="label",
        folder="names",
        layouts=(Layout(tuple(_names_file(*language) for language in LANGUAGES), read_names),),
    ),
)
