"""Layers: SimpleRNN, LSTM, GRU, MinGRU, MinLSTM, LRU, SLSTM, Bidirectional, MLP."""

from elman.layers.bidirectional import MERGES, Bidirectional
from elman.layers.gru import GRU
from elman.layers.lru import LRU
from elman.layers.lstm import LSTM
from elman.layers.mingru import MinGRU
from elman.layers.minlstm import MinLSTM
from elman.layers.mlp import ACTIVATIONS, MLP
from elman.layers.options import RecurrentOptions
from elman.layers.recurrent import RecurrentLayer, parameter_count
from elman.layers.registry import layer_class, layer_options
from elman.layers.simple_rnn import SimpleRNN
from elman.layers.slstm import SLSTM

__all__ = [
    "ACTIVATIONS",
    "GRU",
    "LRU",
    "LSTM",
    "MERGES",
    "MLP",
    "SLSTM",
    "Bidirectional",
    "MinGRU",
    "MinLSTM",
    "RecurrentLayer",
    "RecurrentOptions",
    "SimpleRNN",
    "layer_class",
    "layer_options",
    "parameter_count",
]
