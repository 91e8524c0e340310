"""What the diagnosis says of mistakes that it has never seen, of wrong forwards and of numerical derivatives."""

import diagnose_mutants
import numpy as np
import pytest
from diagnose_mutants import inputs_of

from numpylm.tutor.case import case_of, named
from numpylm.tutor.diagnosis.diagnose import diagnose, diagnose_case
from numpylm.tutor.diagnosis.mistakes import faulty_function
from numpylm.tutor.diagnosis.suspects import right_run
from numpylm.tutor.problems import Waves

CELL_BACKWARDS = [f"{cell}{kind}_backward" for cell in ("rnn", "lstm", "gru") for kind in ("", "_step")]
BACKWARDS = ["affine_backward", *CELL_BACKWARDS]
STEP, LOOP = "lstm_step_backward", "lstm_backward"
CASES = {name: case_of(name, inputs_of(name, masked="gru" in name)) for name in BACKWARDS}


def final(case, results):
    """What a caller gets: no record of the steps."""
    return {name: q for name, q in results.items() if diagnose_mutants.is_final(case, name)}


def wrong(function, right, faulty, inside=None):
    """What a function returns with one piece of its source, or of what it calls, replaced."""
    case = CASES[function]
    return named(case, faulty_function(case.function, ((inside or function, right, faulty),))(**case.arguments))


def said(function, right, faulty, inside=None):
    """The findings on that, from final gradients."""
    case = CASES[function]
    return diagnose_case(case, final(case, wrong(function, right, faulty, inside)))


def test_the_sentence_has_equation_and_why_and_the_code_has_the_lines():
    found = said(STEP, "dc_prev = dc_t * step.f_t", "dc_prev = dc_t")[0]
    assert found.words == "Equation (7), dc_prev: the forget path is missing: f_t is left out."
    assert "`dc_t` in place of `dc_t * step.f_t`" in found.code


@pytest.mark.parametrize(
    ("function", "inside", "right", "faulty", "words"),
    [
        (STEP, None, "df_t = dc_t * step.c_prev", "df_t = dc_t * step.o_t", "it seems to be dc_t ⊙ o_t"),
        (STEP, None, "df_t = dc_t * step.c_prev", "df_t = step.c_prev", "c_prev: no gradient is in it"),
        (STEP, None, "df_t = dc_t * step.c_prev", "df_t = dc_t + step.c_prev", "dc_t + c_prev: a sum where a product"),
        (STEP, None, "dc_prev = dc_t * step.f_t", "dc_prev = dc_t * (1 - step.f_t)", "dc_t ⊙ (1 - f_t)"),
        (STEP, None, "dc_prev = dc_t * step.f_t", "dc_prev = -dc_t * step.f_t", "wrong sign"),
        (STEP, None, "dc_next + tanh", "dh_t + dc_next + tanh", "dc_t + dh_t: one term too many"),
        (LOOP, STEP, "df_t = dc_t * step.c_prev", "df_t = dc_t * step.o_t", "df_t is likely wrong, equation (7)"),
        (LOOP, STEP, "dc_next + tanh", "2 * dc_next + tanh", "dc_t is likely wrong"),
        ("gru_backward", "gru_step_backward", "dn_t = dh_t * (1 - step.z_t)", "dn_t = dh_t * step.r_t", "dh_t ⊙ r_t"),
        ("rnn_backward", None, "dh[t] + dh_next", "dh[t] - dh_next", "it seems to be dh[t] - dh_next"),
        ("rnn_backward", "rnn_step_backward", "da_t @ W_hh.T", "2 * da_t @ W_hh.T", "2 dh_prev"),
        ("affine_backward", None, "dy_rows @ W.T", "-dy_rows @ W.T", "dx: it has the wrong sign"),
    ],
)
def test_an_unknown_mistake_is_read_back_as_a_formula(function, inside, right, faulty, words):
    assert words in said(function, right, faulty, inside)[0].words


@pytest.mark.parametrize(
    ("right", "faulty", "names"),
    [  # the nearer mistake is named; of two that are as near, both are
        ("di_t = dc_t * step.c_tilde_t", "di_t = -dc_t * step.c_tilde_t", {"di_t", "da_i"}),
        ("sigmoid_backward(di_t, step.i_t)", "-sigmoid_backward(di_t, step.i_t)", {"di_t", "da_i"}),
        ("sigmoid_backward(df_t, step.f_t)", "sigmoid_backward(dc_next, step.f_t)", {"da_f", "df_t"}),
        ("df_t = dc_t * step.c_prev", "df_t = dc_next * step.c_prev", {"df_t"}),
        ("tanh_backward(dc_tilde_t, step.c_tilde_t)", "tanh_backward(dc_tilde_t, step.o_t)", {"da_c"}),
    ],
)
def test_one_sentence_names_both_lines_where_no_gradient_tells_them_apart(right, faulty, names):
    found = said(STEP, right, faulty)[0]
    assert {found.quantity, *found.tied[:1]} == names and all(name in found.words for name in names)
    assert ("these gradients do not show which" in found.words) == (len(names) == 2)


def test_part_of_the_gradients_is_enough():
    claimed = wrong(STEP, "da_t @ W_h.T", "0.5 * da_t @ W_h.T")
    for names in (["dh_prev"], ["dh_prev", "dc_prev"], ["dW_x", "dh_prev"]):
        assert diagnose_case(CASES[STEP], {name: claimed[name] for name in names})[0].quantity == "dh_prev"


