"""Files of tensors and JSON: written whole or not at all, and checked when read.

A file is a safetensors file whose header carries a JSON document and a checksum of the tensors.
Nothing is ever pickled.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import safetensors
import safetensors.torch
import torch
from torch import Tensor, nn

from elman.errors import CheckpointError
from elman.files import parse_json, write_atomically

FORMAT = "elman 1"
"""Name and version of the file's layout, in its header."""

_HEADER = "elman"


class Checkpoint(NamedTuple):
    """What one file holds."""

    tensors: dict[str, Tensor]
    facts: dict[str, Any]
    """A JSON document."""
    checksum: int
    """CRC-32 of the tensors."""


def save_checkpoint(path: Path, tensors: Mapping[str, Tensor], facts: Mapping[str, Any]) -> int:
    """Write tensors and facts to one file, atomically, and wait until it is on the disk.

    Args:
        path: the file, `*.safetensors` by convention.
        tensors: of any type and device.
        facts: a JSON document.

    Returns:
        The checksum, which `load_checkpoint` checks.
    """
    # Clones: safetensors refuses tensors that share memory, as tied weights do.
    owned = {name: tensor.detach().cpu().contiguous().clone() for name, tensor in tensors.items()}
    checksum = _checksum(owned)
    header = {"format": FORMAT, "checksum": checksum, "facts": dict(facts)}
    # One entry only: safetensors writes several in an order that changes from process to process.
    content = safetensors.torch.save(owned, metadata={_HEADER: json.dumps(header)})
    write_atomically(path, content, durable=True)
    return checksum


def load_checkpoint(path: Path) -> Checkpoint:
    """Read a file that `save_checkpoint` wrote.

    Raises:
        CheckpointError: the file is missing, truncated, corrupt or not Elman's.
    """
    if not path.is_file():
        raise CheckpointError(f"there is no checkpoint {path}.")
    try:
        with safetensors.safe_open(path, framework="pt") as file:
            text = (file.metadata() or {}).get(_HEADER, "{}")
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except (safetensors.SafetensorError, OSError) as error:
        raise CheckpointError(
            f"{path} is truncated or corrupt ({error}); restore it from a copy, or train again in "
            "another directory."
        ) from error
    header = parse_json(text, path)
    if header.get("format") != FORMAT:
        raise CheckpointError(
            f"{path} is a safetensors file, but not one of Elman's: its header must say "
            f"format = {FORMAT!r}, got {header.get('format')!r}."
        )
    checksum = _checksum(tensors)
    if checksum != header["checksum"]:
        raise CheckpointError(
            f"{path} is corrupt: its tensors do not match their checksum; restore it from a copy, "
            "or train again in another directory."
        )
    return Checkpoint(tensors, header["facts"], checksum)


def load_weights(module: nn.Module, weights: Mapping[str, Tensor], *, origin: Path) -> None:
    """Load weights into a module whose weights have these names and shapes exactly.

    Args:
        module: the network to fill.
        weights: name → tensor.
        origin: the file they were read from, named in errors.

    Raises:
        CheckpointError: see `check_weights`.
    """
    check_weights(module, weights, origin=origin)
    module.load_state_dict(dict(weights))


def check_weights(module: nn.Module, weights: Mapping[str, Tensor], *, origin: Path) -> None:
    """Check that weights have the names, shapes and kinds of numbers of those of a module.

    Args:
        module: a network; one on the device `meta`, which takes no memory, will do.
        weights: name → tensor.
        origin: the file they were read from, named in errors.

    Raises:
        CheckpointError: a weight is missing, left over, of another shape or of whole numbers where
            the network computes with fractions; the first is named.
    """
    own = module.state_dict()
    for name in sorted(own.keys() | weights.keys()):
        if name not in weights:
            raise CheckpointError(f"{origin} does not fit this network: it has no {name!r}.")
        if name not in own:
            raise CheckpointError(
                f"{origin} does not fit this network: the network has no {name!r}."
            )
        if own[name].shape != weights[name].shape:
            raise CheckpointError(
                f"{origin} does not fit this network: {name!r} must be "
                f"{tuple(own[name].shape)}, got {tuple(weights[name].shape)}."
            )
        if own[name].is_floating_point() != weights[name].is_floating_point():
            raise CheckpointError(
                f"{origin} does not fit this network: {name!r} must be {own[name].dtype}, got "
                f"{weights[name].dtype}."
            )


def _checksum(tensors: Mapping[str, Tensor]) -> int:
    """CRC-32 over names, types, shapes and bytes, in the order of the names."""
    checksum = 0
    for name in sorted(tensors):
        tensor = tensors[name]
        label = f"{name} {tensor.dtype} {tuple(tensor.shape)}"
        checksum = zlib.crc32(label.encode(), checksum)
        checksum = zlib.crc32(tensor.reshape(-1).view(torch.uint8).numpy().tobytes(), checksum)
    return checksum
