import numpy as np

H, D = 64, 12
Z = H + D
model = {name: np.random.randn(Z, H) for name in ("Wf", "Wi", "Wc", "Wo")}
model.update({name: np.zeros((1, H)) for name in ("bf", "bi", "bc", "bo")}, Wy=np.random.randn(H, D), by=np.zeros((1, D)))

def sigma(a): return 1 / (1 + np.exp(-a))

def lstm_forward(X, state):
    h_old, c_old = state
    one_hot = np.zeros((1, D)); one_hot[0, X] = 1
    z = np.hstack((h_old, one_hot))
    f, i = sigma(z @ model["Wf"] + model["bf"]), sigma(z @ model["Wi"] + model["bi"])
    o, g = sigma(z @ model["Wo"] + model["bo"]), np.tanh(z @ model["Wc"] + model["bc"])
    c = f * c_old + i * g
    h = o * np.tanh(c)
    e = np.exp(h @ model["Wy"] + model["by"])
    return e / e.sum(), (h, c), (z, f, i, o, g, c_old, c, h)

def lstm_backward(prob, y_train, d_next, cache):
    (z, f, i, o, g, c_old, c, h), (dh_next, dc_next) = cache, d_next
    dy = prob.copy(); dy[0, y_train] -= 1
    dh = dy @ model["Wy"].T + dh_next
    dc = dc_next + dh * o * (1 - np.tanh(c) ** 2)
    d = {"f": dc * c_old * f * (1 - f), "i": dc * g * i * (1 - i), "o": dh * np.tanh(c) * o * (1 - o), "c": dc * i * (1 - g ** 2)}
    grad = {"W" + gate: z.T @ d[gate] for gate in d} | {"b" + gate: d[gate] for gate in d} | {"Wy": h.T @ dy, "by": dy}
    dz = sum(d[gate] @ model["W" + gate].T for gate in d)
    return grad, (dz[:, :H], f * dc)
