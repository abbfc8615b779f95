"""The network: how what is read becomes vectors, which cells read them, and what comes out."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

Units = Annotated[int, Field(ge=1)]
"""Units of a layer."""

CellOption = bool | int | float | str

Category = Literal["one-to-one", "many-to-one", "many-to-many", "encoder-decoder", "one-to-many"]


class NetworkSpec(BaseModel):
    """The network, from what it reads to what it answers.

    At most one of `hidden_size` and `parameters` is given; with neither, a size that suits the
    task is chosen.

    Attributes:
        category: which of its forms the network has; none to infer it from the data.
        cell: of every recurrent layer.
        hidden_size: units of every recurrent layer, or a list with one number a layer.
        parameters: a budget; the hidden size is the one whose network comes nearest to it.
        num_layers: recurrent layers; to be left out where `hidden_size` is a list.
        bidirectional: whether a second stack reads every sequence backwards.
        delay: steps of look-ahead before an output is read.
        embedding_size: numbers that stand for a word, a character or a name; none for what suits
            the vocabulary.
        character_size: numbers that stand for a character of a word.
        character_hidden_size: units, a direction, of the network that reads a word's characters.
        picture_size: numbers that stand for a picture.
        word_vectors: text file of pretrained vectors (GloVe, fastText) to begin with.
        pooling: how many-to-one makes one vector of all steps.
        highway: steps that a linear forecast beside the recurrent one looks back; 0 for none.
        head: units of dense layers between the recurrent part and the output; a one-to-one
            network is made of them.
        activation: of these dense layers.
        objective: what the outputs are for, as `crf` for tags that follow each other by rules, or
            `ctc` for targets aligned in order alone; none for what suits the target.
        class_weights: `balanced` weighs a class by the inverse of its share in the training part,
            `square-root` by the inverse of the share's square root, which lifts rare classes less.
        label_smoothing: share of the probability that is spread over all classes.
        tie_embeddings: whether a language model's output layer is its embedding.
        dropout: between recurrent layers.
        input_dropout: on what the recurrent part reads, one mask a sequence.
        output_dropout: on the last recurrent layer's output.
        dropout_kind: of the two: `ordinary` draws a mask a step, `locked` one a sequence.
        word_dropout: probability that an id is replaced by the unknown one.
        embedding_dropout: probability that an id's whole vector is zero throughout a batch.
        recurrent_dropout: on h(t−1) inside the recurrence, one mask a sequence.
        weight_dropout: on the weights of R, one mask a batch.
        zoneout: probability that a unit keeps its old value.
        layer_norm: in the recurrence.
        output_bias_init: what the dense layer's bias begins at: `base-rate`, the log-odds of each
            output in the training split, or `uniform`, drawn like a weight.
        cell_options: of this cell alone, as its layer takes them: `reset_after` of the GRU,
            `peephole` and `coupled_gates` of the LSTM, `nonlinearity` of the simple cell, ….
        backend: which implementation runs it; `auto` takes the fastest that can.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    category: Category | None = None
    cell: str = "gru"
    hidden_size: Units | list[Units] | None = None
    parameters: int | None = Field(default=None, ge=1)
    num_layers: int = Field(default=1, ge=1)
    bidirectional: bool = False
    delay: int = Field(default=0, ge=0)
    embedding_size: int | None = Field(default=None, ge=1)
    character_size: int = Field(default=25, ge=1)
    character_hidden_size: int = Field(default=50, ge=1)
    picture_size: int = Field(default=128, ge=1)
    word_vectors: str | None = None
    pooling: Literal["last", "mean", "max", "attention"] = "last"
    highway: int = Field(default=0, ge=0)
    head: list[Units] = []
    activation: Literal["relu", "tanh", "sigmoid", "identity"] = "relu"
    objective: str | None = None
    class_weights: Literal["none", "balanced", "square-root"] = "none"
    label_smoothing: float = Field(default=0.0, ge=0, lt=1)
    tie_embeddings: bool = False
    dropout: float = Field(default=0.0, ge=0, lt=1)
    input_dropout: float = Field(default=0.0, ge=0, lt=1)
    output_dropout: float = Field(default=0.0, ge=0, lt=1)
    dropout_kind: Literal["ordinary", "locked"] = "ordinary"
    word_dropout: float = Field(default=0.0, ge=0, lt=1)
    embedding_dropout: float = Field(default=0.0, ge=0, lt=1)
    recurrent_dropout: float = Field(default=0.0, ge=0, lt=1)
    weight_dropout: float = Field(default=0.0, ge=0, lt=1)
    zoneout: float = Field(default=0.0, ge=0, lt=1)
    layer_norm: bool = False
    output_bias_init: Literal["base-rate", "uniform"] = "base-rate"
    cell_options: dict[str, CellOption] = {}
    backend: str = "auto"

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
        """The options that differ from their defaults, for the builder to check."""
        given = self.model_dump(exclude=_NOT_OF_THE_BUILDER, exclude_defaults=True)
        return {name: value for name, value in given.items() if value is not None}


_NOT_OF_THE_BUILDER = {
    "category",
    "parameters",
    "word_vectors",
    "objective",
    "class_weights",
    "label_smoothing",
    "output_bias_init",
}
