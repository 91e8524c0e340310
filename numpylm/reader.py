"""A recurrent reader: it reads story and question word by word, and then says the answer.

    h^1 = the states of L layers that read one of the two, from zeros: (1), (3) to (8) or (10) to (13); (14) to (16)
    h^2 = the states of L other layers that read the other one, from h^1's last state                           (48)
    y   = softmax(h_last W_hy + b_y)                    h_last is h^2 after its last word                       (49)

first="question": the layers that read the story already know what is asked. first="story": the whole story has to fit
into one state before the question comes.

    T words of a text · N stories · D embedding size · H hidden size · V vocabulary size
    story (I, N, J) and question (N, J) as in story_batch.py   E (V, D)   h (T, N, H)   W_hy (H, V)   logits (N, V)

A language model answers in the same way with no code of its own. The answer is the next word after story and question,
and every other target is -1:

    tokens = np.concatenate((story_words, question_words))                      # (T, N)
    targets = np.full_like(tokens, -1)
    targets[-1] = answers
    LSTMLM(V, D, H).loss_and_gradients(tokens, targets)

Source: Weston et al., Towards AI-complete question answering (2015), whose baseline is an LSTM that reads so.
"""

from typing import NamedTuple

import numpy as np

from numpylm import require
from numpylm.affine import affine_backward, affine_forward
from numpylm.dropout import draw_mask, drop
from numpylm.embedding import embedding_backward, embedding_forward
from numpylm.loss import cross_entropy_backward, cross_entropy_forward
from numpylm.model import LossOutput
from numpylm.parameters import Model, bias, first_values, matrix, table
from numpylm.recurrence import zero_state
from numpylm.stack import (
    check_stack,
    stack_backward,
    stack_cell,
    stack_forward,
    stack_gradients,
    stack_parameters,
    stack_parts,
)  # fmt: skip
from numpylm.story_batch import check_story

TEXTS = ("question", "story")


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


class ReaderTrace(NamedTuple):
    """The forward pass as the backward pass reads it; texts and stacks have the text that is read first in front."""

    texts: list  # words (T, N) of each text, -1 after its end
    stacks: list  # StackTrace of each
    output_mask: np.ndarray | None
    h_last: np.ndarray  # (N, H), what W_hy reads, after dropout


class ReaderOutput(NamedTuple):
    """logits (N, V) and the trace."""

    logits: np.ndarray
    trace: ReaderTrace


