"""A memory network (Sukhbaatar et al., End-To-End Memory Networks, 2015): a question looks at a story several times.

    m_i     = sentence vector of sentence i, by table A, + T_A[age_i]       what is compared            (40) to (42)
    v_i     = sentence vector of sentence i, by table C, + T_C[age_i]       what is read
    u_0     = sentence vector of the question, by table B
    u_{k+1} = hop k of u_k, m and v                                         k = 0 … K-1                 (43) to (46)
    y       = softmax(u_K W_uy)                                             the answer                          (47)

memory_hop.py has one hop, sentence_vectors.py the vectors. Two ways to share tables:

    "adjacent"     E_0 … E_K, T_0 … T_K: hop k compares by E_k and reads by E_{k+1}; B is E_0, and W_uy is E_Kᵀ
    "layer-wise"   A, T_A, C, T_C serve every hop, as the weights of an RNN serve every step; B, W_u, W_uy

age_i says how many sentences ago sentence i stood (0: the last one before the question).

    I sentences · J words · N stories · D embedding size · V vocabulary size · S the most sentences remembered

    story (I, N, J) and question (N, J) integers, -1 is padding; a story's own sentences come first
    m, v (I, N, D)   u (N, D)   logits (N, V)   T (S, D)
"""

from typing import NamedTuple

import numpy as np

from numpylm import require
from numpylm.loss import cross_entropy_backward, cross_entropy_forward
from numpylm.memory_hop import hop_backward, hop_forward
from numpylm.model import LossOutput
from numpylm.parameters import Model, Part, first_values
from numpylm.sentence_vectors import Bags, bags_of, sentence_vectors_backward, sentence_vectors_forward
from numpylm.story_batch import check_story

TYINGS = ("adjacent", "layer-wise")
INITIAL_DEVIATION = 0.1


class MemorySizes(NamedTuple):
    """A memory network's sizes and kind: the arguments that make it."""

    vocab_size: int
    embedding_dim: int
    num_hops: int
    num_sentences: int  # S
    tying: str
    position_encoding: bool


class MemoryTrace(NamedTuple):
    """The forward pass as the backward pass reads it."""

    sentences: Bags  # (I, N, V)
    question: Bags  # (N, V)
    ages: np.ndarray  # (I, N, S): onehot(age_i); zeros for padding
    hops: list
    linear: bool


class MemoryOutput(NamedTuple):
    """logits (N, V) and the trace, whose hops hold the attention p (N, I)."""

    logits: np.ndarray
    trace: MemoryTrace


