"""Sounds, as log-mel frames and as samples."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch

from elman.data.limits import VARIABLE
from elman.errors import DataError, OptionError
from elman.features.audio import AudioFeature
from elman.features.sound import read_sound, resample
from elman.features.spectrogram import log_mel, mel_filters

RATE = 8_000
NOISE = np.random.default_rng(4).normal(0, 0.1, 3_000).clip(-1, 1)


def content_of(samples: np.ndarray, kind: str = "WAV", subtype: str = "DOUBLE") -> bytes:
    buffer = io.BytesIO()
    soundfile.write(buffer, samples, RATE, format=kind, subtype=subtype)
    return buffer.getvalue()


def kaldi(samples: np.ndarray, mels: int) -> np.ndarray:
    """Kaldi's filter banks, computed by another library."""
    fbank = pytest.importorskip("kaldi_native_fbank")
    options = fbank.FbankOptions()
    options.frame_opts.samp_freq = RATE
    options.frame_opts.dither = 0
    options.frame_opts.preemph_coeff = 0
    options.frame_opts.remove_dc_offset = False
    options.frame_opts.window_type = "hanning"
    options.frame_opts.snip_edges = True
    options.mel_opts.num_bins = mels
    bank = fbank.OnlineFbank(options)
    bank.accept_waveform(RATE, samples.tolist())
    bank.input_finished()
    return np.stack([bank.get_frame(frame) for frame in range(bank.num_frames_ready)])


def test_log_mel_frames_are_kaldis() -> None:
    frames = log_mel(torch.from_numpy(NOISE), RATE, mels=23, window=200, hop=80)
    expected = kaldi(NOISE, 23)
    assert frames.shape == expected.shape == (36, 23)
    np.testing.assert_allclose(frames, expected, atol=2e-3)


def test_a_tone_is_loudest_in_its_own_band() -> None:
    filters = mel_filters(RATE, 40, 256)
    for frequency in (250, 1_000, 3_000):
        tone = torch.sin(2 * torch.pi * frequency * torch.arange(800, dtype=torch.float64) / RATE)
        frames = log_mel(tone, RATE, mels=40, window=200, hop=80)
        band = filters[round(frequency * 256 / RATE)].argmax()
        assert (frames.argmax(dim=1) == band).all()


def test_frames_are_counted_within_the_sound_and_a_short_one_is_filled_up() -> None:
    for samples, frames in ((0, 0), (1, 1), (199, 1), (200, 1), (279, 1), (280, 2), (3_000, 36)):
        sound = torch.from_numpy(NOISE[:samples])
        assert len(log_mel(sound, RATE, mels=10, window=200, hop=80)) == frames


def test_silence_has_a_logarithm() -> None:
    assert torch.isfinite(log_mel(torch.zeros(400), RATE, mels=10, window=200, hop=80)).all()


def test_bands_too_narrow_to_hold_a_frequency_are_refused() -> None:
    with pytest.raises(OptionError, match="mels=120 bands are too narrow for 256 samples at 8000"):
        AudioFeature(mels=120).fit([(NOISE, RATE)])


@pytest.mark.parametrize(
    ("kind", "subtype", "error"),
    [
        ("WAV", "PCM_U8", 1 / 128),
        ("WAV", "PCM_16", 1 / 32_768),
        ("WAV", "PCM_24", 1 / 2**23),
        ("WAV", "FLOAT", 1e-7),
        ("FLAC", "PCM_16", 1 / 32_768),
    ],
)
def test_files_of_every_width_hold_the_same_sound(
    tmp_path: Path, kind: str, subtype: str, error: float
) -> None:
    path = tmp_path / "noise.file"
    path.write_bytes(content_of(NOISE, kind, subtype))
    for holder in (path, str(path), path.read_bytes(), {"bytes": path.read_bytes(), "path": None}):
        sound = read_sound(holder)
        assert sound.rate == RATE
        np.testing.assert_allclose(sound.samples[:, 0], NOISE, atol=error)


