"""The same language model in JAX: jit over the whole step, lax.scan over time, value_and_grad. The parameters are
numpylm's, by name. Only imported where jax is installed."""

from functools import partial

import jax
from jax import lax
from jax import numpy as jnp
from jax.nn import sigmoid

from numpylm.bench.in_numpylm import MAX_NORM, stream_reader


def rnn_step(p, state, xW_t):
    """Equation (1)."""
    h_t = jnp.tanh(xW_t + state[0] @ p["W_hh"])
    return (h_t,), h_t


def lstm_step(p, state, xW_t):
    """Equations (3) to (8)."""
    h_prev, c_prev = state
    a_i, a_f, a_o, a_c = jnp.split(xW_t + h_prev @ p["W_h"], 4, axis=-1)
    c_t = sigmoid(a_f) * c_prev + sigmoid(a_i) * jnp.tanh(a_c)
    h_t = sigmoid(a_o) * jnp.tanh(c_t)
    return (h_t, c_t), h_t


def gru_step(p, state, xW_t):
    """Equations (10) to (13)."""
    (h_prev,) = state
    xW_r, xW_z, xW_n = jnp.split(xW_t, 3, axis=-1)
    hW_r, hW_z, hW_n = jnp.split(h_prev @ p["W_h"], 3, axis=-1)
    n_t = jnp.tanh(xW_n + sigmoid(xW_r + hW_r) * (hW_n + p["b_hn"]))
    z_t = sigmoid(xW_z + hW_z)
    h_t = (1 - z_t) * n_t + z_t * h_prev
    return (h_t,), h_t


STEPS = {"rnn": rnn_step, "lstm": lstm_step, "gru": gru_step}


def forward(kind, p, tokens, state):
    """(log y (T, N, V), state)"""
    W_x, b = (p["W_xh"], p["b_h"]) if kind == "rnn" else (p["W_x"], p["b"])
    state, h = lax.scan(partial(STEPS[kind], p), state, p["E"][tokens] @ W_x + b)
    return jax.nn.log_softmax(h @ p["W_hy"] + p["b_y"]), state


@partial(jax.jit, static_argnums=0)
def loss_of(kind, p, inputs, targets, state):
    """(mean nats, state)"""
    log_y, state = forward(kind, p, inputs, state)
    return -jnp.take_along_axis(log_y, targets[..., None], axis=-1).mean(), state


@partial(jax.jit, static_argnums=0, donate_argnums=1)
def train_step(kind, p, inputs, targets, state, learning_rate):
    """(new parameters, loss before)"""
    (loss, _), gradients = jax.value_and_grad(loss_of, argnums=1, has_aux=True)(kind, p, inputs, targets, state)
    norm = jnp.sqrt(sum((g * g).sum() for g in gradients.values()))
    scale = learning_rate * jnp.minimum(1, MAX_NORM / norm)
    return {name: p[name] - scale * gradients[name] for name in p}, loss


@partial(jax.jit, static_argnums=(0, 1, 2))
def sampled(kind, num_tokens, greedy, p, state, key):
    """num_tokens token ids that follow token 0: the whole loop is compiled."""

    def one_token(carry, key):
        token, state = carry
        log_y, state = forward(kind, p, token[None], state)
        token = log_y[0].argmax(axis=-1) if greedy else jax.random.categorical(key, log_y[0])
        return (token, state), token[0]

    start = (jnp.zeros(1, dtype=int), state)
    return lax.scan(one_token, start, jax.random.split(key, num_tokens))[1]


def copied(model, batch_size):
    """(the model's parameters as JAX arrays, the state before the first step)"""
    parameters = {name: jnp.array(array) for name, array in model.parameters().items()}
    return parameters, tuple(map(jnp.asarray, model.initial_state(batch_size)[0]))


def train(model, batch, learning_rate):
    """A training step. The tokens are JAX's arrays before the clock starts."""
    inputs, targets = map(jnp.array, batch)
    parameters, state = copied(model, inputs.shape[1])

    def run():
        nonlocal parameters
        parameters, loss = train_step(model.cell.name, parameters, inputs, targets, state, learning_rate)
        jax.block_until_ready(parameters)
        return float(loss)

    return run


def sample(model, num_tokens, greedy=False):
    """Generation of one sequence."""
    parameters, state = copied(model, 1)
    return lambda: sampled(model.cell.name, num_tokens, greedy, parameters, state, jax.random.key(0)).tolist()


def evaluate(model, tokens, batch_size):
    """Evaluation of a stream."""
    parameters, state = copied(model, batch_size)
    loss = partial(loss_of, model.cell.name, parameters)
    return stream_reader(model, tokens, batch_size, jnp.array, loss, state)
