"""What the diagnosis says of wrong forwards, of clipping, of windows and of numerical derivatives."""

import numpy as np
import pytest
from mutant_problems import inputs_of

from numpylm.tutor.assignments import ASSIGNMENTS
from numpylm.tutor.case import case_of, named
from numpylm.tutor.diagnose import diagnose, diagnose_case
from numpylm.tutor.library import wrong_results
from numpylm.tutor.mistakes import faulty_function
from numpylm.tutor.problems import Sizes, Waves, problem_of
from numpylm.tutor.suspects import right_run

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
    ("formula", "words"),
    [
        (lambda f, x, e, up, down: (up - f()) / e, "forward difference, with ε of about 1e-05"),
        (lambda f, x, e, up, down: (up - down) / e, "it is 2 times the derivative"),
        (lambda f, x, e, up, down: (down - up) / (2 * e), "it is -1 times the derivative"),
        (lambda f, x, e, up, down: (up - down) / 2 * e, "/ (2 * ε)"),
        (lambda f, x, e, up, down: up - down, "it is 2e-05 times the derivative"),
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


OTHERS = ["attention_step", "attention_step_backward", "ctc_alpha", "ctc_dlogits", "truncated_bptt"]
OTHERS += ["cross_entropy_forward", "clip_by_global_norm", "clip_by_value", "affine_forward"]


@pytest.mark.parametrize("function", OTHERS)
def test_every_mistake_in_the_other_functions_is_named_and_a_right_answer_gets_no_word(function):
    symbols, answers, _ = problem_of(function, np.random.default_rng(0), Sizes(5, 3, 4, 6, 7), set())
    right = {n: q for n, q in answers.items() if n.partition(".")[0] in ASSIGNMENTS[function].returns[0]}
    assert right and diagnose(function, symbols, right, answers) == []
    found = [(mistake.why, {n: made[n] for n in right}) for mistake, made in wrong_results(case_of(function, symbols))]
    found = [(why, made) for why, made in found if all(np.isfinite(q).all() for q in made.values())]
    found = [(why, made) for why, made in found if any(not np.allclose(made[n], right[n]) for n in right)]
    assert found
    for _, made in found:
        (first, *_) = diagnose(function, symbols, made, answers)
        alike = [why for why, other in found if all(np.allclose(other[n], made[n]) for n in right)]
        assert any(why in first.words for why in alike)
