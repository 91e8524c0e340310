import numpy as np
sigmoid = lambda a: 1 / (1 + np.exp(-a))

class GRU:
    def __init__(self, Wx, Wh):
        self.Wx, self.Wh = Wx, Wh
    def forward(self, x, h_prev):
        H = len(self.Wh)
        z, r = sigmoid(x @ self.Wx[:, :H] + h_prev @ self.Wh[:, :H]), sigmoid(x @ self.Wx[:, H:2*H] + h_prev @ self.Wh[:, H:2*H])
        n = np.tanh(x @ self.Wx[:, 2*H:] + (r * h_prev) @ self.Wh[:, 2*H:])
        self.cache = x, h_prev, z, r, n
        return (1 - z) * h_prev + z * n
    def backward(self, dh_next):
        (x, h_prev, z, r, n), H = self.cache, len(self.Wh)
        dn = dh_next * z * (1 - n ** 2)
        drh = dn @ self.Wh[:, 2*H:].T
        dr = drh * h_prev * r * (1 - r)
        dz = dh_next * (n - h_prev) * z * (1 - z)
        self.dWx = x.T @ np.hstack((dz, dr, dn))
        self.dWh = np.hstack((h_prev.T @ dz, h_prev.T @ dr, (r * h_prev).T @ dn))
        dh_prev = dh_next * (1 - z) + drh * r + dz @ self.Wh[:, :H].T + dr @ self.Wh[:, H:2*H].T
        return np.hstack((dz, dr, dn)) @ self.Wx.T, dh_prev
