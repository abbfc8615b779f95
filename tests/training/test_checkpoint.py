"""Checkpoints: what goes in comes out, and every fault of a file is named."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import safetensors.torch
import torch
from torch import nn

from elman.errors import CheckpointError
from elman.files import read_json, write_atomically
from elman.training import checkpoint
from elman.training.checkpoint import load_checkpoint, load_weights, save_checkpoint


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    path = tmp_path / "some" / "where.safetensors"
    tensors = {
        "a": torch.randn(3, 5),
        "b": torch.tensor(7, dtype=torch.int64),
        "half": torch.randn(2).bfloat16(),
        "none": torch.zeros(0, 3),
    }
    save_checkpoint(path, tensors, {"epoch": 3, "rate": 0.1, "names": ["x", None]})
    return path


def test_what_goes_in_comes_out_bit_for_bit(tmp_path: Path) -> None:
    path = tmp_path / "x.safetensors"
    shared = torch.randn(4, 3)
    tensors = {"a": shared, "tied": shared, "turned": shared.T, "one": torch.tensor(3.5).double()}
    facts = {"loss": 0.1 + 0.2, "history": [{"epoch": 1}], "none": None}
    checksum = save_checkpoint(path, tensors, facts)
    loaded = load_checkpoint(path)
    assert loaded.facts == facts
    assert loaded.checksum == checksum
    assert loaded.tensors.keys() == tensors.keys()
    for name, tensor in tensors.items():
        assert loaded.tensors[name].dtype == tensor.dtype
        assert torch.equal(loaded.tensors[name], tensor)


def test_the_same_content_gives_the_same_bytes(tmp_path: Path) -> None:
    for name in ("a", "b"):
        tensors = {"x": torch.ones(3), "y": torch.zeros(2, 5)}
        save_checkpoint(tmp_path / name, tensors, {"epoch": 1, "rate": 0.5})
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_a_missing_checkpoint_is_said_to_be_missing(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match=r"there is no checkpoint .*gone\.safetensors"):
        load_checkpoint(tmp_path / "gone.safetensors")


@pytest.mark.parametrize("kept", [0, 5, 200, -1])
def test_a_truncated_checkpoint_is_said_to_be_truncated(saved: Path, kept: int) -> None:
    saved.write_bytes(saved.read_bytes()[:kept])
    with pytest.raises(CheckpointError, match=r"truncated or corrupt .*in another directory"):
        load_checkpoint(saved)


def test_one_flipped_bit_of_a_tensor_is_found(saved: Path) -> None:
    content = bytearray(saved.read_bytes())
    content[-1] ^= 1
    saved.write_bytes(content)
    with pytest.raises(CheckpointError, match="tensors do not match their checksum"):
        load_checkpoint(saved)


def test_a_safetensors_file_of_something_else_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "x.safetensors"
    safetensors.torch.save_file({"a": torch.zeros(2)}, path)
    with pytest.raises(CheckpointError, match=r"not one of Elman's.*got None"):
        load_checkpoint(path)


def test_a_write_that_fails_leaves_the_old_file_and_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "x.json"
    write_atomically(path, b"old")

    def fail(_: Path, target: Path) -> Path:
        raise OSError(f"no room for {target}")

    monkeypatch.setattr(Path, "replace", fail)
    with pytest.raises(OSError, match="no room"):
        write_atomically(path, b"new")
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda w: w.pop("bias"), "it has no 'bias'"),
        (lambda w: w.update(extra=torch.zeros(1)), "the network has no 'extra'"),
        (lambda w: w.update(weight=torch.zeros(2, 5)), r"'weight' must be \(2, 3\), got \(2, 5\)"),
    ],
)
def test_weights_that_do_not_fit_are_named(
    change: Callable[[dict[str, torch.Tensor]], None], words: str
) -> None:
    module = nn.Linear(3, 2)
    weights = dict(nn.Linear(3, 2).state_dict())
    before = module.weight.clone()
    change(weights)
    with pytest.raises(CheckpointError, match=rf"here\.safetensors does not fit.*{words}"):
        load_weights(module, weights, origin=Path("here.safetensors"))
    assert torch.equal(module.weight, before)


def test_json_that_cannot_be_read_is_a_checkpoint_error(tmp_path: Path) -> None:
    path = tmp_path / "x.json"
    with pytest.raises(CheckpointError, match="there is no file"):
        read_json(path)
    for content, words in [(b'{"a": 1', "truncated"), (b"\xff", "cannot be read"), (b"[]", "list")]:
        path.write_bytes(content)
        with pytest.raises(CheckpointError, match=words):
            read_json(path)


def test_nothing_is_pickled() -> None:
    source = Path(checkpoint.__file__).parent
    for file in source.rglob("*.py"):
        text = file.read_text(encoding="utf-8")
        assert "import pickle" not in text
        assert "torch.load" not in text