def test_gates_may_be_claimed_one_by_one():
    claimed = final(CASES[STEP], wrong(STEP, "dc_prev = dc_t * step.f_t", "dc_prev = dc_t"))
    blocks = zip("ifoc", np.split(claimed.pop("dW_x"), 4, axis=1), strict=True)
    found = diagnose_case(CASES[STEP], claimed | {f"dW_x{gate}": block for gate, block in blocks})
    assert "f_t is left out" in found[0].words
    truth = right_run(CASES[STEP]).results
    swapped = dict(zip(("dW_xf", "dW_xi"), np.split(truth["dW_x"], 4, axis=1)[:2], strict=True))
    assert "dW_xi and dW_xf are exchanged" in diagnose_case(CASES[STEP], swapped)[0].words


def test_what_is_trusted_is_not_blamed():
    zeros = "freeze_backward(trace.mask, t, np.zeros_like(dc_next))"
    claimed = final(CASES[LOOP], wrong(LOOP, "freeze_backward(trace.mask, t, dc_next)", zeros))
    first = diagnose_case(CASES[LOOP], claimed, trusted=(STEP,))[0]
    assert first.words.startswith("Equation (7), dc_next: each step is given zeros") and "dc_t:" not in first.words


def test_separate_mistakes_are_said_each_or_together():
    truth = final(CASES[STEP], right_run(CASES[STEP]).results)
    both = diagnose_case(CASES[STEP], {**truth, "dW_h": truth["dW_h"] / 2, "db": truth["db"] / 2})
    assert [found.words for found in both] == ["dW_h, db: each is the right one times 0.5, which is 1/N (N = 2)"]
    (shared,) = diagnose_case(CASES[STEP], {name: 3 * q for name, q in truth.items()})
    assert "all gradients are the right ones times 3" in shared.words
    (alone,) = diagnose_case(CASES[STEP], {**truth, "dW_x": np.sin(truth["dW_x"])})
    assert alone.words.startswith("dW_x is likely wrong")
    rng = np.random.default_rng(1)
    noise = {name: q + rng.standard_normal(q.shape) for name, q in truth.items()}
    assert "are several lines wrong" in diagnose_case(CASES[STEP], noise)[-1].words


def test_float32_claims_are_judged_coarsely_and_nothing_is_changed():
    claimed = {name: q.astype(np.float32) for name, q in right_run(CASES[LOOP]).results.items()}
    assert diagnose_case(CASES[LOOP], claimed) == []
    rounded = final(CASES[LOOP], wrong(LOOP, "dc_t * step.f_t", "dc_t", STEP))
    rounded = {name: q.astype(np.float32) for name, q in rounded.items()}
    assert "f_t is left out" in diagnose_case(CASES[LOOP], rounded)[0].words
    claimed = wrong(LOOP, "dc_prev = dc_t * step.f_t", "dc_prev = dc_t * step.o_t", STEP)
    kept = {name: array.copy() for name, array in claimed.items()}
    first = diagnose_case(CASES[LOOP], claimed)
    assert first == diagnose_case(CASES[LOOP], claimed)
    assert all((kept[name] == claimed[name]).all() for name in kept)


def test_a_function_that_is_not_ours_is_compared_by_its_numbers_alone():
    p = np.random.default_rng(0).standard_normal((30, 30))
    (found,) = diagnose("transformer_backward", {}, {"dW": 3 * p}, {"dW": p})
    assert found.words == "dW: it is the right one times 3"
    columns = np.concatenate((2 * p[:, :10], p[:, 10:]), axis=1)
    assert diagnose("transformer_backward", {}, {"dW": columns}, {"dW": p}) == []  # no word about gates


def test_the_gates_order_is_named_with_who_uses_it():
    case = case_of("lstm_forward", inputs_of("lstm_forward"))
    change = ("lstm_step", "a_i, a_f, a_o, a_c = gates", "a_i, a_f, a_c, a_o = gates")
    made = named(case, faulty_function("lstm_forward", (change,))(**case.arguments))
    assert "in the order i, f, c̃, o (PyTorch's" in diagnose_case(case, {"h": made["h"]})[0].words


@pytest.mark.parametrize(
    ("formula", "words"),
    [
        (lambda f, x, e, up, down: (up - f()) / e, "forward difference, with ε of about 1e-05"),
        (lambda f, x, e, up, down: (up - down) / e, "it is 2 times the derivative"),
        (lambda f, x, e, up, down: (down - up) / (2 * e), "it is -1 times the derivative"),
        (lambda f, x, e, up, down: (up - down) / 2 * e, "by 2 * ε"),
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


def test_the_measurement_begins_with_right_gradients_of_every_function():
    for changed, function in diagnose_mutants.levels():
        diagnose_mutants.prepared(function)
        assert diagnose_mutants.mutants_of(changed)


def test_the_measurement_finds_every_mutant_of_a_small_function():
    case, problem = diagnose_mutants.prepared("affine_backward")
    mutants = diagnose_mutants.mutants_of("affine_backward")
    outcomes = [diagnose_mutants.measure(mutant, "affine_backward", case, problem) for mutant in mutants]
    assert len({mutant.source for mutant in mutants}) == len(mutants) > 15
    changed = [outcome for outcome in outcomes if outcome.changed]
    assert all(outcome.detected for outcome in changed)
    assert sum(outcome.first[0] for outcome in changed) >= 0.8 * len(changed)
    assert [outcome for outcome in outcomes if not outcome.changed]  # dy for dy_rows: the same rows
