"""The train command: runs of language models, their choices, and what they read."""

import sys
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from numpylm.base import require
from numpylm.base.choices import OWN, SIZES, choice
from numpylm.commands.console import byte_bar
from numpylm.commands.options import flags_given, sizes_of
from numpylm.commands.run_folder import Kind, ReadData, digest
from numpylm.commands.task_command import add_task_options, run_task
from numpylm.data.corpora import DEFAULT_FRACTIONS, GRAMMAR, load_corpus
from numpylm.data.ngrams import BASELINE_ORDERS
from numpylm.data.text import build_vocabulary, encode_stream, stream_start
from numpylm.data.token_file import PARTS, EncodedCorpus, check_unchanged, is_token_file, open_token_file, verify
from numpylm.dropout import KINDS
from numpylm.kinds.language_task import UNITS, LanguageSettings, language_task
from numpylm.model import MODELS, Sizes
from numpylm.rnn import NONLINEARITIES
from numpylm.stack import CELLS

DESCRIPTION = (
    "Train a language model, then measure it on the test text beside the baselines. "
    "Without arguments: an LSTM on the built-in English grammar, by words, in under "
    "two minutes. Ctrl-C stops it safely; --resume goes on."
)
USAGE = "python -m numpylm train [options]"
RELU_START = 0.5
FEWEST_WORDS = 1.5  # a line: with fewer, "words" are lines of a text that has no spaces


@dataclass(frozen=True)
class ModelChoices:
    """The choices of a language model. Raises ValueError for one out of range, or of another cell. The other kinds of
    models share those that they have too."""

    model: str = choice("lstm", "the recurrent cell", choices=tuple(CELLS))
    embedding_dim: int = choice(64, "of each token's vector", "-D", metavar="D", group=SIZES)
    hidden_dim: int = choice(128, "of the recurrent state", "-H", metavar="H", group=SIZES)
    num_layers: int = choice(1, "recurrent layers", "-L", metavar="L", group=SIZES)
    dropout: float = choice(0.0, "probability that a value is dropped", metavar="P", group=OWN)
    dropout_kind: str = choice(
        "standard", "standard: new masks at each step; variational: the same for all steps of a batch",
        choices=KINDS, metavar="KIND", group=OWN,
    )  # fmt: skip
    tie_weights: bool = choice(False, "W_hy is the transpose of E; needs D = H", group=OWN)
    uniform_range: float | None = choice(
        None, "every parameter, biases too, starts uniform in plus or minus R", metavar="R",
        shown="by its kind: initialization.py", group=OWN,
    )  # fmt: skip
    nonlinearity: str | None = choice(None, "of the rnn", choices=tuple(NONLINEARITIES), shown="tanh", group=OWN)
    forget_bias: float | None = choice(None, "where the lstm's b_f starts", metavar="B", shown="1", group=OWN)

    def __post_init__(self):
        require.one_of("model", self.model, tuple(CELLS))
        if self.uniform_range is not None:
            require.positive_number("uniform_range", self.uniform_range)
        for name, cell in {"nonlinearity": "rnn", "forget_bias": "lstm"}.items():
            if getattr(self, name) is not None and self.model != cell:
                raise ValueError(f"{name} is an option of --model {cell}, not of {self.model}")
        if self.uniform_range is not None and self.forget_bias is not None:
            raise ValueError("uniform_range draws b_f too, like every parameter: leave out --forget-bias, or it")
        options = self.cell_options
        sizes_of(self, Sizes).check()
        if self.uniform_range is None or self.model == "rnn":
            for name, value in options.items():
                object.__setattr__(self, name, value)

    @property
    def cell_options(self):
        """The arguments of rnn_cell, lstm_cell or gru_cell. Raises ValueError for a value that the cell refuses."""
        given = {"nonlinearity": self.nonlinearity, "forget_bias": self.forget_bias}
        return CELLS[self.model](**{name: value for name, value in given.items() if value is not None}).options


@dataclass(frozen=True)
class CorpusChoices:
    """The corpus of a language model and its tokens."""

    corpus: str = choice(
        GRAMMAR, "a UTF-8 text file (cut into train, validation, test), a folder with the three files, a token file "
        "from prepare, or grammar, the built-in corpus", metavar="SOURCE", place=True,
    )  # fmt: skip
    split: tuple | None = choice(
        None, "shares of a text file, in order; with 0 for validation the test part is used for both",
        metavar=("TRAIN", "VALID", "TEST"), nargs=3, shown=" ".join(map(str, DEFAULT_FRACTIONS)),
    )  # fmt: skip
    level: str | None = choice(
        None, "tokens are characters or words", choices=("char", "word"), shown="char for a file, else word"
    )
    min_count: int = choice(1, "rarer tokens become <unk>", metavar="K")
    max_vocabulary: int | None = choice(None, "the most frequent tokens only", metavar="V", shown="all")

    def __post_init__(self):
        require.positive_integer("min_count", self.min_count)
        if self.max_vocabulary is not None:
            require.positive_integer("max_vocabulary", self.max_vocabulary)


