"""Wrong forwards: every known slip is recognised by its numbers, and none of them is right."""

import numpy as np
import pytest
from student_files import check_here

from numpylm.tutor.assignment_problems import Sizes
from numpylm.tutor.assignments import ASSIGNMENTS
from numpylm.tutor.report import report
from numpylm.tutor.slips import equals, known_slip, slips_of
from numpylm.tutor.slips_in_cells import STEP_SLIPS, changed_step, gate_words, step_slips
from numpylm.tutor.slips_in_layers import LAYER_SLIPS

FUNCTIONS = [
    *LAYER_SLIPS,
    *(f"{cell}_{kind}" for cell in ("rnn", "rnn_relu", "lstm", "gru") for kind in ("step", "forward")),
]
SIZES = (Sizes(4, 3, 5, 6, 7), Sizes(5, 2, 7, 4, 9, extreme=True))


def problems(name):
    signature = ASSIGNMENTS[name].signature
    asked = set(signature.partition("(")[2].partition(")")[0].split(", "))
    return [ASSIGNMENTS[name].problem(np.random.default_rng(3), sizes, asked) for sizes in SIZES]


@pytest.mark.parametrize("name", FUNCTIONS)
def test_every_slip_is_wrong_and_recognised(name):
    assignment, recognised, listed = ASSIGNMENTS[name], set(), set()
    for problem in problems(name):
        slips = list(slips_of(assignment, problem))
        listed |= {words for words, _, _ in slips}
        for number, (words, _, answers) in enumerate(slips):
            values = answers if "clip" in name else {quantity: answers[quantity] for quantity in assignment.returns[0]}
            if equals(values, values) and not equals(values, {q: problem.answers[q] for q in values}):
                recognised.add(words)
                if number % 5 == 0:
                    found, _ = known_slip(assignment, problem, values)
                    assert found in [other for other, _, made in slips if equals(values, made)]
        assert not any(
            equals(problem.answers, made) for words, _, made in slips if words in recognised and "clip" not in name
        )
    assert all("ReLU belongs" in words or "this is ReLU, where" in words for words in listed - recognised)


@pytest.mark.parametrize("cell", STEP_SLIPS)
def test_every_slip_s_line_is_in_our_step(cell):
    for (_, _, correct), faulty, _ in step_slips(cell):
        assert callable(changed_step(cell, correct, faulty))
    with pytest.raises(ValueError, match="must occur once"):
        changed_step(cell, "no such line", "")


LSTM = """
import numpy as np
def sigmoid(a): return 1 / (1 + np.exp(-a))
def lstm_step(x_t, h_prev, c_prev, W_x, W_h, b):
    i, f, o, g = np.split(x_t @ W_x + h_prev @ W_h + b, 4, axis=1)
    i, f, o, g = sigmoid(i), sigmoid(f), sigmoid(o), np.tanh(g)
    c = f * c_prev + i * g
    return o * np.tanh(c), c, (x_t, h_prev, c_prev, W_x, W_h, i, f, o, g, c)
def lstm_step_backward(dh_t, dc_next, cache):
    x_t, h_prev, c_prev, W_x, W_h, i, f, o, g, c = cache
    dc = dc_next + dh_t * o * (1 - np.tanh(c) ** 2)
    i, f, o, g = dc * g * i * (1 - i), dc * c_prev * f * (1 - f), dh_t * np.tanh(c) * o * (1 - o), dc * i * (1 - g**2)
    da = np.concatenate((i, f, o, g), axis=1)
    return da @ W_x.T, da @ W_h.T, dc * cache[6], x_t.T @ da, h_prev.T @ da, da.sum(axis=0)
"""
FORWARDS = {  # what is written, and what is said
    "sign": ("def sigmoid(a): return 1 / (1 + np.exp(a))", "sigmoid", "the exponent's sign is wrong"),
    "axes": ("def softmax(a):\n    e = np.exp(a - a.max(axis=-1, keepdims=True))\n    return e / e.sum()", "softmax",
             "the sum runs over all entries"),
    "one's own norm": ("def clip_by_global_norm(gradients, max_norm):\n    n = {k: np.sqrt((g**2).sum()) for k, g in "
                       "gradients.items()}\n    return {k: g * min(1, max_norm / n[k]) for k, g in gradients.items()}, "
                       "sum(v**2 for v in n.values()) ** 0.5", "clip_by_global_norm", "clipped by its own norm"),
    "minimum": ("def clip_by_value(gradients, limit): return {k: np.minimum(g, limit) for k, g in gradients.items()}",
                "clip_by_value", "entries below -limit are left as they are"),
    "sum": ("def cross_entropy_forward(logits, targets):\n    z = logits - logits.max(-1, keepdims=True)\n    "
            "z = z - np.log(np.exp(z).sum(-1, keepdims=True))\n    "
            "return -np.take_along_axis(z, targets[..., None], -1).sum(), None", "cross_entropy_forward",
            "not divided by T N"),
    "order": (LSTM.replace("i, f, o, g = np.split", "i, f, g, o = np.split"), "lstm_step",
              "in the order i, f, c̃, o (PyTorch's"),
    "gate": (LSTM.replace("c = f * c_prev + i * g", "c = f * c_prev + g"), "lstm_step",
             "Equation (7), c_t: the input gate i_t is left out"),
}  # fmt: skip


