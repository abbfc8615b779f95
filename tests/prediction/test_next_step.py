"""Text and symbols are drawn element by element from the network's own prediction."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import torch

from elman.errors import OptionError
from elman.models.model import Model
from roads import NEXT_CHARACTER, ROADS, Road, untrained, write_json_lines


def writer(folder: Path, level: str = "character", **changes: Any) -> Model:
    return untrained(NEXT_CHARACTER, folder, **{"data.input_options.level": level}, **changes).model


@pytest.mark.parametrize("level", ["character", "word"])
def test_every_element_is_drawn_given_all_elements_before_it(level: str, tmp_path: Path) -> None:
    model = writer(tmp_path, level)
    prime = "row row"
    written = model.generate(12, seed=4, prime=prime)
    generator = torch.Generator().manual_seed(4)
    ids = model.task.input.encode(prime)
    begun = len(ids)
    for _ in range(12):
        with torch.no_grad():
            logits, _ = model.network(ids[:, None])
        likely = logits[-1, 0].double().softmax(-1)
        likely[0] = 0
        ids = torch.cat([ids, torch.multinomial(likely, 1, generator=generator)])
    assert written == model.task.input.decode(ids[begun:])


def test_the_unknown_element_is_never_drawn(tmp_path: Path) -> None:
    model = writer(tmp_path)
    network: Any = model.network
    with torch.no_grad():
        network.head.layers[-1].bias[0] = 50.0
    feature: Any = model.task.input
    assert set(model.generate(60, seed=1)) <= set(feature.vocabulary.names)


@pytest.mark.parametrize("level", ["character", "word", "bpe"])
def test_without_a_prime_a_line_begins(level: str, tmp_path: Path) -> None:
    model = writer(tmp_path, level)
    assert model.generate(9, seed=2) == model.generate(9, seed=2, prime="\n")


def test_where_there_are_no_lines_the_commonest_element_begins(tmp_path: Path) -> None:
    model = writer(tmp_path)
    feature: Any = model.task.input
    feature.fit([(tmp_path / "song.txt").read_text(encoding="utf-8").replace("\n", " x ")])
    begun = feature.decode(torch.tensor([1]))
    assert begun == " "
    assert model.generate(9, seed=2) == model.generate(9, seed=2, prime=begun)


@pytest.mark.parametrize("level", ["character", "word", "bpe"])
def test_the_ends_of_lines_are_drawn_as_any_element(level: str, tmp_path: Path) -> None:
    model = writer(tmp_path, level)
    feature: Any = model.task.input
    (line_end,) = feature.encode("\n").tolist()
    network: Any = model.network
    with torch.no_grad():
        network.head.layers[-1].bias[line_end] = 1e4
    assert model.generate(3, seed=1, prime="row") == "\n\n\n"


def test_the_same_seed_writes_the_same_and_another_seed_something_else(tmp_path: Path) -> None:
    model = writer(tmp_path)
    first = model.generate(40, seed=1)
    assert first == model.generate(40, seed=1)
    assert first != model.generate(40, seed=2)


def test_a_low_temperature_keeps_to_what_is_likely(tmp_path: Path) -> None:
    model = writer(tmp_path)
    with torch.no_grad():
        logits, _ = model.network(model.task.input.encode("row")[:, None])
    likely = logits[-1, 0]
    likely[0] = -torch.inf
    expected = model.task.input.decode(likely.argmax().reshape(1))
    assert model.generate(1, seed=1, prime="row", temperature=1e-4) == expected


def test_symbols_are_written_as_a_list(tmp_path: Path) -> None:
    def write(folder: Path) -> Path:
        rows = [{"moves": ["e4", "e5", "f4", "f5", "e4"]}] * 30
        return write_json_lines(folder / "games.jsonl", rows)

    settings = NEXT_CHARACTER.settings | {"input": "moves", "input_kind": "symbols"}
    del settings["data.input_options.level"]
    road = Road(write, settings, *NEXT_CHARACTER[2:])
    written = untrained(road, tmp_path).model.generate(7, seed=1, prime=["e4"])
    assert len(written) == 7
    assert set(written) <= {"e4", "e5", "f4", "f5"}


def test_an_empty_prime_is_refused(tmp_path: Path) -> None:
    with pytest.raises(OptionError, match="prime must hold at least one element to continue"):
        writer(tmp_path).generate(3, seed=1, prime="")


@pytest.mark.parametrize("name", list(ROADS))
def test_what_answers_does_not_write_and_says_how_to_train_what_does(
    name: str, tmp_path: Path
) -> None:
    model = untrained(ROADS[name], tmp_path).model
    words = re.escape(f"this model does not generate: its task is {ROADS[name].sentence}. A netw")
    with pytest.raises(OptionError, match=words):
        model.generate(3, seed=1)
