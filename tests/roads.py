"""Small files of every kind, each with what is asked of it: the roads from a file to a prediction.

A file is written anew by each test that asks for it, always the same.
"""

from __future__ import annotations

import csv
import json
import math
import random
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import torch

from elman.experiment import Experiment
from elman.models.model import Model
from elman.models.network import untrained_network
from elman.runs.run import TrainedRun
from elman.runs.train import experiment_for, train_run
from elman.tasks.defaults import completed
from elman.tasks.dividing import Parts
from elman.tasks.find import find_task
from elman.tasks.layout import layout_of

TINY = {
    "network.hidden_size": 3,
    "network.embedding_size": 4,
    "training.epochs": 2,
    "training.batch_size": 7,
    "training.accelerator": "cpu",
}
"""Small and soon trained, for networks that read ids."""

WITHOUT_IDS = {name: value for name, value in TINY.items() if "embedding" not in name}
WITHOUT_STEPS = {"network.head": [5], **WITHOUT_IDS} | {"network.hidden_size": 5}


class Road(NamedTuple):
    """A kind of file, and what is asked of it."""

    write: Callable[[Path], Path]
    """Writes the file into a folder."""
    settings: dict[str, Any]
    category: str
    objective: str
    sentence: str
    chief: str
    """The score that stands for all."""
    answers: Callable[[Any], bool]
    """Whether something is an answer of the right kind."""


def write_csv(path: Path, header: Sequence[str], rows: Sequence[Sequence[Any]]) -> Path:
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([header, *rows])
    return path


def write_json_lines(path: Path, rows: Sequence[dict[str, Any]]) -> Path:
    path.write_text("".join(f"{json.dumps(row)}\n" for row in rows), encoding="utf-8")
    return path


def _review(random_: random.Random) -> tuple[str, str]:
    label = random_.choice(["good", "bad"])
    words = {"good": ["fine", "great", "moving"], "bad": ["dull", "weak", "loud"]}[label]
    others = ["a", "film", "the", "plot", "with", "and", "cast"]
    length = random_.randint(5, 11)
    return " ".join(random_.choice(words + others) for _ in range(length)), label


def reviews(folder: Path) -> Path:
    random_ = random.Random(1)
    rows = [_review(random_) for _ in range(60)]
    return write_csv(folder / "reviews.csv", ["text", "label"], rows)


def posts(folder: Path) -> Path:
    random_ = random.Random(2)
    rows = []
    for _ in range(60):
        text, _ = _review(random_)
        topics = [topic for topic in ("film", "cast", "plot") if topic in text.split()]
        rows.append([text, ";".join(topics)])
    return write_csv(folder / "posts.csv", ["text", "topics"], rows)


def sentences(folder: Path) -> Path:
    random_ = random.Random(3)
    pieces = [[("the", "O")], [("in", "O")], [("Oslo", "B-LOC")]]
    pieces += [[("Ann", "B-PER")], [("Ann", "B-PER"), ("Lee", "I-PER")]]
    rows = []
    for _ in range(40):
        pairs = [pair for _ in range(random_.randint(3, 7)) for pair in random_.choice(pieces)]
        rows.append({"tokens": [word for word, _ in pairs], "tags": [tag for _, tag in pairs]})
    return write_json_lines(folder / "sentences.jsonl", rows)


def walks(folder: Path) -> Path:
    """A long table: a row a step, of walkers who are slow or fast; steps in no order."""
    random_ = random.Random(4)
    rows = []
    for walker in range(40):
        pace = ("slow", "fast")[walker % 2]
        for step in range(random_.randint(4, 9)):
            speed = (1.0, 3.0)[walker % 2] + random_.gauss(0, 0.3)
            rows.append([f"w{walker}", step, round(speed, 3), random_.randint(50, 90), pace])
    random_.shuffle(rows)
    return write_csv(folder / "walks.csv", ["walker", "step", "speed", "pulse", "pace"], rows)


def temperatures(folder: Path) -> Path:
    rows = [[day, round(10 * math.sin(day / 4) + day % 3, 3)] for day in range(90)]
    return write_csv(folder / "temperatures.csv", ["day", "celsius"], rows)


def flowers(folder: Path) -> Path:
    random_ = random.Random(5)
    rows = []
    for _ in range(60):
        species = random_.choice(["iris", "rose", "lily"])
        length = {"iris": 2.0, "rose": 4.0, "lily": 7.0}[species] + random_.gauss(0, 0.4)
        colour = random_.choice(["red", "white"])
        rows.append([round(length, 3), round(random_.random(), 3), colour, species])
    return write_csv(folder / "flowers.csv", ["length", "width", "colour", "species"], rows)


