"""Generating text: one token at a time, each drawn from the model's distribution and fed back in.

    temperature τ     y = softmax(logits / τ): below 1 bolder, above 1 more varied; 0 takes the most probable token
    top-k             only the k most probable tokens (Fan, Lewis and Dauphin, 2018)
    top-p             only the fewest tokens that together have probability p or more (Holtzman et al., 2020)

Temperature comes first, then top-k, then top-p; what is left is scaled to sum to 1 again. Excluded tokens are never
drawn: the commands exclude <unk>, which is no text. K texts are drawn side by side: tokens (K,), logits and y (K, V).
"""

import math
from itertools import repeat

import numpy as np

from numpylm.affine import affine_forward
from numpylm.base import require
from numpylm.data.batches import side_by_side
from numpylm.evaluation import steps_at_a_time
from numpylm.masking import lengths_to_mask
from numpylm.recurrence import next_state, project
from numpylm.stack import stack_parameters

ROWS = 16  # of the first layer's table that are computed together


def generate(model, prompt_tokens, num_tokens, temperature=1.0, top_k=None, top_p=None, rng=None, exclude=(), stop=()):
    """The num_tokens tokens that a model continues a prompt with: an array of integers (num_tokens,).

    prompt_tokens  one token id or more, read before the first one is drawn
    rng            a numpy.random.Generator; None draws from a fresh, unpredictable one
    exclude        ids of tokens that are never drawn, such as [0] for <unk>
    stop           ids of tokens that end the text: the first one drawn is its last token
    Raises ValueError or TypeError for an empty prompt, ids outside 0..V-1, temperature < 0, top_k outside 1..V, top_p
    outside 0 < p <= 1, and if every token is excluded.
    """
    return generate_batch(model, [prompt_tokens], num_tokens, temperature, top_k, top_p, [rng], exclude, stop)[0]


def generate_batch(
    model, prompts, num_tokens, temperature=1.0, top_k=None, top_p=None, rngs=None, exclude=(), stop=()
):  # fmt: skip
    """K texts at once: a list of what generate returns for each of K prompts, which may have different lengths.

    rngs holds K generators, and rngs[k] alone draws text k: it is the text that generate(…, rng=rngs[k]) gives, up to
    rounding. A step of K sequences takes much less time than K steps of one.
    """
    require.count("num_tokens", num_tokens)
    prompts = require.sequence("prompts", prompts)
    V, rngs = require.language_model(model).sizes.vocab_size, check_generators(rngs, len(prompts))
    stop = check_ids(V, stop)
    uniforms = np.transpose([rng.random(num_tokens) for rng in rngs])  # (num_tokens, K)
    drawn, going_on = [], np.ones(len(prompts), bool)
    for tokens in batch_stream(model, prompts, uniforms, temperature, top_k, top_p, exclude):
        drawn.append(tokens)
        if stop.size:
            going_on &= ~np.isin(tokens, stop)
            if not going_on.any():
                break
    texts = np.transpose(np.array(drawn, dtype=int).reshape(-1, len(prompts)))
    return [np.array(list(until(text, stop)), dtype=int) for text in texts]


def until(tokens, stop):
    """Yields tokens up to the first one that is among stop, that one included."""
    for token in tokens:
        yield token
        if token in stop:
            return


def generate_stream(model, prompt_tokens, temperature=1.0, top_k=None, top_p=None, rng=None, exclude=()):
    """generate without an end: yields one token id after the other. The arguments are checked at once; the model must
    not be trained while the stream is drawn from."""
    (rng,) = check_generators([rng], 1)
    uniforms = map(rng.random, repeat(1))
    stream = batch_stream(model, [prompt_tokens], uniforms, temperature, top_k, top_p, exclude)
    return (int(tokens[0]) for tokens in stream)


def batch_stream(model, prompts, uniforms, temperature=1.0, top_k=None, top_p=None, exclude=()):
    """Yields the next tokens (K,) of K texts for each row of uniform numbers (K,). Checks the arguments at once."""
    V = require.language_model(model).sizes.vocab_size
    prompts = [require.token_stream(prompt, V) for prompt in prompts]
    if not prompts:
        raise ValueError("a batch needs one prompt or more; got none")
    check_filters(V, temperature, top_k, top_p)
    exclude = check_ids(V, exclude)
    if exclude.size == V:
        raise ValueError(f"exclude leaves none of the V = {V} tokens to draw")
    return _stream(model, prompts, uniforms, temperature, top_k, top_p, exclude)


def _stream(model, prompts, uniforms, temperature, top_k, top_p, exclude):
    read, state = one_step(model), read_prompts(model, prompts)
    for u in uniforms:
        logits = next_logits(model, state)
        if exclude.size:
            logits[:, exclude] = -np.inf
        tokens = draw(next_token_distribution(logits, temperature, top_k, top_p), u)
        yield tokens
        state = read(tokens, state)


