"""The decoder of a network that writes, and how its outputs are decoded."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from elman.experiment.network import Probability, Units, UnitsEach

AttentionKind = Literal["dot", "general", "additive"]

Conditioning = Literal["first", "state", "each"]


class DecoderSpec(BaseModel):
    """The decoder of an encoder–decoder or one-to-many network.

    Cell, sizes and layers are by default those of `network`. A one-to-many network has no
    encoder: there, `network` describes the recurrent layers of the decoder.

    Attributes:
        cell: cell of the recurrent layers; `network.cell_options` apply only to the same cell.
        hidden_size: hidden size of every recurrent layer, or a list with one a layer.
        num_layers: number of recurrent layers; leave it out if `hidden_size` is a list.
        embedding_size: size of the embedding of the symbols written so far.
        attention: attention over the encoder's steps: `dot` and `general` as in Luong et al. 2015,
            `additive` as in Bahdanau et al. 2015; `none` uses only the encoder's last state.
        input_feeding: whether each step also reads the attention output of the step before.
        feedback: whether each step reads the symbol before it; without, outputs depend on the
            state alone.
        scheduled_sampling: probability that a training step reads the symbol that the network
            itself predicted.
        share_embeddings: whether input and target share one vocabulary and one embedding.
        conditioning: where a one-to-many network reads its input: at the `first` step, as the
            initial `state`, or at `each` step; `state` by default.
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
    """How a sequence is decoded: greedily, or by beam search.

    Attributes:
        beam_size: beam size k; 1 is greedy decoding.
        length_penalty: α; hypotheses are ranked by log p / (number of symbols, end included)^α.
            0 ranks by log-probability, which favours short sequences; 1 by its mean a symbol.
        max_length: maximum number of symbols; by default 1.5 times the longest target of the
            training rows.
        min_length: minimum number of symbols.
        no_repeat_ngram_size: n-grams of this length are never repeated; 0 allows repetition.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    beam_size: int = Field(default=1, ge=1)
    length_penalty: float = Field(default=1.0, ge=0, allow_inf_nan=False)
    max_length: int | None = Field(default=None, ge=1)
    min_length: int = Field(default=0, ge=0)
    no_repeat_ngram_size: int = Field(default=0, ge=0)
