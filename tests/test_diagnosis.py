"""What the diagnosis says of known mistakes, of mistakes it has never seen, and of right gradients."""

import importlib.util
from pathlib import Path

import numpy as np
import pytest

from numpylm.lstm import lstm_cell
from numpylm.tutor.diagnose import diagnose, findings
from numpylm.tutor.mistakes import MODULES, Mistake, faulty_function, named_gradients
from numpylm.tutor.mistakes_library import MISTAKES, SAME, mistakes_in
from numpylm.tutor.sentences import numbered
from numpylm.tutor.standard_inputs import standard_inputs
from numpylm.tutor.suspects import LARGEST
from numpylm.tutor.wiretap import Wiretap

FINAL = ("da_t", "dhW_t", "dh_prev", "dc_prev")


def inputs_of(function):
    return standard_inputs(function, np.random.default_rng(0))


def claim_of(function, correct, faulty, inside=None, inputs=None):
    """What a function returns with one line replaced."""
    changed = Mistake(inside or function, correct, faulty, "", "", "")
    return named_gradients(faulty_function(changed, function)(**(inputs or inputs_of(function))), function)


def final(claimed):
    return {name: array for name, array in claimed.items() if name in FINAL}


@pytest.mark.parametrize("function", MODULES)
def test_right_gradients_get_no_diagnosis(function):
    inputs = inputs_of(function)
    assert diagnose(function, inputs, getattr(MODULES[function], function)(**inputs)) == []


@pytest.mark.parametrize("function", MODULES)
def test_every_mistake_of_the_library_is_recognized(function):
    inputs = inputs_of(function)
    run = Wiretap(function, inputs)
    for mistake in mistakes_in(function):
        if mistake.function != function:
            continue
        with np.errstate(all="ignore"):
            claimed = named_gradients(faulty_function(mistake, function)(**inputs), function)
        found = findings(function, inputs, claimed, run)
        alike = [mistake, *[inner for inner, loop in SAME if loop is mistake]]
        if all(claimed[name].shape == run.truth[name].shape for name in claimed):
            given = {name: array for name, array in claimed.items() if "step" not in function or name in FINAL}
            said = findings(function, inputs, given, run)[0].sentence
            assert any(one.why in said for one in alike) and numbered(mistake.equation)[1:] in said, mistake
        assert found[0].quantity in [one.quantity for one in alike] or "step" in function, mistake


def test_the_sentence_has_equation_line_formula_and_why():
    claimed = claim_of("lstm_step_backward", "dc_prev = dc_t * step.f_t", "dc_prev = dc_t")
    said = diagnose("lstm_step_backward", inputs_of("lstm_step_backward"), final(claimed))[0]
    for words in ("Equation (7)", "dc_prev", "f_t is left out", "`dc_prev = dc_t`", "`dc_prev = dc_t * step.f_t`"):
        assert words in said


def test_the_first_wrong_intermediate_is_named_with_what_is_right_before_it():
    claimed = claim_of("lstm_step_backward", "df_t = dc_t * step.c_prev", "df_t = dc_t * step.o_t")
    said = diagnose("lstm_step_backward", inputs_of("lstm_step_backward"), claimed)[0]
    assert said.startswith("dc_t is right, df_t is wrong: look at equation (7)")
    assert "df_t = dc_t * step.c_prev" in said


def test_from_final_gradients_alone_an_unknown_mistake_is_put_into_a_formula():
    claimed = final(claim_of("lstm_step_backward", "df_t = dc_t * step.c_prev", "df_t = dc_t * step.o_t"))
    said = diagnose("lstm_step_backward", inputs_of("lstm_step_backward"), claimed)[0]
    assert said.startswith("df_t is likely wrong, equation (7)")
    assert "it seems to be dc_t ⊙ o_t" in said


