"""`numpylm check` on code of other conventions: right code is right, and each mistake of published code is named.

MISTAKES: convention, function, the right piece, the wrong one, and a pattern that the first sentence holds.
"""

# ruff: noqa: E501 - pieces of code and patterns, a line each

import json
import re

import pytest
from foreign_code import SOURCES
from student_files import check_here

from numpylm.commands.check import named_pair
from numpylm.tutor.checking import check_file
from numpylm.tutor.conventions import CONVENTIONS, roles_of
from numpylm.tutor.report import as_json, report

CARRIED = "nothing is carried|never carried"
ZERO = "the loss does not depend on it"
MISTAKES = [
    ("cs231n", "lstm_step_backward", "dnext_c * prev_c * f * (1 - f)", "dnext_c * prev_c * sigmoid(f)", "da_f"),
    ("coursera", "lstm_cell_backward", "c_prev * ft * (1 - ft)", "c_prev * sigmoid(ft)", "da_f"),
    ("lstm_loss", "lossFun", "cs[t - 1] * fs[t] * (1 - fs[t])", "cs[t - 1] * sigma(fs[t])", "da_f"),
    ("cs231n", "lstm_step_backward", "prev_c * f * (1 - f)", "prev_c * sigmoid(f) * (1 - sigmoid(f))", "second time"),
    ("coursera", "lstm_cell_backward", "it * (1 - cct ** 2)", "it * (1 - np.tanh(cct) ** 2)", "second time"),
    ("packed", "LSTM.backward", "dc * i * (1 - g ** 2)", "dc * i * (1 - np.tanh(g) ** 2)", "second time"),
    ("updates", "Regressor.backward", "(1 - hs[t] ** 2)", "(1 - np.tanh(hs[t]) ** 2)", "second time"),
    ("cs231n", "lstm_step_backward", "g * i * (1 - i), dnext_c * prev_c * f * (1 - f)", "g, dnext_c * prev_c", "missing"),
    ("coursera", "lstm_cell_backward", "dit = dc * cct * it * (1 - it)", "dit = dc * cct", "derivative is missing"),
    ("min_char_rnn", "lossFun", "(1 - hs[t] * hs[t]) * dh", "dh", "derivative is missing"),
    ("lstm_loss", "lossFun", "gi[t] * (1 - gi[t])", "gi[t] * 1 - gi[t]", "summand|bracket|i_t"),
    ("min_char_rnn", "lossFun", "(1 - hs[t] * hs[t]) * dh", "(1 - hs[t] * hs[t]) * np.dot(Why.T, dy) + dhnext", "bracket"),
    ("cs231n", "lstm_step_backward", "dprev_c = dnext_c * f\n", "dprev_c = dnext_c\n", "f_t is left out"),
    ("coursera", "lstm_cell_backward", "dc_prev = dc * ft", "dc_prev = dc", "f_t is left out"),
    ("lstm_cell", "Cell.backward_step", "dc_prev = dz[:self.H], dc * f", "dc_prev = dz[:self.H], dc", "f_t is left out"),
    ("lstm_dict", "lstm_backward", "dc_next = dc * f", "dc_next = dc", "f_t is left out"),
    ("classes", "LSTM.backward", "dc_prev = ds * f", "dc_prev = ds", "f_t is left out"),
    ("cs231n", "lstm_step_backward", "o * (1 - t ** 2)", "o * (1 - next_c ** 2)", "c_t"),
    ("coursera", "lstm_cell_backward", "dot = da_next * np.tanh(c_next)", "dot = da_next * a_next", r"h_t stands where tanh\(c_t\)"),
    ("lstm_loss", "lossFun", "do = dh * tc", "do = dh * hs[t]", r"h_t stands where tanh\(c_t\)"),
    ("globals", "forward_backward", "dC * C_prev * f * (1 - f)", "dC * C * f * (1 - f)", "c_t stands where c_{t-1}"),
    ("cs231n", "lstm_backward", "(dh[:, t] + dprev_h, dprev_c,", "(dh[:, t], 0 * dprev_c,", CARRIED),
    ("coursera", "rnn_backward", "da[:, :, t] + da_prevt", "da[:, :, t]", CARRIED),
    ("min_char_rnn", "lossFun", " + dhnext", "", CARRIED),
    ("classes", "TimeRNN.backward", "dhs[:, t, :] + dh)", "dhs[:, t, :])", CARRIED),
    ("cs231n", "lstm_backward", "dprev_h, dprev_c, cache[t])", "dprev_h, 0 * dprev_c, cache[t])", "dc_next. is left out"),
    ("lstm_loss", "lossFun", "dc = dcnext + dh", "dc = dh", "dc_next. is left out"),
    ("cs231n", "rnn_step_backward", "dprev_h = da.dot(Wh.T)", "dprev_h = da", "W_hhᵀ is missing"),
    ("min_char_rnn", "lossFun", "np.dot(Whh.T, dhraw)", "dhraw", "W_hhᵀ is missing"),
    ("cs231n", "rnn_step_backward", "dprev_h = da.dot(Wh.T)", "dprev_h = da.dot(Wh)", "transpose"),
    ("coursera", "rnn_cell_backward", "Waa.T @ dtanh", "Waa @ dtanh", "transpose"),
    ("min_char_rnn", "lossFun", "np.dot(Whh.T, dhraw)", "np.dot(Whh, dhraw)", "transpose"),
    ("network", "Network.backprop", "self.Whh.T @ temp", "self.Whh @ temp", "transpose"),
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
    ("coursera", "rnn_backward", 'dWax += g["dWax"]', 'dWax = g["dWax"]', "overwritten"),
    ("lstm_loss", "lossFun", "dWf += df", "dWf = df", "overwritten"),
    ("network", "Network.backprop", "d_Whh += temp", "d_Whh = temp", "overwritten"),
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
    ("min_char_rnn", "lossFun", "return loss, dWxh", "return loss / vocab_size, dWxh", "k = 6: the loss is a mean over V"),
    ("lstm_loss", "lossFun", "return loss, dWf", "return loss / len(inputs), dWf", "k = 4: the loss is a mean over T"),
    ("min_char_rnn", "lossFun", "dy[targets[t]] -= 1", "dy[targets[t]] -= 1; dy /= vocab_size", "1/V"),
    ("cs231n", "rnn_backward", "return dx, dprev, dWx", "dWx = np.clip(dWx, -0.1, 0.1)\n    return dx, dprev, dWx", "clipped"),
    ("classes", "RNN.backward", "x.T @ dt", "np.clip(x.T @ dt, -0.1, 0.1)", "clipped"),
    ("bptt", "Net.bptt", "max(0, t - self.bptt_truncate)", "max(0, t - 1)", "2 steps"),
    ("min_char_rnn", "lossFun", "dhnext = np.dot(Whh.T, dhraw)", "dhnext = np.dot(Whh.T, dhraw) * (t != len(inputs) - 2)", "."),
    ("cs231n", "rnn_step_backward", "prev_h.dot(Wh) + b)", "prev_h.dot(np.eye(len(Wh))) + b)", f"Wh.*{ZERO}"),
    ("coursera", "lstm_cell_backward", "ft = sigmoid(Wf @", "ft = sigmoid(Wi @", f"Wf.*{ZERO}"),
    ("min_char_rnn", "lossFun", "np.dot(Whh, hs[t-1]) + bh)", "np.dot(Whh, hs[t-1]))", "dbh"),
    ("coursera", "rnn_cell_backward", "np.dot(Waa, a_prev) + ba)", "np.dot(Waa, a_prev))", "dba"),
    ("min_char_rnn", "lossFun", "    dy[targets[t]] -= 1\n", "", "not subtracted"),
    ("min_char_rnn", "lossFun", "    dy[targets[t]] -= 1\n", "    dy *= 1 - dy\n", "off-diagonal"),
    ("bptt", "Net.bptt", "delta_o[np.arange(len(y)), y] -= 1", "delta_o *= 1 - delta_o", "off-diagonal"),
    ("cs231n", "rnn_backward", "dWh += b; db += c", "dWh += b; db += c\n        break", "only one step was gone through|only the last step"),
    ("lstm_loss", "lossFun", "dcnext = fs[t] * dc", "dcnext = fs[t] * dc\n        break", "."),
    ("cs231n", "rnn_step_backward", "db = da.sum(axis=0)", "db = da.mean(axis=0)", "db.*1/N"),
    ("classes", "LSTM.backward", "dA.sum(axis=0)", "dA[-1]", "last row"),
    ("gru", "GRU.backward", "dr = drh * h_prev * r", "dr = drh * r", "of the gates|."),
    ("embedding", "backward", "dWhh += da @ hs[t - 1].T", "dWhh += da @ hs[t].T", "dWhh"),
    ("nodes", "Node.top_diff_is", "df = self.i * ds", "df = ds", "."),
    ("tuple", "rnn_backward", "Whh.T @ da", "Whh @ da", "transpose"),
    ("records", "Net.loss_function", "+ dh)", ")", CARRIED),
    ("loss_method", "Session.lossFun", "hs[t - 1].T; dbh", "hs[t].T; dbh", "paired with h_t where h_{t-1}"),
]  # fmt: skip
RIGHT_NAMES = {"cs231n": 5, "coursera": 7, "classes": 6}  # functions that a file must be right in; 1 in others


