"""Runs of models that answer questions about stories: what they read, and how such a run is begun and reported."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple

from numpylm import memory_network, reader, require
from numpylm.answer_task import AnswerSettings, answer_task, encode_questions, vocabulary_of
from numpylm.choices import OWN, SIZES, again, choice
from numpylm.commands.kind import Kind, digest
from numpylm.commands.model_choices import ModelChoices
from numpylm.data.stories import StoryError, read_stories, task_files
from numpylm.data.story_world import draw_questions
from numpylm.memory_network import MemoryNetwork, MemorySizes
from numpylm.reader import Reader, ReaderSizes

READERS = ("rnn", "lstm", "gru")
READER_SETTINGS = {"optimizer": "adam", "learning_rate": None, "max_norm": 5.0, "empty_sentences": 0.0}
FILE_MODEL, FILE_SETTINGS = {"embedding_dim": 20}, {"epochs": 100, "linear_epochs": 20}  # measured on bAbI's tasks
VALID_SHARE = 10  # every tenth question of the training file, the last ones, validates
BUILT_IN = {"valid": (600, 1), "test": (1200, 2)}  # part -> number of questions, seed


@dataclass(frozen=True)
class AnswerModel:
    """The choices of a memory network, or of a recurrent reader. Raises ValueError for one out of range."""

    model: str = choice(
        "memory", "memory: a memory network; rnn, lstm, gru: a recurrent reader of that cell",
        choices=("memory", *READERS),
    )  # fmt: skip
    embedding_dim: int = again(
        ModelChoices, "embedding_dim", 32, help="of each word's vector",
        shown="32; 20 for a memory network with --train",
    )  # fmt: skip
    hidden_dim: int = again(ModelChoices, "hidden_dim", 64, help="of a reader's state")
    num_layers: int = again(ModelChoices, "num_layers", 1, help="layers of a reader")
    num_sentences: int = choice(
        50, "of a longer story the last S sentences are read", "-S", flag="--sentences", metavar="S", group=SIZES
    )
    num_hops: int = choice(3, "how often a memory network looks at the story", flag="--hops", metavar="K", group=OWN)
    tying: str = choice(
        "adjacent", "how a memory network's hops share tables", choices=memory_network.TYINGS, group=OWN
    )
    bag_of_words: bool = choice(False, "a memory network ignores the order of a sentence's words", group=OWN)
    first: str = choice(
        "question", "what a reader reads first, to give its state to the other", choices=reader.TEXTS, group=OWN
    )
    both_directions: bool = choice(False, "a reader reads from both ends", group=OWN)
    dropout: float = again(ModelChoices, "dropout", 0.0, help="probability that a value of a reader is dropped")

    def __post_init__(self):
        require.one_of("model", self.model, ("memory", *READERS))
        memory_network.check_sizes(memory_sizes(self, 1))
        reader.check_sizes(reader_sizes(self, 1, READERS[0]))


@dataclass(frozen=True)
class AnswerData:
    """The questions to train on."""

    train: str | None = choice(
        None, "a folder of the bAbI tasks, with --task, or a file of their format", metavar="PATH",
        shown="the built-in stories", place=True,
    )  # fmt: skip
    task: str | None = choice(None, "numbers of bAbI tasks in the folder: 1, or 1,2,3 together", metavar="K")
    num_questions: int = choice(10_000, "training questions of the built-in stories", metavar="K")

    def __post_init__(self):
        require.positive_integer("num_questions", self.num_questions)
        for number in self.tasks:
            if not number.isdecimal():
                raise ValueError(f"task must be a number, or several with commas between them; got {self.task!r}")

    @property
    def tasks(self):
        """The numbers of the tasks, as strings."""
        return [] if self.task is None else self.task.replace(" ", "").split(",")


class StoryData(NamedTuple):
    """What a run reads: Questions by part ("train", "valid", "test"), and the vocabulary of the first two."""

    name: str
    fingerprint: str
    vocabulary: object
    questions: dict


def memory_sizes(choices, vocab_size):
    """The MemorySizes that the choices name."""
    return MemorySizes(
        vocab_size, choices.embedding_dim, choices.num_hops, choices.num_sentences, choices.tying,
        not choices.bag_of_words,
    )  # fmt: skip


def reader_sizes(choices, vocab_size, cell):
    """The ReaderSizes that the choices name."""
    return ReaderSizes(
        vocab_size, choices.embedding_dim, choices.hidden_dim, choices.num_layers, cell, choices.both_directions,
        choices.first, choices.dropout, choices.num_sentences,
    )  # fmt: skip


def complete(config, options):
    """The config with the defaults of a reader, or of a memory network on files. ValueError: a task has no folder."""
    place = config.data.train
    if place is None and config.data.task is not None:
        raise ValueError("--task is a task of bAbI: name the folder that holds it (--train FOLDER)")
    if place is not None and Path(place).is_dir() and not config.data.tasks:
        raise ValueError(f"{place} is a folder: say which task of bAbI in it to train on (--task 1)")
    if config.model.model in READERS:
        own = {name: value for name, value in READER_SETTINGS.items() if not hasattr(options, name)}
        if hasattr(options, "optimizer"):  # whose learning rate has been filled in
            own.pop("learning_rate", None)
        config = replace(config, settings=replace(config.settings, **own))
    elif place is not None:
        own = FILE_MODEL if not hasattr(options, "embedding_dim") else {}
        config = replace(config, model=replace(config.model, **own))
        config = replace(config, settings=replace(config.settings, **settings_on_files(options)))
    return config


def settings_on_files(options):
    """A memory network's defaults of how long to train on files: a fifth of the epochs without the softmax."""
    own = dict(FILE_SETTINGS)
    if getattr(options, "epochs", None) is not None:
        own["linear_epochs"] = options.epochs // 5
    return {name: value for name, value in own.items() if not hasattr(options, name)}


