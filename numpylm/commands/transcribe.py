"""The transcribe command: trains an acoustic model, transcribes recordings with one, and rescores lists."""

from dataclasses import dataclass

from numpylm import require
from numpylm.choices import choice
from numpylm.commands.run_folder import folder_of
from numpylm.commands.task_command import add_task_options, run_task
from numpylm.commands.transcription import KIND

DESCRIPTION = (
    "Train an acoustic model with CTC, and transcribe with it. Without arguments:\n"
    "built-in synthetic speech, in under four minutes. With RUN: what is said in\n"
    "each .wav file, by a beam search with the run's own language model."
)
USAGE = "python -m numpylm transcribe [RUN [FILE.wav …]] [options]"


@dataclass(frozen=True)
class TranscribeChoices:
    """How a trained run transcribes."""

    files: tuple = choice((), ".wav files", flag="FILE", nargs="*", shown="")
    beam: int = choice(10, "label sequences that beam search keeps", metavar="K")
    n_best: int = choice(1, "the K best of each file, in lines: file, tab, score, tab, text", metavar="K")
    lm: str | None = choice(None, "a language model's run", metavar="RUN", shown="the run's own")
    alpha: float | None = choice(
        None, "weight of the language model; 0: without it", metavar="A", shown="chosen on the run's validation part"
    )
    beta: float | None = choice(None, "pay for each label", metavar="B", shown="chosen likewise")
    rescore: str | None = choice(
        None, "rank a list again by score + alpha log p + beta labels; its lines: utterance, tab, score, tab, text; in "
        "place of files", metavar="LIST.tsv",
    )  # fmt: skip

    def __post_init__(self):
        require.positive_integer("beam", self.beam)
        require.positive_integer("n_best", self.n_best)
        for name in ("alpha", "beta"):
            if getattr(self, name) is not None:
                require.finite_number(name, getattr(self, name))
        if bool(self.files) == (self.rescore is not None):
            raise ValueError("name .wav files to transcribe, or a list with --rescore LIST.tsv")
        if self.n_best > self.beam and not self.rescore:
            raise ValueError(f"n_best must be at most the beam's {self.beam}; got {self.n_best}")


def add_options(parser):
    """All of training's, and how to transcribe."""
    add_task_options(parser, KIND, TranscribeChoices)


def run(options):
    """numpylm transcribe"""
    return run_task(options, KIND, TranscribeChoices, use)


def use(trained, choices):
    """Prints what is said in each file, or a list in its new order."""
    from numpylm.commands.trained import load_trained
    from numpylm.commands.transcription_language import saved_weights

    folder = folder_of(trained)
    model, vocabulary, _ = load_trained(trained, "speech")
    weights = saved_weights(folder)
    given = {name: value for name in ("alpha", "beta") if (value := getattr(choices, name)) is not None}
    weights = weights._replace(**given)
    language = choices.lm or (folder / "language" if (folder / "language").exists() else None)
    if choices.rescore is not None:
        print_rescored(choices, weights, language)
    else:
        transcribe(model, vocabulary, folder, choices, weights, language)
    return 0


def transcribe(model, vocabulary, folder, choices, weights, language):
    """Prints the n_best texts of each file."""
    from numpylm.commands.run_config import read_config
    from numpylm.commands.transcription import utterance_of
    from numpylm.commands.transcription_language import language_score
    from numpylm.transcription_task import log_probabilities, search, text_of

    score = language_score(language, vocabulary) if language is not None and weights.alpha else None
    data = read_config(folder).data
    for file in choices.files:
        log_y = log_probabilities(model, vocabulary, utterance_of(file, "", data).features)
        best = search([log_y], choices.beam, score, weights)[0][: choices.n_best]
        found = [(file, one.score, text_of(vocabulary, one.labels)) for one in best]
        print_found(found, scores=choices.n_best > 1, names=len(choices.files) > 1)


def print_rescored(choices, weights, language):
    """Prints the n_best texts of each utterance of a list, by the language model's scores."""
    from numpylm.commands.trained import load_trained
    from numpylm.ctc_decoding import LanguageScore
    from numpylm.data.speech.n_best import read_lists
    from numpylm.data.text import encode, stream_start

    if language is None:
        raise ValueError("--rescore needs a language model: this run has none, so name one with --lm RUN")
    model, vocabulary, _ = load_trained(language)
    score = LanguageScore(model, range(len(vocabulary)), stream_start(vocabulary))
    for utterance, candidates in read_lists(choices.rescore).items():
        found = []
        for before, text in candidates:
            labels = tuple((encode(vocabulary, text).astype(int) + 1).tolist())  # a label is its token's id + 1
            log_p = score.log_p_ended(labels)
            found.append((utterance, before + weights.alpha * log_p + weights.beta * len(labels), text))
        print_found(sorted(found, key=lambda one: -one[1])[: choices.n_best], scores=True, names=True)


def print_found(found, scores, names):
    """Prints lines of utterance, score and text; of the text alone without scores and names."""
    from numpylm.data.printable import on_one_line

    for name, score, text in found:
        before = [on_one_line(name)] * (scores or names) + [f"{score:.4f}"] * scores
        print("\t".join([*before, on_one_line(text)]))
