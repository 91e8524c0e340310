import numpy as np

def sigmoid(a):
    return 1 / (1 + np.exp(-a))

def softmax(a):
    e = np.exp(a - a.max(axis=0, keepdims=True))
    return e / e.sum(axis=0, keepdims=True)

def gru_forward(x, parameters):
    n_x, m, steps = x.shape
    P, H = parameters, parameters["Wr"].shape[0]
    h, kept, y_pred = np.zeros((H, m)), [], np.zeros((P["Wy"].shape[0], m, steps))
    for t in range(steps):
        both = np.vstack([h, x[:, :, t]])
        r, u = sigmoid(P["Wr"] @ both + P["br"]), sigmoid(P["Wu"] @ both + P["bu"])
        gated = np.vstack([r * h, x[:, :, t]])
        n = np.tanh(P["Wc"] @ gated + P["bc"])
        new = u * n + (1 - u) * h
        y_pred[:, :, t] = softmax(P["Wy"] @ new + P["by"])
        kept.append({"h": h, "both": both, "gated": gated, "r": r, "u": u, "n": n, "new": new, "y": y_pred[:, :, t]})
        h = new
    return y_pred, kept

def gru_backward(y, kept_caches, parameters):
    P = parameters
    grads = {"d" + name: np.zeros_like(value) for name, value in P.items()}
    H, back = P["Wr"].shape[0], 0
    def add(gate, delta, inside):
        grads["dW" + gate] += delta @ inside.T
        grads["db" + gate] += delta.sum(axis=1, keepdims=True)
        return P["W" + gate].T @ delta
    for t in reversed(range(len(kept_caches))):
        k = kept_caches[t]
        dh = back + add("y", (k["y"] - y[:, :, t]) / y.shape[1], k["new"])
        dgated = add("c", dh * k["u"] * (1 - k["n"] ** 2), k["gated"])
        dboth = add("r", dgated[:H] * k["h"] * k["r"] * (1 - k["r"]), k["both"])
        dboth += add("u", dh * (k["n"] - k["h"]) * k["u"] * (1 - k["u"]), k["both"])
        back = dh * (1 - k["u"]) + dgated[:H] * k["r"] + dboth[:H]
    return grads
