"""Runs of several networks that each hold out other rows, and answer together."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import elman
from elman.networks.ensemble import Ensemble
from elman.prediction.predictors import predictor_of
from elman.runs.fitting import joined
from elman.training.history import EpochRecord, History

SETTINGS: dict[str, Any] = {
    "target": "label",
    "folds": 3,
    "epochs": 3,
    "hidden_size": 5,
    "convolutions": [{"channels": 4, "kernel": 3}],
    "own_scale": True,
    "average_decay": 0.0,
}


def table(rows: int = 36) -> dict[str, Any]:
    random = np.random.default_rng(1)
    return {
        "x": [
            random.normal(row % 2, 1, int(random.integers(3, 9))).tolist() for row in range(rows)
        ],
        "label": ["low", "high"] * (rows // 2),
    }


def trained(out: Path, source: Any = None, **settings: Any) -> Any:
    given = SETTINGS | settings
    return elman.train(table() if source is None else source, out=out, **given)


def same_weights(one: Any, other: Any) -> bool:
    there = other.network.state_dict()
    return all(
        torch.equal(weight, there[name]) for name, weight in one.network.state_dict().items()
    )


@pytest.mark.usefixtures("pages")
def test_a_run_leaves_an_ensemble_a_report_and_a_model_that_loads(tmp_path: Path) -> None:
    model = trained(tmp_path / "run")
    assert isinstance(model.network, Ensemble)
    assert len(model.network.members) == 3
    page = (tmp_path / "run" / "report.html").read_text(encoding="utf-8")
    assert "3 networks that answer together, each: convolutions of 4 channels" in page
    loaded = elman.load(tmp_path / "run")
    assert same_weights(model, loaded)
    assert loaded.predict(table()["x"][:3]) == model.predict(table()["x"][:3])
    lines = (tmp_path / "run" / "metrics.jsonl").read_text().splitlines()
    assert [json.loads(line)["epoch"] for line in lines] == [1, 2, 3]


def test_a_validation_row_is_answered_by_the_network_that_has_not_seen_it(tmp_path: Path) -> None:
    """Each network memorises its rows: on these it is right, on the others it guesses."""
    random = np.random.default_rng(3)
    data = {
        "x": [random.normal(size=9).tolist() for _ in range(24)],
        "label": ["low", "high"] * 12,
    }
    options = {"epochs": 30, "hidden_size": 24, "learning_rate": 0.03, "output_dropout": 0.0}
    quiet = {"augment_jitter": 0.0, "augment_scale": 0.0, "augment_shift": 0.0}
    options |= {"convolution_dropout": 0.0, "weight_decay": 0.0, "test_fraction": 0.0, **quiet}
    model = trained(tmp_path / "run", data, **options)
    assert model.evaluate(data)["accuracy"] > 0.9
    held_out = json.loads((tmp_path / "run" / "result.json").read_text())["scores"]["valid"]
    assert held_out["count"] == 24
    assert held_out["values"]["accuracy"] < 0.75


def test_the_networks_hold_out_different_rows_and_differ(tmp_path: Path) -> None:
    model = trained(tmp_path / "run")
    first, second, _ = model.network.members
    assert not torch.equal(first.head.layers[0].weight, second.head.layers[0].weight)
    answers = predictor_of(model.task, first, model.experiment)
    assert answers.predict(model.table(table()["x"])).values


def test_an_interrupted_run_of_folds_resumes_to_the_same_weights(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from elman.training import trainer

    whole = trained(tmp_path / "whole")
    calls = 0
    save = trainer._Trainer._save

    def interrupted(run: Any, record: EpochRecord) -> None:
        nonlocal calls
        calls += 1
        if calls == 5:  # the second network, after its first epoch
            raise KeyboardInterrupt
        save(run, record)

    monkeypatch.setattr(trainer._Trainer, "_save", interrupted)
    with pytest.raises(KeyboardInterrupt):
        trained(tmp_path / "parts")
    assert (tmp_path / "parts" / "fold-2" / "metrics.jsonl").is_file()
    assert not (tmp_path / "parts" / "fold-3").exists()
    parts = elman.train(table(), out=tmp_path / "parts", resume=True, **SETTINGS)
    assert same_weights(whole, parts)


def test_a_limit_of_minutes_is_shared_by_the_networks(tmp_path: Path) -> None:
    trained(tmp_path / "run", epochs=400, max_minutes=1e-6)
    result = json.loads((tmp_path / "run" / "result.json").read_text())
    assert result["epochs"] == 1
    assert len(list((tmp_path / "run").glob("fold-*"))) == 3


def test_a_number_a_series_is_averaged_over_folds_too(tmp_path: Path) -> None:
    data = table()
    data["label"] = [float(np.mean(x)) for x in data["x"]]
    model = trained(tmp_path / "run", data)
    assert isinstance(model.network, Ensemble)
    assert np.isfinite(model.evaluate(data)["rmse"])


def test_joined_histories_are_the_means_of_the_epochs_that_all_have_done() -> None:
    def history(losses: list[float], **more: Any) -> History:
        records = [
            EpochRecord(epoch=k, seconds=k, train_loss=x, valid_loss=2 * x, learning_rate=0.1)
            for k, x in enumerate(losses, start=1)
        ]
        return History(select="last", epochs=tuple(records), **more)

    both = joined([history([1.0, 3.0]), history([2.0, 5.0, 9.0], halvings=2)])
    assert [record.train_loss for record in both.epochs] == [1.5, 4.0]
    assert [record.valid_loss for record in both.epochs] == [3.0, 8.0]
    assert [record.seconds for record in both.epochs] == [2, 4]
    assert both.halvings == 2
    assert both.best.epoch == 2
