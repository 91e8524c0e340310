"""Mistakes met in published backward passes, each written into a plain backward of our own naming: detected and named.

Those that test_wrong_gradients.py has are not repeated. The two sources below are written for this test, as a student
writes them, step by step; nothing of the package's own backward is in them. Each mistake is one change of a source,
with what the first sentence must say.
"""

from functools import cache

import numpy as np
import pytest
from mutant_problems import inputs_of

from numpylm.tutor.case import case_of
from numpylm.tutor.diagnose import diagnose_case
from numpylm.tutor.suspects import right_run

RNN = """
def backward(x, h, W_xh, W_hh, dh, dh_T):
    dW_xh, dW_hh, db_h, dx = np.zeros_like(W_xh), np.zeros_like(W_hh), np.zeros(len(W_hh)), np.zeros_like(x)
    dh_next, T = dh_T, len(dh)
    for t in reversed(range(T)):
        dh_t = dh[t] + dh_next
        da_t = dh_t * (1 - h[t] ** 2)
        dW_xh += x[t].T @ da_t
        dW_hh += h[t - 1].T @ da_t
        db_h += da_t.sum(axis=0)
        dx[t] = da_t @ W_xh.T
        dh_next = da_t @ W_hh.T
    return dict(dx=dx, dW_xh=dW_xh, dW_hh=dW_hh, db_h=db_h, dh_0=dh_next)
"""
LSTM = """
def backward(x, h, c, gates, W_x, W_h, dh, dh_T, dc_T):
    dW_x, dW_h, db, dx = np.zeros_like(W_x), np.zeros_like(W_h), np.zeros(W_h.shape[1]), np.zeros_like(x)
    dh_next, dc_next, T, H = dh_T, dc_T, len(dh), len(W_h)
    for t in reversed(range(T)):
        i, f, o, g = gates[t]
        tc = np.tanh(c[t])
        dh_t = dh[t] + dh_next
        do = dh_t * tc
        dc = dc_next + dh_t * o * (1 - tc ** 2)
        da_i = dc * g * i * (1 - i)
        da_f = dc * c[t - 1] * f * (1 - f)
        da_o = do * o * (1 - o)
        da_c = dc * i * (1 - g ** 2)
        da = np.concatenate((da_i, da_f, da_o, da_c), axis=1)
        dW_x += x[t].T @ da
        dW_h += h[t - 1].T @ da
        db += da.sum(axis=0)
        dx[t] = da @ W_x.T
        dh_next = da @ W_h.T
        dc_next = dc * f
    return dict(dx=dx, dW_x=dW_x, dW_h=dW_h, db=db, dh_0=dh_next, dc_0=dc_next)
"""


def sigmoid(a):
    return 1 / (1 + np.exp(-a))


class States(list):
    """The states h_1 … h_T by their index, and h_0 at -1, as in a dict of states; wraps makes h[-1] the last one."""

    def __init__(self, first, states, wraps=False):
        super().__init__(states)
        self.first = states[-1] if wraps else first

    def __getitem__(self, t):
        return self.first if isinstance(t, int) and t == -1 else super().__getitem__(t)


@cache
def problem_of(cell):
    inputs = inputs_of(f"{cell}_backward", masked=False, sizes=(5, 3, 4, 6))
    return inputs, case_of(f"{cell}_backward", inputs)


def claims_of(cell, source, wraps=False):
    """(case, what a source of a backward returns): on weights of order one, no mask, sizes that all differ."""
    inputs, case = problem_of(cell)
    steps, names = case.arguments["trace"].steps, {"np": np, "sigmoid": sigmoid}
    given = {name: inputs[name] for name in ("x", "W_xh", "W_hh", "W_x", "W_h", "dh", "dh_T", "dc_T") if name in inputs}
    given["h"] = States(inputs["h_0"], [step.h_t for step in steps], wraps)
    if cell == "lstm":
        given["c"] = States(inputs["c_0"], [step.c_t for step in steps])
        given["gates"] = [(step.i_t, step.f_t, step.o_t, step.c_tilde_t) for step in steps]
    exec(source, names)
    return case, names["backward"](**given)


def first_sentence(cell, changes, wraps=False):
    source = {"rnn": RNN, "lstm": LSTM}[cell]
    for right, wrong in changes:
        assert source.count(right) == 1, right
        source = source.replace(right, wrong)
    case, claims = claims_of(cell, source, wraps)
    found = diagnose_case(case, claims, sizes={"V": 11})
    assert found, "not detected"
    return found[0].words


