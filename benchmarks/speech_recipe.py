"""Digit strings of real recordings (the Free Spoken Digit Dataset: five speakers, ten digits, 50 recordings of each).

A string is joined from recordings of one speaker, with gaps and a little noise: it was not spoken as such. Recordings 0
to 4 of each digit and speaker are the official test part; 45 to 49 validate, and the others train. Every epoch joins
new strings, at a random speed and tempo and with random noise. The model at the end of training is measured.

What the model reads (cepstra) and the random tempo were chosen for voices that it has not heard: by recordings 5 to 49
of two speakers, read by models that were trained on the other three. The recipe `digits` was changed twice after a test
result: from 2.8 % to 0.6 % with a larger model, and then to the cepstra and tempo, for new voices.
"""

import json
import time
from typing import NamedTuple

import numpy as np
from recipe_results import measured

from numpylm import LSTMLM
from numpylm.checkpoint import load_checkpoint, save_checkpoint
from numpylm.commands.run_folder import RunConfig, write_config, write_json
from numpylm.commands.transcribe import SpeechData, SpeechModel, features_of
from numpylm.ctc_decoding import LanguageScore
from numpylm.data.features import Sound, stack_frames
from numpylm.data.grammar import generate_text
from numpylm.data.grammar.rules import parse_rules
from numpylm.data.text import build_vocabulary, encode, encode_stream, stream_start
from numpylm.kinds.language_task import LanguageSettings, language_task
from numpylm.kinds.transcription_task import (
    SpeechSettings,
    Utterance,
    choose_weights,
    listen,
    total_errors,
    transcription_task,
)
from numpylm.training import EpochReport, Progress, make_optimizer, training
from numpylm.transcription import AcousticModel

RATE, STACK = 8000, 3
WORDS = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"]
VOCABULARY = build_vocabulary(" ".join(WORDS) + "\n", "word")
SPEAKERS = ("george", "jackson", "nicolas", "theo", "yweweler")
PLAN = parse_rules("""
Number -> 70 zero Area Digit Digit Digit | 20 nine nine nine | 10 one one two
Area   -> 50 two zero seven | 30 one six one | 20 seven seven
Digit  -> 1 zero | 1 one | 1 two | 1 three | 1 four | 1 five | 1 six | 1 seven | 1 eight | 1 nine
""")
VALID, TEST = 200, 500  # strings
UNIT, JOINED = "% of the digits wrong", {"strings": "joined from single recordings, not spoken as such"}


class Recordings(NamedTuple):
    """sounds, float arrays with a root mean square of 0.1; and the digit, speaker and index (0 to 49) of each."""

    sounds: list
    digit: np.ndarray
    speaker: np.ndarray
    index: np.ndarray


def read_recordings(path):
    """All Recordings of fsdd.npz."""
    data = np.load(path, allow_pickle=False)
    sounds = np.split(data["audio"].astype(float), np.cumsum(data["length"])[:-1])
    sounds = [0.1 * sound / np.sqrt(np.mean(sound**2)) for sound in sounds]
    return Recordings(sounds, data["label"], data["speaker"], data["index"])


def joined(recordings, allowed, words, rng, options, vary=False):
    """The Utterance of these words: allowed recordings (a mask) of one random speaker, with gaps and a little noise.
    With vary, speed, noise and tempo are random."""
    speaker = rng.choice(np.unique(recordings.speaker[allowed]))
    places = allowed & (recordings.speaker == speaker)
    pieces = [gap(rng)]
    for word in words:
        choice = rng.choice(np.flatnonzero(places & (recordings.digit == WORDS.index(word))))
        pieces += [recordings.sounds[choice], gap(rng)]
    samples, decibels, tempo = np.concatenate(pieces), -50, 1
    if vary:
        faster = rng.uniform(1 / (1 + options["speed"]), 1 + options["speed"])  # and higher, as if a mouth were shorter
        at = np.arange(0, len(samples) - 1, faster)
        samples = np.interp(at, np.arange(len(samples)), samples)
        decibels = rng.uniform(-50, -15)
        tempo = rng.uniform(1 / (1 + options["tempo"]), 1 + options["tempo"])  # and no higher
    samples = samples + 0.1 * 10 ** (decibels / 20) * rng.standard_normal(len(samples))
    features = features_of(Sound(samples, RATE), SpeechData(cepstra=options["cepstra"], stack=1))
    kept = np.arange(0, len(features) - 0.5, tempo).round().astype(int)
    return Utterance(str(speaker), stack_frames(features[kept], STACK), encode(VOCABULARY, " ".join(words)).astype(int))


def gap(rng):
    """Silence of 0.03 to 0.2 seconds."""
    return np.zeros(int(RATE * rng.uniform(0.03, 0.2)))


def strings(recordings, allowed, count, seed, options, vary=False):
    """Utterances of 3 to 7 random digits."""
    rng = np.random.default_rng(seed)
    drawn = (rng.choice(WORDS, rng.integers(3, 8)).tolist() for _ in range(count))
    return [joined(recordings, allowed, words, rng, options, vary) for words in drawn]


def joined_task(recordings, speakers, options):
    """(a Task whose every epoch joins new strings of these speakers, its Settings, the strings that validate)."""
    of_speakers = np.isin(recordings.speaker, speakers)
    train = of_speakers & (recordings.index >= 5) & (recordings.index < 45)
    valid = strings(recordings, of_speakers & (recordings.index >= 45), VALID, [0, 1], options)
    settings = SpeechSettings(**{name: options[name] for name in ("epochs", "learning_rate", "batch_size")})

    def of_epoch(epoch):
        utterances = strings(recordings, train, options["strings"], [0, 2, epoch], options, vary=True)
        return transcription_task(utterances, valid, settings, "digit")

    return of_epoch(0)._replace(batches=lambda epoch, first: of_epoch(epoch).batches(epoch, first)), settings, valid


