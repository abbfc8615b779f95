"""Every network learns a batch by heart whose answers depend on several columns together."""

from __future__ import annotations

from itertools import product
from typing import Any

import pytest
import torch
from torch import Tensor

from elman.batches.inputs import PartsInput, SeveralInputs
from elman.cells import CELLS
from elman.features.feature import Encoding, Encodings
from elman.networks import build_network
from elman.networks.objectives import (
    CRF,
    Classification,
    ConditionalLanguageModel,
    Labelling,
    Regression,
    StepRegression,
    Tagging,
)
from elman.networks.one_to_many import CONDITIONINGS

WORDS, SENSOR = Encoding(ids=(9,)), Encoding(numbers=1)
RECORD, LABELS, PICTURE = (
    Encoding(numbers=1, ids=(4,)),
    Encoding(numbers=3),
    Encoding(picture=(1, 6, 6)),
)
BITS = torch.tensor(list(product([0, 1], repeat=3)))
"""Eight rows: every combination of three bits."""
B = len(BITS)
LENGTHS = [3 + 2 * int(bit) for bit in BITS[:, 0]]
ODD = BITS.sum(1) % 2
"""The answer of a row: which no two of its bits tell."""
every_cell = pytest.mark.parametrize("cell", CELLS)


def text(bit: int) -> Tensor:
    """Return ids that differ in the second one."""
    return torch.tensor([5, 1 + bit, 7, 3][: 4 - bit])


def sensor(bit: int) -> Tensor:
    """Return numbers that rise or fall."""
    return torch.arange(-1.0, 2.0 + bit).unsqueeze(1) * (1 if bit else -1)


def record(number: int, category: int) -> Tensor:
    return torch.tensor([number * 2.0 - 1, 1.0 + category])


def labels(bit: int) -> Tensor:
    return torch.tensor([1.0, bit, 0.0])


def picture(bit: int) -> Tensor:
    """Return a picture whose upper or lower half is bright."""
    pixels = torch.zeros(1, 6, 6)
    pixels[:, 3 * bit : 3 * bit + 3] = 1
    return pixels


def batch(sequences: int, *columns: list[Tensor]) -> PartsInput:
    return SeveralInputs(sequences).collate(list(zip(*columns, strict=True)))


def of_bits(which: int, made: Any) -> list[Tensor]:
    """Make a column that shows one bit of each row, and nothing else of it."""
    return [made(int(bit)) for bit in BITS[:, which]]


def records() -> list[Tensor]:
    return [record(int(b), int(c)) for _, b, c in BITS]


def learned(network: Any, target: Tensor, lengths: Tensor, x: Any, *, steps: int = 150) -> float:
    """Train on one batch and return the loss at the end."""
    optimizer = torch.optim.Adam(network.parameters(), 0.02)
    given = {"target": target} if getattr(network, "writes", False) else {}
    loss = torch.zeros(())
    for _ in range(steps):
        optimizer.zero_grad()
        outputs, _ = network(x, lengths=lengths, **given)
        loss = network.objective.loss(outputs, target, lengths)
        loss.backward()
        optimizer.step()
        if loss < 0.01:
            break
    network.eval()
    return loss.item()


def answers(network: Any, x: Any, lengths: Tensor) -> list[Any]:
    with torch.no_grad():
        found = network.objective.answers(network(x, lengths=lengths)[0], lengths)
    return [answer.tolist() for answer in found]


def assert_learns_rows(encodings: Encodings, x: PartsInput, target: Tensor, **options: Any) -> None:
    network = build_network(
        "many-to-one", encodings, Classification(2), hidden_size=12, context_size=16, **options
    )
    lengths = x.lengths[0]
    assert learned(network, target, lengths, x) < 0.05
    assert answers(network, x, lengths) == target.tolist()


@every_cell
@pytest.mark.parametrize("context", ["state", "each", "pooled"])
def test_a_class_of_a_text_a_number_and_a_category(cell: str, context: str) -> None:
    encodings = Encodings((WORDS,), (RECORD,), (0,))
    x = batch(1, of_bits(0, text), records())
    head = {"head": [16]} if context == "pooled" else {}  # else text and record meet too late
    assert_learns_rows(encodings, x, ODD, cell=cell, context=context, **head)