@pytest.mark.parametrize(("cell", "source"), [("rnn", RNN), ("lstm", LSTM)])
def test_the_plain_backward_is_right(cell, source):
    case, claims = claims_of(cell, source)
    assert diagnose_case(case, claims) == []
    for name, q in claims.items():
        np.testing.assert_allclose(q, right_run(case).results[name], rtol=1e-9, atol=1e-11)


def scaled(number):
    """The change that divides every gradient of the RNN by a number."""
    result = RNN.partition("return ")[2].strip()
    return result, f"{{k: q / {number} for k, q in {result}.items()}}"


RNN_MISTAKES = [
    ("dh_next is never carried", [("dh[t] + dh_next", "dh[t]")], ["dh_t", "nothing is carried"]),
    ("no W_hhᵀ", [("dh_next = da_t @ W_hh.T", "dh_next = da_t")], ["dh_next", "da_t itself", "W_hhᵀ is missing"]),
    ("last step skipped", [("range(T))", "range(T - 1))")], ["the last step is skipped"]),
    ("first step skipped", [("range(T))", "range(1, T))")], ["the first step, t = 0, is skipped"]),
    ("last step's dW_xh", [("dW_xh += ", "if t == T - 1: dW_xh = ")], ["dW_xh", "last time step's gradient alone"]),
    ("a mean over time", [("return dict", "dW_hh /= T; return dict")], ["dW_hh", "1/T (T = 5)"]),
    ("derivative missing", [("dh_t * (1 - h[t] ** 2)", "dh_t")], ["da_t", "the activation's derivative is missing"]),
    ("derivative twice", [("(1 - h[t] ** 2)", "(1 - h[t] ** 2) ** 2")], ["da_t", "is applied twice"]),
    ("tanh twice", [("h[t] ** 2", "np.tanh(h[t]) ** 2")], ["da_t", "tanh was applied a second time"]),
    ("divided", [("dh_t * (1 - h[t] ** 2)", "dh_t / (1 - h[t] ** 2)")], ["da_t", "divided by", "1 - h_t²"]),
    ("no square", [("(1 - h[t] ** 2)", "(1 - h[t])")], ["da_t", "with the square"]),
    ("bracket, dh_next", [("dh_t * (1 - h[t] ** 2)", "dh[t] * (1 - h[t] ** 2) + dh_next")],
     ["bracket", "the other summand, dh_next, is not"]),
    ("bracket, dh[t]", [("dh_t * (1 - h[t] ** 2)", "dh[t] + dh_next * (1 - h[t] ** 2)")],
     ["bracket", "the other summand, dh[t], is not"]),
    ("extra h (1 - h)", [("dh[t] + dh_next", "(dh[t] + dh_next) * h[t] * (1 - h[t])")],
     ["dh_t", "multiplied by h_t (1 - h_t)"]),
    ("h_T's at every t", [("dh[t] + dh_next", "dh[T - 1] + dh_next")], ["the gradient of the last output, h_T"]),
    ("dh_T at every t", [("dh[t] + dh_next", "dh[t] + dh_next + (dh_T if t < T - 1 else 0)")],
     ["the gradient of the last state, h_T, is added at every t"]),
    ("return in the loop", [("        dh_next = da_t @ W_hh.T\n", "        dh_next = da_t @ W_hh.T\n        break\n")],
     ["only one step was gone through", "inside the loop"]),
    ("stops after 2", [("range(T))", "range(T - 2, T))")], ["stops after 2 steps"]),
    ("mean over N", [scaled(3)],
     ["all gradients", "1/N (N = 3)", "averaged"]),
    ("mean over V", [scaled(11)],
     ["all gradients", "1/V (V = 11)", "averaged"]),
    ("clipped entries", [("return dict", "dW_hh = np.clip(dW_hh, -1, 1); return dict")],
     ["dW_hh", "every entry clipped to ±1"]),
    ("zero", [("dx=dx", "dx=0 * dx")], ["dx: it is zero everywhere"]),
    ("bias", [("da_t.sum(axis=0)", "da_t.mean(axis=0)")], ["db_h", "1/N (N = 3)"]),
]  # fmt: skip


@pytest.mark.parametrize(("changes", "words"), [row[1:] for row in RNN_MISTAKES], ids=[row[0] for row in RNN_MISTAKES])
def test_a_mistake_in_an_rnn_is_named_in_the_first_sentence(changes, words):
    said = first_sentence("rnn", changes)
    assert all(word in said for word in words), said


