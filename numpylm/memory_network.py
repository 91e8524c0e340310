"""A memory network: a question looks at a story's sentences several times, and adds to itself what it reads.

    m_i     = Σ_j l_j ⊙ E[word_j] + T[age_i]           over the words j = 1 … J of sentence i                (40)
    l_jd    = (1 - j/J) - (d/D) (1 - 2 j/J)            position encoding, d = 1 … D                          (41)
    m_i     = bag_i [E; (d/D) ⊙ E; T]                  (40) and (41) as one product                          (42)
    e_ki    = u_k · m_i                                the score of sentence i in hop k                      (43)
    p_ki    = exp(e_ki) / Σ_i exp(e_ki)                over the story's own sentences                        (44)
    r_k     = Σ_i p_ki v_i                             what hop k has read                                   (45)
    u_{k+1} = u_k + r_k     or, layer-wise,   u_k W_u + r_k                                                  (46)
    y       = softmax(u_K W_uy)                        the answer, after the hops 0 … K-1                    (47)

v_i is (40) with other tables than m_i has. u_0 is (40) of the question, without an age. Two ways to share tables:

    "adjacent"     hop k compares with E_k, T_k and reads with E_{k+1}, T_{k+1}; u_0 has E_0, and W_uy is E_Kᵀ
    "layer-wise"   every hop compares with A, T_A and reads with C, T_C, as in an RNN; u_0 has B, and W_uy is E_yᵀ

    I sentences · J words · N stories · D embedding size · V vocabulary size · S the most sentences remembered
    story (I, N, J), question (N, J) integers; -1 is padding, after a story's own sentences and a sentence's own words
    E (V, D)   T (S, D), age 0 for the last sentence   bag (…, 2 V + S)   m, v (I, N, D)   u, r (N, D)   e, p (N, I)
    mask (I, N), True for a story's own sentences   W_u (D, D)   W_uy (D, V)   logits (N, V)

For (42): l_jd = a_j + b_j (d/D) with a_j = 1 - j/J and b_j = 2 j/J - 1. The sentence gives a and b, the table gives
d/D. A sentence's bag has each word's count, weighted by a; each word's count, weighted by b; and a single 1 at its age.

A hop is dot-product attention (attention.py) with one vector to compare and one to read. Linear start: with linear=True
p is e itself, without (44). Training that begins with it gets caught in a poor optimum less often.

Source: Sukhbaatar, Szlam, Weston and Fergus, End-To-End Memory Networks (2015).
"""

from itertools import pairwise
from typing import NamedTuple

import numpy as np

from numpylm.activations import softmax_backward
from numpylm.affine import rows
from numpylm.attention import inner_products, masked_softmax, weighted_sum
from numpylm.base import require
from numpylm.loss import cross_entropy_backward, cross_entropy_forward
from numpylm.model import ForwardOutput, LossOutput
from numpylm.parameters import Model, Part

TYINGS = ("adjacent", "layer-wise")


def bags_of(words, vocab_size, dtype, position_encoding=True):
    """The bags (…, 2 V) of sentences words (…, J), without ages; zeros for a sentence of -1 alone. Without position
    encoding every l_jd is 1: "the cat sees the dog" is then "the dog sees the cat"."""
    real = words >= 0
    j = np.arange(1, words.shape[-1] + 1)
    J = np.maximum(real.sum(axis=-1, keepdims=True), 1)  # (…, 1)
    a = 1 - j / J if position_encoding else np.ones(words.shape)  # (…, J)
    b = 2 * j / J - 1 if position_encoding else np.zeros(words.shape)
    bags = np.zeros(J.size * 2 * vocab_size, dtype)  # all bags, end to end
    begin = np.arange(0, bags.size, 2 * vocab_size).reshape(J.shape)  # of each sentence's bag
    place = (begin + words)[real]
    np.add.at(bags, place, a[real])
    np.add.at(bags, place + vocab_size, b[real])
    return bags.reshape(*words.shape[:-1], 2 * vocab_size)


def sentence_vectors_forward(bags, E, T=None):
    """m (…, D) of the sentences whose bags are given; T is the table of their ages, where the bags have them."""
    ages = [] if T is None else [T]
    return bags @ np.concatenate((E, share_of(E) * E, *ages))  # (42)