@every_cell
@pytest.mark.parametrize("pooling", ["last", "max"])
def test_whether_two_texts_agree(cell: str, pooling: str) -> None:
    encodings = Encodings((WORDS, WORDS), (), (0, 0))
    x = batch(2, of_bits(0, text), of_bits(1, text))
    network = build_network(
        "many-to-one", encodings, Classification(2), cell=cell, hidden_size=12, pooling=pooling
    )
    target = BITS[:, 0] ^ BITS[:, 1]
    assert learned(network, target, x.lengths[0], x) < 0.05
    assert answers(network, x, x.lengths[0]) == target.tolist()


def test_labels_of_a_pair_and_a_record() -> None:
    encodings = Encodings((WORDS, WORDS), (RECORD,), (0, 0))
    x = batch(2, of_bits(0, text), of_bits(1, text), records())
    target = torch.stack([BITS[:, 0] ^ BITS[:, 1], BITS[:, 2], ODD], 1).float()
    network = build_network(
        "many-to-one", encodings, Labelling(3), hidden_size=12, share_encoders=False, head=[16]
    )
    assert learned(network, target, x.lengths[0], x) < 0.05
    assert answers(network, x, x.lengths[0]) == target.tolist()


def test_a_number_of_two_sensors_and_labels() -> None:
    encodings = Encodings((SENSOR, SENSOR), (LABELS,), (0, 0))
    sensors = [of_bits(n, sensor) for n in (0, 1)]
    x = batch(2, *sensors, of_bits(2, labels))
    network = build_network("many-to-one", encodings, Regression(1), hidden_size=12)
    target = ODD.float().unsqueeze(1)
    assert learned(network, target, x.lengths[0], x, steps=300) < 0.02
    found = torch.tensor(answers(network, x, x.lengths[0]))
    torch.testing.assert_close(found, target, atol=0.3, rtol=0)


def test_a_class_of_a_text_a_sensor_and_a_picture() -> None:
    encodings = Encodings((WORDS, SENSOR), (PICTURE,), (0, 1))
    x = batch(2, of_bits(0, text), of_bits(1, sensor), of_bits(2, picture))
    assert_learns_rows(
        encodings, x, ODD, bidirectional=True, picture_size=16, head=[16], activation="tanh"
    )


def tagged(rows: list[Tensor]) -> Tensor:
    return torch.nn.utils.rnn.pad_sequence(rows)


STEPS = torch.tensor(LENGTHS)
TOKENS = [torch.tensor([1, 4, 7, 2, 3][:steps]) for steps in LENGTHS]
"""Ids, which are even or odd; there are two such rows."""


@every_cell
@pytest.mark.parametrize("objective", [Tagging, CRF])
def test_tags_of_tokens_and_their_parts_of_speech(cell: str, objective: Any) -> None:
    tags = [torch.randint(1, 3, (n,)) for n in LENGTHS]
    x = tagged([torch.stack(pair, 1) for pair in zip(TOKENS, tags, strict=True)])
    target = tagged([(a + b) % 2 for a, b in zip(TOKENS, tags, strict=True)])
    network = build_network(
        "many-to-many", Encoding(ids=(9, 3)), objective(2), cell=cell, hidden_size=12
    )
    assert learned(network, target, STEPS, x) < 0.1
    assert_tags(network, x, target)


def assert_tags(network: Any, x: Any, target: Tensor) -> None:
    expected = [target[:n, row].tolist() for row, n in enumerate(LENGTHS)]
    assert answers(network, x, STEPS) == expected


@pytest.mark.parametrize(
    ("cell", "objective"), [*product(CELLS, [Tagging]), ("gru", CRF)], ids=repr
)
@pytest.mark.parametrize("context", ["state", "each"])
def test_tags_of_tokens_and_a_genre(cell: str, context: str, objective: Any) -> None:
    x = batch(1, TOKENS, records())
    genre = BITS[:, 1] ^ BITS[:, 2]
    target = tagged([(ids + bit) % 2 for ids, bit in zip(TOKENS, genre, strict=True)])
    encodings = Encodings((WORDS,), (RECORD,), (0,))
    options = {"context": context, "context_size": 16, "bidirectional": True}
    network = build_network(
        "many-to-many", encodings, objective(2), cell=cell, hidden_size=12, **options
    )
    assert learned(network, target, STEPS, x, steps=250) < 0.1
    assert_tags(network, x, target)


