"""A network that writes: what its decoder is, and how an answer is searched for or drawn."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from elman.experiment.network import Probability, Units, UnitsEach

AttentionKind = Literal["dot", "general", "additive"]

Conditioning = Literal["first", "state", "each"]


class DecoderSpec(BaseModel):
    """The part of an encoder–decoder or one-to-many network that writes.

    What is not given is as in `network`. A one-to-many network has no encoder, so there `network`
    says what the recurrent part of the decoder is.

    Attributes:
        cell: of its recurrent layers; `network.cell_options` hold for the same cell alone.
        hidden_size: units of each, or a list with one number a layer.
        num_layers: how many; to be left out where `hidden_size` is a list.
        embedding_size: numbers that stand for a symbol it has written.
        attention: how it looks at the encoder's steps: `dot` and `general` as Luong et al. 2015,
            `additive` as Bahdanau et al. 2015, or `none`: the encoder's last state is all.
        input_feeding: whether a step reads what the one before attended to.
        feedback: whether a step reads the symbol before; without, an output depends on the state
            alone.
        scheduled_sampling: probability that a step of training reads the network's own symbol.
        share_embeddings: whether input and answer have one vocabulary and one embedding.
        conditioning: how a one-to-many network reads its input: at the `first` step alone, as the
            initial `state`, or at `each` step; none for the state.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    cell: str | None = None
    hidden_size: Units | UnitsEach | None = None
    num_layers: int | None = Field(default=None, ge=1)
    embedding_size: int | None = Field(default=None, ge=1)
    attention: Literal["none", AttentionKind] = "none"
    input_feeding: bool = False
    feedback: bool = True
    scheduled_sampling: Probability = 0.0
    share_embeddings: bool = False
    conditioning: Conditioning | None = None

    def arguments(self) -> dict[str, Any]:
        """Return the options that differ from their defaults, for the builder to check."""
        return self.model_dump(exclude_defaults=True, exclude_none=True)


class DecodingSpec(BaseModel):
    """How an answer is searched for.

    Attributes:
        beam_size: k, hypotheses kept at every step; 1 takes the likeliest symbol each time.
        length_penalty: α; hypotheses are compared by log p / (symbols written, the end included)^α.
            0 ranks by log-probability, which favours what is short; 1 by its mean a symbol.
        max_length: symbols of an answer at most; none for half as many again as the longest target
            of the training part.
        min_length: symbols before the end may follow.
        no_repeat_ngram_size: no run of so many symbols is written twice; 0 for no such rule.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    beam_size: int = Field(default=1, ge=1)
    length_penalty: float = Field(default=1.0, ge=0, allow_inf_nan=False)
    max_length: int | None = Field(default=None, ge=1)
    min_length: int = Field(default=0, ge=0)
    no_repeat_ngram_size: int = Field(default=0, ge=0)