def sentence_vectors_backward(dm, bags, E):
    """dE (V, D) and dT (S, D) from dm (…, D)."""
    V = len(E)
    dtables = rows(bags).T @ rows(dm)  # (42)
    dE = dtables[:V] + share_of(E) * dtables[V : 2 * V]
    return dE, dtables[2 * V :]


def share_of(E):
    """d/D for d = 1 … D, in the table's precision."""
    return np.arange(1, E.shape[1] + 1, dtype=E.real.dtype) / E.shape[1]


class Hop(NamedTuple):
    """Every intermediate of one hop; m and v (I, N, D), e and p (N, I), the others (N, D)."""

    u: np.ndarray
    m: np.ndarray
    v: np.ndarray
    e: np.ndarray
    p: np.ndarray
    r: np.ndarray
    u_next: np.ndarray


class HopGradients(NamedTuple):
    """The loss's gradient with respect to every intermediate of one hop; dW_u (D, D) is None without W_u."""

    dr: np.ndarray
    dp: np.ndarray
    de: np.ndarray
    dv: np.ndarray
    dm: np.ndarray
    du: np.ndarray
    dW_u: np.ndarray | None


def hop_forward(u, m, v, mask, W_u=None, linear=False):
    """One hop as a Hop. mask (I, N) is True for a story's own sentences: all others have p = 0."""
    e = inner_products(u[None], m)[0]  # (43)
    p = e * mask.T if linear else masked_softmax(e[None], mask)[0]  # (44)
    r = weighted_sum(p[None], v)[0]  # (45)
    u_next = (u if W_u is None else u @ W_u) + r  # (46)
    return Hop(u, m, v, e, p, r, u_next)


def hop_backward(du_next, hop, mask, W_u=None, linear=False):
    """HopGradients from du_next (N, D). u has two uses, the score and the sum: du is the sum of both."""
    dr = du_next  # (46)
    du_kept = du_next if W_u is None else du_next @ W_u.T  # (46)
    dW_u = None if W_u is None else hop.u.T @ du_next  # (46)
    dp = inner_products(dr[None], hop.v)[0]  # (45)
    dv = hop.p.T[:, :, None] * dr  # (45)
    de = dp * mask.T if linear else softmax_backward(dp, hop.p)  # (44)
    dm = de.T[:, :, None] * hop.u  # (43)
    du = du_kept + weighted_sum(de[None], hop.m)[0]  # (43)
    return HopGradients(dr, dp, de, dv, dm, du, dW_u)


class MemorySizes(NamedTuple):
    """A memory network's sizes and kind: the arguments that make it."""

    vocab_size: int
    embedding_dim: int = 20
    num_hops: int = 3  # K
    num_sentences: int = 50  # S: of a longer story the last S sentences count
    tying: str = "adjacent"  # one of TYINGS

    def check(self):
        """Raises a ValueError that names the size or kind that is wrong."""
        require.positive_integers(self, "vocab_size", "embedding_dim", "num_sentences")
        require.depth("num_hops", self.num_hops)
        require.one_of("tying", self.tying, TYINGS)


class MemoryTrace(NamedTuple):
    """The forward pass as the backward pass reads it."""

    sentences: np.ndarray  # (I, N, 2 V + S), bags
    question: np.ndarray  # (N, 2 V), bags
    mask: np.ndarray  # (I, N), False for padding, and for a sentence that is too old
    hops: list
    linear: bool