@pytest.fixture
def check(tmp_path):
    """Checks a file of a convention with one piece exchanged."""

    def checked(name, *change, **options):
        source = SOURCES.get(name, name)
        if change:
            assert change[0] in source
            source = source.replace(*change)
        path = tmp_path / "mine.py"
        path.write_text(source, encoding="utf-8")
        return check_here(path, **({"seed": 7} | options))

    return checked


@pytest.mark.parametrize("name", SOURCES)
def test_right_code_is_right(check, name):
    result = check(name)
    assert result.ok and len(result.findings) >= RIGHT_NAMES.get(name, 1) and not result.unchecked, report(result)
    assert {f.get("convention", "cs231n") for f in result.findings.values()} <= set(CONVENTIONS)


@pytest.mark.parametrize(("name", "function", "right", "wrong", "words"), MISTAKES)
def test_a_mistake_is_found_and_named_in_the_first_sentence(check, name, function, right, wrong, words):
    result = check(name, right, wrong)
    finding = result.findings[function]
    assert finding["status"] == "wrong" and not result.ok, report(result)
    first = [*finding["sentences"], *finding["diagnosis"]][0]
    assert re.search(words, first), first


def test_the_report_speaks_in_the_users_names_and_shapes(check):
    finding = check("min_char_rnn", "dWxh += np.dot(dhraw, xs[t].T)", "dWxh += 2 * np.dot(dhraw, xs[t].T)").findings[
        "lossFun"
    ]
    (row,) = finding["table"]
    assert (row["name"], row["shape"]) == ("dWxh", (5, 6)) and finding["diagnosis"][0].startswith("dWxh: ")