def test_an_index_that_wraps_round_is_named():
    said = first_sentence("rnn", [], wraps=True)
    assert "dW_hh" in said and "h[-1] wraps round at t = 0" in said


SIGMAS = [("i * (1 - i)", "sigmoid(i)"), ("f * (1 - f)", "sigmoid(f)"), ("o * (1 - o)", "sigmoid(o)")]
LSTM_MISTAKES = [
    ("σ(f) for σ'", [SIGMAS[1]], ["da_f", "(4)", "σ was applied to f_t; its derivative f_t (1 - f_t) belongs there"]),
    ("σ for σ' everywhere", SIGMAS, ["da_o, da_f, da_i", "the activation was applied to the gates"]),
    ("applied again", [*[(f"{q} * (1 - {q})", f"sigmoid({q}) * (1 - sigmoid({q}))") for q in "ifo"],
                       ("(1 - g ** 2)", "(1 - np.tanh(g) ** 2)")],
     ["da_c, da_o, da_f, da_i", "applied a second time"]),
    ("no derivatives", [(" * i * (1 - i)", ""), (" * f * (1 - f)", ""), (" * (1 - g ** 2)", "")],
     ["da_c, da_f, da_i", "the activation's derivative is missing"]),
    ("σ' for tanh'", [("(1 - g ** 2)", "g * (1 - g)")], ["da_c", "the derivative is that of σ"]),
    ("σ' lost in part", [("f * (1 - f)", "f")], ["da_f", "f_t itself stands where"]),
    ("bracket", [("dc_next + dh_t * o * (1 - tc ** 2)", "(dc_next + dh_t * o) * (1 - tc ** 2)")],
     ["dc_t", "dc_next is multiplied by the derivative of tanh too"]),
    ("no dc_next", [("dc = dc_next + dh_t", "dc = dh_t")], ["dc_next", "left out"]),
    ("c_{t-1} for c_t", [("tc = np.tanh(c[t])", "tc = np.tanh(c[t])\n        tp = np.tanh(c[t - 1])"),
                         ("(1 - tc ** 2)", "(1 - tp ** 2)")], ["dc_t", "c_{t-1} stands where c_t belongs"]),
    ("h for tanh(c)", [("do = dh_t * tc", "do = dh_t * h[t]")], ["do_t", "h_t stands where tanh(c_t) belongs"]),
    ("c for tanh(c)", [("do = dh_t * tc", "do = dh_t * c[t]")], ["do_t", "not o_t ⊙ c_t"]),
    ("i copied from f", [("da.sum(axis=0)", "np.concatenate((da_f, da_f, da_o, da_c), axis=1).sum(axis=0)")],
     ["db", "that of i equals that of f: the same array is returned for both"]),
    ("order", [("(da_i, da_f, da_o, da_c)", "(da_i, da_f, da_c, da_o)")], ["da_t", "i, f, c̃, o; ours is i, f, o, c̃"]),
    ("dW_x of the last step", [("dW_x += ", "if t == T - 1: dW_x = ")], ["dW_x", "last time step's gradient alone"]),
    ("last step skipped", [("range(T))", "range(T - 1))")], ["the last step is skipped"]),
    ("extra h (1 - h)", [("dh[t] + dh_next", "(dh[t] + dh_next) * h[t] * (1 - h[t])")],
     ["dh_t", "multiplied by h_t (1 - h_t)"]),
    ("divided", [("* f * (1 - f)", "/ (f * (1 - f))")], ["da_f", "divided by the activation's derivative"]),
]  # fmt: skip


@pytest.mark.parametrize(
    ("changes", "words"), [row[1:] for row in LSTM_MISTAKES], ids=[row[0] for row in LSTM_MISTAKES]
)
def test_a_mistake_in_an_lstm_is_named_in_the_first_sentence(changes, words):
    said = first_sentence("lstm", changes)
    assert all(word in said for word in words), said


def test_truncation_from_every_output_is_named():
    """Each output's gradient goes back over two steps, as in a truncated backward that loops over the outputs."""
    case, _ = claims_of("rnn", RNN)
    total = None
    for t in range(5):
        source = RNN.replace("reversed(range(T))", f"range({t}, max({t - 2}, -1), -1)")
        source = source.replace("dh[t] + dh_next", f"dh[t] * (t == {t}) + dh_next * (t < {t} or t == T - 1)")
        claims = claims_of("rnn", source)[1]
        del claims["dh_0"]
        total = claims if total is None else {name: total[name] + q for name, q in claims.items()}
    found = diagnose_case(case, total)
    assert "goes back over 2 steps only" in found[0].words