@pytest.mark.parametrize(
    "samples",
    [
        (NOISE * 32_768).astype(np.int16),
        (NOISE * 2.0**31).astype(np.int32),
        (NOISE * 128 + 128).astype(np.uint8),
        (NOISE * 32_768).astype(int).tolist(),
        NOISE.tolist(),
        NOISE[:, None].astype(np.float32),
    ],
)
def test_samples_of_every_type_are_the_same_sound(samples: object) -> None:
    for holder in (samples, (samples, RATE), {"array": samples, "sampling_rate": RATE}):
        np.testing.assert_allclose(read_sound(holder).samples[:, 0], NOISE, atol=1 / 128)


def test_samples_are_standardised_and_come_back() -> None:
    feature = AudioFeature(view="samples").fit([(NOISE, RATE), (NOISE[:9], RATE)])
    every = np.concatenate([NOISE, NOISE[:9]])
    encoded = feature.encode((NOISE, RATE))
    np.testing.assert_allclose(
        encoded[:, 0], (NOISE - every.mean()) / every.std(), rtol=1e-4, atol=1e-6
    )
    np.testing.assert_allclose(feature.decode(encoded), NOISE, atol=1e-6)
    assert feature.description == "samples of sound (8000 Hz)"


def test_frames_are_standardised_band_by_band() -> None:
    feature = AudioFeature(mels=12).fit([(NOISE, RATE), (NOISE[:1_000] ** 2, RATE)])
    frames = torch.cat([feature.encode((NOISE, RATE)), feature.encode((NOISE[:1_000] ** 2, RATE))])
    np.testing.assert_allclose(frames.mean(dim=0), np.zeros(12), atol=1e-5)
    np.testing.assert_allclose(frames.std(dim=0, correction=0), np.ones(12), rtol=1e-4)
    assert feature.encoding.numbers == 12
    assert feature.description == "log-mel frames of sound (12 bands, 8000 Hz)"


def test_stereo_becomes_its_mean_and_is_noted_or_stays_apart() -> None:
    stereo = np.stack([NOISE, NOISE**2], axis=1)
    mean = AudioFeature(view="samples").fit([(stereo, RATE), (NOISE, RATE)])
    assert mean.notes == ["1 of 2 sounds have several channels, which are averaged."]
    assert torch.equal(mean.encode((stereo, RATE)), mean.encode((stereo.mean(axis=1), RATE)))
    apart = AudioFeature(view="samples", channels="each").fit([(stereo, RATE)])
    assert apart.encoding.numbers == 2
    np.testing.assert_allclose(apart.decode(apart.encode((stereo, RATE))), stereo, atol=1e-6)
    with pytest.raises(DataError, match=r"a sound must have 2 channels, .* got 1; correct it, or"):
        apart.encode((NOISE, RATE))


def test_a_sound_at_another_rate_is_resampled_and_noted() -> None:
    time = np.arange(4_000) / 16_000
    fast = np.sin(2 * np.pi * 440 * time)
    slow = np.sin(2 * np.pi * 440 * np.arange(2_000) / RATE)
    np.testing.assert_allclose(
        resample(fast[:, None], 16_000, RATE)[100:-100, 0], slow[100:-100], atol=2e-3
    )
    feature = AudioFeature(view="samples").fit([(slow, RATE), (fast, 16_000)])
    assert feature.notes == ["1 of 2 sounds are resampled to 8000 Hz."]
    assert len(feature.encode((fast, 16_000))) == 2_000


def test_samples_without_a_rate_are_at_the_rate_of_the_others_or_refused() -> None:
    feature = AudioFeature(sample_rate=RATE).fit([NOISE])
    assert torch.equal(feature.encode(NOISE), feature.encode((NOISE, RATE)))
    with pytest.raises(
        DataError, match=r"these samples have no sample rate; set the option sample_rate"
    ):
        AudioFeature().fit([NOISE])


