"""A recurrent reader: it reads story and question word by word, and then says the answer.

It is translation's encoder-decoder without attention (translation.py): one text is the source, and the other is what
the decoder reads. Of all the decoder's predictions only the last one counts.

    s_0 = the last state of L layers that read the first text, from zeros          (1), (3) to (8) or (10) to (16)
    s_t = the states of L other layers that read the second text, from s_0         t = 1 … last                 (48)
    y   = softmax(s_last W_sy + b_y)                                               the answer                   (49)

first="question": the layers that read the story already know what is asked. first="story": the whole story has to fit
into one state before the question comes. Both texts have the same table of words, E.

    N stories · D embedding size · H hidden size · V vocabulary size
    story (I, N, J) and question (N, J) as in story_batch.py   E (V, D)   s (T, N, H)   W_sy (H, V)   logits (N, V)

A language model answers in the same way: the next word after story and question is the answer (notebook 19).

Source: Weston et al., Towards AI-complete question answering (2015), whose baseline is an LSTM that reads so.
"""

from typing import NamedTuple

import numpy as np

from numpylm import require, translation_parameters
from numpylm.loss import IGNORED
from numpylm.model import ForwardOutput, LossOutput
from numpylm.parameters import Model, first_values, table
from numpylm.story_batch import check_story
from numpylm.translation import EncoderDecoder
from numpylm.translation_parameters import TranslationSizes

TEXTS = ("question", "story")
TABLES = ("E_x", "E_y")  # of an encoder-decoder; here both are E


class ReaderSizes(NamedTuple):
    """A reader's sizes and kind: the arguments that make it."""

    vocab_size: int
    embedding_dim: int
    hidden_dim: int
    num_layers: int
    cell: str
    bidirectional: bool
    first: str  # which of TEXTS is read first
    dropout: float
    num_sentences: int  # of a longer story the last ones are read

    @property
    def network(self):
        """The TranslationSizes of its encoder-decoder."""
        V, D, H, L, cell, bidirectional, _, dropout, _ = self
        return TranslationSizes(V, V, D, H, L, cell, "none", bidirectional, dropout, tie_weights=False)


class Reader(Model):
    """The model; parameters() has E, the layers' (encoder.W_x, decoder.W_x, …), W_sy and b_y.

    cell: "rnn", "lstm" or "gru". bidirectional: the first text is read from both ends, which needs an even hidden_dim.
    dropout acts on embeddings, between layers and on s_last, when a generator is passed in. num_sentences: so many of a
    long story's last sentences the caller hands over (answer_task.py). dtype: float32 to train, float64 or complex128
    to check gradients. Raises ValueError for arguments that are not of these kinds.
    """

    kind = "reader"

    def __init__(
        self, vocab_size, embedding_dim=32, hidden_dim=64, num_layers=1, cell="gru", bidirectional=False,
        first="question", dropout=0.0, num_sentences=50, dtype=np.float32, seed=0,
    ):  # fmt: skip
        sizes = ReaderSizes(
            vocab_size, embedding_dim, hidden_dim, num_layers, cell, bidirectional, first, dropout, num_sentences
        )
        check_sizes(sizes)
        super().__init__(sizes, first_values(parameter_parts(sizes), dtype, seed))

    def _prepare(self):
        tables = dict.fromkeys(TABLES, self._parameters["E"])
        others = {name: array for name, array in self._parameters.items() if name != "E"}
        self.network = EncoderDecoder.holding(self.sizes.network, tables | others)

    def forward(self, story, question, rng=None):
        """story (I, N, J) and question (N, J) give ForwardOutput(logits (N, V), state, trace), as an EncoderDecoder's.

        A generator rng switches dropout on. Raises ValueError or TypeError for words outside -1..V-1, an empty story
        or question, and padding that does not come last.
        """
        source, mask, inputs, last = self._texts(story, question)
        out = self.network.forward(source, inputs, mask, rng=rng)
        return ForwardOutput(out.logits[last, np.arange(len(last))], out.state, out.trace)

    def loss_and_gradients(self, story, question, answers, rng=None):
        """The loss, mean nats per answer, and its gradients, as LossOutput; answers (N,) are words 0..V-1.

        Raises what forward does, and for answers outside -1..V-1 (-1: not counted).
        """
        source, mask, inputs, last = self._texts(story, question)
        targets = np.full(inputs.shape, IGNORED)
        targets[last, np.arange(len(last))] = require.targets(answers, last.shape, self.sizes.vocab_size)
        out = self.network.loss_and_gradients(source, inputs, targets, mask, rng=rng)
        dE = sum(out.gradients.pop(name) for name in TABLES)  # E serves both texts
        return LossOutput(out.loss, {"E": dE, **out.gradients}, None)

    def _texts(self, story, question):
        """The first text and its mask, the second text, all (T, N), and where each second text ends (N,)."""
        story, question = check_story(story, question, self.sizes.vocab_size)
        texts = [question.T, words_in_order(story)]
        source, inputs = texts if self.sizes.first == "question" else texts[::-1]
        last = (inputs >= 0).sum(axis=0) - 1
        return np.maximum(source, 0), source >= 0, np.maximum(inputs, 0), last


def words_in_order(story):
    """story (I, N, J) as the words (I J, N) of each story one after another, padding, -1, at the end."""
    words = story.transpose(0, 2, 1).reshape(-1, story.shape[1])
    own_first = np.argsort(words < 0, axis=0, kind="stable")
    return np.take_along_axis(words, own_first, axis=0)


def check_sizes(sizes):
    """Raises a ValueError that names the size or kind that is wrong."""
    require.positive_integers(sizes, "vocab_size", "num_sentences")
    require.one_of("first", sizes.first, TEXTS)
    translation_parameters.check_sizes(sizes.network)


def parameter_parts(sizes):
    """The Parts of a reader's parameters, in the order of Reader.parameters."""
    parts = translation_parameters.parameter_parts(sizes.network)
    others = [part for part in parts if part.shapes.keys().isdisjoint(TABLES)]
    return [table("E", sizes.vocab_size, sizes.embedding_dim), *others]
