"""The answer command: runs of models that answer questions about stories, what they read, and how one answers."""

from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from numpylm import memory_network, reader, require
from numpylm.answer_task import AnswerSettings, answer_task, encode_questions, vocabulary_of
from numpylm.choices import OWN, SIZES, again, choice
from numpylm.commands.kind import Kind, ReadData, digest
from numpylm.commands.model_choices import ModelChoices, sizes_of
from numpylm.commands.task_command import add_task_options, run_task
from numpylm.data.stories import StoryError, read_stories, task_files
from numpylm.data.story_world import draw_questions

DESCRIPTION = (
    "Train a memory network, or a recurrent reader, on questions about stories. Without\n"
    "arguments: on built-in stories, in under two minutes. With RUN: answer the questions\n"
    "of FILE, or of what you type. A line that begins with a question word or has a\n"
    "question mark is a question about the sentences before it; after an empty line a\n"
    "new story begins."
)
USAGE = "python -m numpylm answer [RUN [FILE]] [options]"
MODELS = ("memory", "rnn", "lstm", "gru")
READER_SETTINGS = {"optimizer": "adam", "learning_rate": None, "max_norm": 5.0, "empty_sentences": 0.0}
FILE_SETTINGS = {"epochs": 100, "linear_epochs": None}  # of a memory network: measured on bAbI's tasks
TENTH = 10  # of the training questions, the last ones: they validate; in a file without a test part, another one tests
BUILT_IN = {"valid": (600, 1), "test": (1200, 2)}  # part -> number of questions, seed


@dataclass(frozen=True)
class AnswerModel:
    """The choices of a memory network, or of a recurrent reader. Raises ValueError for one out of range."""

    model: str = choice(
        "memory", "memory: a memory network; rnn, lstm, gru: a recurrent reader of that cell", choices=MODELS
    )
    embedding_dim: int = again(ModelChoices, "embedding_dim", 20, help="of each word's vector")
    hidden_dim: int = again(ModelChoices, "hidden_dim", 64, help="of a reader's state")
    num_layers: int = again(ModelChoices, "num_layers", 1, help="layers of a reader")
    num_sentences: int = choice(
        50, "of a longer story the last S sentences are read", "-S", flag="--sentences", metavar="S", group=SIZES
    )
    num_hops: int = choice(3, "how often a memory network looks at the story", flag="--hops", metavar="K", group=OWN)
    tying: str = choice(
        "adjacent", "how a memory network's hops share tables", choices=memory_network.TYINGS, group=OWN
    )
    first: str = choice(
        "question", "what a reader reads first, to give its state to the other", choices=reader.TEXTS, group=OWN
    )
    bidirectional: bool = choice(False, "a reader reads the first text from both ends", group=OWN)
    dropout: float = again(ModelChoices, "dropout", 0.0, help="probability that a value of a reader is dropped")

    def __post_init__(self):
        require.one_of("model", self.model, MODELS)
        self.sizes(1).check()

    def sizes(self, vocab_size):
        """The MemorySizes or ReaderSizes."""
        Sizes = memory_network.MemorySizes if self.model == "memory" else reader.ReaderSizes
        return sizes_of(self, Sizes, vocab_size=vocab_size)


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
        if not all(number.isdecimal() for number in self.tasks):
            raise ValueError(f"task must be a number, or several with commas between them; got {self.task!r}")
        if self.tasks and self.train is None:
            raise ValueError("--task is a task of bAbI: name the folder that holds it (--train FOLDER)")

    @property
    def tasks(self):
        """The numbers of the tasks, as strings."""
        return [] if self.task is None else self.task.replace(" ", "").split(",")


@dataclass(frozen=True)
class AnswerChoices:
    """How a trained run answers."""

    text: str = choice("-", "stories and questions, a sentence a line; - for standard input", flag="FILE")


def complete(config, options):
    """The config with the defaults of a reader, or of a memory network on files."""
    own = READER_SETTINGS if config.model.model != "memory" else FILE_SETTINGS if config.data.train else {}
    own = {name: value for name, value in own.items() if not hasattr(options, name)}
    return replace(config, settings=replace(config.settings, **own))


def run_name(config):
    """answer-stories, answer-gru-babi-1, …"""
    model = "" if config.model.model == "memory" else f"{config.model.model}-"
    name = "-".join(["babi", *config.data.tasks]) if config.data.tasks else Path(config.data.train or "stories").stem
    return f"answer-{model}{name}"


def open_data(config, vocabulary=None):
    """The Questions that the choices name, as ReadData; a vocabulary given is used in place of a new one. Raises
    StoryError, ValueError or OSError where they cannot be read."""
    choices, path = config.data, Path(config.data.train or "")
    if choices.train is None:
        parts = {part: draw_questions(*drawn) for part, drawn in BUILT_IN.items()}
        name, questions = "the built-in stories", {"train": draw_questions(choices.num_questions, 0), **parts}
    elif choices.tasks:
        tasks = [read_parts(*task_files(path, number), f"task {number}") for number in choices.tasks]
        name = f"task {', '.join(choices.tasks)} of bAbI"
        questions = {part: [question for task in tasks for question in task[part]] for part in tasks[0]}
    elif path.is_dir():
        raise ValueError(f"{path} is a folder: say which task of bAbI in it to train on (--task 1)")
    else:
        name, questions = path.name, read_parts(path)
    fingerprint = digest([repr(sorted(questions.items())).encode("utf-8", "surrogatepass")])
    return ReadData(name, fingerprint, vocabulary or vocabulary_of(questions["train"] + questions["valid"]), questions)


def read_parts(train_file, test_file=None, kind=""):
    """The Questions of a task by part."""
    train = read_stories(train_file, kind)
    tenth = len(train) // TENTH
    if not tenth:
        raise StoryError(f"{train_file} holds {len(train)} questions; to train on a file it must have 10 or more")
    if test_file is None:
        train, test = train[:-tenth], train[-tenth:]
    else:
        test = read_stories(test_file, kind)
    return {"train": train[:-tenth], "valid": train[-tenth:], "test": test}


def make_model(config, data):
    """An untrained MemoryNetwork or Reader."""
    Model = memory_network.MemoryNetwork if config.model.model == "memory" else reader.Reader
    return Model(**config.model.sizes(len(data.vocabulary))._asdict(), seed=config.settings.seed)


def make_task(config, data):
    """The Task of the run's questions."""
    parts = (data.parts[part] for part in ("train", "valid"))
    encoded = (encode_questions(data.vocabulary, part, config.model.num_sentences) for part in parts)
    return answer_task(*encoded, config.settings)


KIND = Kind(
    "answers", "answer", "questions", AnswerSettings, AnswerModel, AnswerData, run_name, "{} reader",
    open_data, make_model, make_task, "numpylm.commands.answering_report", complete, AnswerChoices,
)  # fmt: skip
add_options, run = partial(add_task_options, kind=KIND), partial(run_task, kind=KIND)
