import numpy as np

class ManyToOne:
    def __init__(self, input_dim, hidden_dim, num_classes, reg=0.0):
        self.reg, self.params = reg, {"Wx": np.random.randn(input_dim, hidden_dim), "Wh": np.random.randn(hidden_dim, hidden_dim)}
        self.params.update(b=np.zeros(hidden_dim), Wy=np.random.randn(hidden_dim, num_classes), by=np.zeros(num_classes))
    def loss(self, X, y=None):
        (N, T, D), p = X.shape, self.params
        h = [np.zeros((N, len(p["b"])))]
        for t in range(T):
            h.append(np.tanh(X[:, t] @ p["Wx"] + h[-1] @ p["Wh"] + p["b"]))
        scores = h[-1] @ p["Wy"] + p["by"]
        if y is None:
            return scores
        probs = np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)
        loss = -np.log(probs[np.arange(N), y]).mean() + self.reg * (p["Wx"] ** 2).sum() / 2
        d = probs.copy(); d[np.arange(N), y] -= 1; d /= N
        grads = {"Wy": h[-1].T @ d, "by": d.sum(axis=0), "Wx": self.reg * p["Wx"], "Wh": 0, "b": 0}
        dh = d @ p["Wy"].T
        for t in reversed(range(T)):
            da = dh * (1 - h[t + 1] ** 2)
            grads["Wx"], grads["Wh"] = grads["Wx"] + X[:, t].T @ da, grads["Wh"] + h[t].T @ da
            grads["b"], dh = grads["b"] + da.sum(axis=0), da @ p["Wh"].T
        return loss, grads
