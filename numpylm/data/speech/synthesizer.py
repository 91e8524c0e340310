"""A small formant synthesiser: a source (pulses of the voice, noise of the breath) through the resonances of a mouth.

    source     pulses, f0 of them a second, or noise
    formants   |H(f)| = Π_k F_k² / |F_k² - f² + i f B_k|        F_k (Hz) the mouth's resonances, B_k their widths
    noise      |H(f)| = |i f W / (C² - f² + i f W)|             around the centre C (Hz) with the width W

Each sound (phoneme) has one segment or two, with targets for F1, F2, F3; between two segments they glide. The source
is cut into frames that overlap, each is multiplied by its H in the frequency domain, and the frames are added up.

Sources: Fant, Acoustic Theory of Speech Production (1960), for the formula; Peterson and Barney (1952) for the vowels'
formants; Klatt, Software for a cascade/parallel formant synthesizer (1980), for the consonants.
"""

import re
from typing import NamedTuple

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from numpylm.data.features import Sound
from numpylm.data.grammar import generate_text
from numpylm.data.grammar.rules import parse_rules

RATE = 8000  # Hz, as on a telephone
HOP, FRAME = 40, 160  # samples: 5 ms and 20 ms
F4, BANDWIDTHS = 3500, np.array([[70], [100], [150], [250]])  # Hz
GLIDE = 0.35  # the share of a segment, at each end, in which its targets come from and go to its neighbours'
QUIET = (0, 3000, 1000)  # no noise, and its centre and width (Hz), of a segment that does not name them
SILENCE = (500, 1500, 2500, 0, *QUIET)

# A sound has one segment or two: milliseconds, F1, F2, F3 (Hz), loudness of the voice, and of noise with its C and W
SOUNDS = """
iy 110 270 2290 3010 1.0         ih  90 390 1990 2550 1.0         eh 110 530 1840 2480 1.0
ae 130 660 1720 2410 1.0         ah 100 640 1190 2390 1.0         aa 130 730 1090 2440 1.0
ao 130 570  840 2410 1.0         uw 120 300  870 2240 1.0         er 130 490 1350 1690 1.0
w   70 290  610 2150 0.6         r   70 310 1060 1380 0.6         l   70 310 1050 2880 0.6
m   80 270 1000 2130 0.4         n   80 270 1600 2470 0.4
f   90 340 1100 2080 0.0 0.12 2500 3000          v   60 220 1100 2080 0.4 0.06 2500 3000
s  110 320 1390 2530 0.0 0.45 3800  700          z   80 240 1390 2530 0.3 0.25 3800  700
sh 110 300 1840 2750 0.0 0.45 2600  700          th  90 320 1290 2540 0.0 0.10 3000 2500
t   50 400 1600 2600 0.0 0.00 3400 1200 then 30 400 1600 2600 0.0 0.40 3400 1200
k   60 300 1990 2850 0.0 0.00 1900  700 then 35 300 1990 2850 0.0 0.40 1900  700
b   55 200 1100 2150 0.2 0.00  900 1200 then 15 250 1100 2150 0.4 0.15  900 1200
d   50 200 1600 2600 0.2 0.00 3200 1200 then 20 250 1600 2600 0.4 0.25 3200 1200
g   50 200 1990 2850 0.2 0.00 1900  700 then 20 250 1990 2850 0.4 0.25 1900  700
"""
SOUNDS = {
    sound: [(*map(float, segment.split()), *QUIET)[:8] for segment in segments.split("then")]  # 5 numbers get QUIET
    for sound, segments in re.findall(r"([a-z]+)((?: +(?:[\d.]+|then))+)", SOUNDS)
}


class Voice(NamedTuple):
    """Who speaks, and how noisy the microphone is."""

    pitch: float  # Hz
    tempo: float  # 1: as in SOUNDS
    formant_scale: float  # above 1: a shorter mouth
    breath: float  # noise in the voice
    noise: float  # standard deviation of what the microphone adds to a sound whose own is 0.1


def draw_voice(rng):
    """A random voice: of a man, a woman or a child."""
    pitch = np.exp(rng.uniform(np.log(90), np.log(260)))
    scale = 0.95 + 0.2 * np.log(pitch / 90) / np.log(260 / 90) + rng.uniform(-0.06, 0.06)
    noise = np.exp(rng.uniform(np.log(0.005), np.log(0.08)))
    return Voice(pitch, rng.uniform(0.8, 1.25), scale, rng.uniform(0, 0.05), noise)


def speak(words, voice, rng):
    """The Sound of words, each a list of sounds, with a little silence before, between and after them."""
    targets = track(words, voice, rng)  # (F, 7)
    samples = sounding(targets, voice, rng)
    samples = 0.1 * samples / np.sqrt(np.mean(samples**2))
    return Sound(samples + voice.noise * rng.standard_normal(len(samples)), RATE)


def track(words, voice, rng):
    """The seven targets of each frame of 5 ms, (F, 7): F1, F2, F3, loudness of voice and noise, the noise's C and W.
    Straight lines lead from one segment's middle part to the next one's."""
    segments = [(rng.uniform(60, 120), *SILENCE)]
    for word in words:
        for sound in word:
            for duration, *targets in SOUNDS[sound]:
                segments.append((duration * rng.uniform(0.85, 1.15) / voice.tempo, *targets))
        segments.append((rng.uniform(0, 60) / voice.tempo + 5, *SILENCE))
    segments.append((rng.uniform(60, 120), *SILENCE))
    table = np.array(segments)  # (S, 8)
    durations = table[:, 0]  # milliseconds
    ends = np.cumsum(durations)
    starts = ends - durations
    margin = GLIDE * durations
    times = np.stack((starts + margin, ends - margin), axis=1).ravel()  # a segment holds its targets in between
    targets = np.repeat(table[:, 1:], 2, axis=0)
    targets[:, :3] *= voice.formant_scale
    frames = np.arange(0, ends[-1], 1000 * HOP / RATE)
    return np.stack([np.interp(frames, times, column) for column in targets.T], axis=1)