def read_prompts(model, prompts):
    """The state after K prompts, side by side; that of a shorter one waits at its end (masking.py)."""
    tokens, state = side_by_side(prompts, 0), model.initial_state(len(prompts))  # (T, K)
    mask = lengths_to_mask([len(prompt) for prompt in prompts], len(tokens))
    num_steps = steps_at_a_time(model.sizes, len(prompts))  # a long prompt's logits need not fit into memory
    for t in range(0, len(tokens), num_steps):
        state = model.forward(tokens[t : t + num_steps], state, mask[t : t + num_steps]).state
    return state


def one_step(model):
    """A function (tokens (K,), state) -> state, by the cells' own steps, for parameters that stay as they are.

    The first layer's E[token] W_x + b is computed when a token is met for the first time, and kept: for ROWS neighbours
    in the vocabulary at once, which takes hardly longer than for one.
    """
    cell, E = model.cell, model.parameters()["E"]
    layers = stack_parameters(model.stack, model.parameters())
    table = np.empty((len(E), project(layers[0], E[:1]).shape[1]), E.dtype)  # (V, ·)
    known = np.zeros(-(-len(E) // ROWS), bool)

    def first_xW(tokens):
        places = tokens // ROWS
        for k in places[~known[places]]:
            rows = slice(k * ROWS, (k + 1) * ROWS)
            table[rows] = project(layers[0], E[rows])
            known[k] = True
        return table[tokens]

    def read(tokens, state):
        xW_t, states = first_xW(tokens), []
        for layer, layer_state in zip(layers, state, strict=True):
            if states:
                xW_t = project(layer, states[-1].h)
            states.append(next_state(cell, layer, xW_t, layer_state))
        return tuple(states)

    return read


def next_logits(model, state):
    """logits (K, V) of the next tokens, from the state of K sequences."""
    return affine_forward(state[-1].h, model.output_matrix(), model.parameters()["b_y"])


def next_token_distribution(logits, temperature=1.0, top_k=None, top_p=None):
    """The probabilities (…, V) for logits (…, V). Raises ValueError where a largest logit is not finite."""
    logits = logits.astype(float)  # a temperature of 1e-50 is zero in float32
    largest = logits.max(axis=-1, keepdims=True)
    if not math.isfinite(largest.sum()):
        raise ValueError(f"the logits give no distribution, for the largest is {largest}: has the model diverged?")
    if temperature == 0:
        y = np.zeros_like(logits)
        np.put_along_axis(y, logits.argmax(axis=-1, keepdims=True), 1, axis=-1)
        return y
    shifted = logits - largest
    if temperature != 1:
        with np.errstate(over="ignore"):  # a tiny one sends all but the largest to -infinity, as it should
            shifted /= temperature
    e = np.exp(shifted, out=shifted)
    y = np.divide(e, e.sum(axis=-1, keepdims=True), out=e)
    return y if top_k is None and top_p is None else filtered(y, logits, top_k, top_p)


def filtered(y, logits, top_k, top_p):
    """y (…, V) with zeros but for the top-k tokens, then but for the top-p tokens; each time scaled to sum to 1."""
    order = np.argsort(-logits, axis=-1, kind="stable")  # the most probable first; of equals, the lower id
    sorted_y = np.take_along_axis(y, order, axis=-1)
    if top_k is not None:
        sorted_y[..., top_k:] = 0
        sorted_y /= sorted_y.sum(axis=-1, keepdims=True)
    if top_p is not None and top_p < 1:
        before = sorted_y.cumsum(axis=-1) - sorted_y  # the probability of all that are more probable
        sorted_y[before >= top_p] = 0
        sorted_y /= sorted_y.sum(axis=-1, keepdims=True)
    np.put_along_axis(y, order, sorted_y, axis=-1)
    return y


def draw(y, u):
    """Token ids (…,) drawn from the probabilities y (…, V), by where uniform numbers u (…,) fall among running sums."""
    running = y.cumsum(axis=-1)
    threshold = np.multiply(u, running[..., -1])[..., None]
    return (running > threshold).argmax(axis=-1)


def check_generators(rngs, K):
    """K generators; a fresh one in place of None."""
    rngs = [None] * K if rngs is None else require.sequence("rngs", rngs)
    if len(rngs) != K:
        raise ValueError(f"rngs must hold a generator for each of the K = {K} prompts; got {len(rngs)}")
    return [np.random.default_rng() if require.generator(rng) is None else rng for rng in rngs]


def check_ids(vocab_size, ids):
    """Token ids, distinct, as an array that may be empty. Raises ValueError for ids outside 0..V-1."""
    ids = require.array("ids of tokens", list(ids) if isinstance(ids, set | range) else ids)
    return np.unique(require.token_stream(ids, vocab_size)) if ids.size else ids.astype(int)


def check_filters(vocab_size, temperature, top_k, top_p):
    """Raises ValueError for a temperature, top_k or top_p that cannot be."""
    require.non_negative_number("temperature", temperature)
    if top_k is not None and not 1 <= require.positive_integer("top_k", top_k) <= vocab_size:
        raise ValueError(f"top_k must lie in 1..V = {vocab_size}; got {top_k}")
    if top_p is not None:
        require.expect("top_p", top_p, require.is_number(top_p) and 0 < top_p <= 1, "a probability, 0 < top_p <= 1")