class Reader(Model):
    """The model; parameters() has E, the layers' (story.W_x, question.W_x, …), W_hy and b_y.

    cell: "rnn", "lstm" or "gru"; bidirectional needs an even hidden_dim. dropout acts on embeddings, between layers and
    on h_last, when a generator is passed in. dtype: float32 to train, float64 or complex128 to check gradients.
    Raises ValueError for arguments that are not of these kinds.
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
        self.cell = stack_cell(self.sizes)

    def layers(self, text):
        """Each layer's Parameters, of the stack that reads "story" or "question"."""
        return stack_parameters(self.cell, f"{text}.", self.sizes.num_layers, self._parameters)

    def order(self):
        """Both TEXTS, as they are read."""
        return TEXTS if self.sizes.first == "question" else TEXTS[::-1]

    def forward(self, story, question, rng=None):
        """story (I, N, J) and question (N, J) give a ReaderOutput; a generator rng switches dropout on.

        Raises ValueError or TypeError for words outside -1..V-1, an empty story or question, and padding that does not
        come last.
        """
        story, question = check_story(story, question, self.sizes.vocab_size, self.sizes.num_sentences)
        words = {"story": words_in_order(story), "question": question.T}
        rows = {"story": story.shape[0] * story.shape[2], "question": question.shape[1]}  # T at most
        state, texts, stacks = self._zeros(question.shape[0]), [], []
        for text in self.order():
            x = embedding_forward(np.maximum(words[text], 0), self._parameters["E"])
            out = stack_forward(
                self.cell, self.layers(text), x, state, words[text] >= 0, self._draw_masks(rng, x.shape, rows[text])
            )  # (48)
            state = out.state
            texts.append(words[text])
            stacks.append(out.trace)
        output_mask = self._draw_output_mask(rng, question.shape[0])
        h_last = drop(state[-1].h, output_mask)
        logits = affine_forward(h_last, self._parameters["W_hy"], self._parameters["b_y"])  # (49)
        return ReaderOutput(logits, ReaderTrace(texts, stacks, output_mask, h_last))

    def loss_and_gradients(self, story, question, answers, rng=None):
        """The loss, mean nats per answer, and its gradients, as LossOutput; answers (N,) are words 0..V-1.

        Raises what forward does, and for answers outside -1..V-1 (-1: not counted).
        """
        logits, trace = self.forward(story, question, rng)
        targets = require.targets(answers, logits.shape[:1], self.sizes.vocab_size)
        loss, loss_trace = cross_entropy_forward(logits[None], targets[None])  # as one step of N sequences
        return LossOutput(loss, self.backward(cross_entropy_backward(loss_trace)[0], trace), None)

    def backward(self, dlogits, trace):
        """The lines of forward in reverse order: gradients by name, from dlogits (N, V)."""
        dh_last, dW_hy, db_y = affine_backward(dlogits, trace.h_last, self._parameters["W_hy"])  # (49)
        gradients = {"E": np.zeros_like(self._parameters["E"]), "W_hy": dW_hy, "b_y": db_y}
        *lower, last = self._zeros(len(dlogits))
        dstate = (*lower, last._replace(h=drop(dh_last, trace.output_mask)))
        for text, words, stack in reversed(list(zip(self.order(), trace.texts, trace.stacks, strict=True))):
            dh = np.zeros((*words.shape, self.sizes.hidden_dim), self.dtype)  # only the last state is read
            out = stack_backward(self.cell, self.layers(text), dh, dstate, stack)  # (48)
            dstate = out.dstate_0
            gradients["E"] += embedding_backward(out.dx, np.maximum(words, 0), self.sizes.vocab_size)  # padding: dx = 0
            gradients |= stack_gradients(f"{text}.", out.dparameters)
        return {name: gradients[name] for name in self._parameters}

    def _zeros(self, N):
        return zero_state(self.cell, N, self.sizes.hidden_dim, self.sizes.num_layers, self.dtype)

    def _draw_masks(self, rng, shape, num_rows):
        """Dropout masks of each layer's input, where x has this shape (T, N, D); None without dropout.

        What is drawn has num_rows >= T rows: as many as for any other of the batch's stories (data_parallel.py).
        """
        require.generator(rng)
        if rng is None or self.sizes.dropout == 0:
            return None
        T, N, D = shape
        sizes = [D] + [self.sizes.hidden_dim] * (self.sizes.num_layers - 1)
        return [draw_mask(rng, self.sizes.dropout, (num_rows, N, size), self.dtype)[:T] for size in sizes]

    def _draw_output_mask(self, rng, N):
        if rng is None or self.sizes.dropout == 0:
            return None
        return draw_mask(rng, self.sizes.dropout, (N, self.sizes.hidden_dim), self.dtype)


def words_in_order(story):
    """story (I, N, J) as the words (T, N) of each story one after another, padding, -1, at the end."""
    words = story.transpose(1, 0, 2).reshape(story.shape[1], -1)
    own_first = np.argsort(words < 0, axis=1, kind="stable")
    words = np.take_along_axis(words, own_first, axis=1)
    return words[:, : (words >= 0).sum(axis=1).max()].T


def check_sizes(sizes):
    """Raises a ValueError that names the size or kind that is wrong."""
    require.positive_integers(sizes, "vocab_size", "embedding_dim", "num_sentences")
    require.one_of("first", sizes.first, TEXTS)
    check_stack(sizes)


def parameter_parts(sizes):
    """The Parts of a reader's parameters, in the order of Reader.parameters."""
    cell, V, D, H, L = stack_cell(sizes), *sizes[:4]
    stacks = [part for text in TEXTS for part in stack_parts(cell, f"{text}.", D, H, L)]
    return [table("E", V, D), *stacks, matrix("W_hy", H, V), bias("b_y", V)]