def run_name(config):
    """answer-stories, answer-gru-babi-1, …"""
    model = "" if config.model.model == "memory" else f"{config.model.model}-"
    if config.data.tasks:
        return f"answer-{model}babi-{'-'.join(config.data.tasks)}"
    return f"answer-{model}{Path(config.data.train or 'stories').name.partition('.')[0]}"


def open_data(config, vocabulary=None):
    """The StoryData that the choices name; a vocabulary given is used in place of a new one."""
    name, questions = questions_of(config.data)
    if vocabulary is None:
        vocabulary = vocabulary_of(questions["train"] + questions["valid"])
    fingerprint = digest([repr(sorted(questions.items())).encode("utf-8", "surrogatepass")])
    return StoryData(name, fingerprint, vocabulary, questions)


def questions_of(choices):
    """(name, Questions by part). Raises StoryError or OSError where they cannot be read."""
    if choices.train is None:
        parts = {part: draw_questions(*drawn) for part, drawn in BUILT_IN.items()}
        return "the built-in stories", {"train": draw_questions(choices.num_questions, 0), **parts}
    path = Path(choices.train)
    if not choices.tasks:
        return path.name, without_test(read_stories(path), path)
    parts = {"train": [], "valid": [], "test": []}
    for number in choices.tasks:
        train_file, test_file = task_files(path, number)
        found = read_stories(train_file, f"task {number}")
        num_train = len(found) - len(found) // VALID_SHARE
        parts["train"] += found[:num_train]
        parts["valid"] += found[num_train:]
        parts["test"] += read_stories(test_file, f"task {number}")
    if not parts["valid"]:
        raise StoryError(f"{path}: {len(parts['train'])} training questions are too few: a tenth of them validates")
    return f"task {choices.task.replace(',', ', ')} of bAbI", parts


def without_test(questions, path):
    """The parts of a file that has no test part: its last tenth tests, and the tenth before it validates."""
    tenth = len(questions) // VALID_SHARE
    if not tenth:
        raise StoryError(f"{path} holds {len(questions)} questions; to train on a file it must have 10 or more")
    train, valid, test = questions[: -2 * tenth], questions[-2 * tenth : -tenth], questions[-tenth:]
    return {"train": train, "valid": valid, "test": test}


def make_model(config, data):
    """An untrained MemoryNetwork or Reader."""
    choices, V, seed = config.model, len(data.vocabulary), config.settings.seed
    if choices.model == "memory":
        return MemoryNetwork(**memory_sizes(choices, V)._asdict(), seed=seed)
    return Reader(**reader_sizes(choices, V, choices.model)._asdict(), seed=seed)


def make_task(config, data):
    """The Task of the run's questions."""
    train, valid = (
        encode_questions(data.vocabulary, data.questions[part], config.model.num_sentences)
        for part in ("train", "valid")
    )
    return answer_task(train, valid, config.settings)


def describe(run):
    """What is about to be trained on what."""
    counts = ", ".join(f"{len(questions):,} {part}" for part, questions in run.data.questions.items())
    yield "corpus", f"{run.data.name}: {counts} questions; {len(run.data.vocabulary):,} words"
    choices, settings = run.config.model, run.config.settings
    if choices.model == "memory":
        kind = f"memory network, {choices.num_hops} hop{'s' * (choices.num_hops > 1)}, {choices.tying} tying"
        yield "model", f"{kind}; D = {choices.embedding_dim}, S = {choices.num_sentences}; N = {settings.batch_size}"
        return
    ways = "in both directions" if choices.both_directions else "forwards"
    yield (
        "model",
        f"{choices.model.upper()} reader, {ways}, {choices.first} first; D = {choices.embedding_dim}, "
        f"H = {choices.hidden_dim}, L = {choices.num_layers}; N = {settings.batch_size}",
    )


KIND = Kind(
    "answers", "answer", AnswerSettings, AnswerModel, AnswerData,
    run_name, open_data, make_model, make_task, describe, "numpylm.commands.answering_report", complete,
)  # fmt: skip
