"""The answer command: runs of models that answer questions about stories, what they read, and how one answers."""

from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from numpylm import require
from numpylm.answer_task import AnswerSettings, answer_task, encode_questions, vocabulary_of
from numpylm.choices import OWN, SIZES, again, choice
from numpylm.commands.kind import Kind, ReadData, digest
from numpylm.commands.model_choices import ModelChoices, sizes_of
from numpylm.commands.task_command import add_task_options, run_task
from numpylm.data.stories import read_stories, task_file
from numpylm.data.story_world import draw_questions
from numpylm.memory_network import TYINGS, MemoryNetwork
from numpylm.reader import TEXTS, Reader

DESCRIPTION = (
    "Train a memory network, or a recurrent reader, on questions about stories. Without\n"
    "arguments: on built-in stories, in under two minutes. With RUN: answer the questions\n"
    "of FILE, or of what you type. A question has a question mark, or begins with a\n"
    "question word; an empty line begins a new story."
)
USAGE = "python -m numpylm answer [RUN [FILE]] [options]"
MODELS = {"memory": MemoryNetwork, "rnn": Reader, "lstm": Reader, "gru": Reader}
READER_SETTINGS = {"optimizer": "adam", "learning_rate": None, "max_norm": 5.0, "empty_sentences": 0.0}
FILE_SETTINGS = {"epochs": 100, "linear_epochs": None}  # of a memory network: measured on bAbI's tasks
BUILT_IN = {"valid": (600, 1), "test": (1200, 2)}  # part -> number of questions, seed
MOST_QUESTIONS = 100_000  # built-in ones: they take half a GB


@dataclass(frozen=True)
class AnswerModel:
    """The choices of a memory network, or of a recurrent reader. Raises ValueError for one out of range."""

    model: str = choice("memory", "a memory network, or a recurrent reader of this cell", choices=tuple(MODELS))
    embedding_dim: int = again(ModelChoices, "embedding_dim", 20, help="of each word's vector")
    hidden_dim: int = again(ModelChoices, "hidden_dim", 64, help="of a reader's state")
    num_layers: int = again(ModelChoices, "num_layers", 1, help="layers of a reader")
    num_sentences: int = choice(50, "read a story's last S", "-S", flag="--sentences", metavar="S", group=SIZES)
    num_hops: int = choice(3, "how often a memory network looks at the story", flag="--hops", metavar="K", group=OWN)
    tying: str = choice("adjacent", "how a memory network's hops share tables", choices=TYINGS, group=OWN)
    first: str = choice("question", "what a reader reads first", choices=TEXTS, group=OWN)
    bidirectional: bool = choice(False, "a reader reads the first text from both ends", group=OWN)
    dropout: float = again(ModelChoices, "dropout", 0.0, help="probability that a value of a reader is dropped")

    def __post_init__(self):
        require.one_of("model", self.model, MODELS)
        self.sizes(1).check()

    def sizes(self, vocab_size):
        """The MemorySizes or ReaderSizes."""
        return sizes_of(self, MODELS[self.model].Sizes, vocab_size=vocab_size)


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
        if require.positive_integer("num_questions", self.num_questions) > MOST_QUESTIONS:
            raise ValueError(f"num_questions must be at most {MOST_QUESTIONS:,}; got {self.num_questions:,}")
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
    not_given = {name: value for name, value in own.items() if not hasattr(options, name)}
    return replace(config, settings=replace(config.settings, **not_given))


def open_data(config, vocabulary=None):
    """The Questions that the choices name, as ReadData; a vocabulary given is used in place of a new one."""
    choices, path = config.data, Path(config.data.train or "")
    if choices.train is None:
        drawn = {"train": (choices.num_questions, 0), **BUILT_IN}
        name, parts = "the built-in stories", {part: draw_questions(*drawn[part]) for part in drawn}
    elif choices.tasks:
        tasks = [read_parts(task_file(path, k, "train"), task_file(path, k, "test"), k) for k in choices.tasks]
        name = f"task {', '.join(choices.tasks)} of bAbI"
        parts = {part: [question for task in tasks for question in task[part]] for part in tasks[0]}
    elif path.is_dir():
        raise ValueError(f"{path} is a folder: say which task of bAbI in it to train on (--task 1)")
    else:
        name, parts = path.name, read_parts(path)
    fingerprint = digest([repr(sorted(parts.items())).encode("utf-8", "surrogatepass")])
    return ReadData(name, fingerprint, vocabulary or vocabulary_of(parts["train"] + parts["valid"]), parts)


def read_parts(train_file, test_file=None, task=None):
    """The Questions of a task by part. The last tenth of the first file validates; without another file, one tests."""
    kind = f"task {task}" if task else ""
    train = read_stories(train_file, kind)
    tenth = len(train) // 10
    if not tenth:
        raise ValueError(f"{train_file} holds {len(train)} questions; to train on a file it must have 10 or more")
    test = read_stories(test_file, kind) if test_file else train[-tenth:]
    train = train if test_file else train[:-tenth]
    return {"train": train[:-tenth], "valid": train[-tenth:], "test": test}


def make_model(config, data):
    """An untrained MemoryNetwork or Reader."""
    return MODELS[config.model.model](*config.model.sizes(len(data.vocabulary)), seed=config.settings.seed)


def make_task(config, data):
    """The Task of the run's questions."""
    S = config.model.num_sentences
    train, valid = (encode_questions(data.vocabulary, data.parts[part], S) for part in ("train", "valid"))
    return answer_task(train, valid, config.settings)


KIND = Kind(
    "answers", "answer", "questions", AnswerSettings, AnswerModel, AnswerData,
    lambda config: "-".join(["answer", Path(config.data.train or "stories").stem, *config.data.tasks]),
    "{} reader", open_data, make_model, make_task, "numpylm.commands.answering_report", complete, AnswerChoices,
)  # fmt: skip
add_options, run = partial(add_task_options, kind=KIND), partial(run_task, kind=KIND)
