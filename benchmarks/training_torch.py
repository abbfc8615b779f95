"""The models of the page `training` in plain PyTorch, as an experienced user writes them.

Ragged rows come from a DataLoader that shuffles and pads, and are packed; a stream is cut as in
PyTorch's own language model; windows are slices of one series. Nothing here is Elman's.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from typing import Any, ClassVar, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils.rnn import (
    PackedSequence,
    pack_padded_sequence,
    pad_packed_sequence,
    pad_sequence,
)
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn
from torch.utils.data import DataLoader


class Drawn(NamedTuple):
    """A batch: x (T, B, …), y, lengths (B,) on the CPU."""

    x: Tensor
    y: Tensor
    lengths: Tensor


class Model(nn.Module):
    """A model whose parameters have names that Elman's can be copied to."""

    names: ClassVar[Mapping[str, str]] = {}
    """Beginning of a name here → that of Elman's."""
    weight_noise = 0.0
    packs = True
    """Whether ragged rows are packed; else padding is read."""

    def loss(self, drawn: Drawn) -> Tensor:
        """Return the mean loss of a batch."""
        raise NotImplementedError

    def take(self, weights: Mapping[str, Tensor]) -> None:
        """Copy the weights of Elman's network."""
        with torch.no_grad():
            for name, own in self.named_parameters():
                part = max((each for each in self.names if name.startswith(each)), key=len)
                own.copy_(weights[self.names[part] + name[len(part) :]])


def locked(x: Tensor, p: float, training: bool) -> Tensor:
    """Drop units of (T, B, H), the same at all steps."""
    if not (training and p):
        return x
    return x * x.new_empty(1, *x.shape[1:]).bernoulli_(1 - p).div_(1 - p)


class Texts(Model):
    """Words, and their characters where there are any, to a class: IMDb and TREC."""

    names: ClassVar[Mapping[str, str]] = {
        "words.": "inputs.embeddings.0.",
        "characters.": "inputs.characters.embedding.",
        "spelling.": "inputs.characters.recurrent.",
        "lstm.": "recurrent.",
        "head.": "head.layers.0.",
    }

    def __init__(
        self, words: int, size: int, classes: int, *, word_dropout: float, characters: int = 0
    ) -> None:
        super().__init__()
        self.words = nn.Embedding(words, size)
        self.word_dropout = word_dropout
        self.characters: nn.Embedding | None = None
        if characters:
            self.characters = nn.Embedding(characters, 25)
            self.spelling = nn.GRU(25, 50, bidirectional=True)
        self.lstm = nn.LSTM(size + 100 * bool(characters), 128, bidirectional=True)
        self.head = nn.Linear(256, classes)

    def loss(self, drawn: Drawn) -> Tensor:
        """Return the mean loss of a batch."""
        return F.cross_entropy(self(drawn.x, drawn.lengths), drawn.y)

    def forward(self, x: Tensor, lengths: Tensor) -> Tensor:
        """Return the logits of every class."""
        ids = x if self.characters is None else x[..., 0]
        if self.training:
            ids = ids.masked_fill(torch.rand(ids.shape) < self.word_dropout, 0)
        vectors = self.words(ids)
        if self.characters is not None:
            vectors = torch.cat([vectors, self._spelt(self.characters, x[..., 1:])], -1)
        vectors = locked(vectors, 0.5, self.training)
        if self.packs:
            packed = pack_padded_sequence(vectors, lengths, enforce_sorted=False)
            hidden, _ = pad_packed_sequence(self.lstm(packed)[0], padding_value=-torch.inf)
        else:
            real = torch.arange(len(x)).unsqueeze(1) < lengths
            hidden = self.lstm(vectors)[0].masked_fill(~real.unsqueeze(-1), -torch.inf)
        logits: Tensor = self.head(F.dropout(hidden.amax(0), 0.5, self.training))
        return logits

    def _spelt(self, table: nn.Embedding, characters: Tensor) -> Tensor:
        """Read the characters of every word, (T, B, 20), to (T, B, 100); padding to zeros."""
        lengths = (characters != 0).sum(-1)
        real = lengths > 0
        letters = table(characters[real].t())
        packed = pack_padded_sequence(letters, lengths[real], enforce_sorted=False)
        _, ends = self.spelling(packed)
        vectors = letters.new_zeros(*real.shape, 100)
        vectors[real] = ends.transpose(0, 1).flatten(1)
        return vectors


