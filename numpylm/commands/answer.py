"""The answer command: runs of models that answer questions about stories; what they read, do, and show."""

import sys
from collections import Counter
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from statistics import fmean

from numpylm import plots
from numpylm.activations import softmax
from numpylm.base import require
from numpylm.base.choices import OWN, SIZES, again, choice
from numpylm.commands.console import SHOWN, mean_by, percent, print_table
from numpylm.commands.options import sizes_of
from numpylm.commands.run_folder import Kind, ReadData, Report, digest
from numpylm.commands.task_command import add_task_options, run_task
from numpylm.commands.train import ModelChoices
from numpylm.commands.trained import load_trained, note_unknown, read_lines, typed_lines
from numpylm.data.stories import draw_questions, read_stories, task_files, with_line
from numpylm.kinds.answer_task import AnswerSettings, answer_task, encode_questions, score_questions, vocabulary_of
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
QUESTION = "a question begins with a question word, or has a question mark"
HINT = f"Type a sentence a line, then a question: {QUESTION}.\nAn empty line begins a new story"
LOOKED_AT = 0.1  # sentences with at least this weight in a hop are shown


@dataclass(frozen=True)
class AnswerModel:
    """The choices of a memory network, or of a recurrent reader. Raises ValueError for one out of range."""

    model: str = choice("memory", "a memory network, or a recurrent reader of this cell", choices=tuple(MODELS))
    embedding_dim: int = again(ModelChoices, "embedding_dim", 20, help="of each word's vector")
    hidden_dim: int = again(ModelChoices, "hidden_dim", 64, help="of a reader's state")
    num_layers: int = again(ModelChoices, "num_layers", 1, help="layers of a reader")
    num_sentences: int = choice(50, "read the last S of a story", "-S", flag="--sentences", metavar="S", group=SIZES)
    num_hops: int = choice(3, "how often a memory network looks at the story", flag="--hops", metavar="K", group=OWN)
    tying: str = choice("adjacent", "how a memory network's hops share tables", choices=TYINGS, group=OWN)
    first: str = choice("question", "what a reader reads first", choices=TEXTS, group=OWN)
    bidirectional: bool = choice(False, "a reader reads the first text from both ends", group=OWN)
    dropout: float = again(ModelChoices, "dropout", 0.0, help="probability that a value of a reader is dropped")

    def __post_init__(self):
        require.one_of("model", self.model, MODELS)
        sizes_of(self, MODELS[self.model].Sizes).check()


@dataclass(frozen=True)
class AnswerData:
    """The questions to train on."""

    train: str | None = choice(
        None, "a folder of bAbI's tasks, or a file like theirs", metavar="PATH", shown="built-in stories", place=True
    )
    task: str | None = choice(None, "the number of a task in the folder, or several: 1,2,3", metavar="K")
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
        tasks = [read_parts(task_files(path, number), f"task {number}") for number in choices.tasks]
        name = f"task {', '.join(choices.tasks)} of bAbI"
        parts = {part: [question for task in tasks for question in task[part]] for part in tasks[0]}
    elif path.is_dir():
        raise ValueError(f"{path} is a folder: say which task of bAbI in it to train on (--task 1)")
    else:
        name, parts = path.name, read_parts([path])
    fingerprint = digest([repr(sorted(parts.items()))])
    return ReadData(name, fingerprint, vocabulary or vocabulary_of(parts["train"] + parts["valid"]), parts)


def read_parts(files, kind=""):
    """The Questions of a file by part; its last tenth validates. A second file tests, or without one another tenth."""
    train, *test = (read_stories(file, kind) for file in files)
    tenth = len(train) // 10
    if not tenth:
        raise ValueError(f"{files[0]} holds {len(train)} questions; to train on a file it must have 10 or more")
    if not test:
        train, test = train[:-tenth], [train[-tenth:]]
    return {"train": train[:-tenth], "valid": train[-tenth:], "test": test[0]}


def make_model(config, data):
    """An untrained MemoryNetwork or Reader."""
    Model = MODELS[config.model.model]
    sizes = sizes_of(config.model, Model.Sizes, vocab_size=len(data.vocabulary))
    return Model(**sizes._asdict(), seed=config.settings.seed)


def make_task(config, data):
    """The Task of the run's questions."""
    encoded = partial(encode_questions, data.vocabulary, num_sentences=config.model.num_sentences)
    return answer_task(encoded(data.parts["train"]), encoded(data.parts["valid"]), config.settings)


def answered(model, vocabulary, question):
    """What is shown of a Question: (itself, the answer with its probability, the names of the hops, {sentence: its
    weights in them}). A reader has no hops."""
    batch = encode_questions(vocabulary, [question], model.sizes.num_sentences)
    out = model.forward(batch.story, batch.question)
    y = softmax(out.logits[0])
    answer, expected = (one.replace("_", " ") for one in (vocabulary.tokens[y.argmax()], question.answer))
    wrong = f"   BAD: {expected} would be right" if expected not in ("", answer) else ""
    hops, looked = getattr(out.trace, "hops", []), {}
    for k, i in enumerate(range(len(question.story))[-len(batch.story) :]):
        sentence = f"{i + 1:3} {' '.join(question.story[i])}{' (tells it)' if i in question.support else ''}"
        looked[sentence] = [hop.p[0, k] for hop in hops]
    answer = f"{answer} ({percent(y.max())}){wrong}"
    return f"{' '.join(question.question)}?", answer, [f"hop {k}" for k in range(len(hops))], looked


