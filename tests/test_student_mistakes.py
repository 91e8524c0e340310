"""`numpylm check`: whatever goes wrong in a student's function is explained."""

from functools import partial

import pytest
from student_files import check_in_child, check_source

from numpylm.tutor.report import report

MISTAKES = {  # a function, the status, and what the report must say
    "loop": ("def tanh(a):\n    while True: pass", "timeout", "stopped after 2 seconds"),
    "exit": ("import sys\ndef sigmoid(a): sys.exit()", "crash", "ends the program"),
    "hard exit": ("import os\ndef relu(a): os._exit(0)", "crash", "ended the whole Python process"),
    "recursion": ("def log_softmax(a): return log_softmax(a)", "crash", "calls itself without end"),
    "input": ("def softmax_backward(dy, y): return input()", "crash", "asks for input"),
    "name": ("def tanh(a):\n    b = a\n    return np.tanh(b)", "crash", "line 3, in tanh:  return np.tanh(b)"),
    "none": ("def relu_backward(dy, y): dy * (y > 0)", "not written", "`return` is missing"),
    "stub": ("def tanh(a): raise NotImplementedError", "not written", "y = tanh(a)"),
    "shape": ("def tanh(a): return a[0]", "wrong", "y is of shape (7,); it should be of shape (3, 7)"),
    "text": ("def sigmoid_backward(ds, s): return 'x'", "wrong", "it is a string"),
    "none inside": ("def tanh_backward(dy, y): return {'da': None}", "wrong", "da is None"),
    "complex": ("def log_softmax_backward(dz, z): return dz + 1j", "wrong", "array of real numbers"),
    "ragged": ("def embedding_forward(tokens, E): return [[1], [1, 2]]", "wrong", "array of real numbers"),
    "count": ("def affine_backward(dy, x, W): return x, W", "wrong", "2 values, but should return dx, dW, db"),
    "keys": ("def clip_by_global_norm(gradients, max_norm): return {'norm': 1.0}", "wrong", "but no clipped"),
    "no keys": ("def affine_backward(dy, x, W): return {'left': x}", "wrong", "holds left, but no dx, dW, db; it"),
    "parameter": ("def tanh_backward(dy, value): return dy", "not checked", "no symbol of this problem is called `va"),
    "in place": ("def tanh_backward(dy, y):\n    dy *= 1 - y * y\n    return dy", "wrong", "changes its argument dy"),
    "overflow": ("import numpy as np\ndef softmax(a):\n    e = np.exp(a)\n    return e / e.sum(-1, keepdims=True)",
                 "ok", "right, but it overflows"),
    "memory": ("total = 0\ndef tanh_backward(dy, y):\n    global total\n    total += 1\n    "
               "return dy * (1 - y * y) + (total > 1)", "wrong", "two identical calls"),
    "float32": ("import numpy as np\ndef affine_forward(x, W, b): return (x @ W + b).astype(np.float32)", "ok",
                "it computes in float32"),
    "cache": ("def lstm_step_backward(dh_t, dc_next, cache): return cache[99]", "crash", "no lstm_step that returns"),
    "matmul": ("def affine_forward(x, W, b): return x @ W.T", "crash", "the second has 7 rows, the first 6 columns"),
    "not put back": ("def central_difference(f, x):\n    x += 1\n    return 0 * x", "wrong",
                     "leaves its argument x changed: keep the old x[k]"),
    "limited inside": ("import numpy as np\ndef relu_backward(dy, y): return np.clip(dy, -50, 50) * (y > 0)", "wrong",
                       "if dy is 1000 times as large, the result must be 1000 times as large too"),
    "dropped": ("def log_softmax_backward(dz, z):\n    if abs(dz).max() < 0.01: return 0 * dz\n    import numpy as np\n"
                "    return dz - np.exp(z) * dz.sum(-1, keepdims=True)", "wrong", "if dz is 0.001 times as large"),
    "clipped": ("import numpy as np\ndef relu(a): return np.clip(a, 0, 20)", "wrong", "is a clipped, or the result"),
    "hidden": ("import numpy as np\ndef rnn_step(x_t, h_prev, W_xh, W_hh, b_h):\n    a = x_t @ W_xh + h_prev @ W_hh\n"
               "    return np.tanh(np.clip(a + b_h, -9, 9))", "wrong", "wrong with 4 times larger ones: does it clip"),
    "printing": ("def tanh(a):\n    print('look', a.shape)\n    return a", "wrong", "| look (3, 7)"),
    "flood": ("def tanh(a):\n    for k in range(9000): print(k)\n    return a", "wrong", "| 0"),
}  # fmt: skip


IN_A_PROCESS = ("loop", "hard exit", "input")  # it hangs, ends or reads


@pytest.mark.parametrize("label", MISTAKES)
def test_a_mistake_is_explained(tmp_path, label):
    source, status, said = MISTAKES[label]
    check = partial(check_in_child, seconds=2) if label in IN_A_PROCESS else check_source
    result = check(tmp_path, source)
    (finding,) = result.findings.values()
    text = report(result)
    assert finding["status"] == status, text
    assert said in " ".join(text.split("\n")) or said in " ".join(text.split()), text
    assert all(len(line) <= 80 for line in text.split("\n")[1:]), text