class MemoryNetwork(Model):
    """The model, made by the fields of MemorySizes; parameters() has the tables of words and of ages."""

    kind, Sizes = "memory-network", MemorySizes

    def _prepare(self, sizes):
        super()._prepare(sizes)
        self.memories, self.pairs, self.question_table, self.answer_table = self.tables()

    def parts(self):
        """The Parts of the parameters, all normally distributed with standard deviation 0.1."""
        V, D, _, S, tying = self.sizes
        tables = [*self.memories, self.question_table, self.answer_table]
        shapes = dict.fromkeys(tables, (V, D)) | dict.fromkeys(self.memories.values(), (S, D))
        if tying == "layer-wise":
            shapes["W_u"] = (D, D)
        return [Part(shapes, lambda rng: [0.1 * rng.standard_normal(shape) for shape in shapes.values()])]

    def tables(self):
        """Names: ({a memory's table of words: its table of ages}, [for each hop the memory to compare with and the one
        to read], the question's table, the answers')."""
        if self.sizes.tying == "layer-wise":
            return {"A": "T_A", "C": "T_C"}, [("A", "C")] * self.sizes.num_hops, "B", "E_y"
        memories = {f"E_{k}": f"T_{k}" for k in range(self.sizes.num_hops + 1)}
        return memories, list(pairwise(memories)), "E_0", f"E_{self.sizes.num_hops}"

    def forward(self, story, question, linear=False):
        """story (I, N, J) and question (N, J) give ForwardOutput(logits (N, V), None, trace); trace.hops hold the
        attention p (N, I). linear leaves (44) out. Raises what require.story_and_question does."""
        V, _, _, S, _ = self.sizes
        tables = self._parameters
        story, question = require.story_and_question(story, question, V)
        dtype = self.dtype.type().real.dtype  # bags are real numbers, even if the tables are complex
        num_own = (story[..., 0] >= 0).sum(axis=0)  # (N,), how many sentences each story has
        age = num_own - 1 - np.arange(len(story))[:, None]  # (I, N), < 0 for padding
        ages = (age[..., None] == np.arange(S)).astype(dtype)  # (I, N, S), zeros for padding and what is too old
        mask = ages.any(axis=-1)
        sentences = np.concatenate((bags_of(story, V, dtype), ages), axis=-1)
        asked = bags_of(question, V, dtype)
        vectors = {E: sentence_vectors_forward(sentences, tables[E], tables[T]) for E, T in self.memories.items()}
        u = sentence_vectors_forward(asked, tables[self.question_table])
        hops = []
        for compared, read in self.pairs:
            hop = hop_forward(u, vectors[compared], vectors[read], mask, tables.get("W_u"), linear)
            u = hop.u_next
            hops.append(hop)
        logits = u @ tables[self.answer_table].T  # (47)
        return ForwardOutput(logits, None, MemoryTrace(sentences, asked, mask, hops, linear))

    def backward(self, dlogits, trace):
        """The lines of forward in reverse order: gradients by name, from dlogits (N, V)."""
        tables = self._parameters
        gradients = {name: np.zeros_like(array) for name, array in tables.items()}
        dvectors = dict.fromkeys(self.memories, 0)  # a memory that two hops use gets the sum of both
        gradients[self.answer_table] = dlogits.T @ trace.hops[-1].u_next  # (47)
        du = dlogits @ tables[self.answer_table]  # (47)
        for (compared, read), hop in zip(reversed(self.pairs), reversed(trace.hops), strict=True):
            out = hop_backward(du, hop, trace.mask, tables.get("W_u"), trace.linear)
            dvectors[compared] = dvectors[compared] + out.dm
            dvectors[read] = dvectors[read] + out.dv
            if "W_u" in tables:
                gradients["W_u"] += out.dW_u
            du = out.du
        gradients[self.question_table], _ = sentence_vectors_backward(du, trace.question, tables[self.question_table])
        for E, T in self.memories.items():
            dE, gradients[T] = sentence_vectors_backward(dvectors[E], trace.sentences, tables[E])
            gradients[E] += dE  # E_0 serves the question too, and E_K the answer
        return gradients

    def loss_and_gradients(self, story, question, answers, linear=False):
        """The loss, mean nats per answer, and its gradients, as LossOutput; answers (N,) are words 0..V-1, or -1, which
        does not count. Raises what forward does, and ValueError for other answers."""
        out = self.forward(story, question, linear)
        targets = require.targets(answers, out.logits.shape[:1], self.sizes.vocab_size)
        loss, trace = cross_entropy_forward(out.logits[None], targets[None])  # as one step of N sequences
        return LossOutput(loss, self.backward(cross_entropy_backward(trace)[0], out.trace), None)
