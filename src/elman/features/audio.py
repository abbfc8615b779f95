"""Sounds, as log-mel frames or as samples."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any, ClassVar, Literal, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from elman.data import limits
from elman.errors import DataError, OptionError
from elman.features.checks import check_choice, check_whole, fitted
from elman.features.feature import Encoding, Feature, SeriesInput
from elman.features.scaling import Floats, Moments, Scaling
from elman.features.sound import Sound, read_sound, resample
from elman.features.spectrogram import log_mel
from elman.features.state import feature_state, options_of, restore

VIEWS = ("log-mel", "samples")
MELS = 40
WINDOW_MS = 25.0
HOP_MS = 10.0

_BYTES_A_NUMBER = 40
"""Memory that a number in the windows of a sound takes: cut, transformed, squared and weighted."""


class _Learned(NamedTuple):
    sample_rate: int
    channels: int
    scaling: Scaling


class AudioFeature(Feature):
    """A sound as a sequence of log-mel frames or of samples, each column standardised.

        view="log-mel"   y = (log-mel − mean) / sd, by band; (T, mels), see `spectrogram.log_mel`
        view="samples"   y = (x − mean) / sd, by channel; (N, channels), x from −1 to 1

    Values are whatever `sound.read_sound` reads: paths to WAV and FLAC files, bytes, pairs of
    samples and sample rate, samples. Channels are averaged, unless `channels="each"` keeps them
    apart. A sound at another sample rate is resampled. A sound without samples has no steps.

    Args:
        sample_rate: sample rate in Hz; by default that of the first training sound.
        view: log-mel frames or samples, as above.
        channels: `mean`, or `each`, which needs view="samples".
        mels, window_ms, hop_ms: number of mel bands, window length and hop length in milliseconds,
            for log-mel frames; by default 40, 25 and 10.

    Raises:
        OptionError: an option is out of range, or contradicts another.
    """

    kind: ClassVar[str] = "audio"
    has_steps: ClassVar[bool] = True
    plural: ClassVar[str] = "sounds"
    variants: ClassVar[Mapping[str, Mapping[str, Any]]] = {
        "log-mel": {"view": "log-mel"},
        "samples": {"view": "samples"},
    }
    objectives: ClassVar[tuple[str, ...]] = ("step-regression",)
    target_variant: ClassVar[str] = "audio:samples"
    reads_files: ClassVar[bool] = True
    is_sound: ClassVar[bool] = True

    def __init__(
        self,
        *,
        sample_rate: int | None = None,
        view: Literal["log-mel", "samples"] = "log-mel",
        channels: Literal["mean", "each"] = "mean",
        mels: int | None = None,
        window_ms: float | None = None,
        hop_ms: float | None = None,
    ) -> None:
        check_choice("view", view, VIEWS)
        check_choice("channels", channels, ("mean", "each"))
        if sample_rate is not None:
            check_whole("sample_rate", sample_rate, least=1)
        if mels is not None:
            check_whole("mels", mels, least=1)
        for option, value in (("window_ms", window_ms), ("hop_ms", hop_ms)):
            if value is not None and not value > 0:
                raise OptionError(f"{option} must be more than 0 milliseconds, got {value!r}.")
        if view == "samples" and not mels == window_ms == hop_ms is None:
            raise OptionError("mels, window_ms and hop_ms are for view='log-mel'; leave them out.")
        if view == "log-mel" and channels == "each":
            raise OptionError(
                "channels='each' needs view='samples'; log-mel frames have one channel."
            )
        self.sample_rate = sample_rate
        self.view = view
        self.channels = channels
        self.mels = mels
        self.window_ms = window_ms
        self.hop_ms = hop_ms
        self.notes: list[str] = []
        self._learned: _Learned | None = None

    @property
    def encoding(self) -> Encoding:
        """One number for each band or channel."""
        return Encoding(numbers=len(fitted(self._learned, self.kind).scaling.mean))

    @property
    def scaled_numbers(self) -> int:
        """All numbers of a step."""
        return self.encoding.numbers

    @property
    def description(self) -> str:
        """What a value is, in words."""
        rate, channels, _ = fitted(self._learned, self.kind)
        if self.view == "log-mel":
            return f"log-mel frames of sound ({self.mels or MELS} bands, {rate} Hz)"
        apart = f" in {channels} channels" if channels > 1 else ""
        return f"samples of sound{apart} ({rate} Hz)"

    def fit(self, values: Iterable[Any]) -> AudioFeature:
        """Learn sample rate, channels and scale from the training sounds.

        Raises:
            DataError: a sound cannot be read, the sample rate is unknown, or no sound has a sample.
        """
        moments: Moments | None = None
        exceptions: Counter[str] = Counter()
        rate, channels, sounds = self.sample_rate, 1, 0
        for value in values:
            sound = read_sound(value)
            if rate is None:
                rate = _required(sound.rate)
            if moments is None and self.channels == "each":
                channels = sound.samples.shape[1]
            if sound.rate not in {None, rate}:
                exceptions[f"are resampled to {rate} Hz"] += 1
            if self.channels == "mean" and sound.samples.shape[1] > 1:
                exceptions["have several channels, which are averaged"] += 1
            steps = self._steps(sound, rate, channels)
            exceptions["have no samples"] += not len(steps)
            moments = moments or Moments(steps.shape[1])
            moments.add(steps)
            sounds += 1
        if moments is None or rate is None:
            raise DataError("there are no training sounds; at least one is needed.")
        if not moments.count.any():
            raise DataError(f"none of the {sounds} training sounds has a sample.")
        noun = "band" if self.view == "log-mel" else "channel"
        subjects = [f"{noun} {place}" for place in range(len(moments.mean))]
        scaling, notes = moments.scaling("standard", subjects)
        counts = [f"{n} of {sounds} sounds {what}." for what, n in exceptions.items() if n]
        self.notes = counts + notes
        self._learned = _Learned(rate, channels, scaling)
        return self

    def encode(self, value: Any) -> Tensor:
        """Turn a sound into floats, (T, I), float32.

        Raises:
            DataError: the sound cannot be read, or has another number of channels than in training.
        """
        rate, channels, scaling = fitted(self._learned, self.kind)
        steps = self._steps(read_sound(value), rate, channels)
        return torch.from_numpy(((steps - scaling.mean) / scaling.sd).astype(np.float32))

    def decode(self, encoded: Tensor) -> NDArray[np.float64]:
        """Turn floats, (T, I), back into log-mel frames, (T, mels), or samples.

        Returns:
            Samples are (N,) if there is one channel, else (N, channels).
        """
        scaling = fitted(self._learned, self.kind).scaling
        steps = scaling.decode(encoded.detach().cpu().double().numpy())
        return steps[:, 0] if self.view == "samples" and steps.shape[1] == 1 else steps

    @classmethod
    def check_target(cls, options: Mapping[str, Any]) -> None:
        """Refuse log-mel frames as a target; samples can be predicted."""
        if options.get("view") != "samples":
            raise OptionError(
                "log-mel frames cannot be predicted; set view='samples' (audio:samples)."
            )

    def shown(self, value: Any) -> SeriesInput:
        """Show the samples of a sound as a line."""
        return SeriesInput(read_sound(value).samples)

    def to_json(self) -> dict[str, Any]:
        """Describe the feature in JSON values, for `from_json`."""
        learned = fitted(self._learned, self.kind)
        return feature_state(
            self.kind, options_of(self), {**learned._asdict(), "scaling": learned.scaling.to_json()}
        )

    @classmethod
    def from_json(cls, state: Mapping[str, Any]) -> AudioFeature:
        """Restore a feature from `to_json`.

        Raises:
            DataError: the state is malformed.
        """
        feature, learned = restore(
            cls, state, {"sample_rate": int, "channels": int, "scaling": dict}
        )
        scaling = Scaling.from_json(learned["scaling"], cls.kind)
        feature._learned = _Learned(**{**learned, "scaling": scaling})
        return feature

    def _steps(self, sound: Sound, rate: int, channels: int) -> Floats:
        """Turn a sound into unscaled frames or samples."""
        samples = sound.samples
        if self.channels == "mean":
            samples = samples.mean(axis=1, keepdims=True)
        elif samples.shape[1] != channels:
            raise DataError(
                f"a sound must have {channels} channels, like the first training sound, got "
                f"{samples.shape[1]}; correct it, or set channels='mean'."
            )
        samples = resample(samples, sound.rate or rate, rate)
        if self.view == "samples":
            return samples
        mels = self.mels or MELS
        window = max(1, round(rate * (self.window_ms or WINDOW_MS) / 1000))
        hop = max(1, round(rate * (self.hop_ms or HOP_MS) / 1000))
        numbers = (len(samples) // hop + mels) * window
        limits.check(
            _BYTES_A_NUMBER * numbers,
            f"log-mel frames of {len(samples):,} samples at {rate:,} Hz, {window:,} samples a "
            "window,",
        )
        frames = log_mel(torch.from_numpy(samples[:, 0]), rate, mels=mels, window=window, hop=hop)
        return frames.numpy()


def _required(rate: int | None) -> int:
    """Refuse samples without a sample rate."""
    if rate is None:
        raise DataError(
            "these samples have no sample rate; set the option sample_rate, or give pairs of "
            "samples and rate."
        )
    return rate