def checked(tmp_path, source):
    path = tmp_path / "mine.py"
    path.write_text(f"import numpy as np\n{source}\n", encoding="utf-8")
    return check_here(path)


@pytest.mark.parametrize("label", FORWARDS)
def test_a_wrong_forward_is_explained_and_its_equation_printed(label, tmp_path):
    source, name, words = FORWARDS[label]
    result = checked(tmp_path, source)
    assert words in " ".join(result.findings[name]["diagnosis"])
    assert ASSIGNMENTS[name].equation.split("\n")[0] in report(result)


def test_an_order_of_gates_that_nobody_is_known_for_is_named_alone():
    assert gate_words(("o", "f", "i", "c̃"), ("i", "f", "o", "c̃")).startswith(
        "the gates' columns are read in the order o, f"
    )


def test_a_backward_that_fits_its_own_wrong_forward_is_told_so(tmp_path):
    """PyTorch's order in both: nothing but the forward is to be mended first."""
    found = checked(tmp_path, LSTM).findings
    assert [finding["status"] for finding in found.values()] == ["ok", "ok", "ok"]
    order = LSTM.replace("i, f, o, g = np.split", "i, f, g, o = np.split").replace(
        "(i, f, o, g), axis", "(i, f, g, o), axis"
    )
    said = " ".join(checked(tmp_path, order).findings["lstm_step_backward"]["diagnosis"])
    assert said.startswith("dx_t, dh_prev, dc_prev, dW_x, dW_h, db: right for your own lstm_step as it stands")


def test_a_second_mistake_behind_a_wrong_forward_is_found_too(tmp_path):
    both = LSTM.replace("c = f * c_prev + i * g", "c = f * c_prev - i * g").replace("da.sum(axis=0)", "da.mean(axis=0)")
    said = " ".join(checked(tmp_path, both).findings["lstm_step_backward"]["diagnosis"])
    assert said.startswith("for your own lstm_step as it stands, dx_t, dh_prev, dW_x, dW_h, db would be wrong too")
    assert "dc_prev would be right" in said


DIFFERENCE = """
def central_difference(f, x):
    g, e = np.zeros(x.shape), 1e-5
    for k in np.ndindex(x.shape):
        old = x[k]
        x[k] = old + e
        high = f()
        x[k] = old - e
        low = f()
        x[k] = old
        g[k] = (high - low) / (2 * e)
    return g
def complex_step(f, x):
    g, e = np.zeros(x.shape), 1e-30
    for k in np.ndindex(x.shape):
        x[k] += 1j * e
        g[k] = f().imag / e
        x[k] = x[k].real
    return g
"""


@pytest.mark.parametrize(
    ("right", "wrong", "words"),
    [
        ("x[k] = old - e\n", "x[k] = old\n", "it is half the derivative"),
        ("x[k] = old - e\n        low = f()\n        x[k] = old\n        g[k] = (high - low) / (2 * e)",
         "x[k] = old\n        g[k] = (high - f()) / e", "forward difference, with ε of about 1e-05"),
        ("(high - low) / (2 * e)", "(high - low) / e", "it is twice the derivative"),
        ("(high - low)", "(low - high)", "the sign is wrong"),
        ("1e-5", "1e-3", "ε is too large: the error is that of a step of about 1e-03"),
        ("1e-5", "1e-12", "ε is too small"),
        ("1e-30", "1e-4", "ε is too large: the error is that of a step of about 1e-04; nothing is subtracted"),
        ("f().imag", "f().real", "the imaginary part is wanted"),
        ("x[k] += 1j * e", "pass", "it is zero"),
    ],
)  # fmt: skip
def test_a_wrong_numerical_derivative_is_explained(right, wrong, words, tmp_path):
    assert DIFFERENCE.count(right) == 1 and checked(tmp_path, DIFFERENCE).ok
    found = checked(tmp_path, DIFFERENCE.replace(right, wrong)).findings
    (finding,) = [finding for finding in found.values() if finding["status"] != "ok"]
    assert words in " ".join(finding["diagnosis"])
    assert "float32" not in " ".join(finding["sentences"])