def sounding(targets, voice, rng):
    """The samples (K,) of targets (F, 7): the voice's pulses, a little irregular and falling in pitch, and white noise,
    each frame through its own resonances; frames overlap, and add up."""
    num_samples = HOP * (len(targets) - 1) + FRAME
    seconds = np.arange(num_samples) / RATE
    fall = np.linspace(1.1, 0.85, num_samples)
    knots = np.arange(0, seconds[-1] + 0.2, 0.1)
    wander = np.interp(seconds, knots, 1 + 0.03 * rng.standard_normal(len(knots)))
    phase = np.cumsum(voice.pitch * fall * wander / RATE)
    noise = rng.standard_normal(num_samples)
    pulses = np.diff(np.floor(phase), prepend=0) * np.sqrt(RATE / voice.pitch) + voice.breath * noise
    window = np.hanning(FRAME + 1)[:-1] / (FRAME / HOP / 2)
    spectra = [np.fft.rfft(window * sliding_window_view(q, FRAME)[::HOP]) for q in (pulses, noise)]  # each (F, K')
    f = np.fft.rfftfreq(FRAME, 1 / RATE)  # (K',)
    voiced, breath, centre, width = targets.T[3:, :, None]  # each (F, 1)
    throat = 1 / (1 + f / 500)  # high harmonics of the vocal cords are weaker
    hiss = 1j * f * width / (centre**2 - f**2 + 1j * f * width)
    squares = np.pad(targets[:, :3], ((0, 0), (0, 1)), constant_values=F4)[:, :, None] ** 2  # F_k², (F, 4, 1)
    mouth = squares.prod(axis=1) / (squares - f**2 + 1j * f * BANDWIDTHS).prod(axis=1)  # (F, K')
    spectrum = voiced * throat * mouth * spectra[0] + breath * hiss * spectra[1]
    frames = np.fft.irfft(spectrum, FRAME).reshape(-1, FRAME // HOP, HOP)  # each begins one piece after the one before
    samples = np.zeros((len(targets) + FRAME // HOP - 1, HOP))
    for k, pieces in enumerate(frames.swapaxes(0, 1)):
        samples[k : k + len(targets)] += pieces
    return samples.ravel()


# What it says: telephone numbers of a known plan, alarms and appointments. The grammar is in LL(1) form, so that its
# entropy is known exactly. It is much less than the uniform one: a language model can correct what was heard.
GRAMMAR = parse_rules("""
Sentence -> 45 call Number | 30 wake me at Time Day | 25 meet Name on the Ordinal of Month
Number   -> 85 oh Area Digit Digit Digit | 10 nine nine nine | 5 one one two
Area     -> 50 two oh Exchange | 30 one six one | 20 seven seven
Exchange -> 50 seven | 30 eight | 20 three
Digit    -> 1 oh | 1 one | 1 two | 1 three | 1 four | 1 five | 1 six | 1 seven | 1 eight | 1 nine
Time     -> 1 Hour Minutes
Hour     -> 25 six | 30 seven | 20 eight | 10 nine | 5 ten | 5 eleven | 5 twelve
Minutes  -> 40 | 15 fifteen | 30 thirty | 15 forty Five
Five     -> 60 | 40 five
Day      -> 50 | 20 today | 30 tomorrow
Name     -> 35 anna | 25 ben | 20 clara | 20 simon
Ordinal  -> 1 first | 1 second | 1 third | 1 fourth | 1 fifth | 1 sixth | 1 seventh | 1 ninth
Month    -> 40 may | 30 june | 20 march | 10 august
""")

# A word and its sounds; words are apart by |
PRONUNCIATIONS = """
oh ao uw|one w ah n|two t uw|three th r iy|four f ao r|five f aa iy v|six s ih k s|seven s eh v ah n|eight eh iy t
nine n aa iy n|ten t eh n|eleven ih l eh v ah n|twelve t w eh l v|fifteen f ih f t iy n|thirty th er t iy
forty f ao r t iy|call k ao l|wake w eh iy k|me m iy|at ae t|today t uw d eh iy|tomorrow t uw m aa r ao uw
meet m iy t|anna ae n ah|ben b eh n|clara k l eh r ah|simon s aa iy m ah n|on aa n|the z ah|of ah v
first f er s t|second s eh k ah n d|third th er d|fourth f ao r th|fifth f ih f th|sixth s ih k s th
seventh s eh v ah n th|ninth n aa iy n th|may m eh iy|june d z uw n|march m aa r t sh|august ao g ah s t
"""
PRONUNCIATIONS = {word: sounds for word, *sounds in map(str.split, re.split(r"[|\n]", PRONUNCIATIONS.strip()))}


def spoken_sentences(count, seed):
    """Yields (transcript, Sound) of `count` different drawings of the grammar, each spoken by a new random voice."""
    rng = np.random.default_rng([seed, 1])
    for transcript in generate_text(20 * count, seed, GRAMMAR).split("\n")[:count]:
        words = [PRONUNCIATIONS[word] for word in transcript.split()]
        yield transcript, speak(words, draw_voice(rng), rng)
