"""The five categories of networks, one record each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

_RECURRENT = frozenset(
    {
        "bidirectional",
        "dropout",
        "dropout_kind",
        "recurrent_dropout",
        "weight_dropout",
        "zoneout",
        "layer_norm",
        "cell_options",
    }
)
"""Options of the recurrent part."""

_CONVOLUTIONS = frozenset({"convolutions", "convolution_dropout", "own_scale"})
"""Options of the convolutions before it."""


@dataclass(frozen=True, kw_only=True)
class Category:
    """One of the categories that a network can have.

    Attributes:
        name: its name in an experiment.
        writes: whether the output is a sequence whose length differs from the input's.
        recurrent: whether it has recurrent layers, whose size must be known.
        meaningless: network options that have no effect in this category.
        meaningless_of_decoder: decoder options that have no effect in this category, where it
            writes; where it does not, none has an effect.
    """

    name: str
    writes: bool = False
    recurrent: bool = True
    meaningless: frozenset[str] = frozenset()
    meaningless_of_decoder: frozenset[str] = frozenset()

    @property
    def spoken(self) -> str:
        """The name as it stands in a sentence, with its article.

        >>> CATEGORIES["encoder-decoder"].spoken
        'an encoder-decoder network'
        """
        return f"{'an' if self.name.startswith('e') else 'a'} {self.name} network"


CATEGORIES: Mapping[str, Category] = MappingProxyType(
    {
        category.name: category
        for category in (
            Category(
                name="one-to-one",
                recurrent=False,
                meaningless=_RECURRENT
                | _CONVOLUTIONS
                | {"delay", "pooling", "highway", "tie_embeddings"},
            ),
            Category(name="many-to-one", meaningless=frozenset({"delay", "tie_embeddings"})),
            Category(
                name="many-to-many", meaningless=_CONVOLUTIONS | frozenset({"pooling", "highway"})
            ),
            Category(
                name="encoder-decoder",
                writes=True,
                meaningless=_CONVOLUTIONS | frozenset({"delay", "pooling", "highway"}),
                meaningless_of_decoder=frozenset({"conditioning"}),
            ),
            Category(
                name="one-to-many",
                writes=True,
                meaningless=_CONVOLUTIONS
                | frozenset({"bidirectional", "delay", "pooling", "highway"}),
                meaningless_of_decoder=frozenset(
                    {
                        "attention",
                        "cell",
                        "hidden_size",
                        "input_feeding",
                        "num_layers",
                        "share_embeddings",
                    }
                ),
            ),
        )
    }
)
"""Name → category."""

WRITERS = frozenset(name for name, category in CATEGORIES.items() if category.writes)
"""Names of the categories that write."""