def test_tags_of_tokens_and_the_title_of_their_text() -> None:
    x = batch(2, TOKENS, of_bits(0, text))
    target = tagged([(ids + bit) % 2 for ids, bit in zip(TOKENS, BITS[:, 0], strict=True)])
    encodings = Encodings((WORDS, WORDS), (), (0, 1))
    network = build_network("many-to-many", encodings, Tagging(2), hidden_size=12)
    assert learned(network, target, STEPS, x, steps=250) < 0.1
    assert_tags(network, x, target)


def test_numbers_a_step_of_a_sensor_and_a_record() -> None:
    sensors = of_bits(0, sensor)
    x = batch(1, sensors, records())
    signs = (BITS[:, 1] ^ BITS[:, 2]) * 2.0 - 1
    target = tagged([values * sign / 3 for values, sign in zip(sensors, signs, strict=True)])
    encodings = Encodings((SENSOR,), (RECORD,), (0,))
    network = build_network("many-to-many", encodings, StepRegression(1), hidden_size=24)
    assert learned(network, target, x.lengths[0], x, steps=400) < 0.03


def written(network: Any, x: PartsInput, lengths: Tensor, steps: int) -> list[list[int]]:
    """Write greedily, up to the boundary."""
    with torch.no_grad():
        state, ids = network.begin(x, lengths), torch.full((B,), network.objective.boundary)
        symbols = []
        for _ in range(steps):
            scores, state = network.step(ids, state)
            ids = scores.argmax(-1)
            symbols.append(ids)
    rows = torch.stack(symbols, 1).tolist()
    return [row[: row.index(network.objective.boundary)] for row in rows]


def padded(rows: list[list[int]]) -> Tensor:
    return torch.nn.utils.rnn.pad_sequence([torch.tensor(row) for row in rows], padding_value=-1)


@pytest.mark.sampled(3)
@pytest.mark.parametrize(
    ("cell", "decoder"), [*product(CELLS, [{}]), ("gru", {"attention": "general"})], ids=repr
)
@pytest.mark.parametrize("context", ["state", "each"])
def test_a_source_is_written_in_one_of_two_styles(
    cell: str, context: str, decoder: dict[str, Any]
) -> None:
    style = BITS[:, 1] ^ BITS[:, 2]
    rows = [
        ids.tolist() if bit else ids.flip(0).tolist()[:2]
        for ids, bit in zip(TOKENS, style, strict=True)
    ]
    encodings = Encodings((WORDS,), (RECORD,), (0,))
    network = build_network(
        "encoder-decoder",
        encodings,
        ConditionalLanguageModel(9),
        cell=cell,
        hidden_size=24,
        context=context,
        decoder=decoder,
    )
    x = batch(1, TOKENS, records())
    assert learned(network, padded(rows), STEPS, x, steps=250) < 0.1
    assert written(network, x, STEPS, 7) == rows


@pytest.mark.sampled(3)
@pytest.mark.parametrize("conditioning", CONDITIONINGS)
def test_symbols_are_written_from_a_record_labels_and_a_picture(conditioning: str) -> None:
    encodings = Encodings((), (RECORD, LABELS, PICTURE))
    x = batch(0, [record(int(b), 0) for b in BITS[:, 0]], of_bits(1, labels), of_bits(2, picture))
    rows = [[3, 1] if odd else [2, 2, int(a)] for odd, a in zip(ODD, BITS[:, 0], strict=True)]
    network = build_network(
        "one-to-many",
        encodings,
        ConditionalLanguageModel(4),
        cell="lstm",
        hidden_size=24,
        picture_size=16,
        decoder={"conditioning": conditioning},
    )
    ones = torch.ones(B, dtype=torch.int64)
    assert learned(network, padded(rows), ones, x, steps=300) < 0.05
    assert written(network, x, ones, 6) == rows


def test_a_class_of_a_picture_a_record_and_labels() -> None:
    encodings = Encodings((), (PICTURE, RECORD, LABELS))
    x = batch(0, of_bits(0, picture), [record(int(b), 0) for b in BITS[:, 1]], of_bits(2, labels))
    network = build_network("one-to-one", encodings, Classification(2), head=[24], picture_size=8)
    ones = torch.ones(B, dtype=torch.int64)
    assert learned(network, ODD, ones, x) < 0.05
    assert answers(network, x, ones) == ODD.tolist()
