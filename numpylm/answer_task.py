"""How a model that answers questions about stories trains, and how it is measured.

Two tricks of Sukhbaatar et al. (2015) help a memory network. Linear start: in the first epochs the hops leave the
softmax over sentences out. Random empty sentences: now and then training puts a sentence of <unk> alone between two
others, so that the model does not learn by heart how old each sentence is.
"""

from dataclasses import dataclass
from itertools import chain
from typing import NamedTuple

import numpy as np

from numpylm import require
from numpylm.activations import softmax
from numpylm.choices import OWN, TIME, again, choice
from numpylm.data.text import SPECIAL_TOKENS, Vocabulary
from numpylm.loss import IGNORED, surprisal
from numpylm.memory_network import MemoryNetwork
from numpylm.ranks import ALONE
from numpylm.training import Settings, Task, Validation, shuffled

UNKNOWN_WORD = 0
SGD_RATE = 0.32  # Sukhbaatar et al.: 0.01 for the sum over a batch of 32, and a largest norm of 40
ANSWERED = 100  # questions that are answered at once


@dataclass(frozen=True)
class AnswerSettings(Settings):
    """Settings whose defaults suit a memory network on the built-in stories."""

    epochs: int | None = again(
        Settings, "epochs", 30, shown="30, unless --minutes; 100 for a memory network with --train"
    )  # fmt: skip
    optimizer: str = again(Settings, "optimizer", "sgd", shown="sgd; adam for a reader")
    learning_rate: float | None = again(
        Settings, "learning_rate", None, shown=f"{SGD_RATE} with sgd, 0.005 with adam"
    )  # fmt: skip
    max_norm: float = again(Settings, "max_norm", 1.25, shown="1.25; 5 for a reader")
    linear_epochs: int = choice(
        5, "a memory network's first K epochs leave the softmax over sentences out (linear start)", metavar="K",
        shown="5; a fifth of the epochs with --train", group=TIME,
    )  # fmt: skip
    empty_sentences: float = choice(
        0.1, "probability of an empty sentence before each sentence in training", metavar="P",
        shown="0.1; 0 for a reader", group=OWN,
    )  # fmt: skip

    def __post_init__(self):
        if self.learning_rate is None and self.optimizer == "sgd":
            object.__setattr__(self, "learning_rate", SGD_RATE)
        super().__post_init__()
        require.count("linear_epochs", self.linear_epochs)
        require.fraction("empty_sentences", self.empty_sentences)


class EncodedQuestion(NamedTuple):
    """A Question as ids: its sentences, its words, and its answer, -1 if the vocabulary lacks it."""

    story: list
    question: list
    answer: int


class StoryBatch(NamedTuple):
    """story (I, N, J), question (N, J), answers (N,); linear: whether the hops leave their softmax out."""

    story: np.ndarray
    question: np.ndarray
    answers: np.ndarray
    linear: bool = False


class AnswerScore(NamedTuple):
    """Of some questions: the mean nats of the answers that the vocabulary has, and whether each was given."""

    loss: float
    right: np.ndarray

    @property
    def accuracy(self):
        """The share of questions that were answered right."""
        return float(self.right.mean())


def answer_token(answer):
    """An answer as a token: of several words too it is one, "the_red_lamp". No word of a sentence has a _."""
    return "_".join(answer.split())


def vocabulary_of(questions):
    """The Vocabulary of all words and answers of Questions."""
    words = {word for one in questions for sentence in (*one.story, one.question) for word in sentence}
    words |= {answer_token(one.answer) for one in questions}
    return Vocabulary("word", (*SPECIAL_TOKENS["word"], *sorted(words - {*SPECIAL_TOKENS["word"]})))


def encode_questions(vocabulary, questions, num_sentences):
    """An EncodedQuestion of each Question, whose story keeps its last num_sentences sentences."""
    ids = {token: place for place, token in enumerate(vocabulary.tokens)}

    def encode(sentence):
        return [ids.get(word, UNKNOWN_WORD) for word in sentence]

    return [
        EncodedQuestion(
            [encode(sentence) for sentence in one.story[-num_sentences:]],
            encode(one.question),
            ids.get(answer_token(one.answer), IGNORED),
        )
        for one in questions
    ]