def test_a_float32_buffer_is_judged_at_its_precision(check):
    result = check("classes")
    assert "it computes in float32, right to about" in " ".join(result.findings["TimeRNN.backward"]["sentences"])
    wrong = check("classes", "grads[i] += grad", "grads[i] += 1.001 * grad")
    assert wrong.findings["TimeRNN.backward"]["status"] == "wrong"


def test_writing_into_the_incoming_gradient_is_said_and_is_not_wrong(check):
    (said,) = check("cs231n").findings["lstm_step_backward"]["sentences"]
    assert said.startswith("your backward wrote into the gradient it was given (dnext_c)")


def test_clipping_at_the_end_of_a_loss_function_is_said_and_the_rest_is_checked(check):
    result = check("min_char_rnn", "np.clip(dparam, -5, 5,", "np.clip(dparam, -0.1, 0.1,")
    assert (
        result.ok and "clips its gradients to ±0.1: judged without that" in result.findings["lossFun"]["sentences"][0]
    )


def test_what_is_found_and_not_checked_is_said_first_and_is_not_right(check):
    source = "import numpy as np\ndef tanh(a): return np.tanh(a)\nclass Net:\n    def __init__(self, what): pass\n"
    result = check(source + "    def backward(self, z): pass\n")
    text = report(result)
    assert not result.ok and text.index("Net.backward was found and not checked") < text.index("The function is right")
    assert "from numpylm.testing import assert_gradients" in text and "from mine import Net" in text


def test_softmax_along_the_first_axis_is_right_in_a_file_of_columns_alone(check):
    source = "\ndef softmax(x):\n    e = np.exp(x - x.max(axis=0))\n    return e / e.sum(axis=0)\n"
    assert "right for columns" in check(SOURCES["coursera"] + source).findings["softmax"]["sentences"][0]
    assert check("import numpy as np" + source).findings["softmax"]["status"] == "wrong"


