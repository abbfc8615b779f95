"""The network: how what is read becomes vectors, which cells read them, and what comes out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from elman.experiment.categories import CATEGORIES


def _as_list(value: Any) -> Any:
    """Let any sequence stand for a list; a text is none."""
    return list(value) if isinstance(value, Sequence) and not isinstance(value, str) else value


def _as_tuple(value: Any) -> Any:
    """Let a list, as TOML and JSON have it, stand for a tuple."""
    return tuple(value) if isinstance(value, list) else value


def _as_dict(value: Any) -> Any:
    """Let any mapping stand for a dictionary."""
    return dict(value) if isinstance(value, Mapping) else value


Units = Annotated[int, Field(ge=1)]
"""Units of a layer."""

UnitsEach = Annotated[list[Units], BeforeValidator(_as_list)]
"""Units of several layers."""

Probability = Annotated[float, Field(ge=0, lt=1)]

ProbabilityEach = Annotated[tuple[Probability, ...], BeforeValidator(_as_tuple)]
"""A probability for each part of a state."""

CellOptions = Annotated[dict[str, bool | int | float | str | None], BeforeValidator(_as_dict)]

Pooling = Literal["last", "mean", "max", "attention"]

if TYPE_CHECKING:
    CategoryName = str
else:
    CategoryName = Literal[tuple(CATEGORIES)]


class NetworkOptions(BaseModel):
    """What a network is built from: the options of `build_network`.

    Attributes:
        cell: of every recurrent layer, by name.
        hidden_size: units of every recurrent layer, H, or a list with one number a layer. A
            one-to-one network has dense layers of these sizes, and may go without.
        num_layers: recurrent layers, L; to be left out where `hidden_size` is a list.
        bidirectional: whether a second stack reads every sequence backwards.
        delay: steps of look-ahead before an output is read.
        embedding_size: numbers that stand for a word, a character or a name; none for what suits
            the vocabulary, or for what the output layer reads where it is tied.
        character_size: numbers that stand for a character of a word.
        character_hidden_size: units, a direction, of the network that reads a word's characters.
        picture_size: numbers that stand for a picture.
        pooling: how many-to-one makes one vector of all steps.
        highway: steps that a linear forecast beside the recurrent one looks back; 0 for none.
        head: units of dense layers between the recurrent part and the output; a one-to-one
            network is made of them.
        activation: of these dense layers.
        tie_embeddings: whether a language model's output layer is its embedding.
        dropout: between recurrent layers.
        input_dropout: on what the recurrent part reads, one mask a sequence.
        output_dropout: on what the dense layers read: on each one's input where the kind is
            `ordinary`, on the last recurrent layer's output alone where it is `locked`.
        dropout_kind: of `dropout` and `output_dropout`: `ordinary` draws a mask a step, `locked`
            one a sequence.
        word_dropout: probability that an id is replaced by the unknown one.
        embedding_dropout: probability that an id's whole vector is zero throughout a batch.
        recurrent_dropout: on h(t−1) inside the recurrence, one mask a sequence.
        weight_dropout: on the weights of R, one mask a batch.
        zoneout: probability that a unit keeps its old value; or one each for the parts of the
            state, as h and c of the LSTM.
        layer_norm: in the recurrence.
        cell_options: of this cell alone, as its layer takes them: `reset_after` of the GRU,
            `peephole` and `coupled_gates` of the LSTM, `nonlinearity` of the simple cell,
            `proj_size`, `chrono`, `recurrent_init`, `learn_initial_state`, ….
        backend: which implementation runs it; `auto` takes the fastest that can.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    cell: str = "gru"
    hidden_size: Units | UnitsEach | None = None
    num_layers: int = Field(default=1, ge=1)
    bidirectional: bool = False
    delay: int = Field(default=0, ge=0)
    embedding_size: int | None = Field(default=None, ge=1)
    character_size: int = Field(default=25, ge=1)
    character_hidden_size: int = Field(default=50, ge=1)
    picture_size: int = Field(default=128, ge=1)
    pooling: Pooling = "last"
    highway: int = Field(default=0, ge=0)
    head: UnitsEach = []
    activation: Literal["relu", "tanh", "sigmoid", "softmax", "identity"] = "relu"
    tie_embeddings: bool = False
    dropout: Probability = 0.0
    input_dropout: Probability = 0.0
    output_dropout: Probability = 0.0
    dropout_kind: Literal["ordinary", "locked"] = "ordinary"
    word_dropout: Probability = 0.0
    embedding_dropout: Probability = 0.0
    recurrent_dropout: Probability = 0.0
    weight_dropout: Probability = 0.0
    zoneout: Probability | ProbabilityEach = 0.0
    layer_norm: bool = False
    cell_options: CellOptions = {}
    backend: str = "auto"


class NetworkSpec(NetworkOptions):
    """The network of an experiment: its options, and what only an experiment says of it.

    At most one of `hidden_size` and `parameters` is given; with neither, a size that suits the
    task is chosen.

    Attributes:
        category: which of its forms the network has; none to infer it from the data.
        parameters: a budget; the hidden size is the one whose network comes nearest to it.
        word_vectors: text file of pretrained vectors (GloVe, fastText) to begin with.
        objective: what the outputs are for, as `crf` for tags that follow each other by rules, or
            `ctc` for targets aligned in order alone; none for what suits the target.
        class_weights: `balanced` weighs a class by the inverse of its share in the training part,
            `square-root` by the inverse of the share's square root, which lifts rare classes less.
        label_smoothing: share of the probability that is spread over all classes.
        output_bias_init: what the dense layer's bias begins at: `base-rate`, the log-odds of each
            output in the training split, or `uniform`, drawn like a weight.
    """

    category: CategoryName | None = None
    parameters: int | None = Field(default=None, ge=1)
    word_vectors: str | None = None
    objective: str | None = None
    class_weights: Literal["none", "balanced", "square-root"] = "none"
    label_smoothing: Probability = 0.0
    output_bias_init: Literal["base-rate", "uniform"] = "base-rate"

    @model_validator(mode="after")
    def _refuse_two_sizes(self) -> NetworkSpec:
        if self.hidden_size is not None and self.parameters is not None:
            raise ValueError("give hidden_size or parameters, one of the two; got both")
        if isinstance(self.hidden_size, list) and self.num_layers != 1:
            raise ValueError(
                f"hidden_size = {self.hidden_size} says how many layers there are; "
                "leave num_layers out"
            )
        return self

    def arguments(self) -> dict[str, Any]:
        """The options of the builder that differ from their defaults, for it to check."""
        options = set(NetworkOptions.model_fields)
        return self.model_dump(include=options, exclude_defaults=True, exclude_none=True)
