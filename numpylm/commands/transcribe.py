"""The transcribe command: trains an acoustic model, transcribes recordings with one, and rescores lists."""

from dataclasses import dataclass

from numpylm import require
from numpylm.choices import choice
from numpylm.commands.task_command import WIDEST_BEAM, add_task_options, run_task
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
        None, "weight of the language model; 0: without it", metavar="A",
        shown="chosen on the run's validation part, anew for each --lm",
    )  # fmt: skip
    beta: float | None = choice(None, "pay for each label", metavar="B", shown="chosen likewise")
    rescore: str | None = choice(
        None, "rank a list again by score + alpha log p + beta labels; its lines: utterance, tab, score, tab, text; in "
        "place of files", metavar="LIST.tsv",
    )  # fmt: skip
    said: str | None = choice(
        None, "what was said in LIST.tsv, to choose alpha and beta on it: utterance, tab, text", metavar="SAID.tsv"
    )

    def __post_init__(self):
        require.expect("beam", self.beam, 1 <= self.beam <= WIDEST_BEAM, f"an integer from 1 to {WIDEST_BEAM}")
        require.positive_integer("n_best", self.n_best)
        for name, value in self.given.items():
            require.finite_number(name, value)
        if bool(self.files) == (self.rescore is not None):
            raise ValueError("name .wav files to transcribe, or a list with --rescore LIST.tsv")
        if self.said is not None and self.rescore is None:
            raise ValueError("--said SAID.tsv belongs to --rescore LIST.tsv")
        if self.n_best > self.beam and not self.rescore:
            raise ValueError(f"n_best must be at most the beam's {self.beam}; got {self.n_best}")

    @property
    def given(self):
        """alpha and beta, as far as they were given."""
        return {name: value for name in ("alpha", "beta") if (value := getattr(self, name)) is not None}


def add_options(parser):
    """All of training's, and how to transcribe."""
    add_task_options(parser, KIND, TranscribeChoices)


def run(options):
    """numpylm transcribe"""
    return run_task(options, KIND, TranscribeChoices, use)


def use(trained, choices):
    """Prints what is said in each file, or a list in its new order."""
    from numpylm.commands import transcription_use

    transcription_use.use(trained, choices)
    return 0
