"""The sets of the page `training`, read and encoded for the models in plain PyTorch."""

from __future__ import annotations

import re
import time
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from bursts import Refusal
from elman.batches.batching import Batch
from elman.data import catalog
from training_torch import (
    Chorales,
    Drawn,
    Model,
    Rows,
    Texts,
    Windows,
    Words,
    ragged,
    stream,
    windows,
)

if TYPE_CHECKING:
    from training_elman import Elman

RECIPES = {
    "imdb": "sentiment",
    "trec": "questions",
    "ptb": "words",
    "jsb": "chorales",
    "ett": "ett-24",
}
"""Set → recipe."""
RAGGED = ("imdb", "trec", "jsb")
"""Sets whose rows are of different lengths, and packed."""
WORD = re.compile(r"\d+(?:[.,]\d+)+|\w+(?:'\w+)*|\S")
LETTERS = 20
ALIKE = 0.01
"""Share of words that vocabularies may differ in: Elman splits some scripts otherwise."""


class Scale(NamedTuple):
    """How long to measure.

    Args:
        rounds: bursts of each contender, after one that does not count.
        seconds: length of a burst.
        validations: how often the validation rows are evaluated.
    """

    rounds: int
    seconds: float
    validations: int = 3


PACES = {"imdb": Scale(rounds=3, seconds=2.0), "jsb": Scale(rounds=5, seconds=0.8)}
"""Sets whose updates take seconds, or whose recipe is soon over."""


class Burst(NamedTuple):
    """Updates of one contender in a row."""

    seconds: float
    updates: int
    steps: int

    @property
    def seconds_a_step(self) -> float:
        """Seconds for one real time step of one row."""
        return self.seconds / self.steps


class Mine(NamedTuple):
    """A model in plain PyTorch and its data."""

    model: Model
    training: Callable[[], Iterator[Drawn]]
    validation: Callable[[], Iterator[Drawn]]
    rows: Rows
    """The training rows, where they are ragged."""
    seconds: float
    """Of reading and encoding."""
    drawn: Callable[[Batch], Drawn] = lambda batch: Drawn(batch.input, batch.target, batch.lengths)
    """The batch that is Elman's."""


def text(elman: Elman) -> Mine:
    """Read IMDb or TREC: a regular expression, a Counter, dictionaries."""
    begun = time.perf_counter()
    options = elman.experiment.data.input_options
    longest, spelt = options.get("max_length"), bool(options.get("characters"))
    catalog.tables(elman.experiment.data.name or "")["train"]
    table = elman.parts.train
    words = [_words(each, longest) for each in table.column("text")]
    counts = Counter(word.lower() for each in words for word in each)
    # Words beyond the cut count, too.
    if longest:
        counts = Counter(w.lower() for each in table.column("text") for w in _words(each, None))
    known = sorted((w for w in counts if counts[w] > 1), key=lambda w: (-counts[w], w))[:30_000]
    ids = {word: place for place, word in enumerate(known, 1)}
    letters = _letters(counts_of(table.column("text"))) if spelt else {}
    classes = {name: place for place, name in enumerate(sorted(set(table.column("label"))))}

    def rows(texts: Sequence[list[str]], labels: Any) -> Rows:
        inputs = [_encoded(each, ids, letters) for each in texts]
        return [(x, torch.tensor(classes[y])) for x, y in zip(inputs, labels, strict=True)]

    training = rows(words, table.column("label"))
    seconds = time.perf_counter() - begun
    few = [_words(each, longest) for each in elman.few.column("text")]
    validation = rows(few, elman.few.column("label"))
    names = elman.task.input.vocabulary.names
    if len(known) != len(names) or len(set(known).symmetric_difference(names)) > ALIKE * len(names):
        raise Refusal("the vocabularies differ; nothing is timed.")
    network = elman.experiment.network
    model = Texts(
        len(known) + 1,
        network.embedding_size,
        len(classes),
        word_dropout=network.word_dropout,
        characters=len(letters) + 2 if spelt else 0,
    )
    size = elman.settings.batch_size
    return Mine(
        model,
        ragged(training, size, shuffle=True),
        ragged(validation, size, shuffle=False),
        training,
        seconds,
    )


