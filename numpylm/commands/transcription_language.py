"""The language model of an acoustic model's run: trained on transcripts, in the run's folder language/.

It is a run of `train` like any other: `sample RUN/language` lets it write, `--lm` takes another one.
"""

import sys
from pathlib import Path

from numpylm import require
from numpylm.commands import language
from numpylm.commands.language import CorpusChoices
from numpylm.commands.model_choices import ModelChoices
from numpylm.commands.run import resume_run, start_run, train
from numpylm.commands.run_config import RunConfig
from numpylm.commands.run_folder import RunError, read_json, write_whole
from numpylm.commands.trained import load_trained
from numpylm.ctc_decoding import LanguageScore
from numpylm.data.grammar import generate_text
from numpylm.data.speech.sentences import GRAMMAR
from numpylm.data.text import stream_start
from numpylm.language_task import LanguageSettings
from numpylm.transcription_task import Weights

WORDS_PER_UTTERANCE, GRAMMAR_SEED = 200, 3
FEWEST, READ = 400, 500_000  # characters of transcripts to train on; how many it reads in all epochs together
DEFAULT_WEIGHTS = Weights(0.5, 0.0)


def own_language(run):
    """The folder of the run's language model, trained now or already; None where there are too few transcripts."""
    folder = run.folder / "language"
    path = folder / "text.txt"
    if (folder / "last.npz").exists():
        trained = resume_run(folder, places={"corpus": str(path.resolve())})
    else:
        text = sentences_of(run)
        if len(text) < FEWEST:
            print("no language model: there are too few transcripts to train one", file=sys.stderr)
            return None
        folder.mkdir(exist_ok=True)
        write_whole(path, text)
        corpus = CorpusChoices(str(path.resolve()), level=run.config.data.level)
        config = RunConfig("language", ModelChoices(embedding_dim=32, hidden_dim=64), settings_of(text), corpus)
        trained = start_run(folder, language.KIND, language.complete(config, None))
    print("training the language model …", file=sys.stderr)
    if not train(trained):
        raise KeyboardInterrupt
    return folder


def sentences_of(run):
    """Text to train the language model on: more of the built-in grammar, or the transcripts of the training part."""
    if run.config.data.train is None:
        return generate_text(WORDS_PER_UTTERANCE * run.config.data.num_utterances, GRAMMAR_SEED, GRAMMAR)
    return "".join(utterance.text + "\n" for utterance in run.data.utterances["train"])


def settings_of(text):
    """How the language model trains: the shorter the text, the more epochs."""
    epochs = min(30, max(2, READ // len(text)))
    return LanguageSettings(epochs=epochs, batch_size=min(32, len(text) // 200), num_steps=16)


def load_language(folder):
    """(model, vocabulary, the token of a line's end) of a language model's run. ValueError where it has no such end."""
    model, vocabulary, _ = load_trained(folder)
    start = stream_start(vocabulary)
    if start is None:
        raise ValueError(f"the language model {folder} has never read the end of a line, which ends an utterance here")
    return model, vocabulary, start


def language_score(folder, vocabulary):
    """The LanguageScore of a language model's run, for the labels of a vocabulary. ValueError where it does not fit."""
    model, known, start = load_language(folder)
    if known.level != vocabulary.level:
        raise ValueError(f"the language model {folder} reads {known.level}s, but the labels are {vocabulary.level}s")
    ids = {token: i for i, token in enumerate(known.tokens)}
    return LanguageScore(model, [ids.get(token, 0) for token in vocabulary.tokens[1:]], start)


def saved_weights(folder):
    """The Weights that a run chose on its validation part for its own language model; DEFAULT_WEIGHTS without one."""
    path = Path(folder) / "summary.json"
    summary = read_json(path) if path.exists() else {}
    found = Weights(*[summary.get(name) for name in Weights._fields] if isinstance(summary, dict) else ("", ""))
    if None in found:
        return DEFAULT_WEIGHTS
    if not all(map(require.is_finite_number, found)):
        raise RunError(f"{path} is damaged: its alpha and beta must be finite numbers; give --alpha and --beta")
    return found
