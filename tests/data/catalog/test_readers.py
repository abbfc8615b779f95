"""Every format of a data set, from a few rows in the same layout."""

from __future__ import annotations

import datetime
import io
import json
import tarfile
import zipfile
from typing import Any

import numpy as np
import pytest
import soundfile

from elman.data.catalog.audio import read_digits_archive, read_digits_packed, read_pedal
from elman.data.catalog.classification import (
    LANGUAGES,
    read_imdb_archive,
    read_imdb_lines,
    read_names,
    read_sst2,
    read_trec,
)
from elman.data.catalog.forecasting import ETT_COLUMNS, read_ett, read_series
from elman.data.catalog.images import read_flickr, read_idx, read_mnist_idx, read_mnist_packed
from elman.data.catalog.language_modelling import read_ptb, read_shakespeare
from elman.data.catalog.sensors import VIDEOS, read_gestures, read_sequences_packed, read_ts
from elman.data.catalog.tagging import read_conll2000, read_conllu
from elman.data.catalog.translation import read_multi30k


def npz(**arrays: Any) -> dict[str, bytes]:
    file = io.BytesIO()
    np.savez(file, **arrays)
    return {"packed.npz": file.getvalue()}


def wav(samples: Any, rate: int) -> bytes:
    file = io.BytesIO()
    soundfile.write(file, samples, rate, format="WAV", subtype="PCM_16")
    return file.getvalue()


def test_a_sentence_of_the_penn_treebank_ends_with_a_word_of_its_own() -> None:
    contents = {f"ptb.{part}.txt": b" no it was n't \n <unk> \n" for part in ("train", "valid")}
    read = read_ptb({**contents, "ptb.test.txt": b" yes \n"})
    assert read["valid"] == {
        "text": ["no it was n't", "<unk>"],
        "tokens": [["no", "it", "was", "n't", "<eos>"], ["<unk>", "<eos>"]],
    }
    assert read["test"]["tokens"] == [["yes", "<eos>"]]


def test_shakespeare_is_cut_in_its_order_and_nothing_is_lost() -> None:
    text = "To be,\nor not to be: ü" * 5
    read = read_shakespeare({"input.txt": text.encode()})
    parts = [read[split]["text"] for split in ("train", "valid", "test")]
    assert [len(part) for part in parts] == [1, 1, 1]
    assert "".join(part[0] for part in parts) == text
    assert [len(part[0]) for part in parts] == [99, 5, 6]


def test_chunks_stand_beside_their_words_even_where_a_word_is_a_number_sign() -> None:
    sentences = b"only RB B-NP\n# # I-NP\n1.8 CD I-NP\n\nIn IN B-PP\n\n"
    read = read_conll2000({"train.txt": sentences, "test.txt": b"So RB O\n"})
    assert read["train"] == {
        "tokens": [["only", "#", "1.8"], ["In"]],
        "pos": [["RB", "#", "CD"], ["IN"]],
        "chunk": [["B-NP", "I-NP", "I-NP"], ["B-PP"]],
    }
    assert read["test"]["chunk"] == [["O"]]


def test_comments_spans_and_words_left_out_are_no_words() -> None:
    def row(number: str, word: str, tag: str) -> str:
        return "\t".join([number, word, "_", tag, *"______"])

    lines = ["# text = Don't go", row("1-2", "Don't", "_"), row("1", "Do", "AUX")]
    lines += [row("2", "n't", "PART"), row("2.1", "you", "PRON"), row("3", "go", "VERB"), "", ""]
    content = "\n".join(lines).encode()
    read = read_conllu({f"en_ewt-ud-{part}.conllu": content for part in ("train", "dev", "test")})
    expected = {"tokens": [["Do", "n't", "go"]], "upos": [["AUX", "PART", "VERB"]]}
    assert read == {"train": expected, "valid": expected, "test": expected}