def houses(folder: Path) -> Path:
    random_ = random.Random(6)
    rows = []
    for _ in range(60):
        rooms, area = random_.randint(1, 6), random_.uniform(30, 200)
        rows.append([rooms, round(area, 2), round(50 * rooms + 3 * area + random_.random(), 2)])
    return write_csv(folder / "houses.csv", ["rooms", "area", "price"], rows)


def tickets(folder: Path) -> Path:
    """Texts with a class, a number and labels; some rows lack a class, and some a number."""
    random_ = random.Random(10)
    rows = []
    for row in range(60):
        topics = [topic for topic in ("login", "invoice") if random_.random() < 0.6]
        urgent = random_.random() < 0.5
        words = ["please", "the", "my", *topics, *["now"] * urgent]
        random_.shuffle(words)
        hours = round(3.5 * len(topics) - 2 * urgent + random_.random(), 2)
        priority = "high" if urgent else "low"
        known = [priority if row % 9 else "", hours if row % 7 else ""]
        rows.append([" ".join(words), *known, ";".join(topics)])
    return write_csv(folder / "tickets.csv", ["text", "priority", "hours", "topics"], rows)


def plants(folder: Path) -> Path:
    """Measurements with a class and a number."""
    random_ = random.Random(11)
    rows = []
    for row in range(60):
        sun, water = random_.uniform(0, 9), random_.uniform(0, 9)
        height = round(3 * sun + water, 2) if row % 8 else ""
        rows.append([round(sun, 2), round(water, 2), "dry" if water < 4 else "wet", height])
    return write_csv(folder / "plants.csv", ["sun", "water", "soil", "height"], rows)


