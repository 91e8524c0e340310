"""A recurrent reader: it reads story and question word by word, and then says the answer.

It is translation's encoder-decoder without attention (translation.py): the encoder reads one of the two texts, the
decoder reads the other one, and only its last prediction counts. Both read with the same table of words, E_x.

    s_0 = the last state of L layers that read the first text, from zeros          (1), (3) to (8) or (10) to (16)
    s_t = the states of L other layers that read the second text, from s_0         t = 1 … last                 (48)
    y   = softmax(s_last W_sy + b_y)                                               the answer                   (49)

first="question": the layers that read the story already know what is asked. first="story": the whole story has to fit
into one state before the question comes.

    N stories · D embedding size · H hidden size · V vocabulary size
    story (I, N, J), question (N, J) as in memory_network.py   E_x (V, D)   s (T, N, H)   W_sy (H, V)   logits (N, V)

A language model answers in the same way: its next word after story and question is the answer (notebook 19). Source:
Weston et al., Towards AI-complete question answering (2015), whose baseline is an LSTM that reads so.
"""

from typing import NamedTuple

import numpy as np

from numpylm.base import require
from numpylm.loss import IGNORED
from numpylm.parameters import Model
from numpylm.translation import EncoderDecoder, TranslationSizes

TEXTS = ("question", "story")


class ReaderSizes(NamedTuple):
    """A reader's sizes and kind: the arguments that make it."""

    vocab_size: int
    embedding_dim: int = 32
    hidden_dim: int = 64
    num_layers: int = 1
    cell: str = "gru"  # or "rnn", "lstm"
    bidirectional: bool = False  # the first text is read from both ends, which needs an even hidden_dim
    first: str = "question"  # which of TEXTS is read first
    dropout: float = 0.0  # of embeddings, between layers and of s_last, when a generator is passed in
    num_sentences: int = 50  # of a longer story the caller hands over the last ones (kinds/answer_task.py)

    @property
    def network(self):
        """The TranslationSizes of its encoder-decoder."""
        V, D, H, L, cell, bidirectional, _, dropout, _ = self
        return TranslationSizes(V, V, D, H, L, cell, "none", bidirectional, dropout)

    def check(self):
        """Raises a ValueError that names the size or kind that is wrong."""
        require.positive_integers(self, "vocab_size", "num_sentences")
        require.one_of("first", self.first, TEXTS)
        self.network.check()


class Reader(Model):
    """The model, made by the fields of ReaderSizes; its parameters have the names of an encoder-decoder's."""

    kind, Sizes = "reader", ReaderSizes

    def _prepare(self, sizes):
        super()._prepare(sizes)
        self.network = EncoderDecoder.described(sizes.network._asdict())

    def _hold(self, parameters):
        super()._hold(parameters)
        self.network = self.network.with_parameters(parameters | {"E_y": parameters["E_x"]})

    def parts(self):
        """The Parts of an encoder-decoder's parameters, without E_y."""
        return [part for part in self.network.parts() if "E_y" not in part.shapes]

    def forward(self, story, question, rng=None):
        """story (I, N, J) and question (N, J) give ForwardOutput(logits (N, V), state, trace) as an EncoderDecoder's; a
        generator rng switches dropout on. Raises what require.story_and_question does."""
        source, mask, inputs, last = self._texts(story, question)
        out = self.network.forward(source, inputs, mask, rng=rng)
        return out._replace(logits=out.logits[last])  # (49)

    def loss_and_gradients(self, story, question, answers, rng=None):
        """The loss, mean nats per answer, and its gradients, as LossOutput; answers (N,) as a MemoryNetwork's."""
        source, mask, inputs, last = self._texts(story, question)
        targets = np.full(inputs.shape, IGNORED)
        targets[last] = require.targets(answers, inputs.shape[1:], self.sizes.vocab_size)
        out = self.network.loss_and_gradients(source, inputs, targets, mask, rng=rng)
        out.gradients["E_x"] += out.gradients.pop("E_y")  # one table serves both texts
        return out._replace(state=None)

    def _texts(self, story, question):
        """The first text and its mask, the second text, all (T, N), and the places (t, n) where a second text ends."""
        story, question = require.story_and_question(story, question, self.sizes.vocab_size)
        N = len(question)
        words = story.transpose(0, 2, 1).reshape(-1, N)  # (I J, N), with padding between the sentences
        padding_last = np.argsort(words < 0, axis=0, kind="stable")
        words = np.take_along_axis(words, padding_last, axis=0)  # (I J, N), with padding after them
        source, inputs = (question.T, words) if self.sizes.first == "question" else (words, question.T)
        last = (inputs >= 0).sum(axis=0) - 1, np.arange(N)
        return np.maximum(source, 0), source >= 0, np.maximum(inputs, 0), last
