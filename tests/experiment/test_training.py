"""Training settings: no setting is accepted and then ignored."""

from __future__ import annotations

import random
from typing import Any

import numpy as np
import pytest
import torch
from pydantic import ValidationError

from elman.experiment.training import GREATEST_SEED, TrainingSettings


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"momentum": 0.9}, "momentum = 0.9 has no effect with optimizer = 'adam'; choose"),
        ({"plateau_factor": 0.1}, "choose schedule = 'plateau', or leave plateau_factor out"),
        ({"plateau_patience": 3, "schedule": "cosine"}, "no effect with schedule = 'cosine'"),
        ({"minimum_learning_rate": 1e-5}, "choose schedule = 'cosine' or 'plateau'"),
        ({"carry_state": False}, "no effect with chunk_length = 0"),
        ({"decay_embeddings": False}, "no effect with weight_decay = 0"),
        ({"average_decay": 0.9, "average_patience": 5}, "both average the weights; choose one"),
        (
            {"schedule": "cosine", "minimum_learning_rate": 1.0},
            "must lie below learning_rate = 0.003",
        ),
    ],
)
def test_a_setting_that_would_be_ignored_is_refused(values: dict[str, Any], words: str) -> None:
    with pytest.raises(ValidationError, match=words):
        TrainingSettings(**values)


@pytest.mark.parametrize(
    "values",
    [
        {"momentum": 0.9, "optimizer": "sgd"},
        {"momentum": 0.9, "optimizer": "rmsprop"},
        {"plateau_factor": 0.1, "plateau_patience": 3, "schedule": "plateau"},
        {"minimum_learning_rate": 1e-5, "schedule": "cosine"},
        {"carry_state": False, "chunk_length": 10},
        {"decay_embeddings": False, "weight_decay": 0.1},
        {"average_patience": 5},
        {"select": "score"},
    ],
)
def test_a_setting_is_accepted_if_it_has_an_effect(values: dict[str, Any]) -> None:
    settings = TrainingSettings(**values)
    assert {name: getattr(settings, name) for name in values} == values


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("epochs", 0),
        ("batch_size", 0),
        ("learning_rate", 0.0),
        ("learning_rate", float("inf")),
        ("clip_norm", -1.0),
        ("average_decay", 1.0),
        ("average_patience", -1),
        ("activation_regularisation", -1.0),
        ("temporal_activation_regularisation", float("inf")),
        ("max_minutes", -1.0),
        ("select", "accuracy"),
        ("augment_transpose", 13),
        ("epochs", "3"),
    ],
)
def test_a_value_out_of_range_is_refused(name: str, value: Any) -> None:
    with pytest.raises(ValidationError, match=name):
        TrainingSettings(**{name: value})


def test_the_greatest_seed_is_the_greatest_of_every_generator() -> None:
    random.Random(GREATEST_SEED)
    torch.Generator().manual_seed(GREATEST_SEED)
    np.random.RandomState(GREATEST_SEED)
    with pytest.raises(ValueError, match="Seed must be between 0 and"):
        np.random.RandomState(GREATEST_SEED + 1)