@pytest.mark.parametrize(
    ("function", "inside", "correct", "faulty", "quantity"),
    [
        ("lstm_backward", "lstm_step_backward", "df_t = dc_t * step.c_prev", "df_t = dc_t * step.o_t", "df_t"),
        ("lstm_backward", "lstm_step_backward", "dc_next + tanh", "2 * dc_next + tanh", "dc_t"),
        ("gru_backward", "gru_step_backward", "dn_t = dh_t * (1 - step.z_t)", "dn_t = dh_t * step.r_t", "dn_t"),
        ("gru_backward", "gru_backward", "step.h_in for", "step.n_t for", "dW_h"),
        ("rnn_backward", "rnn_step_backward", "da_t @ W_hh.T", "2 * da_t @ W_hh.T", "dh_prev"),
        ("affine_backward", "affine_backward", "dy_rows @ W.T", "-dy_rows @ W.T", "dx"),
    ],
)  # fmt: skip
def test_unknown_mistakes_inside_a_sequence_are_found(function, inside, correct, faulty, quantity):
    claimed = claim_of(function, correct, faulty, inside)
    assert findings(function, inputs_of(function), claimed)[0].quantity == quantity


@pytest.mark.parametrize(
    ("correct", "faulty", "names"),
    [  # the nearer mistake is named; of two that are as near, both are
        ("di_t = dc_t * step.c_tilde_t", "di_t = -dc_t * step.c_tilde_t", {"di_t", "da_i"}),
        ("sigmoid_backward(di_t, step.i_t)", "-sigmoid_backward(di_t, step.i_t)", {"di_t", "da_i"}),
        ("sigmoid_backward(df_t, step.f_t)", "sigmoid_backward(dc_t, step.f_t)", {"df_t", "da_f"}),
        ("sigmoid_backward(df_t, step.f_t)", "sigmoid_backward(dc_next, step.f_t)", {"da_f"}),
        ("df_t = dc_t * step.c_prev", "df_t = dc_next * step.c_prev", {"df_t"}),
        ("tanh_backward(dc_tilde_t, step.c_tilde_t)", "tanh_backward(dc_tilde_t, step.o_t)", {"da_c"}),
    ],
)
def test_one_sentence_names_both_lines_where_no_gradient_tells_them_apart(correct, faulty, names):
    inputs = inputs_of("lstm_step_backward")
    found = findings("lstm_step_backward", inputs, final(claim_of("lstm_step_backward", correct, faulty)))
    assert {found[0].quantity, *found[0].tied[:1]} == names
    assert all(name in found[0].sentence for name in names)
    assert ("these gradients cannot tell which" in found[0].sentence) == (len(names) == 2)


def test_lines_that_are_said_to_be_tied_give_the_same_gradients():
    """A wrong sign in either: the same claim, and the same sentence."""
    inputs = inputs_of("lstm_step_backward")
    one = final(claim_of("lstm_step_backward", "di_t = dc_t * step.c_tilde_t", "di_t = -dc_t * step.c_tilde_t"))
    other = claim_of("lstm_step_backward", "sigmoid_backward(di_t, step.i_t)", "-sigmoid_backward(di_t, step.i_t)")
    assert all((one[name] == other[name]).all() for name in one)
    said = diagnose("lstm_step_backward", inputs, one)[0]
    assert "equation (7)" in said and "equation (3)" in said and said.count("the sign is wrong") == 2


@pytest.mark.parametrize(
    ("function", "inside", "correct", "faulty", "formula"),
    [
        ("gru_step_backward", None, "drop(dh_in, recurrent_dropout)", "drop(dn_t, recurrent_dropout)",
         "dh_prev is likely wrong", ),
        ("lstm_backward", "lstm_backward", "drop(gradients.dh_prev, ", "drop(gradients.do_t, ",
         "dh_next is likely wrong"),
        ("rnn_backward", "rnn_backward", "dh[t] + dh_next", "dh[t] - dh_next", "it seems to be dh[t] - dh_next"),
        ("gru_step_backward", None, "dh_t * (step.h_prev - step.n_t)", "dh_t + (step.h_prev - step.n_t)",
         "dh_t + (h_prev - n_t): a sum where a product belongs"),
    ],
)  # fmt: skip
def test_a_sum_is_read_with_what_dropout_or_a_difference_makes_of_it(function, inside, correct, faulty, formula):
    inputs = standard_inputs(function, np.random.default_rng(0), masked="-" not in formula)
    claimed = claim_of(function, correct, faulty, inside, inputs)
    claimed = final(claimed) if "step" in function else claimed
    assert formula in diagnose(function, inputs, claimed)[0]


