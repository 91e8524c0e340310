"""Generating text: one token at a time, each drawn from the model's distribution and fed back in.

    temperature τ     y = softmax(logits / τ): below 1 bolder, above 1 more varied; 0 takes the most probable token
    top-k             only the k most probable tokens (Fan, Lewis and Dauphin, 2018)
    top-p             only the fewest tokens that together have probability p or more (Holtzman et al., 2020)

Temperature comes first, then top-k, then top-p; what is left is scaled to sum to 1 again. Excluded tokens are never
drawn: the commands exclude <unk>, which is no text.
"""

import math
from functools import cache

import numpy as np

from numpylm import require


def generate(model, prompt_tokens, num_tokens, temperature=1.0, top_k=None, top_p=None, rng=None, exclude=()):
    """The num_tokens tokens that a model continues a prompt with: an array of integers (num_tokens,).

    prompt_tokens  one token id or more, read before the first one is drawn
    rng            a numpy.random.Generator; None draws from a fresh, unpredictable one
    exclude        ids of tokens that are never drawn, such as [0] for <unk>
    Raises ValueError or TypeError for an empty prompt, ids outside 0..V-1, temperature < 0, top_k outside 1..V, top_p
    outside 0 < p <= 1, and if every token is excluded.
    """
    require.count("num_tokens", num_tokens)
    stream = generate_stream(model, prompt_tokens, temperature, top_k, top_p, rng, exclude)
    return np.array([next(stream) for _ in range(num_tokens)], dtype=int)


def generate_stream(model, prompt_tokens, temperature=1.0, top_k=None, top_p=None, rng=None, exclude=()):
    """The same without an end: yields one token id after the other. The arguments are checked at once; the model must
    not be trained while the stream is drawn from."""
    prompt_tokens = require.token_stream(prompt_tokens, model.sizes.vocab_size)
    check_filters(model.sizes.vocab_size, temperature, top_k, top_p)
    require.generator(rng)
    rng = np.random.default_rng() if rng is None else rng
    exclude = check_excluded(model.sizes.vocab_size, exclude)
    return _stream(model, prompt_tokens, temperature, top_k, top_p, rng, exclude)


def _stream(model, prompt_tokens, temperature, top_k, top_p, rng, exclude):
    out = model.forward(prompt_tokens[:, None])  # T steps of N = 1 sequence
    logits, state = out.logits[-1, 0], out.state
    advance = one_step(model)
    while True:
        logits[exclude] = -np.inf
        token = draw(next_token_distribution(logits, temperature, top_k, top_p), rng)
        yield token
        logits, state = advance(token, state)


def one_step(model):
    """A function (token, state) -> (logits (V,), state), by the cells' own steps, for parameters that stay as they are.

    The first layer's E[token] W_x + b is computed when a token is met for the first time, and kept.
    """
    cell, E, W_hy, b_y = model.cell, model.parameters()["E"], model.output_matrix(), model.parameters()["b_y"]
    layers = [model.layer_parameters(layer) for layer in range(model.sizes.num_layers)]

    @cache
    def first_xW(token):
        return cell.project(layers[0], E[[token]])  # (1, ·)

    def advance(token, state):
        xW_t, states = first_xW(token), []
        for layer, layer_state in zip(layers, state, strict=True):
            if states:
                xW_t = cell.project(layer, states[-1].h)
            states.append(cell.advance(layer, xW_t, layer_state))
        logits = states[-1].h @ W_hy + b_y  # (1, V)
        return logits[0], tuple(states)

    return advance


def next_token_distribution(logits, temperature=1.0, top_k=None, top_p=None):
    """The probabilities (V,) to draw from, for logits (V,). Raises ValueError where the largest logit is not finite."""
    logits = logits.astype(float)  # a temperature of 1e-50 is zero in float32
    largest = logits.max()
    if not math.isfinite(largest):
        raise ValueError(f"the logits give no distribution, for the largest is {largest}: has the model diverged?")
    if temperature == 0:
        return keep_only(np.ones_like(logits), np.argmax(logits, keepdims=True))
    with np.errstate(over="ignore"):  # a tiny temperature sends all but the largest to -infinity, as it should
        e = np.exp((logits - largest) / temperature)
    y = e / e.sum()
    if top_k is None and top_p is None:
        return y
    order = np.argsort(-logits, kind="stable")  # the most probable first; of equals, the lower id
    if top_k is not None:
        y = keep_only(y, order[:top_k])
    if top_p is not None and top_p < 1:
        before = np.cumsum(y[order]) - y[order]  # the probability of all that are more probable
        y = keep_only(y, order[before < top_p])
    return y


def keep_only(y, kept):
    """y (V,) with all but the kept ids set to zero, scaled to sum to 1."""
    filtered = np.zeros_like(y)
    filtered[kept] = y[kept]
    return filtered / filtered.sum()


def draw(y, rng):
    """A token id drawn from the probabilities y (V,), by where a uniform number falls among their running sums."""
    running = y.cumsum(dtype=float)
    return int(running.searchsorted(rng.random() * running[-1], side="right"))


def check_excluded(vocab_size, exclude):
    """The excluded ids, distinct, as an array. Raises ValueError for ids outside 0..V-1, and if no token is left."""
    exclude = np.unique(np.asarray(exclude, dtype=int))
    if exclude.size:
        require.token_stream(exclude, vocab_size)
    if exclude.size == vocab_size:
        raise ValueError(f"exclude leaves none of the V = {vocab_size} tokens to draw")
    return exclude


def check_filters(vocab_size, temperature, top_k, top_p):
    """Raises ValueError for a temperature, top_k or top_p that cannot be."""
    if require.finite_number("temperature", temperature) < 0:
        raise ValueError(f"temperature must be a finite number, 0 or above; got {temperature!r}")
    if top_k is not None and not 1 <= require.positive_integer("top_k", top_k) <= vocab_size:
        raise ValueError(f"top_k must lie in 1..V = {vocab_size}; got {top_k}")
    if top_p is not None and not (require.is_number(top_p) and 0 < top_p <= 1):
        raise ValueError(f"top_p must be a probability, 0 < top_p <= 1; got {top_p!r}")