def new_model(valid, options):
    """An untrained AcousticModel of the Utterances' features."""
    sizes = (options[name] for name in ("hidden_dim", "num_layers"))
    return AcousticModel(len(VOCABULARY) - 1, valid[0].features.shape[1], *sizes, "gru", True, options["dropout"])


def learn(options, recordings, speakers, folder):
    """(model, rows, seconds) of training on these speakers; if they are in the folder, they are read from it.

    `transcribe FOLDER FILE.wav` writes down what the model hears.
    """
    kept = folder / "rows.json"
    if kept.exists():
        return load_checkpoint(folder / "best.npz").model, *json.loads(kept.read_text(encoding="utf-8"))
    task, settings, valid = joined_task(recordings, speakers, options)
    model = new_model(valid, options)
    optimizer = make_optimizer(settings)
    started, rows = time.perf_counter(), []
    for report in training(task, model, optimizer, settings, Progress(np.random.default_rng(0))):
        if isinstance(report, EpochReport):
            rows.append({"epoch": len(rows) + 1, "train_loss": report.train_loss, "valid_loss": report.valid_loss})
            print(f"epoch {len(rows)}: {report.train_loss:.3f}, {report.valid_loss:.3f}, {report.note}", flush=True)
    seconds = time.perf_counter() - started
    folder.mkdir(parents=True, exist_ok=True)
    save_checkpoint(folder / "best.npz", model, VOCABULARY)
    choices = SpeechModel("gru", False, *(options[name] for name in ("hidden_dim", "num_layers", "dropout")))
    data = SpeechData("fsdd", cepstra=options["cepstra"], stack=STACK)
    write_config(folder, RunConfig("speech", choices, settings, data))
    write_json(kept, [rows, seconds])
    return model, rows, seconds


def rates(model, utterances, language=None, **weights):
    """The error rates of all ways to decode, in per cent; with a LanguageScore, its alpha and beta."""
    said, by_name, _ = listen(model, VOCABULARY, utterances, language, **weights)
    return {name: round(100 * total_errors(said, heard).rate, 3) for name, heard in by_name.items()}


def official(options, data, folder):
    """The official split: all speakers are known. A Measured."""
    recordings = read_recordings(data)
    model, rows, seconds = learn(options, recordings, SPEAKERS, folder / "all")
    found = rates(model, strings(recordings, recordings.index < 5, TEST, [0, 3], options))
    return measured(rows, options, model, seconds, UNIT, found["error_rate"], **JOINED, **found)


def unknown_speakers(options, data, folder):
    """Each speaker left out in turn: the official test part of a speaker whom the model has never heard."""
    recordings, rows, total, by_speaker = read_recordings(data), [], 0.0, {}
    for speaker in SPEAKERS:
        others = [other for other in SPEAKERS if other != speaker]
        model, found, seconds = learn(options, recordings, others, folder / f"without-{speaker}")
        allowed = (recordings.index < 5) & (recordings.speaker == speaker)
        by_speaker[speaker] = rates(model, strings(recordings, allowed, TEST // 2, [0, 3], options))["error_rate"]
        print(speaker, by_speaker[speaker], flush=True)
        rows, total = rows + [{"speaker": SPEAKERS.index(speaker), **row} for row in found], total + seconds
    mean = sum(by_speaker.values()) / len(by_speaker)
    return measured(rows, options, model, total, UNIT, mean, **JOINED, by_speaker=by_speaker)


def with_grammar(options, data, folder):
    """Telephone numbers of a plan, said by a speaker whom the model has never heard: what a language model adds."""
    recordings, unheard = read_recordings(data), options["without"]
    others = [speaker for speaker in SPEAKERS if speaker != unheard]
    model, rows, seconds = learn(options, recordings, others, folder / f"without-{unheard}")
    language = LanguageScore(language_model(), int, stream_start(VOCABULARY))
    valid = np.isin(recordings.speaker, others) & (recordings.index >= 45)
    test = recordings.speaker == unheard
    valid = numbers(recordings, valid, VALID, 1, options)
    test = numbers(recordings, test & (recordings.index < 5), TEST, 2, options)
    weights = choose_weights(listen(model, VOCABULARY, valid, language))
    found = rates(model, test, language, **weights)
    best, with_it, oracle = (found[f"error_rate{name}"] for name in ("", "_with_language_model", "_oracle"))
    share = (best - with_it) / (best - oracle) if best > oracle else None
    found |= {**weights, "share_removed_of_what_the_oracle_allows": share}
    return measured(rows, options, model, seconds, UNIT, with_it, **JOINED, **found)


def numbers(recordings, allowed, count, seed, options):
    """Utterances of telephone numbers of the plan."""
    rng = np.random.default_rng([seed, 4])
    lines = generate_text(20 * count, seed, PLAN).split("\n")[:count]
    return [joined(recordings, allowed, line.split(), rng, options) for line in lines]


def language_model():
    """An LSTMLM of the plan."""
    tokens = [encode_stream(VOCABULARY, generate_text(count, seed, PLAN)) for count, seed in ((200_000, 5), (5000, 6))]
    settings, model = LanguageSettings(epochs=2), LSTMLM(len(VOCABULARY), 32, 64)
    task = language_task(*tokens, settings, stream_start(VOCABULARY))
    list(training(task, model, make_optimizer(settings), settings, Progress(np.random.default_rng(0))))
    return model