def test_a_single_array_goes_by_its_name():
    inputs = inputs_of("embedding_backward")
    claimed = claim_of("embedding_backward", "dE[v] += dx_t", "dE[v] = dE[v] if dE[v].any() else dx_t")
    assert list(claimed) == ["dE"]
    for given in (claimed, claimed["dE"]):
        assert "only a token's first occurrence counts" in diagnose("embedding_backward", inputs, given)[0]


def test_a_sequences_intermediates_say_when():
    inputs = inputs_of("lstm_backward")
    run = Wiretap("lstm_backward", inputs)
    claimed = dict(run.truth)
    claimed["df_t"] = claimed["df_t"].copy()
    claimed["df_t"][:2, 0, 0] += 0.5  # the loop runs backward: t = 1 comes before t = 0
    assert "dc_t is right, df_t is wrong at t = 1" in diagnose("lstm_backward", inputs, claimed)[0]


@pytest.mark.parametrize(
    ("correct", "faulty", "formula"),
    [
        ("df_t = dc_t * step.c_prev", "df_t = step.c_prev", "c_prev: no gradient is in it"),
        ("df_t = dc_t * step.c_prev", "df_t = dc_t + step.c_prev", "dc_t + c_prev: a sum where a product belongs"),
        ("dc_prev = dc_t * step.f_t", "dc_prev = dc_t * (1 - step.f_t)", "dc_t ⊙ (1 - f_t)"),
        ("dc_prev = dc_t * step.f_t", "dc_prev = 0 * dc_t", "0: nothing comes through here"),
        ("dc_prev = dc_t * step.f_t", "dc_prev = -dc_t * step.f_t", "-dc_prev: the sign is wrong"),
        ("dc_prev = dc_t * step.f_t", "dc_prev = 3 * dc_t * step.f_t", "3 dc_prev"),
        ("dc_next + tanh", "dh_t + dc_next + tanh", "dc_t + dh_t: one term too many"),
    ],
)
def test_what_was_written_is_read_back_as_a_formula(correct, faulty, formula):
    claimed = final(claim_of("lstm_step_backward", correct, faulty))
    assert f"it seems to be {formula}" in diagnose("lstm_step_backward", inputs_of("lstm_step_backward"), claimed)[0]


def test_part_of_the_gradients_is_enough():
    inputs = inputs_of("lstm_step_backward")
    claimed = claim_of("lstm_step_backward", "da_t @ W_h.T", "0.5 * da_t @ W_h.T")
    for names in (["dh_prev"], ["dh_prev", "dc_prev"], ["da_t", "dh_prev"]):
        found = findings("lstm_step_backward", inputs, {name: claimed[name] for name in names})
        assert found[0].quantity == "dh_prev", found


def test_an_activation_s_mistake_is_recognized_in_all_gates_at_once():
    mistake = next(m for m in MISTAKES if m.function == "sigmoid_backward" and "own output" in m.why)
    inputs = inputs_of("lstm_step_backward")
    claimed = final(named_gradients(faulty_function(mistake, "lstm_step_backward")(**inputs)))
    assert mistake.why in diagnose("lstm_step_backward", inputs, claimed)[0]


def test_two_wrong_lines_are_not_blamed_on_one_with_certainty():
    inputs = inputs_of("lstm_step_backward")
    truth = final(named_gradients(MODULES["lstm_step_backward"].lstm_step_backward(**inputs)))
    rng = np.random.default_rng(1)
    claimed = {name: array + rng.standard_normal(array.shape) for name, array in truth.items()}
    said = diagnose("lstm_step_backward", inputs, claimed)[0]
    assert "or from several" in said or "more than one line" in said


