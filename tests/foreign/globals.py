import numpy as np

V, H, steps, rate = 6, 100, 25, 0.1

def sigma(a):
    return 1 / (1 + np.exp(-a))

class Param:
    def __init__(self, value):
        self.v, self.d = value, np.zeros_like(value)

class Parameters:
    def __init__(self):
        self.W_f, self.W_i, self.W_C, self.W_o = [Param(np.random.randn(H, H + V)) for _ in range(4)]
        self.b_f, self.b_i, self.b_C, self.b_o = [Param(np.zeros((H, 1))) for _ in range(4)]
        self.W_v, self.b_v = Param(np.random.randn(V, H)), Param(np.zeros((V, 1)))

parameters = Parameters()

def forward(x, h_prev, C_prev, p=parameters):
    z = np.vstack((h_prev, x))
    f, i, o = sigma(p.W_f.v @ z + p.b_f.v), sigma(p.W_i.v @ z + p.b_i.v), sigma(p.W_o.v @ z + p.b_o.v)
    C_bar = np.tanh(p.W_C.v @ z + p.b_C.v)
    C = f * C_prev + i * C_bar
    h = o * np.tanh(C)
    e = np.exp(p.W_v.v @ h + p.b_v.v)
    return z, f, i, C_bar, C, o, h, e / e.sum()

def backward(target, dh_next, dC_next, C_prev, z, f, i, C_bar, C, o, h, y, p=parameters):
    dv = np.copy(y); dv[target] -= 1
    p.W_v.d += dv @ h.T; p.b_v.d += dv
    dh = p.W_v.v.T @ dv + dh_next
    dC = dC_next + dh * o * (1 - np.tanh(C) ** 2)
    do, dC_bar, di, df = dh * np.tanh(C) * o * (1 - o), dC * i * (1 - C_bar ** 2), dC * C_bar * i * (1 - i), dC * C_prev * f * (1 - f)
    for gate, da in ((p.W_o, do), (p.W_C, dC_bar), (p.W_i, di), (p.W_f, df)):
        gate.d += da @ z.T
    p.b_o.d += do; p.b_C.d += dC_bar; p.b_i.d += di; p.b_f.d += df
    dz = p.W_f.v.T @ df + p.W_i.v.T @ di + p.W_C.v.T @ dC_bar + p.W_o.v.T @ do
    return dz[:H], f * dC

def forward_backward(inputs, targets, h_prev, C_prev):
    h, C, saved, loss = h_prev, C_prev, [], 0
    for p in vars(parameters).values():
        p.d.fill(0)
    for t in range(len(inputs)):
        x = np.zeros((V, 1)); x[inputs[t]] = 1
        made = forward(x, h, C)
        saved.append((C, *made))
        C, h = made[4], made[6]
        loss += -np.log(made[7][targets[t], 0])
    dh, dC = np.zeros_like(h), np.zeros_like(C)
    for t in reversed(range(len(inputs))):
        dh, dC = backward(targets[t], dh, dC, *saved[t])
    return loss, h, C
