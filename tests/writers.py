"""Toy networks that write, and a beam search in plain Python over lists."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import torch
from torch import Tensor

from elman.networks.decoding import DecodingOptions


class Seen(NamedTuple):
    """What a toy writer remembers: a number that depends on all it has read, (1, N)."""

    number: Tensor


class TableWriter:
    """A network whose scores stand in a table, in a row that all symbols read so far decide.

    Args:
        size: V, the symbols; the last one is the end.
        seed: of the table.
        sharpness: by which the scores are multiplied.
    """

    def __init__(self, size: int, seed: int = 1, *, sharpness: float = 1.0) -> None:
        generator = torch.Generator().manual_seed(seed)
        self.size, self.end = size, size - 1
        self.table = sharpness * torch.randn(211, size, generator=generator, dtype=torch.float64)
        self.calls: list[int] = []

    def begin(self, *rows: int) -> tuple[Seen, Tensor]:
        """Return a state and the end, one a row; rows that differ write something else."""
        return Seen(torch.tensor([rows])), torch.full((len(rows),), self.end)

    def step(self, ids: Tensor, state: Seen) -> tuple[Tensor, Seen]:
        """Go on by one symbol a row."""
        self.calls.append(len(ids))
        number = (state.number * 31 + ids + 1) % len(self.table)
        return self.table[number[0]], Seen(number)

    def log_p(self, row: int, ids: tuple[int, ...]) -> list[float]:
        """Return the log-probability of every symbol after some, computed anew."""
        number = row
        for symbol in (self.end, *ids):
            number = (number * 31 + symbol + 1) % len(self.table)
        scores = self.table[number].tolist()
        normaliser = math.log(sum(math.exp(score) for score in scores))
        return [score - normaliser for score in scores]


class Found(NamedTuple):
    """A hypothesis of the search in plain Python."""

    ids: tuple[int, ...]
    log_probability: float
    finished: bool

    def score(self, length_penalty: float) -> float:
        """log p over the number of symbols, the end included, to the power of α."""
        symbols = len(self.ids) + self.finished
        return self.log_probability / max(symbols, 1) ** length_penalty


def may_follow(
    ids: tuple[int, ...], symbol: int, end: int, options: DecodingOptions, prefix: tuple[int, ...]
) -> bool:
    """Tell whether the options let a symbol follow."""
    if len(ids) < len(prefix):
        return symbol == prefix[len(ids)]
    if symbol == end:
        return len(ids) >= options.min_length
    size = options.no_repeat_ngram_size
    longer = (*ids, symbol)
    ngrams = [longer[i : i + size] for i in range(len(longer) - size + 1)]
    repeated = size > 0 and len(longer) >= size and longer[-size:] in ngrams[:-1]
    return symbol not in options.banned_ids and not repeated


def plain_beam_search(
    writer: TableWriter, row: int, options: DecodingOptions, prefix: tuple[int, ...] = ()
) -> list[Found]:
    """Search one row with lists, to the bitter end: nothing stops it but the places.

    Returns:
        All hypotheses, best first.
    """
    places, live, done = options.beam_size, [Found((), 0.0, finished=False)], []
    for length in range(options.max_length + 1):
        continued = []
        for hypothesis in list(live):
            log_p = writer.log_p(row, hypothesis.ids)
            allowed = [
                symbol
                for symbol in range(writer.size)
                if may_follow(hypothesis.ids, symbol, writer.end, options, prefix)
            ]
            if not allowed:
                done.append(hypothesis)
                live.remove(hypothesis)
                places -= 1
            continued += [(hypothesis, y, hypothesis.log_probability + log_p[y]) for y in allowed]
        continued.sort(key=lambda candidate: -candidate[2])
        best = continued[:places]
        ended = [Found(h.ids, total, finished=True) for h, y, total in best if y == writer.end]
        done += ended
        places -= len(ended)
        if length == options.max_length:
            done += [h for h in live if h.ids not in {found.ids for found in ended}]
            break
        live = [
            Found((*h.ids, y), total, finished=False) for h, y, total in best if y != writer.end
        ]
    return sorted(done, key=lambda h: (not h.finished, -h.score(options.length_penalty)))


class GRUWriter(torch.nn.Module):
    """A small recurrent network that writes, in float64."""

    def __init__(self, size: int, hidden_size: int = 11, seed: int = 1) -> None:
        super().__init__()
        with torch.random.fork_rng():
            torch.manual_seed(seed)
            self.embedding = torch.nn.Embedding(size, 5)
            self.cell = torch.nn.GRUCell(5, hidden_size)
            self.head = torch.nn.Linear(hidden_size, size)
        self.double()
        self.end = size - 1
        with torch.no_grad():
            self.head.weight.mul_(6)

    def begin(self, rows: int, seed: int = 3) -> tuple[Any, Tensor]:
        """Return a random state (1, B, H), with None beside it, and the end for every row."""
        generator = torch.Generator().manual_seed(seed)
        h = torch.randn(1, rows, self.cell.hidden_size, generator=generator, dtype=torch.float64)
        return [h, None], torch.full((rows,), self.end)

    def step(self, ids: Tensor, state: Any) -> tuple[Tensor, Any]:
        """Go on by one symbol a row."""
        h = self.cell(self.embedding(ids), state[0][0])
        return self.head(h), [h[None], None]

    @torch.no_grad()
    def forced_log_probability(self, state: Any, ids: list[int]) -> float:
        """Sum the log-probability of symbols that are given, one row."""
        total = 0.0
        for last, symbol in zip([self.end, *ids], ids, strict=False):
            logits, state = self.step(torch.tensor([last]), state)
            total += float(logits[0].log_softmax(-1)[symbol])
        return total
