import numpy as np
import pytest
from gradient_proofs import prove, read_only

from numpylm.attention import ATTENTIONS, attention_backward, attention_forward, attention_step, attention_step_backward
from numpylm.parameters import parameter_shapes

T_X, T_Y, N, H, A = 5, 4, 3, 6, 7
MASK = np.arange(T_X)[:, None] < np.array([5, 2, 3])


def random_problem(kind, seed=0):
    """The attention, its parameters, s, h and dctx, all of order one."""
    rng = np.random.default_rng(seed)
    attention = ATTENTIONS[kind]
    shapes = parameter_shapes(attention.parts(H, A))
    parameters = attention.Parameters(**{name: rng.standard_normal(shape) for name, shape in shapes.items()})
    s, h, dctx = (rng.standard_normal((T, N, H)) for T in (T_Y, T_X, T_Y))
    return attention, parameters, s, h, dctx


def written_out(kind, parameters, s, h, n, t, length):
    """ctx and alpha of one sentence at one step, by equations (17) to (20), number by number."""
    if kind == "dot":
        e = [s[t, n] @ h[j, n] for j in range(length)]
    else:
        W_sa, W_ha, b_a, v_a = parameters
        e = [v_a @ np.tanh(s[t, n] @ W_sa + h[j, n] @ W_ha + b_a) for j in range(length)]
    alpha = np.exp(e) / np.exp(e).sum()
    return sum(alpha[j] * h[j, n] for j in range(length)), alpha


@pytest.mark.parametrize("kind", ATTENTIONS)
def test_attention_is_equations_17_to_20_over_the_real_positions(kind):
    attention, parameters, s, h, _ = random_problem(kind)
    trace = attention_forward(attention, parameters, s, h, MASK)
    assert trace.alpha.shape == trace.e.shape == (T_Y, N, T_X)
    for t in range(T_Y):
        for n, length in enumerate(MASK.sum(axis=0)):
            ctx, alpha = written_out(kind, parameters, s, h, n, t, length)
            np.testing.assert_allclose(trace.ctx[t, n], ctx, rtol=1e-12)
            np.testing.assert_allclose(trace.alpha[t, n, :length], alpha, rtol=1e-12)
            assert (trace.alpha[t, n, length:] == 0).all()


@pytest.mark.parametrize("mask", [None, MASK])
@pytest.mark.parametrize("kind", ATTENTIONS)
def test_backward_of_every_argument(kind, mask):
    attention, parameters, s, h, dctx = random_problem(kind, 1)

    def loss(s, h, **arrays):
        return (dctx * attention_forward(attention, attention.Parameters(**arrays), s, h, mask).ctx).sum()

    gradients = attention_backward(
        attention, read_only(parameters), read_only(dctx),
        read_only(attention_forward(attention, parameters, read_only(s), read_only(h), mask)),
    )  # fmt: skip
    prove(
        loss, {"s": s, "h": h, **parameters._asdict()},
        {"s": gradients.ds, "h": gradients.dh, **gradients.dparameters._asdict()},
    )  # fmt: skip


@pytest.mark.parametrize("kind", ATTENTIONS)
def test_one_step_is_a_row_of_the_whole(kind):
    attention, parameters, s, h, dctx = random_problem(kind, 3)
    trace = attention_forward(attention, parameters, s, h, MASK)
    whole = attention_backward(attention, parameters, dctx, trace)
    dh = np.zeros_like(h)
    for t in range(T_Y):
        step = attention_step(attention, parameters, s[t], h, MASK)
        for name in ("e", "alpha", "ctx"):
            np.testing.assert_allclose(getattr(step, name), getattr(trace, name)[t], rtol=1e-12, atol=1e-14)
        gradients = attention_step_backward(attention, parameters, dctx[t], step)
        for name in ("ds", "dalpha", "de"):
            np.testing.assert_allclose(getattr(gradients, name), getattr(whole, name)[t], rtol=1e-11, atol=1e-13)
        dh += gradients.dh
    np.testing.assert_allclose(dh, whole.dh, rtol=1e-11, atol=1e-13)
