"""`numpylm check`: right functions pass however they are written, and whatever may be wrong is said."""

import re
import textwrap
from pathlib import Path

from student_files import check_in_child, check_source, statuses, told, wrong_in

from numpylm.tutor.assignments import ASSIGNMENTS
from numpylm.tutor.report import report

ROOT = Path(__file__).parent.parent


NOT_OURS = [
    *("truncated_bptt", "ctc_alpha", "ctc_dlogits", "attention_step", "attention_step_backward"),
    *("hop_forward", "hop_backward", "beam_search"),
]


def test_the_packages_own_functions_pass(tmp_path):
    """All of them at once, as text of the file: records in and out, parameters with defaults, nested gradients."""
    modules = (
        "base/require activations affine clipping embedding dropout masking initialization loss recurrence projection"
    )
    files = [ROOT / "numpylm" / f"{name}.py" for name in [*modules.split(), "rnn", "lstm", "gru", "proof/numerical"]]
    text = "\n".join(file.read_text(encoding="utf-8") for file in files).replace("require.", "")
    text = re.sub(r"^from numpylm(?!\.proof)[^\n(]*(\([^)]*\))?$", "", text, flags=re.MULTILINE)
    exercise = [name for name in sorted(ASSIGNMENTS) if name not in NOT_OURS]
    result = check_source(tmp_path, f"{text}{RELU_BY_OURS}EXERCISE = {exercise}")
    assert result.ok, report(result)


RELU_BY_OURS = """
def rnn_relu_step(xW_t, h_prev, W_hh): return rnn_step(xW_t, h_prev, W_hh, "relu")
def rnn_relu_step_backward(dh_t, step, W_hh): return rnn_step_backward(dh_t, step, W_hh, "relu")
def rnn_relu_forward(parameters, x, state_0): return rnn_forward(parameters, x, state_0, nonlinearity="relu")
def rnn_relu_backward(parameters, dh, dstate_T, trace): return rnn_backward(parameters, dh, dstate_T, trace)
"""


def test_other_ways_to_write_it_pass(tmp_path):
    source = """
        import numpy as np
        from dataclasses import dataclass

        def sigmoid(anything): return [[1 / (1 + np.exp(-a)) for a in row] for row in anything]
        tanh = np.tanh
        def relu_backward(dy, y, *rest, **more): return {"da": dy * (y > 0)}
        softmax_backward = lambda dy, y: y * (dy - (y * dy).sum(-1, keepdims=True))
        def rnn_step(xW_t, h_prev, /, *, W_hh): return np.tanh(xW_t + h_prev @ W_hh)
        def rnn_step_backward(dh_t, step, W_hh):
            da_t = dh_t * (1 - step["h_t"] ** 2)
            return da_t, da_t @ W_hh.T
        def gru_step(x_t, h_prev, W_xr, W_xz, W_xn, W_hr, W_hz, W_hn, b_r, b_z, b_n, b_hn, epsilon=1e-5):
            s = lambda a: 0.5 + 0.5 * np.tanh(a / 2)
            r = s(x_t @ W_xr + h_prev @ W_hr + b_r)
            z = s(x_t @ W_xz + h_prev @ W_hz + b_z)
            n = np.tanh(x_t @ W_xn + b_n + r * (h_prev @ W_hn + b_hn))
            return (1 - z) * n + z * h_prev, (r, z, n)
        def rnn_forward(x, W_xh, W_hh, b_h):
            h = [np.zeros((x.shape[1], len(b_h)))]
            for x_t in x: h.append(np.tanh(x_t @ W_xh + h[-1] @ W_hh + b_h))
            return np.stack(h[1:]), (x, np.stack(h), W_xh, W_hh)
        @dataclass
        class Gradients:
            dx: object; dh_0: object; dW_xh: object; dW_hh: object; db_h: object
        def rnn_backward(dh, cache):
            x, h, W_xh, W_hh = cache
            da, dh_next = np.zeros_like(dh), 0
            for t in reversed(range(len(x))):
                da[t] = (dh[t] + dh_next) * (1 - h[t + 1] ** 2)
                dh_next = da[t] @ W_hh.T
            return Gradients(da @ W_xh.T, dh_next, np.einsum("tni,tnj->ij", x, da),
                             np.einsum("tni,tnj->ij", h[:-1], da), da.sum((0, 1)))
    """
    result = check_source(tmp_path, textwrap.dedent(source))
    assert result.ok and len(result.findings) == 8, report(result)


