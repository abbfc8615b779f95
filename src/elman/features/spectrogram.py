"""Log-mel frames: the energy of a sound in each frequency band, window by window."""

from __future__ import annotations

import functools

import torch
from torch import Tensor

from elman.errors import OptionError

LOWEST_FREQUENCY = 20.0
"""Lower limit of hearing in Hz."""

FLOOR = float(torch.finfo(torch.float32).eps)
"""Minimum energy of a band, so that silence has a logarithm, as in Kaldi."""


def log_mel(samples: Tensor, sample_rate: int, *, mels: int, window: int, hop: int) -> Tensor:
    """Compute log-mel frames of samples.

        frame(t) = samples[t · hop : t · hop + window] ⊙ hann
        P(t, f)  = |FFT(frame(t))(f)|²                       zero-padded to a power of two
        E(t, m)  = max(Σ_f w(m, f) P(t, f), ε)               triangles in mel, see `mel_filters`
        y(t, m)  = log E(t, m)

    A frame starts every `hop` samples and lies within the sound; a sound shorter than a window is
    padded with silence. Computed in float64.

    Args:
        samples: −1 … 1, (N,).
        sample_rate: sample rate in Hz.
        mels: number of mel bands.
        window: window length in samples.
        hop: number of samples between the starts of two windows.

    Returns:
        (T, mels), float64; T = 1 + ⌊(N − window) / hop⌋, or 0 without samples.

    Source: Davis & Mermelstein 1980, doi:10.1109/TASSP.1980.1163420, without their cosine
    transform; window, filters and floor as in Kaldi, without its dither and pre-emphasis.
    """
    if not len(samples):
        return torch.zeros(0, mels, dtype=torch.float64)
    samples = samples.double()
    if len(samples) < window:
        samples = torch.nn.functional.pad(samples, (0, window - len(samples)))
    size = 1 << (window - 1).bit_length()
    hann = torch.hann_window(window, periodic=False, dtype=torch.float64)
    frames = samples.unfold(0, window, hop) * hann
    power = torch.fft.rfft(frames, n=size).abs().square()
    energies = power @ mel_filters(sample_rate, mels, size)
    log_energies: Tensor = energies.clamp(min=FLOOR).log()
    return log_energies


@functools.cache
def mel_filters(sample_rate: int, mels: int, size: int) -> Tensor:
    """Return the weights of overlapping triangles, evenly spaced in mel from 20 Hz up.

        mel(f)   = 1127 ln(1 + f / 700)
        w(m, f)  rises from 0 to 1 between the middles of bands m − 1 and m, falls to 0 at m + 1

    Args:
        sample_rate: sample rate in Hz; the last triangle ends at half of it.
        mels: number of triangles.
        size: length of the Fourier transform in samples.

    Returns:
        (size / 2 + 1, mels), float64.

    Raises:
        OptionError: a triangle is so narrow that it contains no frequency of the transform.
    """
    bins = _mel(torch.arange(size // 2 + 1, dtype=torch.float64) * sample_rate / size)
    low, high = _mel(torch.tensor([LOWEST_FREQUENCY, sample_rate / 2], dtype=torch.float64))
    edges = low + (high - low) / (mels + 1) * torch.arange(mels + 2, dtype=torch.float64)
    rising = (bins[:, None] - edges[:-2]) / (edges[1:-1] - edges[:-2])
    falling = (edges[2:] - bins[:, None]) / (edges[2:] - edges[1:-1])
    weights = torch.minimum(rising, falling).clamp(min=0)
    if not weights.any(dim=0).all():
        raise OptionError(
            f"mels={mels} bands are too narrow for {size} samples at {sample_rate} Hz: one "
            f"contains no frequency. Use fewer bands, or a longer window."
        )
    return weights


def _mel(frequency: Tensor) -> Tensor:
    """Convert Hz to mel (O'Shaughnessy 1987)."""
    return 1127 * torch.log1p(frequency / 700)
