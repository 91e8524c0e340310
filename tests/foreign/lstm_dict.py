import numpy as np

def sigmoid(a):
    return 1 / (1 + np.exp(-a))

def lstm_forward(X, h0, c0, params):
    H, C, gates, h, c = [], [], [], h0, c0
    for x in X:
        f = sigmoid(params["W_xf"] @ x + params["W_hf"] @ h + params["b_f"])
        i = sigmoid(params["W_xi"] @ x + params["W_hi"] @ h + params["b_i"])
        o = sigmoid(params["W_xo"] @ x + params["W_ho"] @ h + params["b_o"])
        g = np.tanh(params["W_xg"] @ x + params["W_hg"] @ h + params["b_g"])
        c = f * c + i * g
        h = o * np.tanh(c)
        H.append(h); C.append(c); gates.append((f, i, o, g))
    return np.array(H), np.array(C), (X, h0, c0, H, C, gates, params)

def lstm_backward(dH, cache):
    X, h0, c0, H, C, gates, params = cache
    grads, dX, dh_next, dc_next = {k: np.zeros_like(v) for k, v in params.items()}, np.zeros_like(X), 0, 0
    for t in reversed(range(len(X))):
        f, i, o, g = gates[t]
        h_prev, c_prev = (H[t - 1], C[t - 1]) if t else (h0, c0)
        dh = dH[t] + dh_next
        dc = dc_next + dh * o * (1 - np.tanh(C[t]) ** 2)
        das = {"f": dc * c_prev * f * (1 - f), "i": dc * g * i * (1 - i), "g": dc * i * (1 - g ** 2), "o": dh * np.tanh(C[t]) * o * (1 - o)}
        dh_next = 0
        for gate, da in das.items():
            grads["W_x" + gate] += np.outer(da, X[t]); grads["W_h" + gate] += np.outer(da, h_prev); grads["b_" + gate] += da
            dX[t] += params["W_x" + gate].T @ da
            dh_next = dh_next + params["W_h" + gate].T @ da
        dc_next = dc * f
    return grads, dh_next, dc_next, dX
