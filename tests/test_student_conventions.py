"""`numpylm check` on code of other conventions: right code is right, in whatever manner it is written."""

import json
import re

import pytest
from foreign_code import SOURCES
from student_files import statuses

from numpylm.commands.check import named_pair
from numpylm.tutor.foreign.conventions import CONVENTIONS, roles_of
from numpylm.tutor.report import as_json, report

RIGHT_NAMES = {"cs231n": 5, "coursera": 7, "classes": 6}  # functions that a file must be right in; 1 in others


@pytest.mark.parametrize("name", SOURCES)
def test_right_code_is_right(check, name):
    result = check(name)
    assert result.ok and len(result.findings) >= RIGHT_NAMES.get(name, 1) and not result.unchecked, report(result)
    assert {f.get("convention", "cs231n") for f in result.findings.values()} <= set(CONVENTIONS)


@pytest.mark.parametrize(
    "name, old, new",
    [
        ("step_targets", "self.error + dh_next", "self.error * 2 + dh_next"),
        ("one_sequence", "dprev_h = da @ Wh.T", "dprev_h = da @ Wh"),
        ("nodes", "bottom_diff_s = ds * self.f", "bottom_diff_s = ds * self.i"),
        ("state_tuple", "dc * f)", "dc * i)"),
    ],
)
def test_a_wrong_line_is_wrong(check, name, old, new):
    assert "wrong" in {finding["status"] for finding in check(name, old, new).findings.values()}


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


def test_a_function_that_makes_gradients_under_any_name_is_not_passed_over(check):
    source = """
import numpy as np
W_in, W_rec, W_out = np.ones((2, 8)), np.ones((8, 8)), np.ones((8, 1))
def sigmoid(a): return 1 / (1 + np.exp(-a))
def learn(one, other, total):
    W_in_update, W_rec_update, W_out_update = 0, 0, 0
    for place in range(8):
        W_in_update = W_in_update + one[place].next_digit() * other[place]
    return W_in_update
"""
    result = check(source)
    assert not result.ok and "learn" in {*result.findings, *result.unchecked}, report(result)


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


ALONE = {  # a file with its forwards under names that do not tell, and a mistake in one backward
    "coursera": ("{}_cell_backward", "dc_prev = dc * ft", "dc_prev = dc_next * ft", "only dc_next goes on"),
    "cs231n": (
        "{}_step_backward",
        "dprev_h = da.dot(Wh.T)",
        "dprev_h = da.dot(Wh)",
        "so its gradient is multiplied by the transpose",
    ),
}


@pytest.mark.parametrize("name", ALONE)
def test_a_steps_backward_without_its_forward_is_given_a_cache_of_our_own(check, name):
    backward, right, wrong, said = ALONE[name]
    source = re.sub(r"(rnn|lstm)_(cell|step)_forward", r"\1_part", SOURCES[name])
    assert check(source).ok, report(check(source))
    assert {backward.format("rnn"), backward.format("lstm")} <= set(check(source).findings)
    findings = check(source, right, wrong).findings
    (diagnosis,) = [f["diagnosis"] for n, f in findings.items() if f["status"] == "wrong" and "_backward" in n][:1]
    assert said in diagnosis[0]


def test_a_function_of_our_name_that_takes_a_dict_of_parameters_is_no_crash(check):
    source = SOURCES["gru_targets"].partition("def gru_backward")[0]
    assert check(source).findings["gru_forward"]["status"] == "ok"  # it returns the last state
    assert check(source, "gated = np", "gated = n_p").findings["gru_forward"]["status"] != "ok"


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


def test_require_works_with_conventions(check):
    result = check("min_char_rnn", required=("lossFun", "lstm_cell_backward"))
    assert statuses(result) == {"lossFun": "ok", "lstm_cell_backward": "missing"}


def test_a_backward_that_returns_its_loss_is_given_what_the_forward_returned(check):
    before, _, _ = SOURCES["updates"].partition("        for name, d in")
    result = check(f"{before}        return (dy ** 2).sum(), dW_xh, dW_hh, dW_hy, db_h, db_y\n")
    assert result.ok and "Regressor.backward" in result.findings, report(result)


def test_a_layer_that_is_made_from_a_size_is_checked(check):
    source = "class Scale:\n    def __init__(self, num_units): self.num_units = num_units\n"
    source += "    def forward(self, x): self.x = x; return x * x * self.num_units\n"
    source += "    def backward(self, dy): return 2 * dy * self.x * self.num_units\n"
    assert check(source).ok
