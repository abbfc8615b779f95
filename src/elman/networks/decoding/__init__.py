"""Decoding: greedy, beam search and sampling, for every network that predicts symbols in turn."""

from elman.networks.decoding.decode import decode
from elman.networks.decoding.hypotheses import Hypothesis
from elman.networks.decoding.options import DecodingOptions
from elman.networks.decoding.step import Step, language_model_step, select_rows

__all__ = [
    "DecodingOptions",
    "Hypothesis",
    "Step",
    "decode",
    "language_model_step",
    "select_rows",
]
