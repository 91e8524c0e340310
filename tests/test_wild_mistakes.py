"""Mistakes met in published backward passes, each in code of several conventions: detected, and named at once.

Each row: a file of tests/foreign/, the function, a right piece, the wrong one, and a pattern of the first sentence.
"""

# ruff: noqa: E501 - pieces of code and patterns, a line each

import re

import pytest
from foreign_code import SOURCES, changed

from numpylm.tutor.report import report

CARRIED = "nothing is carried|never carried"
ZERO = "the loss does not depend on it"
MISTAKES = [
    ("cs231n", "lstm_step_backward", "dnext_c * prev_c * f * (1 - f)", "dnext_c * prev_c * sigmoid(f)", "da_f"),
    ("lstm_loss", "lossFun", "cs[t - 1] * fs[t] * (1 - fs[t])", "cs[t - 1] * sigma(fs[t])", "da_f"),
    ("cs231n", "lstm_step_backward", "prev_c * f * (1 - f)", "prev_c * sigmoid(f) * (1 - sigmoid(f))", "second time"),
    ("coursera", "lstm_cell_backward", "it * (1 - cct ** 2)", "it * (1 - np.tanh(cct) ** 2)", "second time"),
    ("updates", "Regressor.backward", "(1 - hs[t] ** 2)", "(1 - np.tanh(hs[t]) ** 2)", "second time"),
    ("cs231n", "lstm_step_backward", "g * i * (1 - i), dnext_c * prev_c * f * (1 - f)", "g, dnext_c * prev_c", "missing"),
    ("coursera", "lstm_cell_backward", "dit = dc * cct * it * (1 - it)", "dit = dc * cct", "derivative is missing"),
    ("min_char_rnn", "lossFun", "(1 - hs[t] * hs[t]) * dh", "dh", "derivative is missing"),
    ("lstm_loss", "lossFun", "gi[t] * (1 - gi[t])", "gi[t] * 1 - gi[t]", "summand|bracket|i_t"),
    ("min_char_rnn", "lossFun", "(1 - hs[t] * hs[t]) * dh", "(1 - hs[t] * hs[t]) * np.dot(Why.T, dy) + dhnext", "bracket"),
    ("cs231n", "lstm_step_backward", "dprev_c = dnext_c * f\n", "dprev_c = dnext_c\n", "f_t is left out"),
    ("lstm_cell", "Cell.backward_step", "dc_prev = dz[:self.H], dc * f", "dc_prev = dz[:self.H], dc", "f_t is left out"),
    ("lstm_dict", "lstm_backward", "dc_next = dc * f", "dc_next = dc", "f_t is left out"),
    ("cs231n", "lstm_step_backward", "o * (1 - t ** 2)", "o * (1 - next_c ** 2)", "c_t"),
    ("coursera", "lstm_cell_backward", "dot = da_next * np.tanh(c_next)", "dot = da_next * a_next", r"h_t stands where tanh\(c_t\)"),
    ("lstm_loss", "lossFun", "do = dh * tc", "do = dh * hs[t]", r"h_t stands where tanh\(c_t\)"),
    ("globals", "forward_backward", "dC * C_prev * f * (1 - f)", "dC * C * f * (1 - f)", "c_t stands where c_{t-1}"),
    ("cs231n", "lstm_backward", "(dh[:, t] + dprev_h, dprev_c,", "(dh[:, t], 0 * dprev_c,", CARRIED),
    ("min_char_rnn", "lossFun", " + dhnext", "", CARRIED),
    ("cs231n", "lstm_backward", "dprev_h, dprev_c, cache[t])", "dprev_h, 0 * dprev_c, cache[t])", "dc_next. is left out"),
    ("lstm_loss", "lossFun", "dc = dcnext + dh", "dc = dh", "dc_next. is left out"),
    ("cs231n", "rnn_step_backward", "dprev_h = da.dot(Wh.T)", "dprev_h = da", "W_hhᵀ is missing"),
    ("min_char_rnn", "lossFun", "np.dot(Whh.T, dhraw)", "dhraw", "W_hhᵀ is missing"),
    ("cs231n", "rnn_step_backward", "dprev_h = da.dot(Wh.T)", "dprev_h = da.dot(Wh)", "transpose"),
    ("min_char_rnn", "lossFun", "np.dot(Whh.T, dhraw)", "np.dot(Whh, dhraw)", "transpose"),
    ("bptt", "Net.bptt", "self.W.T.dot(delta)", "self.W.dot(delta)", "transpose"),
    ("cs231n", "rnn_backward", "for t in reversed(range(T))", "for t in reversed(range(T - 1))", "[Ll]ast|last step"),
    ("min_char_rnn", "lossFun", "reversed(xrange(len(inputs)))", "reversed(xrange(len(inputs) - 1))", "last step is skipped"),
    ("coursera", "rnn_backward", "reversed(range(T_x))", "reversed(range(1, T_x))", "t = 0|first"),
    ("lstm_loss", "lossFun", "reversed(range(len(inputs)))", "reversed(range(1, len(inputs)))", "first step is skipped"),
    ("cs231n", "rnn_step_backward", "prev_h.T.dot(da)", "next_h.T.dot(da)", "paired with h_t where h_{t-1}"),
    ("min_char_rnn", "lossFun", "hs[t-1].T)", "hs[t].T)", "paired with h_t where h_{t-1}"),
    ("bptt", "Net.bptt", "np.zeros((len(x) + 1,", "np.zeros((len(x),", "wraps round"),
    ("min_char_rnn", "lossFun", "hs[t-1].T)", "hs[t-1 if t else len(inputs)-1].T)", "wraps round"),
    ("coursera", "lstm_cell_backward", "dbi = dit.sum", "dbi = dft.sum", "dbi equals dbf"),
    ("lstm_loss", "lossFun", "dbi += di\n", "dbi += df\n", "dbi equals dbf"),
    ("cs231n", "rnn_backward", "dWx += a", "dWx = a", "overwritten"),
    ("lstm_loss", "lossFun", "dWf += df", "dWf = df", "overwritten"),
    ("min_char_rnn", "lossFun", "dWxh += np", "if t == len(inputs) - 1: dWxh = np", "only the last step|last time step"),
    ("cs231n", "rnn_backward", "dWx += a", "dWx = a if t == T - 1 else dWx", "only the last step|last time step"),
    ("cs231n", "rnn_step_backward", "dnext_h * (1 -", "dnext_h * next_h * (1 - next_h) * (1 -", "does not belong there"),
    ("min_char_rnn", "lossFun", "dh = np.dot(Why.T, dy) + dhnext", "dh = (np.dot(Why.T, dy) + dhnext) * hs[t] * (1 - hs[t])",
     r"h_t \(1 - h_t\)"),
    ("cs231n", "rnn_step_backward", "dnext_h * (1 - next_h ** 2)", "dnext_h / (1 - next_h ** 2)", "divided"),
    ("tuple", "rnn_backward", "(1 - hs[t + 1] ** 2) * (Why.T @ dy + dh)", "(Why.T @ dy + dh) / (1 - hs[t + 1] ** 2)", "divided"),
    ("classes", "RNN.backward", "dh_next * (1 - h_next ** 2)", "dh_next * (1 - h_next)", "with the square"),
    ("min_char_rnn", "lossFun", "dy = np.copy(ps[t])\n    dy[targets[t]]", "dy = np.copy(ps[len(ps) - 1])\n    dy[targets[-1]]",
     "added at every t"),
    ("bptt", "Net.bptt", "delta_o[np.arange(len(y)), y] -= 1", "delta_o[np.arange(len(y)), y] -= 1; delta_o[:] = delta_o[-1]",
     "added at every t"),
    ("min_char_rnn", "lossFun", "return loss, dWxh", "return loss / vocab_size, dWxh", "times 6, which is V"),
    ("lstm_loss", "lossFun", "return loss, dWf", "return loss / len(inputs), dWf", "times 4, which is T"),
    ("min_char_rnn", "lossFun", "dy[targets[t]] -= 1", "dy[targets[t]] -= 1; dy /= vocab_size", "1/V"),
    ("cs231n", "rnn_backward", "return dx, dprev, dWx", "dWx = np.clip(dWx, -0.1, 0.1)\n    return dx, dprev, dWx", "clipped"),
    ("classes", "RNN.backward", "x.T @ dt", "np.clip(x.T @ dt, -0.1, 0.1)", "clipped"),
    ("classes", "RNN.backward", "x.T @ dt", "np.clip(x.T @ dt, -90, 90)", "not linear in dh_next"),
    ("bptt", "Net.bptt", "max(0, t - self.bptt_truncate)", "max(0, t - 1)", "2 steps"),
    ("min_char_rnn", "lossFun", "dhnext = np.dot(Whh.T, dhraw)", "dhnext = np.dot(Whh.T, dhraw) * (t != len(inputs) - 2)", "dh_next"),
    ("cs231n", "rnn_step_backward", "prev_h.dot(Wh) + b)", "prev_h.dot(np.eye(len(Wh))) + b)", f"Wh.*{ZERO}"),
    ("coursera", "lstm_cell_backward", "ft = sigmoid(Wf @", "ft = sigmoid(Wi @", f"Wf.*{ZERO}"),
    ("min_char_rnn", "lossFun", "np.dot(Whh, hs[t-1]) + bh)", "np.dot(Whh, hs[t-1]))", "dbh"),
    ("coursera", "rnn_cell_backward", "np.dot(Waa, a_prev) + ba)", "np.dot(Waa, a_prev))", "dba"),
    ("min_char_rnn", "lossFun", "    dy[targets[t]] -= 1\n", "", "not subtracted"),
    ("min_char_rnn", "lossFun", "    dy[targets[t]] -= 1\n", "    dy *= 1 - dy\n", "off-diagonal"),
    ("bptt", "Net.bptt", "delta_o[np.arange(len(y)), y] -= 1", "delta_o *= 1 - delta_o", "off-diagonal"),
    ("cs231n", "rnn_backward", "dWh += b; db += c", "dWh += b; db += c\n        break", "only one step was gone through|only the last step"),
    ("lstm_loss", "lossFun", "dcnext = fs[t] * dc", "dcnext = fs[t] * dc\n        break", "only the last step's loss"),
    ("cs231n", "rnn_step_backward", "db = da.sum(axis=0)", "db = da.mean(axis=0)", "db.*1/N"),
    ("classes", "LSTM.backward", "dA.sum(axis=0)", "dA[-1]", "last row"),
    ("cs231n", "rnn_step_backward", "(1 - next_h ** 2)", "(1 - next_h ** 2) ** 2", "is applied twice"),
    ("min_char_rnn", "lossFun", "(1 - hs[t] * hs[t]) * dh", "(1 - hs[t] * hs[t]) ** 2 * dh", "is applied twice"),
    ("cs231n", "rnn_backward", "dh[:, t] + dprev,", "dh[:, -1] + dprev,", "the gradient of the last output, h_T"),
    ("cs231n", "rnn_backward", "return dx, dprev, dWx", "return 0 * dx, dprev, dWx", "dx: it is zero everywhere"),
    ("cs231n", "rnn_backward", "return dx, dprev, dWx, dWh, db", "return dx / N, dprev / N, dWx / N, dWh / N, db / N", "1/N"),
    ("cs231n", "lstm_step_backward", "i * (1 - g ** 2)", "i * g * (1 - g)", "the derivative is that of σ"),
    ("classes", "LSTM.backward", "dg = ds * i * (1 - g ** 2)", "dg = ds * i * g * (1 - g)", "the derivative is that of σ"),
    ("cs231n", "lstm_step_backward", "prev_c * f * (1 - f)", "prev_c * f", "f_t itself stands where"),
    ("cs231n", "lstm_step_backward", "prev_c * f * (1 - f)", "prev_c * (1 - 2 * f)", "1 - 2 f_t stands where"),
    ("coursera", "lstm_cell_backward", "it * (1 - cct ** 2)", "it * (1 - 2 * cct)", "1 - 2 c̃_t stands where"),
    ("cs231n", "lstm_step_backward", "dnext_c += dnext_h * o * (1 - t ** 2)", "dnext_c = (dnext_c + dnext_h * o) * (1 - t ** 2)",
     "dc_next is multiplied by the derivative of tanh too"),
    ("lstm_loss", "lossFun", "dc = dcnext + dh * go[t] * (1 - tc * tc)", "dc = (dcnext + dh * go[t]) * (1 - tc * tc)",
     "dc_next is multiplied by the derivative of tanh too"),
    ("cs231n", "lstm_step_backward", "dnext_h * t * o * (1 - o)", "dnext_h * next_c * o * (1 - o)", "not o_t ⊙ c_t"),
    ("cs231n", "lstm_step_backward", "dnext_h * t * o * (1 - o), dnext_c * i * (1 - g ** 2)",
     "dnext_c * i * (1 - g ** 2), dnext_h * t * o * (1 - o)", "i, f, c̃, o"),
    ("coursera", "lstm_cell_backward", "dc_prev = dc * ft", "dc_prev = dc_next * ft", "only dc_next goes on"),
    ("packed", "LSTM.backward", "(1 - np.tanh(c) ** 2)", "(1 - c ** 2)", "c_t"),
    ("gru", "GRU.backward", "dr = drh * h_prev * r", "dr = drh * r", "the factor h_{t-1} is left out"),
    ("gru_loss", "gru_loss", "dz = dh * (h[t - 1] - n[t])", "dz = dh * (h[t] - n[t])", r"dz_t is likely wrong; it seems to be dh_t ⊙ \(h_t - n_t\)"),
    ("gru_loss", "gru_loss", "dh_next = dh * z[t] + drh", "dh_next = drh", "also goes straight into h_t"),
    ("gru_outputs", "GRU.backward", " + drh * r", "", "the path from h_{t-1} through the candidate n_t is left out"),
    ("gru_outputs", "GRU.backward", "dh * (h - n)", "dh * (n - h)", "dz_t: the difference of h_{t-1} and the candidate n_t has the wrong sign"),
    ("gru_targets", "gru_backward", '+ dgated[:H] * k["r"]', "+ dgated[:H]", "the factor r_t is left out"),
    ("held", "Memory.backward", "dc * c_prev * f * (1 - f)", "dc * c_prev * f", "f_t itself stands where"),
    ("embedding", "backward", "dWhh += da @ hs[t - 1].T", "dWhh += da @ hs[t].T", "dWhh"),
    ("nodes", "Node.top_diff_is", "df = self.i * ds", "df = ds", "of the gates, only c"),
    ("tuple", "rnn_backward", "Whh.T @ da", "Whh @ da", "transpose"),
    ("records", "Net.loss_function", "+ dh)", ")", CARRIED),
    ("loss_method", "Session.lossFun", "hs[t - 1].T; dbh", "hs[t].T; dbh", "paired with h_t where h_{t-1}"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "function", "right", "wrong", "words"), MISTAKES)
def test_a_mistake_is_found_and_named_in_the_first_sentence(check, name, function, right, wrong, words):
    result = check(name, right, wrong)
    finding = result.findings[function]
    assert finding["status"] == "wrong" and not result.ok, report(result)
    first = [*finding["sentences"], *finding.get("diagnosis", [])][0]
    assert re.search(words, first), first


def test_s_beside_h_is_the_state_c_of_an_lstm(check):
    source = changed(
        SOURCES["nodes"], ("self.state.h = self.state.s", "self.state.h = np.tanh(self.state.s)"),
        ("self.state.s * top_diff_h", "np.tanh(self.state.s) * top_diff_h"),
        ("self.o * top_diff_h", "self.o * top_diff_h * (1 - np.tanh(self.state.s) ** 2)"),
        ("x, s_prev, h_prev):", "x, s_prev=None, h_prev=None):"),
    )  # fmt: skip
    result = check(source)
    assert result.ok and result.findings["Node.bottom_data_is"]["status"] == "ok", report(result)
    finding = check(source, "self.s_prev * ds", "self.state.s * ds").findings["Node.top_diff_is"]
    assert finding["status"] == "wrong" and "df" in finding["diagnosis"][0], finding
