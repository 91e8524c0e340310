"""Which earlier words a verb's logits depend on, and whether the first of them is the verb's subject.

    d                   logit of the verb - logit of the same verb in the other number
    gradient × input    x_s · ∂d/∂x_s for each earlier word s, by the cell's own backward pass
    leave one out       d of the whole sentence - d of the sentence without word s

The top word is the one whose score has the largest absolute value. <eos> in row 0 is no word.

Sources: M. Denil, A. Demiraj and N. de Freitas, Extraction of salient sentences from labelled documents (2014), for
gradient × input; J. Li, W. Monroe and D. Jurafsky, Understanding neural networks through representation erasure
(2016), for leaving out.
"""

import numpy as np

from numpylm.embedding import embedding_forward
from numpylm.probing.reading import logit_difference, output_h, read, state_after
from numpylm.probing.sentences import Sentences
from numpylm.stack import stack_backward, stack_forward

MOST_VERBS = 1000


def measure_attribution(model, sentences: Sentences) -> dict:
    """method -> {"all", "misled": the share of verbs whose top word is the subject, "nouns", "misled_nouns": whose
    top noun is}; beside the methods the nearest noun, and what guessing would give."""
    verbs = sentences.verbs
    chosen = np.sort(np.random.default_rng(0).permutation(len(verbs.row))[:MOST_VERBS])
    verbs = type(verbs)(*[field[chosen] for field in verbs])
    tokens, rows = sentences.tokens[:, verbs.sentence], np.arange(len(sentences.tokens))[:, None]
    is_word = (rows >= 1) & (rows <= verbs.row)
    is_noun = is_word & sentences.is_noun[:, verbs.sentence]
    methods = {"gradient x input": gradient_times_input, "leave one out": leave_one_out}
    found = {}
    for name, method in methods.items():
        scores = np.abs(method(model, sentences.context, tokens, verbs))
        found[name] = hits(verbs, *[first(scores, among) == verbs.subject for among in (is_word, is_noun)])
    nearest = verbs.nearest == verbs.subject
    found["nearest noun"] = hits(verbs, nearest, nearest)
    found["by chance"] = hits(verbs, 1 / is_word.sum(axis=0), 1 / is_noun.sum(axis=0))
    return found


def first(scores, among):
    """The row of the largest score (T, M) among those that are allowed."""
    return np.where(among, scores, -1).argmax(axis=0)


def hits(verbs, words, nouns):
    """The shares, from what is 1 where the top word, or the top noun, is the subject."""
    misled = verbs.misled
    return {
        "all": float(words.mean()), "misled": float(words[misled].mean()),
        "nouns": float(nouns.mean()), "misled_nouns": float(nouns[misled].mean()),
    }  # fmt: skip


def gradient_times_input(model, context, tokens, verbs):
    """Scores (T, M): x_s · ∂d/∂x_s. tokens (T, M) has the sentence of each verb."""
    x = embedding_forward(tokens, model.parameters()["E"])
    layers = [model.layer_parameters(layer) for layer in range(model.sizes.num_layers)]
    out = stack_forward(model.cell, layers, x, state_after(model, context, tokens.shape[1]))
    W_hy = model.output_matrix()
    dh = np.zeros_like(out.h)
    dh[verbs.row, np.arange(tokens.shape[1])] = (W_hy[:, verbs.token] - W_hy[:, verbs.other]).T
    dx = stack_backward(model.cell, layers, dh, model.initial_state(tokens.shape[1]), out.trace).dx
    return (x * dx).sum(axis=-1)


def leave_one_out(model, context, tokens, verbs):
    """Scores (T, M): how much d falls without word s; zeros in row 0 and after the verb's row."""
    scores = np.zeros(tokens.shape, model.dtype)
    whole = difference_at(model, context, tokens, verbs.row, verbs)
    for s in range(1, int(verbs.row.max()) + 1):
        later = verbs.row >= s  # the verbs that come after word s: the first ones, as rows fall
        some = type(verbs)(*[field[later] for field in verbs])
        without = np.delete(tokens[:, later], s, axis=0)
        scores[s, later] = whole[later] - difference_at(model, context, without, some.row - 1, some)
    return scores


def difference_at(model, context, tokens, rows, verbs):
    """d of each verb, (M,), after the tokens up to its row; rows must not rise."""
    states = read(model, tokens[: rows.max() + 1], rows + 1, state_after(model, context, len(rows)))
    h = output_h(model, states)[rows, np.arange(len(rows))]
    return logit_difference(model, h, verbs.token, verbs.other)