class Words(Model):
    """The next word of the Penn Treebank: Merity et al.'s model with one table of words."""

    names: ClassVar[Mapping[str, str]] = {
        "words.": "inputs.embeddings.0.",
        "first.": "recurrent.",
        "second.": "second.",
        "bias": "head.bias",
    }
    state: Any = None

    def __init__(self, words: int) -> None:
        super().__init__()
        self.words = nn.Embedding(words, 200)
        self.first = nn.LSTM(200, 400)
        self.second = nn.LSTM(400, 200)
        self.bias = nn.Parameter(torch.zeros(words))

    def take(self, weights: Mapping[str, Tensor]) -> None:
        """Copy the weights of Elman's network, whose two layers are one stack."""
        renamed = {
            name.replace("recurrent.", "second.").replace("_l1", "_l0"): value
            for name, value in weights.items()
            if name.endswith("_l1")
        }
        super().take({**weights, **renamed})

    def loss(self, drawn: Drawn) -> Tensor:
        """Return the mean loss of a batch."""
        x = self._embedded(drawn.x)
        carried = self.state or (None, None)
        hidden, first = self._dropped(self.first, locked(x, 0.3, self.training), carried[0])
        hidden, second = self._dropped(self.second, locked(hidden, 0.2, self.training), carried[1])
        self.state = [tuple(each.detach() for each in state) for state in (first, second)]
        logits = F.linear(locked(hidden, 0.3, self.training), self.words.weight, self.bias)
        loss = F.cross_entropy(logits.flatten(0, 1), drawn.y.flatten())
        self.reported = loss.detach()
        if not self.training:
            return loss
        change = hidden[1:] - hidden[:-1]
        return loss + 2.0 * hidden.square().mean() + change.square().mean()

    def _embedded(self, ids: Tensor) -> Tensor:
        vectors: Tensor = self.words(ids)
        if self.training:
            kept = vectors.new_empty(len(self.words.weight), 1).bernoulli_(0.95) / 0.95
            vectors = vectors * kept[ids]
        return vectors

    def _dropped(self, lstm: nn.LSTM, x: Tensor, state: Any) -> tuple[Tensor, Any]:
        """Run a layer with weights of R dropped."""
        if not self.training:
            return lstm(x, state)  # type: ignore[no-any-return]
        own: list[Any] = lstm._flat_weights
        place = lstm._flat_weights_names.index("weight_hh_l0")
        lstm._flat_weights = [*own[:place], F.dropout(own[place], 0.2), *own[place + 1 :]]
        result = lstm(x, state)
        lstm._flat_weights = own
        return result  # type: ignore[no-any-return]


class Chorales(Model):
    """The next frame of 88 keys; dense layer and loss read the packed steps alone."""

    names: ClassVar[Mapping[str, str]] = {"gru.": "recurrent.", "head.": "head.layers.0."}
    weight_noise = 0.075

    def __init__(self, size: int) -> None:
        super().__init__()
        self.gru = nn.GRU(88, size)
        self.head = nn.Linear(size, 88)

    def loss(self, drawn: Drawn) -> Tensor:
        """Return the mean loss of a batch."""
        if not self.packs:
            real = torch.arange(len(drawn.x)).unsqueeze(1) < drawn.lengths
            logits = self.head(self.gru(drawn.x)[0][real])
            wanted = drawn.y[real]
            total = F.binary_cross_entropy_with_logits(logits, wanted, reduction="sum")
            return total / len(logits)
        x: PackedSequence = pack_padded_sequence(drawn.x, drawn.lengths, enforce_sorted=False)
        y = pack_padded_sequence(drawn.y, drawn.lengths, enforce_sorted=False)
        logits = self.head(self.gru(x)[0].data)
        total = F.binary_cross_entropy_with_logits(logits, y.data, reduction="sum")
        return total / len(logits)


class Windows(Model):
    """Seven series, 168 hours read and 24 forecast in one pass, beside a linear forecast."""

    names: ClassVar[Mapping[str, str]] = {
        "gru.": "recurrent.",
        "head.": "head.layers.0.",
        "linear.": "highway.",
    }
    past = 168

    def __init__(self) -> None:
        super().__init__()
        self.gru = nn.GRU(17, 64)
        self.head = nn.Linear(64, 7)
        self.linear = nn.Linear(self.past, 24, bias=False)

    def loss(self, drawn: Drawn) -> Tensor:
        """Return the mean loss of a batch."""
        values, known = drawn.x[: self.past, :, :7], drawn.x[:, :, 7:]
        mean = values.mean(0)
        deviation = values.std(0, correction=0)
        z = (values - mean) / deviation
        steps = len(drawn.x)
        read = F.pad(torch.cat([z, torch.ones_like(z)], -1), (0, 0, 0, 0, 1, steps - self.past - 1))
        hidden, _ = self.gru(torch.cat([read, known], -1))
        drawn_ahead = F.dropout(hidden[self.past :], 0.2, self.training)
        linear = self.linear(z.movedim(0, -1)).movedim(-1, 0)
        ahead = self.head(drawn_ahead) + linear
        return F.l1_loss(ahead, (drawn.y - mean) / deviation)


Rows = list[tuple[Tensor, Tensor]]


