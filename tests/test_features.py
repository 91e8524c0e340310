"""The steps from a .wav file to normalised log-mel features, each against its formula or a sound that is known."""

import struct
import wave

import numpy as np
import pytest

from numpylm.data.features import (
    Sound,
    cepstrum,
    cut_frames,
    log_mel_features,
    mel_filterbank,
    power_spectrum,
    pre_emphasize,
    read_wav,
    stack_frames,
    write_wav,
)

rng = np.random.default_rng(0)
RATE = 8000


def pcm(samples, width):
    """Samples between -1 and 1 as little-endian PCM bytes, one at a time."""
    if width == 1:
        return bytes(round(127 * x) + 128 for x in samples)
    largest = 2 ** (8 * width - 1) - 1
    return b"".join(struct.pack("<i", round(largest * x))[:width] for x in samples)


def save(path, samples, width=2, channels=1, rate=RATE):
    with wave.open(str(path), "wb") as file:
        file.setnchannels(channels)
        file.setsampwidth(width)
        file.setframerate(rate)
        file.writeframes(pcm(np.asarray(samples).ravel(), width))


@pytest.mark.parametrize("width", [1, 2, 3, 4])
def test_every_width_gives_the_samples_back(tmp_path, width):
    samples = np.array([0, 0.5, -0.5, 0.25, -1, 0.99])
    save(tmp_path / "a.wav", samples, width, rate=11025)
    sound = read_wav(tmp_path / "a.wav")
    assert sound.rate == 11025
    np.testing.assert_allclose(sound.samples, samples, atol=2 ** (2 - 8 * width))


def test_channels_become_their_mean_and_what_is_written_is_read(tmp_path):
    save(tmp_path / "a.wav", [[0.5, 0.25], [-0.5, 0.5], [0, -1]], channels=2)
    np.testing.assert_allclose(read_wav(tmp_path / "a.wav").samples, [0.375, 0, -0.5], atol=1e-4)
    samples = rng.uniform(-1, 1, 500)
    write_wav(tmp_path / "a.wav", Sound(samples, RATE))
    sound = read_wav(tmp_path / "a.wav")
    np.testing.assert_allclose(sound.samples, samples, atol=1e-4)
    assert sound.rate == RATE


@pytest.mark.parametrize("content", [b"", b"no sound", b"RIFF\x04\0\0\0WAVE", b"fLaC" + bytes(100)])
def test_a_file_that_is_no_sound_is_one_sentence(tmp_path, content):
    (tmp_path / "a.wav").write_bytes(content)
    with pytest.raises(ValueError, match=r"a\.wav is no \.wav file .* convert it"):
        read_wav(tmp_path / "a.wav")


def test_a_file_that_is_cut_short_or_empty_is_said(tmp_path):
    save(tmp_path / "a.wav", rng.uniform(-1, 1, 1000))
    content = (tmp_path / "a.wav").read_bytes()
    damaged = content.replace(b"data", b"date").replace(content[40:44], b"\xff\xff\xff\x7f")  # a chunk of 2 GB
    for kept in (content[:500], content[:44], damaged):
        (tmp_path / "a.wav").write_bytes(kept)
        with pytest.raises(ValueError, match=r"a\.wav is (empty or cut short: it holds .* 2,000|no \.wav file)"):
            read_wav(tmp_path / "a.wav")
    for rate in (0, 99, 2**31 - 1):
        (tmp_path / "a.wav").write_bytes(content.replace(RATE.to_bytes(4, "little"), rate.to_bytes(4, "little")))
        with pytest.raises(ValueError, match=rf"a\.wav has 16 bits and {rate:,} Hz; expected"):
            read_wav(tmp_path / "a.wav")
    save(tmp_path / "b.wav", [])
    with pytest.raises(ValueError, match="empty or cut short: it holds 0 of 0 bytes"):
        read_wav(tmp_path / "b.wav")


def test_frames_are_25_ms_long_and_10_ms_apart_and_fade_in_and_out():
    samples = np.arange(1000.0)
    frames = cut_frames(samples, RATE)
    assert frames.shape == (1 + (1000 - 200) // 80, 200)
    np.testing.assert_array_equal(frames[3], samples[240:440])
    assert cut_frames(samples[:50], RATE).shape == (1, 200)


def test_pre_emphasis_is_its_formula():
    x = rng.standard_normal(6)
    np.testing.assert_allclose(pre_emphasize(x), [x[0], *[x[k] - 0.97 * x[k - 1] for k in range(1, 6)]])


def test_the_power_of_a_tone_stands_at_its_frequency():
    tone = np.sin(2 * np.pi * 1000 * np.arange(200) / RATE)
    power = power_spectrum(tone[None])[0]
    assert power.argmax() == 1000 * 200 // RATE
    assert power.sum() == pytest.approx((tone**2).sum() / 2, rel=1e-9)  # Parseval: half of it below rate / 2


def test_the_bands_overlap_by_half_and_add_up_to_one_in_the_middle():
    bank = mel_filterbank(10, 400, RATE, RATE / 2)  # (201, 10)
    assert bank.shape == (201, 10) and (bank.max(axis=0) > 0.7).all() and (bank >= 0).all()
    frequencies = np.arange(201) * RATE / 400
    corners = 700 * (10 ** (np.linspace(0, 2595 * np.log10(1 + RATE / 2 / 700), 12) / 2595) - 1)
    inside = (frequencies > corners[1]) & (frequencies < corners[-2])
    np.testing.assert_allclose(bank[inside].sum(axis=1), 1)


@pytest.mark.parametrize("rate", [8000, 11025, 16000, 44100])
def test_features_are_normalised_at_any_rate(rate):
    features = log_mel_features(Sound(rng.standard_normal(rate), rate), 20)
    assert features.shape == (98, 20)
    np.testing.assert_allclose(features.mean(axis=0), 0, atol=1e-10)
    np.testing.assert_allclose(features.std(axis=0), 1, atol=1e-10)


@pytest.mark.parametrize("samples", [np.zeros(2000), np.full(2000, 0.5), np.zeros(3)])
def test_an_unvarying_signal_gives_zeros(samples):
    features = log_mel_features(Sound(samples, RATE))
    assert np.isfinite(features).all() and np.abs(features).max() < 10


def test_nan_or_nothing_is_refused():
    for samples in (np.array([]), np.array([0.1, np.nan]), np.zeros((4, 2))):
        with pytest.raises(ValueError, match="expected finite samples"):
            log_mel_features(Sound(samples, RATE))


def test_the_cepstrum_is_its_formula_and_few_coefficients_smooth_the_spectrum():
    log_bands = rng.standard_normal((3, 8))
    b, k = np.arange(8), np.arange(5)
    expected = [[(np.cos(np.pi * j * (b + 0.5) / 8) * frame).sum() for j in k] for frame in log_bands]
    np.testing.assert_allclose(cepstrum(log_bands, 5), expected)
    assert log_mel_features(Sound(rng.standard_normal(RATE), RATE), 20, num_cepstra=7).shape == (98, 7)


def test_frames_are_stacked_side_by_side():
    features = rng.standard_normal((7, 2))
    stacked = stack_frames(features, 3)
    np.testing.assert_array_equal(stacked[1], features[3:6].ravel())
    np.testing.assert_array_equal(stacked[2], [*features[6], 0, 0, 0, 0])
    assert stack_frames(features, 1).shape == (7, 2)
