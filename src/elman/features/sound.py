"""Reading sounds from files, bytes and arrays."""

from __future__ import annotations

import io
import math
import os
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from elman.data import limits
from elman.data.paths import found_file
from elman.errors import DataError, counted, import_extra
from elman.features.checks import missing, shown

SIXTEEN_BITS = 32_768

_BYTES_A_SAMPLE = 3 * 8
"""Memory that a sample takes: as read, averaged over channels, and resampled or standardised."""

_TAPS = 20
"""Length of the low-pass filter of `scipy.signal.resample_poly`, as a multiple of the factor."""


class Sound(NamedTuple):
    """Samples from −1 to 1, (N, channels), and the sample rate, None if unknown."""

    samples: NDArray[np.float64]
    rate: int | None


def read_sound(value: Any) -> Sound:
    """Read a sound.

    A value is a path, or the bytes of a file, in a format that libsndfile reads (WAV, FLAC, OGG …;
    8 to 32 bits); a pair of samples and sample rate; a mapping with `array` and `sampling_rate`,
    or `bytes` or `path`, as in Hugging Face's data sets; or only samples, (N,) or (N, channels).
    Whole numbers are scaled to −1 … 1 by the width of their type; those without a width, in lists,
    count as 16 bits.

    Raises:
        DataError: the value is no sound, cannot be read, or would take more memory than
            `data.limits` allows.
    """
    if isinstance(value, Mapping):
        value = _from_mapping(value)
    if missing(value):
        raise DataError("the sound is missing; leave the row out.")
    if isinstance(value, str | os.PathLike):
        return _from_file(found_file(value, "sound").read_bytes(), str(value))
    if isinstance(value, bytes | bytearray | memoryview):
        return _from_file(bytes(value), f"the sound of {len(value)} bytes")
    if isinstance(value, tuple) and len(value) == 2 and np.ndim(value[0]) and not np.ndim(value[1]):
        samples, rate = value
        if isinstance(rate, bool) or not isinstance(rate, int | np.integer) or rate < 1:
            raise DataError(
                f"a sample rate must be a whole number of samples a second, got {shown(rate)}."
            )
        return Sound(_from_array(samples), int(rate))
    return Sound(_from_array(value), None)


def resample(samples: NDArray[np.float64], rate: int, new_rate: int) -> NDArray[np.float64]:
    """Resample samples, (N, channels), to a new rate with a polyphase low-pass filter.

    Raises:
        DataError: it would take more memory than `data.limits` allows, as for rates so far apart
            that one of them must be wrong.
    """
    if rate == new_rate or not len(samples):
        return samples
    signal = import_extra("scipy.signal", "audio", "resampling a sound")
    divisor = math.gcd(rate, new_rate)
    up, down = new_rate // divisor, rate // divisor
    taps = _TAPS * max(up, down)
    resampled_size = samples.size * up // down
    limits.check(
        _BYTES_A_SAMPLE * (taps + resampled_size),
        f"resampling a sound of {len(samples):,} samples from {rate:,} to {new_rate:,} Hz",
    )
    resampled: NDArray[np.float64] = signal.resample_poly(samples, up, down)
    return resampled


def _from_mapping(value: Mapping[str, Any]) -> Any:
    """Return the samples and rate, bytes or path in a mapping."""
    if "array" in value and "sampling_rate" in value:
        return np.asarray(value["array"]), value["sampling_rate"]
    for key in ("bytes", "path"):
        if not missing(value.get(key)):
            return value[key]
    raise DataError(
        f"a sound must have 'array' and 'sampling_rate', or 'bytes', or 'path', got {shown(value)}."
    )


def _from_file(content: bytes, name: str) -> Sound:
    """Read the bytes of a file."""
    soundfile = import_extra("soundfile", "audio", "reading a sound file")
    try:
        with soundfile.SoundFile(_Content(content)) as file:
            frames, channels, rate = file.frames, file.channels, int(file.samplerate)
            limits.check(
                _BYTES_A_SAMPLE * frames * channels,
                f"{name}, which claims {frames:,} samples in {counted(channels, 'channel')},",
            )
            samples = file.read(dtype="float64", always_2d=True)
    except soundfile.SoundFileError as error:
        raise DataError(
            f"{name} cannot be read as a sound ({error}); replace it, or leave the row out."
        ) from error
    _check_finite(samples)
    return Sound(samples, rate)


class _Content(io.BytesIO):
    """The bytes of a file, which a damaged header cannot move before their begin."""

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        # libsndfile calls this from C, where an exception ends in a traceback on stderr.
        begin = {io.SEEK_SET: 0, io.SEEK_CUR: self.tell()}.get(whence, len(self.getbuffer()))
        return super().seek(max(0, begin + offset))


def _from_array(value: Any) -> NDArray[np.float64]:
    """Check samples and convert them to (N, channels), −1 … 1."""
    try:
        array = np.asarray(value)
    except ValueError:
        raise DataError(f"a sound must be (N,) or (N, channels), got {shown(value)}.") from None
    if array.dtype.kind not in "iuf" or array.ndim not in {1, 2}:
        raise DataError(
            f"a sound must be a path, bytes, samples (N,) or (N, channels), or a pair of samples "
            f"and rate, got {shown(value)}."
        )
    samples = _amplitude(array)
    _check_finite(samples)
    return samples[:, None] if samples.ndim == 1 else samples


def _check_finite(samples: NDArray[np.float64]) -> None:
    """Refuse samples that are no number, or infinite."""
    if not np.isfinite(samples).all():
        step = int(np.argwhere(~np.isfinite(samples))[0, 0])
        raise DataError(
            f"a sound must hold only finite numbers, got {samples[step]} at sample {step}."
        )


def _amplitude(array: NDArray[Any]) -> NDArray[np.float64]:
    """Scale samples to −1 … 1, by their type; 8 bits are unsigned, as in WAV files."""
    if array.dtype.kind == "f":
        return array.astype(np.float64)
    if array.dtype == np.uint8:
        return (array.astype(np.float64) - 128) / 128
    if array.dtype.itemsize < 8:
        return array.astype(np.float64) / 2.0 ** (8 * array.dtype.itemsize - 1)
    if array.size and np.abs(array).max() > SIXTEEN_BITS:
        raise DataError(
            f"samples that are whole numbers without a width count as 16 bits, −32768 … 32767, "
            f"got {array.flat[int(np.abs(array).argmax())]}; give them as floats from −1 to 1."
        )
    return array.astype(np.float64) / SIXTEEN_BITS