def batch_of(questions, linear=False, rng=None, empty_sentences=0.0):
    """The StoryBatch of EncodedQuestions; rng draws which sentences get an empty one before them."""
    stories = [one.story if rng is None else with_empty(one.story, rng, empty_sentences) for one in questions]
    story = np.full((max(map(len, stories)), len(stories), longest(chain.from_iterable(stories))), IGNORED)
    question = np.full((len(stories), longest([one.question for one in questions])), IGNORED)
    for n, (sentences, one) in enumerate(zip(stories, questions, strict=True)):
        for i, sentence in enumerate(sentences):
            story[i, n, : len(sentence)] = sentence
        question[n, : len(one.question)] = one.question
    return StoryBatch(story, question, np.array([one.answer for one in questions]), linear)


def longest(sentences):
    """The number of words of the longest sentence."""
    return max(map(len, sentences))


def with_empty(story, rng, probability):
    """The sentences, each with an empty one before it with this probability."""
    longer = []
    for sentence, drawn in zip(story, rng.random(len(story)), strict=True):
        longer += [[UNKNOWN_WORD], sentence] if drawn < probability else [sentence]
    return longer


def answer_task(train, valid, settings):
    """The Task of a memory network, or of a reader, on EncodedQuestions."""
    N, seed = settings.batch_size, settings.seed

    def batches(epoch, first):
        order = shuffled(len(train), seed, epoch)
        for k in range(first, -(-len(train) // N)):
            rng = np.random.default_rng([seed, 5, epoch, k])
            chosen = [train[i] for i in order[k * N : (k + 1) * N]]
            yield batch_of(chosen, epoch < settings.linear_epochs, rng, settings.empty_sentences)

    def loss_and_gradients(model, batch, carried, rng):
        if isinstance(model, MemoryNetwork):
            return model.loss_and_gradients(*batch)
        return model.loss_and_gradients(batch.story, batch.question, batch.answers, rng=rng)

    def validate(model, ranks=ALONE):
        score = score_questions(model, valid, ranks)
        return Validation(score.loss, f"accuracy {100 * score.accuracy:.1f} %")

    num_batches = -(-len(train) // N)
    axes = StoryBatch(story=1, question=0, answers=0, linear=None)
    return Task("answer", num_batches, batches, num_targets, loss_and_gradients, validate, False, axes)


def num_targets(batch):
    """How many answers of a batch are predicted."""
    return len(batch.answers)


def score_questions(model, questions, ranks=ALONE):
    """The AnswerScore of EncodedQuestions; ranks share the work."""
    nats, right = 0.0, np.zeros(len(questions))
    for k in range(0, len(questions), ANSWERED)[ranks.rank :: ranks.size]:
        batch = batch_of(questions[k : k + ANSWERED])
        logits = model.forward(batch.story, batch.question).logits
        nats += surprisal(logits, batch.answers).sum(dtype=float)
        right[k : k + ANSWERED] = logits.argmax(axis=1) == batch.answers
    nats, *right = ranks.total(np.array([nats, *right]))
    num_known = sum(one.answer != IGNORED for one in questions)
    return AnswerScore(float(nats / max(num_known, 1)), np.array(right, bool))


class Answered(NamedTuple):
    """The most probable answer, its probability, and p (K, I): what each hop looked at; None without hops."""

    answer: str
    probability: float
    p: np.ndarray | None


def answer_question(model, vocabulary, question):
    """Answered for a Question."""
    (encoded,) = encode_questions(vocabulary, [question], model.sizes.num_sentences)
    batch = batch_of([encoded])
    out = model.forward(batch.story, batch.question)
    y = softmax(out.logits[0])
    hops = getattr(out.trace, "hops", None)
    p = None if hops is None else np.array([hop.p[0] for hop in hops])
    return Answered(vocabulary.tokens[y.argmax()].replace("_", " "), float(y.max()), p)
