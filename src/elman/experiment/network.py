"""The network of an experiment: embeddings, recurrent layers, dense layers, objective."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from elman.experiment.categories import CATEGORIES


def _as_list(value: Any) -> Any:
    """Make a list of any sequence but a string."""
    return list(value) if isinstance(value, Sequence) and not isinstance(value, str) else value


def _as_tuple(value: Any) -> Any:
    """Make a tuple of a list, as TOML and JSON have it."""
    return tuple(value) if isinstance(value, list) else value


def _as_dict(value: Any) -> Any:
    """Make a dictionary of any mapping."""
    return dict(value) if isinstance(value, Mapping) else value


Units = Annotated[int, Field(ge=1)]
"""Size of a layer."""

UnitsEach = Annotated[list[Units], BeforeValidator(_as_list)]
"""Sizes of several layers."""

Probability = Annotated[float, Field(ge=0, lt=1)]

ProbabilityEach = Annotated[tuple[Probability, ...], BeforeValidator(_as_tuple)]
"""A probability for each part of a state."""

CellOptions = Annotated[dict[str, bool | int | float | str | None], BeforeValidator(_as_dict)]

Pooling = Literal["last", "mean", "max", "attention"]

if TYPE_CHECKING:
    CategoryName = str
else:
    CategoryName = Literal[tuple(CATEGORIES)]


class Convolution(BaseModel):
    """A convolution over time.

    Attributes:
        channels: number of its outputs a step.
        kernel: number of steps that it sees at once.
        stride: number of steps from one output to the next.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    channels: int = Field(ge=1)
    kernel: int = Field(default=5, ge=1)
    stride: int = Field(default=1, ge=1)


class NetworkOptions(BaseModel):
    """The options of a network, as `build_network` takes them.

    Attributes:
        cell: name of the cell of every recurrent layer, such as `gru`.
        hidden_size: hidden size H of every recurrent layer, or a list with one a layer. In a
            one-to-one network: the sizes of its dense layers, which may be left out.
        num_layers: number of recurrent layers, L; leave it out if `hidden_size` is a list.
        bidirectional: whether a second stack of layers reads every sequence backwards.
        delay: number of steps by which outputs lag behind the input: look-ahead.
        embedding_size: size of the embedding of a word, a character or a name; by default a size
            that suits the vocabulary, or, with tied embeddings, the input size of the output
            layer.
        character_size: size of the embedding of a word's characters.
        character_hidden_size: hidden size, per direction, of the network that reads a word's
            characters.
        picture_size: size of the vector that encodes a picture.
        convolutions: convolutions over time before the recurrent layers of a many-to-one network
            that reads numbers, as in `[{ channels = 64, kernel = 8, stride = 2 }]`; each has batch
            normalisation and a ReLU.
        convolution_dropout: dropout probability on the outputs of every convolution.
        own_scale: whether the convolutions read each row on its own scale too, less its own mean,
            divided by its own standard deviation.
        pooling: how a many-to-one network reduces all steps to one vector.
        context_size: size of the vector of a row's columns without steps, where there are sequences
            beside them; 0 concatenates the columns as they are.
        context: how sequences are read with this vector: `state` computes the first state of
            the recurrent layers from it, `each` reads it at every step, `pooled` only joins it to
            what a many-to-one network has pooled; by default one that suits the category.
        share_encoders: whether sequences of the same kind, such as a question and a passage, are
            read with the same weights.
        highway: number of past steps that an autoregressive highway reads, a linear forecast
            beside the recurrent one; 0 for none.
        head: sizes of the dense layers between the recurrent layers and the output, which each of
            several targets has for itself; a one-to-one network has only these, and shares them.
        activation: activation of these dense layers.
        tie_embeddings: whether a language model's output layer shares the weights of its
            embedding.
        dropout: dropout probability between recurrent layers.
        input_dropout: dropout probability on the input of the first recurrent layer, with one mask
            a sequence.
        output_dropout: dropout probability on the input of every dense layer if `dropout_kind` is
            `ordinary`, on the output of the last recurrent layer only if it is `locked`.
        dropout_kind: kind of `dropout` and `output_dropout`: `ordinary` samples a mask at every
            step, `locked` one a sequence.
        word_dropout: probability that an id is replaced by the unknown id.
        embedding_dropout: probability that the vector of an id is zero throughout a batch.
        recurrent_dropout: dropout probability on h(t−1) in the recurrence, with one mask a
            sequence.
        weight_dropout: dropout probability on the recurrent weights R, with one mask a batch.
        zoneout: probability that a unit keeps its old value; or one for each part of the state,
            such as h and c of the LSTM.
        layer_norm: whether the recurrence has layer normalisation.
        cell_options: options of the cell, as its layer takes them: `reset_after` for the GRU,
            `peephole` and `coupled_gates` for the LSTM, `nonlinearity` for the simple cell,
            `proj_size`, `chrono`, `recurrent_init`, `learn_initial_state`, ….
        backend: implementation of the recurrence; `auto` takes the fastest one available.
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
    convolutions: Annotated[list[Convolution], BeforeValidator(_as_list)] = []
    convolution_dropout: Probability = 0.0
    own_scale: bool = False
    pooling: Pooling = "last"
    context_size: int = Field(default=64, ge=0)
    context: Literal["state", "each", "pooled"] | None = None
    share_encoders: bool = True
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
    """The network of an experiment: its options, and settings that depend on the data.

    Give at most one of `hidden_size` and `parameters`; without either, a size that suits the task
    is chosen.

    Attributes:
        category: category of the network, such as `many-to-one`; inferred from the data by
            default.
        parameters: number of parameters to aim for; the hidden size that comes nearest is used.
        word_vectors: text file of pretrained word vectors (GloVe, fastText) for the embedding.
        objective: training objective, such as `crf` for tags that depend on each other, or `ctc`
            for targets without an alignment to the input; by default one that suits the target.
        objectives: target → its objective, where there are several targets.
        loss_weights: target → weight of its loss in the sum, where there are several targets; 1 by
            default.
        class_weights: `balanced` weights each class by the inverse of its share of the training
            rows; `square-root` by the inverse of the share's square root, which lifts rare classes
            less; `rare` weights those of n < 50 training rows alone, by √(50 / n).
        label_smoothing: share of the target probability that is spread over all classes.
        output_bias_init: initial bias of the output layer: `base-rate`, the log-odds of each
            output in the training rows, or `uniform`, sampled like the weights.
    """

    category: CategoryName | None = None
    parameters: int | None = Field(default=None, ge=1)
    word_vectors: str | None = None
    objective: str | None = None
    objectives: dict[str, str] = {}
    loss_weights: dict[str, Annotated[float, Field(gt=0, allow_inf_nan=False)]] = {}
    class_weights: Literal["none", "balanced", "square-root", "rare"] = "none"
    label_smoothing: Probability = 0.0
    output_bias_init: Literal["base-rate", "uniform"] = "base-rate"

    @model_validator(mode="after")
    def _refuse_two_sizes(self) -> NetworkSpec:
        if self.hidden_size is not None and self.parameters is not None:
            raise ValueError("give either hidden_size or parameters; got both")
        if isinstance(self.hidden_size, list) and self.num_layers != 1:
            raise ValueError(
                f"hidden_size = {self.hidden_size} says how many layers there are; "
                "leave num_layers out"
            )
        return self

    def arguments(self) -> dict[str, Any]:
        """Return the options that differ from their defaults, for the builder to check."""
        options = set(NetworkOptions.model_fields)
        return self.model_dump(include=options, exclude_defaults=True, exclude_none=True)
