"""Options passed in Python: accepted values, and errors in words."""

from __future__ import annotations

import math
from types import MappingProxyType
from typing import Any

import pytest

from elman.errors import OptionError
from elman.experiment import Experiment
from elman.experiment.decoder import DecoderSpec
from elman.experiment.network import NetworkOptions
from elman.experiment.words import checked_options


def network(**options: Any) -> NetworkOptions:
    return checked_options(NetworkOptions, options, "network")


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("hidden_size", 5, 5),
        ("hidden_size", (5, 3), [5, 3]),
        ("hidden_size", range(3, 5), [3, 4]),
        ("head", (4,), [4]),
        ("activation", "softmax", "softmax"),
        ("dropout", 0, 0.0),
        ("zoneout", 0.1, 0.1),
        ("zoneout", (0.1, 0.2), (0.1, 0.2)),
        ("zoneout", [0.1, 0.2], (0.1, 0.2)),
        ("cell_options", MappingProxyType({"peephole": True}), {"peephole": True}),
        ("cell_options", {"forget_bias": None}, {"forget_bias": None}),
        ("embedding_size", None, None),
    ],
)
def test_valid_options_are_accepted(name: str, value: Any, expected: Any) -> None:
    assert getattr(network(**{name: value}), name) == expected


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"hiden_size": 5}, "unknown network option 'hiden_size'; did you mean 'hidden_size'?"),
        ({"num_layer": 2, "dropout": 2}, "unknown network option 'num_layer'; did you mean"),
        ({"activation": "rellu"}, "unknown activation 'rellu'; did you mean 'relu'? Known act"),
        ({"pooling": None}, "unknown pooling None. Known poolings: attention, last, max, mean."),
        ({"dropout": 1}, "dropout must lie in [0, 1), got 1."),
        ({"dropout": "a"}, "dropout must lie in [0, 1), got 'a'."),
        ({"dropout": True}, "dropout must lie in [0, 1), got True."),
        ({"dropout": math.nan}, "dropout must lie in [0, 1), got nan."),
        ({"zoneout": (0.1, 1.2)}, "zoneout must lie in [0, 1), or be a list of such numbers, one"),
        ({"num_layers": 0}, "num_layers must be a whole number of at least 1, got 0."),
        ({"embedding_size": 2.0}, "embedding_size must be a whole number of at least 1, got 2.0."),
        ({"delay": -1}, "delay must be a whole number of at least 0, got -1."),
        ({"hidden_size": [5, 0]}, "hidden_size must be a whole number from 1 up, or a list with"),
        ({"hidden_size": "5"}, "or a list with one a layer, got '5'."),
        ({"head": 4}, "head must be a list of whole numbers from 1 up, got 4."),
        ({"head": [4, 0]}, "head must be a list of whole numbers from 1 up, got [4, 0]."),
        ({"layer_norm": "no"}, "layer_norm must be True or False, got 'no'."),
        ({"cell": None}, "cell must be a string, got None."),
        (
            {"cell_options": {"x": [1]}},
            "cell_options must be true, false, a number or a string, got",
        ),
    ],
)
def test_a_wrong_option_is_refused_in_words(options: dict[str, Any], words: str) -> None:
    with pytest.raises(OptionError) as refused:
        network(**options)
    assert words in str(refused.value)


def test_an_option_of_the_decoder_is_named_with_its_part() -> None:
    with pytest.raises(OptionError, match=r"decoder.scheduled_sampling must lie in \[0, 1\), got"):
        checked_options(DecoderSpec, {"scheduled_sampling": 1.0}, "decoder")
    with pytest.raises(OptionError, match="unknown decoder option 'atention'; did you mean 'atte"):
        checked_options(DecoderSpec, {"atention": "dot"}, "decoder")


def test_a_probability_for_each_part_of_a_state_survives_a_round_trip_through_toml() -> None:
    experiment = Experiment.from_toml("[data]\n[network]\nzoneout = [0.1, 0.2]\n")
    assert experiment.network.zoneout == (0.1, 0.2)
    assert Experiment.from_toml(experiment.to_toml()) == experiment
