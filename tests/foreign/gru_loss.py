import numpy as np

words = ["we", "read", "it", "all"]
H, V = 7, len(words)
Wz, Wr, Wh = [np.random.randn(H, V) for _ in range(3)]
Uz, Ur, Uh = [np.random.randn(H, H) for _ in range(3)]
bz, br, bh = [np.zeros((H, 1)) for _ in range(3)]
Wy, by = np.random.randn(V, H), np.zeros((V, 1))

def sigmoid(a):
    return 1 / (1 + np.exp(-a))

def gru_loss(inputs, targets, hprev):
    x, z, r, n, p, h, loss = {}, {}, {}, {}, {}, {-1: np.copy(hprev)}, 0
    for t in range(len(inputs)):
        x[t] = np.zeros((V, 1)); x[t][inputs[t]] = 1
        z[t], r[t] = sigmoid(Wz @ x[t] + Uz @ h[t - 1] + bz), sigmoid(Wr @ x[t] + Ur @ h[t - 1] + br)
        n[t] = np.tanh(Wh @ x[t] + Uh @ (r[t] * h[t - 1]) + bh)
        h[t] = z[t] * h[t - 1] + (1 - z[t]) * n[t]
        e = np.exp(Wy @ h[t] + by); p[t] = e / e.sum()
        loss -= np.log(p[t][targets[t], 0])
    dWz, dWr, dWh, dUz, dUr, dUh, dbz, dbr, dbh, dWy, dby, dh_next = [0] * 12
    for t in reversed(range(len(inputs))):
        dy = p[t].copy(); dy[targets[t]] -= 1
        dWy, dby = dWy + dy @ h[t].T, dby + dy
        dh = Wy.T @ dy + dh_next
        dn = dh * (1 - z[t]) * (1 - n[t] ** 2)
        drh = Uh.T @ dn
        dr = drh * h[t - 1] * r[t] * (1 - r[t])
        dz = dh * (h[t - 1] - n[t]) * z[t] * (1 - z[t])
        dWz, dUz, dbz = dWz + dz @ x[t].T, dUz + dz @ h[t - 1].T, dbz + dz
        dWr, dUr, dbr = dWr + dr @ x[t].T, dUr + dr @ h[t - 1].T, dbr + dr
        dWh, dUh, dbh = dWh + dn @ x[t].T, dUh + dn @ (r[t] * h[t - 1]).T, dbh + dn
        dh_next = dh * z[t] + drh * r[t] + Uz.T @ dz + Ur.T @ dr
    return loss, dWz, dWr, dWh, dUz, dUr, dUh, dbz, dbr, dbh, dWy, dby
