"""The input layer of a network: from encoded columns to vectors."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

import torch
from torch import Tensor, nn

from elman.errors import OptionError, ShapeError
from elman.features.feature import Encoding
from elman.layers.dropout import LockedDropout
from elman.layers.options import checked_probability
from elman.layers.state import described
from elman.networks.characters import CharacterEncoder
from elman.networks.convolution import ConvolutionalEncoder
from elman.networks.embedding import default_embedding_size, embed, embedding
from elman.networks.subwords import SubwordEmbedding
from elman.sequence.ragged import checked_lengths, real_steps


class Inputs(nn.Module):
    """Turns encoded values into vectors, concatenated in the order of their columns.

        numbers       unchanged
        an id         its row of an embedding, one embedding per column
        characters    the output of a small recurrent network, see `CharacterEncoder`
        code points   the mean vector of their n-grams, see `SubwordEmbedding`: added to the row of
                      the word's id, or in place of it for id 0, the unknown word
        an image      the output of a small convolutional network, see `ConvolutionalEncoder`

    Attributes:
        encoding: what a value consists of.
        size: size of a vector.

    >>> import torch
    >>> from elman.features.feature import Encoding
    >>> Inputs(Encoding(numbers=2, ids=(30, 7)), embedding_size=5)(torch.zeros(9, 3, 4)).shape
    torch.Size([9, 3, 12])
    """

    def __init__(
        self,
        encoding: Encoding,
        *,
        embedding_size: int | Sequence[int | None] | None = None,
        character_size: int = 25,
        character_hidden_size: int = 50,
        picture_size: int = 128,
        embedding_dropout: float = 0.0,
        word_dropout: float = 0.0,
        input_dropout: float = 0.0,
        device: torch.device | str | None = None,
    ) -> None:
        """Create the embeddings and encoders that the encoding needs.

        Args:
            encoding: what a value, or one step of it, consists of.
            embedding_size: size of an id's vector, or one for each column of ids; None for the
                default of its vocabulary, see `default_embedding_size`.
            character_size: size of a character's vector.
            character_hidden_size: hidden size of each direction of the network that reads a
                word's characters.
            picture_size: size of an image's vector.
            embedding_dropout: probability that an id's vector is zero throughout a batch.
            word_dropout: probability, at every step, that an id is replaced by 0, the unknown one;
                a word's characters stay.
            input_dropout: dropout of the vectors in training, one mask a sequence.
            device: device of the parameters.

        Raises:
            OptionError: a value is out of range, the encoding is empty, or an option acts on ids
                and there are none.
        """
        super().__init__()
        self.encoding = encoding
        self.embedding_dropout = checked_probability("embedding_dropout", embedding_dropout)
        self.word_dropout = checked_probability("word_dropout", word_dropout)
        self._check(encoding)
        given = embedding_size
        each = given if isinstance(given, Sequence) else [given] * len(encoding.ids)
        self.embeddings = nn.ModuleList(
            embedding(names, size or default_embedding_size(names), device=device)
            for names, size in zip(encoding.ids, each, strict=True)
        )
        self.characters: CharacterEncoder | None = None
        self.picture: ConvolutionalEncoder | None = None
        self.subwords = self._subwords(encoding, device)
        sizes = [encoding.numbers, *[table.embedding_dim for table in self.tables]]
        if encoding.characters is not None:
            self.characters = CharacterEncoder(
                encoding.characters[0], character_size, character_hidden_size, device=device
            )
            sizes.append(self.characters.size)
        if encoding.picture is not None:
            self.picture = ConvolutionalEncoder(encoding.picture, picture_size, device=device)
            sizes.append(self.picture.size)
        self.size = sum(sizes)
        self.dropout = LockedDropout(input_dropout)

    def _check(self, encoding: Encoding) -> None:
        if not (encoding.numbers or encoding.ids or encoding.characters or encoding.picture):
            raise OptionError("the input is empty: no numbers, ids, characters or image.")
        if encoding.subwords and len(encoding.ids) != 1:
            raise OptionError(
                f"subwords are pieces of the words of one column of ids, got {len(encoding.ids)}."
            )
        if encoding.picture and (encoding.numbers or encoding.ids or encoding.characters):
            raise OptionError("an image must be the only input; leave the other columns out.")
        for name in ("embedding_dropout", "word_dropout"):
            if getattr(self, name) and not encoding.ids:
                raise OptionError(
                    f"{name}={getattr(self, name)} acts on ids, and the input has none; "
                    "leave it out, or use input_dropout."
                )

    def _subwords(
        self, encoding: Encoding, device: torch.device | str | None
    ) -> SubwordEmbedding | None:
        if encoding.subwords is None:
            return None
        size = self.tables[0].embedding_dim
        return SubwordEmbedding(encoding.subwords[0], size, device=device)

    @property
    def tables(self) -> list[nn.Embedding]:
        """The embedding of every column of ids, in order."""
        return cast(list[nn.Embedding], list(self.embeddings))

    @property
    def is_lone_id(self) -> bool:
        """Whether a value is a single id, which has no axis of columns."""
        return self.encoding._replace(ids=()) == Encoding() and len(self.encoding.ids) == 1

    def forward(self, x: Tensor, lengths: Tensor | Sequence[int] | None = None) -> Tensor:
        """Turn a batch of encoded values into vectors.

        Args:
            x: (T, B, columns), or (B, columns) without steps. For an image the columns are its
                axes, (channels, height, width); for a single id there is no such axis.
            lengths: real steps of each row, (B,); padding is never read, and becomes zeros or the
                vector of id 0. None where every step is real, or there are no steps.

        Returns:
            (T, B, size), or (B, size).

        Raises:
            ShapeError: x has the wrong axes, or there is not one length a row.
            OptionError: ids or lengths are out of range.
        """
        real = None
        if self._has_steps(x) and lengths is not None:
            real = real_steps(checked_lengths(lengths, x), len(x))
        if self.picture is not None:
            return self.dropout(self._pictures(self.picture, x, real))  # type: ignore[no-any-return]
        if real is not None:
            x = x.where(real.reshape(*real.shape, *[1] * (x.dim() - 2)), 0)
        if self.is_lone_id and not x.is_floating_point():
            x = x.unsqueeze(-1)
        return self.dropout(self._columns(x))  # type: ignore[no-any-return]

    def _columns(self, x: Tensor) -> Tensor:
        """Turn columns, (…, columns), into vectors, (…, size)."""
        encoding = self.encoding
        numbers, place = encoding.numbers, encoding.numbers + len(encoding.ids)
        parts = [x[..., :numbers]] if numbers else []
        for column, table in enumerate(self.tables, start=numbers):
            values = self._checked_ids(x[..., column], table.num_embeddings)
            if self.training and self.word_dropout:
                kept = torch.rand(values.shape, device=values.device) >= self.word_dropout
                values = values.where(kept, 0)
            dropout = self.embedding_dropout if self.training else 0.0
            parts.append(embed(table, values, dropout))
            if self.subwords is not None:
                parts[-1] = parts[-1].where(values.unsqueeze(-1) != 0, 0)
        if self.characters is not None and encoding.characters is not None:
            size, columns = encoding.characters
            characters = self._checked_ids(x[..., place : place + columns], size)
            parts.append(self.characters(characters))
            place += columns
        if self.subwords is not None:
            word = 1 if numbers else 0
            parts[word] = parts[word] + self.subwords(x[..., place:].long())
        return parts[0] if len(parts) == 1 else torch.cat(parts, -1)

    @staticmethod
    def _pictures(encoder: ConvolutionalEncoder, x: Tensor, real: Tensor | None) -> Tensor:
        """Turn images, (…, channels, height, width), into vectors; encode only real ones."""
        if real is None:
            vectors: Tensor = encoder(x.flatten(0, -4))
            return vectors.reshape(*x.shape[:-3], encoder.size)
        encoded: Tensor = encoder(x[real])
        zeros = encoded.new_zeros(*real.shape, encoder.size)
        return zeros.masked_scatter(real.unsqueeze(2), encoded)

    @staticmethod
    def _checked_ids(ids: Tensor, names: int) -> Tensor:
        """Return ids as int64.

        Raises:
            OptionError: an id is outside its vocabulary, which an embedding would not report.
        """
        ids = ids.long()
        if ids.numel() and not torch.compiler.is_compiling():
            lowest, highest = (int(end) for end in ids.aminmax())
            if lowest < 0 or highest >= names:
                wrong = lowest if lowest < 0 else highest
                raise OptionError(
                    f"ids must lie in 0 … {names - 1}, got {wrong}: the input was encoded by "
                    "another vocabulary than the network's."
                )
        return ids

    def _has_steps(self, x: Tensor) -> bool:
        """Tell whether x has an axis of time.

        Raises:
            ShapeError: its axes do not fit the encoding.
        """
        encoding, columns = self.encoding, self._columns_of_a_value()
        names = "channels, height, width" if encoding.picture else "columns"
        if isinstance(x, Tensor) and self.is_lone_id and not x.is_floating_point():
            columns = ()
        axes = x.dim() - len(columns) if isinstance(x, Tensor) else 0
        if axes not in (1, 2) or tuple(x.shape[axes:]) != columns:
            if not columns:
                raise ShapeError(f"ids must be (T, B), or (B,) without steps, got {described(x)}.")
            raise ShapeError(
                f"input must be (T, B, {names}), or (B, {names}) without steps, with "
                f"({names}) = ({', '.join(map(str, columns))}), got {described(x)}."
            )
        return axes == 2

    def _columns_of_a_value(self) -> tuple[int, ...]:
        picture = self.encoding.picture
        return picture if picture is not None else (self.encoding.columns,)