def complete(config, options):
    """The config with the corpus's level and split. Raises ValueError for choices that contradict the corpus."""
    data, path = config.data, Path(config.data.corpus)
    if data.corpus == "-":
        raise ValueError("--corpus cannot read standard input; make a token file of it: prepare - --out FILE.tokens")
    is_file = data.corpus != GRAMMAR and path.is_file()
    level = data.level or ("char" if is_file else "word")
    if is_file and is_token_file(data.corpus):
        for option in flags_given(options, CorpusChoices):
            if option != "--corpus":
                raise ValueError(f"{data.corpus} is a token file, made with its own {option}: give that to prepare")
        level = open_token_file(data.corpus).vocabulary.level
    elif data.split is not None and (data.corpus == GRAMMAR or path.is_dir()):
        raise ValueError(f"--split cuts a corpus that is one file; {data.corpus} has its three parts already")
    return replace(config, data=replace(data, level=level, split=data.split or DEFAULT_FRACTIONS))


def open_data(config, vocabulary=None):
    """The token streams (S,) of the corpus that the choices name, as ReadData; a vocabulary given is used in place of a
    new one. Raises ValueError where a part of the corpus is too short to train, validate, or measure the baselines on.
    """
    corpus = open_corpus(config.data, vocabulary)
    tokens = corpus.tokens
    for part, least in {"train": max(BASELINE_ORDERS.values()), "valid": 2, "test": 2}.items():
        if len(tokens[part]) < least:
            raise ValueError(
                f"the {part} part of the corpus is {len(tokens[part])} tokens long, where {least} are needed: "
                "give a longer text (spaces separate words: for a text without spaces take --level char)"
            )
    if vocabulary is None:
        note_lines_without_spaces(corpus.vocabulary, tokens["train"])
    return ReadData(corpus.name, corpus.sha256, corpus.vocabulary, tokens, corpus)


def open_corpus(choices, vocabulary=None):
    """The EncodedCorpus of a token file, every byte of it checked; or of texts, by a vocabulary given or a new one."""
    path = choices.corpus
    if path != GRAMMAR and is_token_file(path):
        with byte_bar("checking", Path(path).stat().st_size) as on_bytes:
            verify(path, on_bytes)
        return open_token_file(path)
    corpus = load_corpus(path, choices.level, choices.split)
    if vocabulary is None:
        limits = choices.min_count, choices.max_vocabulary
        vocabulary = build_vocabulary(corpus.train, choices.level, *limits, corpus.ends_blank_lines)
    texts = {part: getattr(corpus, part) for part in PARTS}
    tokens = {part: encode_stream(vocabulary, content) for part, content in texts.items()}
    characters = {part: len(content) for part, content in texts.items()}
    fingerprint = digest(content + "\0" for content in texts.values())
    return EncodedCorpus(corpus.name, vocabulary, tokens, characters, fingerprint, corpus.floor)


def note_lines_without_spaces(vocabulary, tokens):
    """Says so where words are whole lines, as in a Chinese text, which has no spaces."""
    num_lines = int((tokens[: 2**16] == stream_start(vocabulary)).sum()) if vocabulary.level == "word" else 0
    num_words = min(len(tokens), 2**16) - num_lines
    if num_lines > 1 and num_words < FEWEST_WORDS * num_lines:
        found = f"note: the text has {num_words / num_lines:.1f} words in a line, because spaces separate words; "
        print(f"{found}for a text without spaces take --level char", file=sys.stderr)


def constructor_arguments(choices):
    """The arguments of RNNLM, LSTMLM or GRULM that the choices name. The vocabulary's size and the seed are missing."""
    sizes = sizes_of(choices, Sizes)._asdict()
    del sizes["vocab_size"]
    return sizes | choices.cell_options


def make_model(config, data):
    """An untrained RNNLM, LSTMLM or GRULM.

    The W_hh of a ReLU RNN starts as half the identity. Under the identity itself (initialization.py), a state that is
    carried through a long text grows without bound: on texts of 3,000 characters every run ended with a test
    perplexity above 1e33, for all learning rates and clipping norms that we tried; half of it does as well as tanh.
    """
    arguments = constructor_arguments(config.model)
    model = MODELS[config.model.model](vocab_size=len(data.vocabulary), seed=config.settings.seed, **arguments)
    if config.model.nonlinearity == "relu":
        for layer in range(config.model.num_layers):
            model.layer_parameters(layer).W_hh[...] *= RELU_START
    return model


def make_task(config, data):
    """The Task of the run's streams. Before each batch it looks whether another program has changed a token file."""
    train, valid, line_end = data.parts["train"], data.parts["valid"], stream_start(data.vocabulary)
    task = language_task(train, valid, config.settings, line_end, UNITS[data.vocabulary.level])

    def checked(epoch, first):
        check_unchanged(data.source)
        for batch in task.batches(epoch, first):
            yield batch
            check_unchanged(data.source)

    return task._replace(batches=checked) if data.source.path else task


KIND = Kind(
    "language", "train", "tokens", LanguageSettings, ModelChoices, CorpusChoices,
    lambda config: f"{config.model.model}-{Path(config.data.corpus).stem}",
    lambda config: f"{config.model.model.upper()} language model",
    open_data, make_model, make_task, "numpylm.commands.train_report", complete,
)  # fmt: skip
add_options, run = partial(add_task_options, kind=KIND), partial(run_task, kind=KIND)
