import numpy as np

class GRU:
    def __init__(self, n_in, n_hidden):
        self.params, rng = {}, np.random.default_rng(0)
        for g in "zrn":
            self.params["W" + g] = rng.standard_normal((n_hidden, n_in))
            self.params["U" + g] = rng.standard_normal((n_hidden, n_hidden))
            self.params["b" + g] = rng.standard_normal(n_hidden)

    def forward(self, X):
        p, s = self.params, lambda v: 1 / (1 + np.exp(-v))
        h, self.steps, hs = np.zeros(p["bz"].shape), [], []
        for x in X:
            z = s(p["Wz"] @ x + p["Uz"] @ h + p["bz"])
            r = s(p["Wr"] @ x + p["Ur"] @ h + p["br"])
            n = np.tanh(p["Wn"] @ x + p["Un"] @ (r * h) + p["bn"])
            self.steps.append((x, h, z, r, n))
            h = z * h + (1 - z) * n
            hs.append(h)
        return np.array(hs)

    def backward(self, dH):
        p, dnext, dX = self.params, 0, np.zeros((len(dH), self.steps[0][0].size))
        self.grads = {k: np.zeros_like(v) for k, v in p.items()}
        for t in reversed(range(len(dH))):
            (x, h, z, r, n), dh = self.steps[t], dH[t] + dnext
            d = {"z": dh * (h - n) * z * (1 - z), "n": dh * (1 - z) * (1 - n ** 2)}
            drh = p["Un"].T @ d["n"]
            d["r"] = drh * h * r * (1 - r)
            dnext = dh * z + drh * r + p["Uz"].T @ d["z"] + p["Ur"].T @ d["r"]
            for g in "zrn":
                self.grads["W" + g] += np.outer(d[g], x)
                self.grads["U" + g] += np.outer(d[g], r * h if g == "n" else h)
                self.grads["b" + g] += d[g]
                dX[t] += p["W" + g].T @ d[g]
        return dX
