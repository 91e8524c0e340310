"""A memory network (Sukhbaatar et al., End-To-End Memory Networks, 2015): a question looks at a story several times.

    m_i     = sentence vector of sentence i, by tables A and T_A            what is compared            (40) to (42)
    v_i     = sentence vector of sentence i, by tables C and T_C            what is read
    u_0     = sentence vector of the question, by table B, without an age
    u_{k+1} = hop k of u_k, m and v                                         k = 0 … K-1                 (43) to (46)
    y       = softmax(u_K W_uy)                                             the answer                          (47)

memory_hop.py has one hop, sentence_vectors.py the vectors. Two ways to share tables:

    "adjacent"     E_0 … E_K, T_0 … T_K: hop k compares by E_k and reads by E_{k+1}; B is E_0, and W_uy is E_Kᵀ
    "layer-wise"   A, T_A, C, T_C serve every hop, as the weights of an RNN serve every step; B, W_u; W_uy is E_yᵀ

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
from numpylm.model import ForwardOutput, LossOutput
from numpylm.parameters import Model, Part, first_values
from numpylm.sentence_vectors import bags_of, sentence_vectors_backward, sentence_vectors_forward
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


class MemoryTrace(NamedTuple):
    """The forward pass as the backward pass reads it."""

    sentences: np.ndarray  # (I, N, 2 V + S), bags
    question: np.ndarray  # (N, 2 V)
    mask: np.ndarray  # (I, N), False for padding, and for a sentence that is too old
    hops: list
    linear: bool


class MemoryNetwork(Model):
    """The model; parameters() has the tables of words and of ages.

    num_sentences is S: of a longer story the last S sentences count. dtype: float32 to train, float64 or complex128 to
    check gradients. Raises ValueError for sizes that are not positive integers, or an unknown tying.
    """

    kind = "memory-network"

    def __init__(
        self, vocab_size, embedding_dim=20, num_hops=3, num_sentences=50, tying="adjacent", dtype=np.float32, seed=0
    ):  # fmt: skip
        sizes = MemorySizes(vocab_size, embedding_dim, num_hops, num_sentences, tying)
        check_sizes(sizes)
        super().__init__(sizes, first_values(parameter_parts(sizes), dtype, seed))

    def _prepare(self):
        self.memory_tables, self.question_table, self.answer_table = table_names(self.sizes)

    def tables(self, k):
        """The names of hop k's tables: what it compares by, and what it reads by."""
        first = k if self.sizes.tying == "adjacent" else 0
        return self.memory_tables[first : first + 2]

    def output_matrix(self):
        """W_uy (D, V), the transposed view of the answers' table."""
        return self._parameters[self.answer_table].T

    def forward(self, story, question, linear=False):
        """story (I, N, J) and question (N, J) give ForwardOutput(logits (N, V), None, trace).

        trace.hops hold the attention p (N, I); linear leaves (44) out.
        Raises ValueError or TypeError for words outside -1..V-1, an empty story or question, and padding that does not
        come last.
        """
        story, question = check_story(story, question, self.sizes.vocab_size)
        sentences, asked, mask = self._bags(story, question)
        parameters, hops = self._parameters, []
        memories = {
            name: sentence_vectors_forward(sentences, parameters[name], parameters[age_table(name)])
            for name in self.memory_tables
        }
        u = sentence_vectors_forward(asked, parameters[self.question_table])
        for k in range(self.sizes.num_hops):
            m, v = (memories[name] for name in self.tables(k))
            hops.append(hop_forward(u, m, v, mask, parameters.get("W_u"), linear))
            u = hops[-1].u_next
        trace = MemoryTrace(sentences, asked, mask, hops, linear)
        return ForwardOutput(u @ self.output_matrix(), None, trace)  # (47)

    def loss_and_gradients(self, story, question, answers, linear=False):
        """The loss, mean nats per answer, and its gradients, as LossOutput; answers (N,) are words 0..V-1.

        Raises what forward does, and for answers outside -1..V-1 (-1: not counted).
        """
        out = self.forward(story, question, linear)
        targets = require.targets(answers, out.logits.shape[:1], self.sizes.vocab_size)
        loss, trace = cross_entropy_forward(out.logits[None], targets[None])  # as one step of N sequences
        return LossOutput(loss, self.backward(cross_entropy_backward(trace)[0], out.trace), None)

    def backward(self, dlogits, trace):
        """The lines of forward in reverse order: gradients by name, from dlogits (N, V)."""
        gradients = {name: np.zeros_like(array) for name, array in self._parameters.items()}
        gradients[self.answer_table] = dlogits.T @ trace.hops[-1].u_next  # (47)
        dmemories = dict.fromkeys(self.memory_tables, 0)
        du = dlogits @ self.output_matrix().T  # (47)
        for k in reversed(range(self.sizes.num_hops)):
            out = hop_backward(du, trace.hops[k], trace.mask, self._parameters.get("W_u"), trace.linear)
            compared, read = self.tables(k)
            dmemories[compared] = dmemories[compared] + out.dm
            dmemories[read] = dmemories[read] + out.dv
            if out.dW_u is not None:
                gradients["W_u"] += out.dW_u
            du = out.du
        for name, dmemory in dmemories.items():
            dE, gradients[age_table(name)] = sentence_vectors_backward(dmemory, trace.sentences, self._parameters[name])
            gradients[name] += dE
        dE, _ = sentence_vectors_backward(du, trace.question, self._parameters[self.question_table])
        gradients[self.question_table] += dE
        return gradients

    def _bags(self, story, question):
        """The sentences' bags (I, N, 2 V + S), the question's (N, 2 V), and the mask (I, N): which are remembered."""
        V, S, dtype = self.sizes.vocab_size, self.sizes.num_sentences, self.dtype.type().real.dtype
        num_younger = (story[..., 0] >= 0).sum(axis=0) - 1 - np.arange(len(story))[:, None]  # (I, N), < 0 for padding
        ages = (num_younger[..., None] == np.arange(S)).astype(dtype)  # onehot(age_i)
        sentences = np.concatenate((bags_of(story, V, dtype), ages), axis=-1)
        return sentences, bags_of(question, V, dtype), ages.any(axis=-1)


def check_sizes(sizes):
    """Raises a ValueError that names the size or kind that is wrong."""
    require.positive_integers(sizes, "vocab_size", "embedding_dim", "num_sentences")
    require.depth("num_hops", sizes.num_hops)
    require.one_of("tying", sizes.tying, TYINGS)


def parameter_parts(sizes):
    """The Parts of a memory network's parameters, in the order of MemoryNetwork.parameters."""
    V, D, _, S, tying = sizes
    memories, question, answer = table_names(sizes)
    shapes = dict.fromkeys([*memories, question, answer], (V, D)) | {age_table(name): (S, D) for name in memories}
    if tying == "layer-wise":
        shapes["W_u"] = (D, D)
    return [Part(shapes, lambda rng: [INITIAL_DEVIATION * rng.standard_normal(shape) for shape in shapes.values()])]


def table_names(sizes):
    """The names of the tables of words: those of the memories, the question's, the answers'."""
    if sizes.tying == "layer-wise":
        return ["A", "C"], "B", "E_y"
    names = [f"E_{k}" for k in range(sizes.num_hops + 1)]
    return names, names[0], names[-1]


def age_table(table):
    """The name of the ages' table that goes with a memory's table of words: T_0 with E_0, T_A with A."""
    return "T_" + table.removeprefix("E_")
