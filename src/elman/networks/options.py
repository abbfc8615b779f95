"""What a network was asked to be, and which of it has a meaning in which category."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from types import MappingProxyType
from typing import Any

from elman.errors import OptionError, unknown
from elman.layers.options import checked_probability

CATEGORIES = ("one-to-one", "many-to-one", "many-to-many", "encoder-decoder", "one-to-many")
WRITERS = frozenset({"encoder-decoder", "one-to-many"})
"""Categories whose answer is a sequence of its own length."""

DROPOUT_KINDS = ("ordinary", "locked")


def with_article(category: str) -> str:
    """Write a category as it is spoken of: an encoder-decoder, a one-to-one."""
    return f"an {category}" if category.startswith("e") else f"a {category}"


@dataclass(frozen=True, kw_only=True)
class NetworkOptions:
    """The options of `build_network`.

    Attributes:
        cell: simple, lstm or gru.
        hidden_size: H, or one H a layer. A one-to-one network has dense layers of these sizes, and
            may go without.
        num_layers: L; leave it out where hidden_size is a list.
        bidirectional: whether a second set of layers reads backward.
        delay: d, the steps of look-ahead.
        embedding_size: numbers that stand for an id; None for what suits its vocabulary, or for
            what the output layer reads where it is tied.
        character_size: numbers that stand for a character of a word.
        character_hidden_size: units, a direction, of the network that reads a word's characters.
        picture_size: numbers that stand for a picture.
        pooling: last, mean, max or attention: how one vector is made of all steps.
        highway: p, steps that a linear function beside the recurrent part looks back; 0 for none.
        head: units of the dense layers between the recurrent part and the output.
        activation: of those: sigmoid, tanh, relu, softmax or identity.
        tie_embeddings: whether the output layer is the embedding's own matrix.
        dropout: between the recurrent layers.
        output_dropout: of what the dense layers read: of each one's input where the kind is
            ordinary, of h alone where it is locked.
        dropout_kind: of the two: ordinary draws a mask a step, locked one a sequence.
        input_dropout: of the vectors the recurrent part reads, one mask a sequence.
        embedding_dropout: probability that an id's vector is zero throughout a batch.
        word_dropout: probability that an id is replaced by the unknown one.
        recurrent_dropout: of h(t−1) inside the recurrence, one mask a sequence.
        weight_dropout: of the weights of R, one mask a call.
        zoneout: probability that a unit keeps its old state.
        layer_norm: whether the recurrence is layer-normed.
        cell_options: further options of the cell's layer: reset_after, peephole, nonlinearity,
            proj_size, chrono, recurrent_init, learn_initial_state and their like.
        backend: auto, or a backend's name.
    """

    cell: str = "gru"
    hidden_size: int | Sequence[int] | None = None
    num_layers: int = 1
    bidirectional: bool = False
    delay: int = 0
    embedding_size: int | None = None
    character_size: int = 25
    character_hidden_size: int = 50
    picture_size: int = 128
    pooling: str = "last"
    highway: int = 0
    head: Sequence[int] = ()
    activation: str = "relu"
    tie_embeddings: bool = False
    dropout: float = 0.0
    output_dropout: float = 0.0
    dropout_kind: str = "ordinary"
    input_dropout: float = 0.0
    embedding_dropout: float = 0.0
    word_dropout: float = 0.0
    recurrent_dropout: float = 0.0
    weight_dropout: float = 0.0
    zoneout: float = 0.0
    layer_norm: bool = False
    cell_options: Mapping[str, Any] = field(default_factory=dict)
    backend: str = "auto"

    def __post_init__(self) -> None:
        if self.dropout_kind not in DROPOUT_KINDS:
            raise unknown("dropout_kind", self.dropout_kind, DROPOUT_KINDS)
        checked_probability("output_dropout", self.output_dropout)

    def check_category(self, category: str) -> None:
        """Refuse what has no meaning in a category, instead of leaving it out unsaid.

        Raises:
            OptionError: an unknown category, an option that it has no place for, or no size.
        """
        if category not in CATEGORIES:
            raise unknown("category", category, CATEGORIES)
        for option in fields(self):
            value, default = getattr(self, option.name), _DEFAULTS[option.name]
            if option.name in _MEANINGLESS[category] and value != default:
                raise OptionError(
                    f"{option.name}={value!r} has no meaning in {with_article(category)} network; "
                    "leave it out."
                )
        if category != "one-to-one" and self.hidden_size is None:
            raise OptionError(f"{with_article(category)} network needs a hidden_size; give one.")


@dataclass(frozen=True, kw_only=True)
class DecoderOptions:
    """The options of the part of a network that writes; what is None is as in `NetworkOptions`.

    A one-to-many network has no encoder: there the other options are of the decoder, and it has
    none of these but `embedding_size`, `feedback`, `scheduled_sampling` and `conditioning`.

    Attributes:
        cell: simple, lstm or gru; options of the encoder's cell hold for the same cell alone.
        hidden_size: H, or one H a layer.
        num_layers: L.
        embedding_size: numbers that stand for a symbol.
        attention: none, dot, general or additive.
        input_feeding: whether a step reads the attentional vector of the one before.
        feedback: whether a step reads the symbol before.
        scheduled_sampling: probability that a step of training reads the network's own symbol.
        share_embeddings: whether the decoder reads with the encoder's embedding.
        conditioning: how one-to-many reads its input: first, state or each; None for state.
    """

    cell: str | None = None
    hidden_size: int | Sequence[int] | None = None
    num_layers: int | None = None
    embedding_size: int | None = None
    attention: str = "none"
    input_feeding: bool = False
    feedback: bool = True
    scheduled_sampling: float = 0.0
    share_embeddings: bool = False
    conditioning: str | None = None

    def check_category(self, category: str) -> None:
        """Refuse what has no meaning in a category.

        Raises:
            OptionError: an option that the category has no place for.
        """
        for option in fields(self):
            value = getattr(self, option.name)
            meaningless = (
                category not in WRITERS or option.name in _MEANINGLESS_OF_DECODER[category]
            )
            if meaningless and value != option.default:
                raise OptionError(
                    f"decoder.{option.name}={value!r} has no meaning in {with_article(category)} "
                    "network; leave it out."
                )


_MEANINGLESS_OF_DECODER: Mapping[str, frozenset[str]] = MappingProxyType(
    {
        "encoder-decoder": frozenset({"conditioning"}),
        "one-to-many": frozenset(
            {
                "attention",
                "cell",
                "hidden_size",
                "input_feeding",
                "num_layers",
                "share_embeddings",
            }
        ),
    }
)
"""Category → options of the decoder that only the other one has a place for."""


_DEFAULTS: Mapping[str, Any] = MappingProxyType(
    {name: getattr(NetworkOptions(), name) for name in NetworkOptions.__dataclass_fields__}
)
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
_MEANINGLESS: Mapping[str, frozenset[str]] = MappingProxyType(
    {
        "one-to-one": _RECURRENT | {"delay", "pooling", "highway", "tie_embeddings"},
        "many-to-one": frozenset({"delay", "tie_embeddings"}),
        "many-to-many": frozenset({"pooling", "highway"}),
        "encoder-decoder": frozenset({"delay", "pooling", "highway"}),
        "one-to-many": frozenset({"bidirectional", "delay", "pooling", "highway"}),
    }
)
"""Category → options that only another one has a place for."""


def checked_options(given: Mapping[str, Any]) -> NetworkOptions:
    """Build the options from their names and values.

    Raises:
        OptionError: an option is unknown, near miss first, or its value out of range.
    """
    for name in given:
        if name not in _DEFAULTS:
            raise unknown("network option", name, _DEFAULTS)
    return NetworkOptions(**given)


def checked_decoder_options(given: Mapping[str, Any]) -> DecoderOptions:
    """Build the options of a decoder from their names and values.

    Raises:
        OptionError: an option is unknown; near misses are offered.
    """
    known = [option.name for option in fields(DecoderOptions)]
    for name in given:
        if name not in known:
            raise unknown("decoder option", name, known)
    return DecoderOptions(**given)