def _words(each: str, longest: int | None) -> list[str]:
    each = unicodedata.normalize("NFC", re.sub(r"<br\s*/?>", " ", each, flags=re.IGNORECASE))
    words = WORD.findall(each)
    return words if longest is None else words[-longest:]


def counts_of(texts: Any) -> Counter[str]:
    """Count the characters of all words."""
    return Counter(letter for each in texts for word in _words(each, None) for letter in word)


def _letters(counts: Counter[str]) -> dict[str, int]:
    kept = sorted((c for c in counts if counts[c] > 1), key=lambda c: (-counts[c], c))
    return {letter: place for place, letter in enumerate(kept, 2)}


def _encoded(words: list[str], ids: dict[str, int], letters: dict[str, int]) -> Tensor:
    """Encode words as ids, (T,), or with the letters of each, (T, 21)."""
    encoded = torch.tensor([ids.get(word.lower(), 0) for word in words], dtype=torch.int64)
    if not letters:
        return encoded
    spelt = torch.zeros(len(words), LETTERS, dtype=torch.int64)
    half = LETTERS // 2
    for row, word in enumerate(words):
        short = word if len(word) <= LETTERS else word[:half] + word[-half:]
        spelt[row, : len(short)] = torch.tensor([letters.get(each, 1) for each in short])
    return torch.cat([encoded.unsqueeze(1), spelt], 1)


def words(elman: Elman) -> Mine:
    """Read the Penn Treebank as one stream."""
    begun = time.perf_counter()
    table = catalog.tables("ptb")["train"]
    tokens = [word for line in table.column("tokens") for word in line]
    counts = Counter(tokens)
    ids = {w: n for n, w in enumerate(sorted(counts, key=lambda w: (-counts[w], w)), 1)}
    training = torch.tensor([ids[word] for word in tokens])
    seconds = time.perf_counter() - begun
    few = [ids.get(word, 0) for line in elman.few.column("tokens") for word in line]
    settings = elman.settings
    return Mine(
        Words(len(ids) + 1),
        stream(training, settings.batch_size, settings.chunk_length),
        stream(torch.tensor(few), 10, 200),
        [],
        seconds,
    )


def chorales(elman: Elman) -> Mine:
    """Read the chorales; each frame is predicted from the ones before it."""
    begun = time.perf_counter()
    training = _frames(catalog.tables("chorales")["train"].column("roll"))
    seconds = time.perf_counter() - begun
    size = elman.settings.batch_size
    return Mine(
        Chorales(elman.network.recurrent.hidden_size),
        ragged(training, size, shuffle=True),
        ragged(_frames(elman.few.column("roll")), size, shuffle=False),
        training,
        seconds,
    )


def _frames(rolls: Any) -> Rows:
    tensors = [torch.from_numpy(np.asarray(roll, np.float32)) for roll in rolls]
    return [(torch.cat([y.new_zeros(1, 88), y[:-1]]), y) for y in tensors]


def ett(elman: Elman) -> Mine:
    """Read the seven series; the calendar is three numbers from −½ to ½."""
    begun = time.perf_counter()
    tables = catalog.tables("etth1")
    names = [name for name in tables["train"].columns if name != "time"]
    both = [_series(tables[part], names) for part in ("train", "valid")]
    training, whole = both[0], torch.cat(both)
    seconds = time.perf_counter() - begun
    size = elman.settings.batch_size
    return Mine(
        Windows(),
        windows(training, Windows.past, size, shuffle=True),
        windows(whole, len(training), size, shuffle=False),
        [],
        seconds,
    )


def _series(table: Any, names: list[str]) -> Tensor:
    times = np.asarray(list(table.column("time")), "datetime64[us]")
    days = times.astype("datetime64[D]")
    hour = (times - days) // np.timedelta64(1, "h") / 23
    weekday = (days.astype(np.int64) + 3) % 7 / 6
    month = (days - times.astype("datetime64[M]")).astype("timedelta64[D]").astype(int) / 30
    values = [np.asarray(list(table.column(name)), float) for name in names]
    calendar = [each - 0.5 for each in (hour, weekday, month)]
    return torch.from_numpy(np.stack([*values, *calendar], 1).astype(np.float32))


SETS: dict[str, Callable[[Any], Mine]] = {
    "imdb": text,
    "trec": text,
    "ptb": words,
    "jsb": chorales,
    "ett": ett,
}