def test_reviews_are_the_same_in_either_layout() -> None:
    rows = [("neg", 2, 1, "dull"), ("neg", 10, 4, "flat"), ("pos", 3, 9, "naïve <br />fun")]
    lines = [
        {"label": int(side == "pos"), "id": number, "rating": rating, "text": text}
        for side, number, rating, text in rows
    ]
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w:gz") as archive:
        names = [(f"{part}/{side}/{n}_{r}.txt", text) for side, n, r, text in rows[::-1]
                 for part in ("train", "test")]  # fmt: skip
        for name, text in [*names, ("train/unsup/0_0.txt", "no label"), ("README", "about")]:
            member = tarfile.TarInfo(f"aclImdb/{name}")
            member.size = len(text.encode())
            archive.addfile(member, io.BytesIO(text.encode()))
    content = "\n".join(map(json.dumps, lines)).encode()
    read = read_imdb_lines({"train.jsonl": content, "test.jsonl": content})
    assert read["train"] == {
        "text": ["dull", "flat", "naïve <br />fun"],
        "label": ["negative", "negative", "positive"],
        "rating": [1, 4, 9],
    }
    assert read_imdb_archive({"aclImdb_v1.tar.gz": file.getvalue()}) == read


def test_sentences_of_sst2_are_split_from_their_label() -> None:
    contents = {f"sst2.{part}.tsv": b"a stirring , funny film\t1\n" for part in ("train", "dev")}
    read = read_sst2({**contents, "sst2.test.tsv": b"no movement\t0\n"})
    assert read["valid"] == {"text": ["a stirring , funny film"], "label": ["positive"]}
    assert read["test"] == {"text": ["no movement"], "label": ["negative"]}


def test_questions_are_latin_1_and_have_a_coarse_and_a_fine_class() -> None:
    question = "ENTY:cremat Who wrote ` Así ' ?\n"
    read = read_trec(
        {"train_5500.label": question.encode("latin-1"), "TREC_10.label": b"NUM:dist How far ?\n"}
    )
    assert read["train"] == {
        "text": ["Who wrote ` Así ' ?"],
        "label": ["ENTY"],
        "fine": ["ENTY:cremat"],
    }
    assert read["test"]["label"] == ["NUM"]


def test_a_surname_has_one_row_a_language_and_is_in_one_split() -> None:
    contents = {f"{language}.txt": b"" for language, *_ in LANGUAGES}
    contents["English.txt"] = "".join(f"Name{n}\nName{n}\n" for n in range(40)).encode()
    contents["Scottish.txt"] = "".join(f"Name{n}\n" for n in range(0, 40, 2)).encode()
    contents["Czech.txt"] = "Třeska \n".encode()
    read = read_names(contents)
    rows = {
        split: list(zip(part["text"], part["label"], strict=True)) for split, part in read.items()
    }
    assert len({*rows["train"], *rows["test"]}) == len(rows["train"] + rows["test"]) == 40 + 20 + 1
    assert ("Třeska", "Czech") in rows["train"] + rows["test"]
    train, test = ({name for name, _ in rows[split]} for split in ("train", "test"))
    assert not train & test
    assert len(test) == 41 // 5
    assert read_names(contents) == read


def test_spoken_digits_are_the_same_in_either_layout() -> None:
    random = np.random.default_rng(3)
    recordings = {
        (digit, speaker, number): random.integers(-32768, 32767, 20 + number, dtype=np.int16)
        for digit in (0, 7)
        for speaker in ("george", "theo")
        for number in (0, 4, 5, 49)
    }
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("top/README.md", "about")
        for (digit, speaker, number), samples in reversed(recordings.items()):
            archive.writestr(f"top/recordings/{digit}_{speaker}_{number}.wav", wav(samples, 8000))
    arrays: dict[str, Any] = {"speakers": ["george", "theo"], "sample_rate": 8000}
    for split in ("train", "test"):
        chosen = {key: x for key, x in recordings.items() if (key[2] < 5) == (split == "test")}
        arrays[f"{split}_audio"] = np.concatenate(list(chosen.values()))
        arrays[f"{split}_lengths"] = [len(samples) for samples in chosen.values()]
        arrays[f"{split}_digit"] = [digit for digit, *_ in chosen]
        arrays[f"{split}_speaker"] = [int(speaker == "theo") for _, speaker, _ in chosen]
        arrays[f"{split}_index"] = [number for *_, number in chosen]
    packed = read_digits_packed(npz(**arrays))
    for read in (packed, read_digits_archive({"x.zip": file.getvalue()})):
        assert read["test"]["label"] == ["0", "0", "0", "0", "7", "7", "7", "7"]
        assert read["test"]["speaker"] == ["george", "george", "theo", "theo"] * 2
        assert read["train"]["sample_rate"] == [8000] * 8
        first = read["train"]["audio"][0]
        assert first.dtype == np.float32
        assert np.array_equal(first * 32768, recordings[0, "george", 5])