def test_a_bias_with_keepdims_is_right(check):
    result = check("cs231n", "db = da.sum(axis=0)", "db = da.sum(axis=0, keepdims=True)")
    assert "right, with keepdims" in result.findings["rnn_step_backward"]["sentences"][0]


@pytest.mark.parametrize("factor", ["1", "2"])
def test_any_function_by_name_and_shapes(check, factor):
    source = (
        "import numpy as np\ndef fwd(x, W):\n    return np.tanh(x @ W), (x, W)\ndef bwd(g, cache):\n    x, W = cache\n"
    )
    source += f"    z = {factor} * g * (1 - np.tanh(x @ W) ** 2)\n    return z @ W.T, x.T @ z\n"
    result = check(source, named=named_pair("fwd", "bwd", "x=2,3 W=3,4"))
    assert result.ok == (factor == "1") and list(result.findings) == ["bwd"]


def test_names_and_shapes_that_do_not_fit_are_one_clear_error(check):
    source = "def fwd(x): return x\ndef bwd(g): return g\n"
    for named, said in ((("fw", "bwd", "x=2"), "did you mean fwd"), (("fwd", "bwd", "y=2"), "--shapes must give x")):
        with pytest.raises(ValueError, match=said):
            check(source, named=named_pair(*named))
    with pytest.raises(ValueError, match="belong together"):
        named_pair("fwd", None, None)
    with pytest.raises(ValueError, match="is no shape"):
        named_pair("fwd", "bwd", "x=two")
    with pytest.raises(ValueError, match="--convention must be one of cs231n"):
        check(source, convention="cs231")


def test_names_lead_to_roles():
    assert roles_of(["Wf", "bi", "Wcc"], "lstm") == {"Wf": "W:f", "bi": "b:i", "Wcc": "W:c"}
    assert roles_of(["W_f", "U_f"], "lstm") == {"W_f": "W_x:f", "U_f": "W_h:f"}
    assert roles_of(["Wxh", "Whh", "Why", "bh", "by", "nothing"], "rnn") == {
        "Wxh": "W_x", "Whh": "W_h", "Why": "W_y", "bh": "b", "by": "b_y", "nothing": None}  # fmt: skip


JSON = {  # the schema that graders rely on: key -> type
    "file": str, "ok": bool, "right": int, "functions": int, "seed": int, "error": (dict, type(None)), "hides": list,
    "notes": list, "unchecked": dict, "findings": dict,
}  # fmt: skip
FINDING = {
    "status": str, "sentences": list, "convention": str, "table": list, "diagnosis": list, "lines": list, "code": list,
    "shapes": list, "printed": str, "unknown": list, "out_of_memory": bool,
}  # fmt: skip
ROW = {"name": str, "shape": list, "index": list, "yours": float, "right": float, "relative_error": float,
       "num_wrong": int, "size": int}  # fmt: skip
STATUSES = {"ok", "wrong", "crash", "timeout", "missing", "not written", "not checked", "not yours"}


@pytest.mark.parametrize(
    "change", [(), ("dWx += a", "dWx = a"), ("N, T, D = x.shape", "N, T, D = x.shap"), ("def rnn_backward", "def rb")]
)
def test_json_has_the_documented_schema(check, change):
    told = json.loads(json.dumps(as_json(check("cs231n", *change))))
    assert {key: isinstance(told[key], kind) for key, kind in JSON.items()} == dict.fromkeys(told, True)
    for finding in told["findings"].values():
        assert finding["status"] in STATUSES and all(isinstance(finding[key], FINDING[key]) for key in finding)
        for row in finding.get("table", []):
            assert {key: isinstance(row[key], kind) for key, kind in ROW.items()} == dict.fromkeys(row, True)


def test_require_works_with_conventions(tmp_path):
    path = tmp_path / "mine.py"
    path.write_text(SOURCES["min_char_rnn"], encoding="utf-8")
    result = check_file(path, ["lossFun", "lstm_cell_backward"])
    assert {name: f["status"] for name, f in result.findings.items()} == {
        "lossFun": "ok",
        "lstm_cell_backward": "missing",
    }
