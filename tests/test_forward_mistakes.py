"""What the diagnosis says of wrong forwards, of clipping, of windows and of numerical derivatives."""

import numpy as np
import pytest
from mutant_problems import inputs_of

from numpylm import rnn
from numpylm.tutor.case import case_of, named
from numpylm.tutor.diagnose import diagnose, diagnose_case
from numpylm.tutor.library import wrong_results
from numpylm.tutor.mistakes import faulty_function
from numpylm.tutor.problems import Sizes, Waves, problem_of
from numpylm.tutor.suspects import right_run

GRADIENTS = {"a": np.array([3.0, -4, 1]), "b": np.array([[0.5, -6]])}
STEPS = [f"{cell}_{kind}" for cell in ("rnn", "lstm", "gru") for kind in ("step", "forward")]
CASES = {name: case_of(name, inputs_of(name)) for name in ["sigmoid", "tanh", "relu", "softmax", "log_softmax", *STEPS]}


@pytest.mark.parametrize("name", CASES)
def test_every_wrong_forward_is_recognised_by_what_it_returns(name):
    """Of a cell, h (and c) alone is returned. Several entries may give the same; then the first is named."""
    case, results = CASES[name], wrong_results(CASES[name])
    outputs = [q for q in ("h_t", "c_t", "h", "c") if q in right_run(case).results and q.endswith("_t") == case.is_step]
    outputs = outputs or list(right_run(case).results)
    for mistake, made in results[:: 1 + len(results) // 20]:
        if all(np.allclose(made[q], right_run(case).results[q], 1e-9, 1e-9) for q in outputs):
            assert "tanh" in mistake.why  # where tanh belongs
            continue
        (found,) = diagnose_case(case, {q: made[q] for q in outputs})
        alike = [m.why for m, other in results if all(np.allclose(other[q], made[q], 1e-9, 1e-9) for q in outputs)]
        assert any(why in found.words for why in alike)


def test_the_gates_order_is_named_with_who_uses_it():
    case = CASES["lstm_forward"]
    change = ("lstm_step", "a_i, a_f, a_o, a_c = gates", "a_i, a_f, a_c, a_o = gates")
    made = named(case, faulty_function("lstm_forward", (change,))(**case.arguments))
    assert "in the order i, f, c̃, o (PyTorch's" in diagnose_case(case, {"h": made["h"]})[0].words


def test_an_unknown_mistake_in_a_step_is_narrowed_by_what_is_returned():
    case, right = CASES["lstm_step"], right_run(CASES["lstm_step"]).results
    wrong = {"c_t": right["c_t"] ** 3, "h_t": right["h_t"] ** 3}
    more = {name: right[name] for name in ("i_t", "f_t", "o_t", "c_tilde_t")} | wrong
    assert diagnose_case(case, more)[0].words.startswith(
        "look first at c_t, equation (7); i_t, f_t, o_t, c_tilde_t are"
    )


@pytest.mark.parametrize(
    ("function", "inputs", "claimed", "words"),
    [
        ("cross_entropy_forward", inputs_of("cross_entropy_forward"), "sum", "not divided by T N"),
        ("cross_entropy_forward", inputs_of("cross_entropy_forward"), "floor", "y has a floor of 1e-5"),
        ("clip_by_global_norm", {"gradients": GRADIENTS, "max_norm": 2.0},
         {f"clipped.{k}": g * min(1, 2 / np.linalg.norm(g)) for k, g in GRADIENTS.items()}, "clipped by its own norm"),
        ("clip_by_value", {"gradients": GRADIENTS, "limit": 2.0},
         {f"clipped.{k}": np.minimum(g, 2) for k, g in GRADIENTS.items()}, "entries below -limit are left as they are"),
    ],
)  # fmt: skip
def test_a_wrong_loss_and_wrong_clipping(function, inputs, claimed, words):
    if isinstance(claimed, str):
        logits, targets = inputs["logits"], inputs["targets"]
        y = np.exp(logits) / np.exp(logits).sum(-1, keepdims=True)
        y = np.take_along_axis(y, targets[..., None], -1)[..., 0][targets >= 0]
        claimed = {"loss": -np.log(y).sum() if claimed == "sum" else -np.log(y + 1e-5).mean()}
    assert words in diagnose(function, inputs, claimed)[0].words


@pytest.mark.parametrize(
    ("window", "restart", "words"),
    [(2, True, "every window from state_0 again".replace("window", "window starts")), (3, False, "one step too long"),
     (5, False, "nothing is truncated")],
)  # fmt: skip
def test_windows_that_are_cut_or_joined_in_another_way(window, restart, words):
    inputs = inputs_of("rnn_backward", masked=False, sizes=(5, 2, 3, 4))
    parameters = rnn.RNNParameters(*[inputs[name] for name in rnn.RNNParameters._fields])
    state_0 = state = rnn.RNNState(inputs["h_0"])
    total = 0
    for start in range(0, 5, 2 if window == 3 else window):
        out = rnn.rnn_forward(parameters, inputs["x"][start : start + window], state)
        state = state_0 if restart else out.state
        zeros = rnn.RNNState(np.zeros_like(state.h))
        found = rnn.rnn_backward(parameters, inputs["dh"][start : start + window], zeros, out.trace)
        total = total + found.dparameters.W_hh
    inputs |= {"parameters": parameters, "state_0": state_0, "window": 2}
    assert words in diagnose("truncated_bptt", inputs, {"dW_hh": total})[0].words


@pytest.mark.parametrize(
    ("formula", "words"),
    [
        (lambda f, x, e, up, down: (up - f()) / e, "forward difference, with ε of about 1e-05"),
        (lambda f, x, e, up, down: (up - down) / e, "it is twice the derivative"),
        (lambda f, x, e, up, down: (down - up) / (2 * e), "the sign is wrong"),
        (lambda f, x, e, up, down: (up - down) / 2 * e, "write `/ (2 * ε)`"),
        (lambda f, x, e, up, down: up - down, "is the difference not divided by 2 ε?"),
        (lambda f, x, e, up, down: 0.0, "it is zero"),
    ],
)
def test_a_wrong_central_difference(formula, words):
    assert words in told("central_difference", formula, 1e-5)


def test_a_step_that_is_too_large_or_too_small():
    assert "a step of about 1e-03; take 1e-5" in told("central_difference", CENTRAL, 1e-3)
    assert "ε is too small" in told("central_difference", CENTRAL, 1e-12)


def CENTRAL(f, x, e, up, down):
    return (up - down) / (2 * e)


def told(function, formula, epsilon):
    f = Waves(np.random.default_rng(3).standard_normal((3, 5)))
    gradient = np.zeros_like(f.x)
    for k in np.ndindex(f.x.shape):
        entry = f.x[k]
        f.x[k] = entry + epsilon
        up = f()
        f.x[k] = entry - epsilon
        down = f()
        f.x[k] = entry
        gradient[k] = formula(f, f.x, epsilon, up, down)
    return diagnose(function, {"f": f, "x": f.x}, {"gradient": gradient})[0].words


@pytest.mark.parametrize("function", ["attention_step", "attention_step_backward", "ctc_alpha", "ctc_dlogits"])
def test_every_mistake_in_attention_and_ctc_is_named_and_a_right_answer_gets_no_word(function):
    sizes = Sizes(5, 3, 4, 6, 7)
    symbols, answers, _ = problem_of(function, np.random.default_rng(0), sizes, set())
    outputs = {"attention_step": ("ctx_t", "alpha_t"), "attention_step_backward": ("ds_t", "dh")}
    outputs = outputs.get(function, (function[4:],))
    right = {name: answers[name] for name in outputs}
    assert diagnose(function, symbols, right, answers) == []
    found = [(mistake.why, made) for mistake, made in wrong_results(case_of(function, symbols))]
    found = [(why, made) for why, made in found if any(not np.allclose(made[n], right[n]) for n in right)]
    found = [(why, made) for why, made in found if all(np.isfinite(made[n]).all() for n in right)]
    assert len(found) >= 4
    for _, made in found:
        (first, *_) = diagnose(function, symbols, {name: made[name] for name in outputs}, answers)
        alike = [why for why, other in found if all(np.allclose(other[n], made[n]) for n in outputs)]
        assert any(why in first.words for why in alike)