def test_the_pedal_is_cut_into_six_two_and_two_seconds() -> None:
    rate = 10
    before = np.stack([np.arange(100), 100 - np.arange(100)], axis=1) / 128
    after = np.arange(100) / 256
    read = read_pedal({"input": wav(before, rate), "target": wav(after, rate)})
    assert [len(read[split]["dry"][0]) for split in ("train", "valid", "test")] == [60, 20, 20]
    assert np.array_equal(read["valid"]["dry"][0], before[60:80, 0])
    assert np.array_equal(read["valid"]["oscillator"][0], before[60:80, 1])
    assert np.array_equal(read["test"]["wet"][0], after[80:])
    assert read["test"]["sample_rate"] == [10]


def idx(array: Any) -> bytes:
    return bytes([0, 0, 8, array.ndim]) + np.array(array.shape, ">u4").tobytes() + array.tobytes()


def test_handwritten_digits_are_the_same_in_either_layout() -> None:
    random = np.random.default_rng(4)
    x = {split: random.integers(0, 256, (rows, 3, 5), np.uint8) for split, rows in
         (("train", 4), ("test", 2))}  # fmt: skip
    y = {"train": np.array([5, 0, 4, 9], np.uint8), "test": np.array([7, 2], np.uint8)}
    packed = npz(x_train=x["train"], y_train=y["train"], x_test=x["test"], y_test=y["test"])
    files = {
        "train-images-idx3-ubyte": idx(x["train"]),
        "train-labels-idx1-ubyte": idx(y["train"]),
        "t10k-images-idx3-ubyte": idx(x["test"]),
        "t10k-labels-idx1-ubyte": idx(y["test"]),
    }
    for read in (read_mnist_packed(packed), read_mnist_idx(files)):
        assert read["train"]["label"] == ["5", "0", "4", "9"]
        assert np.array_equal(read["test"]["image"], x["test"])


def test_an_idx_file_of_other_values_is_refused() -> None:
    with pytest.raises(ValueError, match="starts with 00 00 08, got 00 00 0d"):
        read_idx(bytes([0, 0, 13, 1, 0, 0, 0, 0]))


def test_a_photograph_has_its_captions_and_its_official_split() -> None:
    names = np.array(["a.jpg", "b.jpg", "c.jpg", "d.jpg"])
    pictures = np.arange(4 * 2 * 2 * 3, dtype=np.uint8).reshape(4, 2, 2, 3)
    captions = "image,caption\n" + "".join(
        f'{name},"A dog , number {n} ."\n' for name in names for n in range(2)
    )
    read = read_flickr(
        {
            "images_64x64.npz": npz(images=pictures, names=names)["packed.npz"],
            "captions.txt": captions.encode(),
            "Flickr_8k.trainImages.txt": b"d.jpg\nz.jpg\na.jpg\n",
            "Flickr_8k.devImages.txt": b"b.jpg\n",
            "Flickr_8k.testImages.txt": b"",
        }
    )
    assert read["train"]["file"] == ["a.jpg", "a.jpg", "d.jpg", "d.jpg"]
    assert np.array_equal(read["train"]["image"], pictures[[0, 0, 3, 3]])
    assert read["valid"]["caption"] == ["A dog , number 0 .", "A dog , number 1 ."]
    assert len(read["test"]["image"]) == 0


