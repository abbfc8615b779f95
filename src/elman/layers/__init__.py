"""Layers: SimpleRNN, LSTM, GRU, Bidirectional, MLP."""

from elman.layers.bidirectional import MERGES, Bidirectional
from elman.layers.gru import GRU
from elman.layers.lstm import LSTM
from elman.layers.mlp import ACTIVATIONS, MLP
from elman.layers.options import RecurrentOptions
from elman.layers.recurrent import RecurrentLayer, parameter_count
from elman.layers.registry import layer_class, layer_options
from elman.layers.simple_rnn import SimpleRNN

__all__ = [
    "ACTIVATIONS",
    "GRU",
    "LSTM",
    "MERGES",
    "MLP",
    "Bidirectional",
    "RecurrentLayer",
    "RecurrentOptions",
    "SimpleRNN",
    "layer_class",
    "layer_options",
    "parameter_count",
]
