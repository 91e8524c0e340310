"""Whether an implementation's training step is the right one, so that nobody wins by computing something else.

The step is done once more in float64, by the gradients that `numpylm gradcheck` proves. The loss must agree, and each
array must have been moved by the same amount, up to float32's rounding. Sampling must draw the same tokens when it is
greedy, and evaluation find the same nats.
"""

import numpy as np

import numpylm as nlm
from numpylm.bench.implementations import MAX_NORM
from numpylm.model import make_model

CHECKED_RATE = 100.0  # a step as long as 1 in all: with a smaller one, little would be left of it after rounding
TOLERANCE = 1e-3  # of the largest change of an array, and of the loss: bfloat16 would be off by more
ROUNDING = 4 * float(np.finfo(np.float32).eps)  # of the largest entry of an array


def training_disagreement(model, batch, implementation):
    """None where the step is right, or a phrase that says what differs, from the model's weights on."""
    step = implementation.train(model, batch, CHECKED_RATE)
    before, loss, after = step.weights(), step.run(), step.weights()
    expected_loss, expected = expected_step(model, batch, implementation.two_biases)
    if not abs(loss - expected_loss) <= TOLERANCE * expected_loss:
        return f"its loss is {loss:.6f}, not {expected_loss:.6f}"
    for name in expected:
        moved, right = after[name] - before[name].astype(float), expected[name] - before[name]
        allowed = TOLERANCE * np.abs(right).max() + ROUNDING * np.abs(before[name]).max()
        worst = np.abs(moved - right).max()
        if not worst <= allowed:
            return f"its change of {name} is off by {worst:.2e}, with {allowed:.2e} allowed"
    return None


def expected_step(model, batch, two_biases):
    """(loss, the state dict after the step), in float64."""
    exact = model.astype(float)
    out = exact.loss_and_gradients(batch.inputs, batch.targets)
    gradients = nlm.to_torch_state_dict(make_model(exact.cell, exact.sizes, out.gradients))
    if two_biases:
        repeat_bias_gradients(gradients, exact.cell.name)
    clipped, _ = nlm.clip_by_global_norm(gradients, MAX_NORM)
    weights = nlm.to_torch_state_dict(exact)
    nlm.SGD(CHECKED_RATE).step(weights, clipped)
    return out.loss, weights


def repeat_bias_gradients(gradients, kind):
    """Gives bias_hh the gradient of bias_ih, as in PyTorch, where both are learned; the GRU's b_hn has its own."""
    bias_ih, bias_hh = gradients[f"{kind}.bias_ih_l0"], gradients[f"{kind}.bias_hh_l0"]
    shared = len(bias_ih) * 2 // 3 if kind == "gru" else len(bias_ih)
    bias_hh[:shared] = bias_ih[:shared]


def sampling_disagreement(model, implementation, num_tokens=20):
    """None, or what differs: the tokens drawn greedily."""
    expected = nlm.generate(model.astype(float), [0], num_tokens, temperature=0).tolist()
    found = implementation.sample(model, num_tokens, True)()
    return None if found == expected else f"greedily it draws {found[:5]} …, not {expected[:5]} …"


def evaluation_disagreement(model, tokens, batch_size, implementation):
    """None, or what differs: the mean nats per token."""
    expected = nlm.evaluate(model.astype(float), tokens, batch_size).loss
    found = implementation.evaluate(model, tokens, batch_size)()
    return None if abs(found - expected) <= TOLERANCE * expected else f"it finds {found:.6f} nats, not {expected:.6f}"
