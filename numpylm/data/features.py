"""From sound to what an acoustic model reads: the logarithm of the energy in bands of pitch, frame by frame.

    samples       x[k], between -1 and 1, at `rate` samples a second (Hz)      (K,)
    pre-emphasis  x'[k] = x[k] - 0.97 x[k-1]                                   high pitches become as loud as low ones
    frames        pieces of 25 ms, a new one each 10 ms                        (F, L): F frames of L samples
    window        w[k] = 0.54 - 0.46 cos(2 π k / (L - 1))                      a frame fades in and out (Hamming)
    power         |rfft(w x')|² / L                                            (F, L // 2 + 1), one value a frequency
    mel bands     sums over triangles of equal width in 2595 log10(1 + f/700)  (F, B); all rates have the same ones
    logarithm     ln(energy + 1e-10), in nats                                  loudness as we hear it
    cepstrum      c_k = Σ_b cos(π k (b + 1/2) / B) ln energy_b, for k < C      (F, C): the spectrum without the pitch
    normalised    less the utterance's mean, over its standard deviation       in each band (or c_k)

Sources: Davis and Mermelstein, Comparison of parametric representations (1980); mel formula: O'Shaughnessy (1987).
"""

import wave
from functools import cache
from typing import NamedTuple

import numpy as np

FRAME_SECONDS, HOP_SECONDS = 0.025, 0.010
NUM_BANDS = 40
HIGHEST = 4000  # Hz: half the rate of a telephone
LEAST_ENERGY = 1e-10  # about the energy of the last bit of 16, so that silence has a logarithm
LEAST_DEVIATION = 1e-3  # nats; a band that varies less, as in silence, counts as constant


class Sound(NamedTuple):
    """samples (K,), float64 between -1 and 1; rate, how many there are a second (Hz)."""

    samples: np.ndarray
    rate: int


def read_wav(path):
    """The Sound in a .wav file of 8, 16, 24 or 32 bits; several channels become their mean. Raises ValueError."""
    try:
        with wave.open(str(path), "rb") as file:
            channels, width, rate, count = file.getparams()[:4]
            data = file.readframes(count)
    except (wave.Error, EOFError, RuntimeError) as error:  # RuntimeError: a chunk is said to end after the file
        why = f"no .wav file of whole numbers (PCM) that Python can read ({str(error) or 'it is too short'})"
        raise ValueError(f"{path} is {why}: convert it, for example with `sox IN -b 16 OUT.wav`") from None
    size = count * channels * width
    if not 0 < size <= len(data):
        raise ValueError(f"{path} is empty or cut short: it holds {len(data):,} of {size:,} bytes of sound")
    if width > 4 or not 100 <= rate <= 10**6:
        raise ValueError(f"{path} has {8 * width} bits and {rate:,} Hz; expected 32 bits or fewer, 100 to 1,000,000 Hz")
    pcm = np.frombuffer(data, np.uint8).reshape(-1, width)  # a number's bytes in each row, the lowest first
    if width == 1:
        pcm = pcm ^ 0x80  # 8 bits are unsigned, with 128 for silence: this makes them signed
    wide = np.pad(pcm, ((0, 0), (4 - width, 0)))  # the highest bytes of 32 bits
    samples = wide.view("<i4") / 2**31  # between -1 and 1
    return Sound(samples.reshape(-1, channels).mean(axis=1), rate)


def write_wav(path, sound):
    """Write a Sound as a .wav file of 16 bits; what is louder than 1 is cut off."""
    samples = np.round(np.clip(sound.samples, -1, 1) * 32767).astype("<i2")
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, sound.rate, len(samples), "NONE", None))
        file.writeframes(samples.tobytes())


def log_mel_features(sound, num_bands=NUM_BANDS, highest=HIGHEST, num_cepstra=0):
    """The features of a Sound, normalised: (F, num_bands), or with cepstra (F, num_cepstra). ValueError for no samples.

    highest: where the bands end (Hz). A band above half the sound's rate has no energy, and becomes zeros.
    """
    if sound.samples.ndim != 1 or not sound.samples.size or not np.isfinite(sound.samples).all():
        raise ValueError(f"expected finite samples (K,), K >= 1; got an array of shape {sound.samples.shape}")
    emphasized = pre_emphasize(sound.samples)
    frames = cut_frames(emphasized, sound.rate)  # (F, L)
    windowed = frames * np.hamming(frames.shape[1])
    power = power_spectrum(windowed)  # (F, L // 2 + 1)
    bands = power @ mel_filterbank(num_bands, frames.shape[1], sound.rate, highest)  # (F, B)
    log_bands = np.log(bands + LEAST_ENERGY)
    return normalize(cepstrum(log_bands, num_cepstra) if num_cepstra else log_bands)


def pre_emphasize(samples):
    """x[k] - 0.97 x[k-1]: the first sample stays as it is."""
    return np.concatenate((samples[:1], samples[1:] - 0.97 * samples[:-1]))


def cut_frames(samples, rate):
    """Frames (F, L) of 25 ms, one each 10 ms. A last frame that is not full is left out; a short sound gets zeros."""
    length, hop = max(2, round(FRAME_SECONDS * rate)), max(1, round(HOP_SECONDS * rate))
    samples = np.pad(samples, (0, max(0, length - len(samples))))
    return np.lib.stride_tricks.sliding_window_view(samples, length)[::hop]


def power_spectrum(frames):
    """The energy of each frequency k rate / L of each frame: (F, L) becomes (F, L // 2 + 1)."""
    spectrum = np.fft.rfft(frames)
    return (spectrum.real**2 + spectrum.imag**2) / frames.shape[1]


@cache
def mel_filterbank(num_bands, length, rate, highest):
    """The triangles (L // 2 + 1, B) whose corners lie equally far apart in mel, from 0 Hz to the highest."""
    frequencies = np.arange(length // 2 + 1)[:, None] * rate / length
    mel = np.linspace(0, 2595 * np.log10(1 + highest / 700), num_bands + 2)  # equal steps sound equally far apart
    corners = 700 * (10 ** (mel / 2595) - 1)  # (B + 2,), in Hz
    left, middle, right = corners[:-2], corners[1:-1], corners[2:]
    rising = (frequencies - left) / (middle - left)
    falling = (right - frequencies) / (right - middle)
    return np.maximum(0, np.minimum(rising, falling))


def cepstrum(log_bands, count):
    """The first `count` coefficients of a cosine transform over the bands: (F, B) becomes (F, count)."""
    num_bands = log_bands.shape[1]
    centres = (np.arange(num_bands)[:, None] + 0.5) / num_bands
    return log_bands @ np.cos(np.pi * centres * np.arange(count))


def normalize(features):
    """Each band (F,) with mean 0 and standard deviation 1 over the utterance; zeros where it does not vary."""
    deviation = features.std(axis=0)
    centred = features - features.mean(axis=0)
    return np.where(deviation > LEAST_DEVIATION, centred / np.maximum(deviation, LEAST_DEVIATION), 0)


def stack_frames(features, count):
    """Features (F, B) with `count` frames side by side in one: (⌈F / count⌉, count B), zeros after the end."""
    padded = np.pad(features, ((0, -len(features) % count), (0, 0)))
    return padded.reshape(-1, count * features.shape[1])