def test_a_sound_without_samples_has_no_steps() -> None:
    feature = AudioFeature(mels=10).fit([(NOISE, RATE), (NOISE[:0], RATE)])
    assert feature.encode((NOISE[:0], RATE)).shape == (0, 10)
    assert feature.notes == ["1 of 2 sounds have no samples."]
    with pytest.raises(DataError, match="none of the 1 training sounds has a sample"):
        AudioFeature().fit([(NOISE[:0], RATE)])


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (None, "the sound is missing; leave the row out"),
        ("nowhere.wav", "there is no sound 'nowhere.wav'"),
        (b"RIFF broken", "the sound of 11 bytes cannot be read as a sound .* replace it"),
        (([0.1], 0), "a sample rate must be a whole number of samples a second, got 0"),
        ([0.1, np.nan], "a sound must hold only finite numbers, got nan at sample 1"),
        ([70_000, 1], "count as 16 bits, .* got 70000; give them as floats"),
        (["a"], r"a sound must be a path, bytes, samples"),
        ([[0.1], [0.1, 0.2]], r"a sound must be \(N,\) or \(N, channels\)"),
        ({"x": 1}, "a sound must have 'array' and 'sampling_rate'"),
    ],
)
def test_what_is_no_sound_is_refused(value: object, words: str) -> None:
    with pytest.raises(DataError, match=words):
        AudioFeature().fit([(NOISE, RATE)]).encode(value)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"view": "mel"}, "unknown view 'mel'; did you mean 'log-mel'"),
        ({"channels": "left"}, "unknown channels 'left'"),
        ({"sample_rate": 0}, "sample_rate must be a whole number of at least 1"),
        ({"mels": 0}, "mels must be a whole number"),
        ({"hop_ms": 0.0}, "hop_ms must be more than 0 milliseconds, got 0.0"),
        ({"view": "samples", "mels": 9}, "mels, window_ms and hop_ms are for view='log-mel'"),
        ({"channels": "each"}, "channels='each' needs view='samples'"),
    ],
)
def test_options_out_of_range_are_refused(options: dict[str, object], words: str) -> None:
    with pytest.raises(OptionError, match=words):
        AudioFeature(**options)  # type: ignore[arg-type]


def wav_that_claims(rate: int = RATE, size: int | None = None) -> bytes:
    content = bytearray(content_of(NOISE[:400], subtype="PCM_16"))
    content[24:28] = rate.to_bytes(4, "little")
    if size is not None:
        content[40:44] = size.to_bytes(4, "little")
    return bytes(content)


@pytest.mark.parametrize(
    ("fitted_at", "rate", "words"),
    [
        (RATE, 2**31 - 1, "resampling a sound of 400 samples from 2,147,483,647 to 8,000 Hz"),
        (2**31 - 1, RATE, "log-mel frames of 400 samples at 2,147,483,647 Hz"),
    ],
)
def test_a_sample_rate_that_asks_for_too_much_memory_is_refused(
    fitted_at: int, rate: int, words: str
) -> None:
    with pytest.raises(DataError, match=f"{words}.* would take about .* GB .*{VARIABLE}"):
        AudioFeature().fit([wav_that_claims(fitted_at)]).encode(wav_that_claims(rate))


def test_a_sound_of_a_claimed_size_is_read_as_far_as_it_goes() -> None:
    assert len(read_sound(wav_that_claims(size=2**31 - 8)).samples) == 400


def test_a_sound_longer_than_the_limit_is_refused_by_its_header(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    silence = content_of(np.zeros(100_000), "FLAC", "PCM_16")
    assert len(silence) < 5_000
    monkeypatch.setenv(VARIABLE, "0.001")
    with pytest.raises(DataError, match=r"claims 100,000 samples in 1 channel, would take"):
        read_sound(silence)
    monkeypatch.setenv(VARIABLE, "0.003")
    assert len(read_sound(silence).samples) == 100_000


def test_a_file_of_samples_that_are_no_numbers_is_refused() -> None:
    samples = NOISE[:9].copy()
    samples[4] = np.nan
    with pytest.raises(DataError, match=r"finite numbers, got \[nan\] at sample 4"):
        read_sound(content_of(samples))