def test_a_function_that_asks_for_its_nonlinearity_is_given_both(tmp_path):
    source = textwrap.dedent("""
        import numpy as np
        def rnn_step(x_t, h_prev, W_xh, W_hh, b_h, nonlinearity="tanh"):
            a_t = x_t @ W_xh + h_prev @ W_hh + b_h
            return np.tanh(a_t) if nonlinearity == "tanh" else np.maximum(a_t, 0)
        def rnn_step_backward(dh_t, step, W_hh, nonlinearity):
            f_slope = 1 - step.h_t**2 if nonlinearity == "tanh" else step.h_t > 0
            da_t = dh_t * f_slope
            return da_t, da_t @ W_hh.T
    """)
    assert check_source(tmp_path, source).ok
    result = check_source(tmp_path, source, ("step.h_t > 0", "step.h_t < 0"), ("np.maximum(a_t, 0)", "a_t"))
    for name in ("rnn_step", "rnn_step_backward"):
        assert "nonlinearity='relu' here; with 'tanh' it is right" in told(result, name), report(result)
    source = "def rnn_step(x_t, h_prev, W_xh, W_hh, b_h, nonlinearity): return {'sigmoid': 0}[nonlinearity]"
    crashing = check_source(tmp_path, source)
    assert "nonlinearity='tanh'" in " ".join(crashing.findings["rnn_step"]["shapes"])


def test_memory_is_limited_and_the_next_function_has_all_of_it_again(tmp_path):
    result = check_in_child(
        tmp_path,
        """
        import numpy as np
        kept = []
        def sigmoid(a):
            while True:
                kept.append([1.0] * 100_000)
        def sigmoid_backward(ds, s): return ds * np.zeros((10**6, 10**6))
        def tanh(a):
            np.ones((15, 10**6))  # 120 MB, which are there
            return np.tanh(a)
        """,
        megabytes=250,
    )
    assert statuses(result) == {"sigmoid": "crash", "sigmoid_backward": "crash", "tanh": "ok"}
    assert "it runs out of memory when it is called (MemoryError)" in told(result, "sigmoid")
    assert "kept.append" in report(result) and "Unable to allocate" in told(result, "sigmoid_backward")


def test_separate_mistakes_are_all_found(tmp_path):
    carried, bias = ("dc_prev = dc_t * f_t", "dc_prev = dc_t"), ("da_t.sum(axis=0)", "da_t.mean(axis=0)")
    forward = ("f_t * c_prev + i_t * c_tilde_t", "f_t * c_prev - i_t * c_tilde_t")
    result = check_source(tmp_path, 8, carried, forward)
    assert result.findings["lstm_step"]["status"] == "wrong"
    assert "lstm_step, which is not right yet" in told(result, "lstm_step_backward")
    both = check_source(tmp_path, 8, carried, bias)
    assert wrong_in(both, "lstm_step_backward") == {"dc_prev", "db"}
    first, second, *_ = both.findings["lstm_step_backward"]["diagnosis"]
    assert "f_t is left out" in first and "db: it is the right one times 0.333333" in second
    cubed = check_source(tmp_path, 8, ("df_t * f_t * (1 - f_t)", "df_t * f_t * (1 - f_t) ** 3"))
    assert cubed.findings["lstm_step_backward"]["diagnosis"][0].startswith("da_f or df_t is likely wrong")
