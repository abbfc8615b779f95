"""From options to a network that writes: every option reaches its place, or is refused."""

from __future__ import annotations

from typing import Any

import pytest
import torch

import elman
from elman.errors import OptionError
from elman.features.feature import Encoding
from elman.networks import EncoderDecoder, OneToMany, build_network
from elman.networks.objectives import ConditionalLanguageModel, objective_from_json
from elman.networks.tied import TiedHead

V = 11


def built(category: str = "encoder-decoder", *, ids: int = 9, **options: Any) -> Any:
    settings = {"hidden_size": 4, "embedding_size": 3} | options
    return build_network(
        category, Encoding(ids=(ids,)), ConditionalLanguageModel(V), **settings
    ).eval()


def test_the_decoder_is_as_the_encoder_unless_it_is_said_otherwise() -> None:
    network = built(cell="lstm", num_layers=2, bidirectional=True)
    assert isinstance(network, EncoderDecoder)
    encoder, recurrent = network.encoder, network.decoder.recurrent
    assert (type(encoder), encoder.output_size) == (elman.LSTM, 8)
    assert (type(recurrent), recurrent.output_size, recurrent.num_layers) == (elman.LSTM, 4, 2)
    assert network.decoder.attention is None


def test_every_option_of_the_decoder_reaches_its_place() -> None:
    network = built(
        cell="lstm",
        bidirectional=True,
        decoder={
            "cell": "gru",
            "hidden_size": 8,
            "num_layers": 2,
            "embedding_size": 5,
            "attention": "additive",
            "input_feeding": True,
            "scheduled_sampling": 0.25,
        },
    )
    decoder = network.decoder
    assert (type(decoder.recurrent), decoder.recurrent.num_layers) == (elman.GRU, 2)
    assert decoder.recurrent.input_size == 5 + 8  # with the attentional vector of the step before
    assert decoder.feedback.table.weight.shape == (V + 1, 5)
    assert (decoder.attention.kind, decoder.attention.memory_size) == ("additive", 8)
    assert (decoder.input_feeding, decoder.scheduled_sampling) == (True, 0.25)


def test_one_embedding_reads_writes_and_is_the_output_layer() -> None:
    network = built(ids=V, tie_embeddings=True, decoder={"share_embeddings": True})
    table = network.inputs.tables[0]
    assert table.weight.shape == (V + 1, 4)  # what the output layer reads
    assert network.decoder.feedback.table is table
    assert isinstance(network.decoder.head, TiedHead)
    names = [name for name, _ in network.named_parameters() if name.endswith("embeddings.0.weight")]
    assert len(names) == 1


def test_without_feedback_no_symbol_is_embedded() -> None:
    assert built(decoder={"feedback": False}).decoder.feedback.table is None


@pytest.mark.parametrize(("conditioning", "context"), [("first", 0), ("state", 0), ("each", 3)])
def test_a_one_to_many_network_reads_its_input_as_asked(conditioning: str, context: int) -> None:
    network = built("one-to-many", decoder={"conditioning": conditioning})
    assert isinstance(network, OneToMany)
    assert (network.conditioning, network.decoder.context_size) == (conditioning, context)
    target = torch.tensor([[1, 2], [3, -1]])
    assert network(torch.tensor([4, 0]), target=target)[0].shape == (3, 2, V + 1)


def test_the_output_bias_begins_where_it_is_told() -> None:
    bias = torch.arange(V + 1.0)
    for category in ("encoder-decoder", "one-to-many"):
        assert torch.equal(built(category, output_bias=bias).decoder.head.layers[-1].bias, bias)


@pytest.mark.parametrize(
    ("category", "options", "words"),
    [
        ("encoder-decoder", {"decoder": {"conditioning": "each"}}, "no meaning in an encoder-dec"),
        ("encoder-decoder", {"delay": 2}, "delay=2 has no meaning in an encoder-decoder network"),
        ("one-to-many", {"decoder": {"attention": "dot"}}, "no meaning in a one-to-many network"),
        ("one-to-many", {"bidirectional": True}, "bidirectional=True has no meaning in a one-to"),
        ("encoder-decoder", {"decoder": {"atention": "dot"}}, "did you mean 'attention'"),
        ("encoder-decoder", {"decoder": {"share_embeddings": True}}, "must be ids of one vocab"),
        (
            "encoder-decoder",
            {"tie_embeddings": True, "decoder": {"feedback": False}},
            "with feedback=False the decoder has none",
        ),
    ],
)
def test_what_makes_no_network_is_refused(
    category: str, options: dict[str, Any], words: str
) -> None:
    with pytest.raises(OptionError, match=words):
        built(category, **options)


def test_another_objective_is_refused() -> None:
    objective = objective_from_json({"name": "tagging", "size": 3})
    with pytest.raises(OptionError, match="an encoder-decoder network writes symbols, and the obj"):
        build_network("encoder-decoder", Encoding(ids=(9,)), objective, hidden_size=4)
