"""The time of what a training step cannot avoid, done by the same NumPy: its matrix products, and the floor.

    forward     x W_x    (T N, D) (D, G H)     once, for the whole sequence
                h W_h    (N, H) (H, G H)       T times: each step waits for the one before
                h W_hy   (T N, H) (H, V)       once
    backward    two products for each: the gradient times the transposed matrix, and the transposed input times the
                gradient. da_t W_hᵀ is done T times; each weight's gradient is one product, after the loop

G is the number of gates: 1 for the RNN, 4 for the LSTM, 3 for the GRU. The **products** are these alone. The **floor**
is the products, the activations and the softmax, each by one call of NumPy: tanh of all pre-activations of a step (and
of c_t in an LSTM), and of the logits the largest, the difference, e, the sum and the quotient. Neither has biases, an
embedding, the gates' other operations, their backward, or an update. Every result goes into an array that exists
already, and W_hᵀ is contiguous from the start.

A step can be faster than these products: where V < T N it multiplies the V rows of the table E by W_x in place of the
T N rows of x (projection.py). The products stay as defined here, so that numbers can be compared.
"""

import numpy as np

from numpylm.bench.shapes import GATES


def floor_step(cell, shape, rng):
    """A function of no arguments that does the products, activations and softmax of one training step, in float32."""
    T, N, H, V = shape.T, shape.N, shape.H, shape.V
    products = products_step(cell, shape, rng)
    a_t, c_t = (rng.standard_normal(sizes, dtype=np.float32) for sizes in ((N, GATES[cell] * H), (N, H)))
    logits = rng.standard_normal((T * N, V), dtype=np.float32)
    y, gates_t, tanh_c_t = map(np.empty_like, (logits, a_t, c_t))

    def step():
        products()
        for _ in range(T):
            np.tanh(a_t, out=gates_t)
            if cell == "lstm":
                np.tanh(c_t, out=tanh_c_t)
        np.subtract(logits, logits.max(axis=1, keepdims=True), out=y)
        np.exp(y, out=y)
        np.divide(y, y.sum(axis=1, keepdims=True), out=y)

    return step


def products_step(cell, shape, rng):
    """A function of no arguments that does the products of one training step, in float32."""
    T, N, D, H, V = shape[1:]
    GH = GATES[cell] * H

    def random(*sizes):
        return rng.standard_normal(sizes, dtype=np.float32)

    x, h, da, dlogits = random(T * N, D), random(T, N, H), random(T, N, GH), random(T * N, V)
    W_x, W_h, W_hy = random(D, GH), random(H, GH), random(H, V)
    W_hT = np.ascontiguousarray(W_h.T)
    h_rows, da_rows = h.reshape(T * N, H), da.reshape(T * N, GH)
    xW, hW_t, logits, dh_prev = map(np.empty_like, (da_rows, da[0], dlogits, h[0]))
    dh, dW_hy, dW_h, dx, dW_x = map(np.empty_like, (h_rows, W_hy, W_h, x, W_x))

    def step():
        np.matmul(x, W_x, out=xW)
        for t in range(T):
            np.matmul(h[t], W_h, out=hW_t)
        np.matmul(h_rows, W_hy, out=logits)
        np.matmul(dlogits, W_hy.T, out=dh)
        np.matmul(h_rows.T, dlogits, out=dW_hy)
        for t in reversed(range(T)):
            np.matmul(da[t], W_hT, out=dh_prev)
        np.matmul(h_rows.T, da_rows, out=dW_h)
        np.matmul(da_rows, W_x.T, out=dx)
        np.matmul(x.T, da_rows, out=dW_x)

    return step
