"""The eighteen wrong gradients that were found in published teaching code, planted in the solutions of the exercises.

`check` must find each in the function named, and explain it.
"""

import re

import pytest
from student_files import check_source, told

RELU = """
import numpy as np
def rnn_relu_step(x_t, h_prev, W_xh, W_hh, b_h):
    h_t = np.maximum(x_t @ W_xh + h_prev @ W_hh + b_h, 0)
    return h_t, (x_t, h_prev, h_t, W_xh, W_hh)
def rnn_relu_step_backward(dh_t, cache):
    x_t, h_prev, h_t, W_xh, W_hh = cache
    da_t = dh_t * (h_t > 0)
    return da_t @ W_xh.T, da_t @ W_hh.T, x_t.T @ da_t, h_prev.T @ da_t, da_t.sum(axis=0)
"""
RETURN = "    return dx, dh_next, dW_xh, dW_hh, db_h"
LAST = "    return da_t @ W_x.T, da_t @ W_h.T, dc_prev"
LATE = "    dh_t = da_t @ W_h.T\n    dc_prev = (dc_next + dh_t * o_t * (1 - tanh_c_t**2)) * f_t\n"
CLIPPED = (
    "    gradients = [dx, dh_next, dW_xh, dW_hh, db_h]\n    norm = np.sqrt(sum((g**2).sum() for g in gradients))\n"
)
CLIPPED += "    return tuple(g * min(1, 1 / norm) for g in gradients)"
WRAPPED = '    dW_hh = sum(cache[t - 1][2].T @ steps[t]["da_t"] for t in range(len(dh)))\n'
ALL_GATES = [(f"d{g}_t * {g}_t * (1 - {g}_t)", f"d{g}_t * sigmoid({g}_t) * (1 - sigmoid({g}_t))") for g in "ifo"]

MISTAKES = {  # the list's number: (the solution, the function, (right, wrong) …, what must be said)
    "1": (5, "rnn_step_backward", ("da_t @ W_hh.T", "da_t @ W_hh"), "multiplied by the transpose"),
    "2": (9, "lstm_backward", ("(dh[t] + dh_next, dc_next,", "(dh[t], 0 * dh[t],"), "restart from zero at each step"),
    "3": (8, "lstm_step_backward", (LAST, LATE + LAST), "dh_t was overwritten by dh_prev before dc_prev was computed"),
    "4, of c_t": (8, "lstm_step_backward", ("* (1 - tanh_c_t**2)", "* (1 - np.tanh(tanh_c_t) ** 2)"),
                  "tanh was applied a second time"),
    "4, of c̃_t": (8, "lstm_step_backward", ("(1 - c_tilde_t**2)", "(1 - np.tanh(c_tilde_t) ** 2)"),
                  "tanh was applied a second time"),
    "5, in one gate": (8, "lstm_step_backward", ALL_GATES[1], "σ was applied a second time, to f_t"),
    "5, in all three": (8, "lstm_step_backward", *ALL_GATES, "the activation was applied a second time"),
    "6, h_t": (5, "rnn_step_backward", ("h_prev.T @ da_t", "h_t.T @ da_t"), "off by one in time"),
    "6, wrapping": (6, "rnn_backward", (RETURN, WRAPPED + RETURN), "wraps round at t = 0"),
    "6, c_t": (8, "lstm_step_backward", ("dc_t * c_prev", "dc_t * (f_t * c_prev + i_t * c_tilde_t)"),
               "off by one in time"),
    "7": (6, "rnn_backward", (RETURN, f'    dW_hh = steps[0]["dW_hh"]\n{RETURN}'),
          "the sum over time is overwritten at each step"),
    "8": (6, "rnn_backward", (RETURN, CLIPPED), "clipp"),
    "9": (2, "cross_entropy_backward", ("return (y - onehot) /", "y -= onehot\n    return y /"),
          "changes its argument cache"),
    "10, the whole": (1, "tanh_backward", ("    return dy * (1", "    dy += 1e-9\n    return dy * (1"),
                      "changes its argument dy in place"),
    "10, in a step": (5, "rnn_step_backward", ("da_t = dh_t * (1 - h_t**2)", "dh_t *= 1 - h_t**2\n    da_t = dh_t"),
                      "changes its argument dh_t in place"),
    "11": (6, "rnn_backward", (RETURN, f"    dW_hh = dW_hh.astype(np.float32)\n{RETURN}"), "float32"),
    "12, not summed": (4, "affine_backward", ("dy_rows.sum(axis=0)", "dy_rows"), "db is of shape (12, 7)"),
    "12, broadcast": (4, "affine_backward", ("dy_rows.sum(axis=0)", "dy_rows.sum() + np.zeros(dy.shape[-1])"),
                      "the same all along axis 0"),
    "13, N for T·N": (2, "cross_entropy_backward", ("/ targets.size", "/ targets.shape[1]"), "it is divided by N only"),
    "13, T for T·N": (2, "cross_entropy_backward", ("/ targets.size", "/ targets.shape[0]"), "it is divided by T only"),
    "14, diagonal": (2, "cross_entropy_backward", ("(y - onehot)", "onehot * (y - 1)"), "off-diagonal"),
    "14, by y": (2, "cross_entropy_backward", ("(y - onehot)", "(-onehot / y)"), "not to the logits"),
    "15": (8, "lstm_step_backward", ("dc_prev = dc_t * f_t", "dc_prev = dc_next * f_t"),
           "only dc_next goes on to c_{t-1}"),
    "16": (8, "lstm_step_backward", ("dc_prev = dc_t * f_t", "dc_prev = dc_t"),
           "the forget path is missing: f_t is left out"),
    "17, the wrong side": (RELU, "rnn_relu_step_backward", ("(h_t > 0)", "(h_t <= 0)"), "wrong side"),
    "17, of h_prev": (RELU, "rnn_relu_step_backward", ("(h_t > 0)", "(h_prev > 0)"), "at h_{t-1}, but it is h_t"),
    "18": (3, "embedding_backward", ("np.add.at(dE, tokens, dx)", "dE[tokens] += dx"), "is assigned, not added"),
}  # fmt: skip


@pytest.mark.parametrize("number", MISTAKES)
def test_it_is_caught_and_explained(number, tmp_path):
    source, function, *changes, words = MISTAKES[number]
    result = check_source(tmp_path, source, *changes)
    assert result.findings[function]["status"] == "wrong" and words in told(result, function), told(result, function)


def test_the_list_is_whole_and_the_code_right_as_it_stands(tmp_path):
    assert {int(re.match(r"\d+", number).group()) for number in MISTAKES} == set(range(1, 19))
    assert check_source(tmp_path, RELU).ok  # test_exercises.py has the solutions
