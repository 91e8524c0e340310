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

MOST_VERBS = 2000


def measure_attribution(model, sentences: Sentences) -> dict:
    """method -> {"all", "misled": the share of verbs whose top word is the subject, "nouns", "misled_nouns": whose
    top noun is}; beside the methods the nearest noun, and what guessing would give."""
    sentences, verbs = beginnings(sentences)
    rows = np.arange(len(sentences.tokens))[:, None]
    is_word = (rows >= 1) & (rows <= verbs.row)
    is_noun = is_word & sentences.is_noun
    found = {}
    for name, method in {"gradient x input": gradient_times_input, "leave one out": leave_one_out}.items():
        scores = np.abs(method(model, sentences, verbs))
        top = [np.where(allowed, scores, -1).argmax(axis=0) for allowed in (is_word, is_noun)]
        found[name] = shares_found(verbs, *[row == verbs.subject for row in top])
    nearest = verbs.nearest == verbs.subject
    found["nearest noun"] = shares_found(verbs, nearest, nearest)
    found["by chance"] = shares_found(verbs, 1 / is_word.sum(axis=0), 1 / is_noun.sum(axis=0))
    return found


def beginnings(sentences: Sentences):
    """(Sentences with a column for each verb, that end before it; the Verbs), of at most MOST_VERBS, evenly chosen."""
    verbs = sentences.verbs
    verbs = type(verbs)(*[field[:: -(-len(verbs.row) // MOST_VERBS)] for field in verbs])
    tokens, is_noun = sentences.tokens[:, verbs.sentence], sentences.is_noun[:, verbs.sentence]
    return sentences._replace(tokens=tokens, lengths=verbs.row + 1, is_noun=is_noun), verbs


def shares_found(verbs, words, nouns):
    """The shares, from what is 1 where the top word, or the top noun, is the subject."""
    shares = {"all": words, "misled": words[verbs.misled], "nouns": nouns, "misled_nouns": nouns[verbs.misled]}
    return {name: float(each.mean()) if len(each) else None for name, each in shares.items()}


def gradient_times_input(model, sentences, verbs):
    """Scores (T, M): x_s · ∂d/∂x_s, of sentences as beginnings returns them."""
    x, columns = embedding_forward(sentences.tokens, model.parameters()["E"]), np.arange(len(verbs.row))
    parameters = model.parameters()
    out = stack_forward(model.stack, parameters, x, state_after(model, sentences.context, len(columns)))
    W_hy, dh = model.output_matrix(), np.zeros_like(out.h)
    dh[verbs.row, columns] = (W_hy[:, verbs.token] - W_hy[:, verbs.other]).T
    dx = stack_backward(model.stack, parameters, dh, model.initial_state(len(columns)), out.trace).dx
    return (x * dx).sum(axis=-1)


def leave_one_out(model, sentences, verbs):
    """Scores (T, M): how much d falls without word s; zeros in row 0 and after the verb's row."""
    scores = np.zeros(sentences.tokens.shape, model.dtype)
    whole = difference(model, sentences, verbs)
    for s in range(1, int(verbs.row.max()) + 1):
        later = verbs.row >= s  # the verbs that come after word s: the first ones, as rows fall
        tokens = np.delete(sentences.tokens[:, later], s, axis=0)
        without = sentences._replace(tokens=tokens, lengths=sentences.lengths[later] - 1)
        scores[s, later] = whole[later] - difference(model, without, type(verbs)(*[field[later] for field in verbs]))
    return scores


def difference(model, sentences, verbs):
    """d of each verb, (M,), after the last token of its column."""
    h = output_h(model, read(model, sentences))[sentences.lengths - 1, np.arange(len(verbs.row))]
    return logit_difference(model, h, verbs.token, verbs.other)