def print_answer(question, answer, hops, looked, least=LOOKED_AT):
    """Prints what answered returns, with the sentences that have at least this weight in a hop."""
    rows = {}
    for sentence, weights in looked.items():
        if max(weights, default=0) >= least:
            rows[sentence] = [f"{100 * weight:.0f} %" if weight >= LOOKED_AT else "." for weight in weights]
    print_table(question, hops, rows | {answer: [""] * len(hops)})


def use(trained, choices):
    """Answers the questions of a file, or of a person at the terminal, who may mistype a line."""
    model, vocabulary, _ = load_trained(trained, "answers")
    at_terminal = choices.text == "-" and sys.stdin is not None and sys.stdin.isatty()
    lines = typed_lines(HINT) if at_terminal else read_lines(choices.text)
    name = "standard input" if choices.text == "-" else choices.text
    story, known, num_questions = {}, set(vocabulary.tokens), 0
    for number, line in enumerate(lines, start=1):
        try:
            story, question = with_line(story, line, f"{name}, line {number}")
        except ValueError as error:
            if not at_terminal:
                raise
            print(error, file=sys.stderr)
            continue
        if question is not None:
            words = dict.fromkeys(word for sentence in (*question.story, question.question) for word in sentence)
            note_unknown([word for word in words if word not in known])
            known.update(words)  # each unknown word is named once
            print_answer(*answered(model, vocabulary, question))
            num_questions += 1
    if not num_questions and not at_terminal:
        raise ValueError(f"{name} holds no question: {QUESTION}")


def report(run, model):
    """Measures the model on the test questions, prints what came out, and returns the Report."""
    parts, vocabulary = run.data.parts, run.data.vocabulary
    found, right = measured(model, vocabulary, parts)
    print_table(*found.table)
    print("\nUnseen stories")
    first = {}  # the first question of each kind that was answered right, and the first of all that was not
    for question, is_right in zip(parts["test"], right, strict=True):
        first.setdefault(question.kind if is_right else None, question)
    shown = [*first.values()][:SHOWN]
    for question in shown:
        print()
        print_answer(*answered(model, vocabulary, question), least=0)
    if run.config.model.model == "memory":
        longest = max(shown, key=lambda question: len(question.support))
        question, answer, hops, looked = answered(model, vocabulary, longest)
        path, title = run.folder / "hops.png", f"{question}  {answer}"
        with plots.may_fail(path.name):
            plots.heat_map(path, [*looked.values()], [*looked], hops, "p, weight of a sentence", title, LOOKED_AT)
    return found


def evaluate(model, vocabulary, folder, options, own):
    """The Report of the run's own test questions, or of those in a file: run_folder.py."""
    parts = own.parts if own else dict.fromkeys(("train", "valid", "test"), read_stories(options.text))
    return measured(model, vocabulary, parts)[0]


def measured(model, vocabulary, parts):
    """(the Report of the test questions, whether each was answered right). Beside the model: the most frequent answer
    to a kind of question in training, and drawing one of its answers by chance."""
    test, train = parts["test"], parts["train"] + parts["valid"]
    loss, right = score_questions(model, encode_questions(vocabulary, test, model.sizes.num_sentences))
    kinds = [one.kind for one in test]
    answers = {kind: Counter(one.answer for one in train if one.kind == kind) for kind in dict.fromkeys(kinds)}
    majority = {kind: max(counts, key=counts.get, default=None) for kind, counts in answers.items()}
    columns = {
        "accuracy": right,
        "accuracy_majority": [one.answer == majority[one.kind] for one in test],
        "accuracy_chance": [1 / max(1, len(answers[kind])) for kind in kinds],
    }
    fields = {"test_questions": len(test), "test_loss": loss}
    for name, values in columns.items():
        fields |= {name: fmean(values), f"{name}_by_kind": mean_by(kinds, values)}
    several = kinds if len(answers) > 1 else []
    rows = {kind: [percent(fields[f"{name}_by_kind"][kind]) for name in columns] for kind in several}
    rows["all"] = [percent(fields[name]) for name in columns]
    return Report(fields, (f"Test questions: {len(test):,}", ("right", "majority", "chance"), rows), loss), right


KIND = Kind(
    "answers", "answer", "questions", AnswerSettings, AnswerModel, AnswerData,
    lambda config: "-".join(["answer", Path(config.data.train or "stories").stem, *config.data.tasks]),
    lambda config: "memory network" if config.model.model == "memory" else f"{config.model.model.upper()} reader",
    open_data, make_model, make_task, __name__, complete, AnswerChoices,
)  # fmt: skip
add_options, run = partial(add_task_options, kind=KIND), partial(run_task, kind=KIND)
