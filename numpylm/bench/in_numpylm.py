"""The language model that is measured, in this package; in_torch.py and in_jax.py have the same one.

embedding -> one recurrent layer -> affine map -> softmax cross-entropy at every step, backpropagation through time,
clipping by global norm, and θ <- θ - α g, in float32. Each implementation starts from the weights of a numpylm model,
which it must not change. Its functions prepare, before the clock starts, what is to be timed, and return a function of
no arguments:

    train      (model, (inputs, targets), learning_rate) -> the loss before a step
    sample     (model, num_tokens, greedy) -> the list of token ids that follow token 0
    evaluate   (model, tokens (S,), batch_size) -> the mean nats per token
    ctc        (logits, labels) -> (loss, dlogits)                                                     not in JAX
    translate  (EncoderDecoder, (source, inputs, targets), learning_rate) -> the loss before a step    not in JAX
"""

import numpy as np

import numpylm as nlm
from numpylm.ctc import ctc_backward, ctc_forward
from numpylm.data.batches import cut_streams, num_windows, window
from numpylm.evaluation import steps_at_a_time
from numpylm.training import update

MAX_NORM = 0.01  # below the norm of the gradients at every shape here: each step has to scale them


def train(model, batch, learning_rate):
    """A training step."""
    return step(model.astype(model.dtype), batch, learning_rate)


def step(model, batch, learning_rate):
    """A function that trains a model of any kind for one step, and returns the loss before it."""
    optimizer = nlm.SGD(learning_rate)

    def run():
        out = model.loss_and_gradients(*batch)
        update(model, optimizer, out, MAX_NORM)
        return out.loss

    return run


def sample(model, num_tokens, greedy=False):
    """Generation of one sequence."""
    rng, temperature = np.random.default_rng(0), 0 if greedy else 1.0
    return lambda: nlm.generate(model, [0], num_tokens, temperature, rng=rng).tolist()


def evaluate(model, tokens, batch_size):
    """Evaluation of a stream."""
    return lambda: nlm.evaluate(model, tokens, batch_size).loss


def ctc(logits, labels):
    """CTC's loss and its gradient."""

    def run():
        loss, trace = ctc_forward(logits, labels)
        return loss, ctc_backward(trace).dlogits

    return run


def stream_reader(model, tokens, batch_size, as_array, loss_of, state):
    """Evaluation of a stream by another library, whose arrays nlm.evaluate's windows are before the clock starts.

    loss_of(inputs, targets, state) returns the mean nats of a window, each (T, N), and the state after it.
    """
    streams, num_steps = cut_streams(tokens, batch_size), steps_at_a_time(model.sizes, batch_size)
    windows = [window(streams, num_steps, k) for k in range(num_windows(streams, num_steps))]
    arrays = [tuple(map(as_array, pair)) for pair in windows]

    def run():
        losses, carried = [], state
        for pair in arrays:
            loss, carried = loss_of(*pair, carried)
            losses.append(float(loss))
        return np.average(losses, weights=[targets.size for _, targets in windows])

    return run


translate = step
