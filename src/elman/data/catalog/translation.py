"""Translation: sentences in two languages."""

from __future__ import annotations

from collections.abc import Mapping

from elman.data.catalog.entry import Columns, Contents, DataSet, File, Layout, on_github

_FILES = {"train": "train", "valid": "val", "test": "test_2016_flickr"}


def read_multi30k(contents: Contents) -> Mapping[str, Columns]:
    """Read one sentence a line; the same line of each file is the same sentence."""
    return {
        split: {
            "en": _lines(contents[f"{part}.en"]),
            "de": _lines(contents[f"{part}.de"]),
            "en_tokenised": _lines(contents[f"{part}.lc.norm.tok.en"]),
            "de_tokenised": _lines(contents[f"{part}.lc.norm.tok.de"]),
        }
        for split, part in _FILES.items()
    }


def _lines(content: bytes) -> list[str]:
    return content.decode().removesuffix("\n").split("\n")


def _raw(name: str, size: int, sha256: str) -> File:
    return _file(name, f"data/task1/raw/{name}.gz", size, sha256)


def _tokenised(name: str, size: int, sha256: str) -> File:
    return _file(name, f"data/task1/tok/{name}", size, sha256)


def _file(name: str, path: str, size: int, sha256: str) -> File:
    commit = "a3d2e0d26b56f3846f66a952536ffed4e401d05a"
    address = on_github("multi30k/dataset", commit, path)
    return File(name=name, sha256=sha256, address=address, size=size)


TRANSLATION = (
    DataSet(
        name="multi30k",
        title="Multi30k, task 1",
        about="captions of photographs in English with German translations; test is the test set "
        "of 2016",
        category="encoder-decoder",
        task="sentence → sentence",
        licence="not stated in the repository; the paper says CC BY-NC-SA 4.0",
        citation="D. Elliott, S. Frank, K. Sima'an and L. Specia, Multi30K: Multilingual "
        "English-German Image Descriptions, VL 2016",
        source="https://github.com/multi30k/dataset",
        splits={"train": 29_000, "valid": 1_014, "test": 1_000},
        columns={
            "en": "the English sentence",
            "de": "the German sentence",
            "en_tokenised": "the English words, lower case, normalised, tokenised by Moses, "
            "separated by spaces",
            "de_tokenised": "the German words, likewise",
        },
        input=("en",),
        target="de",
        folder="multi30k",
        layouts=(
            Layout(
                (
                    _raw(
                        "train.en",
                        568_929,
                        "460a15fbd157e34a7a9957ee388c1ca247fe47af3ef25fb50442af6c274e0fc6",
                    ),
                    _tokenised(
                        "train.lc.norm.tok.en",
                        1_837_696,
                        "08925f8e0572bcd5a006702fc5fe20e2d77c6917d4eebd576fc20de6693c2119",
                    ),
                    _raw(
                        "train.de",
                        637_044,
                        "2c2b73fd2b548fbcde3a875e0a78d6ee94d498bfdee6bd3eae3945779e9ddf72",
                    ),
                    _tokenised(
                        "train.lc.norm.tok.de",
                        2_150_008,
                        "cb5a23529b65ec2061f1dc446192a9c37382b63cc75f81a0be59d34894b3a505",
                    ),
                    _raw(
                        "val.en",
                        21_650,
                        "1f2a23d992769b5b3d209b0a10dd0b77c08cceb1f20dfb97ed0aafa49d107227",
                    ),
                    _tokenised(
                        "val.lc.norm.tok.en",
                        64_608,
                        "46573ce391ae227f1c72f873392436a20ef18e0a6d518098cfbd70b77c8572ec",
                    ),
                    _raw(
                        "val.de",
                        24_681,
                        "660e09eb7e1da2f856ea13ee5ad3cf6d36b3d5b0b733c857e94c5747a3dfc660",
                    ),
                    _tokenised(
                        "val.lc.norm.tok.de",
                        77_273,
                        "97232bd273eceb7207f689527386a97e4be2616b18ada47576bdaf96c8ae1f00",
                    ),
                    _raw(
                        "test_2016_flickr.en",
                        21_077,
                        "399a4382932c1aadd3ceb9bef1008d388a64c76d4ae4e9d4728c6f4301cac182",
                    ),
                    _tokenised(
                        "test_2016_flickr.lc.norm.tok.en",
                        63_307,
                        "5b7f32627cf99eced828311b955dae9800bb52bc8b91cf8b6526829e605b29d2",
                    ),
                    _raw(
                        "test_2016_flickr.de",
                        22_890,
                        "4be6b5b3236b79c25475c6bb829800a7ce559e9ba7a1f6c2394fe4d40be46d16",
                    ),
                    _tokenised(
                        "test_2016_flickr.lc.norm.tok.de",
                        71_917,
                        "c6a33d39d48f9f510de147651316cd9d918e09ad0219df734a2f16b6baccacc4",
                    ),
                ),
                read_multi30k,
            ),
        ),
    ),
)