class MemoryNetwork(Model):
    """The model; parameters() has the tables of words and of ages.

    num_sentences is S: of a longer story the model reads the last S sentences. dtype: float32 to train, float64 or
    complex128 to check gradients. Raises ValueError for sizes that are not positive integers, or an unknown tying.
    """

    kind = "memory-network"

    def __init__(
        self, vocab_size, embedding_dim=20, num_hops=3, num_sentences=50, tying="adjacent", position_encoding=True,
        dtype=np.float32, seed=0,
    ):  # fmt: skip
        sizes = MemorySizes(vocab_size, embedding_dim, num_hops, num_sentences, tying, position_encoding)
        check_sizes(sizes)
        super().__init__(sizes, first_values(parameter_parts(sizes), dtype, seed))

    def tables(self, k):
        """Names of hop k's tables: (to compare, their ages, to read, their ages)."""
        if self.sizes.tying == "adjacent":
            return f"E_{k}", f"T_{k}", f"E_{k + 1}", f"T_{k + 1}"
        return "A", "T_A", "C", "T_C"

    def forward(self, story, question, linear=False):
        """story (I, N, J) and question (N, J) give a MemoryOutput.

        Raises ValueError or TypeError for words outside -1..V-1, an empty story or question, and padding that does not
        come last.
        """
        story, question = check_story(story, question, self.sizes.vocab_size, self.sizes.num_sentences)
        parameters, hops = self._parameters, []
        sentences, asked, ages = self._bags(story, question)
        u = sentence_vectors_forward(asked, parameters[self._question_table()])
        memories = self._memories(sentences, ages)
        mask = ages.any(axis=2)  # (I, N)
        for k in range(self.sizes.num_hops):
            compared, _, read, _ = self.tables(k)
            hops.append(hop_forward(u, memories[compared], memories[read], mask, parameters.get("W_u"), linear))
            u = hops[-1].u_next
        return MemoryOutput(u @ self.output_matrix(), MemoryTrace(sentences, asked, ages, hops, linear))

    def loss_and_gradients(self, story, question, answers, linear=False):
        """The loss, mean nats per answer, and its gradients, as LossOutput; answers (N,) are words 0..V-1.

        Raises what forward does, and for answers outside -1..V-1 (-1: not counted).
        """
        out = self.forward(story, question, linear)
        targets = require.targets(answers, question.shape[:1], self.sizes.vocab_size)
        loss, trace = cross_entropy_forward(out.logits[None], targets[None])  # as one step of N sequences
        dlogits = cross_entropy_backward(trace)[0]
        return LossOutput(loss, self.backward(dlogits, out.trace), None)

    def backward(self, dlogits, trace):
        """The lines of forward in reverse order: gradients by name, from dlogits (N, V)."""
        parameters = self._parameters
        gradients = {name: np.zeros_like(array) for name, array in parameters.items()}
        dW_uy = trace.hops[-1].u_next.T @ dlogits  # (47)
        if self.sizes.tying == "adjacent":
            gradients[f"E_{self.sizes.num_hops}"] += dW_uy.T
        else:
            gradients["W_uy"] += dW_uy
        du = dlogits @ self.output_matrix().T  # (47)
        dmemories = {}
        mask = trace.ages.any(axis=2)
        for k in reversed(range(self.sizes.num_hops)):
            found = hop_backward(du, trace.hops[k], mask, parameters.get("W_u"), trace.linear)
            compared, _, read, _ = self.tables(k)
            dmemories[compared] = dmemories.get(compared, 0) + found.dm
            dmemories[read] = dmemories.get(read, 0) + found.dv
            if found.dW_u is not None:
                gradients["W_u"] += found.dW_u
            du = found.du
        for table, dmemory in dmemories.items():
            gradients[table] += sentence_vectors_backward(dmemory, trace.sentences, parameters[table])  # (42)
            gradients[age_table(table)] += flat(trace.ages).T @ flat(dmemory)
        table = self._question_table()
        gradients[table] += sentence_vectors_backward(du, trace.question, parameters[table])  # (42)
        return gradients

    def output_matrix(self):
        """W_uy (D, V); with adjacent tying the transposed view of the last table."""
        if self.sizes.tying == "adjacent":
            return self._parameters[f"E_{self.sizes.num_hops}"].T
        return self._parameters["W_uy"]

    def _question_table(self):
        return "E_0" if self.sizes.tying == "adjacent" else "B"

    def _memories(self, sentences, ages):
        """table -> the sentences' vectors by it, (I, N, D), their ages' vectors added."""
        names = [name for name in self._parameters if age_table(name) in self._parameters]
        return {
            name: sentence_vectors_forward(sentences, self._parameters[name]) + ages @ self._parameters[age_table(name)]
            for name in names
        }

    def _bags(self, story, question):
        """(the sentences' Bags, the question's, the ages (I, N, S))."""
        sizes, dtype = self.sizes, self._parameters[self._question_table()].real.dtype
        sentences = bags_of(story, sizes.vocab_size, dtype, sizes.position_encoding)
        asked = bags_of(question, sizes.vocab_size, dtype, sizes.position_encoding)
        count = (story >= 0).any(axis=2).sum(axis=0)  # (N,)
        age = count - 1 - np.arange(len(story))[:, None]  # (I, N), negative for padding
        ages = (age[:, :, None] == np.arange(sizes.num_sentences)).astype(dtype)
        return sentences, asked, ages


def check_sizes(sizes):
    """Raises a ValueError that names the size or kind that is wrong."""
    require.positive_integers(sizes, "vocab_size", "embedding_dim", "num_hops", "num_sentences")
    require.one_of("tying", sizes.tying, TYINGS)
    require.boolean("position_encoding", sizes.position_encoding)


def parameter_parts(sizes):
    """The Parts of a memory network's parameters, in the order of MemoryNetwork.parameters."""
    V, D, K, S = sizes[:4]
    if sizes.tying == "adjacent":
        tables = [f"E_{k}" for k in range(K + 1)]
        shapes = dict.fromkeys(tables, (V, D)) | {age_table(name): (S, D) for name in tables}
    else:
        shapes = {"A": (V, D), "C": (V, D), "B": (V, D), "T_A": (S, D), "T_C": (S, D), "W_u": (D, D), "W_uy": (D, V)}
    return [Part(shapes, lambda rng: [INITIAL_DEVIATION * rng.standard_normal(shape) for shape in shapes.values()])]


def age_table(table):
    """The name of the ages' table that goes with a table of words: T_0 with E_0, T_A with A."""
    return "T_" + table.removeprefix("E_")


def flat(q):
    """q (I, N, ·) as a matrix (I N, ·)."""
    return q.reshape(-1, q.shape[-1])