def collate(rows: Rows) -> Drawn:
    """Pad rows (T, …); targets that are ids of classes are stacked."""
    x, y = zip(*rows, strict=True)
    target = torch.stack(y) if y[0].dim() == 0 else pad_sequence(list(y))
    return Drawn(pad_sequence(list(x)), target, torch.tensor([len(each) for each in x]))


def ragged(rows: Rows, batch_size: int, *, shuffle: bool) -> Callable[[], Iterator[Drawn]]:
    """Draw ragged rows."""
    loader = DataLoader(rows, batch_size, shuffle=shuffle, collate_fn=collate)
    return lambda: iter(loader)


def stream(ids: Tensor, batch_size: int, steps: int) -> Callable[[], Iterator[Drawn]]:
    """Cut a stream into rows, and these into chunks."""
    count = len(ids) // batch_size
    columns = ids[: count * batch_size].view(batch_size, count).t().contiguous()

    def chunks() -> Iterator[Drawn]:
        for start in range(0, count - 1, steps):
            end = min(start + steps, count - 1)
            lengths = torch.full((batch_size,), end - start)
            yield Drawn(columns[start:end], columns[start + 1 : end + 1], lengths)

    return chunks


def windows(
    series: Tensor, first: int, batch_size: int, *, shuffle: bool
) -> Callable[[], Iterator[Drawn]]:
    """Draw windows of a series whose horizon begins at `first` or later."""
    origins = range(first, len(series) - 24 + 1)

    def cut(each: list[int]) -> Drawn:
        x = torch.stack([series[t - Windows.past : t + 24] for t in each], 1)
        return Drawn(x, x[Windows.past :, :, :7], torch.full((len(each),), len(x)))

    loader = DataLoader(origins, batch_size, shuffle=shuffle, collate_fn=cut)  # type: ignore[arg-type]
    return lambda: iter(loader)


class Plain:
    """A training loop: AdamW, a cosine, clipping, and an average of the weights where asked.

    Args:
        model: with its weights.
        settings: those of Elman's recipe.
        batches: gives an epoch.
        updates: number of updates that the cosine takes.
    """

    def __init__(
        self, model: Model, settings: Any, batches: Callable[[], Iterator[Drawn]], updates: int
    ) -> None:
        self.model, self.clip, self.batches = model, settings.clip_norm, batches
        matrices = [each for each in model.parameters() if each.dim() > 1]
        others = [each for each in model.parameters() if each.dim() <= 1]
        groups = [{"params": matrices}, {"params": others, "weight_decay": 0.0}]
        self.optimizer = torch.optim.AdamW(
            groups, settings.learning_rate, weight_decay=settings.weight_decay, fused=True
        )
        warm_up = updates * settings.warmup_epochs / settings.epochs

        def rate(update: int) -> float:
            rising = min(1.0, (update + 1) / warm_up) if warm_up else 1.0
            return rising * (1 + math.cos(math.pi * (update + 1) / updates)) / 2

        self.schedule = torch.optim.lr_scheduler.LambdaLR(self.optimizer, rate)
        self.average: AveragedModel | None = None
        if settings.average_decay:
            average = get_ema_multi_avg_fn(settings.average_decay)
            self.average = AveragedModel(model, multi_avg_fn=average)
        self.matrices = matrices
        self.epoch = iter(())

    def step(self) -> tuple[Drawn, Tensor]:
        """Draw a batch and update the weights by it; give both the batch and its loss."""
        drawn = next(self.epoch, None)
        if drawn is None:
            self.epoch = self.batches()
            drawn = next(self.epoch)
            if isinstance(self.model, Words):
                self.model.state = None
        self.model.train()
        self.optimizer.zero_grad()
        noise = self._noised() if self.model.weight_noise else []
        loss = self.model.loss(drawn)
        loss.backward()
        for weight, clean in noise:
            weight.data.copy_(clean)
        nn.utils.clip_grad_norm_(self.model.parameters(), self.clip)
        self.optimizer.step()
        self.schedule.step()
        if self.average is not None:
            self.average.update_parameters(self.model)
        return drawn, getattr(self.model, "reported", loss.detach())

    def _noised(self) -> list[tuple[Tensor, Tensor]]:
        """Add noise to the matrices; return them with what they were."""
        kept = [(weight, weight.detach().clone()) for weight in self.matrices]
        with torch.no_grad():
            for weight in self.matrices:
                weight.add_(torch.randn_like(weight), alpha=self.model.weight_noise)
        return kept


@torch.inference_mode()
def evaluated(model: Model, batches: Iterator[Drawn]) -> float:
    """Return the mean loss of batches, weighted by rows."""
    model.eval()
    if isinstance(model, Words):
        model.state = None
    total, rows = 0.0, 0
    for drawn in batches:
        total += model.loss(drawn).item() * len(drawn.lengths)
        rows += len(drawn.lengths)
    return total / rows