def test_a_wrong_shape_and_a_number_that_is_not_finite_are_said_first():
    inputs = inputs_of("affine_backward")
    claimed = named_gradients(MODULES["affine_backward"].affine_backward(**inputs))
    said = diagnose("affine_backward", inputs, {**claimed, "dW": claimed["dW"].T})
    assert "dW is of shape (6, 5); it should be (5, 6)" in said[0]
    spoilt = claimed["db"].copy()
    spoilt[2] = np.nan
    assert "db is nan at (2,)" in diagnose("affine_backward", inputs, {**claimed, "db": spoilt})[0]


def test_float32_claims_are_judged_coarsely():
    inputs = inputs_of("lstm_backward")
    claimed = named_gradients(MODULES["lstm_backward"].lstm_backward(**inputs))
    assert diagnose("lstm_backward", inputs, {name: q.astype(np.float32) for name, q in claimed.items()}) == []


def test_unknown_names_are_refused():
    inputs = inputs_of("lstm_step_backward")
    with pytest.raises(ValueError, match="dq"):
        diagnose("lstm_step_backward", inputs, {"dq": np.zeros(3)})
    with pytest.raises(ValueError, match="holds nothing"):
        diagnose("lstm_step_backward", inputs, {})
    with pytest.raises(ValueError, match="function must be one of"):
        diagnose("transformer_backward", inputs, {})


def test_sizes_beyond_the_limit_still_get_an_answer():
    rng, cell = np.random.default_rng(0), lstm_cell()
    T, N, D, H = 12, 6, 7, 20
    assert T * N * H > LARGEST
    p = cell.Parameters(*[rng.standard_normal(shape) for shape in cell.shapes(D, H).values()])
    state, dstate = (cell.State(*rng.standard_normal((2, N, H))) for _ in range(2))
    trace = cell.forward(p, rng.standard_normal((T, N, D)), state).trace
    inputs = {"parameters": p, "dh": rng.standard_normal((T, N, H)), "dstate_T": dstate, "trace": trace}
    claimed = claim_of("lstm_backward", "dc_prev = dc_t * step.f_t", "dc_prev = dc_t", "lstm_step_backward", inputs)
    assert "f_t is left out" in diagnose("lstm_backward", inputs, claimed)[0]
    claimed = claim_of("lstm_backward", "df_t = dc_t * step.c_prev", "df_t = dc_t", "lstm_step_backward", inputs)
    assert f"T N H up to {LARGEST}" in diagnose("lstm_backward", inputs, claimed)[0]


def test_nothing_is_changed_by_a_diagnosis():
    inputs = inputs_of("lstm_backward")
    claimed = claim_of("lstm_backward", "dc_prev = dc_t * step.f_t", "dc_prev = dc_t * step.o_t", "lstm_step_backward")
    kept = {name: array.copy() for name, array in claimed.items()}
    first = diagnose("lstm_backward", inputs, claimed)
    assert first == diagnose("lstm_backward", inputs, claimed)
    assert all((kept[name] == claimed[name]).all() for name in kept)


def test_the_measurement_finds_every_mutant_of_a_small_function():
    path = Path(__file__).resolve().parent.parent / "benchmarks" / "diagnose_mutants.py"
    spec = importlib.util.spec_from_file_location("diagnose_mutants", path)
    benchmark = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(benchmark)
    function = "affine_backward"
    problem = benchmark.problem_of(function)
    mutants = benchmark.mutants_of(function)
    outcomes = [benchmark.measure(m, function, problem, Wiretap(function, problem[0])) for m in mutants]
    assert len({mutant.source for mutant in mutants}) == len(mutants) > 15
    assert all(outcome.detected for outcome in outcomes if outcome.changed)
    assert all(outcome.first[0] for outcome in outcomes if outcome.first)
    assert [outcome for outcome in outcomes if not outcome.changed]  # dy for dy_rows: the same rows
