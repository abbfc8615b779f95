"""Networks: one file per category, and how a specification becomes one."""

from elman.experiment.network import NetworkOptions
from elman.networks.attention import Attention, Memory
from elman.networks.bridge import Bridge, InitialState
from elman.networks.build import Network, build_network, hidden_size_for, many_to_many
from elman.networks.decoder import Decoder, DecoderState
from elman.networks.embedding import WordVectors, load_word_vectors, read_word_vectors
from elman.networks.encoder_decoder import EncoderDecoder
from elman.networks.inputs import Inputs
from elman.networks.joined import JoinedToOne
from elman.networks.many_to_many import ManyToMany
from elman.networks.many_to_one import ManyToOne
from elman.networks.one_to_many import OneToMany
from elman.networks.one_to_one import OneToOne

__all__ = [
    "Attention",
    "Bridge",
    "Decoder",
    "DecoderState",
    "EncoderDecoder",
    "InitialState",
    "Inputs",
    "JoinedToOne",
    "ManyToMany",
    "ManyToOne",
    "Memory",
    "Network",
    "NetworkOptions",
    "OneToMany",
    "OneToOne",
    "WordVectors",
    "build_network",
    "hidden_size_for",
    "load_word_vectors",
    "many_to_many",
    "read_word_vectors",
]
