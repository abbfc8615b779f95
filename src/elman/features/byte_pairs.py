"""Byte-pair encoding: tokens learned by merging frequent pairs of neighbours."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from elman.errors import import_extra
from elman.features.state import check_entries, malformed
from elman.features.vocabulary import UNKNOWN

if TYPE_CHECKING:
    from tokenizers import Tokenizer


def _tokenizers() -> Any:
    return import_extra("tokenizers", "translation", "byte-pair encoding")


class BytePairs:
    """Texts as ids of byte pairs; id 0, unknown, never occurs in an encoded text.

    A text is split at spaces into words, and words into bytes; then pairs of neighbours are merged
    in the order in which the merges were learned. Since every byte is a token, every text can be
    encoded.

    Args:
        pieces: the tokens in the order of their ids; the first one is the unknown token.
        merges: pairs of tokens to merge, in the order in which they were learned.

    Source: Sennrich, Haddow & Birch 2016, arXiv:1508.07909; on bytes as in Radford et
    al. 2019 (GPT-2). Computed by the package `tokenizers`.
    """

    def __init__(self, pieces: Sequence[str], merges: Sequence[Sequence[str]]) -> None:
        tokenizers = _tokenizers()
        self.pieces = tuple(pieces)
        self.merges = tuple((left, right) for left, right in merges)
        vocabulary = {piece: index for index, piece in enumerate(self.pieces)}
        self._tokenizer: Tokenizer = tokenizers.Tokenizer(
            tokenizers.models.BPE(vocab=vocabulary, merges=list(self.merges), unk_token=UNKNOWN)
        )
        self._tokenizer.pre_tokenizer = tokenizers.pre_tokenizers.ByteLevel(add_prefix_space=False)
        self._tokenizer.decoder = tokenizers.decoders.ByteLevel()

    @classmethod
    def learn(cls, texts: Iterable[str], *, max_size: int, min_count: int) -> BytePairs:
        """Learn tokens from texts.

        Args:
            texts: the training texts.
            max_size: maximum number of ids, including the unknown token and the 256 bytes.
            min_count: minimum count of a pair to be merged.
        """
        tokenizers = _tokenizers()
        tokenizer = tokenizers.Tokenizer(tokenizers.models.BPE(unk_token=UNKNOWN))
        tokenizer.pre_tokenizer = tokenizers.pre_tokenizers.ByteLevel(add_prefix_space=False)
        trainer = tokenizers.trainers.BpeTrainer(
            vocab_size=max_size,
            min_frequency=min_count,
            special_tokens=[UNKNOWN],
            initial_alphabet=sorted(tokenizers.pre_tokenizers.ByteLevel.alphabet()),
            show_progress=False,
        )
        tokenizer.train_from_iterator(texts, trainer)
        model = json.loads(tokenizer.to_str())["model"]
        return cls(sorted(model["vocab"], key=model["vocab"].__getitem__), model["merges"])

    def __len__(self) -> int:
        """Number of ids, including the unknown one."""
        return len(self.pieces)

    def encode(self, text: str) -> list[int]:
        """Return the ids of a text's tokens."""
        return list(self._tokenizer.encode(text, add_special_tokens=False).ids)

    def decode(self, ids: Sequence[int]) -> str:
        """Return the text of ids; the unknown id is left out."""
        return str(self._tokenizer.decode([index for index in ids if index > 0]))

    def to_json(self) -> dict[str, Any]:
        """Describe the tokens and merges in JSON values."""
        return {"pieces": list(self.pieces), "merges": [list(pair) for pair in self.merges]}

    @classmethod
    def from_json(cls, state: Mapping[str, Any], kind: str) -> BytePairs:
        """Restore byte pairs from JSON; `kind` is the feature's, for errors.

        Raises:
            DataError: the state is malformed.
        """
        check_entries(kind, state, {"pieces": list, "merges": list})
        pieces = set(state["pieces"])
        if state["pieces"][:1] != [UNKNOWN] or len(pieces) != len(state["pieces"]):
            raise malformed(kind, f"its byte pairs must begin with {UNKNOWN!r} and be unique")
        for pair in state["merges"]:
            if len(pair) != 2 or not {*pair, "".join(pair)} <= pieces:
                raise malformed(kind, f"its byte pairs cannot merge {pair}")
        return cls(state["pieces"], state["merges"])