def layers(folder: Path) -> Path:
    """Tokens with two tags and a number each; some rows lack one of the three."""
    random_ = random.Random(12)
    pieces = {"the": ("DET", "B-NP"), "red": ("ADJ", "I-NP"), "dog": ("NOUN", "I-NP")}
    rows = []
    for row in range(40):
        words = [word for _ in range(random_.randint(1, 3)) for word in ("the", "red", "dog")]
        words = words[: random_.randint(2, len(words))]
        parts, chunks = ([pieces[word][layer] for word in words] for layer in (0, 1))
        sizes = [len(word) + random_.random() for word in words]
        rows.append({"tokens": words, "parts": parts, "chunks": chunks, "sizes": sizes})
        if row % 6 == 0:
            rows[-1][("parts", "chunks", "sizes")[row // 6 % 3]] = None
    return write_json_lines(folder / "layers.jsonl", rows)


def signals(folder: Path) -> Path:
    """A series a row, which goes up or down."""
    random_ = random.Random(7)
    rows = []
    for _ in range(40):
        slope = random_.choice([-1, 1])
        values = [slope * t + random_.gauss(0, 0.5) for t in range(random_.randint(4, 9))]
        rows.append({"signal": values, "direction": "up" if slope > 0 else "down"})
    return write_json_lines(folder / "signals.jsonl", rows)


def filters(folder: Path) -> Path:
    """A number a step, and the same number smoothed."""
    random_ = random.Random(8)
    rows = []
    for _ in range(40):
        dry = [random_.gauss(0, 1) for _ in range(random_.randint(4, 9))]
        wet = [(now + before) / 2 for now, before in zip(dry, [0.0, *dry[:-1]], strict=True)]
        rows.append({"dry": dry, "wet": wet})
    return write_json_lines(folder / "filters.jsonl", rows)


def spellings(folder: Path) -> Path:
    """Letters, each said once or twice, and what they spell: aligned in order alone."""
    random_ = random.Random(9)
    rows = []
    for _ in range(40):
        spelt = [random_.choice("abc") for _ in range(random_.randint(2, 4))]
        said = [sound for letter in spelt for sound in [letter.upper()] * random_.randint(2, 3)]
        rows.append({"said": said, "spelt": spelt})
    return write_json_lines(folder / "spellings.jsonl", rows)


def songs(folder: Path) -> Path:
    lines = ["row row row your boat", "gently down the stream", "merrily merrily merrily"] * 8
    path = folder / "song.txt"
    path.write_text("\n".join(lines), encoding="utf-8")
    return path


def _one_of(*names: str) -> Callable[[Any], bool]:
    return lambda answer: answer in names


def _some_of(*names: str) -> Callable[[Any], bool]:
    return lambda answer: isinstance(answer, list) and set(answer) <= set(names)


def translations(folder: Path) -> Path:
    """English sentences and German ones, of a few words each."""
    draw = random.Random(0)
    things = {"dog": "Hund", "man": "Mann", "tree": "Baum", "ball": "Ball"}
    does = {"sees": "sieht", "likes": "mag"}
    rows = []
    for _ in range(60):
        (a, b), (c, d), (e, f) = (draw.choice([*words.items()]) for words in (things, does, things))
        rows.append((f"A {a} {c} the {e} .", f"Ein {b} {d} den {f} ."))
    return write_csv(folder / "translations.csv", ["en", "de"], rows)


def reversals(folder: Path) -> Path:
    """Words, and the same words from their end."""
    draw = random.Random(0)
    words = ["".join(draw.choices("abcd", k=draw.randint(1, 6))) for _ in range(60)]
    return write_csv(folder / "reversals.csv", ["word", "back"], [(w, w[::-1]) for w in words])


def surnames(folder: Path) -> Path:
    """Languages, and names in them."""
    draw = random.Random(0)
    ends = {"Irish": "ey", "Czech": "ova", "Dutch": "stra"}
    rows = [
        (language, "".join(draw.choices("bdlmn", k=3)).capitalize() + ends[language])
        for language in draw.choices(list(ends), k=60)
    ]
    return write_csv(folder / "surnames.csv", ["language", "name"], rows)


def photographs(folder: Path) -> Path:
    """Pictures of one colour, two captions each."""
    from PIL import Image

    (folder / "pictures").mkdir(exist_ok=True)
    colours = {"red": (200, 0, 0), "green": (0, 200, 0), "blue": (0, 0, 200)}
    rows = []
    for n in range(20):
        name, colour = list(colours.items())[n % 3]
        path = folder / "pictures" / f"{n}.png"
        Image.new("RGB", (8, 8), tuple(c + n for c in colour)).save(path)
        rows += [(str(path), f"a plain {name} square"), (str(path), f"all of it is {name}")]
    return write_csv(folder / "photographs.csv", ["picture", "caption"], rows)


def _is_text(answer: Any) -> bool:
    return isinstance(answer, str)


def _is_number(answer: Any) -> bool:
    return isinstance(answer, float) and math.isfinite(answer)


ROADS = {
    "text to a class": Road(
        reviews,
        {"target": "label"} | TINY,
        "many-to-one",
        "classification",
        "input: words; target: one of 2 classes → many-to-one",
        "accuracy",
        _one_of("good", "bad"),
    ),
    "text to several labels": Road(
        posts,
        {"target": "topics"} | TINY,
        "many-to-one",
        "labelling",
        "input: words; target: any of 3 labels → many-to-one",
        "micro_f1",
        _some_of("film", "cast", "plot"),
    ),
    "a long table to a class": Road(
        walks,
        {"target": "pace", "sequence_id": "walker", "time": "step", "convolutions": []}
        | WITHOUT_IDS,
        "many-to-one",
        "classification",
        "input: 2 numbers a step; target: one of 2 classes → many-to-one",
        "accuracy",
        _one_of("slow", "fast"),
    ),
    "a series to a class": Road(
        signals,
        {"target": "direction", "convolutions": []} | WITHOUT_IDS,
        "many-to-one",
        "classification",
        "input: a number a step; target: one of 2 classes → many-to-one",
        "accuracy",
        _one_of("up", "down"),
    ),
    "windows to the next value": Road(
        temperatures,
        {"target": "celsius", "time": "day", "window": 6} | WITHOUT_IDS,
        "many-to-one",
        "regression",
        "input: a number a step; target: a number → many-to-one",
        "mase",
        _is_number,
    ),
    "tokens to tags": Road(
        sentences,
        {"target": "tags", "network.objective": "crf"} | TINY,
        "many-to-many",
        "crf",
        "input: symbols; target: one of 4 tags a step → many-to-many",
        "f1",
        _some_of("O", "B-PER", "I-PER", "B-LOC"),
    ),
    "numbers to numbers, step by step": Road(
        filters,
        {"target": "wet", "target_kind": "series"} | WITHOUT_IDS,
        "many-to-many",
        "step-regression",
        "input: a number a step; target: a number a step → many-to-many",
        "rmse",
        lambda answer: all(map(math.isfinite, answer)),
    ),
    "sounds to letters": Road(
        spellings,
        {"target": "spelt", "network.objective": "ctc"} | TINY,
        "many-to-many",
        "ctc",
        "input: symbols; target: one of 3 tags a step → many-to-many",
        "label_error_rate",
        _some_of("a", "b", "c"),
    ),
    "measurements to a class": Road(
        flowers,
        {"target": "species"} | WITHOUT_STEPS,
        "one-to-one",
        "classification",
        "input: 2 numbers and 1 category; target: one of 3 classes → one-to-one",
        "accuracy",
        _one_of("iris", "rose", "lily"),
    ),
    "measurements to a number": Road(
        houses,
        {"target": "price"} | WITHOUT_STEPS,
        "one-to-one",
        "regression",
        "input: 2 numbers; target: a number → one-to-one",
        "rmse",
        _is_number,
    ),
    "text to several targets": Road(
        tickets,
        {"input": "text", "target": ["priority", "hours", "topics"], "network.head": [4]} | TINY,
        "many-to-one",
        "joint",
        "input: words; target: one of 2 classes (priority), a number (hours) and any of 2 labels "
        "(topics) → many-to-one",
        "accuracy of priority",
        lambda answer: len(answer) == 3 and _is_number(answer[1]),
    ),
    "measurements to several targets": Road(
        plants,
        {"input": ["sun", "water"], "target": ["soil", "height"]} | WITHOUT_STEPS,
        "one-to-one",
        "joint",
        "input: 2 numbers; target: one of 2 classes (soil) and a number (height) → one-to-one",
        "accuracy of soil",
        lambda answer: answer[0] in {"dry", "wet"} and _is_number(answer[1]),
    ),
    "tokens to several targets": Road(
        layers,
        {"input": "tokens", "target": ["parts", "chunks", "sizes"]}
        | {"network.objectives": {"chunks": "crf"}, "network.loss_weights": {"sizes": 0.5}}
        | TINY,
        "many-to-many",
        "step-joint",
        "input: symbols; target: one of 3 tags a step (parts), one of 2 tags a step (chunks) and a "
        "number a step (sizes) → many-to-many",
        "accuracy of parts",
        lambda answer: len({len(each) for each in answer}) == 1,
    ),
}
"""Name → road. In every one there is an answer to each row."""

WRITTEN_ROADS = {
    "a sentence to another": Road(
        translations,
        {"input": "en", "target": "de"} | TINY,
        "encoder-decoder",
        "conditional-language-model",
        "input: byte pairs; target: byte pairs → encoder-decoder",
        "bleu",
        _is_text,
    ),
    "letters to letters": Road(
        reversals,
        {"input": "word", "target": "back", "target_kind": "text:char"} | TINY,
        "encoder-decoder",
        "conditional-language-model",
        "input: characters; target: characters → encoder-decoder",
        "label_error_rate",
        _is_text,
    ),
    "a language to names": Road(
        surnames,
        {"input": "language", "target": "name", "target_kind": "text:char"} | TINY,
        "one-to-many",
        "conditional-language-model",
        "input: one of 3 classes; target: characters → one-to-many",
        "bits_per_character",
        _is_text,
    ),
    "a picture to its caption": Road(
        photographs,
        {"input": "picture", "target": "caption", "conditioning": "each"} | TINY,
        "one-to-many",
        "conditional-language-model",
        "input: coloured pictures of 8 × 8 pixels; target: byte pairs → one-to-many",
        "sequence_accuracy",
        _is_text,
    ),
}
"""Name → road. In every one the answer is a sequence of its own length."""

NEXT_CHARACTER = Road(
    songs,
    {"input": "text", "input_kind": "text", "data.input_options.level": "character"}
    | {"target": "next", "training.chunk_length": 11}
    | TINY,
    "many-to-many",
    "language-model",
    "input: characters; target: the next one → many-to-many",
    "bits_per_character",
    lambda answer: isinstance(answer, str),
)


def experiment_of(road: Road, folder: Path, **changes: Any) -> Experiment:
    """Write a road's file and say what is asked of it."""
    experiment, _ = experiment_for(road.write(folder), road.settings | changes)
    return experiment


def travelled(road: Road, folder: Path, **changes: Any) -> TrainedRun:
    """Train on a road's file in `folder`; the run is in `folder/run`."""
    return train_run(experiment_of(road, folder, **changes), folder / "run")


class Untrained(NamedTuple):
    """A road's model that has learned nothing, and yet gives rows different answers."""

    model: Model
    parts: Parts


@torch.no_grad()
def untrained(road: Road, folder: Path, **changes: Any) -> Untrained:
    """Make a road's model with large random weights and no biases, for answers that differ."""
    experiment = experiment_of(road, folder, output_bias_init="uniform", **changes)
    parts = layout_of(experiment.data).parts(experiment.seed)
    others = [part for part in (parts.valid, parts.test) if part is not None]
    task = find_task(
        experiment.data, experiment.network, parts.train, others, decoder=experiment.decoder
    )
    experiment = completed(experiment, task, parts.train)
    network = untrained_network(experiment, task, parts.train)
    for name, weight in network.named_parameters():
        weight.mul_(0 if "bias" in name else 6 if weight.ndim > 1 else 1)
    return Untrained(Model(experiment, task, network), parts)
