"""How a model that answers questions about stories trains, and how it is measured.

Two tricks of Sukhbaatar et al. (2015) help a memory network. Linear start: in the first epochs the hops leave the
softmax over sentences out. Empty sentences: now and then training puts a sentence of <unk> alone before another one, so
that the model does not learn by heart how old each sentence is.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from numpylm.base import require
from numpylm.base.choices import OWN, TIME, again, choice
from numpylm.base.ranks import ALONE
from numpylm.data.batches import shuffled, side_by_side
from numpylm.data.text import SPECIAL_TOKENS, Vocabulary
from numpylm.loss import IGNORED, surprisal
from numpylm.memory_network import MemoryNetwork
from numpylm.training import LEARNING_RATES, Settings, Task, Validation

UNKNOWN_WORD = 0
ANSWERED = 100  # questions that are answered at once


@dataclass(frozen=True)
class AnswerSettings(Settings):
    """Settings whose defaults suit a memory network on the built-in stories."""

    epochs: int | None = again(Settings, "epochs", 30, shown="30; 100 for a memory network with --train")
    optimizer: str = again(Settings, "optimizer", "sgd", shown="sgd; adam for a reader")
    learning_rate: float | None = again(Settings, "learning_rate", None, shown="0.32 with sgd, 0.005 with adam")
    max_norm: float = again(Settings, "max_norm", 1.25, shown="1.25; 5 for a reader")
    linear_epochs: int | None = choice(
        None, "linear start: epochs without softmax over sentences", metavar="K", shown="a fifth of them", group=TIME
    )
    empty_sentences: float = choice(
        0.1, "in training, how likely is an empty one before each", metavar="P", shown="0.1; 0 for a reader", group=OWN
    )
    rates = LEARNING_RATES | {"sgd": 0.32}  # Sukhbaatar et al.: 0.01 for the sum over a batch of 32, a norm of 40

    def __post_init__(self):
        super().__post_init__()
        if self.linear_epochs is None:
            object.__setattr__(self, "linear_epochs", (self.epochs or 30) // 5)
        require.count("linear_epochs", self.linear_epochs)
        require.fraction("empty_sentences", self.empty_sentences)


class StoryBatch(NamedTuple):
    """N stories, questions and answers, as memory_network.py reads them."""

    story: np.ndarray  # (I, N, J)
    question: np.ndarray  # (N, J)
    answers: np.ndarray  # (N,), -1 where the vocabulary lacks the answer
    linear: bool = False  # whether the hops leave their softmax out

    def part(self, chosen):
        """The StoryBatch of the stories chosen, with no more padding than they need."""
        story, question = self.story[:, chosen], self.question[chosen]
        story = story[(story >= 0).any(axis=(1, 2))][..., (story >= 0).any(axis=(0, 1))]
        question = question[:, (question >= 0).any(axis=0)]
        return StoryBatch(story, question, self.answers[chosen], self.linear)


def vocabulary_of(questions):
    """The Vocabulary of all words and answers of Questions; an answer of several words is one token: the_red_lamp."""
    words = {word for one in questions for sentence in (*one.story, one.question) for word in sentence}
    words |= {one.answer.replace(" ", "_") for one in questions}
    return Vocabulary("word", (*SPECIAL_TOKENS["word"], *sorted(words - {*SPECIAL_TOKENS["word"]})))


def encode_questions(vocabulary, questions, num_sentences):
    """The StoryBatch of Questions; each story keeps its last num_sentences sentences."""
    ids = {token: place for place, token in enumerate(vocabulary.tokens)}

    def encoded(sentences):
        return side_by_side([[ids.get(word, UNKNOWN_WORD) for word in words] for words in sentences], IGNORED).T

    stories = [one.story[-num_sentences:] for one in questions]
    sentences = encoded([words for story in stories for words in story])  # (·, J), one story after the other
    ends = np.cumsum([len(story) for story in stories])
    story = side_by_side(np.split(sentences, ends[:-1]), IGNORED)  # (I, N, J)
    question = encoded([one.question for one in questions])
    answers = [ids.get(one.answer.replace(" ", "_"), IGNORED) for one in questions]
    return StoryBatch(story, question, np.array(answers))


def with_empty(batch, rng, probability):
    """The StoryBatch with an empty sentence before each sentence with this probability."""
    exists = batch.story[..., 0].T >= 0  # (N, I)
    drawn = np.zeros(exists.shape, bool)
    drawn[exists] = rng.random(exists.sum()) < probability
    story = np.repeat(batch.story, 2, axis=0)  # the first of two becomes the empty sentence, or padding
    story[::2] = IGNORED
    story[::2, :, 0][drawn.T] = UNKNOWN_WORD
    order = np.argsort(story[..., 0] < 0, axis=0, kind="stable")  # padding goes to the end
    story = np.take_along_axis(story, order[..., None], axis=0)
    return batch._replace(story=story).part(slice(None))


def answer_task(train, valid, settings):
    """The Task of a memory network, or of a reader; train and valid are the StoryBatches of all questions."""
    N, seed = settings.batch_size, settings.seed
    num_batches = -(-len(train.answers) // N)

    def batches(epoch, first):
        order = shuffled(len(train.answers), seed, epoch)
        for k in range(first, num_batches):
            batch = train.part(order[k * N : (k + 1) * N])._replace(linear=epoch < settings.linear_epochs)
            yield with_empty(batch, np.random.default_rng([seed, 5, epoch, k]), settings.empty_sentences)

    def loss_and_gradients(model, batch, carried, rng):
        *arrays, linear = batch
        options = {"linear": linear} if isinstance(model, MemoryNetwork) else {"rng": rng}
        return model.loss_and_gradients(*arrays, **options)

    def validate(model, ranks=ALONE):
        loss, right = score_questions(model, valid, ranks)
        return Validation(loss, f"accuracy {100 * right.mean():.1f} %")

    return Task(
        "answer", num_batches, batches, lambda batch: len(batch.answers), loss_and_gradients, validate,
        perplexity=False, axes=StoryBatch(story=1, question=0, answers=0, linear=None),
    )  # fmt: skip


def score_questions(model, questions, ranks=ALONE):
    """(mean nats of the answers that the vocabulary has, whether each was given) of a StoryBatch; ranks share it."""
    nats, right = 0.0, np.zeros(len(questions.answers))
    for k in range(0, len(right), ANSWERED)[ranks.rank :: ranks.size]:
        part = questions.part(slice(k, k + ANSWERED))
        logits = model.forward(part.story, part.question).logits
        nats += surprisal(logits, part.answers).sum(dtype=float)
        right[k : k + ANSWERED] = logits.argmax(axis=1) == part.answers
    nats, *right = ranks.total(np.array([nats, *right]))
    num_known = (questions.answers != IGNORED).sum()
    return float(nats / max(1, num_known)), np.array(right, bool)