def test_a_video_begins_with_the_first_frame_that_has_velocities() -> None:
    contents = {}
    for video in sorted({*VIDEOS["train"], *VIDEOS["test"]}):
        head = ",".join([*(f"p{n}" for n in range(18)), "timestamp", "phase"])
        frames = [
            ",".join([*(f"{frame}.{n}" for n in range(18)), str(70 + frame), "Preparação"])
            for frame in range(7)
        ]
        contents[f"{video}_raw.csv"] = "\r\n".join([head, *frames, ""]).encode()
        moves = [",".join([*(f"-{frame}.{n}" for n in range(32)), "P"]) for frame in range(4, 7)]
        contents[f"{video}_va3.csv"] = "\r".join(["heading", *moves]).encode()
    read = read_gestures(contents)
    assert read["train"]["video"] == ["a1", "a2", "a3", "b1", "c1"]
    assert read["test"]["speaker"] == ["b", "c"]
    assert read["test"]["phase"] == [["Preparation"] * 3] * 2
    assert read["test"]["time"][0].tolist() == [74, 75, 76]
    positions, movements = read["test"]["positions"][0], read["test"]["movements"][0]
    assert (positions.shape, movements.shape) == ((3, 18), (3, 32))
    assert (positions[0, :3].tolist(), movements[2, 1]) == ([4.0, 4.1, 4.2], -6.1)


def test_sequences_are_the_same_in_either_layout() -> None:
    ts = {
        "V_TRAIN.ts": b"#about: us\n@dimensions 2\n@data\n1,2,3:4,5,6:a\n7,8:9,10:b\n",
        "V_TEST.ts": b"@data\n.5:-1e-1:b\n",
    }
    packed = npz(
        classes=["a", "b"],
        train_x=[[1, 4], [2, 5], [3, 6], [7, 9], [8, 10.0]],
        train_lengths=[3, 2],
        train_y=[0, 1],
        test_x=[[0.5, -0.1]],
        test_lengths=[1],
        test_y=[1],
    )
    for read in (read_ts(ts), read_sequences_packed(packed)):
        assert [s.tolist() for s in read["train"]["series"]] == [
            [[1, 4], [2, 5], [3, 6]],
            [[7, 9], [8, 10]],
        ]
        assert read["train"]["label"] == ["a", "b"]
        assert read["test"]["series"][0].tolist() == [[0.5, -0.1]]


def test_a_single_channel_has_no_axis_of_its_own() -> None:
    read = read_ts({"G_TRAIN.ts": b"@data\n1,2,3:1\n", "G_TEST.ts": b"@data\n4,5,6:2\n"})
    assert read["test"]["series"][0].tolist() == [4, 5, 6]


def test_a_month_is_its_first_day() -> None:
    monthly = b'"Month","Passengers"\n"1949-01",112\n"1949-02",118\n'
    daily = b'"Date","Temp"\n"1981-01-31",20.7\n'
    assert read_series({"monthly.csv": monthly})["train"] == {
        "time": [datetime.date(1949, 1, 1), datetime.date(1949, 2, 1)],
        "value": [112, 118],
    }
    assert read_series({"daily.csv": daily})["train"]["time"] == [datetime.date(1981, 1, 31)]


def test_the_hours_of_a_transformer_are_split_in_their_order() -> None:
    start = datetime.datetime(2016, 7, 1)
    rows = [
        ",".join([str(start + datetime.timedelta(hours=hour)), *([f"{hour}.5"] * 7)])
        for hour in range(14_401)
    ]
    content = "\n".join([",".join(["date", *ETT_COLUMNS]), *rows]).encode()
    read = read_ett({"ETTh1.csv": content})
    assert {split: len(part["OT"]) for split, part in read.items()} == {
        "train": 8_640,
        "valid": 2_880,
        "test": 2_880,
    }
    assert read["valid"]["OT"][0] == 8_640.5
    assert read["test"]["time"][0] == start + datetime.timedelta(hours=11_520)


def test_a_sentence_stands_beside_its_translation_even_after_an_empty_line() -> None:
    contents = {}
    for part in ("train", "val", "test_2016_flickr"):
        contents[f"{part}.en"] = b"A dog.\n\nTwo men\xc2\x85 here.\n"
        contents[f"{part}.de"] = "Ein Hund.\n\nZwei Männer hier.\n".encode()
        contents[f"{part}.lc.norm.tok.en"] = b"a dog .\n\ntwo men here .\n"
        contents[f"{part}.lc.norm.tok.de"] = "ein hund .\n\nzwei männer hier .\n".encode()
    read = read_multi30k(contents)
    assert list(read) == ["train", "valid", "test"]
    assert read["test"]["en"] == ["A dog.", "", "Two men\x85 here."]
    assert read["test"]["de"][2] == "Zwei Männer hier."
    assert read["valid"]["de_tokenised"] == ["ein hund .", "", "zwei männer hier ."]
